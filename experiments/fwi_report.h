/* What full-waveform inversion found: the medium, and the fields in it. */
#ifndef EXPERIMENTS_FWI_REPORT_H
#define EXPERIMENTS_FWI_REPORT_H

#include "experiments/fwi_data.h"
#include "experiments/suite.h"

/* Borrowed. */
typedef struct {
  const Pml *pml;
  const FwiData *data;
} FwiCase;

/* Names for the experiment's list. */
#define FWI_METRICS                                                                               \
  "misfit", "disc_x", "disc_y", "disc_radius", "disc_contrast", "centre_error", "contrast_error", \
      "slowness_error", "field_error", "solver_misfit"

/* Collective. On a grid of eval.size nodes a side (193) of [-1, 1]^2, ends included:
 *   metrics   misfit          |Phi - received| / |received| over all receivers and sources
 *             disc_x, disc_y, disc_radius, disc_contrast   the disc that fits 1 - m best in the box
 *                             [-1/2, 1/2]^2 (experiments/disc_fit.h); the paper's has contrast 0.75
 *             and, where the medium is known:
 *             centre_error    distance of the centres; contrast_error: relative
 *             slowness_error  |m - true| / |true - 1| in the box
 *             field_error     relative L2 error of all fields in the box, against the solver of 4th
 *                             order in the true medium; solver_misfit: of the solver's fields at
 *                             the receivers
 *   fields    value [2 sources + 1], slowness, and where known true_slowness, reference
 *   pictures  figure.png; received.png, the curve of the headline */
Status fwi_report(const Setup *setup, const real *theta, const FwiCase *what, Result *result);

/* Local. m that follows from the network's last channel at x, as in the second stage of training.
 */
double fwi_slowness(const FwiData *data, double q, const double x[2]);

/* Local, for forecasts. */
double fwi_report_bytes(const Setup *setup, int rank);

#endif
