/* How long a step takes on these ranks and threads, from a second or so of the real work. */
#ifndef EXPERIMENTS_CALIBRATION_H
#define EXPERIMENTS_CALIBRATION_H

#include "core/optimizer.h"
#include "experiments/suite.h"

/* Seconds of a step. */
typedef struct {
  double tiles;     /* the objective's work, once */
  double rounds;    /* how often a step does that */
  double sums;      /* over threads and ranks, with the wait for the slowest of them */
  double optimizer; /* until all ranks have the weights, once gradient and loss are known; or with
                       the direction that it asks for */
} Calibration;

/* Collective. Evaluates whole steps at theta where these are short, else as many tiles of a step as
 * there is time for, spread over all of it, on every rank and thread at once; medians of several
 * rounds after those that warm up. Steps the optimiser, which then is of no more use, and leaves
 * theta as it comes. Fails as evaluation_run does. The same on all ranks. */
Status calibration_run(const Setup *setup, real *theta, Optimizer *optimizer,
                       Calibration *calibration);

#endif
