/* Pictures of a wave as time goes on: the solver's field beside the network's. */
#ifndef EXPERIMENTS_WAVE_PICTURES_H
#define EXPERIMENTS_WAVE_PICTURES_H

#include "experiments/suite.h"

enum { WAVE_SNAPSHOTS = 6 };

/* Borrowed. */
typedef struct {
  Grid grid;                        /* [frames][side][side] */
  int64_t snapshot[WAVE_SNAPSHOTS]; /* frames of the strip */
  const float *truth, *fit;         /* [frames][side][side] */
  const float *frame_error;         /* [frames] */
  double limit;                     /* colours end at +-limit */
} WavePictures;

/* Local, on rank 0. strip.png, errors.png, fit.mp4 (without FFmpeg none, which is said) and
 * equation.png. */
Status wave_pictures(const Setup *setup, const Result *result, const WavePictures *pictures);

/* Local, for forecasts. Bytes that they take, of a grid as above. */
double wave_pictures_bytes(const Grid *grid);

#endif
