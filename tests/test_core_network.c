/* Networks: layout, parameter counts of the paper's experiments, and the statistics of the
 * initialisation and of what it does to the activations. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/encoding.h"
#include "core/network.h"
#include "tests/network_fixture.h"

/* The paper's SIREN. */
static NetworkSpec paper(int in, int width, int layers, int out) {
  NetworkSpec spec =
      fixture_spec(activation_find("sine"), encoding_find("none"), in, out, width, layers);
  spec.omega_first = spec.omega_hidden = 30;
  return spec;
}

static NetworkSpec with(NetworkSpec spec, const char *activation, const char *encoding) {
  spec.activation = activation_find(activation);
  spec.encoding = encoding_find(encoding);
  assert_non_null(spec.activation);
  assert_non_null(spec.encoding);
  return spec;
}

static size_t size_of(const Tensor *tensor) {
  return (size_t)tensor->rows * (size_t)tensor->cols;
}

static const Tensor *tensor_named(const Network *network, const char *name) {
  for (int t = 0; t < network->n_tensors; t++) {
    if (!strcmp(network->tensors[t].name, name)) return &network->tensors[t];
  }
  fail_msg("no tensor %s", name);
  return NULL;
}

/* ---- Layout ---- */

static void parameters_are_as_many_as_the_paper_has(void **state) {
  (void)state;
  NetworkSpec encoded = with(paper(2, 256, 3, 1), "relu", "positional"), radial = encoded;
  NetworkSpec encoded_7 = encoded, encoded_6 = encoded;
  encoded_7.frequencies = encoding_frequencies(2, 512);
  encoded_6.frequencies = encoding_frequencies(2, 256);
  radial.encoding = encoding_find("rbf");
  radial.centres = 1024;
  const struct {
    NetworkSpec spec;
    size_t parameters;
  } cases[] = {
      {paper(2, 256, 3, 1), 198401},   /* image */
      {paper(2, 256, 3, 3), 198915},   /* RGB image */
      {paper(1, 256, 3, 1), 198145},   /* audio */
      {paper(3, 256, 3, 1), 198657},   /* signed distance */
      {paper(3, 1024, 3, 1), 3153921}, /* signed distance, room */
      {paper(3, 1024, 3, 3), 3155971}, /* video */
      {paper(2, 256, 3, 2), 198658},   /* Helmholtz */
      {paper(2, 256, 3, 11), 200971},  /* full-waveform inversion */
      {paper(3, 512, 3, 1), 790529},   /* wave */
      {with(paper(2, 20, 8, 2), "tanh", "none"), 3462},
      {encoded_7, 205569},
      {encoded_6, 204545},
      {radial, 1024 * 2 + 1024 + 1024 * 256 + 256 + 3 * (256 * 256 + 256) + 256 + 1},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    assert_int_equal(fixture_network(cases[k].spec).n_parameters, cases[k].parameters);
  }
}

static void frequencies_follow_the_nyquist_rule(void **state) {
  (void)state;
  assert_int_equal(encoding_frequencies(3, 64), 10);
  assert_int_equal(encoding_frequencies(2, 512), 7);
  assert_int_equal(encoding_frequencies(2, 511), 6);
  assert_int_equal(encoding_frequencies(2, 256), 6);
  assert_int_equal(encoding_frequencies(1, 308207), 16);
  assert_int_equal(encoding_frequencies(1, 537936), 17);
  assert_int_equal(encoding_frequencies(2, 4), 0);
  assert_int_equal(encoding_frequencies(2, 1), 0);
}

static void check_cover(const Network *network) {
  int *owners = calloc(network->n_parameters, sizeof *owners);
  size_t next = 0;
  for (int t = 0; t < network->n_tensors; t++) {
    const Tensor *tensor = &network->tensors[t];
    assert_int_equal(tensor->offset, next); /* in the order of theta */
    next += size_of(tensor);
    assert_true(next <= network->n_parameters);
    for (size_t i = tensor->offset; i < next; i++) owners[i]++;
    for (int s = 0; s < t; s++) assert_string_not_equal(network->tensors[s].name, tensor->name);
  }
  for (size_t i = 0; i < network->n_parameters; i++) assert_int_equal(owners[i], 1);
  free(owners);
}

static void check_linear(const Network *network, int l, int in, int out, double omega) {
  char name[2][24];
  snprintf(name[0], sizeof *name, "layer%d/weight", l);
  snprintf(name[1], sizeof *name, "layer%d/bias", l);
  const Tensor *weight = tensor_named(network, name[0]), *bias = tensor_named(network, name[1]);
  const Linear *linear = &network->linear[l];
  assert_int_equal(weight->rows, out);
  assert_int_equal(weight->cols, in);
  assert_int_equal(size_of(bias), (size_t)out);
  assert_int_equal(linear->in, in);
  assert_int_equal(linear->out, out);
  assert_int_equal(linear->weight, weight->offset);
  assert_int_equal(linear->bias, bias->offset);
  assert_true(linear->omega == omega);
}

static void tensors_cover_theta_once(void **state) {
  (void)state;
  int n_encodings, n_activations;
  const Encoding *encodings = encoding_table(&n_encodings);
  const Activation *activations = activation_table(&n_activations);
  for (int e = 0; e < n_encodings; e++) {
    for (int a = 0; a < n_activations; a++) {
      Network network = fixture_network(fixture_spec(&activations[a], &encodings[e], 3, 2, 7, 1));
      bool scaled = activations[a].has_omega;
      check_cover(&network);
      assert_int_equal(network.n_linear, 3);
      assert_int_equal(network.features, encodings[e].features(&network.spec));
      check_linear(&network, 0, network.features, 7, scaled ? network.spec.omega_first : 1);
      check_linear(&network, 1, 7, 7, scaled ? network.spec.omega_hidden : 1);
      check_linear(&network, 2, 7, 2, 1);
    }
  }
}

static void tables_are_found_by_name(void **state) {
  (void)state;
  int n_encodings, n_activations;
  const Encoding *encodings = encoding_table(&n_encodings);
  const Activation *activations = activation_table(&n_activations);
  for (int a = 0; a < n_activations; a++) {
    assert_ptr_equal(activation_find(activations[a].name), &activations[a]);
  }
  for (int e = 0; e < n_encodings; e++) {
    assert_ptr_equal(encoding_find(encodings[e].name), &encodings[e]);
  }
  assert_null(activation_find("cosine"));
  assert_null(encoding_find(""));
}

/* ---- Errors ---- */

static void assert_refused(NetworkSpec spec, const char *key) {
  Network network;
  if (network_create(&spec, &network) != STATUS_USAGE) fail_msg("%s out of range is taken", key);
  if (!strstr(status_message(), key)) fail_msg("'%s' does not name %s", status_message(), key);
}

static void specs_out_of_range_are_refused(void **state) {
  (void)state;
#define REFUSED(field, wrong, key)        \
  do {                                    \
    NetworkSpec spec = paper(2, 8, 1, 1); \
    spec.field = wrong;                   \
    assert_refused(spec, key);            \
  } while (0)
  REFUSED(in, 0, "coordinates");
  REFUSED(in, NETWORK_MAX_IN + 1, "coordinates");
  REFUSED(out, 0, "channels");
  REFUSED(width, 0, "width");
  REFUSED(layers, -1, "layers");
  REFUSED(layers, NETWORK_MAX_LINEAR - 1, "layers");
  REFUSED(omega_first, 0, "omega_first");
  REFUSED(omega_hidden, -30, "omega_hidden");
  REFUSED(omega_first, NAN, "omega_first");
  REFUSED(weight_init, "best", "weight_init");
  REFUSED(bias_init, "", "bias_init");
#undef REFUSED
}

static void encodings_out_of_range_are_refused(void **state) {
  (void)state;
  NetworkSpec positional = with(paper(4, 8, 1, 1), "relu", "positional");
  positional.frequencies = -1;
  assert_refused(positional, "frequencies");
  positional.frequencies = 1000;
  assert_refused(positional, "frequencies");
  NetworkSpec radial = with(paper(2, 8, 1, 1), "relu", "rbf");
  radial.centres = 0;
  assert_refused(radial, "centres");
}

/* ---- Initialisation ---- */

typedef struct {
  double mean, std, largest, kurtosis;
} Moments;

static Moments moments(const real *x, size_t n) {
  Moments m = {0};
  double second = 0, fourth = 0;
  for (size_t i = 0; i < n; i++) m.mean += (double)x[i] / (double)n;
  for (size_t i = 0; i < n; i++) {
    double d = (double)x[i] - m.mean;
    second += d * d / (double)n;
    fourth += d * d * d * d / (double)n;
    m.largest = fmax(m.largest, fabs((double)x[i]));
  }
  m.std = sqrt(second);
  m.kurtosis = fourth / (second * second);
  return m;
}

/* Four standard errors of the estimates from n numbers. */
static void assert_uniform(const char *what, const real *x, size_t n, double bound) {
  Moments m = moments(x, n);
  double error = 4 / sqrt((double)n), std = bound / sqrt(3);
  bool good = fabs(m.mean) < error * std && fabs(m.std / std - 1) < 0.5 * error &&
              m.largest <= bound * (1 + 1e-6) && m.largest > bound * (1 - 10 / (double)n) &&
              fabs(m.kurtosis - 1.8) < error * 2;
  if (!good) {
    fail_msg("%s: mean %g std %g largest %g kurtosis %g, but uniform in +-%g is wanted", what,
             m.mean, m.std, m.largest, m.kurtosis, bound);
  }
}

static void assert_normal(const char *what, const real *x, size_t n, double std) {
  Moments m = moments(x, n);
  double error = 4 / sqrt((double)n);
  bool good = fabs(m.mean) < error * std && fabs(m.std / std - 1) < error / sqrt(2) &&
              fabs(m.kurtosis - 3) < error * sqrt(24);
  if (!good) {
    fail_msg("%s: mean %g std %g kurtosis %g, but normal with std %g is wanted", what, m.mean,
             m.std, m.kurtosis, std);
  }
}

typedef struct {
  Network network;
  real *theta;
} Drawn;

static Drawn drawn(NetworkSpec spec, uint64_t seed) {
  Network network = fixture_network(spec);
  return (Drawn){network, fixture_theta(&network, seed)};
}

typedef void (*AssertDrawn)(const char *what, const real *x, size_t n, double scale);

static void check_weight(const Drawn *d, int l, AssertDrawn assert_drawn, double scale) {
  const Linear *linear = &d->network.linear[l];
  char what[64];
  snprintf(what, sizeof what, "%s, weight of layer %d", d->network.spec.activation->name, l);
  assert_drawn(what, d->theta + linear->weight, (size_t)linear->in * (size_t)linear->out, scale);
}

static void check_bias(const Drawn *d, int l, double bound) {
  const Linear *linear = &d->network.linear[l];
  char what[64];
  snprintf(what, sizeof what, "%s, bias of layer %d", d->network.spec.activation->name, l);
  assert_uniform(what, d->theta + linear->bias, (size_t)linear->out, bound);
}

static void sine_weights_follow_the_official_code(void **state) {
  (void)state;
  NetworkSpec spec = paper(3, 300, 1, 50);
  spec.omega_first = 60;
  Drawn d = drawn(spec, 1);
  check_weight(&d, 0, assert_uniform, 1.0 / 3);
  check_weight(&d, 1, assert_uniform, sqrt(6.0 / 300) / 30);
  check_weight(&d, 2, assert_uniform, sqrt(6.0 / 300) / 30);
  free(d.theta);
  spec.weight_init = "paper";
  d = drawn(spec, 1);
  check_weight(&d, 0, assert_uniform, sqrt(6.0 / 3));
  check_weight(&d, 1, assert_uniform, sqrt(6.0 / 300) / 30);
  free(d.theta);
}

static double kaiming(double in, double out) {
  (void)out;
  return sqrt(2 / in);
}
static double xavier(double in, double out) {
  return sqrt(2 / (in + out));
}
static double selu_rule(double in, double out) {
  (void)out;
  return 1 / sqrt(in);
}
static double elu_rule(double in, double out) {
  (void)out;
  return sqrt(1.5505188080679277 / in);
}

static void baselines_weights_follow_the_official_code(void **state) {
  (void)state;
  static const struct {
    const char *name;
    double (*std)(double in, double out);
  } rules[] = {{"relu", kaiming},   {"softplus", kaiming}, {"tanh", xavier},
               {"sigmoid", xavier}, {"selu", selu_rule},   {"elu", elu_rule}};
  for (size_t k = 0; k < sizeof rules / sizeof *rules; k++) {
    Drawn d = drawn(with(paper(3, 300, 1, 50), rules[k].name, "none"), 4 + k);
    check_weight(&d, 0, assert_normal, rules[k].std(3, 300));
    check_weight(&d, 1, assert_normal, rules[k].std(300, 300));
    check_weight(&d, 2, assert_normal, rules[k].std(300, 50));
    free(d.theta);
  }
}

static void biases_follow_their_rule(void **state) {
  (void)state;
  int n_activations;
  const Activation *activations = activation_table(&n_activations);
  for (int a = 0; a < n_activations; a++) {
    Drawn d = drawn(with(paper(3, 500, 1, 400), activations[a].name, "none"), 9);
    check_bias(&d, 0, 1 / sqrt(3));
    check_bias(&d, 1, 1 / sqrt(500));
    check_bias(&d, 2, 1 / sqrt(500));
    free(d.theta);
  }
  NetworkSpec spec = paper(3, 500, 1, 400);
  spec.bias_init = "weight";
  Drawn d = drawn(spec, 9);
  check_bias(&d, 0, 1.0 / 3);
  check_bias(&d, 1, sqrt(6.0 / 500) / 30);
  check_bias(&d, 2, sqrt(6.0 / 500) / 30);
  free(d.theta);
  spec.bias_init = "zero";
  d = drawn(spec, 9);
  for (int l = 0; l < 3; l++) {
    const Linear *linear = &d.network.linear[l];
    for (int i = 0; i < linear->out; i++) {
      assert_true(d.theta[linear->bias + (size_t)i] == 0);
    }
  }
  free(d.theta);
}

static void radial_functions_start_as_in_the_official_code(void **state) {
  (void)state;
  NetworkSpec spec = with(paper(3, 8, 0, 1), "relu", "rbf");
  spec.centres = 1024;
  spec.rbf_sigma = 10;
  Drawn d = drawn(spec, 2);
  const Tensor *centres = tensor_named(&d.network, "encoding/centres");
  const Tensor *sigmas = tensor_named(&d.network, "encoding/sigmas");
  assert_int_equal(centres->rows, 1024);
  assert_int_equal(centres->cols, 3);
  assert_int_equal(size_of(sigmas), 1024);
  assert_uniform("centres", d.theta + centres->offset, size_of(centres), 1);
  for (size_t k = 0; k < 1024; k++) assert_true(d.theta[sigmas->offset + k] == 10);
  free(d.theta);
}

static double correlation(const real *a, const real *b, size_t n) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < n; i++) {
    ab += (double)a[i] * (double)b[i];
    aa += (double)a[i] * (double)a[i];
    bb += (double)b[i] * (double)b[i];
  }
  return ab / sqrt(aa * bb);
}

static void initialisation_is_a_function_of_the_seed(void **state) {
  (void)state;
  Drawn a = drawn(paper(2, 100, 2, 1), 7), again = drawn(paper(2, 100, 2, 1), 7);
  Drawn other = drawn(paper(2, 100, 2, 1), 8);
  size_t n = a.network.n_parameters, weights = 100 * 100;
  assert_memory_equal(a.theta, again.theta, n * sizeof *a.theta);
  const real *one = a.theta + a.network.linear[1].weight;
  const real *two = a.theta + a.network.linear[2].weight;
  const real *changed = other.theta + other.network.linear[1].weight;
  double error = 4 / sqrt((double)weights);
  assert_true(fabs(correlation(one, changed, weights)) < error); /* another seed */
  assert_true(fabs(correlation(one, two, weights)) < error);     /* another layer */
  free(a.theta);
  free(again.theta);
  free(other.theta);
}

/* ---- Activations at the start (paper.md 9.2) ---- */

/* Root mean squares over units and points of the pre-activations and outputs of the hidden layers
 * behind the first two (the first is wider, the second still feels it). */
static void activation_statistics(NetworkSpec spec, int seeds, double *before, double *after) {
  enum { POINTS = 48 };
  size_t size = (size_t)spec.width * POINTS, count = 0;
  real *h = malloc(size * sizeof *h), *u = malloc(size * sizeof *u),
       *aux = malloc(size * sizeof *u);
  *before = *after = 0;
  for (int seed = 0; seed < seeds; seed++) {
    Drawn d = drawn(spec, (uint64_t)seed);
    real *x = fixture_random((size_t)spec.in * POINTS, 1000 + (uint64_t)seed);
    memcpy(h, x, (size_t)spec.in * POINTS * sizeof *h); /* [units][points] */
    for (int l = 0; l < spec.layers + 1; l++) {
      const Linear *linear = &d.network.linear[l];
      for (int i = 0; i < linear->out; i++) {
        real *row = u + (size_t)i * POINTS;
        for (int p = 0; p < POINTS; p++) row[p] = d.theta[linear->bias + (size_t)i];
        for (int j = 0; j < linear->in; j++) {
          real w = d.theta[linear->weight + (size_t)(i * linear->in + j)];
          for (int p = 0; p < POINTS; p++) row[p] += w * h[(size_t)j * POINTS + (size_t)p];
        }
        for (int p = 0; p < POINTS; p++) row[p] *= (real)linear->omega;
      }
      spec.activation->forward(size, u, h, aux);
      for (size_t k = 0; l >= 2 && k < size; k++, count++) {
        *before += (double)u[k] * (double)u[k];
        *after += (double)h[k] * (double)h[k];
      }
    }
    free(x);
    free(d.theta);
  }
  *before = sqrt(*before / (double)count);
  *after = sqrt(*after / (double)count);
  free(h);
  free(u);
  free(aux);
}

/* The fixed point of mean-field theory: a pre-activation is N(0, 2 v) plus a uniform number in +-b,
 * and v = E sin^2 = (1 - E cos 2u) / 2. */
static void mean_field(double b, double *before, double *after) {
  double uniform = b > 0 ? sin(2 * b) / (2 * b) : 1, v = 0.5;
  for (int k = 0; k < 1000; k++) v = 0.5 * (1 - exp(-4 * v) * uniform);
  *before = sqrt(2 * v + b * b / 3);
  *after = sqrt(v);
}

/* Measured statistics are those of theory, and near the figures of paper.md 9.2 (`before`,
 * `after`), which take the bias for normal. */
static void check_activations(NetworkSpec spec, int seeds, double before, double after) {
  double bias = strcmp(spec.bias_init, "zero") ? 30 / sqrt(spec.width) : 0;
  double theory_before, theory_after, got_before, got_after;
  mean_field(bias, &theory_before, &theory_after);
  activation_statistics(spec, seeds, &got_before, &got_after);
  print_message("width %d: pre-activations %.3f (theory %.3f), sines %.3f (theory %.3f)\n",
                spec.width, got_before, theory_before, got_after, theory_after);
  assert_true(fabs(got_before / theory_before - 1) < 0.015);
  assert_true(fabs(got_after / theory_after - 1) < 0.01);
  assert_true(fabs(got_before / before - 1) < 0.02);
  assert_true(fabs(got_after / after - 1) < 0.02);
}

static void activations_keep_their_distribution(void **state) {
  (void)state;
  check_activations(paper(2, 256, 6, 1), 12, 1.469, 0.702);
  check_activations(paper(2, 1024, 4, 1), 2, 1.097, 0.675);
  NetworkSpec without_bias = paper(2, 512, 8, 1);
  without_bias.bias_init = "zero";
  check_activations(without_bias, 4, 0.893, 0.631);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parameters_are_as_many_as_the_paper_has),
      cmocka_unit_test(frequencies_follow_the_nyquist_rule),
      cmocka_unit_test(tensors_cover_theta_once),
      cmocka_unit_test(tables_are_found_by_name),
      cmocka_unit_test(specs_out_of_range_are_refused),
      cmocka_unit_test(encodings_out_of_range_are_refused),
      cmocka_unit_test(sine_weights_follow_the_official_code),
      cmocka_unit_test(baselines_weights_follow_the_official_code),
      cmocka_unit_test(biases_follow_their_rule),
      cmocka_unit_test(radial_functions_start_as_in_the_official_code),
      cmocka_unit_test(initialisation_is_a_function_of_the_seed),
      cmocka_unit_test(activations_keep_their_distribution),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
