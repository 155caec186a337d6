/* A fully connected layer with ReLU, sine or nothing after it, for hypernetworks and encoders. */
#ifndef HYPER_DENSE_H
#define HYPER_DENSE_H

#include <stdbool.h>

#include "core/activation.h"
#include "hyper/parameters.h"

typedef struct {
  int in, out;
  size_t weight, bias;          /* offsets in theta: [out][in], [out] */
  const Activation *activation; /* NULL: none */
  double omega;                 /* h = activation(omega (W x + b)) */
} Dense;

/* Local. Adds NAME/weight and NAME/bias; name of at most 15 characters. */
Dense dense_create(Parameters *parameters, const char *name, int in, int out,
                   const Activation *activation, double omega);

/* Local. Kaiming's normal distribution for the weights, PyTorch's bound 1/sqrt(in) for biases; or
 * for the sine U(+-sqrt(6/in)/omega) (paper.md 8.2). */
void dense_init(const Dense *dense, uint64_t seed, real *theta);

/* Local. h [n][out] from x [n][in]; aux [n][out] for backward, as the activation needs it. */
void dense_forward(const Dense *dense, const real *theta, int n, const real *x, real *h, real *aux);

/* Local. After forward: bar [n][out], the derivative by h, is overwritten with that by W x + b;
 * stores the derivative by x in x_bar [n][in] (NULL: not wanted), adds that by theta to gradient
 * (NULL: the same). buffer [n][out]. */
void dense_backward(const Dense *dense, const real *theta, int n, const real *x, const real *h,
                    const real *aux, real *bar, real *buffer, real *x_bar, real *gradient);

/* Local. Floating-point operations of forward and backward for one row. */
double dense_flops(const Dense *dense);

#endif
