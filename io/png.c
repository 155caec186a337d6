#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/image_formats.h"

/* libpng leaves a failed call by longjmp. Whatever must outlive the jump is in here, and nothing
 * else of ours is alive when libpng runs (png_guarded), so that nothing leaks or is clobbered. */
typedef struct {
  png_structp png;
  png_infop info;
  jmp_buf jump;
  char reason[128];
  int height, width, channels, depth, passes;
  unsigned char *bytes; /* [height][width][channels] samples; owned when reading */
  const unsigned char *input;
  unsigned char *output;
  size_t length, at; /* bytes in the file, and how many of them are read or made */
} Png;

static PNG_NORETURN void png_on_error(png_structp png, png_const_charp message) {
  Png *p = png_get_error_ptr(png);
  snprintf(p->reason, sizeof p->reason, "%s", message);
  longjmp(p->jump, 1);
}

static void png_on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message; /* a strange comment or colour profile is no concern of ours */
}

static bool png_guarded(Png *p, void (*work)(Png *)) {
  if (setjmp(p->jump)) return false;
  work(p);
  return true;
}

static Status png_failed(const Png *p, const char *name) {
  return status_fail(STATUS_FAILED, "%s: damaged PNG: %s", name, p->reason);
}

static png_bytep png_row(const Png *p, int y) {
  return p->bytes + (size_t)y * (size_t)p->width * (size_t)p->channels * (size_t)(p->depth / 8);
}

static void png_take(png_structp png, png_bytep to, size_t count) {
  Png *p = png_get_io_ptr(png);
  if (count > p->length - p->at) png_error(png, "the file ends too early");
  memcpy(to, p->input + p->at, count);
  p->at += count;
}

static void png_read_header(Png *p) {
  png_set_user_limits(p->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* image_check_size says it */
  png_set_read_fn(p->png, p, png_take);
  png_read_info(p->png, p->info);
}

/* Takes memory for rows of the header's width. */
static void png_read_start(Png *p) {
  png_set_palette_to_rgb(p->png);
  if (png_get_color_type(p->png, p->info) == PNG_COLOR_TYPE_GRAY) {
    png_set_expand_gray_1_2_4_to_8(p->png);
  }
  png_set_strip_alpha(p->png);
  p->passes = png_set_interlace_handling(p->png);
  png_read_update_info(p->png, p->info);
  p->depth = png_get_bit_depth(p->png, p->info);
  p->channels = png_get_channels(p->png, p->info);
}

static void png_read_pixels(Png *p) {
  for (int pass = 0; pass < p->passes; pass++) {
    for (int y = 0; y < p->height; y++) png_read_row(p->png, png_row(p, y), NULL);
  }
  png_read_end(p->png, NULL);
}

static Status png_read(Png *p, const char *name, Image *image) {
  p->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, p, png_on_error, png_on_warning);
  if (p->png) p->info = png_create_info_struct(p->png);
  if (!p->info) return status_fail(STATUS_FAILED, "%s: libpng does not start", name);
  if (!png_guarded(p, png_read_header)) return png_failed(p, name);
  unsigned long height = png_get_image_height(p->png, p->info);
  unsigned long width = png_get_image_width(p->png, p->info);
  TRY(image_check_size(name, p->length, height, width));
  if (!png_guarded(p, png_read_start)) return png_failed(p, name);
  p->height = (int)height;
  p->width = (int)width;
  size_t count = (size_t)height * (size_t)width * (size_t)p->channels;
  TRY(memory_allocate(&p->bytes, count, (size_t)(p->depth / 8), "a PNG"));
  if (!png_guarded(p, png_read_pixels)) return png_failed(p, name);
  int levels = p->depth == 16 ? 65535 : 255;
  return image_from_samples(p->bytes, p->height, p->width, p->channels, levels, image);
}

Status png_decode(const char *name, const unsigned char *data, size_t length, Image *image) {
  Png p = {.input = data, .length = length};
  Status status = png_read(&p, name, image);
  png_destroy_read_struct(&p.png, &p.info, NULL);
  free(p.bytes);
  return status;
}

static void png_put(png_structp png, png_bytep from, size_t count) {
  Png *p = png_get_io_ptr(png);
  if (count > p->length - p->at) {
    size_t length = 2 * (p->length + count);
    unsigned char *grown = realloc(p->output, length);
    if (!grown) png_error(png, "out of memory");
    p->output = grown;
    p->length = length;
  }
  memcpy(p->output + p->at, from, count);
  p->at += count;
}

static void png_flush_nothing(png_structp png) {
  (void)png;
}

static void png_write_all(Png *p) {
  png_set_write_fn(p->png, p, png_put, png_flush_nothing);
  png_set_compression_level(p->png, 3); /* half the time of the default 6 for a few per cent */
  png_set_IHDR(p->png, p->info, (png_uint_32)p->width, (png_uint_32)p->height, p->depth,
               p->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(p->png, p->info);
  for (int y = 0; y < p->height; y++) png_write_row(p->png, png_row(p, y));
  png_write_end(p->png, NULL);
}

static Status png_write(Png *p, const char *name) {
  p->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, p, png_on_error, png_on_warning);
  if (p->png) p->info = png_create_info_struct(p->png);
  if (!p->info) return status_fail(STATUS_FAILED, "%s: libpng does not start", name);
  if (png_guarded(p, png_write_all)) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: cannot make a PNG: %s", name, p->reason);
}

Status png_encode(const char *name, const unsigned char *bytes, int height, int width, int channels,
                  int depth, unsigned char **file, size_t *length) {
  Png p = {.height = height, .width = width, .channels = channels, .depth = depth};
  p.bytes = (unsigned char *)bytes; /* libpng only reads them here, but its type says otherwise */
  Status status = png_write(&p, name);
  png_destroy_write_struct(&p.png, &p.info);
  if (status == STATUS_OK) {
    *file = p.output;
    *length = p.at;
  } else {
    free(p.output);
  }
  return status;
}
