/* Radial functions in blocks: against their formula, and many centres the same bits as few at a
 * time. (Their derivatives are tested with all encodings in test_core_jet.c.) */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/jet.h"
#include "tests/network_fixture.h"

enum { ROWS = 5, CENTRES = 600, FEW = 7 };

static Network radial_network(int in, int centres) {
  NetworkSpec spec = fixture_spec(activation_find("sine"), encoding_find("rbf"), in, 1, 2, 0);
  spec.centres = centres;
  return fixture_network(spec);
}

static void as_the_formula(void **state) {
  (void)state;
  for (int in = 1; in <= NETWORK_MAX_IN; in++) {
    Network network = radial_network(in, CENTRES);
    real *theta = fixture_theta(&network, 3), *x = fixture_random((size_t)(ROWS * in), 4);
    real *h = malloc(ROWS * CENTRES * sizeof *h);
    const JetSpec value = {0};
    real *sigma = theta + in * CENTRES;
    for (int k = 0; k < CENTRES; k++) sigma[k] = (real)(0.3 + 0.01 * k);
    network.spec.encoding->forward(&network, &value, ROWS, theta, x, NULL, h);
    for (int i = 0; i < ROWS * CENTRES; i++) {
      double q = 0;
      for (int j = 0; j < in; j++) {
        double d = (double)x[i / CENTRES * in + j] - (double)theta[i % CENTRES * in + j];
        q += d * d;
      }
      double expected = exp(-pow((double)sigma[i % CENTRES] * q, 2));
      assert_float_equal(h[i], expected, REAL_IS_DOUBLE ? 1e-14 : 2e-6);
    }
    free(theta);
    free(x);
    free(h);
  }
}

static const JetSpec jets[] = {
    {.first = false},
    {.first = true},
    {.first = true, .n_second = 1, .second = {{JET_COLLAPSED, 0}}},
    {.first = true, .n_second = 3, .second = {{0, 0}, {0, 1}, {1, 1}}},
};

/* Columns first .. first + n of streams of CENTRES columns. */
static real *columns(const real *all, int streams, int first, int n) {
  real *some = malloc((size_t)(streams * ROWS * n) * sizeof *some);
  for (int r = 0; r < streams * ROWS; r++) {
    memcpy(some + r * n, all + r * CENTRES + first, (size_t)n * sizeof *some);
  }
  return some;
}

/* Takes the centres first .. first + n alone and expects what all of them gave. */
static void check_part(const JetSpec *jet, const real *theta, const real *x, const real *weights,
                       const real *h, const real *h_bar, const real *gradient, int first, int n) {
  const int in = 2;
  int streams = jet_streams(jet, in);
  Network part = radial_network(in, n);
  real *some = calloc(part.n_parameters, sizeof *some);
  real *result = calloc(part.n_parameters, sizeof *result);
  memcpy(some, theta + first * in, (size_t)(n * in) * sizeof *some);
  memcpy(some + n * in, theta + CENTRES * in + first, (size_t)n * sizeof *some);
  real *own = malloc((size_t)(streams * ROWS * n) * sizeof *own);
  real *expected = columns(h, streams, first, n), *bar = columns(h_bar, streams, first, n);
  part.spec.encoding->forward(&part, jet, ROWS, some, x, weights, own);
  assert_memory_equal(own, expected, (size_t)(streams * ROWS * n) * sizeof *own);
  part.spec.encoding->reverse(&part, jet, ROWS, some, x, weights, bar, result);
  assert_memory_equal(result, gradient + first * in, (size_t)(n * in) * sizeof *result);
  assert_memory_equal(result + n * in, gradient + CENTRES * in + first, (size_t)n * sizeof *result);
  free(some);
  free(result);
  free(own);
  free(expected);
  free(bar);
}

static void many_as_few_at_a_time(void **state) {
  (void)state;
  const int in = 2;
  Network network = radial_network(in, CENTRES);
  real *theta = fixture_theta(&network, 5), *x = fixture_random((size_t)(ROWS * in), 6);
  real *weights = fixture_random((size_t)(ROWS * in), 7);
  for (size_t i = 0; i < sizeof jets / sizeof *jets; i++) {
    size_t values = (size_t)(jet_streams(&jets[i], in) * ROWS * CENTRES);
    real *h = malloc(values * sizeof *h), *h_bar = fixture_random(values, 8);
    real *gradient = calloc(network.n_parameters, sizeof *gradient);
    network.spec.encoding->forward(&network, &jets[i], ROWS, theta, x, weights, h);
    network.spec.encoding->reverse(&network, &jets[i], ROWS, theta, x, weights, h_bar, gradient);
    for (int first = 0; first < CENTRES; first += FEW) {
      int n = CENTRES - first < FEW ? CENTRES - first : FEW;
      check_part(&jets[i], theta, x, weights, h, h_bar, gradient, first, n);
    }
    free(h);
    free(h_bar);
    free(gradient);
  }
  free(theta);
  free(x);
  free(weights);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(as_the_formula),
      cmocka_unit_test(many_as_few_at_a_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
