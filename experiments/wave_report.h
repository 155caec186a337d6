/* What a network made of the wave equation, beside a numerical solver. */
#ifndef EXPERIMENTS_WAVE_REPORT_H
#define EXPERIMENTS_WAVE_REPORT_H

#include "experiments/medium.h"
#include "experiments/suite.h"
#include "experiments/wave_points.h"

/* The equation; borrowed. */
typedef struct {
  const Medium *medium;
  const WavePulse *pulse;
  double scale; /* times the field is what the network gives */
} WaveCase;

/* Names for the experiment's list. */
#define WAVE_METRICS                                                                         \
  "error", "error_0", "error_1", "error_2", "error_3", "error_4", "error_5", "solver_error", \
      "error_closed", "solver_closed"

/* Collective. On wave.frames frames from time 0 to wave.end of eval.size nodes a side (257) of [-1,
 * 1]^2, ends included:
 *   metrics   error         relative L2 error of the field over six snapshots, the frames next to
 *                           0, 1/5, ... 1 of wave.end, against the solver on the same grid, where
 *                           |x| and |y| are at most 1 - t: beyond, nothing determines the field;
 *             error_0 ... error_5   of each of them;
 *             solver_error  the solver's own, by a grid of half the spacing;
 *             error_closed, solver_closed   of network and solver against the closed form (a
 *                           uniform medium's)
 *   fields    value, as the network gives it; reference: [frames][side][side]; frame_error
 * [frames]; velocity pictures  strip.png, errors.png, fit.mp4 (the solver's field at the left);
 * equation.png, the curve of the headline */
Status wave_report(const Setup *setup, const real *theta, const WaveCase *what, Result *result);

/* Collective. `siren eval`: the fields eval.fields on eval.size points along each axis (0: those of
 * the report), time from 0 to wave.end. */
Status wave_eval(const Setup *setup, const real *theta, Result *result);

/* Local, for forecasts. */
double wave_report_bytes(const Setup *setup, int rank);
double wave_report_flops(const Setup *setup);

#endif
