/* Long vectors of reals in blocks of 64, by all threads: every element and every sum has the same
 * bits for any number of threads. */
#ifndef CORE_VECTOR_H
#define CORE_VECTOR_H

#include <stddef.h>

#include "core/real.h"

/* VECTOR_PARALLEL: below so many elements, starting threads costs more than it gives.
 * VECTOR_CHUNKS: a sum has at most so many partial sums, one for each chunk of whole blocks. */
enum { VECTOR_BLOCK = 64, VECTOR_PARALLEL = 1 << 18, VECTOR_CHUNKS = 1024 };

/* Elements first ... end - 1. */
typedef struct {
  size_t first, end;
} VectorRange;

/* Local. n rounded up to whole blocks. */
size_t vector_padded(size_t n);

/* Local. Sum of a_i b_i and of |a_i| in double, in an order that is a function of n alone. */
double vector_dot(size_t n, const real *a, const real *b);
double vector_norm1(size_t n, const real *a);

/* Local. Sum of a_i b_i in double for rows of matrices, in another order, by the calling thread. */
double vector_dot_short(int n, const real *a, const real *b);

/* Local. Part `part` of `parts` of a vector [n], *first ... *end - 1: whole chunks, in order, as
 * even as may be; parts beyond the number of chunks are empty. */
void vector_part(size_t n, int part, int parts, size_t *first, size_t *end);

/* Local. vector_dot in two halves, so that others may have some of the parts: the partial sums of
 * the chunks of such a part (0 for all others); their sum, in vector_dot's order. */
void vector_dot_part(size_t n, const real *a, const real *b, size_t first, size_t end,
                     double partial[VECTOR_CHUNKS]);
double vector_sum(const double partial[VECTOR_CHUNKS]);

/* Local. out = x + alpha y and x = alpha x; out may be x or y. n is a multiple of VECTOR_BLOCK, so
 * that no element is left over for a scalar loop that might round in another way. */
void vector_add(size_t n, const real *x, double alpha, const real *y, real *out);
void vector_scale(size_t n, double alpha, real *x);

#endif
