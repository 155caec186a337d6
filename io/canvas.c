#include "io/canvas.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/image_formats.h"
#include "io/utf8.h"

enum { LONGEST_TEXT = 256 };

Status canvas_create(const char *path, double width, double height, Canvas *canvas) {
  canvas->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
  canvas->cairo = cairo_create(canvas->surface);
  cairo_status_t status = cairo_status(canvas->cairo);
  if (status != CAIRO_STATUS_SUCCESS) {
    canvas_destroy(canvas);
    return status_fail(STATUS_FAILED, "%s: cannot draw a picture of %.0fx%.0f pixels: %s", path,
                       width, height, cairo_status_to_string(status));
  }
  cairo_set_source_rgb(canvas->cairo, 1, 1, 1);
  cairo_paint(canvas->cairo);
  cairo_select_font_face(canvas->cairo, "sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  return STATUS_OK;
}

void canvas_destroy(Canvas *canvas) {
  cairo_destroy(canvas->cairo);
  cairo_surface_destroy(canvas->surface);
}

static uint32_t *surface_row(cairo_surface_t *surface, int y) {
  unsigned char *data = cairo_image_surface_get_data(surface);
  return (uint32_t *)(void *)(data + y * cairo_image_surface_get_stride(surface));
}

Status canvas_write(const Canvas *canvas, const char *path) {
  cairo_status_t drawn = cairo_status(canvas->cairo);
  if (drawn != CAIRO_STATUS_SUCCESS) {
    return status_fail(STATUS_FAILED, "%s: cannot draw: %s", path, cairo_status_to_string(drawn));
  }
  cairo_surface_flush(canvas->surface);
  Image image;
  TRY(image_create(cairo_image_surface_get_height(canvas->surface),
                   cairo_image_surface_get_width(canvas->surface), 3, &image));
  float *to = image.pixels;
  for (int y = 0; y < image.height; y++) {
    const uint32_t *row = surface_row(canvas->surface, y);
    for (int x = 0; x < image.width; x++) {
      for (int shift = 16; shift >= 0; shift -= 8) *to++ = (float)(row[x] >> shift & 255) / 255;
    }
  }
  Status status = image_write_png(path, &image);
  image_destroy(&image);
  return status;
}

/* A copy that cairo can take: a broken character would end all drawing, a control character is a
 * box. */
static void clean_text(const char *text, char clean[LONGEST_TEXT]) {
  const char *from = text ? text : "";
  size_t at = 0;
  while (*from && at + 5 < LONGEST_TEXT) {
    int length;
    uint32_t character = utf8_decode(from, &length);
    if (length > 1) {
      memcpy(clean + at, from, (size_t)length);
      at += (size_t)length;
    } else {
      clean[at++] = (char)(character == UTF8_REPLACEMENT ? '?' : character < ' ' ? ' ' : *from);
    }
    from += length;
  }
  clean[at] = 0;
}

static double clean_width(cairo_t *cairo, double size, const char *clean) {
  cairo_text_extents_t extents;
  cairo_set_font_size(cairo, size);
  cairo_text_extents(cairo, clean, &extents);
  return extents.x_advance;
}

double canvas_text_width(cairo_t *cairo, double size, const char *text) {
  char clean[LONGEST_TEXT];
  clean_text(text, clean);
  return clean_width(cairo, size, clean);
}

/* Replaces ends of the text by "…", one character more at a time, until it fits. */
static double shorten(cairo_t *cairo, double size, double room, char clean[LONGEST_TEXT]) {
  double width = clean_width(cairo, size, clean);
  size_t at = strlen(clean);
  if (at + 4 > LONGEST_TEXT) at = LONGEST_TEXT - 4;
  while (width > room && at > 0) {
    do at--;
    while (at > 0 && ((unsigned char)clean[at] & 0xc0) == 0x80);
    memcpy(clean + at, "…", sizeof "…");
    width = clean_width(cairo, size, clean);
  }
  return width;
}

void canvas_text(cairo_t *cairo, double x, double y, double align, double size, double room,
                 const char *text) {
  char clean[LONGEST_TEXT];
  clean_text(text, clean);
  double width = clean_width(cairo, size, clean);
  if (width > room) {
    size *= fmax(0.75, room / width);
    width = shorten(cairo, size, room, clean);
  }
  cairo_font_extents_t font;
  cairo_font_extents(cairo, &font);
  cairo_move_to(cairo, x - align * width, y + (font.ascent - font.descent) / 2);
  cairo_show_text(cairo, clean);
  cairo_new_path(cairo);
}

void canvas_text_upwards(cairo_t *cairo, double x, double y, double size, double room,
                         const char *text) {
  cairo_save(cairo);
  cairo_translate(cairo, x, y);
  cairo_rotate(cairo, -M_PI / 2);
  canvas_text(cairo, 0, 0, 0.5, size, room, text);
  cairo_restore(cairo);
}

static void surface_fill(cairo_surface_t *surface, const Image *image) {
  const float *from = image->pixels;
  int green = image->channels == 3 ? 1 : 0, blue = 2 * green;
  for (int y = 0; y < image->height; y++) {
    uint32_t *row = surface_row(surface, y);
    for (int x = 0; x < image->width; x++, from += image->channels) {
      row[x] = (uint32_t)image_byte(from[0]) << 16 | (uint32_t)image_byte(from[green]) << 8 |
               image_byte(from[blue]);
    }
  }
  cairo_surface_mark_dirty(surface);
}

Status canvas_image(cairo_t *cairo, double x, double y, int scale, const Image *image) {
  cairo_surface_t *surface =
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->width, image->height);
  cairo_status_t status = cairo_surface_status(surface);
  if (status == CAIRO_STATUS_SUCCESS) {
    surface_fill(surface, image);
    cairo_save(cairo);
    cairo_translate(cairo, x, y);
    cairo_scale(cairo, scale, scale);
    cairo_set_source_surface(cairo, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_NEAREST);
    cairo_paint(cairo);
    cairo_restore(cairo);
  }
  cairo_surface_destroy(surface);
  if (status == CAIRO_STATUS_SUCCESS) return STATUS_OK;
  return status_fail(STATUS_FAILED, "cannot draw an image of %dx%d: %s", image->width,
                     image->height, cairo_status_to_string(status));
}

/* The surface, the image made of it, its bytes, and the file, which is smaller by a third. */
double canvas_bytes(double width, double height) {
  return width * height * (sizeof(uint32_t) + 3 * sizeof(float) + 3 + 2);
}
