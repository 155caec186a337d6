/* Sums whose bits do not depend on the order of the addends: tiles' gradients and loss terms are
 * added as fixed-point int64, where addition is associative (the way of Anton and OpenMM). Every
 * group (a tensor of theta, or a loss term) has its own scale, a power of two taken from the exact
 * maximum that the last step saw, with guard bits; when a tile exceeds it, the step is done again
 * with a larger scale. The maxima travel in the same sum, as counts of exponents.
 *
 * With up to 2^11 tiles an addend is rounded to 2^-43 of the group's last maximum (2^-31 at worst,
 * after a sudden fall): far below float32; in a build with doubles it is the error of the sum. */
#ifndef CORE_EXACT_H
#define CORE_EXACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/objective.h"

/* Layout of the one buffer of int64 that is summed over threads and ranks, modulo 2^64:
 * [parameters][exponent counts of tensors][terms][exponent counts of terms][flags]. */
typedef struct {
  size_t n_parameters;
  int n_groups; /* tensors, then terms */
  int n_tensors, n_terms;
  const Tensor *tensors; /* borrowed */
  int64_t *exponents;    /* [n_groups] |addend| < 2^exponent, or EXACT_UNKNOWN */
  int64_t tiles; /* of the step that is summed, 1..EXACT_MAX_TILES; the caller sets it before the
                    first exact_add */
  size_t size;   /* elements of the buffer */
} Exact;

enum {
  EXACT_UNKNOWN = INT32_MIN, /* until the group's first addend that is not zero */
  EXACT_MAX_TILES = 1 << 20,
};

/* What the ranks agree on in a step; a sum over ranks of 0 or 1 each. */
typedef enum { EXACT_FLAG_STOP, EXACT_N_FLAGS } ExactFlag;

/* Local. The objective's tensors must cover theta, but for its outer ones, which have no place
 * here. Owns exponents; release with exact_destroy. */
Status exact_create(const Objective *objective, Exact *exact);
void exact_destroy(Exact *exact);

/* Local. Where the part of the buffer begins that a sum with or without gradient uses; it ends at
 * `size`. */
size_t exact_begin(const Exact *exact, bool with_gradient);

/* Local. Where the parameters end in the buffer; what comes after them decides what becomes of a
 * sum.
 */
size_t exact_counts(const Exact *exact);

/* Local. Index of a flag in the buffer. */
size_t exact_flag(const Exact *exact, ExactFlag flag);

/* Local. Adds one tile's gradient [n_parameters] (NULL: none) and terms [n_terms] to a buffer
 * [size], zeroed from exact_begin() on. Any value may come: NaN and infinity are found by
 * exact_finish. */
void exact_add(const Exact *exact, const real *gradient, const double *terms, int64_t *buffer);

/* What became of a sum. */
typedef enum {
  EXACT_DONE,      /* gradient and terms are valid */
  EXACT_REDO,      /* a group's scale was unknown, too small or far too coarse: scales are now
                      right, do the same step again */
  EXACT_NONFINITE, /* a tile gave NaN or a value over 2^128: *group tells where first (terms before
                      tensors); scales are as they were */
} ExactResult;

/* Local. Decodes the sum of all `tiles` tiles into gradient [n_parameters] (NULL: the sum has none)
 * and terms [n_terms], and sets the next step's exponents. The same on every rank, since the buffer
 * is. */
ExactResult exact_finish(Exact *exact, const int64_t *buffer, real *gradient, double *terms,
                         int *group);

/* Local. The same where only parameters first ... end - 1 are summed in the buffer, and wanted in
 * the gradient. */
ExactResult exact_finish_part(Exact *exact, const int64_t *buffer, size_t first, size_t end,
                              real *gradient, double *terms, int *group);

/* Local. Name of a group for messages: a tensor's or a term's. */
const char *exact_group_name(const Exact *exact, const Objective *objective, int group);

#endif
