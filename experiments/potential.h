/* Integrating a gradient field without a network: the reference for fits that are supervised on
 * gradients. Of all functions u that are sums of the grid's cosines it is the one with
 *
 *     sum over the pixels of |grad u - g|^2 least,
 *
 * the solution of Poisson's equation lap u = div g with du/dn = g.n at the border, found directly
 * by cosine transforms. Cosines are differentiated exactly, as networks are. */
#ifndef EXPERIMENTS_POTENTIAL_H
#define EXPERIMENTS_POTENTIAL_H

#include "core/status.h"

enum { POTENTIAL_LARGEST = 8192 }; /* samples a side: the time grows with their cube */

/* Local. gradient [height][width][2 * channels] in network coordinates, where a side spans [-1, 1]
 * (stencil.h). potential [height][width][channels], of mean 0 in each channel. *residual: the mean
 * over pixels and channels of |grad u - g|^2, below which loss_gradient_mse does not come but with
 * functions finer than the grid. */
Status potential_solve(const float *gradient, int height, int width, int channels, float *potential,
                       double *residual);

/* Local, for forecasts. Bytes that it takes. */
double potential_bytes(int height, int width);

#endif
