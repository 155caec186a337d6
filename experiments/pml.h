/* The Helmholtz equation on [-1, 1]^2 with a perfectly matched layer around the box [-1/2, 1/2]^2
 * (Sitzmann et al. 2020, eq. 11 and suppl. 5; paper.md 6.1), as the released code has it:
 *
 *     d/dx((e_y / e_x) du/dx) + d/dy((e_x / e_y) du/dy) + e_x e_y m k^2 u = f,
 *     e_x = 1 - j a (d_x / L)^2,  d_x = max(0, |x| - 1/2),  L = 1/2,
 *
 * with complex fields u = (real, imaginary), waves ~ exp(+jwt) that leave as exp(-jkr), squared
 * slowness m = 1/c^2, and in the box e_x = e_y = 1: there it is Lap u + m k^2 u = f. */
#ifndef EXPERIMENTS_PML_H
#define EXPERIMENTS_PML_H

#include <complex.h>

#include "core/problem.h"

typedef struct {
  double wavenumber; /* k > 0, where m = 1 */
  double strength;   /* a >= 0 */
} Pml;

/* Where the layer begins, and where the domain ends: |x| of both coordinates. */
#define PML_EDGE 0.5
#define PML_END 1.0

/* Local, pure. e_x at one coordinate. */
double complex pml_stretch(const Pml *pml, double x);

/* Local, pure. The same as experiments/reference_helmholtz.h takes it. */
double complex pml_stretch_at(const void *pml, double x);

/* Numbers of a sample's data that pml_row fills: the equation's complex coefficients there. */
enum { PML_WIDTH = 10 };

/* What a network's jet must hold. */
#define PML_JET                                                \
  {                                                            \
    .first = true, .n_second = 2, .second = { {0, 0}, {1, 1} } \
  }

/* Local, pure. The coefficients at x. */
void pml_row(const Pml *pml, const real x[2], real row[PML_WIDTH]);

/* Local. The left side less f, of the field in channels 2 field and 2 field + 1 at a row of a block
 * whose data begin with pml_row's. */
void pml_residual(const TermBlock *block, int row, int field, double slowness, const double f[2],
                  double residual[2]);

/* Local. Adds g . d(residual)/d(jet) to the block's adjoints, which must be there. Returns g .
 * d(residual)/d(slowness). */
double pml_adjoint(const TermBlock *block, int row, int field, double slowness, const double g[2]);

/* A source f(x) = (1 + j) exp(-|x - centre|^2 / 2s) / (2 pi s), s = 1e-4, and 0 where the
 * exponential over 2 pi s is below 1e-5 (paper.md 6.2): 0 beyond a distance of 0.0615. */
typedef struct {
  double x[2];
} PmlSource;
#define PML_SOURCE_VARIANCE 1e-4
double pml_source(const PmlSource *source, const double x[2]); /* its real = imaginary part */

#endif
