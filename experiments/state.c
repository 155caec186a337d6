#include "experiments/state.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/file.h"

static const char *const names[] = {"none", "running", "stopped", "failed", "complete"};
enum { N_NAMES = sizeof names / sizeof *names, PATIENCE = 600 };

const char *state_name(StateKind kind) {
  return names[kind];
}

/* ---- Writing ---- */

static Status write_json(const char *path, json_t *json) {
  char *text = json ? json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) : NULL;
  if (!text) return status_fail(STATUS_FAILED, "%s: out of memory", path);
  Status status = file_replace(path, text, strlen(text));
  free(text);
  return status;
}

Status state_write(const char *directory, const RunState *state) {
  json_t *json =
      json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:f, s:f, s:f, s:f}", "state",
                state_name(state->kind), "message", state->message, "host", state->host, "process",
                state->process, "ranks", state->ranks, "threads", state->threads, "attempts",
                state->attempts, "steps", (json_int_t)state->steps, "started", state->started,
                "ended", state->ended, "train_seconds", state->train, "core_seconds", state->core);
  char *path = file_join(directory, "state.json");
  Status status = write_json(path, json);
  json_decref(json);
  free(path);
  return status;
}

/* ---- Reading ---- */

static Status fill(const char *path, json_t *json, RunState *state) {
  const char *kind, *message, *host;
  json_int_t steps;
  json_error_t error;
  int failed = json_unpack_ex(
      json, &error, 0, "{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:F, s:F, s:F, s:F}", "state",
      &kind, "message", &message, "host", &host, "process", &state->process, "ranks", &state->ranks,
      "threads", &state->threads, "attempts", &state->attempts, "steps", &steps, "started",
      &state->started, "ended", &state->ended, "train_seconds", &state->train, "core_seconds",
      &state->core);
  int k = 0;
  while (!failed && k < N_NAMES && strcmp(names[k], kind) != 0) k++;
  if (failed || k == N_NAMES) {
    return status_fail(STATUS_FAILED, "%s: is no state of a run: %s", path,
                       failed ? error.text : "its `state` is not known");
  }
  state->kind = (StateKind)k;
  state->steps = steps;
  snprintf(state->message, sizeof state->message, "%s", message);
  snprintf(state->host, sizeof state->host, "%s", host);
  return STATUS_OK;
}

static Status read_path(const char *path, RunState *state) {
  unsigned char *data = NULL;
  size_t length;
  TRY(file_read(path, &data, &length));
  json_error_t error;
  json_t *json = json_loadb((const char *)data, length, 0, &error);
  free(data);
  if (!json) return status_fail(STATUS_FAILED, "%s: is damaged: %s", path, error.text);
  RunState read = {.kind = STATE_NONE};
  Status status = fill(path, json, &read);
  json_decref(json);
  if (status == STATUS_OK) *state = read;
  return status;
}

Status state_read(const char *directory, RunState *state) {
  *state = (RunState){.kind = STATE_NONE};
  char *path = file_join(directory, "state.json");
  Status status = file_exists(path) ? read_path(path, state) : STATUS_OK;
  free(path);
  return status;
}

/* ---- Alive ---- */

static bool logged_lately(const char *directory) {
  struct stat facts;
  char *path = file_join(directory, "log.jsonl");
  bool found = path && stat(path, &facts) == 0;
  free(path);
  return found && difftime(time(NULL), facts.st_mtime) < PATIENCE;
}

void state_here(RunState *state) {
  if (gethostname(state->host, sizeof state->host)) snprintf(state->host, STATE_HOST, "unknown");
  state->host[STATE_HOST - 1] = '\0';
  state->process = (int)getpid();
}

bool state_alive(const char *directory, const RunState *state) {
  if (state->kind != STATE_RUNNING) return false;
  RunState here;
  state_here(&here);
  if (strcmp(state->host, here.host) != 0) return logged_lately(directory);
  return kill(state->process, 0) == 0 || errno == EPERM;
}
