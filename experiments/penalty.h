/* What a term of an equation makes of a residual: its absolute value, as the paper's losses do, or
 * its square, as Gauss-Newton needs it. */
#ifndef EXPERIMENTS_PENALTY_H
#define EXPERIMENTS_PENALTY_H

#include <math.h>
#include <stdbool.h>

/* Local, pure. |r|, or r^2. */
static inline double penalty(bool square, double r) {
  return square ? r * r : fabs(r);
}

/* Local, pure. Its derivative; 0 at 0. */
static inline double penalty_slope(bool square, double r) {
  return square ? 2 * r : (r > 0) - (r < 0);
}

#endif
