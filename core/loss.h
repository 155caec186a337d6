/* Loss terms that several experiments share. Each is a TermFunction (core/problem.h). */
#ifndef CORE_LOSS_H
#define CORE_LOSS_H

#include "core/problem.h"

/* Mean over the channels of (Phi - f)^2, f = data[0..out) (paper.md section 1). */
double loss_value_mse(const TermBlock *block, double factor, const void *settings);

/* The same with Phi clipped to [-1, 1], the PSNR's convention (paper.md 0.5): a monitor, no
 * adjoint. */
double loss_value_mse_clipped(const TermBlock *block, double factor, const void *settings);

/* Sum over the coordinates, mean over the channels, of (d_i Phi - g_i)^2, g = data[i * out +
 * channel]. */
double loss_gradient_mse(const TermBlock *block, double factor, const void *settings);

/* Mean over the channels of (second[0] - l)^2, l = data[channel] (the Laplacian with a collapsed
 * stream). */
double loss_second_mse(const TermBlock *block, double factor, const void *settings);

#endif
