/* `siren bench`: how fast this machine is, and how much of that a training step reaches. */
#ifndef EXPERIMENTS_BENCH_H
#define EXPERIMENTS_BENCH_H

#include <stdbool.h>
#include <stdio.h>

#include "mpi/comm.h"

typedef struct {
  int threads; /* of this rank */
  int rounds;  /* medians are over so many */
  bool json;
  const char *step; /* its name; NULL: all but the large ones */
} BenchSettings;

/* Collective. Medians over rounds in which every case runs once, in a rotated order, so that a
 * machine that drifts treats all alike. Fails (STATUS_USAGE) on a step that there is not. */
Status bench_run(const Comm *comm, const BenchSettings *settings, FILE *out);

#endif
