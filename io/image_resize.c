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

/* ---- Kernels: PIL's, of the distance from the centre in input pixels ---- */

static double triangle(double x) {
  return fabs(x) < 1 ? 1 - fabs(x) : 0;
}

static double cubic(double x) {
  const double a = -0.5;
  x = fabs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double box(double x) {
  return x > -0.5 && x <= 0.5;
}

typedef struct {
  const char *name;
  double support;
  double (*kernel)(double x); /* NULL: the pixel at the centre */
} Kernel;

static const Kernel kernels[IMAGE_FILTERS] = {
    [IMAGE_BILINEAR] = {"bilinear", 1, triangle},
    [IMAGE_BICUBIC] = {"bicubic", 2, cubic},
    [IMAGE_AREA] = {"area", 0.5, box},
    [IMAGE_NEAREST] = {"nearest", 0.5, NULL},
};

const char *image_filter_name(ImageFilter filter) {
  return kernels[filter].name;
}

/* ---- Weights ---- */

/* With a kernel that is `wider` times as wide. */
static void filter_pixel(Filter *f, const Kernel *kernel, int i, int from, double scale,
                         double wider) {
  double centre = (i + 0.5) * scale, sum = 0, *weight = f->weight + (size_t)i * (size_t)f->most;
  double support = kernel->support * wider;
  int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
  if (first < 0) first = 0;
  if (end > from) end = from;
  f->first[i] = first;
  f->count[i] = end - first;
  for (int k = 0; k < f->count[i]; k++) {
    weight[k] = kernel->kernel((first + k - centre + 0.5) * (1 / wider));
    sum += weight[k];
  }
  for (int k = 0; k < f->count[i]; k++) weight[k] = round(weight[k] / sum * UNIT);
}

/* PIL adds the steps up, and so do we: at a pixel's edge the last bit decides. */
static void filter_nearest(Filter *f, int from, int to, double scale) {
  double at = 0.5 * scale;
  for (int i = 0; i < to; i++, at += scale) {
    f->first[i] = (int)at < from ? (int)at : from - 1;
    f->count[i] = 1;
    f->weight[(size_t)i * (size_t)f->most] = UNIT;
  }
}

static Status filter_create(const Kernel *kernel, int from, int to, Filter *f) {
  double scale = (double)from / to, wider = scale > 1 ? scale : 1;
  *f = (Filter){.most = 2 * (int)ceil(kernel->support * wider) + 1};
  size_t n = (size_t)to, most = (size_t)f->most;
  Status status = memory_allocate(&f->first, n, sizeof *f->first, "a resizing filter");
  if (status == STATUS_OK) status = memory_allocate(&f->count, n, sizeof *f->count, "its counts");
  if (status == STATUS_OK) {
    status = memory_allocate(&f->weight, n * most, sizeof *f->weight, "its weights");
  }
  if (status != STATUS_OK) {
    filter_destroy(f);
    return status;
  }
  if (!kernel->kernel) filter_nearest(f, from, to, scale);
  for (int i = 0; kernel->kernel && i < to; i++) filter_pixel(f, kernel, i, from, scale, wider);
  return STATUS_OK;
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
  return (float)fmin(fmax(sum / UNIT, 0), 1);
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

static Status resize_pass(Pass *pass, const Kernel *kernel, int in, int out, const Image *from,
                          int height, int width, Image *to) {
  Filter filter;
  TRY(filter_create(kernel, in, out, &filter));
  Status status = image_create(height, width, from->channels, to);
  if (status == STATUS_OK) {
    to->levels = from->levels;
    pass(&filter, from, to);
  }
  filter_destroy(&filter);
  return status;
}

Status image_resize_by(ImageFilter filter, const Image *from, int height, int width, Image *to) {
  assert(height > 0 && width > 0);
  const Kernel *kernel = &kernels[filter];
  Image narrow;
  TRY(resize_pass(resize_rows, kernel, from->width, width, from, from->height, width, &narrow));
  Status status =
      resize_pass(resize_columns, kernel, from->height, height, &narrow, height, width, to);
  image_destroy(&narrow);
  return status;
}

Status image_resize(const Image *from, int height, int width, Image *to) {
  return image_resize_by(IMAGE_BILINEAR, from, height, width, to);
}
