#include "core/loss.h"

/* Sum over rows and channels of (a - b)^2 / channels, with its adjoint. b has `stride` values a
 * row. */
static double squared(const TermBlock *block, const real *a, const real *b, int stride,
                      double factor, real *bar) {
  double sum = 0;
  real scale = (real)(2 * factor / block->out);
  for (int r = 0; r < block->rows; r++) {
    for (int c = 0; c < block->out; c++) {
      real e = a[r * block->out + c] - b[r * stride + c];
      sum += (double)e * (double)e;
      if (bar) bar[r * block->out + c] += scale * e;
    }
  }
  return sum / block->out;
}

double loss_value_mse(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  return squared(block, block->value, block->data, block->data_width, factor, block->value_bar);
}

double loss_value_mse_clipped(const TermBlock *block, double factor, const void *settings) {
  (void)factor, (void)settings;
  double sum = 0;
  for (int r = 0; r < block->rows; r++) {
    for (int c = 0; c < block->out; c++) {
      double v = (double)block->value[r * block->out + c];
      double e = (v < -1 ? -1 : v > 1 ? 1 : v) - (double)block->data[r * block->data_width + c];
      sum += e * e;
    }
  }
  return sum / block->out;
}

double loss_gradient_mse(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  double sum = 0;
  for (int i = 0; i < block->in; i++) {
    sum += squared(block, block->first[i], block->data + i * block->out, block->data_width, factor,
                   block->first_bar[i]);
  }
  return sum;
}

double loss_second_mse(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  return squared(block, block->second[0], block->data, block->data_width, factor,
                 block->second_bar[0]);
}
