#include "experiments/curve.h"

#include <stdlib.h>

#include "core/memory.h"
#include "io/picture.h"

Status curve_headline(const Setup *setup, const Result *result, const char *name,
                      const CurveStyle *style) {
  const History *history = result->history;
  const Headline *headline = &setup->experiment->functions->headline;
  double *x = NULL;
  TRY(memory_allocate(&x, 2 * (size_t)history->rows, sizeof *x, "a curve"));
  double *y = x + history->rows;
  for (int64_t i = 0; i < history->rows; i++) {
    x[i] = (double)history->step[i];
    y[i] = headline->function(history->values + i * history->n_columns + 1);
  }
  char *path = result_path(result, name);
  Curve curve = {.label = headline->name, .n = history->rows, .x = x, .y = y};
  Status status =
      picture_plot(path, &(Plot){style->title, "step", style->y_label, style->log_y, 1, &curve});
  free(path);
  free(x);
  return status;
}
