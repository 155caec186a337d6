#include "experiments/headline.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "io/picture.h"

static Status plot(const Result *result, const char *name, const Plot *plot) {
  char file[64];
  snprintf(file, sizeof file, "%s.png", name);
  char *path = result_path(result, file);
  Status status = picture_plot(path, plot);
  free(path);
  return status;
}

Status headline_plot(const Setup *setup, const Result *result, const char *title,
                     const char *y_label) {
  const History *history = result->history;
  const Headline *headline = &setup->experiment->functions->headline;
  size_t rows = (size_t)history->rows;
  double *x;
  TRY(memory_allocate(&x, 2 * rows, sizeof *x, "a curve"));
  double *y = x + rows;
  for (size_t i = 0; i < rows; i++) {
    x[i] = (double)history->step[i];
    y[i] = headline->function(history->values + i * (size_t)history->n_columns + 1);
  }
  Curve curve = {headline->name, history->rows, x, y};
  Status status = plot(result, headline->name, &(Plot){title, "step", y_label, false, 1, &curve});
  free(x);
  return status;
}
