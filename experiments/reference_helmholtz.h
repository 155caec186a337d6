/* Finite differences for the Helmholtz equation with absorbing layers (paper.md 6.1),
 *   d/dx(e_y/e_x du/dx) + d/dy(e_x/e_y du/dy) + e_x e_y m k^2 u = f    on [-1,1]^2,
 * as a judge of networks: staggered conservative differences of order 2, 4 or 6, solved directly.
 * Grids are n x n nodes, ends included, row-major: the row is the first coordinate x, the column
 * the second, y. Beyond the ends u is 0. In double, whatever `real` is. */
#ifndef EXPERIMENTS_REFERENCE_HELMHOLTZ_H
#define EXPERIMENTS_REFERENCE_HELMHOLTZ_H

#include "core/sparse.h"
#include "core/status.h"

/* e_x(x), and e_y(y) likewise; asked for up to three steps of the grid beyond the ends, too. */
typedef double _Complex (*HelmholtzStretch)(const void *context, double x);

typedef struct {
  int n;    /* nodes a side, at least 8 */
  double k; /* wavenumber where m = 1 */
  HelmholtzStretch stretch;
  const void *stretch_context; /* borrowed */
  const double *m; /* [n][n] squared slowness. Where it jumps, the mean over a node's cell converges
                      faster than its value at the node (cell_mean) */
} HelmholtzGrid;

/* Local. f, u [n_sources][n][n]: right sides and their fields; may be the same array. All sources
 * share one factorisation. *use may be NULL. Fails (STATUS_FAILED) when memory is short or a number
 * is not finite. */
Status reference_helmholtz(const HelmholtzGrid *grid, int order, int n_sources,
                           const double _Complex *f, double _Complex *u, SparseUse *use);

/* Sets m [n][n] and f [n_sources][n][n] of the same problem on a grid of n nodes a side. */
typedef void (*HelmholtzProblem)(int n, int n_sources, double *m, double _Complex *f,
                                 const void *context);

/* Local. The solver's own error on a grid (whose m is not looked at), by its difference from the
 * solution with 2n - 1 nodes a side: sqrt(sum |u - u_fine|^2 / sum |u_fine|^2) over all sources and
 * the nodes of [-0.5,0.5]^2 that both share. Fails as reference_helmholtz does. */
Status reference_helmholtz_error(const HelmholtzGrid *grid, int order, int n_sources,
                                 HelmholtzProblem problem, const void *context, double *error);

#endif
