/* Gathering fields that ranks have parts of. */
#ifndef MPI_GATHER_H
#define MPI_GATHER_H

#include <stddef.h>

#include "mpi/comm.h"

/* Collective. Every rank brings n floats (n may differ, and be 0); rank 0 gets them all in rank
 * order in all [sum of n], which the other ranks leave NULL. `mine` and `all` may not overlap. */
void comm_gather_float(const Comm *comm, const float *mine, size_t n, float *all);

#endif
