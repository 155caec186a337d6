/* Direct solution of sparse complex systems A X = B by LU factors. Made for the matrices of finite
 * differences, whose structure is (nearly) symmetric and whose diagonal is strong: columns are
 * ordered by minimum degree on A + A^T, and a pivot leaves the diagonal only where that is small.
 * The only file that knows SuperLU. In double, whatever `real` is. Its products come from the BLAS,
 * which linalg_start has made single-threaded: small ones get slower by more threads. */
#ifndef CORE_SPARSE_H
#define CORE_SPARSE_H

#include <stdint.h>

#include "core/status.h"

/* Compressed columns. The entries of column j are start[j] ... start[j + 1] - 1; each row comes at
 * most once in a column, in any order. The diagonal's are all there, zero or not: without them
 * SuperLU may find no pivot at all, and crash. Owns its arrays. */
typedef struct {
  int n;      /* rows and columns */
  int *start; /* [n + 1] */
  int *row;   /* [capacity] */
  double _Complex *value;
} SparseMatrix;

/* What a solution took. */
typedef struct {
  int64_t entries;  /* of both factors, zeros that SuperLU stores included */
  double megabytes; /* that they occupy */
  double residual;  /* largest |b - A x| / |b| over the right sides, in the 2-norm */
} SparseUse;

/* Local. A matrix with room for `capacity` entries, to be filled in by the caller. Fails when
 * memory is short or the numbers exceed an int. */
Status sparse_create(int64_t n, int64_t capacity, SparseMatrix *matrix);
void sparse_destroy(SparseMatrix *matrix);

/* Local. x [n_right][n]: right sides, which become the solutions; all share one factorisation.
 * `limit`: bytes that factors may occupy; 0: what the system has to give. How much they need is
 * counted beforehand, so that it fails here and does not end the process. *use may be NULL. Fails
 * (STATUS_FAILED) when memory is short, when a number is not finite, and when the matrix is
 * singular or so close to it that the residual exceeds a millionth; x is then undefined. */
Status sparse_solve(const SparseMatrix *matrix, int n_right, double _Complex *x, double limit,
                    SparseUse *use);

#endif
