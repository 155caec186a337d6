/* A sweep inside one job: several runs side by side on groups of its ranks. */
#ifndef EXPERIMENTS_SWEEP_PACKED_H
#define EXPERIMENTS_SWEEP_PACKED_H

#include <stdio.h>

#include "experiments/sweep/sweep.h"

/* Collective. Runs what is missing, unfinished or failed, the longest first: a run gets so many
 * ranks that it ends with the others, most get one; a group that is free takes the next run, or
 * falls apart into smaller ones. Locks the sweep's directory, writes plan.json, tells on stderr how
 * each run ends, and a summary to `out`. A run that fails is told and does not end the others.
 * STATUS_FAILED: some failed; STATUS_STOPPED: a signal or deadline came, all unfinished runs are at
 * checkpoints. `threads`: of a rank. */
Status packed_run(const Comm *comm, Sweep *sweep, int threads, FILE *out);

#endif
