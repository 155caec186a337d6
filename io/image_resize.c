#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "io/image.h"

/* PIL's Resample.c: output pixel i is the sum over k < count[i] of weight[i * most + k] / UNIT
 * times input pixel first[i] + k. */
typedef struct {
  int *first, *count, most;
  double *weight; /* whole numbers: sums of them with 8- or 16-bit levels are exact */
} Filter;

static const double UNIT = 1 << 22;

static void filter_destroy(Filter *f) {
  free(f->first);
  free(f->count);
  free(f->weight);
}

static void filter_pixel(Filter *f, int i, int from, double scale, double support) {
  double centre = (i + 0.5) * scale, sum = 0, *weight = f->weight + (size_t)i * (size_t)f->most;
  int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
  if (first < 0) first = 0;
  if (end > from) end = from;
  f->first[i] = first;
  f->count[i] = end - first;
  for (int k = 0; k < f->count[i]; k++) {
    double distance = fabs((first + k - centre + 0.5) * (1 / support));
    weight[k] = distance < 1 ? 1 - distance : 0;
    sum += weight[k];
  }
  for (int k = 0; k < f->count[i]; k++) weight[k] = floor(weight[k] / sum * UNIT + 0.5);
}

static Status filter_create(int from, int to, Filter *f) {
  double scale = (double)from / to, support = scale > 1 ? scale : 1;
  *f = (Filter){.most = 2 * (int)ceil(support) + 1};
  size_t n = (size_t)to, most = (size_t)f->most;
  Status status = memory_allocate(&f->first, n, sizeof *f->first, "a resizing filter");
  if (status == STATUS_OK) status = memory_allocate(&f->count, n, sizeof *f->count, "its counts");
  if (status == STATUS_OK) {
    status = memory_allocate(&f->weight, n * most, sizeof *f->weight, "its weights");
  }
  for (int i = 0; status == STATUS_OK && i < to; i++) filter_pixel(f, i, from, scale, support);
  if (status != STATUS_OK) filter_destroy(f);
  return status;
}

/* One output value; `step` is the distance of neighbours along the filtered axis. */
static float filter_value(const Filter *f, int i, const float *line, size_t step, int levels) {
  const double *weight = f->weight + (size_t)i * (size_t)f->most;
  const float *from = line + (size_t)f->first[i] * step;
  double sum = 0;
  for (int k = 0; k < f->count[i]; k++) {
    double value = from[(size_t)k * step];
    sum += weight[k] * (levels ? rint(value * levels) : value);
  }
  if (levels) sum = floor(sum / UNIT + 0.5) * (UNIT / levels);
  return (float)fmin(sum / UNIT, 1);
}

static void resize_rows(const Filter *f, const Image *from, Image *to) {
  size_t channels = (size_t)from->channels, at = 0;
  for (int y = 0; y < to->height; y++) {
    const float *row = from->pixels + (size_t)y * (size_t)from->width * channels;
    for (int x = 0; x < to->width; x++) {
      for (size_t c = 0; c < channels; c++) {
        to->pixels[at++] = filter_value(f, x, row + c, channels, from->levels);
      }
    }
  }
}

static void resize_columns(const Filter *f, const Image *from, Image *to) {
  size_t stride = (size_t)from->width * (size_t)from->channels, at = 0;
  for (int y = 0; y < to->height; y++) {
    for (size_t x = 0; x < stride; x++) {
      to->pixels[at++] = filter_value(f, y, from->pixels + x, stride, from->levels);
    }
  }
}

typedef void Pass(const Filter *, const Image *, Image *);

static Status resize_pass(Pass *pass, int in, int out, const Image *from, int height, int width,
                          Image *to) {
  Filter filter;
  TRY(filter_create(in, out, &filter));
  Status status = image_create(height, width, from->channels, to);
  if (status == STATUS_OK) {
    to->levels = from->levels;
    pass(&filter, from, to);
  }
  filter_destroy(&filter);
  return status;
}

Status image_resize(const Image *from, int height, int width, Image *to) {
  assert(height > 0 && width > 0);
  Image narrow;
  TRY(resize_pass(resize_rows, from->width, width, from, from->height, width, &narrow));
  Status status = resize_pass(resize_columns, from->height, height, &narrow, height, width, to);
  image_destroy(&narrow);
  return status;
}
