#include "experiments/volume_figure.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/picture.h"

enum { TRUTH, FIT, ERROR, N_ROWS, MAX_PANELS = N_ROWS * VOLUME_FIGURE_MAX_SLICES };
static const char *const row_labels[N_ROWS] = {"field", "fit", "error"};

/* So many of all errors may be beyond the last colour: one bad sample does not hide the others. */
static const double BEYOND = 0.002;

typedef struct {
  const VolumeFigure *figure;
  float *error[VOLUME_FIGURE_MAX_SLICES]; /* fit - truth */
  double largest[VOLUME_FIGURE_MAX_SLICES];
  double limit;
  Image panels[MAX_PANELS];
  char captions[MAX_PANELS][96];
} Drawing;

static size_t points(const VolumeSlice *slice) {
  return (size_t)slice->height * (size_t)slice->width;
}

static int compare_floats(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* ---- Errors ---- */

static Status take_errors(Drawing *drawing) {
  for (int i = 0; i < drawing->figure->n_slices; i++) {
    const VolumeSlice *slice = &drawing->figure->slices[i];
    size_t n = points(slice);
    TRY(memory_allocate(&drawing->error[i], n, sizeof(float), "a slice's error"));
    for (size_t j = 0; j < n; j++) {
      float error = slice->fit[j] - slice->truth[j];
      drawing->error[i][j] = error;
      if (isfinite(error)) drawing->largest[i] = fmax(drawing->largest[i], fabs((double)error));
    }
  }
  return STATUS_OK;
}

/* Their limit, over all slices. */
static Status find_limit(Drawing *drawing) {
  const VolumeFigure *figure = drawing->figure;
  float *sorted;
  size_t n = 0, finite = 0;
  for (int i = 0; i < figure->n_slices; i++) n += points(&figure->slices[i]);
  TRY(memory_allocate(&sorted, n, sizeof *sorted, "errors"));
  for (int i = 0; i < figure->n_slices; i++) {
    for (size_t j = 0; j < points(&figure->slices[i]); j++) {
      float size = fabsf(drawing->error[i][j]);
      if (isfinite(size)) sorted[finite++] = size;
    }
  }
  qsort(sorted, finite, sizeof *sorted, compare_floats);
  if (finite) drawing->limit = (double)sorted[finite - 1 - (size_t)(BEYOND * (double)finite)];
  free(sorted);
  return STATUS_OK;
}

/* ---- Panels ---- */

static void write_captions(Drawing *drawing, int i, char (*truth)[96], char (*fit)[96],
                           char (*error)[96]) {
  const VolumeFigure *figure = drawing->figure;
  bool pure = !figure->units || !*figure->units || !strcmp(figure->units, "1");
  const char *units = pure ? "" : figure->units, *space = pure ? "" : " ";
  snprintf(*truth, sizeof *truth, "%.3g to %.3g%s%s", figure->low, figure->high, space, units);
  snprintf(*fit, sizeof *fit, "%s", figure->caption ? figure->caption : "");
  snprintf(*error, sizeof *error, "\u00b1%.2g, max %.2g", drawing->limit, drawing->largest[i]);
}

static Status draw_slice(Drawing *drawing, int i) {
  const VolumeFigure *figure = drawing->figure;
  const VolumeSlice *s = &figure->slices[i];
  int n = figure->n_slices, at[N_ROWS] = {i, n + i, 2 * n + i};
  Image *panels = drawing->panels;
  write_captions(drawing, i, &drawing->captions[at[TRUTH]], &drawing->captions[at[FIT]],
                 &drawing->captions[at[ERROR]]);
  TRY(picture_sequential(s->truth, s->height, s->width, figure->low, figure->high,
                         &panels[at[TRUTH]]));
  TRY(picture_sequential(s->fit, s->height, s->width, figure->low, figure->high, &panels[at[FIT]]));
  return picture_signed(drawing->error[i], s->height, s->width, drawing->limit, &panels[at[ERROR]]);
}

static Status write_grid(const char *path, const Drawing *drawing) {
  const VolumeFigure *figure = drawing->figure;
  const char *labels[VOLUME_FIGURE_MAX_SLICES], *captions[MAX_PANELS];
  const Image *panels[MAX_PANELS];
  for (int i = 0; i < figure->n_slices; i++) labels[i] = figure->slices[i].label;
  for (int i = 0; i < N_ROWS * figure->n_slices; i++) {
    captions[i] = drawing->captions[i];
    panels[i] = &drawing->panels[i];
  }
  return picture_grid(path, &(PictureGrid){.rows = N_ROWS,
                                           .columns = figure->n_slices,
                                           .title = figure->title,
                                           .column_labels = labels,
                                           .row_labels = row_labels,
                                           .panels = panels,
                                           .captions = captions});
}

static Status draw(const char *path, Drawing *drawing) {
  TRY(take_errors(drawing));
  TRY(find_limit(drawing));
  for (int i = 0; i < drawing->figure->n_slices; i++) TRY(draw_slice(drawing, i));
  return write_grid(path, drawing);
}

Status volume_figure(const char *path, const VolumeFigure *figure) {
  assert(figure->n_slices >= 1 && figure->n_slices <= VOLUME_FIGURE_MAX_SLICES);
  Drawing drawing = {.figure = figure};
  Status status = draw(path, &drawing);
  for (int i = 0; i < MAX_PANELS; i++) image_destroy(&drawing.panels[i]);
  for (int i = 0; i < figure->n_slices; i++) free(drawing.error[i]);
  return status;
}
