#include "experiments/stencil.h"

#include <stdint.h>

typedef struct {
  const float *field;
  int height, width, channels;
} Pixels;

/* Steps of one pixel leave the image by one at most. */
static int reflect(int i, int n) {
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static double at(const Pixels *p, int row, int column, int channel) {
  int64_t pixel = (int64_t)reflect(row, p->height) * p->width + reflect(column, p->width);
  return p->field[pixel * p->channels + channel];
}

/* Pixels per unit of network coordinate. */
static double density(int n) {
  return 0.5 * (n - 1);
}

/* Central difference along one axis, smoothed with [1, 2, 1] along the other. */
static double sobel(const Pixels *p, int row, int column, int channel, int axis) {
  double sum = 0;
  for (int k = -1; k <= 1; k++) {
    int weight = k ? 1 : 2;
    double ahead = axis ? at(p, row + k, column + 1, channel) : at(p, row + 1, column + k, channel);
    double behind =
        axis ? at(p, row + k, column - 1, channel) : at(p, row - 1, column + k, channel);
    sum += weight * (ahead - behind);
  }
  return sum / 8 * density(axis ? p->width : p->height);
}

void stencil_gradient(const float *field, int height, int width, int channels, float *gradient) {
  Pixels p = {field, height, width, channels};
  for (int row = 0; row < height; row++) {
    for (int column = 0; column < width; column++) {
      float *to = gradient + ((int64_t)row * width + column) * 2 * channels;
      for (int axis = 0; axis < 2; axis++) {
        for (int c = 0; c < channels; c++) {
          to[axis * channels + c] = (float)sobel(&p, row, column, c, axis);
        }
      }
    }
  }
}

static double second(const Pixels *p, int row, int column, int c) {
  double centre = 2 * at(p, row, column, c), rows = density(p->height), columns = density(p->width);
  return rows * rows * (at(p, row - 1, column, c) - centre + at(p, row + 1, column, c)) +
         columns * columns * (at(p, row, column - 1, c) - centre + at(p, row, column + 1, c));
}

void stencil_laplacian(const float *field, int height, int width, int channels, float *laplacian) {
  Pixels p = {field, height, width, channels};
  for (int row = 0; row < height; row++) {
    for (int column = 0; column < width; column++) {
      float *to = laplacian + ((int64_t)row * width + column) * channels;
      for (int c = 0; c < channels; c++) to[c] = (float)second(&p, row, column, c);
    }
  }
}
