/* The step of Gauss and Newton for a sum of squares, in the space of its residuals, by all ranks
 * and threads (natural gradient, ENGD-W; methods section 4): a linear system with as many unknowns
 * as residuals, whose kernel J J^T is made of factors (core/factors.h). Every number of it is
 * computed by one thread in one way, so the bits do not depend on ranks or threads. */
#ifndef MPI_NATURAL_H
#define MPI_NATURAL_H

#include "core/least_squares.h"
#include "mpi/comm.h"

typedef struct Natural Natural;

/* Collective. `threads` >= 1 on this rank. Borrows comm and problem, which must pass
 * least_squares_check. The factors of all tiles lie in the memory that the ranks of a node share;
 * each node has them all. */
Status natural_create(const Comm *comm, const Problem *problem, int threads, Natural **natural);
void natural_destroy(Natural *natural); /* Collective; NULL is allowed */

/* Collective. No allocation. direction [n_parameters] = before + J^T (J J^T + damping D)^-1
 * (r - J before) at theta, for the points of this step, D the mean of the kernel's diagonal; before
 * [n_parameters] may be NULL, for 0, and is the same on all ranks; where rounding leaves the matrix
 * not positive definite, the damping grows by tens. Fails (STATUS_FAILED, on all ranks alike) when
 * a residual is not finite, or when no damping will do. */
Status natural_direction(Natural *natural, uint64_t step, const real *theta, double damping,
                         const real *before, real *direction);

/* Local, for forecasts. Bytes that a rank of so many threads has for itself, and that the ranks of
 * a node have in common. */
double natural_bytes(const Problem *problem, int threads);
double natural_shared_bytes(const Problem *problem);

/* Local, for forecasts. Floating-point operations of a direction, over all ranks. */
double natural_flops(const Problem *problem);

#endif
