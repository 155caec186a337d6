#include "experiments/composite.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/stencil.h"
#include "io/embedded.h"
#include "io/image.h"

static const float paper_canvas = 0.85f;

static size_t pixel_count(const Composite *c) {
  return (size_t)c->first.height * (size_t)c->first.width;
}

/* ---- Blends ---- */

/* One pixel: n = 2 * channels components, to = b. */
typedef void Blend(double share, int n, const float *first, const float *second, float *to);

static void blend_linear(double share, int n, const float *first, const float *second, float *to) {
  for (int i = 0; i < n; i++) to[i] = (float)(share * second[i] + (1 - share) * first[i]);
}

static void blend_stronger(double share, int n, const float *first, const float *second,
                           float *to) {
  (void)share;
  double lead = 0;
  for (int i = 0; i < n; i++) lead += (double)second[i] * second[i] - (double)first[i] * first[i];
  memcpy(to, lead > 0 ? second : first, (size_t)n * sizeof *to);
}

static const struct {
  const char *name;
  Blend *function;
  double share; /* negative: poisson_edit.alpha */
} blends[] = {
    {"mix", blend_linear, -1},
    {"replace", blend_linear, 1},
    {"stronger", blend_stronger, 0.5},
};

static int find_blend(const char *name) {
  int i = 0;
  while (strcmp(blends[i].name, name)) i++; /* a word of the table of options */
  return i;
}

static void blend_pixels(const Composite *c, Blend *blend, const float *second, float *gradient) {
  int n = 2 * c->first.channels;
  for (size_t i = 0; i < pixel_count(c); i++) {
    float *g = gradient + i * (size_t)n, inside[6];
    double m = c->mask[i];
    blend(c->share, n, g, second + i * (size_t)n, inside);
    for (int k = 0; k < n; k++) g[k] = (float)(c->scale * ((1 - m) * g[k] + m * inside[k]));
  }
}

Status composite_blend(Composite *c, const char *blend) {
  const Target *f = &c->first;
  float *second;
  size_t n = 2 * pixel_count(c) * (size_t)f->channels;
  TRY(memory_allocate(&c->gradient, n, sizeof *c->gradient, "the composite gradient"));
  TRY(memory_allocate(&second, n, sizeof *second, "the second image's gradient"));
  stencil_gradient(f->values, f->height, f->width, f->channels, c->gradient);
  stencil_gradient(c->second.values, f->height, f->width, f->channels, second);
  blend_pixels(c, blends[find_blend(blend)].function, second, c->gradient);
  free(second);
  return STATUS_OK;
}

/* ---- The second image and its mask, in pixels of their own ---- */

typedef struct {
  Image image, mask; /* mask without pixels: all white */
  int64_t top, left; /* in the first image */
} Layer;

static Status resize(Image *image, int height, int width) {
  Image resized;
  TRY(image_resize(image, height, width, &resized));
  image_destroy(image);
  *image = resized;
  return STATUS_OK;
}

static Status resize_layer(const Config *config, Layer *layer) {
  const Image *image = &layer->image;
  int64_t size = config_int(config, "poisson_edit.size");
  double longer = image->height > image->width ? image->height : image->width;
  if (!size) return STATUS_OK;
  int height = (int)fmax(1, rint(image->height * (double)size / longer));
  int width = (int)fmax(1, rint(image->width * (double)size / longer));
  TRY(resize(&layer->image, height, width));
  return layer->mask.pixels ? resize(&layer->mask, height, width) : STATUS_OK;
}

static Status check_mask(const char *path, const Layer *layer) {
  const Image *image = &layer->image, *mask = &layer->mask;
  if (mask->height != image->height || mask->width != image->width) {
    return status_fail(STATUS_FAILED,
                       "%s: the mask is %dx%d, the second image %dx%d: make them of one size", path,
                       mask->width, mask->height, image->width, image->height);
  }
  size_t n = (size_t)mask->height * (size_t)mask->width;
  for (size_t i = 0; i < n; i++) {
    if (mask->pixels[i] > 0) return STATUS_OK;
  }
  return status_fail(STATUS_FAILED, "%s: the mask is all black: white is what is edited", path);
}

static Status read_layer(const Config *config, Layer *layer) {
  const char *file = config_text(config, "poisson_edit.file");
  const char *mask = config_text(config, "poisson_edit.mask");
  if (*file) {
    TRY(image_read(file, &layer->image));
  } else {
    TRY(image_decode("the second sample photograph", coffee_data, coffee_length, &layer->image));
  }
  if (*mask) {
    TRY(image_read(mask, &layer->mask));
    TRY(image_to_grey(&layer->mask));
    TRY(check_mask(mask, layer));
  }
  return resize_layer(config, layer);
}

/* ---- Both in one place ---- */

static Status repeat_grey(Target *target) {
  size_t n = 3 * (size_t)target->height * (size_t)target->width;
  float *values;
  TRY(memory_allocate(&values, n, sizeof *values, "the image in colour"));
  for (size_t i = 0; i < n; i++) values[i] = target->values[i / 3];
  free(target->values);
  target->values = values;
  target->channels = 3;
  return STATUS_OK;
}

/* data.colour; auto: colour if one of them has it. */
static Status match_channels(const Config *config, Composite *c, Layer *layer) {
  if (!strcmp(config_text(config, "data.colour"), "grey")) return image_to_grey(&layer->image);
  if (c->first.channels == 3) return image_to_rgb(&layer->image);
  return layer->image.channels == 3 ? repeat_grey(&c->first) : STATUS_OK;
}

static int clamp(int64_t i, int64_t low, int64_t high) {
  return (int)(i < low ? low : i > high ? high : i);
}

static Status place(const Config *config, Composite *c, Layer *layer) {
  int height = c->first.height, width = c->first.width;
  int64_t rows = layer->image.height, columns = layer->image.width;
  layer->top = llrint(config_real(config, "poisson_edit.row") * height - 0.5 * (double)rows);
  layer->left = llrint(config_real(config, "poisson_edit.column") * width - 0.5 * (double)columns);
  c->top = clamp(layer->top, 0, height);
  c->left = clamp(layer->left, 0, width);
  c->bottom = clamp(layer->top + rows, 0, height);
  c->right = clamp(layer->left + columns, 0, width);
  if (c->top < c->bottom && c->left < c->right) return STATUS_OK;
  return config_reject(config, c->top < c->bottom ? "poisson_edit.column" : "poisson_edit.row",
                       "the second image (%lldx%lld pixels) lies outside the first (%dx%d)",
                       (long long)columns, (long long)rows, width, height);
}

static bool inside(const Composite *c, int row, int column) {
  return row >= c->top && row < c->bottom && column >= c->left && column < c->right;
}

/* Pixel (row, column) of the first in the second, its nearest one where that ends. */
static size_t layer_pixel(const Layer *layer, int row, int column) {
  int y = clamp(row - layer->top, 0, layer->image.height - 1);
  int x = clamp(column - layer->left, 0, layer->image.width - 1);
  return (size_t)y * (size_t)layer->image.width + (size_t)x;
}

static void lay_pixel(const Layer *layer, bool canvas, int row, int column, Composite *c) {
  size_t at = (size_t)row * (size_t)c->first.width + (size_t)column;
  size_t from = layer_pixel(layer, row, column), channels = (size_t)c->first.channels;
  bool here = inside(c, row, column);
  for (size_t k = 0; k < channels; k++) {
    float value = (layer->image.pixels[from * channels + k] - 0.5f) / 0.5f;
    c->second.values[at * channels + k] = canvas && !here ? paper_canvas : value;
  }
  c->mask[at] = canvas ? 1 : !here ? 0 : layer->mask.pixels ? layer->mask.pixels[from] : 1;
}

static Status lay(const Config *config, const Layer *layer, bool canvas, Composite *c) {
  size_t n = pixel_count(c);
  double most = 0;
  c->second = c->first;
  c->second.values = NULL;
  TRY(memory_allocate(&c->second.values, n * (size_t)c->second.channels, sizeof(float),
                      "the second image"));
  TRY(memory_allocate(&c->mask, n, sizeof *c->mask, "the mask"));
  for (int row = 0; row < c->first.height; row++) {
    for (int column = 0; column < c->first.width; column++) {
      lay_pixel(layer, canvas, row, column, c);
    }
  }
  for (size_t i = 0; i < n; i++) most = fmax(most, c->mask[i]);
  if (most > 0) return STATUS_OK;
  return config_reject(config, "poisson_edit.mask",
                       "its white part lies outside the first image (%dx%d): change "
                       "poisson_edit.row, column or size",
                       c->first.width, c->first.height);
}

static double choose_scale(const Config *config, const Target *f) {
  double scale = config_real(config, "poisson_edit.scale");
  double rows = fmax(1, f->height - 1), columns = fmax(1, f->width - 1);
  return scale > 0 ? scale : 32 / (sqrt(rows * columns) / 2);
}

static Status combine(const Config *config, Layer *layer, Composite *c) {
  const char *blend = config_text(config, "poisson_edit.blend");
  bool canvas = !strcmp(blend, "mix") && !*config_text(config, "poisson_edit.mask");
  double share = blends[find_blend(blend)].share;
  c->share = share < 0 ? config_real(config, "poisson_edit.alpha") : share;
  TRY(read_layer(config, layer));
  TRY(match_channels(config, c, layer));
  TRY(place(config, c, layer));
  TRY(lay(config, layer, canvas, c));
  c->scale = choose_scale(config, &c->first);
  return composite_blend(c, blend);
}

Status composite_read(const Config *config, Composite *c) {
  Layer layer = {0};
  TRY(target_read(config, config_text(config, "data.file"), &c->first));
  Status status = combine(config, &layer, c);
  image_destroy(&layer.image);
  image_destroy(&layer.mask);
  return status;
}

void composite_destroy(Composite *c) {
  target_destroy(&c->first);
  target_destroy(&c->second);
  free(c->mask);
  free(c->gradient);
  memset(c, 0, sizeof *c);
}

/* ---- What came of it ---- */

static bool any_unedited(const Composite *c) {
  for (size_t i = 0; i < pixel_count(c); i++) {
    if (!(c->mask[i] > 0)) return true;
  }
  return false;
}

static double constant(const Composite *c, const float *fitted, int channel, bool unedited) {
  double sum = 0, weight = 0;
  for (size_t i = 0; i < pixel_count(c); i++) {
    if (unedited && c->mask[i] > 0) continue;
    size_t at = i * (size_t)c->first.channels + (size_t)channel;
    double m = c->share * c->mask[i];
    sum += (1 - m) * c->first.values[at] + m * c->second.values[at] - fitted[at] / c->scale;
    weight += 1;
  }
  return sum / weight;
}

void composite_edited(const Composite *c, const float *fitted, float *edited, double constants[3]) {
  bool unedited = any_unedited(c);
  int channels = c->first.channels;
  for (int k = 0; k < channels; k++) {
    constants[k] = constant(c, fitted, k, unedited);
    for (size_t i = 0; i < pixel_count(c); i++) {
      size_t at = i * (size_t)channels + (size_t)k;
      edited[at] = (float)(fitted[at] / c->scale + constants[k]);
    }
  }
}

/* Of n flags, `stride` apart, those within reach of a 1 become 1. */
static void spread_line(unsigned char *flags, int n, size_t stride, int reach) {
  enum { NEAR = 2 };
  for (int step = 1; step >= -1; step -= 2) {
    int far = reach + 1; /* steps since a 1 */
    for (int i = step > 0 ? 0 : n - 1; i >= 0 && i < n; i += step) {
      unsigned char *flag = flags + (size_t)i * stride;
      far = *flag == 1 ? 0 : far + (far <= reach);
      if (!*flag && far <= reach) *flag = NEAR;
    }
  }
  for (int i = 0; i < n; i++) flags[(size_t)i * stride] = flags[(size_t)i * stride] > 0;
}

static void spread(unsigned char *flags, int height, int width, int reach) {
  for (int row = 0; row < height; row++) {
    spread_line(flags + (size_t)row * (size_t)width, width, 1, reach);
  }
  for (int column = 0; column < width; column++) {
    spread_line(flags + column, height, (size_t)width, reach);
  }
}

Status composite_background(const Composite *c, const float *edited, double *psnr) {
  unsigned char *flags;
  double squares = 0, count = 0;
  int channels = c->first.channels, height = c->first.height, width = c->first.width;
  TRY(memory_allocate(&flags, pixel_count(c), 1, "the mask's surroundings"));
  for (size_t i = 0; i < pixel_count(c); i++) flags[i] = c->mask[i] > 0;
  spread(flags, height, width, (height > width ? height : width) / 16);
  for (size_t i = 0; i < pixel_count(c) * (size_t)channels; i++) {
    if (flags[i / (size_t)channels]) continue;
    double e = (double)edited[i] - c->first.values[i];
    squares += e * e;
    count++;
  }
  free(flags);
  *psnr = count > 0 ? 10 * log10(4 * count / squares) : NAN;
  return STATUS_OK;
}
