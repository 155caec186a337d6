/* Sums whose bits do not depend on the order of the addends: tiles' gradients and loss terms are
 * added as fixed-point int64, where addition is associative (methods 5.3). Every group (a tensor of
 * theta, or a loss term) has its own scale, a power of two taken from the exact maximum that the
 * last step saw, with guard bits; when a tile exceeds it, the step is done again with a larger
 * scale. The maxima travel in the same sum, as counts of exponents. */
#ifndef CORE_EXACT_H
#define CORE_EXACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/objective.h"

/* Layout of the one buffer of int64 that is summed over threads and ranks with plain MPI_SUM:
 * [parameters][terms][exponent counts of every group][flags]. */
typedef struct {
  size_t n_parameters;
  int n_groups; /* tensors, then terms */
  int n_tensors, n_terms;
  const Tensor *tensors; /* borrowed */
  int64_t *
      exponents; /* [n_groups] bound of |addend|: 2^exponent; EXACT_UNKNOWN before the first step */
  int64_t tiles; /* of the step that is summed; fixes the width of an addend */
  size_t size;   /* elements of the buffer */
} Exact;

enum { EXACT_UNKNOWN = INT32_MIN };

/* What the ranks agree on in a step; a sum over ranks of 0 or 1 each. */
typedef enum { EXACT_FLAG_ERROR, EXACT_FLAG_STOP, EXACT_N_FLAGS } ExactFlag;

/* Local. Owns exponents; release with exact_destroy. */
Status exact_create(const Objective *objective, Exact *exact);
void exact_destroy(Exact *exact);

/* Local. Buffer elements for flags live at buffer[exact_flag(...)]. */
size_t exact_flag(const Exact *exact, ExactFlag flag);

/* Local. Adds one tile's gradient [n_parameters] (NULL: none) and terms [n_terms] to a zeroed
 * buffer [size]. */
void exact_add(const Exact *exact, const real *gradient, const double *terms, int64_t *buffer);

/* What became of a reduced buffer. */
typedef enum {
  EXACT_DONE, /* gradient and terms are valid */
  EXACT_REDO, /* a group's scale was unknown or too small: scales are raised, do the step again */
  EXACT_NONFINITE, /* a tile gave NaN or infinity; *group tells where first (terms before tensors)
                    */
} ExactResult;

/* Local. Decodes the reduced buffer into gradient [n_parameters] (NULL: skip) and terms [n_terms],
 * and sets the next step's exponents. The same on every rank, since the buffer is. */
ExactResult exact_finish(Exact *exact, const int64_t *buffer, real *gradient, double *terms,
                         int *group);

/* Local. Name of a group for messages: a tensor's or a term's. */
const char *exact_group_name(const Exact *exact, const Objective *objective, int group);

#endif
