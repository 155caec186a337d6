#include "experiments/sweep/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/forecast.h"
#include "experiments/sweep/standing.h"

/* ---- Forecasts ---- */

/* Figures of runs that cost the same, as reduced over the ranks by maxima of zeros and one. */
typedef struct {
  double known, step, fixed, memory; /* seconds of a step; of set-up and evaluation; bytes */
} Figures;

typedef struct {
  const Sweep *sweep;
  int n, n_costs;
  const int *wanted; /* [n] */
  int *cost;         /* [n] which of the costs a run has */
  int *example;      /* [n_costs] a run that has it */
  double *steps;     /* [n] */
  Figures *figures;  /* [n_costs] */
} Costs;

static Status list_costs(Costs *costs) {
  uint64_t *hashes = NULL;
  size_t n = (size_t)costs->n;
  TRY(memory_allocate(&costs->cost, n, sizeof *costs->cost, "a plan"));
  TRY(memory_allocate(&costs->example, n, sizeof *costs->example, "a plan"));
  TRY(memory_allocate(&costs->steps, n, sizeof *costs->steps, "a plan"));
  TRY(memory_allocate(&costs->figures, n, sizeof *costs->figures, "a plan"));
  TRY(memory_allocate(&hashes, n, sizeof *hashes, "a plan"));
  Status status = STATUS_OK;
  for (int i = 0; status == STATUS_OK && i < costs->n; i++) {
    Config *config = NULL;
    status = sweep_config(costs->sweep, costs->wanted[i], &config);
    if (status != STATUS_OK) break;
    uint64_t hash = config_cost_hash(config);
    costs->steps[i] = (double)config_int(config, "train.steps");
    int k = 0;
    while (k < costs->n_costs && hashes[k] != hash) k++;
    if (k == costs->n_costs) {
      hashes[k] = hash;
      costs->example[costs->n_costs++] = costs->wanted[i];
    }
    costs->cost[i] = k;
    config_destroy(config);
  }
  free(hashes);
  return status;
}

static void free_costs(Costs *costs) {
  free(costs->cost);
  free(costs->example);
  free(costs->steps);
  free(costs->figures);
}

/* Collective over `alone`. */
static Status forecast_one(const Comm *alone, const Sweep *sweep, int run, double process,
                           Figures *figures) {
  Config *config = NULL;
  Forecast forecast;
  TRY(sweep_config(sweep, run, &config));
  Status status = forecast_run(alone, config, process, &forecast);
  config_destroy(config);
  TRY(status);
  *figures = (Figures){.known = 1,
                       .step = forecast.step,
                       .fixed = forecast.setup + forecast.evaluation,
                       .memory = forecast.root.peak};
  return STATUS_OK;
}

/* Collective. Each rank its part, all at once, as the runs themselves will go. What fails here will
 * fail as a run, too, and is said there. */
static Status forecast_all(const Comm *comm, Costs *costs, char *reason) {
  Comm *alone = NULL;
  Status first = STATUS_OK;
  char message[1024] = "";
  MemoryUse use = memory_use();
  TRY(comm_split(comm, comm_rank(comm), &alone));
  for (int k = comm_rank(comm); k < costs->n_costs; k += comm_size(comm)) {
    Status status = forecast_one(alone, costs->sweep, costs->example[k], use.resident - use.shared,
                                 &costs->figures[k]);
    if (status == STATUS_OK || first != STATUS_OK) continue;
    first = status;
    snprintf(message, sizeof message, "%s", status_message());
  }
  comm_release(alone);
  if (first != STATUS_OK) status_fail(first, "%s", message);
  first = comm_agree(comm, first);
  if (reason) snprintf(reason, 1024, "%s", first == STATUS_OK ? "" : status_message());
  comm_max_double(comm, (double *)costs->figures,
                  (size_t)costs->n_costs * sizeof(Figures) / sizeof(double));
  return STATUS_OK;
}

static void fill_rows(const Costs *costs, int threads, PlanRow *rows) {
  for (int i = 0; i < costs->n; i++) {
    const Figures *figures = &costs->figures[costs->cost[i]];
    double seconds = figures->fixed + figures->step * costs->steps[i];
    rows[i] = (PlanRow){
        .known = figures->known > 0, .core_seconds = seconds * threads, .memory = figures->memory};
  }
}

Status plan_forecast(const Comm *comm, const Sweep *sweep, const int *wanted, int n, int threads,
                     PlanRow *rows, char *reason) {
  Costs costs = {.sweep = sweep, .n = n, .wanted = wanted};
  Status status = comm_agree(comm, list_costs(&costs));
  if (status == STATUS_OK) status = forecast_all(comm, &costs, reason);
  if (status == STATUS_OK) fill_rows(&costs, threads, rows);
  free_costs(&costs);
  return status;
}

/* ---- siren plan ---- */

static void print_rows(const Sweep *sweep, const PlanRow *rows, FILE *out) {
  double seconds = 0, memory = 0;
  int unknown = 0, counts[STANDING_COUNT] = {0};
  fprintf(out, "%5s  %-16s  %12s  %8s  %-11s  %s\n", "index", "name", "core-minutes", "MB", "state",
          "overrides");
  for (int i = 0; i < sweep->n_runs; i++) {
    Standing standing = standing_of(sweep, i);
    char minutes[32] = "?", megabytes[32] = "?";
    if (rows[i].known) {
      snprintf(minutes, sizeof minutes, "%.4g", rows[i].core_seconds / 60);
      snprintf(megabytes, sizeof megabytes, "%.0f", 1e-6 * rows[i].memory);
      seconds += rows[i].core_seconds;
      memory = fmax(memory, rows[i].memory);
    }
    unknown += !rows[i].known;
    counts[standing]++;
    fprintf(out, "%5d  %-16s  %12s  %8s  %-11s  %s\n", i, sweep->runs[i].id, minutes, megabytes,
            standing_name(standing), sweep->runs[i].label);
  }
  fprintf(out, "\n%-15s %d, of which %d complete\n", "runs", sweep->n_runs,
          counts[STANDING_COMPLETE]);
  fprintf(out, "%-15s %.4g\n", "core_minutes", seconds / 60);
  fprintf(out, "%-15s %.4g MB\n", "memory_rank", 1e-6 * memory);
  if (unknown) fprintf(out, "%-15s %d\n", "unknown", unknown);
}

Status plan_print(const Comm *comm, const Sweep *sweep, int threads, FILE *out) {
  PlanRow *rows = NULL;
  int *all = NULL;
  char reason[1024];
  size_t n = (size_t)sweep->n_runs;
  Status status = memory_allocate(&rows, n, sizeof *rows, "a plan");
  if (status == STATUS_OK) status = memory_allocate(&all, n, sizeof *all, "a plan");
  status = comm_agree(comm, status);
  for (int i = 0; status == STATUS_OK && i < sweep->n_runs; i++) all[i] = i;
  if (status == STATUS_OK) {
    status = plan_forecast(comm, sweep, all, sweep->n_runs, threads, rows, reason);
  }
  if (status == STATUS_OK) {
    if (comm_rank(comm) == 0) print_rows(sweep, rows, out);
    if (*reason) status = status_fail(STATUS_FAILED, "not all runs can be forecast: %s", reason);
  }
  free(all);
  free(rows);
  return status;
}
