#include "experiments/population_painter.h"

#include <stdlib.h>

#include "core/memory.h"
#include "experiments/metrics.h"

static size_t longest_row(const Setup *setup) {
  size_t weights = setup->network.n_parameters, numbers = population_numbers(setup->own);
  return weights > numbers ? weights : numbers;
}

Status painter_create(const Setup *setup, int components, Painter *painter) {
  const char *what = "the rendering of networks";
  const Population *p = setup->own;
  size_t numbers = population_numbers(p);
  *painter = (Painter){.population = p};
  TRY(bundle_use_create(p->bundle, &painter->use));
  TRY(memory_allocate(&painter->weights, setup->network.n_parameters, sizeof(real), what));
  TRY(memory_allocate(&painter->values, numbers, sizeof(real), what));
  TRY(memory_allocate(&painter->row, longest_row(setup), sizeof(double), what));
  TRY(memory_allocate(&painter->coefficients, (size_t)components, sizeof(double), what));
  return memory_allocate(&painter->scratch, 2 * numbers, sizeof(float), what);
}

void painter_destroy(Painter *painter) {
  bundle_use_destroy(painter->use);
  void *owned[] = {painter->weights, painter->values, painter->row, painter->coefficients,
                   painter->scratch};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
}

double painter_bytes(const Setup *setup, int components) {
  const Population *p = setup->own;
  double numbers = (double)population_numbers(p);
  return (double)bundle_use_bytes(p->bundle) +
         sizeof(real) * ((double)setup->network.n_parameters + numbers) +
         sizeof(double) * ((double)longest_row(setup) + components) + sizeof(float) * 2 * numbers;
}

static void render(Painter *painter) {
  bundle_render(painter->use, painter->weights, painter->values);
}

void painter_fit(Painter *painter, const real *theta, int64_t member) {
  bundle_get(painter->population->bundle, theta, member, painter->weights);
  render(painter);
}

void painter_take_weights(Painter *painter, const real *theta, int64_t member) {
  const Bundle *bundle = painter->population->bundle;
  bundle_get(bundle, theta, member, painter->weights);
  for (size_t i = 0; i < bundle_weights(bundle); i++) painter->row[i] = (double)painter->weights[i];
}

void painter_take_pixels(Painter *painter, int64_t member) {
  size_t n = population_numbers(painter->population);
  population_image(painter->population, member, painter->values);
  for (size_t i = 0; i < n; i++) painter->row[i] = (double)painter->values[i];
}

void painter_restore_weights(Painter *painter, const Principal *weights, int count) {
  principal_restore(weights, count, painter->coefficients, painter->row);
  for (int i = 0; i < weights->columns; i++) painter->weights[i] = (real)painter->row[i];
  render(painter);
}

void painter_restore_pixels(Painter *painter, const Principal *pixels, int count) {
  principal_restore(pixels, count, painter->coefficients, painter->row);
  for (int i = 0; i < pixels->columns; i++) painter->values[i] = (real)painter->row[i];
}

double painter_psnr(Painter *painter, int64_t member) {
  size_t n = population_numbers(painter->population);
  float *value = painter->scratch, *truth = value + n;
  for (size_t i = 0; i < n; i++) value[i] = (float)painter->values[i];
  population_pixels(painter->population, member, truth);
  return metric_psnr(value, truth, n);
}
