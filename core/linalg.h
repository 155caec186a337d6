/* Dense matrix products on row-major matrices, single-threaded: threads take tiles, never parts of
 * a product, and blocks of a factorisation. Thin shapes are plain loops, all others core/product.h.
 * The only file that knows the BLAS, which is the reference that tests and `siren bench` compare
 * with. */
#ifndef CORE_LINALG_H
#define CORE_LINALG_H

#include <stdbool.h>

#include "core/real.h"
#include "core/status.h"

/* Local. Makes the BLAS single-threaded and takes denormal numbers as zero; once, before any thread
 * starts. */
void linalg_start(void);

/* Local. Name, version and kernel family of the library, e.g. "OpenBLAS 0.3.21 SkylakeX". */
const char *linalg_library(void);

/* Local. c [m][n] = alpha a [m][k] b [n][k]^T: a layer's forward. */
void linalg_nt(int m, int n, int k, real alpha, const real *a, const real *b, real *c);

/* Local. c [m][n] = alpha a [m][k] b [k][n]: a layer's input adjoint. */
void linalg_nn(int m, int n, int k, real alpha, const real *a, const real *b, real *c);

/* Local. c [m][n] = alpha a [k][m]^T b [k][n] (+ c if accumulate): a layer's weight gradient. */
void linalg_tn(int m, int n, int k, real alpha, const real *a, const real *b, bool accumulate,
               real *c);

/* Local. Solves A x = b in double by Cholesky's factors, on so many threads and with the same bits
 * on any number: a [n][n] symmetric positive definite, of which the lower triangle (a[i * n + j],
 * j <= i) is read and overwritten and the rest left alone; b [n] becomes x. False where it is not
 * positive definite. */
bool linalg_cholesky(int n, double *a, double *b, int threads);

/* Local. c [n][n] = alpha times the inner products of the rows of a [n][k]; or, where `columns` is
 * set, of the columns of a [k][n]. */
void linalg_gram(int n, int k, bool columns, double alpha, const double *a, double *c);

/* Local. Eigenvalues of the symmetric a [n][n], the largest first, in values [n]. With `vectors`,
 * row i of a becomes the i-th one's unit vector, whose largest number is positive; else a is lost.
 * Fails for lack of memory, and on numbers that are not finite. */
Status linalg_eigen(int n, bool vectors, double *a, double *values);

/* Local. The same products by the BLAS, whatever the shape. */
void linalg_blas_nt(int m, int n, int k, real alpha, const real *a, const real *b, real *c);
void linalg_blas_nn(int m, int n, int k, real alpha, const real *a, const real *b, real *c);
void linalg_blas_tn(int m, int n, int k, real alpha, const real *a, const real *b, bool accumulate,
                    real *c);

#endif
