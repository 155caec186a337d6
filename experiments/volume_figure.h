/* Slices through a volume, beside those of the network that was fitted to it. */
#ifndef EXPERIMENTS_VOLUME_FIGURE_H
#define EXPERIMENTS_VOLUME_FIGURE_H

#include "core/status.h"

enum { VOLUME_FIGURE_MAX_SLICES = 4 };

/* Truth and fit on one plane, both [height][width] in the field's units. Borrowed. */
typedef struct {
  const char *label; /* "z = 0.5", above the column */
  int height, width;
  const float *truth, *fit;
} VolumeSlice;

typedef struct {
  const char *title;   /* NULL or "": none */
  const char *units;   /* of the field; "" or "1": none */
  const char *caption; /* below each slice of the fit, "38.2 dB"; NULL or "": none */
  double low, high;    /* the field's range: darkest to brightest colour */
  int n_slices;
  const VolumeSlice *slices;
} VolumeFigure;

/* Local. A PNG with a column for each slice and three rows: the field and the fit in the same
 * colours from low to high, and the error, fit - truth, from red (too low) to blue (too high). The
 * error's colours end at the same +-limit in all slices, the least that holds 99.8 % of all errors;
 * captions state both ranges and each slice's largest error. What is not finite is grey. */
Status volume_figure(const char *path, const VolumeFigure *figure);

#endif
