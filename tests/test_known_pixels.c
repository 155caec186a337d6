/* Which pixels of an image are known: how many, which ones, and how evenly. Seeds are fixed, so
 * that bounds of statistics hold or do not. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "experiments/known_pixels.h"

enum { PIXELS = 60, DRAWS = 6000, MAX = 1024 };

static RandomStream stream_of(uint64_t step) {
  return (RandomStream){3, RANDOM_MASK, step};
}

/* Known pixels among the first `pixels`; nothing but 0 and 1, nothing behind them. */
static int count_known(const uint8_t *known, int pixels) {
  int n = 0;
  for (int i = 0; i < pixels; i++) {
    assert_true(known[i] <= 1);
    n += known[i];
  }
  assert_int_equal(known[pixels], 77);
  return n;
}

/* As many as asked for, thus none twice; whatever was there before. */
static void test_counts(void **state) {
  (void)state;
  static const int sizes[] = {1, 2, 7, 32, 784, MAX};
  uint8_t known[MAX + 1];
  for (int s = 0; s < 6; s++) {
    int pixels = sizes[s];
    for (int n = 0; n <= pixels; n += 1 + n / 40) {
      memset(known, 77, sizeof known);
      known_count(stream_of((uint64_t)n), pixels, n, known);
      assert_int_equal(count_known(known, pixels), n);
    }
    memset(known, 77, sizeof known);
    known_count(stream_of(5), pixels, pixels, known);
    assert_int_equal(count_known(known, pixels), pixels);
  }
}

/* Sum of (observed - expected)^2 / variance of the counts of cells, less its mean, in standard
 * deviations, for m cells. */
static double excess(int m, const int *counts, double expected, double variance) {
  double sum = 0;
  for (int i = 0; i < m; i++) sum += pow(counts[i] - expected, 2) / variance;
  return (sum - m) / sqrt(2. * m);
}

/* Every pixel as often, every pair as often. */
static void test_every_set_as_likely(void **state) {
  (void)state;
  enum { N = 15 };
  static int single[PIXELS], pair[PIXELS * PIXELS];
  uint8_t known[PIXELS];
  for (int d = 0; d < DRAWS; d++) {
    known_count(stream_of((uint64_t)d), PIXELS, N, known);
    for (int i = 0; i < PIXELS; i++) {
      single[i] += known[i];
      for (int j = 0; j < i; j++) pair[i * (i - 1) / 2 + j] += known[i] & known[j];
    }
  }
  double p = (double)N / PIXELS, q = p * (N - 1) / (PIXELS - 1);
  assert_true(fabs(excess(PIXELS, single, DRAWS * p, DRAWS * p * (1 - p))) < 4);
  assert_true(fabs(excess(PIXELS * (PIXELS - 1) / 2, pair, DRAWS * q, DRAWS * q * (1 - q))) < 4);
}

/* All sets of 2 among 5 pixels. */
static void test_few_pixels(void **state) {
  (void)state;
  int counts[32] = {0}, sets[10], n = 0;
  uint8_t known[5];
  for (int d = 0; d < DRAWS; d++) {
    int code = 0;
    known_count(stream_of((uint64_t)d), 5, 2, known);
    for (int i = 0; i < 5; i++) code |= known[i] << i;
    counts[code]++;
  }
  for (int code = 0; code < 32; code++) {
    if (counts[code]) sets[n++ % 10] = counts[code];
  }
  assert_int_equal(n, 10);
  assert_true(excess(10, sets, DRAWS / 10., DRAWS / 10. * 0.9) < 4);
}

static void test_chance(void **state) {
  (void)state;
  static const double chances[] = {0.02, 0.5, 0.9};
  for (int k = 0; k < 3; k++) {
    double p = chances[k], sum = 0, square = 0;
    int single[PIXELS] = {0};
    uint8_t known[PIXELS + 1] = {[PIXELS] = 77};
    for (int d = 0; d < DRAWS; d++) {
      known_chance(stream_of((uint64_t)d), PIXELS, p, known);
      int n = count_known(known, PIXELS);
      sum += n;
      square += pow(n - PIXELS * p, 2);
      for (int i = 0; i < PIXELS; i++) single[i] += known[i];
    }
    double variance = PIXELS * p * (1 - p);
    assert_true(fabs(sum / DRAWS - PIXELS * p) < 4 * sqrt(variance / DRAWS));
    assert_true(fabs(square / DRAWS / variance - 1) < 4 * sqrt(2. / DRAWS) + 1 / variance / 10);
    assert_true(fabs(excess(PIXELS, single, DRAWS * p, DRAWS * p * (1 - p))) < 4);
  }
}

static void test_chance_of_none_and_all(void **state) {
  (void)state;
  uint8_t known[PIXELS + 1] = {[PIXELS] = 77};
  known_chance(stream_of(1), PIXELS, 1, known);
  assert_int_equal(count_known(known, PIXELS), PIXELS);
  known_chance(stream_of(1), PIXELS, 0, known);
  assert_int_equal(count_known(known, PIXELS), 0);
}

/* A pure function of the stream, and another one for each stream. */
static void test_streams(void **state) {
  (void)state;
  uint8_t a[MAX], b[MAX];
  for (uint64_t step = 0; step < 20; step++) {
    known_count(stream_of(step), MAX, 300, a);
    known_count(stream_of(step), MAX, 300, b);
    assert_memory_equal(a, b, MAX);
    known_count(stream_of(step + 1), MAX, 300, b);
    assert_memory_not_equal(a, b, MAX);
    known_count((RandomStream){4, RANDOM_MASK, step}, MAX, 300, b);
    assert_memory_not_equal(a, b, MAX);
    known_chance(stream_of(step), MAX, 0.3, a);
    known_chance(stream_of(step), MAX, 0.3, b);
    assert_memory_equal(a, b, MAX);
    known_chance(stream_of(step + 1), MAX, 0.3, b);
    assert_memory_not_equal(a, b, MAX);
  }
}

static void test_first(void **state) {
  (void)state;
  for (int n = 0; n < PIXELS + 5; n++) {
    uint8_t known[PIXELS + 1];
    memset(known, 77, sizeof known);
    known_first(PIXELS, n, known);
    assert_int_equal(count_known(known, PIXELS), n < PIXELS ? n : PIXELS);
    for (int i = 0; i < PIXELS; i++) assert_int_equal(known[i], i < n);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_counts),
      cmocka_unit_test(test_every_set_as_likely),
      cmocka_unit_test(test_few_pixels),
      cmocka_unit_test(test_chance),
      cmocka_unit_test(test_chance_of_none_and_all),
      cmocka_unit_test(test_streams),
      cmocka_unit_test(test_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
