/* A small problem that is a sum of squares, of two domains with different streams: for the tests of
 * factors and of the natural gradient. */
#ifndef TESTS_LEAST_SQUARES_FIXTURE_H
#define TESTS_LEAST_SQUARES_FIXTURE_H

#include "core/least_squares.h"
#include "tests/network_fixture.h"

enum { FIXTURE_A = 90, FIXTURE_B = 70, FIXTURE_WEIGHT = 3 };

/* Coordinates in (-1, 1), and one number of data. */
static inline void fixture_draw(const void *source, uint64_t step, int64_t first, int rows, real *x,
                                real *data, real *weights) {
  RandomStream stream = {*(const uint64_t *)source, RANDOM_SAMPLE, step};
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < 2; i++) {
      x[2 * r + i] = (real)(2 * random_uniform(stream, (uint64_t)(first + r), i) - 1);
      if (weights) {
        weights[2 * r + i] = (real)(3 * random_uniform(stream, (uint64_t)(first + r), 2 + i) - 1);
      }
    }
    data[r] = (real)(2 * random_uniform(stream, (uint64_t)(first + r), 4) - 1);
  }
}

/* Residual 0: value_0 - data; residual 1, where data are positive: 2 d_1 value_1. */
static inline void fixture_slopes(const TermBlock *block, int which, const void *settings,
                                  double *residual, bool *active) {
  (void)settings;
  for (int r = 0; r < block->rows; r++) {
    int at = r * block->out;
    active[r] = which == 0 || block->data[r] > 0;
    residual[r] = 0;
    if (!active[r]) continue;
    if (which == 0) {
      residual[r] = (double)block->value[at] - (double)block->data[r];
      block->value_bar[at] += 1;
    } else {
      residual[r] = 2 * (double)block->first[1][at + 1];
      block->first_bar[1][at + 1] += 2;
    }
  }
}

/* sqrt(3) (value_0 operator_1 - data) */
static inline void fixture_product(const TermBlock *block, int which, const void *settings,
                                   double *residual, bool *active) {
  (void)which, (void)settings;
  const double root = sqrt(FIXTURE_WEIGHT);
  for (int r = 0; r < block->rows; r++) {
    int a = r * block->out, b = a + 1;
    active[r] = true;
    residual[r] =
        root * ((double)block->value[a] * (double)block->second[0][b] - (double)block->data[r]);
    block->value_bar[a] += (real)(root * (double)block->second[0][b]);
    block->second_bar[0][b] += (real)(root * (double)block->value[a]);
  }
}

/* The same losses as terms. */
static inline double fixture_square(const TermBlock *block, double factor, const void *settings) {
  const int *which = settings;
  double sum = 0;
  for (int r = 0; r < block->rows; r++) {
    int a = r * block->out, b = a + 1;
    double data = (double)block->data[r], e;
    if (*which == 0) {
      e = (double)block->value[a] - data;
      if (block->value_bar) block->value_bar[a] += (real)(2 * factor * e);
    } else if (*which == 1) {
      e = data > 0 ? 2 * (double)block->first[1][b] : 0;
      if (block->value_bar) block->first_bar[1][b] += (real)(4 * factor * e);
    } else {
      double value = (double)block->value[a], second = (double)block->second[0][b];
      e = value * second - data;
      if (block->value_bar) {
        block->value_bar[a] += (real)(2 * factor * e * second);
        block->second_bar[0][b] += (real)(2 * factor * e * value);
      }
    }
    sum += e * e;
  }
  return sum;
}

static inline Problem fixture_problem(const Network *network) {
  static const uint64_t sources[2] = {21, 22};
  static const int which[3] = {0, 1, 2};
  Problem problem = {.network = network, .tile = 32, .n_domains = 2};
  problem.domains[0] = (Domain){
      .name = "a",
      .samples = FIXTURE_A,
      .mean = true,
      .jet = {.first = true},
      .data_width = 1,
      .draw = fixture_draw,
      .source = &sources[0],
      .n_terms = 2,
      .terms = {{"value", 1, fixture_square, &which[0]}, {"slope", 1, fixture_square, &which[1]}},
      .n_residuals = 2,
      .residuals = fixture_slopes};
  problem.domains[1] =
      (Domain){.name = "b",
               .samples = FIXTURE_B,
               .jet = {.first = true, .n_second = 1, .second = {{JET_COLLAPSED, JET_COLLAPSED}}},
               .data_width = 1,
               .operator_weights = true,
               .draw = fixture_draw,
               .source = &sources[1],
               .n_terms = 1,
               .terms = {{"product", FIXTURE_WEIGHT, fixture_square, &which[2]}},
               .n_residuals = 1,
               .residuals = fixture_product};
  return problem;
}

#endif
