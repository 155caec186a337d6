/* Tensors whose rows are the items' own: their gradient, in whole and in part, beside a tensor that
 * all items have in common; its norm; and an optimiser that is told all of its gradient. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "core/optimizer.h"
#include "core/outer.h"
#include "core/random.h"

/* 7 items; theta has 5 dense elements, then [7][3] and [7][4] of the items' own, then [2][6] of
 * all.
 */
enum { ITEMS = 7, DENSE = 5, OWN = ITEMS * 3, MORE = ITEMS * 4, ALL = 2 * 6 };
enum { U_SIZE = 16, V_SIZE = 8, N = DENSE + OWN + MORE + ALL };

static const OuterTensor tensors[] = {
    {.offset = DENSE, .rows = ITEMS, .cols = 3, .u = 4, .own = true},
    {.offset = DENSE + OWN, .rows = ITEMS, .cols = 4, .u = 8, .own = true},
    {.offset = DENSE + OWN + MORE, .rows = 2, .cols = 6, .u = 1, .v = 2},
};

static real u[ITEMS * U_SIZE], v[ITEMS * V_SIZE];
static const OuterFactors factors = {u, v};

static void fill_factors(void) {
  for (size_t i = 0; i < sizeof u / sizeof *u; i++) {
    u[i] = (real)random_normal((RandomStream){1, RANDOM_CHECK, 0}, i, 0);
  }
  for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
    v[i] = (real)random_normal((RandomStream){2, RANDOM_CHECK, 0}, i, 0);
  }
}

/* By the definition, in double. */
static void plain_gradient(double gradient[N]) {
  memset(gradient, 0, N * sizeof *gradient);
  for (int i = 0; i < ITEMS; i++) {
    for (int c = 0; c < 3; c++) gradient[DENSE + i * 3 + c] = (double)u[i * U_SIZE + 4 + c];
    for (int c = 0; c < 4; c++) gradient[DENSE + OWN + i * 4 + c] = (double)u[i * U_SIZE + 8 + c];
    for (int e = 0; e < ALL; e++) {
      gradient[DENSE + OWN + MORE + e] +=
          (double)u[i * U_SIZE + 1 + e / 6] * (double)v[i * V_SIZE + 2 + e % 6];
    }
  }
}

static Outer outer_of(int n_tensors) {
  return (Outer){.n_tensors = n_tensors,
                 .tensors = tensors,
                 .u_size = U_SIZE,
                 .v_size = V_SIZE,
                 .items = ITEMS};
}

static void test_gradient_in_whole_and_in_part(void **state) {
  (void)state;
  const Outer outer = outer_of(3);
  double expected[N];
  fill_factors();
  plain_gradient(expected);
  assert_int_equal(outer_begin(&outer, N), DENSE);
  for (size_t first = DENSE; first < N; first++) {
    for (size_t count = 1; first + count <= N; count++) {
      real part[N + 1];
      part[count] = 77;
      outer_gradient(&outer, &factors, first, count, 0.5, part);
      for (size_t i = 0; i < count; i++) {
        assert_true(fabs((double)part[i] - 0.5 * expected[first + i]) < 1e-5);
      }
      assert_true(part[count] == 77);
    }
  }
}

static void test_norm(void **state) {
  (void)state;
  const Outer all = outer_of(3), own = outer_of(2);
  double expected[N], square = 0, sum = 0;
  real scratch[ITEMS * ITEMS];
  fill_factors();
  plain_gradient(expected);
  for (int i = DENSE; i < N; i++) square += expected[i] * expected[i];
  for (int chunk = 0; chunk < outer_chunks(&all); chunk++) {
    sum += outer_chunk_square(&all, &factors, chunk, scratch);
  }
  assert_true(fabs(sum / square - 1) < 1e-5);
  assert_int_equal(outer_scratch(&all), ITEMS * ITEMS);
  assert_int_equal(outer_scratch(&own), 0);
}

/* ---- Adam, which stores nothing of the gradient ---- */

enum { PARAMETERS = 1000 };

static real slope(const real *theta, size_t i) {
  return theta[i] - (real)(i % 10);
}

static Status bowl(void *context, const real *theta, double *loss, real *gradient) {
  real *told = context;
  for (size_t i = 0; i < PARAMETERS; i++) told[i] = slope(theta, i);
  if (gradient) memcpy(gradient, told, sizeof(real) * PARAMETERS);
  *loss = 1;
  return STATUS_OK;
}

static Status silent_bowl(void *context, const real *theta, double *loss, real *gradient) {
  (void)gradient;
  return bowl(context, theta, loss, NULL);
}

static void tell(void *context, size_t first, size_t count, real *gradient) {
  memcpy(gradient, (const real *)context + first, count * sizeof *gradient);
}

static void test_adam_that_stores_nothing(void **state) {
  (void)state;
  OptimizerSettings settings = OPTIMIZER_DEFAULTS;
  Optimizer *stores, *asks;
  real a[PARAMETERS] = {0}, b[PARAMETERS] = {0}, told[PARAMETERS];
  double loss;
  assert_int_equal(optimizer_create("adam", &settings, PARAMETERS, &stores), STATUS_OK);
  settings.stored = OPTIMIZER_STORES_NONE;
  assert_int_equal(optimizer_create("adam", &settings, PARAMETERS, &asks), STATUS_OK);
  optimizer_rest(asks, tell, told);
  for (int step = 0; step < 20; step++) {
    assert_int_equal(optimizer_step(stores, 0.1, a, bowl, told, &loss), STATUS_OK);
    assert_int_equal(optimizer_step(asks, 0.1, b, silent_bowl, told, &loss), STATUS_OK);
  }
  assert_memory_equal(a, b, sizeof a);
  assert_true(optimizer_bytes(asks) < optimizer_bytes(stores));
  optimizer_destroy(stores);
  optimizer_destroy(asks);
  assert_int_equal(optimizer_create("lbfgs", &settings, PARAMETERS, &asks), STATUS_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradient_in_whole_and_in_part),
      cmocka_unit_test(test_norm),
      cmocka_unit_test(test_adam_that_stores_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
