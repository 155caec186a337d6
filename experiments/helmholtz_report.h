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
#define HELMHOLTZ_METRICS                                                                   \
  "error", "error_real", "solver_error", "solver_error_2", "error_closed", "solver_closed", \
      "solver_closed_2"

/* Collective. On a grid of eval.size nodes a side (193) of [-1, 1]^2, ends included:
 *   metrics   error           relative L2 error of the field in the box [-1/2, 1/2]^2, against the
 *                             solver of 4th order on the same grid; error_real: of its real part;
 *             solver_error    that of this solver, by a grid of twice the spacing; solver_error_2:
 * of the solver of 2nd order, by the one of 4th; error_closed, solver_closed, solver_closed_2   of
 * network and solvers against the closed form, more than 0.07 away from the source (a uniform
 * medium's, or that outside of a disc which the source is beside) fields    value, reference [2]:
 * real and imaginary part; velocity pictures  figure.png; residual.png, the curve of the headline
 */
Status helmholtz_report(const Setup *setup, const real *theta, const HelmholtzCase *what,
                        Result *result);

/* Local. The grid of such a report, for the network's value; of an inversion's, too. */
ResultFields helmholtz_fields(const Setup *setup);

/* Local, for forecasts. */
double helmholtz_report_bytes(const Setup *setup, int rank);
double helmholtz_report_flops(const Setup *setup);

/* Nodes a side for eval.size=0: an odd number that has some on the edge of the box. */
enum { HELMHOLTZ_SIDE = 193 };

/* Local, for forecasts. Bytes of the solver's factors on n nodes a side, 4th order (measured). */
double helmholtz_solver_bytes(int n);

#endif
