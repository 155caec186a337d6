#include "experiments/field_figure.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "io/picture.h"

enum { TRUTH, FIT, ERROR, N_ROWS, MAX_PANELS = N_ROWS * FIELD_FIGURE_MAX_COLUMNS };
static const char *const row_labels[N_ROWS] = {"solver", "network", "difference"};

typedef struct {
  const FieldFigure *figure;
  Image panels[MAX_PANELS];
  const Image *shown[MAX_PANELS]; /* NULL: an empty place */
  char captions[MAX_PANELS][96];
} Drawing;

static Status draw_field(const FieldFigure *figure, const FieldColumn *column, const float *field,
                         Image *image) {
  int height = figure->height, width = figure->width;
  if (column->sequential) {
    return picture_sequential(field, height, width, column->low, column->high, image);
  }
  size_t n = (size_t)height * (size_t)width;
  float *centred, middle = (float)((column->low + column->high) / 2);
  TRY(memory_allocate(&centred, n, sizeof *centred, "a picture"));
  for (size_t i = 0; i < n; i++) centred[i] = field[i] - middle;
  Status status = picture_signed(centred, height, width, (column->high - column->low) / 2, image);
  free(centred);
  return status;
}

static Status draw_error(const FieldFigure *figure, const FieldColumn *column, Image *image) {
  size_t n = (size_t)figure->height * (size_t)figure->width;
  float *error;
  TRY(memory_allocate(&error, n, sizeof *error, "a picture"));
  for (size_t i = 0; i < n; i++) error[i] = column->fit[i] - column->truth[i];
  Status status =
      picture_signed(error, figure->height, figure->width, (column->high - column->low) / 2, image);
  free(error);
  return status;
}

static Status draw_column(Drawing *drawing, int i) {
  const FieldFigure *figure = drawing->figure;
  const FieldColumn *column = &figure->columns[i];
  int at[N_ROWS] = {i, figure->n_columns + i, 2 * figure->n_columns + i};
  for (int row = 0; row < N_ROWS; row++) drawing->shown[at[row]] = &drawing->panels[at[row]];
  snprintf(drawing->captions[at[TRUTH]], 96, "%.3g to %.3g", column->low, column->high);
  snprintf(drawing->captions[at[FIT]], 96, "%s", column->caption ? column->caption : "");
  if (column->truth) {
    TRY(draw_field(figure, column, column->truth, &drawing->panels[at[TRUTH]]));
  } else {
    drawing->shown[at[TRUTH]] = NULL;
  }
  if (column->fit) {
    TRY(draw_field(figure, column, column->fit, &drawing->panels[at[FIT]]));
  } else {
    drawing->shown[at[FIT]] = NULL;
  }
  if (column->truth && column->fit) return draw_error(figure, column, &drawing->panels[at[ERROR]]);
  drawing->shown[at[ERROR]] = NULL;
  return STATUS_OK;
}

static Status write_grid(const char *path, const Drawing *drawing) {
  const FieldFigure *figure = drawing->figure;
  const char *labels[FIELD_FIGURE_MAX_COLUMNS], *captions[MAX_PANELS];
  for (int i = 0; i < figure->n_columns; i++) labels[i] = figure->columns[i].label;
  for (int i = 0; i < N_ROWS * figure->n_columns; i++) captions[i] = drawing->captions[i];
  return picture_grid(path, &(PictureGrid){.rows = N_ROWS,
                                           .columns = figure->n_columns,
                                           .title = figure->title,
                                           .column_labels = labels,
                                           .row_labels = row_labels,
                                           .panels = drawing->shown,
                                           .captions = captions});
}

Status field_figure(const char *path, const FieldFigure *figure) {
  assert(figure->n_columns >= 1 && figure->n_columns <= FIELD_FIGURE_MAX_COLUMNS);
  Drawing drawing = {.figure = figure};
  Status status = STATUS_OK;
  for (int i = 0; status == STATUS_OK && i < figure->n_columns; i++) {
    status = draw_column(&drawing, i);
  }
  if (status == STATUS_OK) status = write_grid(path, &drawing);
  for (int i = 0; i < MAX_PANELS; i++) image_destroy(&drawing.panels[i]);
  return status;
}

double field_figure_bytes(int height, int width, int columns) {
  Image panel = {.height = height, .width = width, .channels = 3};
  const Image *panels[MAX_PANELS];
  const char *texts[MAX_PANELS];
  for (int i = 0; i < MAX_PANELS; i++) {
    panels[i] = &panel;
    texts[i] = "-";
  }
  double pixels = (double)height * width;
  return N_ROWS * columns * 3 * pixels * sizeof(float) +
         picture_grid_bytes(&(PictureGrid){.rows = N_ROWS,
                                           .columns = columns,
                                           .title = "-",
                                           .column_labels = texts,
                                           .row_labels = row_labels,
                                           .panels = panels,
                                           .captions = texts});
}
