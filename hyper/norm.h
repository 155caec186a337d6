/* Batch norm (Ioffe & Szegedy, ICML 2015) of images in planes, and the ReLU behind it:
 * y = ReLU(scale (x - mean) / sqrt(variance + 1e-5) + shift + other), mean and variance of a
 * channel over all pixels of the images handed in. All Local. */
#ifndef HYPER_NORM_H
#define HYPER_NORM_H

#include "hyper/plane.h"

typedef struct {
  int channels;
  size_t scale, shift; /* offsets in theta, [channels] */
} Norm;

/* Adds normN/scale and normN/shift to the parameters. */
Norm norm_create(int channels, int n, Parameters *parameters);

/* Scale 1, shift 0. */
void norm_init(const Norm *norm, real *theta);

/* y [images] from x [images] and other (or NULL); moments [2][channels] gets mean and 1 /
 * deviation. The border of y is left alone. */
void norm_forward(const Norm *norm, const Plane *plane, const real *theta, int images,
                  const real *x, const real *other, real *moments, real *y);

/* The adjoint of a ReLU in place: y_bar where y > 0, else 0. */
void norm_pass(const Plane *plane, int channels, int images, const real *y, real *y_bar);

/* x_bar from the adjoint of what the ReLU reads; adds to gradient. The border of x_bar is left
 * alone. */
void norm_backward(const Norm *norm, const Plane *plane, const real *theta, int images,
                   const real *x, const real *moments, const real *y_bar, real *x_bar,
                   real *gradient);

#endif
