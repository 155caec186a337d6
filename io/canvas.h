/* A white picture to draw on with cairo: text that fits its place, images, PNG out. Drawing past an
 * error is harmless (cairo remembers it); canvas_write reports it. */
#ifndef IO_CANVAS_H
#define IO_CANVAS_H

#include <cairo.h>

#include "core/status.h"
#include "io/image.h"

typedef struct {
  cairo_surface_t *surface;
  cairo_t *cairo;
} Canvas;

/* Local. Fails when memory is short or a side is over cairo's 32767 pixels. */
Status canvas_create(const char *path, double width, double height, Canvas *canvas);
void canvas_destroy(Canvas *canvas);
Status canvas_write(const Canvas *canvas, const char *path);

/* Local. Width of a text in a sans-serif font of `size` pixels. NULL is "". */
double canvas_text_width(cairo_t *cairo, double size, const char *text);

/* Local. One line of text with its middle at height y. `align` 0, 0.5, 1: x is its left end, middle
 * or right end. What is wider than `room` is set smaller, down to 3/4, then shortened with "…". */
void canvas_text(cairo_t *cairo, double x, double y, double align, double size, double room,
                 const char *text);

/* Local. The same, reading upwards around the point (x, y). */
void canvas_text_upwards(cairo_t *cairo, double x, double y, double size, double room,
                         const char *text);

/* Local. Draws the image with its top left corner at (x, y), each of its pixels `scale` wide. */
Status canvas_image(cairo_t *cairo, double x, double y, int scale, const Image *image);

/* Local. Bytes that such a picture takes until it is written. */
double canvas_bytes(double width, double height);

#endif
