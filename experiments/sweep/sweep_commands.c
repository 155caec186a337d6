#include "experiments/sweep/sweep_commands.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/run.h"
#include "experiments/sweep/packed.h"
#include "experiments/sweep/plan.h"
#include "experiments/threads.h"
#include "io/file.h"

/* ---- Arguments ---- */

/* What these commands take beside overrides. */
typedef struct {
  const char *index; /* NULL: not given */
  bool count;
} Own;

/* Splits argv into the sweep's file, own settings and overrides (kept [argc]). */
static Status take_own(int argc, const char *const *argv, Own *own, const char **kept, int *n) {
  *own = (Own){.index = NULL};
  *n = 0;
  if (argc < 1 || argv[0][0] == '-') {
    return status_fail(STATUS_USAGE, "SWEEP.yaml is missing; see `siren sweep --help`");
  }
  for (int i = 1; i < argc; i++) {
    if (!strncmp(argv[i], "index=", 6)) {
      own->index = argv[i] + 6;
    } else if (!strcmp(argv[i], "--count")) {
      own->count = true;
    } else if (!strchr(argv[i], '=')) {
      return status_fail(STATUS_USAGE, "unexpected argument `%s`: overrides are key=value",
                         argv[i]);
    } else {
      kept[(*n)++] = argv[i];
    }
  }
  return STATUS_OK;
}

/* Collective; comm NULL: this process alone. The sweep of a command line. */
static Status load(const Comm *comm, int argc, const char *const *argv, Own *own, Sweep **sweep) {
  const char **kept = NULL;
  int n;
  TRY(memory_allocate(&kept, (size_t)argc, sizeof *kept, "arguments"));
  Status status = take_own(argc, argv, own, kept, &n);
  if (status == STATUS_OK) status = sweep_load(comm, argv[0], n, kept, sweep);
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
static Status plan(const Comm *comm, const Sweep *sweep, const Own *own, FILE *out) {
  if (own->index) return status_fail(STATUS_USAGE, "index= is for `siren sweep`");
  if (own->count) {
    fprintf(out, "%d\n", sweep->n_runs);
    return STATUS_OK;
  }
  int threads;
  TRY(choose_threads(comm, sweep, &threads));
  return plan_print(comm, sweep, threads, out);
}

Status sweep_command_plan(const Comm *comm, int argc, const char *const *argv, FILE *out) {
  Sweep *sweep = NULL;
  Own own;
  TRY(load(comm, argc, argv, &own, &sweep));
  Status status = plan(comm, sweep, &own, out);
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
static Status run(const Comm *comm, Sweep *sweep, const Own *own, FILE *out) {
  int threads, index = 0;
  if (own->count) return status_fail(STATUS_USAGE, "--count is for `siren plan`");
  if (own->index) {
    TRY(parse_index(sweep, own->index, &index));
    return run_one(comm, sweep, index, out);
  }
  TRY(choose_threads(comm, sweep, &threads));
  return packed_run(comm, sweep, threads, out);
}

Status sweep_command_run(const Comm *comm, int argc, const char *const *argv, FILE *out) {
  Sweep *sweep = NULL;
  Own own;
  TRY(load(comm, argc, argv, &own, &sweep));
  Status status = run(comm, sweep, &own, out);
  sweep_destroy(sweep);
  return status;
}

bool sweep_wants_double(int argc, const char *const *argv) {
  Sweep *sweep = NULL;
  Config *config = NULL;
  Own own;
  bool wide = load(NULL, argc, argv, &own, &sweep) == STATUS_OK &&
              sweep_config(sweep, 0, &config) == STATUS_OK &&
              !strcmp(config_text(config, "precision"), "double");
  config_destroy(config);
  sweep_destroy(sweep);
  return wide;
}
