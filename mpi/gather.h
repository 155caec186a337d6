/* Gathering what ranks have parts of. */
#ifndef MPI_GATHER_H
#define MPI_GATHER_H

#include <stddef.h>

#include "mpi/comm.h"

/* Collective. Every rank brings n floats (n may differ, and be 0); rank 0 gets them all in rank
 * order in all [sum of n], which the other ranks leave NULL. `mine` and `all` may not overlap. */
void comm_gather_float(const Comm *comm, const float *mine, size_t n, float *all);

/* A stream of bytes that ranks have parts of. produce: fills the buffer as far as it likes and
 * returns how many bytes it holds, 0 at its end. consume: takes bytes, on rank 0. */
typedef struct {
  size_t (*produce)(void *context, unsigned char *buffer, size_t capacity);
  Status (*consume)(void *context, const unsigned char *data, size_t length);
  void *context; /* borrowed */
} CommStream;

/* Collective. Rank after rank is asked to produce, and rank 0 consumes everything in this order, by
 * buffers of `capacity` bytes, of which a rank holds one at a time. Fails on all ranks alike when
 * memory is short or consume fails (what follows is then dropped). */
Status comm_stream(const Comm *comm, const CommStream *stream, size_t capacity);

#endif
