/* Where the equations of waves are asked for, drawn anew in every step, and the pulse that a wave
 * begins as. */
#ifndef EXPERIMENTS_WAVE_POINTS_H
#define EXPERIMENTS_WAVE_POINTS_H

#include <stdbool.h>

#include "core/random.h"
#include "core/real.h"
#include "io/config.h"

/* Samples along a side that count as the data's size for the Nyquist rule of the positional
 * encoding: the released code's 230 for Helmholtz's equation. */
enum { WAVE_SIDE = 230 };

/* Numbers in [0, 1) for each point of a step: random ones, or even ones, which fill a square or
 * cube without clusters and gaps, shifted at random as a whole (Roberts' sequences R2 to R4). */
typedef struct {
  RandomStream stream; /* lanes 0 ... axes - 1 of index 0, or of each point */
  int axes;            /* 2 to 4 */
  bool even;
} WaveUnits;

/* Local, pure. u [axes] */
void wave_unit(const WaveUnits *units, uint64_t index, double *u);

/* Where points are drawn. */
typedef struct {
  double x[2];         /* near this place ... */
  double core, radius; /* ... core > 0: with a uniform logarithm of the distance, from core to
                          radius; 0: uniform in the disc of this radius */
} WaveFocus;

/* Local, pure. A point of [-1, 1]^2, of each of whose coordinates this share is in [-1/2, 1/2]
 * (1/2: uniform); a point near a place. */
void wave_point(const double u[2], double share, real x[2]);
void wave_point_near(const double u[2], const WaveFocus *focus, real x[2]);

/* How the points of a step are drawn and weighed for Helmholtz's equation with sources: the options
 * SECTION.points, .box_share, .source_radius, .source_core, .weight_radius, .weight_layer. */
typedef struct {
  bool even;
  double box_share, radius, core, weight_radius, weight_layer;
} WavePlan;

/* Local. Fails (STATUS_USAGE) where the core is not below the radius. */
Status wave_plan_read(const Config *config, const char *section, WavePlan *plan);

/* Local, pure. Weight of a residual at x in the field of a source, 1 where the options are 0: near
 * the source f is large where the field is small, and in the layer nobody looks at it. */
double wave_weight(const WavePlan *plan, const double source[2], const double x[2]);

/* Local. STATUS_USAGE, naming train.samples, for "all": a square has no end of points; naming
 * eval.size, for grids that are too small for the numerical solvers. */
enum { WAVE_LEAST_SIDE = 16 };
Status wave_points_check(const Config *config, int64_t samples);

/* p(x) = height exp(-|x - centre|^2 / (2 variance)), and 0 where that is below 1e-5 (paper.md
 * section 7). */
typedef struct {
  double x[2], height, variance;
} WavePulse;

/* Local, pure. */
double wave_pulse(const WavePulse *pulse, const double x[2]);

#endif
