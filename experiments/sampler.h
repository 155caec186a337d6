/* The samples of a step of a signal: all of them in their order, or so many drawn uniformly with
 * replacement (as the released code draws a video's pixels); from the copy in memory, or from
 * bricks of the file. */
#ifndef EXPERIMENTS_SAMPLER_H
#define EXPERIMENTS_SAMPLER_H

#include "core/problem.h"
#include "experiments/bricks.h"
#include "experiments/signal.h"
#include "io/config.h"

typedef struct {
  const Signal *signal; /* borrowed */
  int64_t samples;      /* in a step */
  bool all;             /* every one, in order */
  uint64_t seed;
  bool gradient;  /* data are the signal's derivatives instead of its values */
  Bricks *bricks; /* owned; NULL: the signal is in memory */
} Sampler;

/* Local. `samples` a step, 0: all. Fails (STATUS_USAGE, naming train.samples) when there are not so
 * many, and when all of a signal in bricks are asked for. */
Status sampler_create(const Config *config, const Signal *signal, int64_t samples,
                      Sampler *sampler);
void sampler_destroy(Sampler *sampler);

/* Local. Cuts a signal that is in its file into bricks, as the options data.brick, data.resident
 * and data.window ask. `tile`: the problem's, in samples. */
Status sampler_cut(const Config *config, Sampler *sampler, int64_t tile);

/* Local. Numbers in a sample's data: components, or with `gradient` axes * components. */
int sampler_width(const Sampler *sampler);

/* DrawFunction; source is a Sampler. x [axes]: coordinates. data: the values [components], or with
 * `gradient` their derivatives [axes][components] in network coordinates: central differences, at
 * the ends of an axis one-sided ones, 0 along an axis of one sample. */
void sampler_draw(const void *source, uint64_t step, int64_t first, int rows, real *x, real *data,
                  real *weights);

/* PrepareFunction for signals in bricks. */
Status sampler_prepare(const void *source, uint64_t step, int64_t first, int64_t end);

#endif
