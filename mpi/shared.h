/* Memory that the ranks of a node have in common: one copy of a data set on every node. */
#ifndef MPI_SHARED_H
#define MPI_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpi/comm.h"

typedef struct Shared Shared;

/* Collective. `bytes` >= 1 on every node that has ranks of comm, on a REAL_ALIGN boundary, filled
 * by the ranks of the node together. Fails on all ranks alike: "out of memory: N MB for WHAT" where
 * a node has not so much left. */
Status shared_create(const Comm *comm, size_t bytes, const char *what, Shared **shared);

/* Collective. NULL is allowed. */
void shared_destroy(Shared *shared);

/* Local. The memory, the same for all ranks of a node (at its own address on each). */
void *shared_data(const Shared *shared);

/* Local. Bytes that the ranks of the node have in common; 0 where each has its own copy. */
double shared_bytes(const Shared *shared);

/* Local. True on one rank of every node: the one that fills what cannot be read in parts. */
bool shared_leader(const Shared *shared);

/* Local. Shares out n items among the ranks of the node: this rank's are *first ... *first + count
 * - 1; returns count, which may be 0. */
int64_t shared_part(const Shared *shared, int64_t n, int64_t *first);

/* Collective. Agrees on `status`, and lets every rank see what the others of its node have written
 * before. To be called after filling, before reading what others filled. */
Status shared_ready(const Shared *shared, Status status);

/* Collective over the node's ranks. What each has written before, all see after it. */
void shared_barrier(const Shared *shared);

#endif
