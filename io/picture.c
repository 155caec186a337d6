#include "io/picture.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "io/colour_map.h"

static const float missing = 0.5f; /* NaN */

/* Lets NaN through. */
static float clip(float value) {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

static void put_rgb(Image *image, size_t i, const float rgb[3]) {
  for (size_t c = 0; c < 3; c++) image->pixels[3 * i + c] = isnan(rgb[c]) ? missing : rgb[c];
}

Status picture_value(const float *value, int height, int width, int channels, Image *image) {
  TRY(image_create(height, width, channels, image));
  size_t count = (size_t)height * (size_t)width * (size_t)channels;
  for (size_t i = 0; i < count; i++) {
    float shown = clip(value[i] / 2 + 0.5f);
    image->pixels[i] = isnan(shown) ? missing : shown;
  }
  return STATUS_OK;
}

static int compare_floats(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* numpy's percentile: between the sorted values at fraction * (n - 1). */
static float percentile(const float *sorted, size_t n, double percent) {
  double at = percent / 100 * (double)(n - 1);
  size_t below = (size_t)at;
  double part = at - (double)below, low = sorted[below];
  return (float)(part > 0 ? low + part * (sorted[below + 1] - low) : low);
}

/* The values' `percent` and 100 - `percent` percentiles, of those that are finite; 0 and 0 when
 * none is. */
static Status value_range(const float *value, size_t n, double percent, float range[2]) {
  float *sorted;
  size_t finite = 0;
  TRY(memory_allocate(&sorted, n, sizeof *sorted, "a picture's range"));
  for (size_t i = 0; i < n; i++) {
    if (isfinite(value[i])) sorted[finite++] = value[i];
  }
  qsort(sorted, finite, sizeof *sorted, compare_floats);
  range[0] = finite ? percentile(sorted, finite, percent) : 0;
  range[1] = finite ? percentile(sorted, finite, 100 - percent) : 0;
  free(sorted);
  return STATUS_OK;
}

/* low..high to 0..1, clipped; `flat` when they are equal. */
static float scaled(float value, const float range[2], float flat) {
  if (isnan(value)) return value;
  if (!(range[0] < range[1])) return flat;
  return clip((value - range[0]) / (range[1] - range[0]));
}

/* HSV of saturation 1: one channel is `value`, one 0, one between. */
static void hue_rgb(float hue, float value, float rgb[3]) {
  for (int c = 0; c < 3; c++) {
    float angle = fmodf(6 * hue + (float[]){5, 3, 1}[c], 6);
    rgb[c] = value - value * clip(fminf(angle, 4 - angle));
  }
}

static void gradient_colours(const float *gradient, const float *length, const float range[2],
                             size_t count, Image *image) {
  for (size_t i = 0; i < count; i++) {
    float angle = atan2f(gradient[2 * i + 1], gradient[2 * i]), rgb[3];
    float value = scaled(length[i], range, 0);
    hue_rgb((angle + (float)M_PI) / (2 * (float)M_PI), value, rgb);
    if (isnan(value)) rgb[0] = rgb[1] = rgb[2] = NAN;
    put_rgb(image, i, rgb);
  }
}

Status picture_gradient(const float *gradient, int height, int width, Image *image) {
  size_t count = (size_t)height * (size_t)width;
  float *length, range[2];
  TRY(memory_allocate(&length, count, sizeof *length, "a gradient's picture"));
  for (size_t i = 0; i < count; i++) length[i] = hypotf(gradient[2 * i], gradient[2 * i + 1]);
  Status status = value_range(length, count, 5, range);
  if (status == STATUS_OK) status = image_create(height, width, 3, image);
  if (status == STATUS_OK) gradient_colours(gradient, length, range, count, image);
  free(length);
  return status;
}

/* range[0]..range[1] to the whole colour map, its middle where they are equal. */
static Status draw_map(const float *field, int height, int width, ColourMap map,
                       const float range[2], Image *image) {
  TRY(image_create(height, width, 3, image));
  size_t count = (size_t)height * (size_t)width;
  for (size_t i = 0; i < count; i++) {
    colour_map(map, scaled(field[i], range, 0.5f), image->pixels + 3 * i);
  }
  return STATUS_OK;
}

Status picture_diverging(const float *field, int height, int width, Image *image) {
  float range[2];
  TRY(value_range(field, (size_t)height * (size_t)width, 2, range));
  return draw_map(field, height, width, COLOUR_RED_BLUE, range, image);
}

Status picture_signed(const float *field, int height, int width, double limit, Image *image) {
  const float range[2] = {(float)-limit, (float)limit};
  return draw_map(field, height, width, COLOUR_RED_BLUE, range, image);
}

Status picture_sequential(const float *field, int height, int width, double low, double high,
                          Image *image) {
  const float range[2] = {(float)low, (float)high};
  return draw_map(field, height, width, COLOUR_VIRIDIS, range, image);
}
