#include "experiments/prior.h"

#include <math.h>
#include <string.h>

static const Prior table[] = {
    {"tv", "inpaint.tv_weight", {.first = true}, prior_tv},
    {"tv_channels", "inpaint.tv_weight", {.first = true}, prior_tv_channels},
    {"hessian",
     "inpaint.hessian_weight",
     {.first = true, .n_second = 3, .second = {{0, 0}, {0, 1}, {1, 1}}},
     prior_hessian},
};

const Prior *prior_find(const char *name) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    if (!strcmp(table[i].name, name)) return &table[i];
  }
  return NULL;
}

static double sign(double x) {
  return (x > 0) - (x < 0);
}

/* |sum of `group` neighbouring channels|, summed over groups and rows; adds scale * sign. */
static double variation(const TermBlock *block, int group, double scale, const real *slope,
                        real *bar) {
  double sum = 0;
  for (int i = 0; i < block->rows * block->out; i += group) {
    double s = 0;
    for (int c = i; c < i + group; c++) s += (double)slope[c];
    sum += fabs(s);
    for (int c = i; bar && c < i + group; c++) bar[c] += (real)(scale * sign(s));
  }
  return sum;
}

static double total_variation(const TermBlock *block, int group, double factor) {
  double sum = 0;
  for (int j = 0; j < block->in; j++) {
    sum += variation(block, group, factor / block->in, block->first[j], block->first_bar[j]);
  }
  return sum / block->in;
}

double prior_tv(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  return total_variation(block, block->out, factor);
}

double prior_tv_channels(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  return total_variation(block, 1, factor);
}

/* How often an entry of the symmetric matrix stands in it. */
static const double times[3] = {1, 2, 1};

static double frobenius(const TermBlock *block, int row) {
  double squares = 0;
  for (int s = 0; s < 3; s++) {
    for (int c = row * block->out; c < (row + 1) * block->out; c++) {
      squares += times[s] * (double)block->second[s][c] * (double)block->second[s][c];
    }
  }
  return sqrt(squares);
}

double prior_hessian(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  double sum = 0;
  for (int r = 0; r < block->rows; r++) {
    double norm = frobenius(block, r);
    sum += norm;
    for (int s = 0; norm > 0 && s < 3; s++) {
      for (int c = r * block->out; block->second_bar[s] && c < (r + 1) * block->out; c++) {
        block->second_bar[s][c] += (real)(factor * times[s] * (double)block->second[s][c] / norm);
      }
    }
  }
  return sum;
}
