/* Images from PNG and JPEG files, PNG out, resizing. */
#ifndef IO_IMAGE_H
#define IO_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* 8- and 16-bit grey, grey+alpha, palette, RGB(A) become grey or RGB floats; alpha is dropped over
 * black with a note in the README; CMYK JPEG is converted or refused with a clear message. */
typedef struct {
  int height, width, channels; /* channels 1 or 3 */
  float *pixels;               /* [height][width][channels] in [0, 1]; owned */
} Image;

/* Local. Reads a file by its content (not its name); `path` "" means the embedded sample
 * photograph. Errors name the file and the reason. */
Status image_read(const char *path, Image *image);
Status image_decode(const char *name, const unsigned char *data, size_t length, Image *image);
Status image_create(int height, int width, int channels, Image *image); /* zeroed */
void image_destroy(Image *image);

/* Local. 8-bit PNG, atomic. Values are clipped to [0, 1] and rounded to nearest. */
Status image_write_png(const char *path, const Image *image);

/* Local. PIL's "L" luma (ITU-R 601: 0.299, 0.587, 0.114); in place. */
Status image_to_grey(Image *image);
Status image_to_rgb(Image *image);

/* Local. Resizes as PIL's bilinear with antialias (triangle filter, support scaled by the reduction
 * factor; paper.md 0.5); *to is a new image. */
Status image_resize(const Image *from, int height, int width, Image *to);

#endif
