#include "experiments/sweep/report_trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/runfile.h"

/* n points with a distance between the x and between the y of neighbours, in order of x. */
typedef struct {
  int64_t n, x_step, y_step;
  const double *x, *y;
} Points;

static double x_of(const Points *points, int64_t i) {
  return points->x[i * points->x_step];
}

static double y_of(const Points *points, int64_t i) {
  return points->y[i * points->y_step];
}

static void add(Trace *trace, double x, double y) {
  trace->x[trace->n] = x;
  trace->y[trace->n++] = y;
}

/* Points from `first` up to `end`: the least and the largest, in order of x. */
static void add_bin(const Points *points, int64_t first, int64_t end, Trace *trace) {
  int64_t low = -1, high = -1;
  for (int64_t i = first; i < end; i++) {
    double y = y_of(points, i);
    if (!isfinite(y)) continue;
    if (low < 0 || y < y_of(points, low)) low = i;
    if (high < 0 || y > y_of(points, high)) high = i;
  }
  if (low < 0) return;
  int64_t a = low < high ? low : high, b = low < high ? high : low;
  add(trace, x_of(points, a), y_of(points, a));
  if (b != a) add(trace, x_of(points, b), y_of(points, b));
}

static bool thin(const Points *points, int bins, const char *name, Trace *trace) {
  int64_t n = points->n < bins ? points->n : bins;
  *trace = (Trace){.n = 0};
  if (n == 0) return false;
  if (memory_allocate(&trace->x, 4 * (size_t)n, sizeof *trace->x, "a curve") != STATUS_OK) {
    return false;
  }
  trace->y = trace->x + 2 * n;
  snprintf(trace->name, sizeof trace->name, "%s", name);
  for (int64_t i = 0; i < n; i++) {
    add_bin(points, points->n * i / n, points->n * (i + 1) / n, trace);
  }
  if (trace->n > 0) return true;
  free(trace->x);
  return false;
}

static int column_of(const History *history, const char *name) {
  for (int i = 0; i < history->n_columns; i++) {
    if (!strcmp(history->names[i], name)) return i;
  }
  return -1;
}

static int trace_history(const History *history, int most, int bins, Trace *traces) {
  int total = column_of(history, "total"), n = 0;
  double *steps;
  if (memory_allocate(&steps, (size_t)history->rows, sizeof *steps, "a curve") != STATUS_OK) {
    return 0;
  }
  for (int64_t i = 0; i < history->rows; i++) steps[i] = (double)history->step[i];
  bool single = history->n_columns == 2; /* its only term is the total */
  for (int i = -1; i < history->n_columns && n < most; i++) {
    int column = i < 0 ? total : i;
    if (column < 0 || (i >= 0 && (i == total || (single && total >= 0)))) continue;
    Points points = {history->rows, 1, history->n_columns, steps, history->values + column};
    n += thin(&points, bins, history->names[column], &traces[n]);
  }
  free(steps);
  return n;
}

int trace_run(const BoardRun *run, int most, int bins, Trace traces[TRACE_MOST]) {
  char *path = file_join(run->directory, "run.h5"), *log = file_join(run->directory, "log.jsonl");
  double *steps = NULL, *losses = NULL;
  History history = {0};
  int n = 0;
  if (run->standing == STANDING_COMPLETE && runfile_read_history(path, &history) == STATUS_OK) {
    n = trace_history(&history, most, bins, traces);
    history_destroy(&history);
  } else {
    Points points = {(int64_t)log_losses(log, &steps, &losses), 1, 1, steps, losses};
    n = thin(&points, bins, "total", &traces[0]);
  }
  free(steps);
  free(losses);
  free(log);
  free(path);
  return n;
}

void trace_destroy(int n, Trace *traces) {
  for (int i = 0; i < n; i++) free(traces[i].x);
}
