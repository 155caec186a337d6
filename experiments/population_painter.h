/* What one thread needs to render networks of a population, whatever their weights come from. */
#ifndef EXPERIMENTS_POPULATION_PAINTER_H
#define EXPERIMENTS_POPULATION_PAINTER_H

#include "core/principal.h"
#include "experiments/population.h"

typedef struct {
  const Population *population; /* borrowed */
  BundleUse *use;
  real *weights;        /* [the network's n_parameters] of the network that is rendered */
  real *values;         /* [numbers] that it renders, or what pixels are made of instead */
  double *row;          /* weights or pixels in double */
  double *coefficients; /* [components] of these */
  float *scratch;       /* [2][numbers]: values and truth of the last painter_psnr */
} Painter;

/* Local. With room for so many coefficients. To be destroyed after a failure, too. */
Status painter_create(const Setup *setup, int components, Painter *painter);
void painter_destroy(Painter *painter);
double painter_bytes(const Setup *setup, int components);

/* Local. Renders a fitted network, whose weights it takes from theta. */
void painter_fit(Painter *painter, const real *theta, int64_t member);

/* Local. row gets the weights of a fitted network, or an image's pixels. */
void painter_take_weights(Painter *painter, const real *theta, int64_t member);
void painter_take_pixels(Painter *painter, int64_t member);

/* Local. What the first `count` coefficients make, in values: a network, rendered; or pixels. */
void painter_restore_weights(Painter *painter, const Principal *weights, int count);
void painter_restore_pixels(Painter *painter, const Principal *pixels, int count);

/* Local. PSNR in dB of values against a network's image. */
double painter_psnr(Painter *painter, int64_t member);

#endif
