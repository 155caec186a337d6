/* The factors of outer products (core/outer.h) of all tiles: one copy on every node, that its ranks
 * fill together and the nodes exchange. A step moves items * (u + v) numbers between nodes, where a
 * sum of the gradient itself would move as many as there are parameters. */
#ifndef MPI_OUTER_SHARE_H
#define MPI_OUTER_SHARE_H

#include "core/outer.h"
#include "mpi/comm.h"

typedef struct OuterShare OuterShare;

/* Collective. Borrows comm and outer, whose n_tensors >= 1. */
Status outer_share_create(const Comm *comm, const Outer *outer, int threads, OuterShare **share);
void outer_share_destroy(OuterShare *share); /* Collective; NULL is allowed */

/* Local. Memory for all items; a rank writes those of its tiles between begin and end. */
const OuterFactors *outer_share_factors(const OuterShare *share);

/* Collective. Before a step's tiles are computed, when no rank may read the last step's factors any
 * more, and after: then all ranks see all factors. The latter returns the first tensor of which a
 * factor is not finite (outer_nonfinite), to all ranks. */
void outer_share_begin(OuterShare *share);
int outer_share_end(OuterShare *share);

/* Collective. The square of the gradient's L2 norm, the same bits on any ranks and threads. */
double outer_share_square(OuterShare *share);

/* Local. Bytes on every node, and of each rank beside them. */
double outer_share_node_bytes(const Outer *outer);
double outer_share_rank_bytes(const Outer *outer, int threads);

#endif
