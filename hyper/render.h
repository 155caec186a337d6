/* Networks of one shape, one after the other, at many points, by blocks of one number of rows:
 * their values, and how far these are from what they shall be. */
#ifndef HYPER_RENDER_H
#define HYPER_RENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/network.h"

typedef struct Render Render;

/* Local. Scratch memory for one thread. A block has at most `most` rows, and so many that blocks of
 * `points` >= 1 points are even; part of the bits of derivatives. `reverse`: these are wanted, too.
 * Borrows network. */
Status render_create(const Network *network, int64_t points, int most, bool reverse,
                     Render **render);
void render_destroy(Render *render); /* NULL is allowed */
size_t render_bytes(const Network *network, int64_t points, int most, bool reverse);

/* Local. values [n][out] of the network with these weights at x [n][in]. */
void render_values(Render *render, const real *weights, int64_t n, const real *x, real *values);

/* Local. The sum of squares of the differences from target [n][out]; weights_bar (NULL: not wanted)
 * gets factor times half its derivative by the weights, where n >= 1. */
double render_compare(Render *render, const real *weights, int64_t n, const real *x,
                      const real *target, double factor, real *weights_bar);

/* Local. Floating-point operations of a point, both ways. */
double render_flops(const Network *network);

#endif
