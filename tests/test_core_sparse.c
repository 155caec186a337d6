/* Sparse direct solver: against dense elimination, several right sides, permuted and unsymmetric
 * matrices, singular and not finite ones, memory that does not suffice. */
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/linalg.h"
#include "core/sparse.h"

static uint64_t state = 1;

static double uniform(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (double)(state >> 11) / (double)(1ull << 53) - 0.5;
}

static double complex random_complex(void) {
  double re = uniform();
  return re + I * uniform();
}

/* The entries of dense [n][n] that are not zero, and those on the diagonal. */
static SparseMatrix compress(int n, const double complex *dense) {
  SparseMatrix a;
  assert_int_equal(sparse_create(n, (int64_t)n * n, &a), STATUS_OK);
  int count = 0;
  for (int j = 0; j < n; j++) {
    for (int i = n - 1; i >= 0; i--) { /* rows in any order */
      if (dense[i * n + j] == 0 && i != j) continue;
      a.row[count] = i;
      a.value[count++] = dense[i * n + j];
    }
    a.start[j + 1] = count;
  }
  return a;
}

/* Gauss-Jordan with row pivots; destroys a, turns x into the solution. */
static void eliminate(int n, double complex *a, double complex *x) {
  for (int k = 0; k < n; k++) {
    int pivot = k;
    for (int i = k; i < n; i++) {
      if (cabs(a[i * n + k]) > cabs(a[pivot * n + k])) pivot = i;
    }
    for (int j = 0; j < n; j++) {
      double complex keep = a[k * n + j];
      a[k * n + j] = a[pivot * n + j];
      a[pivot * n + j] = keep;
    }
    double complex keep = x[k];
    x[k] = x[pivot];
    x[pivot] = keep;
    for (int i = 0; i < n; i++) {
      if (i == k) continue;
      double complex share = a[i * n + k] / a[k * n + k];
      for (int j = k; j < n; j++) a[i * n + j] -= share * a[k * n + j];
      x[i] -= share * x[k];
    }
  }
  for (int k = 0; k < n; k++) x[k] /= a[k * n + k];
}

enum { N = 60, RIGHT = 3 };

/* A sparse matrix with entries on the diagonal, symmetric in structure or not. */
static void draw(double complex *dense, double density, bool symmetric, double diagonal) {
  memset(dense, 0, N * N * sizeof *dense);
  for (int i = 0; i < N; i++) {
    dense[i * N + i] = diagonal * random_complex();
    for (int j = 0; j < i; j++) {
      bool there = uniform() + 0.5 < density;
      if (there) dense[i * N + j] = random_complex();
      if (symmetric ? there : uniform() + 0.5 < density) dense[j * N + i] = random_complex();
    }
  }
}

static void check_against_dense(double complex *dense) {
  double complex x[RIGHT * N], expected[RIGHT * N];
  for (int i = 0; i < RIGHT * N; i++) x[i] = expected[i] = random_complex();
  SparseMatrix a = compress(N, dense);
  SparseUse use;
  assert_int_equal(sparse_solve(&a, RIGHT, x, 0, &use), STATUS_OK);
  assert_true(use.entries >= a.start[N] && use.megabytes > 0 && use.residual < 1e-9);
  for (int r = 0; r < RIGHT; r++) {
    double complex copy[N * N];
    memcpy(copy, dense, sizeof copy);
    eliminate(N, copy, expected + r * N);
    for (int i = 0; i < N; i++) {
      double complex want = expected[r * N + i];
      assert_true(cabs(x[r * N + i] - want) < 1e-8 * (1 + cabs(want)));
    }
  }
  sparse_destroy(&a);
}

static void test_dense(void **context) {
  (void)context;
  double complex dense[N * N];
  for (int round = 0; round < 20; round++) {
    draw(dense, 0.02 * (round + 1), round % 2, 3);
    check_against_dense(dense);
  }
}

/* Zeros on the diagonal: pivots must leave it. */
static void test_pivots(void **context) {
  (void)context;
  double complex dense[N * N] = {0};
  for (int i = 0; i < N; i += 2) {
    dense[i * N + i + 1] = 1 + random_complex();
    dense[(i + 1) * N + i] = 1 + random_complex();
    if (i >= 2) dense[i * N + i - 2] = dense[(i - 2) * N + i] = 0.3 * random_complex();
  }
  check_against_dense(dense);
}

static void test_one(void **context) {
  (void)context;
  double complex dense = 2 * I, x = 4;
  SparseMatrix a = compress(1, &dense);
  assert_int_equal(sparse_solve(&a, 1, &x, 0, NULL), STATUS_OK);
  assert_true(cabs(x + 2 * I) < 1e-15);
  sparse_destroy(&a);
}

/* A right side of zeros has the solution zero, and no residual. */
static void test_zero(void **context) {
  (void)context;
  double complex dense[N * N], x[N] = {0};
  draw(dense, 0.1, true, 3);
  SparseMatrix a = compress(N, dense);
  SparseUse use;
  assert_int_equal(sparse_solve(&a, 1, x, 0, &use), STATUS_OK);
  for (int i = 0; i < N; i++) assert_true(x[i] == 0);
  assert_true(use.residual == 0);
  sparse_destroy(&a);
}

static void expect_failure(double complex *dense, double limit, const char *message) {
  double complex x[N];
  for (int i = 0; i < N; i++) x[i] = random_complex();
  SparseMatrix a = compress(N, dense);
  assert_int_equal(sparse_solve(&a, 1, x, limit, NULL), STATUS_FAILED);
  if (!strstr(status_message(), message)) fail_msg("message: %s", status_message());
  sparse_destroy(&a);
}

static void test_singular(void **context) {
  (void)context;
  double complex dense[N * N];
  draw(dense, 0.1, true, 3);
  for (int i = 0; i < N; i++) dense[i * N + 7] = 0; /* an empty column */
  expect_failure(dense, 0, "singular");
  draw(dense, 0.1, true, 3);
  for (int i = 0; i < N; i++) { /* rows 8 and 9 are equal up to rounding */
    dense[9 * N + i] = dense[8 * N + i] * (1 + 1e-16);
  }
  expect_failure(dense, 0, "singular");
}

static void test_no_diagonal(void **context) {
  (void)context;
  double complex dense[4] = {1, 0, 0, 1}, x[2] = {0};
  SparseMatrix a = compress(2, dense);
  a.row[1] = 0; /* the second column's only entry */
  assert_int_equal(sparse_solve(&a, 1, x, 0, NULL), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "column 1 of 2"));
  sparse_destroy(&a);
}

static void test_not_finite(void **context) {
  (void)context;
  double complex dense[N * N];
  draw(dense, 0.1, true, 3);
  dense[5 * N + 5] = NAN;
  expect_failure(dense, 0, "not finite");
  draw(dense, 0.1, true, 3);
  SparseMatrix a = compress(N, dense);
  double complex x[N] = {0};
  x[3] = INFINITY;
  assert_int_equal(sparse_solve(&a, 1, x, 0, NULL), STATUS_FAILED);
  sparse_destroy(&a);
}

static void test_memory(void **context) {
  (void)context;
  double complex dense[N * N];
  draw(dense, 0.3, true, 3);
  expect_failure(dense, 1000, "out of memory: the factors of 60 unknowns");
  SparseMatrix a;
  assert_int_equal(sparse_create(10, (int64_t)1 << 40, &a), STATUS_FAILED);
  assert_int_equal(sparse_create((int64_t)1 << 40, 10, &a), STATUS_FAILED);
  assert_int_equal(sparse_create(0, 0, &a), STATUS_FAILED);
  assert_null(a.start);
}

/* The count of entries, which guards memory: a grid's factors fit into what they need, and the same
 * system is refused with half of that. */
static void test_count(void **context) {
  (void)context;
  enum { SIDE = 60 };
  SparseMatrix a;
  assert_int_equal(sparse_create(SIDE * SIDE, 5 * SIDE * SIDE, &a), STATUS_OK);
  int count = 0;
  static const int steps[5][2] = {{-1, 0}, {0, -1}, {0, 0}, {0, 1}, {1, 0}};
  for (int j = 0; j < SIDE * SIDE; j++) {
    for (int s = 0; s < 5; s++) {
      int row = j / SIDE + steps[s][0], column = j % SIDE + steps[s][1];
      if (row < 0 || row >= SIDE || column < 0 || column >= SIDE) continue;
      a.row[count] = row * SIDE + column;
      a.value[count++] = s == 2 ? 4 + 0.1 * I : -1;
    }
    a.start[j + 1] = count;
  }
  double complex *x = calloc(SIDE * SIDE, sizeof *x);
  assert_non_null(x);
  x[SIDE * SIDE / 2] = 1;
  SparseUse use;
  assert_int_equal(sparse_solve(&a, 1, x, 0, &use), STATUS_OK);
  double bytes = 1e6 * use.megabytes;
  assert_int_equal(sparse_solve(&a, 1, x, 2 * bytes, NULL), STATUS_OK);
  assert_int_equal(sparse_solve(&a, 1, x, bytes / 2, NULL), STATUS_FAILED);
  free(x);
  sparse_destroy(&a);
}

int main(void) {
  linalg_start();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dense),       cmocka_unit_test(test_pivots),
      cmocka_unit_test(test_one),         cmocka_unit_test(test_zero),
      cmocka_unit_test(test_singular),    cmocka_unit_test(test_not_finite),
      cmocka_unit_test(test_no_diagonal), cmocka_unit_test(test_memory),
      cmocka_unit_test(test_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
