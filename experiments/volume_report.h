/* Judging a network that was fitted to a volume. */
#ifndef EXPERIMENTS_VOLUME_REPORT_H
#define EXPERIMENTS_VOLUME_REPORT_H

#include "experiments/volume.h"

/* Collective. Evaluates theta on every volume.stride-th sample, slab by slab, and writes
 *   metrics   psnr (dB, over the field's range), error_rms and error_largest (the field's units),
 *             error_largest_share (of the range), compression_ratio (bytes of the file's numbers
 * over bytes of the weights) field     value, as the network has it files     volume.vtkhdf (three
 * axes of two samples at least: value, error, in the field's units) or volume.xdmf (which names the
 * run file's field), slices.png With volume.supervision=gradient the constant that no derivative
 * tells is chosen best before. */
Status volume_report(const Setup *setup, const real *theta, const Volume *volume, Result *result);

/* Collective. `siren eval`: the fields eval.fields on the grid that eval.size, eval.lower and
 * eval.upper name, and eval.xdmf. */
Status volume_eval(const Setup *setup, const real *theta, const Volume *volume, Result *result);

/* Local, for forecasts of volume_report: bytes that a rank takes, floating-point operations. */
double volume_report_bytes(const Setup *setup, const Volume *volume, int rank);
double volume_report_flops(const Setup *setup, const Volume *volume);

#endif
