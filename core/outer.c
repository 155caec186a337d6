#include "core/outer.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/product.h"
#include "core/vector.h"

enum { CHUNK_ROWS = 4096 };

static size_t tensor_size(const OuterTensor *tensor) {
  return (size_t)tensor->rows * (size_t)tensor->cols;
}

size_t outer_begin(const Outer *outer, size_t n_parameters) {
  return outer->n_tensors ? outer->tensors[0].offset : n_parameters;
}

/* ---- Factors ---- */

static bool all_finite(const real *values, int n) {
  int bad = 0;
#pragma omp simd reduction(| : bad)
  for (int i = 0; i < n; i++) bad |= !isfinite(values[i]);
  return !bad;
}

int outer_nonfinite(const Outer *outer, const OuterFactors *factors, int64_t first, int64_t end) {
  for (int t = 0; t < outer->n_tensors; t++) {
    const OuterTensor *tensor = &outer->tensors[t];
    for (size_t i = (size_t)first; i < (size_t)end; i++) {
      const real *u = factors->u + i * outer->u_size + tensor->u;
      const real *v = factors->v + i * outer->v_size + tensor->v;
      bool good = tensor->own ? all_finite(u, tensor->cols)
                              : all_finite(u, tensor->rows) && all_finite(v, tensor->cols);
      if (!good) return t;
    }
  }
  return outer->n_tensors;
}

/* ---- The gradient ---- */

/* block [count][cols] = scale times rows first ... first + count - 1 of one tensor's. */
static void make_rows(const Outer *outer, const OuterFactors *factors, const OuterTensor *tensor,
                      size_t first, size_t count, double scale, real *block) {
  product_run(&(Product){.m = (int)count,
                         .n = tensor->cols,
                         .k = (int)outer->items,
                         .alpha = (real)scale,
                         .a = factors->u + tensor->u + first,
                         .a_row = 1,
                         .a_depth = outer->u_size,
                         .b = factors->v + tensor->v,
                         .b_depth = outer->v_size,
                         .b_column = 1,
                         .c = block,
                         .c_row = (size_t)tensor->cols});
}

/* Elements of one tensor whose rows are the items' own. */
static void copy_part(const Outer *outer, const OuterFactors *factors, const OuterTensor *tensor,
                      size_t first, size_t count, double scale, real *gradient) {
  const real factor = (real)scale;
  size_t cols = (size_t)tensor->cols;
  while (count > 0) {
    size_t item = first / cols, column = first % cols, left = cols - column;
    const real *u = factors->u + item * outer->u_size + tensor->u + column;
    size_t here = left < count ? left : count;
    for (size_t i = 0; i < here; i++) gradient[i] = factor * u[i];
    gradient += here;
    first += here;
    count -= here;
  }
}

/* Elements of one tensor. A row that is wanted in part is made whole beside it. */
static void make_part(const Outer *outer, const OuterFactors *factors, const OuterTensor *tensor,
                      size_t first, size_t count, double scale, real *gradient) {
  size_t cols = (size_t)tensor->cols;
  while (count > 0) {
    size_t row = first / cols, skip = first % cols, done;
    if (skip == 0 && count >= cols) {
      done = count / cols * cols;
      make_rows(outer, factors, tensor, row, count / cols, scale, gradient);
    } else {
      real whole[OUTER_MAX_COLS];
      done = cols - skip < count ? cols - skip : count;
      make_rows(outer, factors, tensor, row, 1, scale, whole);
      memcpy(gradient, whole + skip, done * sizeof *gradient);
    }
    gradient += done;
    first += done;
    count -= done;
  }
}

void outer_gradient(const Outer *outer, const OuterFactors *factors, size_t first, size_t count,
                    double scale, real *gradient) {
  for (int t = 0; t < outer->n_tensors && count > 0; t++) {
    const OuterTensor *tensor = &outer->tensors[t];
    size_t end = tensor->offset + tensor_size(tensor);
    assert(tensor->own || tensor->cols <= OUTER_MAX_COLS);
    if (first >= end) continue;
    size_t here = end - first < count ? end - first : count;
    (tensor->own ? copy_part : make_part)(outer, factors, tensor, first - tensor->offset, here,
                                          scale, gradient);
    gradient += here;
    first += here;
    count -= here;
  }
}

/* ---- Its norm: |sum_i u_i v_i^T|^2 = sum_ij (u_i . u_j) (v_i . v_j) ---- */

static int tensor_chunks(const OuterTensor *tensor) {
  return (tensor->rows + CHUNK_ROWS - 1) / CHUNK_ROWS;
}

int outer_chunks(const Outer *outer) {
  int chunks = 0;
  for (int t = 0; t < outer->n_tensors; t++) chunks += tensor_chunks(&outer->tensors[t]);
  return chunks;
}

size_t outer_scratch(const Outer *outer) {
  size_t pairs = (size_t)outer->items * (size_t)outer->items;
  for (int t = 0; t < outer->n_tensors; t++) {
    if (!outer->tensors[t].own) return pairs;
  }
  return 0;
}

/* Of rows first ... first + count - 1. */
static double own_square(const Outer *outer, const OuterFactors *factors, const OuterTensor *tensor,
                         int first, int count) {
  double sum = 0;
  for (int i = first; i < first + count; i++) {
    const real *u = factors->u + (size_t)i * outer->u_size + tensor->u;
    sum += vector_dot_short(tensor->cols, u, u);
  }
  return sum;
}

double outer_chunk_square(const Outer *outer, const OuterFactors *factors, int chunk,
                          real *scratch) {
  const OuterTensor *tensor = outer->tensors;
  for (; chunk >= tensor_chunks(tensor); tensor++) chunk -= tensor_chunks(tensor);
  int items = (int)outer->items, first = chunk * CHUNK_ROWS, left = tensor->rows - first;
  if (left > CHUNK_ROWS) left = CHUNK_ROWS;
  if (tensor->own) return own_square(outer, factors, tensor, first, left);
  const real *u = factors->u + tensor->u + first, *v = factors->v + tensor->v;
  product_run(&(Product){.m = items,
                         .n = items,
                         .k = left,
                         .alpha = 1,
                         .a = u,
                         .a_row = outer->u_size,
                         .a_depth = 1,
                         .b = u,
                         .b_depth = 1,
                         .b_column = outer->u_size,
                         .c = scratch,
                         .c_row = (size_t)items});
  double sum = 0;
  for (int i = 0; i < items; i++) {
    for (int j = 0; j <= i; j++) {
      double both = vector_dot_short(tensor->cols, v + (size_t)i * outer->v_size,
                                     v + (size_t)j * outer->v_size);
      sum += (i == j ? 1 : 2) * (double)scratch[i * items + j] * both;
    }
  }
  return sum < 0 ? 0 : sum;
}
