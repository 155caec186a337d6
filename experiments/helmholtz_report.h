/* What a network made of Helmholtz's equation, beside numerical solvers. */
#ifndef EXPERIMENTS_HELMHOLTZ_REPORT_H
#define EXPERIMENTS_HELMHOLTZ_REPORT_H

#include "experiments/medium.h"
#include "experiments/pml.h"
#include "experiments/suite.h"

/* The equation; borrowed. */
typedef struct {
  const Pml *pml;
  const Medium *medium;
  const PmlSource *source;
} HelmholtzCase;

/* Names for the experiment's list. */
#define HELMHOLTZ_METRICS \
  "error", "error_closed", "solver_error", "solver_error_2", "solver_closed", "solver_closed_2"

/* Collective. On a grid of eval.size nodes a side (257) of [-1, 1]^2, ends included:
 *   metrics   error           relative L2 error of the field in the box [-1/2, 1/2]^2, against the
 *                             solver of 4th order on the same grid;
 *             error_closed    against the closed form, more than 0.07 away from the source (only
 *                             in a uniform medium);
 *             solver_error, solver_error_2   what grids of half the spacing change in the solvers'
 *                             fields of 4th and 2nd order: their own errors;
 *             solver_closed, solver_closed_2 their errors against the closed form;
 *   fields    value, reference [2]: real and imaginary part; velocity
 *   pictures  figure.png, the curve of the headline */
Status helmholtz_report(const Setup *setup, const real *theta, const HelmholtzCase *what,
                        Result *result);

/* Local, for forecasts. */
double helmholtz_report_bytes(const Setup *setup, int rank);
double helmholtz_report_flops(const Setup *setup);

#endif
