/* Moments, histograms, percentiles and singular values against closed forms. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "core/linalg.h"
#include "core/random.h"
#include "experiments/distribution.h"

static void assert_near(double found, double expected, double tolerance) {
  if (!(fabs(found - expected) <= tolerance)) fail_msg("%.15g instead of %.15g", found, expected);
}

/* n numbers in equal steps: variance (n^2 - 1) / 12 steps, kurtosis -6 (n^2 + 1) / 5 (n^2 - 1). */
static void test_moments_of_equal_steps(void **state) {
  (void)state;
  enum { STEPS = 101 };
  double values[STEPS], square = STEPS * STEPS;
  for (int i = 0; i < STEPS; i++) values[i] = 1e3 + 0.5 * i;
  Moments m = distribution_moments(STEPS, values);
  assert_near(m.mean, 1025, 1e-10);
  assert_near(m.deviation, 0.5 * sqrt((square - 1) / 12), 1e-10);
  assert_near(m.skewness, 0, 1e-10);
  assert_near(m.kurtosis, -1.2 * (square + 1) / (square - 1), 1e-10);
}

/* A coin that gives 1 once in four: skewness (1 - 2p) / s, kurtosis (1 - 6 p (1 - p)) / s^2. */
static void test_moments_of_a_coin(void **state) {
  (void)state;
  Moments m = distribution_moments(4, (double[]){0, 0, 1, 0});
  assert_near(m.mean, 0.25, 1e-15);
  assert_near(m.deviation, sqrt(3. / 16), 1e-15);
  assert_near(m.skewness, 0.5 / sqrt(3. / 16), 1e-14);
  assert_near(m.kurtosis, (1 - 6 * 3. / 16) / (3. / 16), 1e-14);
}

static void test_moments_of_a_constant(void **state) {
  (void)state;
  Moments m = distribution_moments(3, (double[]){2, 2, 2});
  assert_near(m.mean, 2, 0);
  assert_near(m.deviation, 0, 0);
  assert_near(m.skewness, 0, 0);
  assert_near(m.kurtosis, 0, 0);
}

static void test_moments_of_normal_numbers(void **state) {
  (void)state;
  enum { DRAWS = 100000 };
  static double values[DRAWS];
  for (int i = 0; i < DRAWS; i++) {
    values[i] = 3 + 2 * random_normal((RandomStream){1, RANDOM_CHECK, 0}, (uint64_t)i, 0);
  }
  Moments m = distribution_moments(DRAWS, values); /* within four standard errors */
  assert_near(m.mean, 3, 4 * 2 / sqrt(DRAWS));
  assert_near(m.deviation, 2, 4 * 2 / sqrt(2. * DRAWS));
  assert_near(m.skewness, 0, 4 * sqrt(6. / DRAWS));
  assert_near(m.kurtosis, 0, 4 * sqrt(24. / DRAWS));
}

static void test_histogram(void **state) {
  (void)state;
  double counts[4] = {0, 0, 10, 0};
  const double values[] = {-2, -1.01, -1, 0, 0.99, 1, 2, 2.01, -2.5, NAN, INFINITY};
  distribution_histogram(sizeof values / sizeof *values, values, 2, 4, counts);
  assert_memory_equal(counts, ((double[]){2, 1, 12, 2}), sizeof counts);
  double zeros[3] = {0};
  distribution_histogram(2, (double[]){0, 0}, 0, 3, zeros);
  assert_memory_equal(zeros, ((double[]){0, 2, 0}), sizeof zeros);
}

static void test_percentiles(void **state) {
  (void)state;
  double values[] = {5, 1, 4, 2, 3};
  distribution_sort(5, values);
  assert_memory_equal(values, ((double[]){1, 2, 3, 4, 5}), sizeof values);
  assert_near(distribution_percentile(5, values, 0), 1, 0);
  assert_near(distribution_percentile(5, values, 50), 3, 0);
  assert_near(distribution_percentile(5, values, 90), 4.6, 1e-14);
  assert_near(distribution_percentile(5, values, 100), 5, 0);
  assert_near(distribution_percentile(1, values, 70), 1, 0);
}

/* A turned and stretched plane, wide and tall. */
static void test_singular_values(void **state) {
  (void)state;
  double c = cos(0.3), s = sin(0.3), values[2];
  const double wide[] = {3 * c, -s, 0, 3 * s, c, 0}; /* rotation times diag(3, 1) */
  const double tall[] = {3 * c, 3 * s, -s, c, 0, 0};
  assert_int_equal(distribution_singular(2, 3, wide, values), STATUS_OK);
  assert_near(values[0], 3, 1e-14);
  assert_near(values[1], 1, 1e-14);
  assert_int_equal(distribution_singular(3, 2, tall, values), STATUS_OK);
  assert_near(values[0], 3, 1e-14);
  assert_near(values[1], 1, 1e-14);
}

int main(void) {
  linalg_start();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_moments_of_equal_steps),
      cmocka_unit_test(test_moments_of_a_coin),
      cmocka_unit_test(test_moments_of_a_constant),
      cmocka_unit_test(test_moments_of_normal_numbers),
      cmocka_unit_test(test_histogram),
      cmocka_unit_test(test_percentiles),
      cmocka_unit_test(test_singular_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
