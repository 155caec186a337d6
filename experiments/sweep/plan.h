/* What the runs of a sweep would take, and OUTPUT/plan.json, which tells people and programs that
 * look at the directory which runs it is to hold. */
#ifndef EXPERIMENTS_SWEEP_PLAN_H
#define EXPERIMENTS_SWEEP_PLAN_H

#include <stdio.h>

#include "experiments/sweep/sweep.h"

typedef struct {
  bool known;
  double core_seconds; /* set-up, training and evaluation, times threads */
  double memory;       /* bytes of a rank at its peak */
} PlanRow;

/* Collective. Forecasts the runs wanted[0 ... n-1] on one rank with so many threads; runs that cost
 * the same (config_cost_hash) are calibrated once, on one of the ranks, all ranks at once. What
 * cannot be forecast stays unknown; *reason (may be NULL; [1024]) is then the first message, else
 * "". rows [n], the same on all ranks. */
Status plan_forecast(const Comm *comm, const Sweep *sweep, const int *wanted, int n, int threads,
                     PlanRow *rows, char *reason);

/* Collective. `siren plan`: one line per run to `out`: index, identity, label, core-minutes, MB,
 * state; then the sums. */
Status plan_print(const Comm *comm, const Sweep *sweep, int threads, FILE *out);

/* Local. Writes OUTPUT/plan.json: {"title", "name", "file", "runs": [{"index", "id", "label",
 * "core_seconds" (null: unknown)}]}. rows [n_runs], NULL: nothing is known. `suffix`: makes the
 * name of the temporary file unique among processes that may write it at the same time. */
Status plan_write(const Sweep *sweep, const PlanRow *rows, const char *suffix);

/* A line of plan.json. */
typedef struct {
  int index;
  char id[SWEEP_ID];
  char *label;
  double core_seconds; /* NaN: unknown */
} PlanEntry;

typedef struct {
  char *title, *name, *file;
  int n;
  PlanEntry *entries;
} PlanFile;

/* Local. Reads DIRECTORY/plan.json; fails, naming it, where there is none or it is damaged. */
Status plan_read(const char *directory, PlanFile *plan);
void plan_destroy(PlanFile *plan);

#endif
