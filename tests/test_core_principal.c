/* Gram matrices, eigenvalues and principal components against what is known of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "core/linalg.h"
#include "core/principal.h"
#include "core/random.h"

static void fill(uint64_t seed, size_t n, double *values) {
  for (size_t i = 0; i < n; i++) {
    values[i] = random_normal((RandomStream){seed, RANDOM_CHECK, 0}, i, 0);
  }
}

static double dot(int n, const double *a, const double *b) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static void test_gram(void **state) {
  (void)state;
  const double a[] = {1, 2, 3, 4, 5, 6}; /* [2][3] */
  double rows[4], columns[9];
  linalg_gram(2, 3, false, 0.5, a, rows);
  assert_memory_equal(rows, ((double[]){7, 16, 16, 38.5}), sizeof rows);
  linalg_gram(3, 2, true, 1, a, columns);
  assert_memory_equal(columns, ((double[]){17, 22, 27, 22, 29, 36, 27, 36, 45}), sizeof columns);
}

/* The chain of springs: a_ii = 2, a_i,i+1 = -1, whose eigenvalues are 2 - 2 cos(pi k / (n + 1)). */
static void test_eigenvalues_of_a_chain(void **state) {
  (void)state;
  enum { N = 41 };
  double a[N * N] = {0}, kept[N * N], values[N], alone[N];
  for (int i = 0; i < N; i++) {
    a[i * N + i] = 2;
    if (i > 0) a[i * N + i - 1] = a[(i - 1) * N + i] = -1;
  }
  memcpy(kept, a, sizeof a);
  assert_int_equal(linalg_eigen(N, true, a, values), STATUS_OK);
  for (int i = 0; i < N; i++) {
    double *vector = a + i * N, largest = 0;
    assert_true(fabs(values[i] - (2 - 2 * cos(M_PI * (N - i) / (N + 1)))) < 1e-13);
    for (int j = 0; j <= i; j++) {
      assert_true(fabs(dot(N, vector, a + j * N) - (i == j)) < 1e-13);
    }
    for (int r = 0; r < N; r++) {
      assert_true(fabs(dot(N, kept + r * N, vector) - values[i] * vector[r]) < 1e-13);
      if (fabs(vector[r]) > fabs(largest)) largest = vector[r];
    }
    assert_true(largest > 0);
  }
  assert_int_equal(linalg_eigen(N, false, kept, alone), STATUS_OK);
  for (int i = 0; i < N; i++) assert_true(fabs(values[i] - alone[i]) < 1e-13);
}

/* Rows on a plane through a mean: two components, orthonormal, that restore all of them. */
static void check_plane(int rows, int columns) {
  double *data = calloc((size_t)(rows * columns), sizeof *data), *row = calloc(64, sizeof *row),
         *axes = calloc(3 * 64, sizeof *axes), weights[2], coefficients[8];
  Principal p;
  fill(1, 3 * 64, axes);
  for (int r = 0; r < rows; r++) {
    fill(2 + (uint64_t)r, 2, weights);
    for (int c = 0; c < columns; c++) {
      data[r * columns + c] = axes[c] + 3 * weights[0] * axes[64 + c] + weights[1] * axes[128 + c];
    }
  }
  assert_int_equal(principal_create(rows, columns, data, 8, &p), STATUS_OK);
  assert_int_equal(p.n, 2);
  assert_int_equal(p.columns, columns);
  assert_true(p.variance[0] > p.variance[1] && p.variance[1] > 0);
  for (int i = 0; i < 2; i++) {
    assert_true(fabs(dot(columns, p.axes + i * columns, p.axes + i * columns) - 1) < 1e-12);
  }
  assert_true(fabs(dot(columns, p.axes, p.axes + columns)) < 1e-12);
  double square[2] = {0};
  for (int r = 0; r < rows; r++) {
    principal_project(&p, data + r * columns, coefficients);
    principal_restore(&p, 2, coefficients, row);
    for (int c = 0; c < columns; c++) assert_true(fabs(row[c] - data[r * columns + c]) < 1e-12);
    for (int i = 0; i < 2; i++) square[i] += coefficients[i] * coefficients[i] / (rows - 1);
  }
  for (int i = 0; i < 2; i++) assert_true(fabs(square[i] / p.variance[i] - 1) < 1e-12);
  principal_restore(&p, 0, coefficients, row);
  assert_memory_equal(row, p.mean, (size_t)columns * sizeof *row);
  principal_destroy(&p);
  free(data);
  free(row);
  free(axes);
}

static void test_plane(void **state) {
  (void)state;
  check_plane(9, 50);
  check_plane(50, 9);
  check_plane(20, 20);
}

/* Both Gram matrices know the same spectrum; its sum is the variance of all columns. */
static void test_spectrum(void **state) {
  (void)state;
  enum { ROWS = 12, COLUMNS = 30 };
  double data[ROWS * COLUMNS], turned[ROWS * COLUMNS], wide[ROWS], tall[ROWS], total = 0, sum = 0;
  fill(5, ROWS * COLUMNS, data);
  for (int c = 0; c < COLUMNS; c++) {
    double mean = 0;
    for (int r = 0; r < ROWS; r++) mean += data[r * COLUMNS + c] / ROWS;
    for (int r = 0; r < ROWS; r++) {
      double d = data[r * COLUMNS + c] - mean;
      total += d * d / (ROWS - 1);
    }
  }
  assert_int_equal(principal_spectrum(ROWS, COLUMNS, data, wide), STATUS_OK);
  for (int i = 0; i < ROWS; i++) sum += wide[i];
  assert_true(fabs(sum / total - 1) < 1e-13);
  assert_true(wide[ROWS - 1] < 1e-13 && wide[ROWS - 2] > 0.1);
  /* Columns that are all 0 but for one in each row. */
  memset(turned, 0, sizeof turned);
  for (int r = 0; r < COLUMNS; r++) turned[r * ROWS + r % ROWS] = r < ROWS ? 1 : -1;
  assert_int_equal(principal_spectrum(COLUMNS, ROWS, turned, tall), STATUS_OK);
  for (int i = 1; i < ROWS; i++) assert_true(tall[i - 1] >= tall[i] && tall[i] >= 0);
}

static void test_rank(void **state) {
  (void)state;
  assert_true(fabs(principal_rank(4, (double[]){3, 3, 3, 0}) - 3) < 1e-15);
  assert_true(fabs(principal_rank(2, (double[]){3, 1}) - 1.6) < 1e-15);
  assert_true(principal_rank(2, (double[]){0, 0}) == 0);
}

static void test_rows_that_are_all_the_same(void **state) {
  (void)state;
  const double data[] = {1, 2, 1, 2, 1, 2};
  Principal p;
  assert_int_equal(principal_create(3, 2, data, 2, &p), STATUS_OK);
  assert_int_equal(p.n, 0);
  assert_true(p.mean[0] == 1 && p.mean[1] == 2);
  principal_destroy(&p);
}

static void test_not_finite(void **state) {
  (void)state;
  double a[] = {1, NAN, NAN, 1}, values[2];
  assert_int_equal(linalg_eigen(2, true, a, values), STATUS_FAILED);
}

int main(void) {
  linalg_start();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gram),       cmocka_unit_test(test_eigenvalues_of_a_chain),
      cmocka_unit_test(test_plane),      cmocka_unit_test(test_spectrum),
      cmocka_unit_test(test_rank),       cmocka_unit_test(test_rows_that_are_all_the_same),
      cmocka_unit_test(test_not_finite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
