/* Derivatives of an image by finite differences, in network coordinates (a side of n pixels spans
 * [-1, 1], so a pixel is 2/(n-1)): what a fit's derivatives are compared with (paper.md section 1).
 * Borders are repeated half-sample symmetrically (d c b a | a b c d | d c b a), as scipy.ndimage's
 * "reflect". Fields are [height][width][channels]. */
#ifndef EXPERIMENTS_STENCIL_H
#define EXPERIMENTS_STENCIL_H

/* Local. Sobel's operator, divided by 8 so that it is the derivative per pixel, times (n-1)/2:
 * gradient [height][width][2 * channels], component i * channels + c with i = 0 along rows, 1 along
 * columns. */
void stencil_gradient(const float *field, int height, int width, int channels, float *gradient);

/* Local. [1, -2, 1] along rows and along columns, each times ((n-1)/2)^2, summed:
 * laplacian [height][width][channels]. */
void stencil_laplacian(const float *field, int height, int width, int channels, float *laplacian);

#endif
