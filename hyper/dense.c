#include "hyper/dense.h"

#include <math.h>
#include <string.h>

#include "core/linalg.h"

Dense dense_create(Parameters *parameters, const char *name, int in, int out,
                   const Activation *activation, double omega) {
  Dense dense = {.in = in, .out = out, .activation = activation, .omega = omega};
  dense.weight = parameters_add(parameters, out, in, "%s/weight", name);
  dense.bias = parameters_add(parameters, out, 1, "%s/bias", name);
  return dense;
}

void dense_init(const Dense *dense, uint64_t seed, real *theta) {
  size_t count = (size_t)dense->in * (size_t)dense->out;
  real *weight = theta + dense->weight;
  if (dense->activation && dense->activation->has_omega) {
    double bound = sqrt(6. / dense->in) / dense->omega;
    parameters_uniform(seed, dense->weight, count, bound, weight);
  } else {
    parameters_normal(seed, dense->weight, count, sqrt(2. / dense->in), weight);
  }
  parameters_uniform(seed, dense->bias, (size_t)dense->out, 1 / sqrt(dense->in),
                     theta + dense->bias);
}

/* Bias and activation of one row of W x, in place. */
static void finish_row(const Dense *dense, const real *bias, real *h, real *aux) {
  enum { COLUMNS = 256 };
  real u[COLUMNS];
  const real omega = (real)dense->omega;
  for (int first = 0; first < dense->out; first += COLUMNS) {
    int n = dense->out - first < COLUMNS ? dense->out - first : COLUMNS;
    const real *b = bias + first;
    real *row = h + first;
#pragma omp simd
    for (int j = 0; j < n; j++) u[j] = fused(omega, b[j], row[j]);
    if (dense->activation) {
      dense->activation->forward((size_t)n, u, row, aux + first);
    } else {
      memcpy(row, u, (size_t)n * sizeof *row);
    }
  }
}

void dense_forward(const Dense *dense, const real *theta, int n, const real *x, real *h,
                   real *aux) {
  size_t out = (size_t)dense->out;
  linalg_nt(n, dense->out, dense->in, (real)dense->omega, x, theta + dense->weight, h);
  for (size_t i = 0; i < (size_t)n; i++) {
    finish_row(dense, theta + dense->bias, h + i * out, aux + i * out);
  }
}

/* bar times the activation's derivative and omega. */
static void through_activation(const Dense *dense, size_t count, const real *h, const real *aux,
                               real *bar, real *buffer) {
  const real omega = (real)dense->omega;
  if (!dense->activation) return;
  const real *slope = dense->activation->first(count, h, aux, buffer);
#pragma omp simd
  for (size_t i = 0; i < count; i++) bar[i] *= omega * slope[i];
}

static void add_gradient(const Dense *dense, int n, const real *x, const real *bar,
                         real *gradient) {
  linalg_tn(dense->out, dense->in, n, 1, bar, x, true, gradient + dense->weight);
  for (int i = 0; i < n; i++) {
    const real *row = bar + (size_t)i * (size_t)dense->out;
    real *sum = gradient + dense->bias;
#pragma omp simd
    for (int j = 0; j < dense->out; j++) sum[j] += row[j];
  }
}

void dense_backward(const Dense *dense, const real *theta, int n, const real *x, const real *h,
                    const real *aux, real *bar, real *buffer, real *x_bar, real *gradient) {
  through_activation(dense, (size_t)n * (size_t)dense->out, h, aux, bar, buffer);
  if (gradient) add_gradient(dense, n, x, bar, gradient);
  if (x_bar) linalg_nn(n, dense->in, dense->out, 1, bar, theta + dense->weight, x_bar);
}

double dense_flops(const Dense *dense) {
  return 6. * dense->in * dense->out;
}
