#include "io/image.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/embedded.h"
#include "io/file.h"
#include "io/image_formats.h"

/* Deflate packs at most 1032 bytes, and so 8 * 1032 one-bit pixels, into one byte; JPEG far less.
 */
enum { MOST_PIXELS = 1 << 28, MOST_PIXELS_PER_BYTE = 8 * 1032 };

typedef struct {
  const char *name, *magic;
  size_t magic_length;
  ImageDecoder *decode;
} Format;

static const Format formats[] = {
#define IMAGE_FORMAT(name, magic, decode) {name, magic, sizeof magic - 1, decode},
#include "io/formats.def"
#undef IMAGE_FORMAT
};
enum { FORMATS = sizeof formats / sizeof *formats };

/* "PNG or JPEG", from the table. */
static void format_names(char *text, size_t size) {
  *text = 0;
  for (int i = 0; i < FORMATS; i++) {
    const char *joint = i == 0 ? "" : i == FORMATS - 1 ? " or " : ", ";
    strncat(text, joint, size - strlen(text) - 1);
    strncat(text, formats[i].name, size - strlen(text) - 1);
  }
}

Status image_decode(const char *name, const unsigned char *data, size_t length, Image *image) {
  if (!length) return status_fail(STATUS_FAILED, "%s: the file is empty", name);
  for (int i = 0; i < FORMATS; i++) {
    const Format *f = &formats[i];
    if (length >= f->magic_length && !memcmp(data, f->magic, f->magic_length)) {
      return f->decode(name, data, length, image);
    }
  }
  char names[80];
  format_names(names, sizeof names);
  return status_fail(STATUS_FAILED, "%s: not a %s file", name, names);
}

Status image_read(const char *path, Image *image) {
  if (!*path) {
    return image_decode("the sample photograph", photograph_data, photograph_length, image);
  }
  unsigned char *data;
  size_t length;
  TRY(file_read(path, &data, &length));
  Status status = image_decode(path, data, length, image);
  free(data);
  return status;
}

Status image_check_size(const char *name, size_t length, unsigned long height,
                        unsigned long width) {
  if (!height || !width) {
    return status_fail(STATUS_FAILED, "%s: has no pixels (%lux%lu)", name, width, height);
  }
  if (height > MOST_PIXELS / width) {
    return status_fail(STATUS_FAILED, "%s: is %lux%lu: more than %d million pixels", name, width,
                       height, MOST_PIXELS / 1000000);
  }
  if (height * width / MOST_PIXELS_PER_BYTE > length) {
    return status_fail(STATUS_FAILED, "%s: says %lux%lu but holds only %zu bytes: truncated?", name,
                       width, height, length);
  }
  return STATUS_OK;
}

Status image_create(int height, int width, int channels, Image *image) {
  assert(height > 0 && width > 0 && (channels == 1 || channels == 3));
  size_t count = (size_t)height * (size_t)width * (size_t)channels;
  float *pixels;
  TRY(memory_allocate(&pixels, count, sizeof *pixels, "an image"));
  *image = (Image){.height = height, .width = width, .channels = channels, .pixels = pixels};
  return STATUS_OK;
}

void image_destroy(Image *image) {
  free(image->pixels);
  *image = (Image){0};
}

static size_t image_count(const Image *image) {
  return (size_t)image->height * (size_t)image->width * (size_t)image->channels;
}

Status image_from_samples(const unsigned char *samples, int height, int width, int channels,
                          int levels, Image *image) {
  Image made;
  TRY(image_create(height, width, channels, &made));
  made.levels = levels;
  size_t count = image_count(&made);
  for (size_t i = 0; i < count; i++) {
    int value = levels == 255 ? samples[i] : samples[2 * i] << 8 | samples[2 * i + 1];
    made.pixels[i] = (float)value / (float)levels;
  }
  *image = made;
  return STATUS_OK;
}

unsigned char image_byte(float value) {
  if (!(value > 0)) return 0; /* NaN too */
  return value < 1 ? (unsigned char)(value * 255 + 0.5f) : 255;
}

/* The big-endian 16-bit sample of a value, as image_byte has the 8-bit one. */
static void put_word(float value, unsigned char *bytes) {
  int word = !(value > 0) ? 0 : value < 1 ? (int)(value * 65535 + 0.5f) : 65535;
  bytes[0] = (unsigned char)(word >> 8);
  bytes[1] = (unsigned char)word;
}

static Status encode(const char *name, const Image *image, int depth, unsigned char **file,
                     size_t *length) {
  size_t count = image_count(image);
  unsigned char *bytes;
  TRY(memory_allocate(&bytes, count, (size_t)(depth / 8), "the bytes of an image"));
  for (size_t i = 0; i < count; i++) {
    if (depth == 8) bytes[i] = image_byte(image->pixels[i]);
    if (depth == 16) put_word(image->pixels[i], bytes + 2 * i);
  }
  Status status =
      png_encode(name, bytes, image->height, image->width, image->channels, depth, file, length);
  free(bytes);
  return status;
}

Status image_encode_png(const char *name, const Image *image, unsigned char **file,
                        size_t *length) {
  return encode(name, image, 8, file, length);
}

static Status write_png(const char *path, const Image *image, int depth) {
  unsigned char *file = NULL;
  size_t length;
  TRY(encode(path, image, depth, &file, &length));
  Status status = file_replace(path, file, length);
  free(file);
  return status;
}

Status image_write_png(const char *path, const Image *image) {
  return write_png(path, image, 8);
}

Status image_write_deep_png(const char *path, const Image *image) {
  return write_png(path, image, 16);
}

/* PIL's fixed-point luma on whole levels; without levels the same weights, unrounded. */
static float luma(const float *rgb, int levels) {
  static const double weight[3] = {19595 / 65536.0, 38470 / 65536.0, 7471 / 65536.0};
  double sum = 0;
  for (int c = 0; c < 3; c++) sum += weight[c] * (levels ? rint(rgb[c] * levels) : rgb[c]);
  return (float)(levels ? floor(sum + 0.5) / levels : sum);
}

Status image_to_grey(Image *image) {
  if (image->channels == 1) return STATUS_OK;
  Image grey;
  TRY(image_create(image->height, image->width, 1, &grey));
  grey.levels = image->levels;
  size_t count = image_count(&grey);
  for (size_t i = 0; i < count; i++) {
    grey.pixels[i] = luma(image->pixels + 3 * i, image->levels);
  }
  image_destroy(image);
  *image = grey;
  return STATUS_OK;
}

Status image_to_rgb(Image *image) {
  if (image->channels == 3) return STATUS_OK;
  Image rgb;
  TRY(image_create(image->height, image->width, 3, &rgb));
  rgb.levels = image->levels;
  size_t count = image_count(&rgb);
  for (size_t i = 0; i < count; i++) rgb.pixels[i] = image->pixels[i / 3];
  image_destroy(image);
  *image = rgb;
  return STATUS_OK;
}

Status image_crop(const Image *from, int top, int left, int height, int width, Image *to) {
  assert(top >= 0 && top + height <= from->height && left >= 0 && left + width <= from->width);
  TRY(image_create(height, width, from->channels, to));
  to->levels = from->levels;
  size_t channels = (size_t)from->channels, line = (size_t)width * channels;
  for (int row = 0; row < height; row++) {
    size_t pixel = (size_t)(top + row) * (size_t)from->width + (size_t)left;
    memcpy(to->pixels + (size_t)row * line, from->pixels + pixel * channels,
           line * sizeof *to->pixels);
  }
  return STATUS_OK;
}

Status image_crop_square(Image *image) {
  int side = image->height < image->width ? image->height : image->width;
  Image square;
  TRY(image_crop(image, (image->height - side) / 2, (image->width - side) / 2, side, side,
                 &square));
  image_destroy(image);
  *image = square;
  return STATUS_OK;
}
