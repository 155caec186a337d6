/* Ranks for the runs of a sweep. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "experiments/sweep/schedule.h"

enum { MOST = 64 };

static void expect_sizes(const double *seconds, int n, int ranks, const int *expected) {
  int sizes[MOST];
  schedule_sizes(seconds, n, ranks, sizes);
  for (int i = 0; i < n; i++) assert_int_equal(sizes[i], expected[i]);
}

static void test_sizes(void **state) {
  (void)state;
  expect_sizes((const double[]){5}, 1, 4, (const int[]){4});
  expect_sizes((const double[]){5, 5}, 2, 4, (const int[]){2, 2});
  expect_sizes((const double[]){4, 1, 1, 1, 1}, 5, 4, (const int[]){2, 1, 1, 1, 1});
  expect_sizes((const double[]){1, 1, 1, 1, 1, 1, 1}, 7, 4, (const int[]){1, 1, 1, 1, 1, 1, 1});
  expect_sizes((const double[]){9, 1}, 2, 1, (const int[]){1, 1});
  expect_sizes((const double[]){0, 0}, 2, 4, (const int[]){1, 1}); /* nothing is known */
}

/* However many runs and ranks: sizes fall, fit, and nobody ends later than the slowest way. */
static void test_bounds(void **state) {
  (void)state;
  for (int ranks = 1; ranks <= 16; ranks++) {
    for (int n = 1; n < MOST; n += 3) {
      double seconds[MOST], all = 0;
      int sizes[MOST];
      for (int i = 0; i < n; i++) all += seconds[i] = 100.0 / (1 + i * i % 17 + i);
      for (int i = 1; i < n; i++) seconds[i] = fmin(seconds[i], seconds[i - 1]);
      all = 0;
      for (int i = 0; i < n; i++) all += seconds[i];
      schedule_sizes(seconds, n, ranks, sizes);
      for (int i = 0; i < n; i++) {
        assert_in_range(sizes[i], 1, ranks);
        if (i > 0) assert_true(sizes[i] <= sizes[i - 1]);
      }
      double span = schedule_span(seconds, sizes, n, ranks, 1);
      assert_true(span >= all / ranks * (1 - 1e-12));
      assert_true(span <= all * (1 + 1e-12));
      assert_true(fabs(schedule_span(seconds, sizes, n, ranks, 4) - span / 4) < 1e-9 * span);
    }
  }
}

static void test_span(void **state) {
  (void)state;
  const double seconds[] = {4, 3, 2, 2};
  const int ones[] = {1, 1, 1, 1}, two[] = {2, 1, 1, 1};
  assert_true(schedule_span(seconds, ones, 4, 1, 1) == 11);
  assert_true(schedule_span(seconds, ones, 4, 2, 1) == 6); /* 4 + 2, 3 + 2 */
  assert_true(schedule_span(seconds, two, 4, 2, 1) == 6);  /* 2 on both, then 3, 2 + 2 */
  assert_true(schedule_span(seconds, ones, 4, 4, 2) == 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_bounds),
      cmocka_unit_test(test_span),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
