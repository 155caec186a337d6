/* The pixels of an image as samples of [-1, 1]^2: all of them in every step, or a random part. */
#ifndef EXPERIMENTS_PIXELS_H
#define EXPERIMENTS_PIXELS_H

#include <stdint.h>

#include "core/real.h"
#include "io/config.h"

typedef struct {
  int height, width;
  int64_t count;       /* of all pixels to draw from */
  const int64_t *part; /* [count] these pixels; NULL: the whole image; borrowed */
  int64_t samples;     /* in a step */
  uint64_t seed;
} Pixels;

/* Local. As train.samples and seed ask. Fails (STATUS_USAGE) when there are not so many pixels. */
Status pixels_create(const Config *config, int height, int width, Pixels *pixels);

/* Local. The same with `count` of the pixels alone (row * width + column). */
Status pixels_create_part(const Config *config, int height, int width, const int64_t *part,
                          int64_t count, Pixels *pixels);

/* Local, pure. The pixel (row * width + column) that is sample `sample` of a step: in their order
 * where a step takes all, else drawn without replacement. */
int64_t pixels_draw(const Pixels *pixels, uint64_t step, int64_t sample);

/* Local, pure. Coordinates (row, column) of a pixel, both ends included; a side of one pixel lies
 * at 0 (paper.md 0.5). */
void pixels_coordinates(const Pixels *pixels, int64_t pixel, real x[2]);

#endif
