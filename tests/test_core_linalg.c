/* Matrix products: the project's own against the BLAS and against plain loops, in all layouts and
 * for shapes around every edge of the tiles. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka.h last */
#include <cmocka.h>

#include "core/linalg.h"
#include "core/product.h"
#include "core/random.h"

typedef enum { NT, NN, TN, LAYOUTS } Layout;

static real *random_matrix(int rows, int columns, uint64_t step) {
  size_t n = (size_t)rows * (size_t)columns;
  real *matrix = malloc((n + 1) * sizeof *matrix);
  RandomStream stream = {7, RANDOM_CHECK, step};
  for (size_t i = 0; i < n; i++) matrix[i] = (real)(2 * random_uniform(stream, i, 0) - 1);
  return matrix;
}

static double element(Layout layout, const real *a, const real *b, int m, int n, int k, int i,
                      int j) {
  double sum = 0;
  for (int p = 0; p < k; p++) {
    double x = (double)(layout == TN ? a[p * m + i] : a[i * k + p]);
    double y = (double)(layout == NT ? b[j * k + p] : b[p * n + j]);
    sum += x * y;
  }
  return sum;
}

static void run(Layout layout, bool blas, int m, int n, int k, real alpha, const real *a,
                const real *b, bool accumulate, real *c) {
  if (layout == NT) (blas ? linalg_blas_nt : linalg_nt)(m, n, k, alpha, a, b, c);
  if (layout == NN) (blas ? linalg_blas_nn : linalg_nn)(m, n, k, alpha, a, b, c);
  if (layout == TN) (blas ? linalg_blas_tn : linalg_tn)(m, n, k, alpha, a, b, accumulate, c);
}

static void check_shape(Layout layout, int m, int n, int k, bool accumulate) {
  real *a = random_matrix(m, k, 1), *b = random_matrix(k, n, 2);
  real *c = random_matrix(m, n, 3), *d = random_matrix(m, n, 3), *before = random_matrix(m, n, 3);
  real alpha = REAL(1.75), guard = c[(size_t)m * (size_t)n] = REAL(123.25);
  run(layout, false, m, n, k, alpha, a, b, accumulate, c);
  run(layout, true, m, n, k, alpha, a, b, accumulate, d);
  double tolerance = (REAL_IS_DOUBLE ? 1e-15 : 5e-7) * (4 + k);
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) {
      size_t at = (size_t)(i * n + j);
      double expected = (double)alpha * element(layout, a, b, m, n, k, i, j) +
                        (accumulate ? (double)before[at] : 0);
      assert_true(fabs((double)c[at] - expected) <= tolerance);
      assert_true(fabs((double)c[at] - (double)d[at]) <= 2 * tolerance);
    }
  }
  assert_true(c[(size_t)m * (size_t)n] == guard); /* nothing behind the last element is written */
  free(a), free(b), free(c), free(d), free(before);
}

static const int sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 64, 65};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static void all_small_shapes(void **state) {
  (void)state;
  for (int i = 0; i < N_SIZES; i++) {
    for (int j = 0; j < N_SIZES; j++) {
      for (int p = 0; p < N_SIZES; p += 2) {
        for (Layout layout = 0; layout < LAYOUTS; layout++) {
          check_shape(layout, sizes[i], sizes[j], sizes[p], layout == TN && p % 4 == 0);
        }
      }
    }
  }
}

static void shapes_beyond_one_panel(void **state) {
  (void)state;
  static const int shapes[][3] = {{256, 256, 256}, {257, 40, 255}, {100, 530, 300}, {300, 514, 513},
                                  {520, 33, 600},  {64, 1024, 70}, {30, 512, 256}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    for (Layout layout = 0; layout < LAYOUTS; layout++) {
      check_shape(layout, shapes[s][0], shapes[s][1], shapes[s][2], layout == TN);
    }
  }
}

/* As a convolution reads images: rows of a, or of both factors along k, overlap and come in runs,
 * as do those of c, which lie apart; what is between them stays. */
typedef struct {
  int m, n, k, step, run;
} Overlap;

enum { JUMP = 7 };

static int jumping(int index, int step, int run) {
  return index * step + (run ? index / run * JUMP : 0);
}

static void compare_overlap(const Product *product, const real *before, int extent) {
  const Product *q = product;
  bool along_k = q->b_column == 1;
  for (int i = 0, at = 0; i < q->m; i++) {
    int row = jumping(i, (int)q->c_row, q->row_run);
    for (; at < row; at++) assert_true(q->c[at] == before[at]);
    for (int j = 0; j < q->n; j++, at++) {
      double wanted = (double)before[at];
      for (int p = 0; p < q->k; p++) {
        int a = along_k ? jumping(p, (int)q->a_depth, q->depth_run) + i
                        : jumping(i, (int)q->a_row, q->row_run) + p;
        int b = along_k ? jumping(p, (int)q->b_depth, q->depth_run) + j : j * (int)q->b_column + p;
        wanted += (double)q->a[a] * (double)q->b[b];
      }
      double tolerance = (REAL_IS_DOUBLE ? 1e-15 : 5e-7) * (4 + q->k);
      assert_true(fabs((double)q->c[at] - wanted) <= tolerance);
    }
    if (i == q->m - 1) {
      for (; at < extent; at++) assert_true(q->c[at] == before[at]);
    }
  }
}

static void check_overlap(Overlap s, bool along_k) {
  int longest = s.m > s.k ? s.m : s.k, wide = s.m + s.n + s.k;
  int extent = jumping(s.m, s.n + 5, along_k ? 0 : s.run) + 1;
  real *a = random_matrix(1, jumping(longest, s.step, s.run) + wide, 1);
  real *b = along_k ? random_matrix(1, jumping(longest, s.step, s.run) + wide, 2)
                    : random_matrix(s.n, s.k, 2);
  real *c = random_matrix(1, extent, 3), *before = random_matrix(1, extent, 3);
  Product product = {.m = s.m,
                     .n = s.n,
                     .k = s.k,
                     .alpha = 1,
                     .a = a,
                     .a_row = along_k ? 1 : (size_t)s.step,
                     .a_depth = along_k ? (size_t)s.step : 1,
                     .b = b,
                     .b_depth = along_k ? (size_t)s.step : 1,
                     .b_column = along_k ? 1 : (size_t)s.k,
                     .accumulate = true,
                     .c = c,
                     .c_row = (size_t)(s.n + 5),
                     .row_run = along_k ? 0 : s.run,
                     .depth_run = along_k ? s.run : 0,
                     .a_jump = JUMP,
                     .b_jump = along_k ? JUMP : 0,
                     .c_jump = along_k ? 0 : JUMP};
  product_run(&product);
  compare_overlap(&product, before, extent);
  free(a), free(b), free(c), free(before);
}

static void overlapping_rows(void **state) {
  (void)state;
  static const Overlap shapes[] = {
      {9, 4, 9, 3, 0},      {30, 17, 25, 5, 0},    {70, 33, 300, 100, 0}, {520, 64, 90, 30, 0},
      {13, 600, 270, 9, 0}, {6, 16, 6, 1, 3},      {35, 33, 9, 3, 7},     {600, 40, 530, 6, 32},
      {96, 64, 64, 64, 32}, {40, 530, 41, 20, 13}, {7, 5, 300, 1, 9},     {530, 20, 12, 4, 1}};
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    for (int along_k = 0; along_k < 2; along_k++) check_overlap(shapes[s], along_k);
  }
}

/* A not-a-number must come out wherever it enters: divergence is found by it. */
static void nan_is_not_lost(void **state) {
  (void)state;
  enum { M = 9, N = 37, K = 21 };
  for (Layout layout = 0; layout < LAYOUTS; layout++) {
    real *a = random_matrix(M, K, 1), *b = random_matrix(K, N, 2), *c = random_matrix(M, N, 3);
    b[layout == NT ? 5 * K + 3 : 3 * N + 5] = (real)NAN;
    run(layout, false, M, N, K, 1, a, b, false, c);
    for (int i = 0; i < M; i++) {
      for (int j = 0; j < N; j++) assert_true(isnan(c[i * N + j]) == (j == 5));
    }
    free(a), free(b), free(c);
  }
}

int main(void) {
  linalg_start();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_small_shapes),
      cmocka_unit_test(shapes_beyond_one_panel),
      cmocka_unit_test(overlapping_rows),
      cmocka_unit_test(nan_is_not_lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
