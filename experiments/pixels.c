#include "experiments/pixels.h"

#include "core/random.h"

Status pixels_create_part(const Config *config, int height, int width, const int64_t *part,
                          int64_t count, Pixels *pixels) {
  int64_t samples = config_int(config, "train.samples");
  *pixels = (Pixels){height, width, count, part, samples, (uint64_t)config_int(config, "seed")};
  if (samples > count) {
    return config_reject(config, "train.samples", "there are %lld pixels", (long long)count);
  }
  if (samples == 0) pixels->samples = count;
  return STATUS_OK;
}

Status pixels_create(const Config *config, int height, int width, Pixels *pixels) {
  return pixels_create_part(config, height, width, NULL, (int64_t)height * width, pixels);
}

int64_t pixels_draw(const Pixels *pixels, uint64_t step, int64_t sample) {
  if (pixels->samples < pixels->count) {
    RandomStream stream = {pixels->seed, RANDOM_SAMPLE, step};
    sample = (int64_t)random_permute(stream, (uint64_t)sample, (uint64_t)pixels->count);
  }
  return pixels->part ? pixels->part[sample] : sample;
}

static real coordinate(int64_t i, int n) {
  return (real)(n > 1 ? 2.0 * (double)i / (n - 1) - 1 : 0);
}

void pixels_coordinates(const Pixels *pixels, int64_t pixel, real x[2]) {
  x[0] = coordinate(pixel / pixels->width, pixels->height);
  x[1] = coordinate(pixel % pixels->width, pixels->width);
}
