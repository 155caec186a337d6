/* Long vectors over many ranks: every rank owns a part, on which alone sums over the ranks are made
 * and the optimiser works; then the parts go to all. That is half the traffic of a sum that all
 * ranks get, and the work on it is divided. Within a node parts travel through memory that its
 * ranks have in common, between nodes through MPI: first each rank of a node gets the node's sum
 * of a slice, then ranks with the same slice on all nodes share it out among themselves. */
#ifndef MPI_SHARDS_H
#define MPI_SHARDS_H

#include <stddef.h>
#include <stdint.h>

#include "core/real.h"
#include "mpi/comm.h"

typedef struct Shards Shards;

/* Collective. For vectors of n >= 0 elements; comm is borrowed. Where the ranks of a node cannot
 * have memory in common, or nodes have different numbers of ranks, everything goes through MPI. */
Status shards_create(const Comm *comm, size_t n, Shards **shards);
void shards_destroy(Shards *shards); /* Collective; NULL is allowed */

/* Local. This rank's part, as vector_part gives them: *first ... *end - 1, which may be empty. */
void shards_part(const Shards *shards, size_t *first, size_t *end);

/* Collective. values [n] of each rank, in place: the own part becomes the sum over the ranks modulo
 * 2^64; the rest is of no more use. */
void shards_sum(Shards *shards, int64_t *values);

/* Collective. values [n], in place: every rank gets the others' parts. */
void shards_share(Shards *shards, real *values);

/* Collective. values [n], in place: rank 0 gets the others' parts; they get theirs from rank 0, and
 * nothing else. */
void shards_collect(Shards *shards, real *values);
void shards_deal(Shards *shards, real *values);

/* Collective. The L2 norm of a vector [n] of which each rank needs to have its part only; the bits
 * are those of vector_dot. */
double shards_norm(const Shards *shards, const real *values);

/* Local. Bytes of memory that it occupies on each of so many ranks, with what it sees of its
 * node's.
 */
double shards_bytes(size_t n, int ranks, int nodes);

#endif
