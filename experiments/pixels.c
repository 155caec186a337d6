#include "experiments/pixels.h"

#include "core/random.h"

static int64_t count(const Pixels *pixels) {
  return (int64_t)pixels->height * pixels->width;
}

Status pixels_create(const Config *config, int height, int width, Pixels *pixels) {
  int64_t samples = config_int(config, "train.samples");
  *pixels = (Pixels){height, width, samples, (uint64_t)config_int(config, "seed")};
  if (samples > count(pixels)) {
    return config_reject(config, "train.samples", "the image has %lld pixels",
                         (long long)count(pixels));
  }
  if (samples == 0) pixels->samples = count(pixels);
  return STATUS_OK;
}

int64_t pixels_draw(const Pixels *pixels, uint64_t step, int64_t sample) {
  if (pixels->samples == count(pixels)) return sample;
  RandomStream stream = {pixels->seed, RANDOM_SAMPLE, step};
  return (int64_t)random_permute(stream, (uint64_t)sample, (uint64_t)count(pixels));
}

static real coordinate(int64_t i, int n) {
  return (real)(n > 1 ? 2.0 * (double)i / (n - 1) - 1 : 0);
}

void pixels_coordinates(const Pixels *pixels, int64_t pixel, real x[2]) {
  x[0] = coordinate(pixel / pixels->width, pixels->height);
  x[1] = coordinate(pixel % pixels->width, pixels->width);
}
