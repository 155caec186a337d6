/* Tensors whose gradient is a sum of few outer products, one for each item of a step (an image):
 *
 *     dL/dW = sum over items i of u_i v_i^T,     W [rows][cols], u_i [rows], v_i [cols].
 *
 * The last layers of a hypernetwork are of this kind, and have nearly all of its parameters. Tiles
 * leave u and v instead of the product; ranks exchange them, and make of the gradient the part that
 * their optimiser needs, when it needs it: of the gradient itself no memory ever holds more than a
 * chunk. Every element is one chain of fused multiply-adds over the items in ascending order, so
 * its bits depend on neither ranks nor threads, without an exact sum.
 *
 * Where every item has parameters of its own (many networks, each fitted to one image), a tensor
 * holds them below each other, and its gradient has item i's in row i. */
#ifndef CORE_OUTER_H
#define CORE_OUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/real.h"

typedef struct {
  const char *name; /* borrowed */
  size_t offset;    /* of W in theta, row-major */
  int rows, cols;
  size_t u, v; /* where u and v begin among an item's */
  bool own;    /* row i of the gradient is u_i [cols] of item i; rows = items, no v */
} OuterTensor;

typedef struct {
  int n_tensors;              /* 0: there are none */
  const OuterTensor *tensors; /* in theta one behind the other, up to its end; borrowed */
  size_t u_size, v_size;      /* reals of an item */
  int64_t items;              /* of a step, >= 1 */
} Outer;

/* Of all items of a step. */
typedef struct {
  real *u, *v; /* [items][u_size], [items][v_size] */
} OuterFactors;

/* Local. Elements of theta before the first such tensor. */
size_t outer_begin(const Outer *outer, size_t n_parameters);

/* Local. The first tensor of which a factor of items first ... end - 1 is NaN or infinite;
 * n_tensors: none. */
int outer_nonfinite(const Outer *outer, const OuterFactors *factors, int64_t first, int64_t end);

/* Local. gradient [count] = scale times elements first ... first + count - 1 of the gradient, which
 * must be such tensors'. */
enum { OUTER_MAX_COLS = 4096 }; /* of tensors that are not `own` */
void outer_gradient(const Outer *outer, const OuterFactors *factors, size_t first, size_t count,
                    double scale, real *gradient);

/* Local. The square of the gradient's L2 norm is the sum over chunks 0 ... outer_chunks - 1, each
 * from the items' inner products, for O(items^2 rows) operations, and not below 0, whatever is lost
 * where items cancel. scratch [outer_scratch]. */
int outer_chunks(const Outer *outer);
size_t outer_scratch(const Outer *outer);
double outer_chunk_square(const Outer *outer, const OuterFactors *factors, int chunk,
                          real *scratch);

#endif
