/* A problem as least squares: L = sum over all residuals of r^2 (core/problem.h). Points go in
 * tiles of their own, of which the factors of the residuals' Jacobian are made (core/factors.h). */
#ifndef CORE_LEAST_SQUARES_H
#define CORE_LEAST_SQUARES_H

#include "core/factors.h"
#include "core/problem.h"

/* Local. Whether all domains are sums of squares and all parameters are those of linear layers.
 * STATUS_USAGE else, with the reason. */
Status least_squares_check(const Problem *problem);

/* Local. Tiles of a step; those of one domain follow each other. */
int64_t least_squares_tiles(const Problem *problem);

/* Local. Residuals that a step has at most. */
int64_t least_squares_rows(const Problem *problem);

/* Local. What a tile of the domain of this number has room for; the domain of a tile. */
FactorRoom least_squares_room(const Problem *problem, int domain);
int least_squares_domain(const Problem *problem, int64_t tile);

/* Local. A thread's scratch memory. */
typedef struct LeastSquares LeastSquares;
Status least_squares_create(const Problem *problem, LeastSquares **squares);
void least_squares_destroy(LeastSquares *squares); /* NULL is allowed */
size_t least_squares_bytes(const Problem *problem);

/* Local. Fills the memory of a tile (factors_bytes of its room) at theta: a pure function of
 * (theta, step, tile). */
void least_squares_tile(LeastSquares *squares, uint64_t step, int64_t tile, const real *theta,
                        void *memory);

#endif
