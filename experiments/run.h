/* A whole run: from a configuration to a complete run file, whatever was there before. */
#ifndef EXPERIMENTS_RUN_H
#define EXPERIMENTS_RUN_H

#include <stdio.h>

#include "experiments/suite.h"

/* Collective. Trains and evaluates in the directory `output` (default
 * runs/EXPERIMENT-SCALE[-VARIANT]), which is locked meanwhile, and writes results to `out`. A
 * complete run of the same configuration is not done again; an unfinished one goes on; a directory
 * with a run of another configuration is refused (STATUS_USAGE). STATUS_STOPPED: see trainer.h. */
Status run_experiment(const Comm *comm, const Config *config, FILE *out);

/* Collective. `siren eval`: fields of the run in `directory`, by its own configuration with
 * overrides, into DIRECTORY/eval.h5 and pictures beside it. */
Status run_eval(const Comm *comm, const char *directory, int n_overrides,
                const char *const *overrides, FILE *out);

#endif
