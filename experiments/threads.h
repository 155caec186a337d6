/* How many OpenMP threads this rank may use. */
#ifndef EXPERIMENTS_THREADS_H
#define EXPERIMENTS_THREADS_H

#include "core/status.h"
#include "mpi/comm.h"

/* Collective. `wanted` > 0 is taken as it is; 0 means OMP_NUM_THREADS, or else this rank's share of
 * the CPUs it may run on. From now on OpenMP takes as many where nothing else is said. A warning
 * goes to stderr when threads exceed those CPUs. Fails (STATUS_USAGE) on an unreadable
 * OMP_NUM_THREADS. */
Status threads_choose(const Comm *comm, int64_t wanted, int *threads);

#endif
