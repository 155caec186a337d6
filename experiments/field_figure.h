/* Fields over a plane: what a numerical solver found, what a network found, and the difference. */
#ifndef EXPERIMENTS_FIELD_FIGURE_H
#define EXPERIMENTS_FIELD_FIGURE_H

#include <stdbool.h>

#include "core/status.h"

enum { FIELD_FIGURE_MAX_COLUMNS = 8 };

/* Truth and fit, both [height][width]; one of them may be NULL: then it stays alone. Borrowed. */
typedef struct {
  const char *label;   /* above the column */
  const char *caption; /* below the fit; NULL or "": none */
  const float *truth, *fit;
  bool sequential;  /* colours from dark at low to bright at high, else from red over white at the
                       middle to blue */
  double low, high; /* the range of the colours, of the difference +-(high - low) / 2 */
} FieldColumn;

typedef struct {
  const char *title;
  int height, width;
  int n_columns;
  const FieldColumn *columns;
} FieldFigure;

/* Local. A PNG with three rows. What is beyond the range gets its last colour, and captions state
 * the range. */
Status field_figure(const char *path, const FieldFigure *figure);

/* Local, for forecasts. Bytes that it takes. */
double field_figure_bytes(int height, int width, int columns);

#endif
