#include "experiments/sweep/schedule.h"

#include <math.h>
#include <stdlib.h>

void schedule_sizes(const double *core_seconds, int n, int ranks, int *sizes) {
  double all = 0;
  for (int i = 0; i < n; i++) all += core_seconds[i];
  for (int i = 0; i < n; i++) {
    double share = all > 0 ? ceil(core_seconds[i] / (all / ranks) - 1e-9) : 1;
    sizes[i] = share < 1 ? 1 : share > ranks ? ranks : (int)share;
  }
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double schedule_span(const double *core_seconds, const int *sizes, int n, int ranks, int threads) {
  double *free_at = calloc((size_t)ranks, sizeof *free_at), span = 0;
  if (!free_at) return NAN;
  for (int i = 0; i < n; i++) { /* free_at ascends */
    double end = free_at[sizes[i] - 1] + core_seconds[i] / (threads * sizes[i]);
    for (int r = 0; r < sizes[i]; r++) free_at[r] = end;
    qsort(free_at, (size_t)ranks, sizeof *free_at, compare_doubles);
    span = fmax(span, end);
  }
  free(free_at);
  return span;
}
