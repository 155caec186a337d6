/* Matrix products for the shapes of a tile: single-threaded, register-tiled, without packing what
 * need not be packed. Every element of the result is one chain of fused multiply-adds over k in
 * ascending order, whatever the vector width of the CPU and whichever the compiler. The BLAS is the
 * reference it is tested against. */
#ifndef CORE_PRODUCT_H
#define CORE_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/real.h"

/* c [m][n] = a (alpha b) (+ c if accumulate); c's rows lie c_row >= n apart. Element (i, p) of a
 * lies at a[i * a_row + p * a_depth], element (p, j) of b at b[p * b_depth + j * b_column]; in each
 * of them one stride is 1. Rows of a and b may overlap: that is how a convolution reads an
 * image. */
typedef struct {
  int m, n, k;
  real alpha;
  const real *a;
  size_t a_row, a_depth;
  const real *b;
  size_t b_depth, b_column;
  bool accumulate;
  real *c;
  size_t c_row;

  /* Not 0: rows (depths) come in runs of so many, behind each of which a and c (a and b) jump over
   * so many reals more. Depths do so only where a_row and b_column are 1. */
  int row_run, depth_run;
  size_t a_jump, b_jump, c_jump;
} Product;

/* Local. Needs 600 kB of stack, in double 1.2 MB. */
void product_run(const Product *product);

#endif
