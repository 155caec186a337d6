#include "core/sparse.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <slu_zdefs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* Relaxed supernodes hold some zeros; while an array grows, the old and the new one are there. */
static const double stored_share = 1.25, growth_share = 1.5;

static const double largest_residual = 1e-6;

_Static_assert(sizeof(doublecomplex) == sizeof(double _Complex), "complex numbers differ");

/* Bytes of an entry of a factor: a number and, for most, a share of an index. */
enum { ENTRY_BYTES = sizeof(doublecomplex) + sizeof(int) };

Status sparse_create(int64_t n, int64_t capacity, SparseMatrix *matrix) {
  *matrix = (SparseMatrix){0};
  /* SuperLU first asks for a multiple of the entries, and counts in int. */
  if (n < 1 || n >= INT_MAX || capacity > INT_MAX / sp_ienv(6)) {
    return status_fail(STATUS_FAILED,
                       "sparse matrix: %lld rows with %lld entries; SuperLU takes 1 to %d rows and "
                       "at most %d entries",
                       (long long)n, (long long)capacity, INT_MAX - 1, INT_MAX / sp_ienv(6));
  }
  matrix->n = (int)n;
  Status status = memory_allocate(&matrix->start, (size_t)n + 1, sizeof(int), "a sparse matrix");
  if (status == STATUS_OK) {
    status = memory_allocate(&matrix->row, (size_t)capacity, sizeof(int), "a sparse matrix");
  }
  if (status == STATUS_OK) {
    status =
        memory_allocate(&matrix->value, (size_t)capacity, sizeof(doublecomplex), "a sparse matrix");
  }
  if (status != STATUS_OK) sparse_destroy(matrix);
  return status;
}

void sparse_destroy(SparseMatrix *matrix) {
  free(matrix->start);
  free(matrix->row);
  free(matrix->value);
  *matrix = (SparseMatrix){0};
}

/* ---- Checks ---- */

static bool all_finite(const double _Complex *values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const double *parts = (const double *)(values + i);
    if (!isfinite(parts[0]) || !isfinite(parts[1])) return false;
  }
  return true;
}

static Status check_matrix(const SparseMatrix *a) {
  for (int j = 0; j < a->n; j++) {
    bool diagonal = false;
    for (int e = a->start[j]; e < a->start[j + 1]; e++) {
      assert(a->row[e] >= 0 && a->row[e] < a->n);
      diagonal |= a->row[e] == j;
    }
    if (!diagonal) {
      return status_fail(STATUS_FAILED,
                         "sparse solve: column %d of %d lacks its entry on the diagonal", j, a->n);
    }
  }
  if (all_finite(a->value, (size_t)a->start[a->n])) return STATUS_OK;
  return status_fail(STATUS_FAILED,
                     "sparse solve: the matrix of %d unknowns has entries that are not finite",
                     a->n);
}

static double norm(const double _Complex *values, int n) {
  const double *parts = (const double *)values;
  double sum = 0;
  for (int64_t i = 0; i < 2 * (int64_t)n; i++) sum += parts[i] * parts[i];
  return sqrt(sum);
}

/* rest [n] = rest - A x. */
static void subtract_product(const SparseMatrix *a, const double _Complex *x,
                             double _Complex *rest) {
  for (int j = 0; j < a->n; j++) {
    for (int e = a->start[j]; e < a->start[j + 1]; e++) rest[a->row[e]] -= a->value[e] * x[j];
  }
}

/* Overwrites the right sides with the residuals. */
static double largest_of_residuals(const SparseMatrix *a, int n_right, const double _Complex *x,
                                   double _Complex *right) {
  double largest = 0;
  for (int r = 0; r < n_right; r++) {
    const double _Complex *solution = x + (size_t)r * (size_t)a->n;
    double _Complex *rest = right + (size_t)r * (size_t)a->n;
    double size = norm(rest, a->n);
    subtract_product(a, solution, rest);
    double residual = norm(rest, a->n);
    if (residual > 0) residual /= size;
    if (!(residual <= largest)) largest = residual; /* NaN, too */
  }
  return largest;
}

/* ---- Factors ---- */

typedef struct {
  SuperMatrix a, permuted, lower, upper;
  int *order_columns, *order_rows, *tree; /* [n] each; the first: where a column goes */
  superlu_options_t options;
  SuperLUStat_t statistics;
  GlobalLU_t work; /* zero until SuperLU allocates */
  bool have_permuted, have_factors;
} Factors;

/* Entries of L without the diagonal, as structure and order have it, counted up to `most` (Liu:
 * row k of L is the union of the paths from its entries towards k in the elimination tree).
 * scratch [3 n]. */
static int64_t count_lower(const SparseMatrix *a, const int *order, int64_t most, int *scratch) {
  int n = a->n, *column_at = scratch, *parent = scratch + n, *seen = scratch + 2 * (size_t)n;
  for (int j = 0; j < n; j++) column_at[order[j]] = j;
  int64_t count = 0;
  for (int k = 0; k < n && count <= most; k++) {
    int j = column_at[k];
    parent[k] = -1;
    seen[k] = k;
    for (int e = a->start[j]; e < a->start[j + 1]; e++) {
      for (int p = order[a->row[e]]; p < k && seen[p] != k; p = parent[p]) {
        seen[p] = k;
        count++;
        if (parent[p] < 0) parent[p] = k;
      }
    }
  }
  return count;
}

static Status check_size(const SparseMatrix *a, const int *order, double limit) {
  if (!(limit > 0)) limit = memory_available();
  double most = limit > 0 ? limit / (2 * ENTRY_BYTES * stored_share) : INT_MAX;
  bool counts = most > INT_MAX / growth_share; /* what is short: numbers, not memory */
  if (counts) most = INT_MAX / growth_share;
  int *scratch = NULL;
  TRY(memory_allocate(&scratch, 3 * (size_t)a->n, sizeof *scratch, "the order of a matrix"));
  int64_t count = count_lower(a, order, (int64_t)most, scratch) + a->n;
  free(scratch);
  if ((double)count <= most) return STATUS_OK;
  if (counts) {
    return status_fail(STATUS_FAILED,
                       "sparse solve: the factors of %d unknowns have over %.0f "
                       "entries each, more than SuperLU counts; take a smaller grid",
                       a->n, most);
  }
  return status_fail(STATUS_FAILED,
                     "out of memory: the factors of %d unknowns (%d entries) need "
                     "over %.0f MB; take a smaller grid",
                     a->n, a->start[a->n], 1e-6 * limit);
}

static Status order_columns(const SparseMatrix *a, double limit, Factors *f) {
  size_t n = (size_t)a->n;
  TRY(memory_allocate(&f->order_columns, n, sizeof(int), "the order of a matrix"));
  TRY(memory_allocate(&f->order_rows, n, sizeof(int), "the order of a matrix"));
  TRY(memory_allocate(&f->tree, n, sizeof(int), "the order of a matrix"));
  get_perm_c(f->options.ColPerm, &f->a, f->order_columns);
  TRY(check_size(a, f->order_columns, limit));
  sp_preorder(&f->options, &f->a, f->order_columns, f->tree, &f->permuted);
  f->have_permuted = true;
  return STATUS_OK;
}

static Status factorise(const SparseMatrix *a, Factors *f) {
  int info = 0;
  zgstrf(&f->options, &f->permuted, sp_ienv(2), sp_ienv(1), f->tree, NULL, 0, f->order_columns,
         f->order_rows, &f->lower, &f->upper, &f->work, &f->statistics, &info);
  f->have_factors = info <= a->n;
  if (info > a->n) {
    return status_fail(STATUS_FAILED,
                       "out of memory: %.0f MB and more for the factors of %d "
                       "unknowns (%d entries); take a smaller grid",
                       1e-6 * (double)(info - a->n), a->n, a->start[a->n]);
  }
  if (info) {
    return status_fail(STATUS_FAILED,
                       "sparse solve: the matrix of %d unknowns (%d entries) is "
                       "singular (pivot %d is zero)",
                       a->n, a->start[a->n], info);
  }
  return STATUS_OK;
}

static Status substitute(Factors *f, int n_right, double _Complex *x) {
  int n = f->a.nrow, info = 0;
  SuperMatrix right;
  zCreate_Dense_Matrix(&right, n, n_right, (doublecomplex *)x, n, SLU_DN, SLU_Z, SLU_GE);
  zgstrs(NOTRANS, &f->lower, &f->upper, f->order_columns, f->order_rows, &right, &f->statistics,
         &info);
  Destroy_SuperMatrix_Store(&right);
  if (info) return status_fail(STATUS_FAILED, "sparse solve: SuperLU refuses argument %d", -info);
  return STATUS_OK;
}

static void measure(Factors *f, SparseUse *use) {
  mem_usage_t memory;
  zQuerySpace(&f->lower, &f->upper, &memory);
  use->megabytes = 1e-6 * (double)memory.for_lu;
  use->entries = (int64_t)((SCformat *)f->lower.Store)->nnz + ((NCformat *)f->upper.Store)->nnz;
}

static void start(const SparseMatrix *a, Factors *f) {
  *f = (Factors){0};
  set_default_options(&f->options);
  f->options.ColPerm = MMD_AT_PLUS_A;
  f->options.SymmetricMode = YES;
  f->options.Equil = NO;
  f->options.DiagPivotThresh = 0.01;
  StatInit(&f->statistics);
  zCreate_CompCol_Matrix(&f->a, a->n, a->n, a->start[a->n], (doublecomplex *)a->value, a->row,
                         a->start, SLU_NC, SLU_Z, SLU_GE);
}

static void release(Factors *f) {
  if (f->have_factors) {
    Destroy_SuperNode_Matrix(&f->lower);
    Destroy_CompCol_Matrix(&f->upper);
  } else { /* SuperLU leaves what it had when memory ran short */
    superlu_free(f->work.lusup);
    superlu_free(f->work.ucol);
    superlu_free(f->work.lsub);
    superlu_free(f->work.usub);
  }
  if (f->have_permuted) Destroy_CompCol_Permuted(&f->permuted);
  Destroy_SuperMatrix_Store(&f->a);
  StatFree(&f->statistics);
  free(f->order_columns);
  free(f->order_rows);
  free(f->tree);
}

static Status solve(const SparseMatrix *matrix, int n_right, double _Complex *x, double limit,
                    SparseUse *use) {
  Factors factors;
  start(matrix, &factors);
  Status status = order_columns(matrix, limit, &factors);
  if (status == STATUS_OK) status = factorise(matrix, &factors);
  if (status == STATUS_OK) status = substitute(&factors, n_right, x);
  if (status == STATUS_OK) measure(&factors, use);
  release(&factors);
  return status;
}

Status sparse_solve(const SparseMatrix *matrix, int n_right, double _Complex *x, double limit,
                    SparseUse *use) {
  assert(matrix->n >= 1 && n_right >= 1 && matrix->start[0] == 0);
  TRY(check_matrix(matrix));
  size_t count = (size_t)matrix->n * (size_t)n_right;
  if (!all_finite(x, count)) {
    return status_fail(STATUS_FAILED, "sparse solve: right sides of %d unknowns are not finite",
                       matrix->n);
  }
  double _Complex *right = NULL;
  TRY(memory_allocate(&right, count, sizeof *right, "right sides"));
  memcpy(right, x, count * sizeof *right);
  SparseUse found = {0};
  Status status = solve(matrix, n_right, x, limit, &found);
  if (status == STATUS_OK) {
    found.residual = largest_of_residuals(matrix, n_right, x, right);
    if (!(found.residual <= largest_residual)) {
      status = status_fail(STATUS_FAILED,
                           "sparse solve: the matrix of %d unknowns is close to "
                           "singular (a residual of %.1e)",
                           matrix->n, found.residual);
    }
  }
  free(right);
  if (use) *use = found;
  return status;
}
