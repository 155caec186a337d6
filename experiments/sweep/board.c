#include "experiments/sweep/board.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/runfile.h"

enum { STATE_STAMP, LOG_STAMP };
static const char *const stamped[] = {[STATE_STAMP] = "state.json", [LOG_STAMP] = "log.jsonl"};

static double clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool has(const char *directory, const char *name) {
  char *path = file_join(directory, name);
  bool found = file_exists(path);
  free(path);
  return found;
}

/* Zeros where there is no such file. True: it is not the one of *stamp, which becomes that. */
static bool has_changed(const char *path, struct stat *stamp) {
  struct stat now;
  if (stat(path, &now) < 0) memset(&now, 0, sizeof now);
  bool same = now.st_ino == stamp->st_ino && now.st_size == stamp->st_size &&
              now.st_mtim.tv_sec == stamp->st_mtim.tv_sec &&
              now.st_mtim.tv_nsec == stamp->st_mtim.tv_nsec;
  *stamp = now;
  return !same;
}

/* ---- A run ---- */

/* A state that cannot be read is the run's failure, not ours. */
static void read_state(BoardRun *run) {
  run->state = (RunState){.kind = STATE_NONE};
  if (state_read(run->directory, &run->state) == STATUS_OK) return;
  run->state = (RunState){.kind = STATE_FAILED};
  snprintf(run->state.message, sizeof run->state.message, "%s", status_message());
}

/* run.h5 appears as a whole. Where the state says that it has, it need not be opened. */
static bool is_complete(const BoardRun *run) {
  bool complete = has(run->directory, "run.h5");
  if (!complete || run->state.kind == STATE_COMPLETE) return complete;
  char *path = file_join(run->directory, "run.h5");
  if (runfile_is_complete(path, &complete) != STATUS_OK) complete = false;
  free(path);
  return complete;
}

/* As standing_at has it; a run that ends writes run.h5 first and its state then. */
static Standing find_standing(BoardRun *run) {
  static const Standing standings[] = {[STATE_NONE] = STANDING_WAITING,
                                       [STATE_RUNNING] = STANDING_INTERRUPTED,
                                       [STATE_STOPPED] = STANDING_STOPPED,
                                       [STATE_FAILED] = STANDING_FAILED,
                                       [STATE_COMPLETE] = STANDING_FAILED};
  if (run->state.kind == STATE_RUNNING && state_alive(run->directory, &run->state)) {
    return STANDING_RUNNING;
  }
  if (is_complete(run)) return STANDING_COMPLETE;
  if (run->state.kind == STATE_COMPLETE) {
    snprintf(run->state.message, STATE_MESSAGE, "run.h5 of the complete run is missing");
  }
  bool begun = run->state.kind == STATE_NONE && has(run->directory, "checkpoint.h5");
  return begun ? STANDING_STOPPED : standings[run->state.kind];
}

static void look_at(BoardRun *run) {
  if (run->standing == STANDING_COMPLETE && run->state.kind != STATE_RUNNING) return;
  for (int i = 0; i < 2; i++) {
    char *path = file_join(run->directory, stamped[i]);
    if (has_changed(path, &run->stamps[i])) {
      if (i == STATE_STAMP) read_state(run);
      if (i == LOG_STAMP) run->log = log_tail(path);
    }
    free(path);
  }
  run->logged = (double)run->stamps[LOG_STAMP].st_mtim.tv_sec;
  run->standing = find_standing(run);
}

static void forget(BoardRun *run) {
  run->standing = STANDING_WAITING;
  run->state = (RunState){.kind = STATE_NONE};
  run->log = (LogLine){.step = -1, .loss = NAN, .value = NAN, .step_seconds = NAN};
  run->logged = 0;
  memset(run->stamps, 0, sizeof run->stamps);
}

/* ---- All of them ---- */

static int compare_ids(const void *a, const void *b) {
  return strcmp(a, b);
}

/* The sweep's folders that may be runs, in order: one look instead of one for each run. */
static Status list_folders(const char *directory, char (**names)[SWEEP_ID], size_t *n) {
  size_t capacity = 0;
  *names = NULL;
  *n = 0;
  DIR *folder = opendir(directory);
  if (!folder) {
    return status_fail(STATUS_FAILED, "%s: cannot read the directory: %s", directory,
                       strerror(errno));
  }
  Status status = STATUS_OK;
  for (struct dirent *entry; status == STATUS_OK && (entry = readdir(folder));) {
    if (strlen(entry->d_name) >= SWEEP_ID || entry->d_name[0] == '.') continue;
    status = memory_grow(names, &capacity, *n + 1, sizeof **names, "the list of runs");
    if (status == STATUS_OK) strcpy((*names)[(*n)++], entry->d_name);
  }
  closedir(folder);
  if (*n > 0) qsort(*names, *n, sizeof **names, compare_ids);
  return status;
}

static Status look_at_all(Board *board) {
  char(*names)[SWEEP_ID];
  size_t n;
  Status status = list_folders(board->directory, &names, &n);
  for (int i = 0; status == STATUS_OK && i < board->n; i++) {
    if (n > 0 && bsearch(board->plan.entries[i].id, names, n, sizeof *names, compare_ids)) {
      look_at(&board->runs[i]);
    } else {
      forget(&board->runs[i]);
    }
  }
  free(names);
  return status;
}

/* ---- The board ---- */

/* In place: drops what stands before the last dot of a word's key. */
static void shorten_keys(char *label) {
  char *to = label;
  for (const char *word = label; *word;) {
    size_t length = strcspn(word, " "), key = strcspn(word, "= "), from = 0;
    for (size_t i = 0; word[key] == '=' && i < key; i++) {
      if (word[i] == '.') from = i + 1;
    }
    length += word[length] == ' ';
    memmove(to, word + from, length - from);
    to += length - from;
    word += length;
  }
  *to = '\0';
}

static Status fill_run(BoardRun *run, const char *label, const char *directory, double forecast) {
  run->label = strdup(label);
  run->brief = strdup(label);
  run->directory = strdup(directory);
  run->forecast = forecast;
  forget(run);
  if (!run->label || !run->brief || !run->directory) {
    return status_fail(STATUS_FAILED, "out of memory for a run");
  }
  shorten_keys(run->brief);
  return STATUS_OK;
}

static Status fill_from_plan(Board *board) {
  board->n = board->plan.n;
  TRY(memory_allocate(&board->runs, (size_t)board->n, sizeof *board->runs, "the runs"));
  for (int i = 0; i < board->n; i++) {
    const PlanEntry *entry = &board->plan.entries[i];
    char *path = file_join(board->directory, entry->id);
    Status status = fill_run(&board->runs[i], entry->label, path, entry->core_seconds);
    free(path);
    TRY(status);
  }
  return STATUS_OK;
}

static bool is_run(const char *directory) {
  return has(directory, "run.h5") || has(directory, "state.json") ||
         has(directory, "checkpoint.h5") || has(directory, "log.jsonl");
}

static Status fill(Board *board) {
  char *path = file_join(board->directory, "plan.json");
  board->sweep = file_exists(path);
  has_changed(path, &board->stamp);
  free(path);
  if (board->sweep) {
    TRY(plan_read(board->directory, &board->plan));
    return fill_from_plan(board);
  }
  if (!is_run(board->directory)) {
    return status_fail(
        STATUS_USAGE,
        "%s: %s; a sweep's directory has plan.json, a run's has run.h5 or "
        "state.json",
        board->directory,
        file_exists(board->directory) ? "holds neither a sweep nor a run" : "no such directory");
  }
  board->n = 1;
  TRY(memory_allocate(&board->runs, 1, sizeof *board->runs, "a run"));
  return fill_run(board->runs, board->directory, board->directory, NAN);
}

static Status create(const char *directory, Board **board) {
  Board *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a sweep"));
  made->directory = strdup(directory);
  Status status =
      made->directory ? fill(made) : status_fail(STATUS_FAILED, "out of memory for a sweep");
  if (status == STATUS_OK) {
    *board = made;
  } else {
    board_close(made);
  }
  return status;
}

/* In the place of *board; nothing happens where the new plan cannot be read. */
static void renew(Board *board) {
  Board *made;
  if (create(board->directory, &made) != STATUS_OK) return;
  Board old = *board;
  *board = *made;
  *made = old;
  board_close(made);
}

Status board_refresh(Board *board) {
  board->now = clock_now();
  if (!board->sweep) {
    look_at(board->runs);
    return STATUS_OK;
  }
  char *path = file_join(board->directory, "plan.json");
  bool changed = has_changed(path, &board->stamp);
  free(path);
  if (changed) renew(board);
  board->now = clock_now();
  return look_at_all(board);
}

Status board_open(const char *directory, Board **board) {
  TRY(create(directory, board));
  Status status = board_refresh(*board);
  if (status == STATUS_OK) return STATUS_OK;
  board_close(*board);
  *board = NULL;
  return status;
}

void board_close(Board *board) {
  if (!board) return;
  for (int i = 0; board->runs && i < board->n; i++) {
    free(board->runs[i].label);
    free(board->runs[i].brief);
    free(board->runs[i].directory);
  }
  free(board->runs);
  plan_destroy(&board->plan);
  free(board->directory);
  free(board);
}
