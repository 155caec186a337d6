/* A heat map: one coloured cell, with its number, for each pair of two choices. */
#ifndef IO_PICTURE_HEAT_H
#define IO_PICTURE_HEAT_H

#include <stdbool.h>

#include "core/status.h"

typedef struct {
  const char *title, *x_label, *y_label, *bar_label; /* NULL or "": none of that text */
  int columns, rows;                                 /* at least one of each */
  const char *const *column_labels, *const *row_labels;
  const double *values;     /* [rows][columns], row 0 at the bottom; not finite: a grey cell */
  const char *const *texts; /* [rows][columns], in the cells where there is room for all of them */
  double low, high;         /* the range of the colours; low >= high: that of the values */
  bool log;                 /* colours by the logarithm; what is not positive is grey */
} HeatMap;

/* Local. Writes a PNG with a bar of the colours at the right. */
Status picture_heat(const char *path, const HeatMap *map);

/* Local. Widens [*low, *high], which begins as low > high, to hold the values that have a colour.
 */
void picture_heat_range(const HeatMap *map, double *low, double *high);

#endif
