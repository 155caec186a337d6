/* A network of some size with a step to be timed: points that fill a cube, values to be learnt. */
#ifndef EXPERIMENTS_SCALING_CASE_H
#define EXPERIMENTS_SCALING_CASE_H

#include "core/optimizer.h"
#include "core/problem.h"
#include "experiments/scaling_parts.h"

/* Stays where it is: the objective points into it. */
typedef struct {
  const ScalingNetwork *named; /* borrowed */
  Network network;
  Problem problem;
  Objective objective; /* of the step that is measured */
  Optimizer *optimizer;
  /* Every step is at the same theta, so that ranks that were idle agree with the others; the
   * optimiser moves a copy. */
  real *theta, *moved;
} ScalingCase;

/* Local. The case, and the study's tile and work: as measured, in about 1e11 operations but no
 * fewer tiles than workers, and whole. `ranks` with at most so many threads share the node's
 * memory: fails (STATUS_FAILED) where that is not enough. To be destroyed in any case. */
Status scaling_case_create(const ScalingNetwork *named, int64_t workers, int threads, int ranks,
                           ScalingCase *c, ScalingStudy *study);
void scaling_case_destroy(ScalingCase *c);

#endif
