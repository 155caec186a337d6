/* Exact sums: any order and any grouping of the tiles gives the same bits; values against sums in
 * 128-bit integers; what happens with unknown, wrong and impossible scales. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "core/exact.h"
#include "core/random.h"

enum { N = 77, N_TERMS = 2, MAX_TILES = 1000 };

static const Tensor tensors[] = {{"layer0/weight", 0, 12, 5}, {"layer0/bias", 60, 17, 1}};
static const Objective objective = {
    .n_parameters = N,
    .n_tensors = 2,
    .tensors = tensors,
    .n_terms = N_TERMS,
    .terms = {{"image", 1}, {"eikonal", 0.1}},
};

/* What the tiles of a step give. */
typedef struct {
  int64_t count;
  real gradients[MAX_TILES][N];
  double terms[MAX_TILES][N_TERMS];
} Tiles;

static Tiles tiles; /* large: not on the stack */

static double signed_uniform(uint64_t seed, int64_t tile, int i) {
  RandomStream stream = {.seed = seed, .purpose = RANDOM_CHECK, .step = (uint64_t)i};
  return 2 * random_uniform(stream, (uint64_t)tile, 0) - 1;
}

/* Magnitudes from 2^-low to 1 times `size`; the bias's are 1e6 times smaller. */
static void fill(uint64_t seed, int64_t count, double size, int low) {
  tiles.count = count;
  for (int64_t t = 0; t < count; t++) {
    for (int i = 0; i < N; i++) {
      double magnitude = size * exp2(-low * fabs(signed_uniform(seed + 1, t, i)));
      tiles.gradients[t][i] = (real)(signed_uniform(seed, t, i) * magnitude * (i < 60 ? 1 : 1e-6));
    }
    for (int i = 0; i < N_TERMS; i++) tiles.terms[t][i] = 40 * signed_uniform(seed + 2, t, i);
  }
}

/* Sums the tiles in the order first, first + stride, ... over `parts` partial buffers. */
static ExactResult sum(Exact *exact, int64_t stride, int parts, real *gradient, double *terms,
                       int *group) {
  exact->tiles = tiles.count;
  int64_t *total = calloc(exact->size, sizeof *total);
  int64_t *part = malloc(exact->size * sizeof *part);
  assert_non_null(total);
  assert_non_null(part);
  for (int p = parts - 1; p >= 0; p--) {
    memset(part, 0, exact->size * sizeof *part);
    for (int64_t t = p; t < tiles.count; t += parts) {
      int64_t tile = (t * stride + 3) % tiles.count;
      exact_add(exact, gradient ? tiles.gradients[tile] : NULL, tiles.terms[tile], part);
    }
    for (size_t i = 0; i < exact->size; i++) {
      total[i] = (int64_t)((uint64_t)total[i] + (uint64_t)part[i]);
    }
  }
  ExactResult result = exact_finish(exact, total, gradient, terms, group);
  free(total);
  free(part);
  return result;
}

/* In order into one buffer, redone once when it must be; returns whether it was. */
static bool sum_in_order(Exact *exact, real *gradient, double *terms) {
  int group;
  ExactResult result = sum(exact, 1, 1, gradient, terms, &group);
  bool redone = result == EXACT_REDO;
  if (redone) result = sum(exact, 1, 1, gradient, terms, &group);
  assert_int_equal(result, EXACT_DONE);
  return redone;
}

static Exact create(void) {
  Exact exact;
  assert_int_equal(exact_create(&objective, &exact), STATUS_OK);
  return exact;
}

/* Rounds values to the given unit and sums them as wide integers: the value the sum must have. */
static double reference(int64_t count, const double *values, int unit) {
  __int128 total = 0;
  for (int64_t t = 0; t < count; t++) total += (__int128)rint(ldexp(values[t], -unit));
  return ldexp((double)total, unit);
}

static double column(int i, double *values) {
  double top = 0;
  for (int64_t t = 0; t < tiles.count; t++) {
    values[t] = i < N ? (double)tiles.gradients[t][i] : tiles.terms[t][i - N];
    top = fmax(top, fabs(values[t]));
  }
  return top;
}

/* The largest value of the group that column i belongs to. */
static double group_maximum(int i) {
  double values[MAX_TILES], top = 0;
  int first = i < 60 ? 0 : i < N ? 60 : i, end = i < 60 ? 60 : i < N ? N : i + 1;
  for (int j = first; j < end; j++) top = fmax(top, column(j, values));
  return top;
}

static void test_first_step_is_redone(void **state) {
  (void)state;
  Exact exact = create();
  real gradient[N];
  double terms[N_TERMS];
  fill(1, 10, 1, 8);
  assert_true(sum_in_order(&exact, gradient, terms));
  assert_false(sum_in_order(&exact, gradient, terms));
  exact_destroy(&exact);
}

static void test_sum_is_the_sum_of_rounded_values(void **state) {
  (void)state;
  static const int64_t counts[] = {1, 2, 3, 100, 1000};
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    Exact exact = create();
    real gradient[N];
    double terms[N_TERMS], values[MAX_TILES];
    fill(2, counts[c], 1e-3, 40);
    sum_in_order(&exact, gradient, terms);
    for (int i = 0; i < N + N_TERMS; i++) {
      column(i, values);
      int top;
      frexp(group_maximum(i), &top);
      double expected = reference(counts[c], values, top + 8 - 51);
      if (i < N) assert_true(gradient[i] == (real)expected);
      if (i >= N) assert_true(terms[i - N] == expected);
    }
    exact_destroy(&exact);
  }
}

/* Values that are multiples of 2^-30 of the maximum are summed without any error. */
static void test_sum_is_exact_within_the_range(void **state) {
  (void)state;
  Exact exact = create();
  real gradient[N];
  double terms[N_TERMS], values[MAX_TILES];
  fill(3, 1000, 1, 0);
  for (int t = 0; t < 1000; t++) {
    for (int i = 0; i < N; i++) {
      tiles.gradients[t][i] = (real)(ldexp(rint(ldexp(tiles.gradients[t][i], 34)), -34));
    }
  }
  sum_in_order(&exact, gradient, terms);
  for (int i = 0; i < 60; i++) {
    column(i, values);
    assert_true(gradient[i] == (real)reference(1000, values, -60));
  }
  exact_destroy(&exact);
}

static void test_error_is_small(void **state) {
  (void)state;
  Exact exact = create();
  real gradient[N];
  double terms[N_TERMS], values[MAX_TILES];
  fill(4, 1000, 1e5, 30);
  sum_in_order(&exact, gradient, terms);
  for (int i = 0; i < N + N_TERMS; i++) {
    column(i, values);
    long double total = 0;
    for (int t = 0; t < 1000; t++) total += values[t];
    double got = i < N ? (double)gradient[i] : terms[i - N];
    double tolerance = 1000 * ldexp(group_maximum(i), -43);
    if (i < N && !REAL_IS_DOUBLE) tolerance += (double)fabsl(total) * FLT_EPSILON;
    assert_true(fabsl(got - total) <= tolerance);
  }
  exact_destroy(&exact);
}

static void test_any_order_and_grouping_gives_the_same_bits(void **state) {
  (void)state;
  static const int64_t strides[] = {1, 7, 333, 501, 999}; /* no common divisor with 1000 */
  static const int parts[] = {1, 2, 3, 16, 1000};
  Exact exact = create();
  real expected[N], gradient[N];
  double expected_terms[N_TERMS], terms[N_TERMS];
  fill(5, 1000, 1, 60);
  sum_in_order(&exact, expected, expected_terms);
  int64_t exponents[4];
  memcpy(exponents, exact.exponents, sizeof exponents);
  for (int s = 0; s < 5; s++) {
    for (int p = 0; p < 5; p++) {
      int group;
      assert_int_equal(sum(&exact, strides[s], parts[p], gradient, terms, &group), EXACT_DONE);
      assert_memory_equal(gradient, expected, sizeof expected);
      assert_memory_equal(terms, expected_terms, sizeof expected_terms);
      assert_memory_equal(exact.exponents, exponents, sizeof exponents);
    }
  }
  exact_destroy(&exact);
}

/* A step that grew beyond the guard bits, or fell far below, is redone, and then equals the step
 * of who knew the scales beforehand; a step within them is not redone. */
static void test_redone_step_equals_known_scales(void **state) {
  (void)state;
  static const struct {
    double size;
    bool redone;
  } steps[] = {{1, true}, {100, false}, {3e7, true}, {1e5, false}, {1e-5, true}, {1e30, true}};
  Exact exact = create();
  for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
    real gradient[N], expected[N];
    double terms[N_TERMS];
    fill(6, 50, steps[s].size, 4);
    assert_int_equal(sum_in_order(&exact, gradient, terms), steps[s].redone);
    Exact fresh = create();
    sum_in_order(&fresh, expected, terms);
    if (steps[s].redone) assert_memory_equal(gradient, expected, sizeof expected);
    assert_memory_equal(fresh.exponents, exact.exponents, 4 * sizeof *exact.exponents);
    exact_destroy(&fresh);
  }
  exact_destroy(&exact);
}

/* The guard bits, to the last: 8 above the last maximum's exponent, 20 - 8 below. */
static void test_limits_of_a_scale(void **state) {
  (void)state;
  static const struct {
    double value;
    bool redone;
  } steps[] = {{1.5, true}, {511.5, false}, {0x1p17, true}, {0x1p5, false}, {0x1p-8, true}};
  Exact exact = create();
  for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
    real gradient[N];
    double terms[N_TERMS];
    tiles = (Tiles){.count = 1};
    tiles.gradients[0][3] = (real)steps[s].value;
    assert_int_equal(sum_in_order(&exact, gradient, terms), steps[s].redone);
    assert_true(gradient[3] == (real)steps[s].value);
  }
  exact_destroy(&exact);
}

/* Scales of a checkpoint go on with the same bits. */
static void test_restored_scales(void **state) {
  (void)state;
  Exact exact = create(), resumed = create();
  real gradient[N], expected[N];
  double terms[N_TERMS];
  fill(7, 20, 1, 4);
  sum_in_order(&exact, gradient, terms);
  memcpy(resumed.exponents, exact.exponents, 4 * sizeof *exact.exponents);
  fill(8, 20, 0.01, 50);
  assert_false(sum_in_order(&exact, expected, terms));
  assert_false(sum_in_order(&resumed, gradient, terms));
  assert_memory_equal(gradient, expected, sizeof expected);
  exact_destroy(&exact);
  exact_destroy(&resumed);
}

static void test_nonfinite_values_are_named(void **state) {
  (void)state;
  static const double bad[] = {NAN, -NAN, INFINITY, -INFINITY};
  static const struct {
    int column;
    const char *name;
  } places[] = {{0, "layer0/weight"},
                {59, "layer0/weight"},
                {76, "layer0/bias"},
                {N, "image"},
                {N + 1, "eikonal"}};
  for (int b = 0; b < 4; b++) {
    for (int p = 0; p < 5; p++) {
      Exact exact = create();
      real gradient[N];
      double terms[N_TERMS];
      int group = -1, i = places[p].column;
      fill(9, 33, 1, 4);
      if (b % 2) sum_in_order(&exact, gradient, terms); /* found with and without a scale */
      if (i < N) tiles.gradients[17][i] = (real)bad[b];
      if (i >= N) tiles.terms[17][i - N] = bad[b];
      assert_int_equal(sum(&exact, 5, 4, gradient, terms, &group), EXACT_NONFINITE);
      assert_string_equal(exact_group_name(&exact, &objective, group), places[p].name);
      exact_destroy(&exact);
    }
  }
}

static void test_terms_are_named_before_tensors(void **state) {
  (void)state;
  Exact exact = create();
  real gradient[N];
  double terms[N_TERMS];
  int group;
  fill(10, 9, 1, 4);
  tiles.gradients[1][0] = (real)NAN;
  tiles.terms[8][1] = NAN;
  assert_int_equal(sum(&exact, 1, 1, gradient, terms, &group), EXACT_NONFINITE);
  assert_string_equal(exact_group_name(&exact, &objective, group), "eikonal");
  tiles.terms[5][0] = INFINITY;
  assert_int_equal(sum(&exact, 1, 1, gradient, terms, &group), EXACT_NONFINITE);
  assert_string_equal(exact_group_name(&exact, &objective, group), "image");
  exact_destroy(&exact);
}

/* Zeros need no scale and change none: neither the first ones, nor later ones. */
static void test_zeros(void **state) {
  (void)state;
  Exact exact = create();
  real gradient[N];
  double terms[N_TERMS];
  tiles = (Tiles){.count = 12};
  tiles.gradients[3][5] = (real)-0.0;
  assert_false(sum_in_order(&exact, gradient, terms));
  for (int i = 0; i < N; i++) assert_true(gradient[i] == 0);
  assert_true(terms[0] == 0 && terms[1] == 0);
  fill(11, 12, 1e-9, 4);
  assert_true(sum_in_order(&exact, gradient, terms));
  int64_t exponent = exact.exponents[0];
  tiles = (Tiles){.count = 12};
  assert_false(sum_in_order(&exact, gradient, terms));
  for (int i = 0; i < N; i++) assert_true(gradient[i] == 0);
  assert_int_equal(exact.exponents[0], exponent);
  exact_destroy(&exact);
}

static void test_smallest_and_largest_numbers(void **state) {
  (void)state;
  static const float extremes[] = {1e-45f, 3e-39f, FLT_MIN, 1e-30f, 1e37f, FLT_MAX};
  for (int e = 0; e < 6; e++) {
    Exact exact = create();
    real gradient[N];
    double terms[N_TERMS];
    tiles = (Tiles){.count = 3};
    for (int t = 0; t < 3; t++) {
      tiles.gradients[t][7] = (real)(t == 1 ? -extremes[e] : extremes[e]);
      tiles.terms[t][0] = (double)extremes[e];
    }
    sum_in_order(&exact, gradient, terms);
    assert_true(gradient[7] == (real)extremes[e]);
    assert_true(terms[0] == 3 * (double)extremes[e]);
    exact_destroy(&exact);
  }
}

static void test_terms_only(void **state) {
  (void)state;
  Exact exact = create();
  real gradient[N];
  double expected[N_TERMS], terms[N_TERMS];
  fill(12, 40, 1, 4);
  sum_in_order(&exact, gradient, expected);
  int64_t exponent = exact.exponents[0];
  assert_false(sum_in_order(&exact, NULL, terms));
  assert_memory_equal(terms, expected, sizeof terms);
  assert_int_equal(exact.exponents[0], exponent);
  assert_true(exact_begin(&exact, true) == 0);
  assert_true(exact_begin(&exact, false) > N);
  exact_destroy(&exact);
}

/* The most tiles that a step may have, all at the bound: nothing overflows. */
static void test_most_tiles(void **state) {
  (void)state;
  const double value = 0x1.fffffep0;
  static const Tensor one = {"a", 0, 1, 1};
  const Objective single = {
      .n_parameters = 1, .n_tensors = 1, .tensors = &one, .n_terms = 1, .terms = {{"t", 1}}};
  Exact exact;
  assert_int_equal(exact_create(&single, &exact), STATUS_OK);
  exact.tiles = EXACT_MAX_TILES;
  exact.exponents[0] = exact.exponents[1] = 1; /* the tightest bound: no guard bits left */
  int64_t *buffer = calloc(exact.size, sizeof *buffer);
  assert_non_null(buffer);
  real gradient = (real)-value;
  for (int t = 0; t < EXACT_MAX_TILES; t++) exact_add(&exact, &gradient, &value, buffer);
  double term;
  int group;
  assert_int_equal(exact_finish(&exact, buffer, &gradient, &term, &group), EXACT_DONE);
  assert_true(term == EXACT_MAX_TILES * value);
  assert_true(gradient == (real)(-EXACT_MAX_TILES * value));
  free(buffer);
  exact_destroy(&exact);
}

static void test_without_parameters(void **state) {
  (void)state;
  const Objective bare = {.n_terms = 1, .terms = {{"t", 1}}};
  Exact exact;
  assert_int_equal(exact_create(&bare, &exact), STATUS_OK);
  int64_t *buffer = calloc(exact.size, sizeof *buffer);
  assert_non_null(buffer);
  exact.tiles = 1;
  exact.exponents[0] = 3;
  double term = 2.5, sum_of_terms;
  real none;
  int group;
  exact_add(&exact, &none, &term, buffer);
  assert_int_equal(exact_finish(&exact, buffer, &none, &sum_of_terms, &group), EXACT_DONE);
  assert_true(sum_of_terms == 2.5);
  free(buffer);
  exact_destroy(&exact);
}

/* Flags are plain counts beside everything else. */
static void test_flags(void **state) {
  (void)state;
  Exact exact = create();
  real gradient[N];
  double terms[N_TERMS];
  int group;
  fill(14, 1, 1, 4);
  sum_in_order(&exact, gradient, terms);
  int64_t *buffer = calloc(exact.size, sizeof *buffer);
  assert_non_null(buffer);
  size_t flag = exact_flag(&exact, EXACT_FLAG_STOP);
  assert_true(flag >= exact_begin(&exact, false) && flag < exact.size);
  exact_add(&exact, tiles.gradients[0], tiles.terms[0], buffer);
  assert_int_equal(buffer[flag], 0);
  buffer[flag] = 4;
  real again[N];
  assert_int_equal(exact_finish(&exact, buffer, again, terms, &group), EXACT_DONE);
  assert_memory_equal(again, gradient, sizeof gradient);
  free(buffer);
  exact_destroy(&exact);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_first_step_is_redone),
      cmocka_unit_test(test_sum_is_the_sum_of_rounded_values),
      cmocka_unit_test(test_sum_is_exact_within_the_range),
      cmocka_unit_test(test_error_is_small),
      cmocka_unit_test(test_any_order_and_grouping_gives_the_same_bits),
      cmocka_unit_test(test_redone_step_equals_known_scales),
      cmocka_unit_test(test_limits_of_a_scale),
      cmocka_unit_test(test_restored_scales),
      cmocka_unit_test(test_nonfinite_values_are_named),
      cmocka_unit_test(test_terms_are_named_before_tensors),
      cmocka_unit_test(test_zeros),
      cmocka_unit_test(test_smallest_and_largest_numbers),
      cmocka_unit_test(test_terms_only),
      cmocka_unit_test(test_most_tiles),
      cmocka_unit_test(test_without_parameters),
      cmocka_unit_test(test_flags),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
