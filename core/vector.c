#include "core/vector.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { LANES = 8 };

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

/* Elements of a chunk. */
static size_t chunk_size(size_t n) {
  return (count_blocks(n) + VECTOR_CHUNKS - 1) / VECTOR_CHUNKS * VECTOR_BLOCK;
}

static void part_sums(BlockSum block, size_t n, const real *a, const real *b, size_t first,
                      size_t end, double partial[VECTOR_CHUNKS]) {
  size_t chunk = chunk_size(n);
  memset(partial, 0, VECTOR_CHUNKS * sizeof *partial);
  if (first == end) return;
#pragma omp parallel for schedule(static) if (end - first >= VECTOR_PARALLEL)
  for (size_t begin = first; begin < end; begin += chunk) {
    size_t count = begin + chunk < end ? chunk : end - begin;
    partial[begin / chunk] = chunk_sum(block, count, a + begin, b + begin);
  }
}

void vector_part(size_t n, int part, int parts, size_t *first, size_t *end) {
  size_t chunk = chunk_size(n), chunks = n ? (n + chunk - 1) / chunk : 0;
  *first = chunks * (size_t)part / (size_t)parts * chunk;
  *end = chunks * (size_t)(part + 1) / (size_t)parts * chunk;
  if (*first > n) *first = n;
  if (*end > n) *end = n;
}

void vector_dot_part(size_t n, const real *a, const real *b, size_t first, size_t end,
                     double partial[VECTOR_CHUNKS]) {
  part_sums(block_dot, n, a, b, first, end, partial);
}

/* By halves: the error grows with the logarithm of their number. */
double vector_sum(const double partial[VECTOR_CHUNKS]) {
  double sums[VECTOR_CHUNKS];
  memcpy(sums, partial, sizeof sums);
  for (int half = VECTOR_CHUNKS / 2; half > 0; half /= 2) {
    for (int c = 0; c < half; c++) sums[c] += sums[c + half];
  }
  return sums[0];
}

double vector_dot(size_t n, const real *a, const real *b) {
  double partial[VECTOR_CHUNKS];
  vector_dot_part(n, a, b, 0, n, partial);
  return vector_sum(partial);
}

double vector_dot_short(int n, const real *a, const real *b) {
  double lane[LANES] = {0}, sum = 0;
  int i = 0;
  for (; i + LANES <= n; i += LANES) {
    for (int k = 0; k < LANES; k++) lane[k] += (double)a[i + k] * (double)b[i + k];
  }
  for (; i < n; i++) lane[0] += (double)a[i] * (double)b[i];
  for (int k = 0; k < LANES; k++) sum += lane[k];
  return sum;
}

double vector_norm1(size_t n, const real *a) {
  double partial[VECTOR_CHUNKS];
  part_sums(block_norm1, n, a, a, 0, n, partial);
  return vector_sum(partial);
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
