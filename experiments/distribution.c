#include "experiments/distribution.h"

#include <math.h>
#include <stdlib.h>

#include "core/linalg.h"
#include "core/memory.h"

Moments distribution_moments(size_t n, const double *values) {
  double mean = 0, sum[5] = {0};
  for (size_t i = 0; i < n; i++) mean += values[i];
  mean /= (double)n;
  for (size_t i = 0; i < n; i++) {
    double d = values[i] - mean, square = d * d;
    sum[2] += square;
    sum[3] += square * d;
    sum[4] += square * square;
  }
  for (int p = 2; p <= 4; p++) sum[p] /= (double)n;
  Moments moments = {.mean = mean, .deviation = sqrt(sum[2])};
  if (sum[2] > 0) {
    moments.skewness = sum[3] / (sum[2] * moments.deviation);
    moments.kurtosis = sum[4] / (sum[2] * sum[2]) - 3;
  }
  return moments;
}

void distribution_histogram(size_t n, const double *values, double limit, int bins,
                            double *counts) {
  for (size_t i = 0; i < n; i++) {
    if (!(fabs(values[i]) <= limit)) continue;
    int bin = limit > 0 ? (int)((values[i] / limit + 1) / 2 * bins) : bins / 2;
    counts[bin < bins ? bin : bins - 1]++;
  }
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void distribution_sort(size_t n, double *values) {
  qsort(values, n, sizeof *values, compare);
}

double distribution_percentile(size_t n, const double *sorted, double percent) {
  double place = percent / 100 * (double)(n - 1);
  size_t below = (size_t)place, above = below + 1 < n ? below + 1 : below;
  return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

Status distribution_singular(int rows, int columns, const double *matrix, double *values) {
  bool wide = rows < columns;
  int n = wide ? rows : columns;
  double *gram;
  TRY(memory_allocate(&gram, (size_t)n * (size_t)n, sizeof *gram, "singular values"));
  linalg_gram(n, wide ? columns : rows, !wide, 1, matrix, gram);
  Status status = linalg_eigen(n, false, gram, values);
  free(gram);
  for (int i = 0; status == STATUS_OK && i < n; i++) values[i] = sqrt(fmax(values[i], 0));
  return status;
}
