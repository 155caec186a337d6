#include "experiments/sampler.h"

#include <string.h>

#include "core/random.h"

Status sampler_create(const Config *config, const Signal *signal, int64_t samples,
                      Sampler *sampler) {
  int64_t points = signal_points(signal);
  if (samples > points) {
    return config_reject(config, "train.samples", "there are %lld samples", (long long)points);
  }
  *sampler = (Sampler){.signal = signal,
                       .samples = samples ? samples : points,
                       .all = samples == 0 || samples == points,
                       .seed = (uint64_t)config_int(config, "seed")};
  return STATUS_OK;
}

void sampler_destroy(Sampler *sampler) {
  bricks_destroy(sampler->bricks);
  memset(sampler, 0, sizeof *sampler);
}

Status sampler_cut(const Config *config, Sampler *sampler, int64_t tile) {
  const Signal *signal = sampler->signal;
  if (sampler->all) {
    return config_reject(config, "train.samples",
                         "data in bricks are drawn at random: say how many a step");
  }
  BrickPlan plan = brick_plan(signal->axes, signal->size, config_int(config, "data.brick"),
                              config_int(config, "data.resident"),
                              config_int(config, "data.window"), sampler->seed);
  return bricks_create(signal, &plan, sampler->samples, tile, sampler->gradient ? 1 : 0,
                       &sampler->bricks);
}

int sampler_width(const Sampler *sampler) {
  const Signal *signal = sampler->signal;
  return sampler->gradient ? signal->axes * signal->components : signal->components;
}

Status sampler_prepare(const void *source, uint64_t step, int64_t first, int64_t end) {
  const Sampler *sampler = source;
  return bricks_prepare(sampler->bricks, step, first, end);
}

/* ---- Drawing ---- */

/* What a block of rows is drawn from: the whole signal, or a brick. */
static Brick source_of(const Sampler *sampler, uint64_t step, int64_t first) {
  if (sampler->bricks) return bricks_of(sampler->bricks, step, first);
  Brick whole = {.samples = shared_data(sampler->signal->shared)};
  memcpy(whole.core.count, sampler->signal->size, sizeof whole.core.count);
  whole.box = whole.core;
  return whole;
}

/* The place in the grid of the sample with this number in the core. */
static void place_of(const Signal *signal, const Box *core, int64_t number, int64_t *at) {
  for (int i = signal->axes - 1; i >= 0; i--) {
    at[i] = core->first[i] + number % core->count[i];
    number /= core->count[i];
  }
}

static real value_at(const Signal *signal, const Brick *brick, const int64_t *at, int component) {
  int64_t point = 0;
  for (int i = 0; i < signal->axes; i++) {
    point = point * brick->box.count[i] + at[i] - brick->box.first[i];
  }
  return signal_value(signal, brick->samples, point * signal->components + component);
}

/* d/dx_i by the neighbours on both sides, as far as the grid goes. */
static real slope_at(const Signal *signal, const Brick *brick, int64_t *at, int i, int component) {
  int64_t here = at[i], n = signal->size[i];
  int64_t below = here > 0 ? here - 1 : here, above = here + 1 < n ? here + 1 : here;
  if (n == 1) return 0;
  at[i] = above;
  double rise = (double)value_at(signal, brick, at, component);
  at[i] = below;
  rise -= (double)value_at(signal, brick, at, component);
  at[i] = here;
  double spacing = (signal->upper[i] - signal->lower[i]) / (double)(n - 1);
  return (real)(rise / (spacing * (double)(above - below)));
}

static void fill_data(const Sampler *sampler, const Brick *brick, int64_t *at, real *data) {
  const Signal *signal = sampler->signal;
  for (int c = 0; c < signal->components; c++) {
    if (!sampler->gradient) {
      data[c] = value_at(signal, brick, at, c);
      continue;
    }
    for (int i = 0; i < signal->axes; i++) {
      data[i * signal->components + c] = slope_at(signal, brick, at, i, c);
    }
  }
}

void sampler_draw(const void *source, uint64_t step, int64_t first, int rows, real *x, real *data,
                  real *weights) {
  (void)weights;
  const Sampler *sampler = source;
  const Signal *signal = sampler->signal;
  Brick brick = source_of(sampler, step, first);
  RandomStream stream = {sampler->seed, RANDOM_SAMPLE, step};
  uint64_t points = (uint64_t)box_points(&brick.core, signal->axes);
  for (int r = 0; r < rows; r++) {
    int64_t number = first + r, at[NETWORK_MAX_IN];
    if (!sampler->all) number = (int64_t)random_below(stream, (uint64_t)number, 0, points);
    place_of(signal, &brick.core, number, at);
    for (int i = 0; i < signal->axes; i++) {
      x[r * signal->axes + i] = signal_coordinate(signal, i, at[i]);
    }
    fill_data(sampler, &brick, at, data + r * sampler_width(sampler));
  }
}
