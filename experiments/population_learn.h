/* Whether the distribution of the weights can be learned, in the simplest way: principal components
 * of the training images' networks. Held-out networks are put together from the first few of them,
 * and rendered; and networks that nobody fitted are drawn from the Gaussian that the coefficients
 * have. The same with the pixels themselves is the baseline. */
#ifndef EXPERIMENTS_POPULATION_LEARN_H
#define EXPERIMENTS_POPULATION_LEARN_H

#include "experiments/population_painter.h"

enum { LEARNED_COUNTS = 32 };

/* Of rank 0. */
typedef struct {
  const Setup *setup;        /* borrowed */
  const real *theta;         /* borrowed */
  Principal weights, pixels; /* of the training networks, of their images */
  int n_counts;
  double counts[LEARNED_COUNTS]; /* 0, 1, 2, 4, ... components, and all of them */
  /* Held-out networks from so many: mean PSNR in dB of what they render; of as many components of
   * pixels; of the fitted networks. */
  double by_weights[LEARNED_COUNTS], by_pixels[LEARNED_COUNTS], by_fit;
  double
      explained; /* share of the held-out weights' square about the mean that all components have */
} Learned;

/* Local. Coefficients of a network that nobody fitted, in painter. Pure in the number. */
void learned_draw(const Learned *learned, const Principal *principal, int64_t number,
                  Painter *painter);

/* Local. learned.png, figure.png, samples.png. */
Status learned_pictures(const Learned *learned, const Result *result);

/* Local, for forecasts. Bytes that they take. */
double learned_pictures_bytes(const Setup *setup);

#endif
