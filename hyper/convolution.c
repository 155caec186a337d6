#include "hyper/convolution.h"

#include <assert.h>
#include <math.h>

#include "core/product.h"

Convolution convolution_create(int kernel, int in, int out, bool biased, const char *name, int n,
                               Parameters *parameters) {
  assert(kernel % 2 == 1);
  Convolution layer = {.kernel = kernel, .in = in, .out = out, .biased = biased};
  layer.weight = parameters_add(parameters, out, kernel * kernel * in, "%s%d/weight", name, n);
  if (biased) layer.bias = parameters_add(parameters, out, 1, "%s%d/bias", name, n);
  return layer;
}

size_t convolution_fan_in(const Convolution *layer) {
  return (size_t)(layer->kernel * layer->kernel) * (size_t)layer->in;
}

void convolution_init(const Convolution *layer, uint64_t seed, real *theta) {
  size_t fan_in = convolution_fan_in(layer), out = (size_t)layer->out;
  double bound = 1 / sqrt((double)fan_in);
  parameters_uniform(seed, layer->weight, out * fan_in, bound, theta + layer->weight);
  if (layer->biased) parameters_uniform(seed, layer->bias, out, bound, theta + layer->bias);
}

/* How many pixels of x from that of y to the one under this element of the kernel. */
static ptrdiff_t tap(const Convolution *layer, const Plane *plane, int row, int column) {
  int half = layer->kernel / 2;
  return (ptrdiff_t)(row - half) * plane_pitch(plane) + column - half;
}

/* Reals between two rows of an image. */
static size_t border(const Plane *plane, int channels) {
  return (size_t)plane->border * (size_t)channels;
}

static void add_bias(const Convolution *layer, const Plane *plane, const real *bias, real *y) {
  for (int i = 0; i < plane_span(plane); i++) {
    real *pixel = y + (size_t)i * (size_t)layer->out;
#pragma omp simd
    for (int o = 0; o < layer->out; o++) pixel[o] += bias[o];
  }
}

void convolution_forward(const Convolution *layer, const Plane *plane, const real *theta,
                         int images, const real *x, real *y) {
  size_t row = (size_t)layer->kernel * (size_t)layer->in;
  Product product = {.m = plane->rows * plane->columns,
                     .n = layer->out,
                     .k = (int)row,
                     .alpha = 1,
                     .row_run = plane->columns,
                     .a_jump = border(plane, layer->in),
                     .c_jump = border(plane, layer->out),
                     .a_row = (size_t)layer->in,
                     .a_depth = 1,
                     .b_depth = 1,
                     .b_column = convolution_fan_in(layer),
                     .c_row = (size_t)layer->out};
  for (int image = 0; image < images; image++) {
    product.c = y + (size_t)image * plane_stride(plane, layer->out);
    const real *from = x + (size_t)image * plane_stride(plane, layer->in);
    for (int k = 0; k < layer->kernel; k++) {
      product.a = from + tap(layer, plane, k, 0) * layer->in;
      product.b = theta + layer->weight + (size_t)k * row;
      product.accumulate = k > 0;
      product_run(&product);
    }
    if (layer->biased) add_bias(layer, plane, theta + layer->bias, product.c);
    plane_clear(plane, layer->out, product.c);
  }
}

void convolution_adjoint(const Convolution *layer, const Plane *plane, const real *theta,
                         int images, const real *y_bar, bool accumulate, real *x_bar) {
  int taps = layer->kernel * layer->kernel;
  Product product = {.m = plane->rows * plane->columns,
                     .n = layer->in,
                     .k = layer->out,
                     .alpha = 1,
                     .row_run = plane->columns,
                     .a_jump = border(plane, layer->out),
                     .c_jump = border(plane, layer->in),
                     .a_row = (size_t)layer->out,
                     .a_depth = 1,
                     .b_depth = convolution_fan_in(layer),
                     .b_column = 1,
                     .c_row = (size_t)layer->in};
  for (int image = 0; image < images; image++) {
    product.c = x_bar + (size_t)image * plane_stride(plane, layer->in);
    const real *from = y_bar + (size_t)image * plane_stride(plane, layer->out);
    for (int k = 0; k < taps; k++) {
      product.a = from - tap(layer, plane, k / layer->kernel, k % layer->kernel) * layer->out;
      product.b = theta + layer->weight + (size_t)k * (size_t)layer->in;
      product.accumulate = accumulate || k > 0;
      product_run(&product);
    }
    plane_clear(plane, layer->in, product.c);
  }
}

/* In double: there may be thousands of pixels, of both signs. */
static void add_bias_gradient(const Convolution *layer, const Plane *plane, const real *y_bar,
                              real *bias_bar) {
  enum { CHUNK = 64 };
  for (int first = 0; first < layer->out; first += CHUNK) {
    int count = layer->out - first < CHUNK ? layer->out - first : CHUNK;
    double sum[CHUNK] = {0};
    for (int i = 0; i < plane_span(plane); i++) {
      const real *pixel = y_bar + (size_t)i * (size_t)layer->out + (size_t)first;
#pragma omp simd
      for (int o = 0; o < count; o++) sum[o] += (double)pixel[o];
    }
    for (int o = 0; o < count; o++) bias_bar[first + o] += (real)sum[o];
  }
}

void convolution_gradient(const Convolution *layer, const Plane *plane, int images, const real *x,
                          const real *y_bar, real *gradient) {
  size_t row = (size_t)layer->kernel * (size_t)layer->in;
  Product product = {.m = layer->out,
                     .n = (int)row,
                     .k = plane->rows * plane->columns,
                     .alpha = 1,
                     .depth_run = plane->columns,
                     .a_jump = border(plane, layer->out),
                     .b_jump = border(plane, layer->in),
                     .a_row = 1,
                     .a_depth = (size_t)layer->out,
                     .b_depth = (size_t)layer->in,
                     .b_column = 1,
                     .accumulate = true,
                     .c_row = convolution_fan_in(layer)};
  for (int image = 0; image < images; image++) {
    product.a = y_bar + (size_t)image * plane_stride(plane, layer->out);
    const real *from = x + (size_t)image * plane_stride(plane, layer->in);
    for (int k = 0; k < layer->kernel; k++) {
      product.b = from + tap(layer, plane, k, 0) * layer->in;
      product.c = gradient + layer->weight + (size_t)k * row;
      product_run(&product);
    }
    if (layer->biased) add_bias_gradient(layer, plane, product.a, gradient + layer->bias);
  }
}

double convolution_flops(const Convolution *layer, const Plane *plane) {
  return 2.0 * plane->rows * plane->columns * layer->out * (double)convolution_fan_in(layer);
}
