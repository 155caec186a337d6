#include "hyper/norm.h"

#include <math.h>

enum { CHUNK = 64 }; /* channels whose sums are kept at a time */
static const double epsilon = 1e-5;

#define EACH(c, n) _Pragma("omp simd") for (int c = 0; c < (n); c++)
#define EACH_PIXEL(c)                               \
  for (int image = 0; image < (c)->images; image++) \
    for (int pixel = 0; pixel < (c)->plane->rows * (c)->plane->columns; pixel++)

/* Some channels of all pixels of all images. */
typedef struct {
  const Plane *plane;
  int images, channels, first, count;
} Chunk;

static Chunk chunk_of(const Plane *plane, int images, int channels, int first) {
  int left = channels - first;
  return (Chunk){plane, images, channels, first, left < CHUNK ? left : CHUNK};
}

static double pixels_of(const Chunk *chunk) {
  return (double)chunk->images * chunk->plane->rows * chunk->plane->columns;
}

static size_t chunk_at(const Chunk *chunk, int image, int pixel) {
  int columns = chunk->plane->columns;
  int at = pixel / columns * plane_pitch(chunk->plane) + pixel % columns;
  return (size_t)image * plane_stride(chunk->plane, chunk->channels) +
         (size_t)at * (size_t)chunk->channels + (size_t)chunk->first;
}

Norm norm_create(int channels, int n, Parameters *parameters) {
  Norm norm = {.channels = channels};
  norm.scale = parameters_add(parameters, channels, 1, "norm%d/scale", n);
  norm.shift = parameters_add(parameters, channels, 1, "norm%d/shift", n);
  return norm;
}

void norm_init(const Norm *norm, real *theta) {
  for (int c = 0; c < norm->channels; c++) {
    theta[norm->scale + (size_t)c] = 1;
    theta[norm->shift + (size_t)c] = 0;
  }
}

/* ---- Forward ---- */

static void chunk_moments(const Chunk *chunk, const real *x, real *mean, real *inverse) {
  double sum[CHUNK] = {0}, squares[CHUNK] = {0}, n = pixels_of(chunk);
  EACH_PIXEL(chunk) {
    const real *v = x + chunk_at(chunk, image, pixel);
    EACH(c, chunk->count) sum[c] += (double)v[c];
  }
  for (int c = 0; c < chunk->count; c++) sum[c] /= n;
  EACH_PIXEL(chunk) {
    const real *v = x + chunk_at(chunk, image, pixel);
    EACH(c, chunk->count) {
      double d = (double)v[c] - sum[c];
      squares[c] += d * d;
    }
  }
  for (int c = 0; c < chunk->count; c++) {
    mean[c] = (real)sum[c];
    inverse[c] = (real)(1 / sqrt(squares[c] / n + epsilon));
  }
}

static void chunk_forward(const Chunk *chunk, const real *scale, const real *shift, const real *x,
                          const real *other, const real *mean, const real *inverse, real *y) {
  const real none[CHUNK] = {0};
  EACH_PIXEL(chunk) {
    size_t at = chunk_at(chunk, image, pixel);
    const real *v = x + at, *added = other ? other + at : none;
    real *to = y + at;
    EACH(c, chunk->count) {
      real sum = fused(scale[c], (v[c] - mean[c]) * inverse[c], shift[c]) + added[c];
      to[c] = sum < 0 ? 0 : sum; /* a NaN stays one */
    }
  }
}

void norm_forward(const Norm *norm, const Plane *plane, const real *theta, int images,
                  const real *x, const real *other, real *moments, real *y) {
  for (int first = 0; first < norm->channels; first += CHUNK) {
    Chunk chunk = chunk_of(plane, images, norm->channels, first);
    real *mean = moments + first, *inverse = mean + norm->channels;
    chunk_moments(&chunk, x, mean, inverse);
    chunk_forward(&chunk, theta + norm->scale + first, theta + norm->shift + first, x, other, mean,
                  inverse, y);
  }
}

/* ---- Backward ---- */

void norm_pass(const Plane *plane, int channels, int images, const real *y, real *y_bar) {
  const Chunk all = {plane, images, channels, 0, channels};
  EACH_PIXEL(&all) {
    size_t at = chunk_at(&all, image, pixel);
    EACH(c, channels) y_bar[at + (size_t)c] = y[at + (size_t)c] > 0 ? y_bar[at + (size_t)c] : 0;
  }
}

/* Sums over pixels of the adjoint, and of the adjoint times what was normalised. */
static void chunk_sums(const Chunk *chunk, const real *x, const real *mean, const real *inverse,
                       const real *y_bar, double plain[CHUNK], double weighted[CHUNK]) {
  EACH_PIXEL(chunk) {
    const real *v = x + chunk_at(chunk, image, pixel), *bar = y_bar + chunk_at(chunk, image, pixel);
    EACH(c, chunk->count) {
      plain[c] += (double)bar[c];
      weighted[c] += (double)bar[c] * (double)((v[c] - mean[c]) * inverse[c]);
    }
  }
}

/* Whatever raises mean and variance lowers all pixels: their shares go off. */
static void chunk_backward(const Chunk *chunk, const real *scale, const real *x, const real *mean,
                           const real *inverse, const real *y_bar, const real shares[2][CHUNK],
                           real *x_bar) {
  EACH_PIXEL(chunk) {
    size_t at = chunk_at(chunk, image, pixel);
    const real *v = x + at, *bar = y_bar + at;
    real *to = x_bar + at;
    EACH(c, chunk->count) {
      real normalised = (v[c] - mean[c]) * inverse[c];
      real rest = bar[c] - shares[0][c] - normalised * shares[1][c];
      to[c] = scale[c] * inverse[c] * rest;
    }
  }
}

void norm_backward(const Norm *norm, const Plane *plane, const real *theta, int images,
                   const real *x, const real *moments, const real *y_bar, real *x_bar,
                   real *gradient) {
  for (int first = 0; first < norm->channels; first += CHUNK) {
    Chunk chunk = chunk_of(plane, images, norm->channels, first);
    const real *mean = moments + first, *inverse = mean + norm->channels;
    real *scale_bar = gradient + norm->scale + first, *shift_bar = gradient + norm->shift + first;
    double plain[CHUNK] = {0}, weighted[CHUNK] = {0}, n = pixels_of(&chunk);
    real shares[2][CHUNK];
    chunk_sums(&chunk, x, mean, inverse, y_bar, plain, weighted);
    for (int c = 0; c < chunk.count; c++) {
      scale_bar[c] += (real)weighted[c];
      shift_bar[c] += (real)plain[c];
      shares[0][c] = (real)(plain[c] / n);
      shares[1][c] = (real)(weighted[c] / n);
    }
    chunk_backward(&chunk, theta + norm->scale + first, x, mean, inverse, y_bar, shares, x_bar);
  }
}
