/* A network over the plane beside the image that it was to become, in value, gradient and
 * Laplacian (Fig. 1 and Fig. 3 of the paper): metrics, fields, pictures. */
#ifndef EXPERIMENTS_COMPARISON_H
#define EXPERIMENTS_COMPARISON_H

#include "experiments/suite.h"
#include "experiments/target.h"

enum { COMPARISON_MAX_EXTRA = 4 };

/* The metrics of every comparison, for an experiment's list. */
#define COMPARISON_METRICS "psnr", "ssim", "mse", "psnr_gradient", "psnr_laplacian"

typedef struct {
  const char *title;   /* of the figure */
  const void *context; /* of the functions below; borrowed */

  /* Local, on rank 0. Brings the fit to the image's units, in place; NULL: it has them. */
  void (*align)(const void *context, const Target *target, float *const fit[FIELD_COUNT]);

  /* The experiment's own metrics, of the aligned fit, on rank 0. */
  int n_extra;
  struct {
    const char *name, *units;
    double (*measure)(const void *context, const Plane *truth, const Plane *fit);
  } extra[COMPARISON_MAX_EXTRA];

  /* Local, on rank 0. The experiment's own pictures; NULL: none. */
  Status (*draw)(const void *context, const Result *result, const Plane *truth, const Plane *fit);
} Comparison;

/* Collective. Evaluates theta on the target's pixels and writes
 *   metrics   psnr (dB), ssim, mse of the values (metrics.h); psnr_gradient and psnr_laplacian (dB)
 *             against the image's finite differences over their range, which the paper does not
 *             state; the extra ones;
 *   fields    value, gradient, laplacian as the network has them; target_*;
 *   pictures  fit, gradient, laplacian, target*, figure, the curve of the headline, psnr.png, and
 *             the experiment's own.
 */
Status comparison_run(const Setup *setup, const real *theta, const Target *target,
                      const Comparison *comparison, Result *result);

/* Local, for forecasts. Bytes that a rank takes for it, and its floating-point operations. */
double comparison_bytes(const Setup *setup, const Target *target, int rank);
double comparison_flops(const Setup *setup, const Target *target);

#endif
