#include "hyper/plane.h"

#include <math.h>
#include <string.h>

#define EACH(c) _Pragma("omp simd") for (int c = 0; c < channels; c++)

enum { BLOCKS_MAX = 60 };

Status plane_check(const EncoderSpec *spec) {
  if (spec->width < 1 || spec->code != spec->width) {
    return status_fail(STATUS_USAGE,
                       "codes of %d by a convolutional encoder of width %d: it gives a number for "
                       "each of its channels, so code and width must be the same",
                       spec->code, spec->width);
  }
  if (spec->layers < 0 || spec->layers > BLOCKS_MAX) {
    return status_fail(
        STATUS_USAGE,
        "a convolutional encoder of %d residual blocks (layers): 0 to %d are possible",
        spec->layers, BLOCKS_MAX);
  }
  if (spec->rows < 3 || spec->columns < 3 || spec->channels < 1) {
    return status_fail(STATUS_USAGE,
                       "a convolutional encoder of %d x %d pixels of %d channels: at least 3 x 3 "
                       "of 1",
                       spec->rows, spec->columns, spec->channels);
  }
  return STATUS_OK;
}

int plane_pitch(const Plane *plane) {
  return plane->columns + plane->border;
}

int plane_span(const Plane *plane) {
  return plane->rows * plane_pitch(plane) - plane->border;
}

size_t plane_stride(const Plane *plane, int channels) {
  return (size_t)(plane->rows + plane->border) * (size_t)plane_pitch(plane) * (size_t)channels;
}

/* Of the border before pixel (0, 0). */
static size_t lead(const Plane *plane, int channels) {
  return (size_t)plane->border * (size_t)(plane_pitch(plane) + 1) * (size_t)channels;
}

size_t plane_room(const Plane *plane, int channels, int images) {
  return real_aligned(lead(plane, channels) + (size_t)images * plane_stride(plane, channels));
}

real *plane_take(const Plane *plane, int channels, int images, real **scratch) {
  real *first = *scratch + lead(plane, channels);
  *scratch += plane_room(plane, channels, images);
  return first;
}

static size_t pixel_at(const Plane *plane, int channels, int row, int column) {
  return (size_t)(row * plane_pitch(plane) + column) * (size_t)channels;
}

void plane_clear(const Plane *plane, int channels, real *x) {
  size_t around = lead(plane, channels), gap = (size_t)plane->border * (size_t)channels;
  memset(x - around, 0, around * sizeof *x);
  for (int row = 0; row < plane->rows - 1; row++) {
    memset(x + pixel_at(plane, channels, row, plane->columns), 0, gap * sizeof *x);
  }
  memset(x + pixel_at(plane, channels, plane->rows - 1, plane->columns), 0, around * sizeof *x);
}

void plane_load(const Plane *plane, const Context *context, int image, real *x) {
  int pixels = plane->rows * plane->columns, channels = context->channels;
  const uint8_t *known = context->known + (size_t)image * (size_t)pixels;
  const real *from = context->pixels + (size_t)image * (size_t)pixels * (size_t)channels;
  plane_clear(plane, channels, x);
  for (int i = 0; i < pixels; i++) {
    real *to = x + pixel_at(plane, channels, i / plane->columns, i % plane->columns);
    for (int c = 0; c < channels; c++) to[c] = known[i] ? from[i * channels + c] : 0;
  }
}

void plane_scale(const Plane *plane, int channels, const real *factor, const real *x, real *y) {
  for (int i = 0; i < plane->rows * plane->columns; i++) {
    size_t at = pixel_at(plane, channels, i / plane->columns, i % plane->columns);
    EACH(c) y[at + c] = factor[i] * x[at + c];
  }
  plane_clear(plane, channels, y);
}

void plane_pool(const Plane *plane, int channels, const real *weight, const real *bias,
                const real *x, real *code) {
  for (int c = 0; c < channels; c++) code[c] = bias[0];
  for (int i = 0; i < plane->rows * plane->columns; i++) {
    const real *pixel = x + pixel_at(plane, channels, i / plane->columns, i % plane->columns);
    EACH(c) code[c] = fused(weight[i], pixel[c], code[c]);
  }
}

void plane_pool_init(const Plane *plane, uint64_t seed, size_t weight, size_t bias, real *theta) {
  size_t pixels = (size_t)plane->rows * (size_t)plane->columns;
  double bound = 1 / sqrt((double)pixels);
  parameters_uniform(seed, weight, pixels, bound, theta + weight);
  parameters_uniform(seed, bias, 1, bound, theta + bias);
}

/* Sixteen partial sums, whatever the vectors of the CPU. */
static real dot(int n, const real *x, const real *y) {
  enum { PARTS = 16 };
  real part[PARTS] = {0}, sum = 0;
  int i = 0;
  for (; i + PARTS <= n; i += PARTS) {
#pragma omp simd
    for (int l = 0; l < PARTS; l++) part[l] = fused(x[i + l], y[i + l], part[l]);
  }
  for (; i < n; i++) part[i % PARTS] = fused(x[i], y[i], part[i % PARTS]);
  for (int l = 0; l < PARTS; l++) sum += part[l];
  return sum;
}

void plane_unpool(const Plane *plane, int channels, const real *weight, const real *x,
                  const real *code_bar, real *x_bar, real *weight_bar, real *bias_bar) {
  for (int i = 0; i < plane->rows * plane->columns; i++) {
    size_t at = pixel_at(plane, channels, i / plane->columns, i % plane->columns);
    weight_bar[i] += dot(channels, x + at, code_bar);
    EACH(c) x_bar[at + c] = weight[i] * code_bar[c];
  }
  for (int c = 0; c < channels; c++) bias_bar[0] += code_bar[c];
  plane_clear(plane, channels, x_bar);
}
