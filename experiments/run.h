/* A whole run: from a configuration to a complete run file, whatever was there before. */
#ifndef EXPERIMENTS_RUN_H
#define EXPERIMENTS_RUN_H

#include <stdio.h>

#include "experiments/suite.h"

/* Collective. Trains and evaluates in the directory `output` (default
 * runs/EXPERIMENT-SCALE[-VARIANT]), which is locked meanwhile, and writes results to `out`. A
 * complete run of the same configuration is not done again; an unfinished one goes on; a directory
 * with a run of another configuration is refused (STATUS_USAGE). How it stands is in state.json.
 * STATUS_STOPPED: see trainer.h. */
Status run_experiment(const Comm *comm, const Config *config, FILE *out);

/* What became of a run that nobody watched. */
typedef struct {
  bool before;  /* it was complete already */
  double train; /* seconds of training steps, now */
} RunOutcome;

/* Collective. The same without results and progress, for sweeps: with `threads` of the
 * configuration, which is not 0. */
Status run_quietly(const Comm *comm, const Config *config, RunOutcome *outcome);

/* Collective. `siren eval`: fields of the run in `directory`, by its own configuration with
 * overrides, into DIRECTORY/eval.h5 and pictures beside it. */
Status run_eval(const Comm *comm, const char *directory, int n_overrides,
                const char *const *overrides, FILE *out);

#endif
