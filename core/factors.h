/* Rows of the Jacobian of residuals with respect to a network's parameters, in factors: for every
 * linear layer y = W h + b, the row of a residual r at point x is
 *
 *     dr/dW = sum over streams c of  bar_c h_c^T,     dr/db = bar_0,
 *
 * with the layer's inputs h_c [streams] at x and the adjoints bar_c of its outputs (core/jet.h).
 * The kernel J J^T, J v and J^T y come from the factors by matrix products; J itself, a number for
 * every residual and parameter, is never there (methods section 4; Dangel et al. on ENGD-W).
 * Parameters of encodings are left out. */
#ifndef CORE_FACTORS_H
#define CORE_FACTORS_H

#include "core/network.h"
#include "core/real.h"

/* The factors of a tile: points and the residuals at them, a view of memory that all ranks of a
 * node may see. */
typedef struct {
  int streams, points, rows;
  const int *point;                /* [rows] at which point a residual is, ascending in runs */
  real *input[NETWORK_MAX_LINEAR]; /* [streams][points][in of the layer] */
  real *bar[NETWORK_MAX_LINEAR];   /* [streams][rows][out of the layer] */
  double *residual;                /* [rows] */
} FactorTile;

/* What a tile has room for. */
typedef struct {
  const Network *network; /* borrowed */
  int streams, points, rows;
} FactorRoom;

/* Local. Bytes of a tile's memory; a multiple of REAL_ALIGN. */
size_t factors_bytes(const FactorRoom *room);

/* Local. Makes an empty tile of so much memory: `streams` and no points or rows. */
void factors_clear(const FactorRoom *room, void *memory);

/* Local. The tile that is in the memory. */
FactorTile factors_view(const FactorRoom *room, void *memory);

/* Local. Sets points and rows [rows] of the tile, with the points they are at. */
void factors_resize(void *memory, int points, int rows, const int *point);

/* Local. Reals of scratch memory that the functions below need for tiles of this room, all of them
 * of any of `n` rooms. */
size_t factors_scratch(const FactorRoom *rooms, int n);

/* Local. kernel [a.rows][b.rows], rows `stride` apart: J_a J_b^T. */
void factors_kernel(const Network *network, const FactorTile *a, const FactorTile *b,
                    double *kernel, size_t stride, real *scratch);

/* Local. product [rows] = J v, v [n_parameters]. */
void factors_product(const Network *network, const FactorTile *tile, const real *v, double *product,
                     real *scratch);

/* Local. Adds J^T y, y [rows], in the parameters of rows first ... first + count - 1 of a layer's
 * weight and bias; count is at most FACTORS_SLICE. */
enum { FACTORS_SLICE = 64 };
void factors_transpose(const Network *network, const FactorTile *tile, const double *y, int layer,
                       int first, int count, real *sum, real *scratch);

#endif
