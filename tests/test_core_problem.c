/* Problems as objectives: tiles and blocks against the formula summed sample by sample, and the
 * shared loss terms against theirs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/loss.h"
#include "core/problem.h"
#include "tests/network_fixture.h"

static const double rounding = REAL_IS_DOUBLE ? 1e-12 : 2e-5;

enum { OUT = 2, DATA = 4 }; /* data: a gradient [2][2], whose first row serves as value, too */

/* Sample k of a step: coordinates, data and operator weights as a function of (step, k). */
static void draw(const void *source, uint64_t step, int64_t first, int rows, real *x, real *data,
                 real *weights) {
  RandomStream stream = {*(const uint64_t *)source, RANDOM_SAMPLE, step};
  for (int r = 0; r < rows; r++) {
    uint64_t k = (uint64_t)(first + r);
    for (int i = 0; i < 2; i++) {
      x[2 * r + i] = (real)(2 * random_uniform(stream, k, i) - 1);
      if (weights) weights[2 * r + i] = (real)(3 * random_uniform(stream, k, 2 + i) - 1);
    }
    for (int i = 0; data && i < DATA; i++) {
      data[DATA * r + i] = (real)(2 * random_uniform(stream, k, 4 + i) - 1);
    }
  }
}

/* | value_0 + settings * operator_1 | ^ 2, a term that couples streams and channels. */
static double coupled(const TermBlock *block, double factor, const void *settings) {
  double c = *(const double *)settings, sum = 0;
  for (int r = 0; r < block->rows; r++) {
    int a = r * block->out, b = a + 1;
    double e = (double)block->value[a] + c * (double)block->second[0][b];
    sum += e * e;
    if (!block->value_bar) continue;
    block->value_bar[a] += (real)(2 * factor * e);
    block->second_bar[0][b] += (real)(2 * factor * c * e);
  }
  return sum;
}

static const uint64_t sources[2] = {11, 12};
static const double coupling = 0.25;
static const JetSpec operator_jet = {
    .first = true, .n_second = 1, .second = {{JET_COLLAPSED, JET_COLLAPSED}}};

/* A mean over 37 samples with two terms and a monitor, and a sum over 10 samples. */
static Problem two_domains(const Network *network, int tile) {
  Problem problem = {.network = network, .tile = tile, .n_domains = 2};
  problem.domains[0] = (Domain){.name = "a",
                                .samples = 37,
                                .mean = true,
                                .jet = {.first = true},
                                .data_width = DATA,
                                .draw = draw,
                                .source = &sources[0],
                                .n_terms = 3,
                                .terms = {{"value", 2, loss_value_mse, NULL},
                                          {"slope", 0.5, loss_gradient_mse, NULL},
                                          {"watched", 0, loss_value_mse_clipped, NULL}}};
  problem.domains[1] = (Domain){.name = "b",
                                .samples = 10,
                                .jet = operator_jet,
                                .operator_weights = true,
                                .draw = draw,
                                .source = &sources[1],
                                .n_terms = 1,
                                .terms = {{"coupled", 0.125, coupled, &coupling}}};
  return problem;
}

static NetworkSpec sines(int width, int layers) {
  return fixture_spec(activation_find("sine"), encoding_find("none"), 2, OUT, width, layers);
}

/* ---- Evaluating an objective ---- */

typedef struct {
  double terms[OBJECTIVE_MAX_TERMS], total;
  double *gradient;
} Sum;

static void sum_destroy(Sum *sum) {
  free(sum->gradient);
}

/* All tiles, last one first if `backward`. */
static Sum evaluate(const Problem *problem, const real *theta, uint64_t step, bool backward) {
  Objective o;
  assert_int_equal(problem_objective(problem, &o), STATUS_OK);
  void *workspace;
  assert_int_equal(o.workspace_create(&o, &workspace), STATUS_OK);
  Sum sum = {.gradient = calloc(o.n_parameters, sizeof(double))};
  real *gradient = malloc(o.n_parameters * sizeof *gradient);
  int64_t tiles = o.tiles(&o, step);
  for (int64_t k = 0; k < tiles; k++) {
    double terms[OBJECTIVE_MAX_TERMS];
    for (size_t i = 0; i < o.n_parameters; i++) gradient[i] = (real)NAN;
    o.tile(&o, step, backward ? tiles - 1 - k : k, theta, gradient, terms, NULL, workspace);
    for (int t = 0; t < o.n_terms; t++) {
      sum.terms[t] += terms[t];
      sum.total += o.terms[t].weight * terms[t];
    }
    for (size_t i = 0; i < o.n_parameters; i++) sum.gradient[i] += (double)gradient[i];
  }
  free(gradient);
  o.workspace_destroy(workspace);
  return sum;
}

static void assert_close(double a, double b, double scale) {
  if (!(fabs(a - b) <= rounding * scale)) fail_msg("%.17g instead of %.17g", a, b);
}

static void assert_same_gradient(const double *a, const double *b, size_t n, double tolerance) {
  double scale = 0;
  for (size_t i = 0; i < n; i++) scale = fmax(scale, fabs(b[i]));
  assert_true(scale > 0);
  for (size_t i = 0; i < n; i++) {
    if (!(fabs(a[i] - b[i]) <= tolerance * scale)) {
      fail_msg("gradient[%zu]: %.10g instead of %.10g, largest %g", i, a[i], b[i], scale);
    }
  }
}

/* ---- Against the formula ---- */

/* The terms of two_domains, sample by sample, from jets of one row. */
static void direct(const Network *network, const real *theta, uint64_t step, double terms[4]) {
  Jet *first, *second;
  const JetSpec gradient = {.first = true};
  assert_int_equal(jet_create(network, &gradient, 1, false, &first), STATUS_OK);
  assert_int_equal(jet_create(network, &operator_jet, 1, false, &second), STATUS_OK);
  real x[2], data[DATA], weights[2];
  memset(terms, 0, 4 * sizeof *terms);
  for (int k = 0; k < 37; k++) {
    draw(&sources[0], step, k, 1, x, data, NULL);
    const real *y = jet_forward(first, theta, x, NULL); /* value [2], d/dx_0 [2], d/dx_1 [2] */
    for (int i = 0; i < DATA; i++) {
      terms[1] += pow((double)y[OUT + i] - (double)data[i], 2) / OUT / 37;
    }
    for (int i = 0; i < OUT; i++) {
      terms[0] += pow((double)y[i] - (double)data[i], 2) / OUT / 37;
      terms[2] += pow(fmax(-1, fmin(1, (double)y[i])) - (double)data[i], 2) / OUT / 37;
    }
  }
  for (int k = 0; k < 10; k++) {
    draw(&sources[1], step, k, 1, x, NULL, weights);
    const real *y = jet_forward(second, theta, x, weights);
    terms[3] += pow((double)y[0] + coupling * (double)y[3 * OUT + 1], 2);
  }
  jet_destroy(first);
  jet_destroy(second);
}

static void tiles_add_up_to_the_formula(void **state) {
  (void)state;
  Network network = fixture_network(sines(9, 1));
  real *theta = fixture_theta(&network, 2);
  const int tiles[] = {1, 5, 8, 16, 37, 1000};
  for (size_t k = 0; k < sizeof tiles / sizeof *tiles; k++) {
    for (uint64_t step = 0; step < 2; step++) {
      Problem problem = two_domains(&network, tiles[k]);
      double terms[4];
      direct(&network, theta, step, terms);
      Sum sum = evaluate(&problem, theta, step, false);
      for (int t = 0; t < 4; t++) assert_close(sum.terms[t], terms[t], terms[t]);
      sum_destroy(&sum);
    }
  }
  free(theta);
}

static void an_objective_describes_its_problem(void **state) {
  (void)state;
  Network network = fixture_network(sines(9, 1));
  Problem problem = two_domains(&network, 16);
  Objective o;
  assert_int_equal(problem_objective(&problem, &o), STATUS_OK);
  assert_int_equal(o.n_parameters, network.n_parameters);
  assert_int_equal(o.n_tensors, network.n_tensors);
  assert_int_equal(o.tiles(&o, 0), 3 + 1); /* 16 + 16 + 5, and 10 */
  const char *const names[] = {"value", "slope", "watched", "coupled"};
  const double weights[] = {2, 0.5, 0, 0.125};
  assert_int_equal(o.n_terms, 4);
  for (int t = 0; t < 4; t++) {
    assert_string_equal(o.terms[t].name, names[t]);
    assert_true(o.terms[t].weight == weights[t]);
  }
  double samples = 37 * jet_flops(&network, &problem.domains[0].jet) +
                   10 * jet_flops(&network, &problem.domains[1].jet);
  assert_close(problem_flops(&problem), samples, samples);
  assert_true(problem_workspace_bytes(&problem) > 0);
}

static void gradient_is_that_of_differences(void **state) {
  (void)state;
  if (!REAL_IS_DOUBLE) skip();
  static const double offsets[] = {-2, -1, 1, 2}, factors[] = {1, -8, 8, -1};
  const double h = 1e-3;
  Network network = fixture_network(sines(5, 1));
  real *theta = fixture_theta(&network, 2);
  Problem problem = two_domains(&network, 8);
  Sum sum = evaluate(&problem, theta, 0, false);
  double *slopes = calloc(network.n_parameters, sizeof *slopes);
  for (size_t i = 0; i < network.n_parameters; i++) {
    real saved = theta[i];
    for (int k = 0; k < 4; k++) {
      theta[i] = (real)((double)saved + offsets[k] * h);
      Sum at = evaluate(&problem, theta, 0, false);
      slopes[i] += factors[k] * at.total / (12 * h);
      sum_destroy(&at);
    }
    theta[i] = saved;
  }
  assert_same_gradient(sum.gradient, slopes, network.n_parameters, 1e-7);
  free(slopes);
  sum_destroy(&sum);
  free(theta);
}

/* ---- Tiles and blocks ---- */

static void tiles_and_one_big_tile_agree(void **state) {
  (void)state;
  Network network = fixture_network(sines(9, 2));
  real *theta = fixture_theta(&network, 2);
  Problem big = two_domains(&network, 1000), small = two_domains(&network, 7);
  Sum a = evaluate(&big, theta, 3, false), b = evaluate(&small, theta, 3, false);
  assert_same_gradient(a.gradient, b.gradient, network.n_parameters, rounding);
  sum_destroy(&a);
  sum_destroy(&b);
  free(theta);
}

/* A tile of several blocks, the last of them partial. */
static void blocks_of_a_tile_add_up(void **state) {
  (void)state;
  Network network = fixture_network(sines(256, 2));
  real *theta = fixture_theta(&network, 2);
  Problem whole = two_domains(&network, 1000), pieces = two_domains(&network, 20);
  whole.domains[0].samples = pieces.domains[0].samples = 750;
  int rows = problem_block_rows(&network, &whole.domains[0].jet, 1000);
  assert_in_range(rows, 1, 749);
  assert_true(750 % rows != 0);
  assert_int_equal(problem_block_rows(&network, &whole.domains[0].jet, 20), 20);
  Sum a = evaluate(&whole, theta, 0, false), b = evaluate(&pieces, theta, 0, false);
  assert_same_gradient(a.gradient, b.gradient, network.n_parameters, rounding);
  for (int t = 0; t < 4; t++) assert_close(a.terms[t], b.terms[t], b.terms[t]);
  sum_destroy(&a);
  sum_destroy(&b);
  free(theta);
}

/* One tile's bits, whatever was computed before in the same workspace, or in another one. */
static void a_tile_is_a_pure_function(void **state) {
  (void)state;
  Network network = fixture_network(sines(12, 1));
  real *theta = fixture_theta(&network, 2);
  Problem problem = two_domains(&network, 8);
  Objective o;
  assert_int_equal(problem_objective(&problem, &o), STATUS_OK);
  void *one, *two;
  assert_int_equal(o.workspace_create(&o, &one), STATUS_OK);
  assert_int_equal(o.workspace_create(&o, &two), STATUS_OK);
  size_t n = o.n_parameters;
  real *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b), *c = malloc(n * sizeof *c);
  double terms[3][OBJECTIVE_MAX_TERMS];
  int64_t tiles = o.tiles(&o, 0);
  for (int64_t k = 0; k < tiles; k++) {
    o.tile(&o, 5, k, theta, a, terms[0], NULL, one);
    o.tile(&o, 6, tiles - 1 - k, theta, c, terms[1], NULL, one);
    o.tile(&o, 5, k, theta, b, terms[1], NULL, one);
    o.tile(&o, 5, k, theta, c, terms[2], NULL, two);
    assert_memory_equal(a, b, n * sizeof *a);
    assert_memory_equal(a, c, n * sizeof *a);
    assert_memory_equal(terms[0], terms[1], (size_t)o.n_terms * sizeof **terms);
    assert_memory_equal(terms[0], terms[2], (size_t)o.n_terms * sizeof **terms);
    o.tile(&o, 5, k, theta, NULL, terms[1], NULL, two);
    for (int t = 0; t < o.n_terms; t++) assert_close(terms[1][t], terms[0][t], terms[0][t]);
  }
  free(a);
  free(b);
  free(c);
  o.workspace_destroy(one);
  o.workspace_destroy(two);
  free(theta);
}

static void monitors_add_nothing_to_the_gradient(void **state) {
  (void)state;
  Network network = fixture_network(sines(9, 1));
  real *theta = fixture_theta(&network, 2);
  Problem with = two_domains(&network, 8), without = two_domains(&network, 8);
  with.domains[0].terms[2] = (Term){"watched", 0, loss_value_mse, NULL};
  without.domains[0].n_terms = 2;
  Sum a = evaluate(&with, theta, 0, false), b = evaluate(&without, theta, 0, false);
  assert_true(a.terms[2] > 0);
  assert_memory_equal(a.gradient, b.gradient, network.n_parameters * sizeof *a.gradient);
  assert_true(a.total == b.total);
  sum_destroy(&a);
  sum_destroy(&b);
  free(theta);
}

static void steps_draw_different_samples(void **state) {
  (void)state;
  Network network = fixture_network(sines(9, 1));
  real *theta = fixture_theta(&network, 2);
  Problem problem = two_domains(&network, 8);
  Sum a = evaluate(&problem, theta, 0, false), b = evaluate(&problem, theta, 1, false);
  Sum c = evaluate(&problem, theta, 1, true);
  assert_true(a.terms[0] != b.terms[0]);
  assert_same_gradient(c.gradient, b.gradient, network.n_parameters, 1e-12);
  sum_destroy(&a);
  sum_destroy(&b);
  sum_destroy(&c);
  free(theta);
}

/* Tile 0 stands for the one that network and jets ask for. */
static void tile_zero_is_the_default_tile(void **state) {
  (void)state;
  Network network = fixture_network(sines(9, 1));
  real *theta = fixture_theta(&network, 2);
  Problem automatic = two_domains(&network, 0);
  int tile = problem_default_tile(&automatic);
  assert_true(tile >= 64 && tile % 64 == 0);
  Problem named = two_domains(&network, tile);
  Sum a = evaluate(&automatic, theta, 1, false), b = evaluate(&named, theta, 1, false);
  assert_memory_equal(a.gradient, b.gradient, network.n_parameters * sizeof *a.gradient);
  sum_destroy(&a);
  sum_destroy(&b);
  free(theta);
}

static void impossible_problems_are_refused(void **state) {
  (void)state;
  Network network = fixture_network(sines(9, 1));
  Objective o;
  Problem problem = two_domains(&network, -1);
  assert_int_equal(problem_objective(&problem, &o), STATUS_USAGE);
  problem = two_domains(&network, 8);
  problem.domains[1].samples = 0;
  assert_int_equal(problem_objective(&problem, &o), STATUS_USAGE);
  assert_non_null(strstr(status_message(), "b"));
}

/* ---- Loss terms ---- */

enum { ROWS = 5, IN = 2, CHANNELS = 3, WIDTH = 8, STREAMS = 4 };

typedef struct {
  real *jet, *bar, *data; /* [STREAMS][ROWS][CHANNELS], the same, [ROWS][WIDTH] */
} Arrays;

static TermBlock block_of(const Arrays *a, bool adjoint) {
  const size_t stride = ROWS * CHANNELS;
  TermBlock block = {.rows = ROWS,
                     .in = IN,
                     .out = CHANNELS,
                     .data_width = WIDTH,
                     .data = a->data,
                     .value = a->jet,
                     .second = {a->jet + 3 * stride}};
  for (int i = 0; i < IN; i++) block.first[i] = a->jet + (size_t)(1 + i) * stride;
  if (!adjoint) return block;
  block.value_bar = a->bar;
  block.second_bar[0] = a->bar + 3 * stride;
  for (int i = 0; i < IN; i++) block.first_bar[i] = a->bar + (size_t)(1 + i) * stride;
  return block;
}

/* Mean over channels of (jet - data)^2, summed over rows and over the streams from..to. */
static double squares(const Arrays *a, int from, int to, double clip) {
  double sum = 0;
  for (int s = from; s < to; s++) {
    for (int k = 0; k < ROWS * CHANNELS; k++) {
      double v = (double)a->jet[s * ROWS * CHANNELS + k];
      int at = k / CHANNELS * WIDTH + (s - from) * CHANNELS + k % CHANNELS;
      sum += pow(fmax(-clip, fmin(clip, v)) - (double)a->data[at], 2) / CHANNELS;
    }
  }
  return sum;
}

/* The term's value, and that it adds factor * derivative to the adjoints of its streams only. */
static void check_term(TermFunction term, int from, int to, double clip, bool trained) {
  const double factor = 0.75;
  const size_t n = STREAMS * ROWS * CHANNELS;
  Arrays a = {fixture_random(n, 1), fixture_random(n, 2), fixture_random(ROWS * WIDTH, 3)};
  for (size_t k = 0; k < n; k++) a.jet[k] *= 2;
  real *before = malloc(n * sizeof *before);
  memcpy(before, a.bar, n * sizeof *before);
  TermBlock quiet = block_of(&a, false), block = block_of(&a, true);
  double wanted = squares(&a, from, to, clip);
  assert_close(term(&quiet, factor, NULL), wanted, wanted);
  assert_memory_equal(before, a.bar, n * sizeof *before);
  assert_close(term(&block, factor, NULL), wanted, wanted);
  for (size_t k = 0; k < n; k++) {
    int s = (int)k / (ROWS * CHANNELS), row = (int)k / CHANNELS % ROWS;
    int at = row * WIDTH + (s - from) * CHANNELS + (int)k % CHANNELS;
    bool mine = trained && s >= from && s < to;
    double slope = mine ? 2 * factor / CHANNELS * ((double)a.jet[k] - (double)a.data[at]) : 0;
    assert_close((double)a.bar[k], (double)before[k] + slope, 4);
  }
  free(before);
  free(a.jet);
  free(a.bar);
  free(a.data);
}

static void loss_terms_are_their_formulas(void **state) {
  (void)state;
  check_term(loss_value_mse, 0, 1, INFINITY, true);
  check_term(loss_value_mse_clipped, 0, 1, 1, false);
  check_term(loss_gradient_mse, 1, 3, INFINITY, true);
  check_term(loss_second_mse, 3, 4, INFINITY, true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tiles_add_up_to_the_formula),
      cmocka_unit_test(an_objective_describes_its_problem),
      cmocka_unit_test(gradient_is_that_of_differences),
      cmocka_unit_test(tiles_and_one_big_tile_agree),
      cmocka_unit_test(blocks_of_a_tile_add_up),
      cmocka_unit_test(a_tile_is_a_pure_function),
      cmocka_unit_test(monitors_add_nothing_to_the_gradient),
      cmocka_unit_test(steps_draw_different_samples),
      cmocka_unit_test(tile_zero_is_the_default_tile),
      cmocka_unit_test(impossible_problems_are_refused),
      cmocka_unit_test(loss_terms_are_their_formulas),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
