#include "core/linalg.h"

#include <cblas.h>
#ifdef __SSE3__
#include <pmmintrin.h>
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/product.h"

/* LAPACK of the same library, which has no header for it everywhere. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda,
             double *b, const int *ldb, int *info);
void dsyevd_(const char *job, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

#ifdef SIREN_DOUBLE
#define GEMM cblas_dgemm
#else
#define GEMM cblas_sgemm
#endif

/* Below this width a product is a few vector operations a row, and the packing costs more
 * than its work: first layers (2 to 4 coordinates) and output layers (1 to 3 channels). */
enum { THIN = 4 };

void linalg_start(void) {
  openblas_set_num_threads(1);
#ifdef __SSE3__
  /* Radial functions and Gaussians far from their centres are denormal, and arithmetic on those is
   * a hundred times slower. Threads inherit the mode from the one that starts them. */
  _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
  _MM_SET_DENORMALS_ZERO_MODE(_MM_DENORMALS_ZERO_ON);
#endif
}

const char *linalg_library(void) {
  static char text[128];
  char version[64] = "";
  sscanf(openblas_get_config(), "OpenBLAS %63s", version);
  snprintf(text, sizeof text, "OpenBLAS %s %s", version, openblas_get_corename());
  return text;
}

/* c = alpha a b^T with k <= THIN: every row of c is a combination of k columns of b. */
static void nt_thin_k(int m, int n, int k, real alpha, const real *a, const real *b, real *c) {
  enum { COLUMNS = 512 };
  real column[THIN][COLUMNS];
  for (int j0 = 0; j0 < n; j0 += COLUMNS) {
    int count = n - j0 < COLUMNS ? n - j0 : COLUMNS;
    memset(column, 0, sizeof column);
    for (int j = 0; j < count; j++) {
      for (int p = 0; p < k; p++) column[p][j] = alpha * b[(size_t)(j0 + j) * k + p];
    }
    for (int i = 0; i < m; i++) {
      real x[THIN] = {0};
      for (int p = 0; p < k; p++) x[p] = a[(size_t)i * k + p];
      real *restrict row = c + (size_t)i * n + j0;
#pragma omp simd
      for (int j = 0; j < count; j++) {
        real sum = fused(column[1][j], x[1], column[0][j] * x[0]);
        row[j] = fused(column[3][j], x[3], fused(column[2][j], x[2], sum));
      }
    }
  }
}

/* The dot product of two rows in 16 independent partial sums. */
enum { LANES = 16 };
static inline void dot_parts(int k, const real *restrict x, const real *restrict y,
                             real parts[LANES]) {
  real partial[LANES] = {0};
  int p = 0;
  for (; p + LANES <= k; p += LANES) {
#pragma omp simd
    for (int l = 0; l < LANES; l++) partial[l] = fused(x[p + l], y[p + l], partial[l]);
  }
  for (; p < k; p++) partial[p % LANES] = fused(x[p], y[p], partial[p % LANES]);
  memcpy(parts, partial, sizeof partial);
}

/* c = alpha a b^T with n <= THIN: dot products of rows. Their parts are added one after the other,
 * of many rows at a time, so that an addition need not wait for the one before. */
static void nt_thin_n(int m, int n, int k, real alpha, const real *a, const real *b, real *c) {
  enum { ROWS = 16 };
  real parts[ROWS][LANES] = {0};
  for (int first = 0; first < m; first += ROWS) {
    int rows = m - first < ROWS ? m - first : ROWS;
    for (int j = 0; j < n; j++) {
      for (int i = 0; i < rows; i++) {
        dot_parts(k, a + (size_t)(first + i) * k, b + (size_t)j * k, parts[i]);
      }
      real sum[ROWS] = {0};
      for (int l = 0; l < LANES; l++) {
        for (int i = 0; i < ROWS; i++) sum[i] += parts[i][l];
      }
      for (int i = 0; i < rows; i++) c[(size_t)(first + i) * n + j] = alpha * sum[i];
    }
  }
}

/* c = alpha a b with k <= THIN: every row of c is a combination of the k rows of b. */
static void nn_thin_k(int m, int n, int k, real alpha, const real *a, const real *b, real *c) {
  for (int i = 0; i < m; i++) {
    real *restrict row = c + (size_t)i * n;
    for (int p = 0; p < k; p++) {
      const real *restrict y = b + (size_t)p * n;
      real x = alpha * a[(size_t)i * k + p];
      if (p == 0) {
#pragma omp simd
        for (int j = 0; j < n; j++) row[j] = x * y[j];
      } else {
#pragma omp simd
        for (int j = 0; j < n; j++) row[j] = fused(x, y[j], row[j]);
      }
    }
  }
}

/* c = alpha a^T b with m <= THIN (the output layer): rows of b weighted by the entries of a. */
static void tn_thin_m(int m, int n, int k, real alpha, const real *a, const real *b,
                      bool accumulate, real *c) {
  if (!accumulate) memset(c, 0, sizeof(real) * (size_t)m * n);
  for (int p = 0; p < k; p++) {
    const real *restrict y = b + (size_t)p * n;
    for (int i = 0; i < m; i++) {
      real *restrict row = c + (size_t)i * n;
      real x = alpha * a[(size_t)p * m + i];
#pragma omp simd
      for (int j = 0; j < n; j++) row[j] = fused(x, y[j], row[j]);
    }
  }
}

/* c = alpha a^T b with n <= THIN (the first layer): columns of c are sums of rows of a. */
static void tn_thin_n(int m, int n, int k, real alpha, const real *a, const real *b,
                      bool accumulate, real *c) {
  enum { COLUMNS = 512 };
  real column[THIN][COLUMNS];
  for (int i0 = 0; i0 < m; i0 += COLUMNS) {
    int count = m - i0 < COLUMNS ? m - i0 : COLUMNS;
    memset(column, 0, sizeof column);
    for (int p = 0; p < k; p++) {
      const real *restrict row = a + (size_t)p * m + i0;
      for (int q = 0; q < n; q++) {
        real y = alpha * b[(size_t)p * n + q];
        real *restrict sum = column[q];
#pragma omp simd
        for (int i = 0; i < count; i++) sum[i] = fused(row[i], y, sum[i]);
      }
    }
    for (int i = 0; i < count; i++) {
      for (int q = 0; q < n; q++) {
        real *target = c + (size_t)(i0 + i) * n + q;
        *target = column[q][i] + (accumulate ? *target : 0);
      }
    }
  }
}

void linalg_nt(int m, int n, int k, real alpha, const real *a, const real *b, real *c) {
  if (k <= THIN) {
    nt_thin_k(m, n, k, alpha, a, b, c);
  } else if (n <= THIN) {
    nt_thin_n(m, n, k, alpha, a, b, c);
  } else {
    product_run(&(Product){.m = m,
                           .n = n,
                           .k = k,
                           .alpha = alpha,
                           .a = a,
                           .a_row = (size_t)k,
                           .a_depth = 1,
                           .b = b,
                           .b_depth = 1,
                           .b_column = (size_t)k,
                           .c = c,
                           .c_row = (size_t)n});
  }
}

void linalg_nn(int m, int n, int k, real alpha, const real *a, const real *b, real *c) {
  if (k <= THIN) {
    nn_thin_k(m, n, k, alpha, a, b, c);
  } else {
    product_run(&(Product){.m = m,
                           .n = n,
                           .k = k,
                           .alpha = alpha,
                           .a = a,
                           .a_row = (size_t)k,
                           .a_depth = 1,
                           .b = b,
                           .b_depth = (size_t)n,
                           .b_column = 1,
                           .c = c,
                           .c_row = (size_t)n});
  }
}

void linalg_tn(int m, int n, int k, real alpha, const real *a, const real *b, bool accumulate,
               real *c) {
  if (m <= THIN) {
    tn_thin_m(m, n, k, alpha, a, b, accumulate, c);
  } else if (n <= THIN) {
    tn_thin_n(m, n, k, alpha, a, b, accumulate, c);
  } else {
    product_run(&(Product){.m = m,
                           .n = n,
                           .k = k,
                           .alpha = alpha,
                           .a = a,
                           .a_row = 1,
                           .a_depth = (size_t)m,
                           .b = b,
                           .b_depth = (size_t)n,
                           .b_column = 1,
                           .accumulate = accumulate,
                           .c = c,
                           .c_row = (size_t)n});
  }
}

void linalg_blas_nt(int m, int n, int k, real alpha, const real *a, const real *b, real *c) {
  GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, alpha, a, k, b, k, 0, c, n);
}

void linalg_blas_nn(int m, int n, int k, real alpha, const real *a, const real *b, real *c) {
  GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, alpha, a, k, b, n, 0, c, n);
}

void linalg_blas_tn(int m, int n, int k, real alpha, const real *a, const real *b, bool accumulate,
                    real *c) {
  GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, alpha, a, m, b, n, accumulate ? 1 : 0, c,
       n);
}

/* ---- Cholesky's factors, block by block: each is one thread's, in the same order on any number
 * ---- */

enum { BLOCK = 256 };

typedef struct {
  int n, blocks;
  double *a;
} Triangle;

static int block_side(const Triangle *t, int i) {
  return i < t->blocks - 1 ? BLOCK : t->n - i * BLOCK;
}

static double *block_at(const Triangle *t, int i, int j) {
  return t->a + (size_t)i * BLOCK * (size_t)t->n + (size_t)j * BLOCK;
}

/* L_ik = A_ik L_kk^-T */
static void divide_block(const Triangle *t, int i, int k) {
  cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, block_side(t, i),
              block_side(t, k), 1, block_at(t, k, k), t->n, block_at(t, i, k), t->n);
}

/* A_ij -= L_ik L_jk^T */
static void subtract_block(const Triangle *t, int i, int j, int k) {
  int rows = block_side(t, i), columns = block_side(t, j), depth = block_side(t, k), n = t->n;
  if (i == j) {
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, rows, depth, -1, block_at(t, i, k), n, 1,
                block_at(t, i, i), n);
  } else {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, columns, depth, -1,
                block_at(t, i, k), n, block_at(t, j, k), n, 1, block_at(t, i, j), n);
  }
}

/* Blocks right of and below block k, whose factor is made. */
static void subtract_column(const Triangle *t, int k, int threads) {
#pragma omp parallel num_threads(threads)
  {
#pragma omp for schedule(dynamic)
    for (int i = k + 1; i < t->blocks; i++) divide_block(t, i, k);
#pragma omp for collapse(2) schedule(dynamic)
    for (int i = k + 1; i < t->blocks; i++) {
      for (int j = k + 1; j < t->blocks; j++) {
        if (j <= i) subtract_block(t, i, j, k);
      }
    }
  }
}

/* LAPACK's matrices are column-major: our lower triangle is its upper one. */
bool linalg_cholesky(int n, double *a, double *b, int threads) {
  const Triangle t = {n, (n + BLOCK - 1) / BLOCK, a};
  const int one = 1;
  int info = 0;
  for (int k = 0; k < t.blocks; k++) {
    int side = block_side(&t, k);
    dpotrf_("U", &side, block_at(&t, k, k), &n, &info);
    if (info != 0) return false;
    subtract_column(&t, k, threads);
  }
  dpotrs_("U", &n, &one, a, &n, b, &n, &info);
  return info == 0;
}

/* ---- Symmetric matrices ---- */

void linalg_gram(int n, int k, bool columns, double alpha, const double *a, double *c) {
  cblas_dsyrk(CblasRowMajor, CblasLower, columns ? CblasTrans : CblasNoTrans, n, k, alpha, a,
              columns ? n : k, 0, c, n);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < i; j++)
      c[(size_t)j * (size_t)n + (size_t)i] = c[(size_t)i * (size_t)n + (size_t)j];
  }
}

static void swap(size_t n, double *a, double *b) {
  for (size_t i = 0; i < n; i++) {
    double kept = a[i];
    a[i] = b[i];
    b[i] = kept;
  }
}

/* A vector's sign is LAPACK's whim. */
static void make_positive(size_t n, double *vector) {
  size_t largest = 0;
  for (size_t i = 1; i < n; i++) {
    if (fabs(vector[i]) > fabs(vector[largest])) largest = i;
  }
  double sign = vector[largest] < 0 ? -1 : 1;
  for (size_t i = 0; i < n; i++) vector[i] *= sign;
}

/* LAPACK sorts upwards, and its columns are our rows. */
Status linalg_eigen(int n, bool vectors, double *a, double *values) {
  const char *job = vectors ? "V" : "N";
  double size, *work;
  int ask = -1, integers, info;
  dsyevd_(job, "U", &n, a, &n, values, &size, &ask, &integers, &ask, &info);
  int reals = (int)size;
  int *more;
  TRY(memory_allocate(&work, (size_t)reals, sizeof *work, "eigenvalues"));
  Status status = memory_allocate(&more, (size_t)integers, sizeof *more, "eigenvalues");
  if (status == STATUS_OK) {
    dsyevd_(job, "U", &n, a, &n, values, work, &reals, more, &integers, &info);
    free(more);
  }
  free(work);
  TRY(status);
  if (info != 0 || !isfinite(values[0])) {
    return status_fail(STATUS_FAILED, "a matrix of %d rows has no eigenvalues: not finite", n);
  }
  for (int i = 0; i < n / 2; i++) {
    size_t row = (size_t)n;
    swap(1, &values[i], &values[n - 1 - i]);
    if (vectors) swap(row, a + (size_t)i * row, a + (size_t)(n - 1 - i) * row);
  }
  for (int i = 0; vectors && i < n; i++) make_positive((size_t)n, a + (size_t)i * (size_t)n);
  return STATUS_OK;
}
