#include "core/vector.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* A sum has at most so many partial sums, whatever the number of threads. */
enum { CHUNKS = 64, LANES = 8 };

typedef double (*BlockSum)(const real *a, const real *b);

static size_t count_blocks(size_t n) {
  return (n + VECTOR_BLOCK - 1) / VECTOR_BLOCK;
}

size_t vector_padded(size_t n) {
  return count_blocks(n) * VECTOR_BLOCK;
}

static double sum_lanes(const double lane[LANES]) {
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static double block_dot(const real *a, const real *b) {
  double lane[LANES] = {0};
  for (int i = 0; i < VECTOR_BLOCK; i += LANES) {
    for (int k = 0; k < LANES; k++) lane[k] += (double)a[i + k] * (double)b[i + k];
  }
  return sum_lanes(lane);
}

static double block_norm1(const real *a, const real *b) {
  (void)b;
  double lane[LANES] = {0};
  for (int i = 0; i < VECTOR_BLOCK; i += LANES) {
    for (int k = 0; k < LANES; k++) lane[k] += fabs((double)a[i + k]);
  }
  return sum_lanes(lane);
}

static double tail_sum(BlockSum block, size_t n, const real *a, const real *b) {
  real padded_a[VECTOR_BLOCK] = {0}, padded_b[VECTOR_BLOCK] = {0};
  memcpy(padded_a, a, n * sizeof *a);
  memcpy(padded_b, b, n * sizeof *b);
  return block(padded_a, padded_b);
}

static double chunk_sum(BlockSum block, size_t n, const real *a, const real *b) {
  double sum = 0;
  size_t i = 0;
  for (; i + VECTOR_BLOCK <= n; i += VECTOR_BLOCK) sum += block(a + i, b + i);
  return i < n ? sum + tail_sum(block, n - i, a + i, b + i) : sum;
}

static double vector_sum(BlockSum block, size_t n, const real *a, const real *b) {
  double partial[CHUNKS] = {0}, sum = 0;
  size_t chunk = (count_blocks(n) + CHUNKS - 1) / CHUNKS * VECTOR_BLOCK;
#pragma omp parallel for schedule(static) if (n >= VECTOR_PARALLEL)
  for (int c = 0; c < CHUNKS; c++) {
    size_t begin = (size_t)c * chunk, end = begin + chunk < n ? begin + chunk : n;
    if (begin < end) partial[c] = chunk_sum(block, end - begin, a + begin, b + begin);
  }
  for (int c = 0; c < CHUNKS; c++) sum += partial[c];
  return sum;
}

double vector_dot(size_t n, const real *a, const real *b) {
  return vector_sum(block_dot, n, a, b);
}

double vector_norm1(size_t n, const real *a) {
  return vector_sum(block_norm1, n, a, a);
}

void vector_add(size_t n, const real *x, double alpha, const real *y, real *out) {
  assert(n % VECTOR_BLOCK == 0);
  const real factor = (real)alpha;
#pragma omp parallel for schedule(static) if (n >= VECTOR_PARALLEL)
  for (size_t b = 0; b < n; b += VECTOR_BLOCK) {
    real block[VECTOR_BLOCK]; /* free of the aliases that out may have */
    for (size_t i = 0; i < VECTOR_BLOCK; i++) block[i] = x[b + i] + factor * y[b + i];
    memcpy(out + b, block, sizeof block);
  }
}

void vector_scale(size_t n, double alpha, real *x) {
  assert(n % VECTOR_BLOCK == 0);
  const real factor = (real)alpha;
#pragma omp parallel for schedule(static) if (n >= VECTOR_PARALLEL)
  for (size_t i = 0; i < n; i++) x[i] *= factor;
}
