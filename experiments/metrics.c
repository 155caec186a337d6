#include "experiments/metrics.h"

#include <math.h>

/* Lets NaN through, so that a diverged prediction is seen in its metric. */
static double clip(double value, double low, double high) {
  return value < low ? low : value > high ? high : value;
}

/* PSNR after low..high is mapped to 0..1 and the prediction is clipped. */
static double psnr(const float *prediction, const float *target, size_t n, double low,
                   double high) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double d = clip(prediction[i], low, high) - target[i];
    sum += d * d;
  }
  return 10 * log10((high - low) * (high - low) * (double)n / sum);
}

double metric_psnr(const float *prediction, const float *target, size_t n) {
  return psnr(prediction, target, n, -1, 1);
}

double metric_psnr_part(const float *prediction, const float *target, size_t pixels, int channels,
                        const bool *known, bool which) {
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < pixels * (size_t)channels; i++) {
    if (known[i / (size_t)channels] != which) continue;
    double d = clip(prediction[i], -1, 1) - target[i];
    sum += d * d;
    n++;
  }
  return n ? 10 * log10(4 * (double)n / sum) : NAN;
}

typedef struct {
  double low, high;
} Range;

static Range range_of(const float *field, size_t n) {
  Range range = {INFINITY, -INFINITY};
  for (size_t i = 0; i < n; i++) {
    range.low = fmin(range.low, field[i]);
    range.high = fmax(range.high, field[i]);
  }
  return range;
}

double metric_psnr_range(const float *prediction, const float *target, size_t n) {
  Range range = range_of(target, n);
  return range.low < range.high ? psnr(prediction, target, n, range.low, range.high) : NAN;
}

double metric_psnr_minmax(const float *prediction, const float *target, size_t n) {
  Range p = range_of(prediction, n), t = range_of(target, n);
  if (!(p.low < p.high && t.low < t.high)) return NAN;
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double d = (prediction[i] - p.low) / (p.high - p.low) - (target[i] - t.low) / (t.high - t.low);
    sum += d * d;
  }
  return 10 * log10((double)n / sum);
}

double metric_mse(const float *prediction, const float *target, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double d = (double)prediction[i] - target[i];
    sum += d * d;
  }
  return sum / (double)n;
}

enum { WINDOW = 7, X = 0, Y, XX, YY, XY, MOMENTS };

/* Sums over one column of a window: of prediction, target, their squares and product. */
static void column_moments(const float *prediction, const float *target, size_t row_step,
                           double *sum) {
  for (int m = 0; m < MOMENTS; m++) sum[m] = 0;
  for (size_t i = 0; i < WINDOW; i++) {
    double x = clip(prediction[i * row_step] / 2.0 + 0.5, 0, 1);
    double y = target[i * row_step] / 2.0 + 0.5;
    sum[X] += x;
    sum[Y] += y;
    sum[XX] += x * x;
    sum[YY] += y * y;
    sum[XY] += x * y;
  }
}

/* The structural similarity of one window (Wang et al. 2004, equation 13). */
static double window_ssim(double columns[WINDOW][MOMENTS]) {
  const double n = WINDOW * WINDOW, sample = n / (n - 1), c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
  double mean[MOMENTS] = {0};
  for (int i = 0; i < WINDOW; i++) {
    for (int m = 0; m < MOMENTS; m++) mean[m] += columns[i][m] / n;
  }
  double xx = sample * (mean[XX] - mean[X] * mean[X]);
  double yy = sample * (mean[YY] - mean[Y] * mean[Y]);
  double xy = sample * (mean[XY] - mean[X] * mean[Y]);
  double likeness = (2 * mean[X] * mean[Y] + c1) * (2 * xy + c2);
  return likeness / ((mean[X] * mean[X] + mean[Y] * mean[Y] + c1) * (xx + yy + c2));
}

/* Over the windows of seven rows of one channel. */
static double row_ssim(const float *prediction, const float *target, int width, int channels) {
  double columns[WINDOW][MOMENTS], sum = 0;
  size_t step = (size_t)channels;
  for (int x = 0; x < width; x++) {
    size_t at = (size_t)x * step;
    column_moments(prediction + at, target + at, (size_t)width * step, columns[x % WINDOW]);
    if (x >= WINDOW - 1) sum += window_ssim(columns);
  }
  return sum;
}

double metric_ssim(const float *prediction, const float *target, int height, int width,
                   int channels) {
  if (height < WINDOW || width < WINDOW) return NAN;
  int rows = height - WINDOW + 1, columns = width - WINDOW + 1;
  double sum = 0;
  for (int y = 0; y < rows; y++) {
    size_t at = (size_t)y * (size_t)width * (size_t)channels;
    for (int c = 0; c < channels; c++, at++) {
      sum += row_ssim(prediction + at, target + at, width, channels);
    }
  }
  return sum / ((double)rows * columns * channels);
}
