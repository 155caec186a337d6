/* What the parts of the experiment population owe each other. */
#ifndef EXPERIMENTS_POPULATION_H
#define EXPERIMENTS_POPULATION_H

#include "experiments/image_set.h"
#include "experiments/result.h"
#include "experiments/suite.h"
#include "hyper/bundle.h"

/* Networks are numbered: first those of training images, then the held-out ones, of images of the
 * test. */
typedef struct {
  ImageSet set;
  Bundle *bundle;
  real *x; /* [pixels][2] */
  uint64_t seed;
  real *common;           /* [the network's n_parameters] that all begin with; NULL: each its own */
  int64_t networks, held; /* of training images; held-out ones */
  int components;         /* most that are looked at */
  int64_t shown;          /* the network that is stored as /network */
} Population;

/* Local. All networks; numbers of an image. */
static inline int64_t population_members(const Population *population) {
  return population->networks + population->held;
}
static inline size_t population_numbers(const Population *population) {
  return (size_t)image_set_bytes(&population->set);
}

/* Local, pure. A BundleTarget: the image of a network, [rows * columns][channels] in [-1, 1]. */
void population_image(const void *population, int64_t member, real *pixels);

/* Local, pure. The same in floats. */
void population_pixels(const Population *population, int64_t member, float *pixels);

/* Local. Fills `common` as population.init asks. The rest is set up. */
Status population_begin(const Setup *setup, Population *population);

/* ---- Afterwards ---- */

#define POPULATION_METRICS                                                               \
  "psnr", "psnr_least", "psnr_5", "psnr_median", "psnr_95", "psnr_held", "psnr_learned", \
      "psnr_pixels", "explained", "effective_rank", "components", "networks"

/* Collective. Metrics, fields, statistics and pictures of theta, and one of its networks. */
Status population_report(const Setup *setup, const real *theta, Result *result);

/* Local, for forecasts. */
double population_report_bytes(const Setup *setup, int rank);
double population_report_flops(const Setup *setup);

/* Collective; rank 0 does the work. /statistics/TENSOR/...: moments, histogram, spectrum and
 * singular values of each tensor; histogram_layerN.png and spectra.png. */
Status population_statistics(const Setup *setup, const real *theta, Result *result);

/* Collective; rank 0 does the work. What the distribution of the weights is good for
 * (population_learn.h): metrics and /statistics/learned/...; learned.png, figure.png,
 * samples.png. */
Status population_learn(const Setup *setup, const real *theta, Result *result);

#endif
