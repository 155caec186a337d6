/* Small PNG and JPEG files in memory with known pixels, for the tests of images. */
#ifndef TESTS_SAMPLE_IMAGE_H
#define TESTS_SAMPLE_IMAGE_H

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

typedef struct {
  unsigned char *data;
  size_t length;
} Bytes;

/* A kind of PNG; `transparent` adds a tRNS chunk. */
typedef struct {
  int type, depth, interlace, transparent;
} PngKind;

static inline int png_kind_samples(PngKind k) {
  int colour = k.type & PNG_COLOR_MASK_COLOR && !(k.type & PNG_COLOR_MASK_PALETTE);
  return (colour ? 3 : 1) + !!(k.type & PNG_COLOR_MASK_ALPHA);
}

/* The stored sample c of pixel (y, x), of k.depth bits. */
static inline int sample_value(PngKind k, int y, int x, int c) {
  unsigned mixed = (unsigned)(y * 7919 + x * 104729 + c * 31 + x * y * 13) * 2654435761u;
  return (int)(mixed >> 11 & ((1u << k.depth) - 1));
}

static inline png_color sample_colour(int index) {
  return (png_color){(png_byte)(index * 3 + 1), (png_byte)(255 - index), (png_byte)(index * 7)};
}

/* The checksum of a PNG's chunk. */
static inline png_uint_32 sample_crc(const unsigned char *data, size_t length) {
  png_uint_32 code = 0xffffffff;
  for (size_t i = 0; i < length; i++) {
    code ^= data[i];
    for (int bit = 0; bit < 8; bit++) code = code >> 1 ^ (code & 1 ? 0xedb88320 : 0);
  }
  return ~code;
}

static inline void bytes_append(png_structp png, png_bytep from, size_t count) {
  Bytes *b = png_get_io_ptr(png);
  b->data = realloc(b->data, b->length + count);
  memcpy(b->data + b->length, from, count);
  b->length += count;
}

static inline void sample_row(PngKind k, int y, int width, unsigned char *row) {
  int samples = png_kind_samples(k);
  memset(row, 0, (size_t)(width * samples * 2));
  for (int i = 0, bit = 0; i < width * samples; i++, bit += k.depth) {
    int value = sample_value(k, y, i / samples, i % samples);
    if (k.depth == 16) {
      row[2 * i] = (unsigned char)(value >> 8);
      row[2 * i + 1] = (unsigned char)value;
    } else {
      row[bit / 8] |= (unsigned char)(value << (8 - k.depth - bit % 8));
    }
  }
}

static inline Bytes sample_png(PngKind k, int height, int width) {
  Bytes file = {0};
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &file, bytes_append, NULL);
  png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, k.depth, k.type, k.interlace,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_color palette[256];
  for (int i = 0; i < 256; i++) palette[i] = sample_colour(i);
  if (k.type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 1 << k.depth);
  png_color_16 key = {.gray = 1, .red = 1, .green = 1, .blue = 1};
  if (k.transparent) png_set_tRNS(png, info, (png_const_bytep) "\0\200", 2, &key);
  png_write_info(png, info);
  unsigned char *rows = malloc((size_t)(height * width * 8));
  png_bytep *row = malloc((size_t)height * sizeof *row);
  for (int y = 0; y < height; y++) sample_row(k, y, width, row[y] = rows + y * width * 8);
  png_write_image(png, row);
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  free(row);
  free(rows);
  return file;
}

/* A smooth picture: channel c of pixel (y, x) is near (40 + 3 y + 2 x + 20 c) % 256. `format` is
 * TJPF_GRAY, TJPF_RGB or TJPF_CMYK. */
static inline Bytes sample_jpeg(int format, int flags, int height, int width) {
  int channels = tjPixelSize[format];
  unsigned char *pixels = malloc((size_t)(height * width * channels)), *made = NULL;
  for (int i = 0; i < height * width * channels; i++) {
    int c = i % channels, x = i / channels % width, y = i / channels / width;
    pixels[i] = (unsigned char)(40 + 3 * y + 2 * x + 20 * c);
  }
  unsigned long length = 0;
  tjhandle handle = tjInitCompress();
  tjCompress2(handle, pixels, width, 0, height, format, &made, &length,
              format == TJPF_GRAY ? TJSAMP_GRAY : TJSAMP_444, 95, flags);
  Bytes file = {malloc(length), length};
  memcpy(file.data, made, length);
  tjFree(made);
  tjDestroy(handle);
  free(pixels);
  return file;
}

#endif
