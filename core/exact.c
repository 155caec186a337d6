#include "core/exact.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/vector.h"

enum {
  GUARD_BITS = 8,   /* a step's maximum may be this much above the last one's */
  COARSE_BITS = 20, /* a scale this far above the maximum has lost too much: do the step again */
  MAX_WIDTH = 51,   /* bits of an addend: what the conversion below can hold */

  /* Buckets: one for each exponent LOWEST..HIGHEST (smaller ones count as LOWEST), one for what is
   * not finite or larger. Three counts of up to EXACT_MAX_TILES share a word. */
  LOWEST = -160,
  HIGHEST = 128,
  NONFINITE_BUCKET = HIGHEST - LOWEST + 1,
  ZERO_BUCKET = -1,
  COUNT_BITS = 21,
  COUNTS_PER_WORD = 3,
  WORDS = NONFINITE_BUCKET / COUNTS_PER_WORD + 1,
};

/* 1.5 * 2^52: a double this large has a unit of 1, so that x + MAGIC holds rint(x) in its low bits,
 * for |x| <= 2^51. It is a conversion to int64 that every vector unit has: the bits are added as
 * they are, and MAGIC_BITS once per tile is taken off the final sum. */
static const double MAGIC = 0x1.8p52;
static const uint64_t MAGIC_BITS = 0x4338000000000000u;

#if REAL_IS_DOUBLE
typedef uint64_t RealBits;
enum { REAL_FRACTION_BITS = 52, REAL_BIAS = 1023 };
#else
typedef uint32_t RealBits;
enum { REAL_FRACTION_BITS = 23, REAL_BIAS = 127 };
#endif

static size_t tensor_counts(const Exact *exact, int tensor) {
  return exact->n_parameters + (size_t)tensor * WORDS;
}

static size_t term_values(const Exact *exact) {
  return tensor_counts(exact, exact->n_tensors);
}

static size_t group_counts(const Exact *exact, int group) {
  if (group < exact->n_tensors) return tensor_counts(exact, group);
  return term_values(exact) + (size_t)exact->n_terms + (size_t)(group - exact->n_tensors) * WORDS;
}

static size_t tensor_size(const Tensor *tensor) {
  return (size_t)tensor->rows * (size_t)tensor->cols;
}

Status exact_create(const Objective *objective, Exact *exact) {
  *exact = (Exact){.n_parameters = objective_dense(objective),
                   .n_groups = objective->n_tensors + objective->n_terms,
                   .n_tensors = objective->n_tensors,
                   .n_terms = objective->n_terms,
                   .tensors = objective->tensors};
  size_t covered = 0;
  for (int t = 0; t < exact->n_tensors; t++) covered += tensor_size(&exact->tensors[t]);
  assert(covered == exact->n_parameters && "the tensors must cover theta but for outer ones");
  (void)covered;
  exact->size = group_counts(exact, exact->n_groups) + EXACT_N_FLAGS;
  TRY(memory_allocate(&exact->exponents, (size_t)exact->n_groups, sizeof *exact->exponents,
                      "the scales of the exact sum"));
  for (int g = 0; g < exact->n_groups; g++) exact->exponents[g] = EXACT_UNKNOWN;
  return STATUS_OK;
}

void exact_destroy(Exact *exact) {
  free(exact->exponents);
  *exact = (Exact){0};
}

size_t exact_begin(const Exact *exact, bool with_gradient) {
  return with_gradient ? 0 : term_values(exact);
}

size_t exact_counts(const Exact *exact) {
  return exact->n_parameters;
}

size_t exact_flag(const Exact *exact, ExactFlag flag) {
  return exact->size - EXACT_N_FLAGS + (size_t)flag;
}

/* The exponent of the unit of a group's integers: all tiles at the bound still sum below 2^62. */
static int unit_exponent(const Exact *exact, int group) {
  assert(1 <= exact->tiles && exact->tiles <= EXACT_MAX_TILES);
  int tile_bits = 0;
  while ((int64_t)1 << tile_bits < exact->tiles) tile_bits++;
  int width = 62 - tile_bits < MAX_WIDTH ? 62 - tile_bits : MAX_WIDTH;
  int64_t exponent = exact->exponents[group];
  return (exponent == EXACT_UNKNOWN ? 0 : (int)exponent) - width;
}

/* The bucket of the smallest power of two above |x|, given the bits of |x|. */
static int bucket_of(uint64_t bits, int fraction_bits, int bias) {
  if (bits == 0) return ZERO_BUCKET;
  int exponent = (int)(bits >> fraction_bits) - bias + 1;
  if (exponent > HIGHEST) return NONFINITE_BUCKET;
  return exponent < LOWEST ? 0 : exponent - LOWEST;
}

static void count(int64_t *counts, int bucket) {
  if (bucket == ZERO_BUCKET) return;
  counts[bucket / COUNTS_PER_WORD] += (int64_t)1 << COUNT_BITS * (bucket % COUNTS_PER_WORD);
}

/* The highest bucket that was counted. */
static int highest_bucket(const int64_t *counts) {
  const int64_t mask = ((int64_t)1 << COUNT_BITS) - 1;
  for (int bucket = NONFINITE_BUCKET; bucket >= 0; bucket--) {
    int64_t word = counts[bucket / COUNTS_PER_WORD];
    if (word >> COUNT_BITS * (bucket % COUNTS_PER_WORD) & mask) return bucket;
  }
  return ZERO_BUCKET;
}

/* sums += rint(x * scale); returns the largest bits of |x|, whose order is that of |x| with NaN on
 * top. */
static RealBits add_values(const real *restrict x, size_t n, double scale,
                           uint64_t *restrict sums) {
  const RealBits magnitude = (RealBits)-1 >> 1;
  RealBits top = 0;
#pragma omp simd reduction(max : top)
  for (size_t i = 0; i < n; i++) {
    double shifted = (double)x[i] * scale + MAGIC;
    uint64_t integer;
    memcpy(&integer, &shifted, sizeof integer);
    sums[i] += integer;
    RealBits bits;
    memcpy(&bits, &x[i], sizeof bits);
    bits &= magnitude;
    top = bits > top ? bits : top;
  }
  return top;
}

static void add_term(const Exact *exact, int term, double value, int64_t *buffer) {
  int group = exact->n_tensors + term;
  double shifted = value * ldexp(1.0, -unit_exponent(exact, group)) + MAGIC;
  uint64_t integer, bits;
  memcpy(&integer, &shifted, sizeof integer);
  memcpy(&bits, &value, sizeof bits);
  uint64_t *sum = (uint64_t *)buffer + term_values(exact) + term;
  *sum += integer;
  count(buffer + group_counts(exact, group), bucket_of(bits & INT64_MAX, 52, 1023));
}

void exact_add(const Exact *exact, const real *gradient, const double *terms, int64_t *buffer) {
  for (int t = 0; gradient && t < exact->n_tensors; t++) {
    const Tensor *tensor = &exact->tensors[t];
    double scale = ldexp(1.0, -unit_exponent(exact, t));
    RealBits top = add_values(gradient + tensor->offset, tensor_size(tensor), scale,
                              (uint64_t *)buffer + tensor->offset);
    count(buffer + tensor_counts(exact, t), bucket_of(top, REAL_FRACTION_BITS, REAL_BIAS));
  }
  for (int t = 0; t < exact->n_terms; t++) add_term(exact, t, terms[t], buffer);
}

static int64_t decode(const Exact *exact, int64_t sum) {
  return (int64_t)((uint64_t)sum - MAGIC_BITS * (uint64_t)exact->tiles);
}

static void decode_values(const Exact *exact, const int64_t *buffer, size_t first, size_t end,
                          double unit, real *gradient) {
#pragma omp parallel for simd schedule(static) if (parallel : end - first >= VECTOR_PARALLEL)
  for (size_t i = first; i < end; i++) {
    gradient[i] = (real)((double)decode(exact, buffer[i]) * unit);
  }
}

static void decode_all(const Exact *exact, const int64_t *buffer, size_t first, size_t end,
                       real *gradient, double *terms) {
  for (int t = 0; gradient && t < exact->n_tensors; t++) {
    const Tensor *tensor = &exact->tensors[t];
    size_t from = tensor->offset, to = from + tensor_size(tensor);
    if (from < first) from = first;
    if (to > end) to = end;
    if (from >= to) continue;
    decode_values(exact, buffer, from, to, ldexp(1.0, unit_exponent(exact, t)), gradient);
  }
  for (int t = 0; t < exact->n_terms; t++) {
    int64_t sum = decode(exact, buffer[term_values(exact) + (size_t)t]);
    terms[t] = ldexp((double)sum, unit_exponent(exact, exact->n_tensors + t));
  }
}

/* Whether a group's sum is good with the scale it had. Zeros are at any scale. */
static bool scale_fits(const Exact *exact, const int64_t *buffer, int group) {
  int bucket = highest_bucket(buffer + group_counts(exact, group));
  if (bucket == ZERO_BUCKET) return true;
  int64_t slack = exact->exponents[group] - (bucket + LOWEST);
  return 0 <= slack && slack <= COARSE_BITS;
}

/* The next scale comes from this step's maximum alone, so that it depends on no order. */
static void set_scale(Exact *exact, const int64_t *buffer, int group) {
  int bucket = highest_bucket(buffer + group_counts(exact, group));
  if (bucket != ZERO_BUCKET) exact->exponents[group] = bucket + LOWEST + GUARD_BITS;
}

ExactResult exact_finish(Exact *exact, const int64_t *buffer, real *gradient, double *terms,
                         int *group) {
  return exact_finish_part(exact, buffer, 0, exact->n_parameters, gradient, terms, group);
}

ExactResult exact_finish_part(Exact *exact, const int64_t *buffer, size_t first, size_t end,
                              real *gradient, double *terms, int *group) {
  int first_group = gradient ? 0 : exact->n_tensors;
  for (int i = 0; i < exact->n_groups - first_group; i++) { /* terms, then tensors */
    int g = (exact->n_tensors + i) % exact->n_groups;
    if (highest_bucket(buffer + group_counts(exact, g)) == NONFINITE_BUCKET) {
      *group = g;
      return EXACT_NONFINITE;
    }
  }
  bool fits = true;
  for (int g = first_group; g < exact->n_groups; g++) fits &= scale_fits(exact, buffer, g);
  if (fits) decode_all(exact, buffer, first, end, gradient, terms);
  for (int g = first_group; g < exact->n_groups; g++) set_scale(exact, buffer, g);
  return fits ? EXACT_DONE : EXACT_REDO;
}

const char *exact_group_name(const Exact *exact, const Objective *objective, int group) {
  assert(0 <= group && group < exact->n_groups);
  if (group < exact->n_tensors) return exact->tensors[group].name;
  return objective->terms[group - exact->n_tensors].name;
}
