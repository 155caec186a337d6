/* A layer y = W * x + b, where the image keeps its size: stride 1, an odd kernel, zeros around the
 * image (hyper/plane.h). No patches are gathered: the pixels under a row of the kernel lie side by
 * side, so that pixels of y are rows of a matrix product whose rows overlap in memory; a product
 * takes a row of the kernel and an image, jumping over the border between its rows, and products of
 * kernel rows add up. */
#ifndef HYPER_CONVOLUTION_H
#define HYPER_CONVOLUTION_H

#include "hyper/plane.h"

/* The weight is [out][kernel][kernel][in] in theta, its tensor [out][kernel * kernel * in]; the
 * bias [out]. */
typedef struct {
  int kernel, in, out;
  bool biased;
  size_t weight, bias; /* offsets in theta */
} Convolution;

/* Local. Adds NAMEn/weight, and NAMEn/bias if biased, to the parameters. */
Convolution convolution_create(int kernel, int in, int out, bool biased, const char *name, int n,
                               Parameters *parameters);

/* Local. The numbers in one kernel: kernel^2 in. */
size_t convolution_fan_in(const Convolution *layer);

/* Local. Draws weight and bias as PyTorch does it: uniform in +-1/sqrt(kernel^2 in). */
void convolution_init(const Convolution *layer, uint64_t seed, real *theta);

/* Local. y [images] of x [images], with its border. */
void convolution_forward(const Convolution *layer, const Plane *plane, const real *theta,
                         int images, const real *x, real *y);

/* Local. x_bar = the derivative of y_bar . y by x (+ x_bar if accumulate), with its border; that of
 * y_bar must be clear. */
void convolution_adjoint(const Convolution *layer, const Plane *plane, const real *theta,
                         int images, const real *y_bar, bool accumulate, real *x_bar);

/* Local. Adds to gradient the derivative by theta, image by image; the borders must be clear. */
void convolution_gradient(const Convolution *layer, const Plane *plane, int images, const real *x,
                          const real *y_bar, real *gradient);

/* Local. Floating-point operations of each of the three for an image. */
double convolution_flops(const Convolution *layer, const Plane *plane);

#endif
