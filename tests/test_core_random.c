/* Random numbers: Philox against its published answers, statistics, and permutations. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/random.h"

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static const RandomPurpose purposes[] = {
#define X(name, number) name,
    RANDOM_PURPOSES(X)
#undef X
};

/* Philox4x64-10 written down from the paper (Salmon et al. 2011, section 3.3). */
static void reference_philox(const uint64_t counter[4], const uint64_t key[2], uint64_t out[4]) {
  uint64_t c[4], k[2] = {key[0], key[1]};
  memcpy(c, counter, sizeof c);
  for (int round = 0; round < 10; round++) {
    unsigned __int128 p = (unsigned __int128)0xD2E7470EE14C6C93u * c[0];
    unsigned __int128 q = (unsigned __int128)0xCA5A826395121157u * c[2];
    uint64_t next[4] = {(uint64_t)(q >> 64) ^ c[1] ^ k[0], (uint64_t)q,
                        (uint64_t)(p >> 64) ^ c[3] ^ k[1], (uint64_t)p};
    memcpy(c, next, sizeof c);
    k[0] += 0x9E3779B97F4A7C15u;
    k[1] += 0xBB67AE8584CAA73Bu;
  }
  memcpy(out, c, sizeof c);
}

/* Random123's kat_vectors, lines "philox4x64 10": counter, key, answer. */
static const uint64_t known_answers[][10] = {
    {0, 0, 0, 0, 0, 0, 0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b,
     0x7e68b68aec7ba23b},
    {~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull, 0x87b092c3013fe90b, 0x438c3c67be8d0224,
     0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0},
    {0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89,
     0x452821e638d01377, 0xbe5466cf34e90c6c, 0xa528f45403e61d95, 0x38c72dbd566e9788,
     0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6},
};

static void test_known_answers(void **state) {
  (void)state;
  uint64_t words[4];
  for (size_t i = 0; i < LENGTH(known_answers); i++) {
    reference_philox(known_answers[i], known_answers[i] + 4, words);
    assert_memory_equal(words, known_answers[i] + 6, sizeof words);
  }
  random_words((RandomStream){0, (RandomPurpose)0, 0}, 0, 0, words);
  assert_memory_equal(words, known_answers[0] + 6, sizeof words);
}

static void test_words_follow_the_contract(void **state) {
  (void)state;
  uint64_t x = 1;
  for (int i = 0; i < 1000; i++) {
    uint64_t draw[4];
    for (int k = 0; k < 4; k++) draw[k] = x = x * 6364136223846793005u + 1442695040888963407u;
    RandomStream stream = {draw[0], purposes[(size_t)i % LENGTH(purposes)], draw[1]};
    uint64_t counter[4] = {draw[2], draw[1], draw[3], 0};
    uint64_t key[2] = {draw[0], (uint64_t)stream.purpose}, expected[4], words[4];
    reference_philox(counter, key, expected);
    random_words(stream, draw[2], draw[3], words);
    assert_memory_equal(words, expected, sizeof words);
  }
}

static void test_purposes_are_unique(void **state) {
  (void)state;
  for (size_t i = 0; i < LENGTH(purposes); i++) {
    assert_true(purposes[i] > 0);
    for (size_t j = 0; j < i; j++) assert_int_not_equal(purposes[i], purposes[j]);
  }
}

static int compare_words(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* All words of neighbouring seeds, purposes, steps, indices and blocks differ: a repeated counter
 * or key would repeat four words; by chance two of 52,000 words agree with probability 1e-10. */
static void test_streams_never_collide(void **state) {
  (void)state;
  enum { SEEDS = 3, STEPS = 4, INDICES = 31, BLOCKS = 5 };
  size_t n = 0, size = SEEDS * STEPS * INDICES * BLOCKS * 4 * LENGTH(purposes);
  uint64_t *words = malloc(size * sizeof *words);
  for (uint64_t seed = 0; seed < SEEDS; seed++)
    for (size_t p = 0; p < LENGTH(purposes); p++)
      for (uint64_t step = 0; step < STEPS; step++)
        for (uint64_t index = 0; index < INDICES; index++)
          for (uint64_t block = 0; block < BLOCKS; block++, n += 4)
            random_words((RandomStream){seed, purposes[p], step}, index, block, words + n);
  assert_int_equal(n, size);
  qsort(words, n, sizeof *words, compare_words);
  for (size_t i = 1; i < n; i++) assert_true(words[i - 1] != words[i]);
  free(words);
}

/* Chi-square over `bins` counts, standardised: about a standard normal for many bins. */
static double chi_square_score(const int *count, int bins, double expected) {
  double sum = 0;
  for (int i = 0; i < bins; i++) sum += pow(count[i] - expected, 2) / expected;
  return (sum - (bins - 1)) / sqrt(2.0 * (bins - 1));
}

static void test_uniform_is_uniform(void **state) {
  (void)state;
  enum { BINS = 256, SAMPLES = 1 << 17 };
  for (int lane = 0; lane < 6; lane++) {
    int count[BINS] = {0};
    RandomStream stream = {20, RANDOM_SAMPLE, 3};
    for (uint64_t i = 0; i < SAMPLES; i++) {
      double u = random_uniform(stream, i, lane);
      assert_true(u >= 0 && u < 1);
      count[(int)(u * BINS)]++;
    }
    assert_true(fabs(chi_square_score(count, BINS, (double)SAMPLES / BINS)) < 4);
  }
}

/* Pairs of lanes, of neighbouring indices and of neighbouring steps fill the unit square evenly. */
static void test_pairs_are_independent(void **state) {
  (void)state;
  enum { SIDE = 16, SAMPLES = 1 << 16, PAIRS = 4 };
  static int count[PAIRS][SIDE * SIDE];
  memset(count, 0, sizeof count);
  RandomStream now = {7, RANDOM_JITTER, 11}, next = {7, RANDOM_JITTER, 12};
  for (uint64_t i = 0; i < SAMPLES; i++) {
    int u = (int)(SIDE * random_uniform(now, i, 0));
    double v[PAIRS] = {random_uniform(now, i, 1), random_uniform(now, i, 4),
                       random_uniform(now, i + 1, 0), random_uniform(next, i, 0)};
    for (int k = 0; k < PAIRS; k++) count[k][u * SIDE + (int)(SIDE * v[k])]++;
  }
  for (int k = 0; k < PAIRS; k++) {
    assert_true(fabs(chi_square_score(count[k], SIDE * SIDE, 256)) < 4);
  }
}

static void test_uniform_has_53_bits_and_lanes_are_words(void **state) {
  (void)state;
  RandomStream stream = {99, RANDOM_CHECK, 5};
  for (uint64_t i = 0; i < 100; i++) {
    uint64_t words[4];
    random_words(stream, i, 2, words);
    for (int k = 0; k < 4; k++) {
      assert_true(random_uniform(stream, i, 8 + k) * 0x1p53 == (double)(words[k] / 2048));
    }
  }
}

static void test_normal_moments(void **state) {
  (void)state;
  enum { SAMPLES = 200000 };
  for (int lane = 0; lane < 4; lane++) {
    double moment[5] = {0}, cross = 0;
    int beyond = 0;
    RandomStream stream = {3, RANDOM_WEIGHT, 1};
    for (uint64_t i = 0; i < SAMPLES; i++) {
      double z = random_normal(stream, i, lane);
      assert_true(isfinite(z));
      for (int k = 1; k <= 4; k++) moment[k] += pow(z, k) / SAMPLES;
      cross += z * random_normal(stream, i, lane ^ 1) / SAMPLES;
      beyond += fabs(z) > 1.959963984540054;
    }
    double unit = 4.5 / sqrt(SAMPLES); /* 4.5 standard errors */
    assert_true(fabs(moment[1]) < unit);
    assert_true(fabs(moment[2] - 1) < unit * sqrt(2));
    assert_true(fabs(moment[3]) < unit * sqrt(15));
    assert_true(fabs(moment[4] - 3) < unit * sqrt(96));
    assert_true(fabs(cross) < unit);
    assert_true(fabs((double)beyond / SAMPLES - 0.05) < unit * sqrt(0.05 * 0.95));
  }
}

static void test_below(void **state) {
  (void)state;
  const uint64_t bounds[] = {1, 2, 3, 7, 1000, (1ull << 40) + 3, 1ull << 63, UINT64_MAX};
  RandomStream stream = {5, RANDOM_SAMPLE, 0};
  for (size_t b = 0; b < LENGTH(bounds); b++) {
    uint64_t largest = 0, smallest = UINT64_MAX;
    for (uint64_t i = 0; i < 2000; i++) {
      uint64_t k = random_below(stream, i, (int)b, bounds[b]);
      assert_true(k < bounds[b]);
      largest = k > largest ? k : largest;
      smallest = k < smallest ? k : smallest;
    }
    assert_true((double)smallest < 0.01 * (double)bounds[b]);
    assert_true((double)(largest + 1) > 0.99 * (double)bounds[b]);
  }
  int count[100] = {0};
  for (uint64_t i = 0; i < 100000; i++) count[random_below(stream, i, 0, 100)]++;
  assert_true(fabs(chi_square_score(count, 100, 1000)) < 4);
}

static void test_permute_is_a_bijection(void **state) {
  (void)state;
  enum { LARGEST = 3000 };
  static unsigned char seen[LARGEST];
  for (uint64_t n = 1; n <= LARGEST; n += n < 300 ? 1 : 37) {
    memset(seen, 0, sizeof seen);
    for (uint64_t i = 0; i < n; i++) {
      uint64_t place = random_permute((RandomStream){1, RANDOM_SAMPLE, n}, i, n);
      assert_true(place < n);
      assert_int_equal(seen[place]++, 0);
    }
  }
}

static void test_permute_large(void **state) {
  (void)state;
  enum { SAMPLES = 1 << 15, BINS = 128 };
  const uint64_t sizes[] = {(1ull << 40) - 87, 1ull << 40, (1ull << 40) + 1, (1ull << 63) + 1,
                            UINT64_MAX};
  static uint64_t places[SAMPLES];
  for (size_t s = 0; s < LENGTH(sizes); s++) {
    int count[BINS] = {0};
    for (uint64_t i = 0; i < SAMPLES; i++) {
      places[i] = random_permute((RandomStream){8, RANDOM_SAMPLE, s}, i, sizes[s]);
      assert_true(places[i] < sizes[s]);
      count[(int)((double)places[i] / (double)sizes[s] * BINS * 0.9999999)]++;
    }
    assert_true(fabs(chi_square_score(count, BINS, (double)SAMPLES / BINS)) < 4);
    qsort(places, SAMPLES, sizeof *places, compare_words);
    for (int i = 1; i < SAMPLES; i++) assert_true(places[i - 1] != places[i]);
  }
}

/* All n! orders of small n come equally often over seeds and steps. */
static void test_permute_reaches_every_order(void **state) {
  (void)state;
  const int factorial[] = {1, 1, 2, 6, 24, 120, 720};
  for (int n = 2; n <= 6; n++) {
    int count[720] = {0}, samples = 100 * factorial[n];
    for (int s = 0; s < samples; s++) {
      uint64_t order[6];
      int rank = 0;
      for (int i = 0; i < n; i++) {
        RandomStream stream = {(uint64_t)(s % 20), RANDOM_SAMPLE, (uint64_t)(s / 20)};
        order[i] = random_permute(stream, (uint64_t)i, (uint64_t)n);
        int smaller = 0;
        for (int j = 0; j < i; j++) smaller += order[j] < order[i];
        rank = rank * (i + 1) + smaller;
      }
      count[rank]++;
    }
    assert_true(chi_square_score(count, factorial[n], 100) < 4);
  }
}

/* A larger permutation looks random: the number of fixed points, of descents, and where a given
 * index goes from step to step. */
static void test_permute_looks_random(void **state) {
  (void)state;
  enum { N = 1000, STEPS = 2000, BINS = 20 };
  double fixed = 0, descents = 0;
  int place_of_zero[BINS] = {0};
  for (uint64_t step = 0; step < STEPS; step++) {
    RandomStream stream = {2, RANDOM_SAMPLE, step};
    uint64_t previous = N;
    for (uint64_t i = 0; i < (step < 200 ? N : 1); i++) {
      uint64_t place = random_permute(stream, i, N);
      fixed += place == i;
      descents += i && place < previous;
      if (i == 0) place_of_zero[place * BINS / N]++;
      previous = place;
    }
  }
  assert_true(fabs(fixed / 200 - 1) < 0.5);                           /* Poisson with mean 1 */
  assert_true(fabs(descents / 200 - 499.5) < 4.5 * sqrt(83.4 / 200)); /* variance (n + 1) / 12 */
  assert_true(fabs(chi_square_score(place_of_zero, BINS, STEPS / BINS)) < 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_answers),
      cmocka_unit_test(test_words_follow_the_contract),
      cmocka_unit_test(test_purposes_are_unique),
      cmocka_unit_test(test_streams_never_collide),
      cmocka_unit_test(test_uniform_is_uniform),
      cmocka_unit_test(test_pairs_are_independent),
      cmocka_unit_test(test_uniform_has_53_bits_and_lanes_are_words),
      cmocka_unit_test(test_normal_moments),
      cmocka_unit_test(test_below),
      cmocka_unit_test(test_permute_is_a_bijection),
      cmocka_unit_test(test_permute_large),
      cmocka_unit_test(test_permute_reaches_every_order),
      cmocka_unit_test(test_permute_looks_random),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
