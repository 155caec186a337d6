#include "experiments/sweep/sweep_commands.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/run.h"
#include "experiments/sweep/packed.h"
#include "experiments/sweep/plan.h"
#include "experiments/sweep/report.h"
#include "experiments/sweep/table.h"
#include "experiments/sweep/watch.h"
#include "experiments/threads.h"
#include "io/file.h"

/* ---- Arguments ---- */

/* What a command takes beside overrides: "WORD=..." into value, or the flag WORD. */
typedef struct {
  const char *word;
  const char **value;
  bool *flag;
} Own;

static bool take(const char *argument, const Own *own) {
  size_t length = strlen(own->word);
  if (own->flag && !strcmp(argument, own->word)) return *own->flag = true;
  if (!own->value || strncmp(argument, own->word, length) || argument[length] != '=') return false;
  *own->value = argument + length + 1;
  return true;
}

/* Takes what is the command's own (word NULL after the last) out of argv, whose first is `first`;
 * the rest goes to kept [argc]. */
static Status take_own(int argc, const char *const *argv, const char *first, const Own *own,
                       const char **kept, int *n) {
  *n = 0;
  if (argc < 1 || argv[0][0] == '-') return status_fail(STATUS_USAGE, "%s is missing", first);
  for (int i = 1; i < argc; i++) {
    const Own *o = own;
    while (o->word && !take(argv[i], o)) o++;
    if (!o->word) kept[(*n)++] = argv[i];
  }
  return STATUS_OK;
}

/* Collective; comm NULL: this process alone. The sweep of a command line. */
static Status load(const Comm *comm, int argc, const char *const *argv, const Own *own,
                   Sweep **sweep) {
  const char **kept = NULL;
  int n;
  TRY(memory_allocate(&kept, (size_t)argc, sizeof *kept, "arguments"));
  Status status = take_own(argc, argv, "SWEEP.yaml", own, kept, &n);
  if (status == STATUS_OK) status = sweep_load(comm, argv[0], n, kept, sweep);
  if (status == STATUS_OK) {
    status = table_check(*sweep); /* before anything runs */
    if (status != STATUS_OK) {
      sweep_destroy(*sweep);
      *sweep = NULL;
    }
  }
  free(kept);
  return status;
}

/* DIR, and nothing but the command's own behind it. */
static Status take_directory(int argc, const char *const *argv, const Own *own) {
  const char **kept = NULL;
  int n;
  TRY(memory_allocate(&kept, (size_t)argc, sizeof *kept, "arguments"));
  Status status = take_own(argc, argv, "DIR, of a sweep or of a run,", own, kept, &n);
  if (status == STATUS_OK && n > 0) {
    status = status_fail(STATUS_USAGE, "unexpected argument `%s`", kept[0]);
  }
  free(kept);
  return status;
}

/* Collective. Threads of a rank, as the sweep's options or the job have it. */
static Status choose_threads(const Comm *comm, const Sweep *sweep, int *threads) {
  Config *config = NULL;
  TRY(comm_agree(comm, sweep_config(sweep, 0, &config)));
  Status status = threads_choose(comm, config_int(config, "threads"), threads);
  config_destroy(config);
  return status;
}

/* ---- siren plan ---- */

/* Collective. */
static Status plan(const Comm *comm, const Sweep *sweep, bool count, FILE *out) {
  int threads;
  if (count) {
    fprintf(out, "%d\n", sweep->n_runs);
    return STATUS_OK;
  }
  TRY(choose_threads(comm, sweep, &threads));
  return plan_print(comm, sweep, threads, out);
}

Status sweep_command_plan(const Comm *comm, int argc, const char *const *argv, FILE *out) {
  Sweep *sweep = NULL;
  bool count = false;
  const Own own[] = {{.word = "--count", .flag = &count}, {.word = NULL}};
  TRY(load(comm, argc, argv, own, &sweep));
  Status status = plan(comm, sweep, count, out);
  sweep_destroy(sweep);
  return status;
}

/* ---- siren sweep ---- */

/* Collective. One run, as `siren run` does it, for a job of its own. */
static Status run_one(const Comm *comm, const Sweep *sweep, int index, FILE *out) {
  char suffix[24];
  Config *config = NULL;
  Status status = STATUS_OK;
  snprintf(suffix, sizeof suffix, "%d", index);
  if (comm_rank(comm) == 0) {
    status = file_make_directory(sweep->directory);
    if (status == STATUS_OK) status = plan_write(sweep, NULL, suffix);
  }
  TRY(comm_agree(comm, status));
  TRY(comm_agree(comm, sweep_config(sweep, index, &config)));
  status = run_experiment(comm, config, out);
  config_destroy(config);
  return status == STATUS_OK ? status : status_prefix(status, "%s", sweep->runs[index].label);
}

static Status parse_index(const Sweep *sweep, const char *text, int *index) {
  char *end;
  long value = strtol(text, &end, 10);
  if (end == text || *end || value < 0 || value >= sweep->n_runs) {
    return status_fail(STATUS_USAGE,
                       "index=%.40s: expected a number from 0 to %d, the last run of %s", text,
                       sweep->n_runs - 1, sweep->path);
  }
  *index = (int)value;
  return STATUS_OK;
}

/* Collective. */
static Status run(const Comm *comm, Sweep *sweep, const char *index, FILE *out) {
  int threads, one = 0;
  if (index) {
    TRY(parse_index(sweep, index, &one));
    return run_one(comm, sweep, one, out);
  }
  TRY(choose_threads(comm, sweep, &threads));
  return packed_run(comm, sweep, threads, out);
}

Status sweep_command_run(const Comm *comm, int argc, const char *const *argv, FILE *out) {
  Sweep *sweep = NULL;
  const char *index = NULL;
  const Own own[] = {{.word = "index", .value = &index}, {.word = NULL}};
  TRY(load(comm, argc, argv, own, &sweep));
  Status status = run(comm, sweep, index, out);
  sweep_destroy(sweep);
  return status;
}

bool sweep_wants_double(int argc, const char *const *argv) {
  Sweep *sweep = NULL;
  Config *config = NULL;
  const char *index = NULL;
  bool count = false;
  const Own own[] = {
      {.word = "index", .value = &index}, {.word = "--count", .flag = &count}, {.word = NULL}};
  bool wide = load(NULL, argc, argv, own, &sweep) == STATUS_OK &&
              sweep_config(sweep, 0, &config) == STATUS_OK &&
              !strcmp(config_text(config, "precision"), "double");
  config_destroy(config);
  sweep_destroy(sweep);
  return wide;
}

/* ---- siren table, watch, report: rank 0 reads files ---- */

Status sweep_command_table(const Comm *comm, int argc, const char *const *argv, FILE *out) {
  Sweep *sweep = NULL;
  const char *into = NULL;
  const Own own[] = {{.word = "into", .value = &into}, {.word = NULL}};
  TRY(load(comm, argc, argv, own, &sweep));
  Status status = comm_agree(comm, comm_rank(comm) ? STATUS_OK : table_make(sweep, into, out));
  sweep_destroy(sweep);
  return status;
}

static Status parse_interval(const char *text, double *seconds) {
  char *end;
  *seconds = strtod(text, &end);
  if (end != text && !*end && *seconds >= 0.1 && *seconds <= 3600) return STATUS_OK;
  return status_fail(STATUS_USAGE, "interval=%.40s: expected seconds from 0.1 to 3600", text);
}

Status sweep_command_watch(const Comm *comm, int argc, const char *const *argv, FILE *out) {
  WatchSettings settings = {.once = false};
  const char *interval = NULL;
  const Own own[] = {{.word = "interval", .value = &interval},
                     {.word = "--once", .flag = &settings.once},
                     {.word = NULL}};
  TRY(take_directory(argc, argv, own));
  if (interval) TRY(parse_interval(interval, &settings.interval));
  return comm_agree(comm, comm_rank(comm) ? STATUS_OK : watch_directory(argv[0], &settings, out));
}

Status sweep_command_report(const Comm *comm, int argc, const char *const *argv, FILE *out) {
  const char *into = NULL;
  const Own own[] = {{.word = "into", .value = &into}, {.word = NULL}};
  TRY(take_directory(argc, argv, own));
  return comm_agree(comm, comm_rank(comm) ? STATUS_OK : report_make(argv[0], into, out));
}
