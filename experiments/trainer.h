/* Training: from a configuration and an objective to theta, with checkpoints, logs, and stops.
 * Knows nothing of what is trained but its objective. */
#ifndef EXPERIMENTS_TRAINER_H
#define EXPERIMENTS_TRAINER_H

#include "core/optimizer.h"
#include "experiments/suite.h"
#include "io/runfile.h"
#include "mpi/natural.h"

typedef struct {
  int64_t first;     /* steps that were done when this process began; > 0: resumed */
  int64_t steps;     /* steps done in all */
  double seconds;    /* of training in all, those before a resume included */
  double now;        /* of training in this process */
  double final_loss; /* total at the final theta, with the samples of step `steps` */
  const char *columns[1 + OBJECTIVE_MAX_TERMS]; /* the history's names */
} Training;

/* Collective. Trains theta [n_parameters] and fills history (columns: total, then the terms; one
 * row for every train.log_every-th step and the last one). Begins at OUTPUT's checkpoint if there
 * is one, else at the weights of `init`, else at random ones. Writes checkpoints and log.jsonl into
 * `directory`. Returns STATUS_STOPPED when a signal, train.time_limit or SIREN_DEADLINE ended it at
 * a checkpoint; STATUS_FAILED, the last good checkpoint still there, when the loss is not finite or
 * a file cannot be written. The same status on all ranks. The caller releases history, which
 * borrows its names from *training. */
Status trainer_run(const Setup *setup, const char *directory, real *theta, History *history,
                   Training *training);

/* Collective. The weights that it begins with: those of `init`, or random ones. */
Status trainer_weights(const Setup *setup, real *theta);

/* Local. The optimiser of the options train.*, for the objective; owned by the caller. */
Status trainer_optimizer(const Setup *setup, Optimizer **optimizer);

/* Collective. What gives it its directions, if it takes any; owned by the caller. Fails
 * (STATUS_USAGE, naming train.optimizer) where the loss is not a sum of squares. */
Status trainer_natural(const Setup *setup, Natural **natural);

#endif
