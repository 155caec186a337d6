/* The wave equation u_tt = c^2 (u_xx + u_yy), u(0) = u0, u_t(0) = 0 on [-1,1]^2, as a judge of
 * networks. In space differences of order 8, with u = 0 beyond the ends; in time no steps at all:
 * with L = c^2 Lap on the grid, of eigenvalues in [-R^2, 0],
 *   u(t) = cos(t sqrt(-L)) u0 = J_0(t R) u0 + 2 sum_k J_2k(t R) T_k(1 + 2 L / R^2) u0,
 * which is exact to rounding after about t R / 2 Chebyshev polynomials T_k, for any t (Tal-Ezer,
 * Kosloff and Koren 1987). Grids are n x n nodes, ends included, row-major: the row is x, the
 * column y. In double, whatever `real` is. */
#ifndef EXPERIMENTS_REFERENCE_WAVE_H
#define EXPERIMENTS_REFERENCE_WAVE_H

#include "core/status.h"

typedef struct {
  int n;                   /* nodes a side, at least 2 */
  const double *slowness2; /* [n][n] 1 / c^2 > 0; where it jumps, its cell_mean */
  const double *u0;        /* [n][n] */
} WaveGrid;

/* Local, with OpenMP's threads; the bits do not depend on them. u [n_times][n][n]: the field at the
 * times, in any order. Fails (STATUS_FAILED) when memory is short or a number is out of range. */
Status reference_wave(const WaveGrid *grid, int n_times, const double *times, double *u);

/* Sets slowness2 and u0, both [n][n], of the same problem on a grid of n nodes a side. */
typedef void (*WaveProblem)(int n, double *slowness2, double *u0, const void *context);

/* Local. The solver's own error with n nodes a side, by its difference from the solution with
 * 2n - 1: sqrt(sum |u - u_fine|^2 / sum |u_fine|^2) over all times and the nodes that both share.
 * Fails as reference_wave does. */
Status reference_wave_error(int n, int n_times, const double *times, WaveProblem problem,
                            const void *context, double *error);

/* Local. Closed form for c = 1 everywhere in the plane and u0 = peak exp(-r^2 / (2 variance)):
 *   u(r, t) = int_0^inf peak variance exp(-q^2 variance / 2) cos(q t) J_0(q r) q dq,
 * to 1e-12 of the peak. */
double reference_wave_uniform(double peak, double variance, double r, double t);

/* Local, with OpenMP's threads. The same at the nodes of a grid: u [n][n]. */
void reference_wave_uniform_field(double peak, double variance, double t, int n, double *u);

#endif
