/* Properties of jets that need no stored values, for every activation and encoding of the tables.
 * What rests on differences is checked in double only. */
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

static const double rounding = REAL_IS_DOUBLE ? 1e-12 : 1e-5;

/* A network with a jet on some points. */
typedef struct {
  Network network;
  JetSpec spec;
  int rows;
  size_t stride, all; /* reals of one stream, of all */
  real *theta, *x, *weights;
  Jet *jet;
} Fixture;

static void setup(Fixture *f, NetworkSpec spec, JetSpec jet, int rows, bool reverse) {
  f->network = fixture_network(spec);
  f->spec = jet;
  f->rows = rows;
  f->stride = (size_t)rows * (size_t)spec.out;
  f->all = f->stride * (size_t)jet_streams(&jet, spec.in);
  f->theta = fixture_theta(&f->network, 3);
  f->x = fixture_points(&f->network, f->theta, rows, 5);
  f->weights = fixture_random((size_t)(rows * spec.in), 7);
  assert_int_equal(jet_create(&f->network, &jet, rows, reverse, &f->jet), STATUS_OK);
}

static void teardown(Fixture *f) {
  jet_destroy(f->jet);
  free(f->theta);
  free(f->x);
  free(f->weights);
}

static real *copy(const real *from, size_t n) {
  real *to = malloc(n * sizeof *to);
  assert_non_null(to);
  memcpy(to, from, n * sizeof *to);
  return to;
}

static double largest(const real *a, size_t n) {
  double most = 0;
  for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)a[i]));
  return most;
}

static void assert_near(const real *a, const real *b, size_t n, double tolerance) {
  double scale = largest(b, n);
  for (size_t i = 0; i < n; i++) {
    double error = fabs((double)a[i] - (double)b[i]);
    if (!(error <= tolerance * scale)) fail_msg("element %zu: off by %g of %g", i, error, scale);
  }
}

static void assert_same_bits(const real *a, const real *b, size_t n) {
  assert_memory_equal(a, b, n * sizeof *a);
}

/* Value, all first, the collapsed operator, all d2/dx_i dx_j with i <= j. */
static JetSpec everything(int in) {
  JetSpec spec = {.first = true, .n_second = 1, .second = {{JET_COLLAPSED, JET_COLLAPSED}}};
  for (int i = 0; i < in; i++) {
    for (int j = i; j < in; j++) spec.second[spec.n_second++] = (JetSecond){i, j};
  }
  return spec;
}

static int stream_of(const JetSpec *spec, int in, int i, int j) {
  for (int s = 0; s < spec->n_second; s++) {
    if (spec->second[s].i == i && spec->second[s].j == j) return 1 + in + s;
  }
  fail_msg("no stream %d %d", i, j);
  return 0;
}

typedef void (*Check)(NetworkSpec spec, const char *name);

/* Every activation with every encoding. */
static void for_all_kinds(Check check, int in, int out) {
  int n_activations, n_encodings;
  const Activation *activations = activation_table(&n_activations);
  const Encoding *encodings = encoding_table(&n_encodings);
  assert_true(n_activations >= 8);
  assert_true(n_encodings >= 3);
  for (int a = 0; a < n_activations; a++) {
    for (int e = 0; e < n_encodings; e++) {
      char name[64];
      snprintf(name, sizeof name, "%s with encoding %s", activations[a].name, encodings[e].name);
      check(fixture_spec(&activations[a], &encodings[e], in, out, 5, 1), name);
    }
  }
}

static NetworkSpec siren(int in, int out, int width, int layers) {
  return fixture_spec(activation_find("sine"), encoding_find("none"), in, out, width, layers);
}

/* ---- Forward ---- */

static void check_values(NetworkSpec spec, const char *name) {
  Fixture f;
  setup(&f, spec, (JetSpec){0}, 7, false);
  const real *y = jet_forward(f.jet, f.theta, f.x, NULL);
  for (int r = 0; r < f.rows; r++) {
    double wanted[4];
    fixture_plain(&f.network, f.theta, f.x + r * spec.in, wanted);
    for (int c = 0; c < spec.out; c++) {
      double error = fabs((double)y[r * spec.out + c] - wanted[c]);
      if (!(error <= rounding * (1 + fabs(wanted[c])))) fail_msg("%s: off by %g", name, error);
    }
  }
  teardown(&f);
}

static void values_are_those_of_plain_loops(void **state) {
  (void)state;
  for_all_kinds(check_values, 2, 3);
  check_values(siren(1, 1, 600, 1), "wide");
  check_values(siren(4, 2, 3, 5), "deep");
}

/* The value stream is the same number whatever else the jet carries. */
static void values_do_not_depend_on_the_derivatives_asked_for(void **state) {
  (void)state;
  Fixture plain, full;
  setup(&plain, siren(3, 2, 21, 2), (JetSpec){0}, 6, false);
  setup(&full, siren(3, 2, 21, 2), everything(3), 6, true);
  const real *a = jet_forward(plain.jet, plain.theta, plain.x, NULL);
  const real *b = jet_forward(full.jet, full.theta, full.x, full.weights);
  assert_near(a, b, plain.stride, rounding);
  teardown(&plain);
  teardown(&full);
}

static void check_trace(NetworkSpec spec, const char *name) {
  Fixture f;
  setup(&f, spec, everything(spec.in), 5, false);
  for (int weighted = 0; weighted < 2; weighted++) {
    const real *y = jet_forward(f.jet, f.theta, f.x, weighted ? f.weights : NULL);
    const real *collapsed = y + (size_t)(1 + spec.in) * f.stride;
    for (size_t k = 0; k < f.stride; k++) {
      double sum = 0, scale = 0;
      for (int i = 0; i < spec.in; i++) {
        size_t row = k / (size_t)spec.out;
        double w = weighted ? (double)f.weights[row * (size_t)spec.in + (size_t)i] : 1;
        double d = (double)y[(size_t)stream_of(&f.spec, spec.in, i, i) * f.stride + k];
        sum += w * d;
        scale += fabs(w * d);
      }
      double size = fmax(scale, largest(collapsed, f.stride));
      if (!(fabs(sum - (double)collapsed[k]) <= 10 * rounding * size)) fail_msg("%s", name);
    }
  }
  teardown(&f);
}

static void collapsed_operator_is_the_weighted_trace_of_the_hessian(void **state) {
  (void)state;
  for_all_kinds(check_trace, 3, 2);
  check_trace(siren(2, 1, 530, 0), "wide");
}

static void mixed_derivatives_commute(void **state) {
  (void)state;
  JetSpec spec = {.first = true, .n_second = 2, .second = {{0, 2}, {2, 0}}};
  Fixture f;
  setup(&f, siren(3, 1, 12, 1), spec, 5, false);
  const real *y = jet_forward(f.jet, f.theta, f.x, NULL);
  assert_near(y + 4 * f.stride, y + 5 * f.stride, f.stride, rounding);
  teardown(&f);
}

/* Stream `of` of the jet differentiated along x_i by a fourth-order central difference. */
static void differentiate(Fixture *f, int of, int i, double *d) {
  static const double offsets[] = {-2, -1, 1, 2}, factors[] = {1, -8, 8, -1};
  const double h = 1e-3;
  int in = f->network.spec.in;
  real *x = copy(f->x, (size_t)(f->rows * in));
  memset(d, 0, f->stride * sizeof *d);
  for (int k = 0; k < 4; k++) {
    for (int r = 0; r < f->rows; r++) {
      x[r * in + i] = (real)((double)f->x[r * in + i] + offsets[k] * h);
    }
    const real *y = jet_forward(f->jet, f->theta, x, NULL) + (size_t)of * f->stride;
    for (size_t m = 0; m < f->stride; m++) d[m] += factors[k] * (double)y[m] / (12 * h);
  }
  free(x);
}

static void check_stream(Fixture *f, int stream, int of, int i, const char *name) {
  double *d = malloc(f->stride * sizeof *d);
  assert_non_null(d);
  differentiate(f, of, i, d);
  const real *y = jet_forward(f->jet, f->theta, f->x, NULL);
  double scale = 1 + largest(y + (size_t)stream * f->stride, f->stride);
  for (size_t m = 0; m < f->stride; m++) {
    double error = fabs(d[m] - (double)y[(size_t)stream * f->stride + m]);
    if (!(error <= 1e-8 * scale)) fail_msg("%s, stream %d: off by %g", name, stream, error);
  }
  free(d);
}

static void check_differences(NetworkSpec spec, const char *name) {
  Fixture f;
  setup(&f, spec, everything(spec.in), 5, false);
  for (int i = 0; i < spec.in; i++) {
    check_stream(&f, 1 + i, 0, i, name);
    for (int j = i; j < spec.in; j++) {
      check_stream(&f, stream_of(&f.spec, spec.in, i, j), 1 + i, j, name);
    }
  }
  teardown(&f);
}

static void derivatives_are_those_of_differences(void **state) {
  (void)state;
  if (!REAL_IS_DOUBLE) skip();
  for_all_kinds(check_differences, 3, 2);
  check_differences(siren(1, 2, 7, 2), "1 coordinate");
  check_differences(siren(2, 1, 530, 0), "wide");
}

static void forward_only_jets_give_the_same_bits(void **state) {
  (void)state;
  Fixture forward, both;
  setup(&forward, siren(2, 3, 19, 4), everything(2), 9, false);
  setup(&both, siren(2, 3, 19, 4), everything(2), 9, true);
  const real *a = jet_forward(forward.jet, forward.theta, forward.x, forward.weights);
  const real *b = jet_forward(both.jet, both.theta, both.x, both.weights);
  assert_same_bits(a, b, forward.all);
  assert_true(jet_bytes(&both.network, &both.spec, 9, true) >
              jet_bytes(&both.network, &both.spec, 9, false));
  teardown(&forward);
  teardown(&both);
}

/* A row's bits depend on its own coordinates and place alone, not on its neighbours. */
static void a_row_does_not_depend_on_its_neighbours(void **state) {
  (void)state;
  enum { ROWS = 13, SLOT = 6 };
  Fixture f;
  setup(&f, siren(2, 3, 33, 2), everything(2), ROWS, false);
  real *before = copy(jet_forward(f.jet, f.theta, f.x, NULL), f.all);
  real *x = fixture_random(2 * ROWS, 99);
  memcpy(x + 2 * SLOT, f.x + 2 * SLOT, 2 * sizeof *x);
  const real *after = jet_forward(f.jet, f.theta, x, NULL);
  for (int s = 0; s < jet_streams(&f.spec, 2); s++) {
    size_t at = (size_t)s * f.stride + 3 * SLOT;
    assert_same_bits(before + at, after + at, 3);
  }
  assert_true(memcmp(before, after, 3 * sizeof *before) != 0);
  free(before);
  free(x);
  teardown(&f);
}

/* ---- Reverse ---- */

/* L = sum over the streams from..to of c y + y^2 / 2 with random c; y_bar gets dL/dy. */
static double loss(const Fixture *f, int from, int to, const real *c, const real *y, real *y_bar) {
  double sum = 0;
  if (y_bar) memset(y_bar, 0, f->all * sizeof *y_bar);
  for (size_t k = (size_t)from * f->stride; k < (size_t)to * f->stride; k++) {
    sum += (double)c[k] * (double)y[k] + 0.5 * (double)y[k] * (double)y[k];
    if (y_bar) y_bar[k] = c[k] + y[k];
  }
  return sum;
}

/* Fourth-order central difference of L along one parameter. */
static double loss_slope(Fixture *f, int from, int to, const real *c, size_t parameter) {
  static const double offsets[] = {-2, -1, 1, 2}, factors[] = {1, -8, 8, -1};
  const double h = 1e-3;
  real saved = f->theta[parameter];
  double slope = 0;
  for (int k = 0; k < 4; k++) {
    f->theta[parameter] = (real)((double)saved + offsets[k] * h);
    const real *y = jet_forward(f->jet, f->theta, f->x, f->weights);
    slope += factors[k] * loss(f, from, to, c, y, NULL) / (12 * h);
  }
  f->theta[parameter] = saved;
  return slope;
}

static void check_gradient(Fixture *f, int from, int to, const char *name) {
  real *c = fixture_random(f->all, 21), *y_bar = malloc(f->all * sizeof *y_bar);
  real *gradient = malloc(f->network.n_parameters * sizeof *gradient);
  const real *y = jet_forward(f->jet, f->theta, f->x, f->weights);
  loss(f, from, to, c, y, y_bar);
  jet_reverse(f->jet, f->theta, f->x, f->weights, y_bar, gradient, false);
  double floor = 1e-2 * largest(gradient, f->network.n_parameters);
  for (int t = 0; t < f->network.n_tensors; t++) {
    const Tensor *tensor = &f->network.tensors[t];
    size_t n = (size_t)tensor->rows * (size_t)tensor->cols;
    double scale = fmax(largest(gradient + tensor->offset, n), floor);
    for (size_t k = tensor->offset; k < tensor->offset + n; k++) {
      double error = fabs(loss_slope(f, from, to, c, k) - (double)gradient[k]);
      if (!(error <= 1e-7 * scale + 1e-10)) {
        fail_msg("%s, streams %d to %d, %s: off by %g of %g", name, from, to, tensor->name, error,
                 scale);
      }
    }
  }
  free(c);
  free(y_bar);
  free(gradient);
}

static void check_gradients(NetworkSpec spec, const char *name) {
  Fixture f;
  setup(&f, spec, everything(spec.in), 4, true);
  int streams = jet_streams(&f.spec, spec.in), hessian = 2 + spec.in;
  check_gradient(&f, 0, 1, name);                     /* values */
  check_gradient(&f, 1, 1 + spec.in, name);           /* gradients */
  check_gradient(&f, 1 + spec.in, hessian, name);     /* the collapsed operator */
  check_gradient(&f, hessian, streams, name);         /* Hessian entries */
  check_gradient(&f, hessian + 1, hessian + 2, name); /* a mixed derivative (or none, for 1-D) */
  check_gradient(&f, 0, streams, name);
  teardown(&f);
}

static void parameter_gradients_are_those_of_differences(void **state) {
  (void)state;
  if (!REAL_IS_DOUBLE) skip();
  for_all_kinds(check_gradients, 2, 2);
  check_gradients(siren(3, 1, 4, 2), "3 coordinates");
  check_gradients(siren(3, 3, 6, 0), "no hidden layer");
}

/* The same gradient from a jet that carries only the streams needed. */
static void streams_with_zero_adjoint_add_nothing(void **state) {
  (void)state;
  Fixture small, large;
  setup(&small, siren(2, 2, 14, 1), (JetSpec){.first = true}, 6, true);
  setup(&large, siren(2, 2, 14, 1), everything(2), 6, true);
  size_t n = small.network.n_parameters;
  real *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);
  real *y_bar = calloc(large.all, sizeof *y_bar), *c = fixture_random(small.all, 4);
  memcpy(y_bar, c, small.all * sizeof *c);
  jet_forward(small.jet, small.theta, small.x, NULL);
  jet_reverse(small.jet, small.theta, small.x, NULL, y_bar, a, false);
  jet_forward(large.jet, large.theta, large.x, NULL);
  jet_reverse(large.jet, large.theta, large.x, NULL, y_bar, b, false);
  assert_near(a, b, n, rounding);
  free(a);
  free(b);
  free(c);
  free(y_bar);
  teardown(&small);
  teardown(&large);
}

static void check_accumulation(NetworkSpec spec, const char *name) {
  (void)name;
  Fixture f;
  setup(&f, spec, everything(spec.in), 5, true);
  size_t n = f.network.n_parameters;
  real *y_bar = fixture_random(f.all, 8), *base = fixture_random(n, 9);
  real *stored = copy(base, n), *again = calloc(n, sizeof *again), *added = copy(base, n);
  jet_forward(f.jet, f.theta, f.x, f.weights);
  jet_reverse(f.jet, f.theta, f.x, f.weights, y_bar, stored, false);
  jet_forward(f.jet, f.theta, f.x, f.weights);
  jet_reverse(f.jet, f.theta, f.x, f.weights, y_bar, again, false);
  assert_same_bits(stored, again, n); /* nothing of the old contents is left */
  jet_forward(f.jet, f.theta, f.x, f.weights);
  jet_reverse(f.jet, f.theta, f.x, f.weights, y_bar, added, true);
  for (size_t i = 0; i < n; i++) stored[i] += base[i];
  assert_near(added, stored, n, rounding);
  free(y_bar);
  free(base);
  free(stored);
  free(again);
  free(added);
  teardown(&f);
}

static void accumulate_adds_and_otherwise_overwrites(void **state) {
  (void)state;
  for_all_kinds(check_accumulation, 2, 1);
}

/* Rows that fill up a block, with zero adjoints, leave the gradient as it is without them. */
static void rows_with_zero_adjoint_add_nothing(void **state) {
  (void)state;
  enum { FEW = 5, MANY = 16, OUT = 2 };
  Fixture few, many;
  setup(&few, siren(2, OUT, 11, 1), (JetSpec){.first = true}, FEW, true);
  setup(&many, siren(2, OUT, 11, 1), (JetSpec){.first = true}, MANY, true);
  memcpy(many.x, few.x, FEW * 2 * sizeof(real));
  size_t n = few.network.n_parameters;
  real *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);
  real *small = fixture_random(few.all, 6), *large = calloc(many.all, sizeof *large);
  for (int s = 0; s < 3; s++) {
    memcpy(large + s * MANY * OUT, small + s * FEW * OUT, FEW * OUT * sizeof *small);
  }
  jet_forward(few.jet, few.theta, few.x, NULL);
  jet_reverse(few.jet, few.theta, few.x, NULL, small, a, false);
  jet_forward(many.jet, many.theta, many.x, NULL);
  jet_reverse(many.jet, many.theta, many.x, NULL, large, b, false);
  assert_near(a, b, n, rounding);
  free(a);
  free(b);
  free(small);
  free(large);
  teardown(&few);
  teardown(&many);
}

static void streams_and_operations_are_counted(void **state) {
  (void)state;
  JetSpec none = {0}, first = {.first = true}, full = everything(2);
  assert_int_equal(jet_streams(&none, 3), 1);
  assert_int_equal(jet_streams(&first, 3), 4);
  assert_int_equal(jet_streams(&full, 2), 7);
  Network network = fixture_network(siren(2, 1, 256, 3));
  double weights = 2 * 256 + 3 * 256 * 256 + 256;
  assert_true(jet_flops(&network, &none) == 6 * weights);
  first.scheme = JET_STREAMS;
  assert_true(jet_flops(&network, &first) == 18 * weights);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_those_of_plain_loops),
      cmocka_unit_test(values_do_not_depend_on_the_derivatives_asked_for),
      cmocka_unit_test(collapsed_operator_is_the_weighted_trace_of_the_hessian),
      cmocka_unit_test(mixed_derivatives_commute),
      cmocka_unit_test(derivatives_are_those_of_differences),
      cmocka_unit_test(forward_only_jets_give_the_same_bits),
      cmocka_unit_test(a_row_does_not_depend_on_its_neighbours),
      cmocka_unit_test(parameter_gradients_are_those_of_differences),
      cmocka_unit_test(streams_with_zero_adjoint_add_nothing),
      cmocka_unit_test(accumulate_adds_and_otherwise_overwrites),
      cmocka_unit_test(rows_with_zero_adjoint_add_nothing),
      cmocka_unit_test(streams_and_operations_are_counted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
