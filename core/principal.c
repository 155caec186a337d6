#include "core/principal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/linalg.h"
#include "core/memory.h"

/* Below this share of the largest variance is what rounding leaves of none. */
static const double negligible = 1e-12;

/* Rows less their mean, and one of their Gram matrices. */
typedef struct {
  int rows, columns, n; /* n = min(rows, columns) */
  double *mean, *centred, *gram, *values;
} Scatter;

static Status allocate(Scatter *s) {
  const char *what = "principal components";
  size_t rows = (size_t)s->rows, columns = (size_t)s->columns, n = (size_t)s->n;
  TRY(memory_allocate(&s->mean, columns, sizeof(double), what));
  TRY(memory_allocate(&s->centred, rows * columns, sizeof(double), what));
  TRY(memory_allocate(&s->gram, n * n, sizeof(double), what));
  return memory_allocate(&s->values, n, sizeof(double), what);
}

static void destroy(Scatter *s) {
  free(s->mean);
  free(s->centred);
  free(s->gram);
  free(s->values);
}

static void centre(Scatter *s, const double *data) {
  size_t rows = (size_t)s->rows, columns = (size_t)s->columns;
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < columns; c++) s->mean[c] += data[r * columns + c];
  }
  for (size_t c = 0; c < columns; c++) s->mean[c] /= (double)rows;
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < columns; c++) {
      s->centred[r * columns + c] = data[r * columns + c] - s->mean[c];
    }
  }
}

static Status decompose(Scatter *s, const double *data, bool vectors) {
  assert(s->rows >= 2);
  TRY(allocate(s));
  centre(s, data);
  linalg_gram(s->n, s->n == s->rows ? s->columns : s->rows, s->n < s->rows, 1. / (s->rows - 1),
              s->centred, s->gram);
  return linalg_eigen(s->n, vectors, s->gram, s->values);
}

static Scatter scatter_of(int rows, int columns) {
  return (Scatter){.rows = rows, .columns = columns, .n = rows < columns ? rows : columns};
}

/* ---- Components ---- */

static int count_components(const Scatter *s, int most) {
  int n = s->n < s->rows ? s->n : s->rows - 1;
  if (most < n) n = most;
  while (n > 0 && !(s->values[n - 1] > negligible * s->values[0])) n--;
  return n;
}

/* Row i of the Gram matrix's vectors: an axis, or how the rows make one up. */
static void make_axis(const Scatter *s, int i, double *axis) {
  size_t columns = (size_t)s->columns;
  const double *vector = s->gram + (size_t)i * (size_t)s->n;
  if (s->n < s->rows) {
    memcpy(axis, vector, columns * sizeof *axis);
    return;
  }
  double length = sqrt(s->values[i] * (s->rows - 1));
  memset(axis, 0, columns * sizeof *axis);
  for (int r = 0; r < s->rows; r++) {
    const double *row = s->centred + (size_t)r * columns;
    const double share = vector[r] / length;
    for (size_t c = 0; c < columns; c++) axis[c] += share * row[c];
  }
}

static Status fill(Scatter *s, const double *data, int most, Principal *principal) {
  const char *what = "principal components";
  size_t columns = (size_t)s->columns;
  TRY(decompose(s, data, true));
  principal->columns = s->columns;
  principal->n = count_components(s, most);
  size_t n = (size_t)principal->n;
  TRY(memory_allocate(&principal->mean, columns, sizeof(double), what));
  TRY(memory_allocate(&principal->axes, n * columns, sizeof(double), what));
  TRY(memory_allocate(&principal->variance, n, sizeof(double), what));
  memcpy(principal->mean, s->mean, columns * sizeof(double));
  memcpy(principal->variance, s->values, n * sizeof(double));
  for (int i = 0; i < principal->n; i++) make_axis(s, i, principal->axes + (size_t)i * columns);
  return STATUS_OK;
}

Status principal_create(int rows, int columns, const double *data, int most, Principal *principal) {
  Scatter s = scatter_of(rows, columns);
  *principal = (Principal){0};
  Status status = fill(&s, data, most, principal);
  destroy(&s);
  return status;
}

void principal_destroy(Principal *principal) {
  free(principal->mean);
  free(principal->axes);
  free(principal->variance);
  *principal = (Principal){0};
}

void principal_project(const Principal *principal, const double *row, double *coefficients) {
  size_t columns = (size_t)principal->columns;
  for (int i = 0; i < principal->n; i++) {
    const double *axis = principal->axes + (size_t)i * columns;
    double sum = 0;
    for (size_t c = 0; c < columns; c++) sum += axis[c] * (row[c] - principal->mean[c]);
    coefficients[i] = sum;
  }
}

void principal_restore(const Principal *principal, int count, const double *coefficients,
                       double *row) {
  size_t columns = (size_t)principal->columns;
  assert(0 <= count && count <= principal->n);
  memcpy(row, principal->mean, columns * sizeof *row);
  for (int i = 0; i < count; i++) {
    const double *axis = principal->axes + (size_t)i * columns;
    for (size_t c = 0; c < columns; c++) row[c] += coefficients[i] * axis[c];
  }
}

/* ---- Spectra ---- */

Status principal_spectrum(int rows, int columns, const double *data, double *values) {
  Scatter s = scatter_of(rows, columns);
  Status status = decompose(&s, data, false);
  for (int i = 0; status == STATUS_OK && i < s.n; i++) values[i] = fmax(s.values[i], 0);
  destroy(&s);
  return status;
}

double principal_rank(int n, const double *values) {
  double sum = 0, squares = 0;
  for (int i = 0; i < n; i++) {
    sum += values[i];
    squares += values[i] * values[i];
  }
  return squares > 0 ? sum * sum / squares : 0;
}
