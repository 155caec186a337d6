/* The two ways to a gradient, forward streams and the reverse sweep, give the same jets and the
 * same parameter gradients, for every activation and encoding; the cheaper one is taken. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/jet.h"
#include "tests/network_fixture.h"

enum { ROWS = 9 };
static const double rounding = REAL_IS_DOUBLE ? 1e-12 : 2e-5;

static void assert_near(const char *what, const real *a, const real *b, size_t n) {
  double scale = 0;
  for (size_t i = 0; i < n; i++) scale = fmax(scale, fabs((double)b[i]));
  for (size_t i = 0; i < n; i++) {
    double error = fabs((double)a[i] - (double)b[i]);
    if (!(error <= rounding * scale))
      fail_msg("%s: element %zu off by %g of %g", what, i, error, scale);
  }
}

/* Jets y and, twice added up, the parameters' gradient for the adjoint y_bar. */
static void run(const Network *network, JetScheme scheme, const real *theta, const real *x,
                const real *y_bar, real *y, real *gradient) {
  const JetSpec spec = {.first = true, .scheme = scheme};
  size_t n = (size_t)jet_streams(&spec, network->spec.in) * ROWS * (size_t)network->spec.out;
  Jet *jet;
  assert_int_equal(jet_create(network, &spec, ROWS, true, &jet), STATUS_OK);
  for (int pass = 0; pass < 2; pass++) {
    memcpy(y, jet_forward(jet, theta, x, NULL), n * sizeof *y);
    jet_reverse(jet, theta, x, NULL, y_bar, gradient, pass == 1);
  }
  jet_destroy(jet);
}

static void compare(NetworkSpec spec, const char *name) {
  Network network = fixture_network(spec);
  real *theta = fixture_theta(&network, 3), *x = fixture_points(&network, theta, ROWS, 5);
  size_t n = (size_t)(1 + spec.in) * ROWS * (size_t)spec.out, p = network.n_parameters;
  real *y_bar = fixture_random(n, 11);
  real *y[2] = {malloc(n * sizeof(real)), malloc(n * sizeof(real))};
  real *gradient[2] = {malloc(p * sizeof(real)), malloc(p * sizeof(real))};
  run(&network, JET_STREAMS, theta, x, y_bar, y[0], gradient[0]);
  run(&network, JET_ADJOINT, theta, x, y_bar, y[1], gradient[1]);
  assert_near(name, y[1], y[0], n);
  for (int t = 0; t < network.n_tensors; t++) {
    const Tensor *tensor = &network.tensors[t];
    assert_near(name, gradient[1] + tensor->offset, gradient[0] + tensor->offset,
                (size_t)tensor->rows * (size_t)tensor->cols);
  }
  for (int i = 0; i < 2; i++) free(y[i]), free(gradient[i]);
  free(theta), free(x), free(y_bar);
}

static void both_schemes_agree(void **state) {
  (void)state;
  int n_activations, n_encodings;
  const Activation *activations = activation_table(&n_activations);
  const Encoding *encodings = encoding_table(&n_encodings);
  for (int a = 0; a < n_activations; a++) {
    for (int e = 0; e < n_encodings; e++) {
      for (int in = 1; in <= NETWORK_MAX_IN; in++) {
        for (int out = 1; out <= 3; out++) {
          char name[96];
          snprintf(name, sizeof name, "%s, encoding %s, %d to %d", activations[a].name,
                   encodings[e].name, in, out);
          compare(fixture_spec(&activations[a], &encodings[e], in, out, 13, (in + out) % 3), name);
        }
      }
    }
  }
}

static void wide_layers_agree(void **state) {
  (void)state;
  compare(fixture_spec(activation_find("sine"), encoding_find("none"), 3, 1, 530, 1), "530 wide");
}

static void the_cheaper_scheme_is_taken(void **state) {
  (void)state;
  static const struct {
    int in, out, passes;
  } cases[] = {{3, 1, 2}, {2, 1, 2}, {1, 1, 2}, {2, 3, 3}, {3, 3, 4}, {3, 2, 3}, {4, 2, 3}};
  const JetSpec first = {.first = true}, none = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Network network = fixture_network(fixture_spec(activation_find("sine"), encoding_find("none"),
                                                   cases[i].in, cases[i].out, 8, 1));
    assert_int_equal(jet_passes(&network, &first), cases[i].passes);
    assert_int_equal(jet_passes(&network, &none), 1);
    assert_true(jet_flops(&network, &first) == cases[i].passes * jet_flops(&network, &none));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_schemes_agree),
      cmocka_unit_test(wide_layers_agree),
      cmocka_unit_test(the_cheaper_scheme_is_taken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
