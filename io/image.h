/* Images from PNG and JPEG files, PNG out, resizing. */
#ifndef IO_IMAGE_H
#define IO_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* An image of floats. Files keep their sample values, as PIL does: no gamma, no colour profile, no
 * EXIF rotation. PNG: grey and RGB of 1 to 16 bits and palettes (which become RGB); an alpha
 * channel is dropped, not composited (PIL's convert("RGB")). JPEG: grey and colour; CMYK is
 * refused. */
typedef struct {
  int height, width, channels; /* channels 1 or 3 */
  int levels;    /* 255, 65535: values are k/levels, as in 8- and 16-bit files; 0: any value */
  float *pixels; /* [height][width][channels] in [0, 1]; owned */
} Image;

/* Local. Reads a file by its content (not its name); `path` "" means the embedded sample
 * photograph. Errors name the file and the reason; *image is then untouched. Images of more than
 * 2^28 pixels are refused. */
Status image_read(const char *path, Image *image);
Status image_decode(const char *name, const unsigned char *data, size_t length, Image *image);
Status image_create(int height, int width, int channels, Image *image); /* zeroed, levels 0 */
void image_destroy(Image *image);                                       /* leaves it all zero */

/* Local. 8-bit and 16-bit PNG, atomic. Values are clipped to [0, 1] and rounded to nearest; NaN is
 * 0. */
Status image_write_png(const char *path, const Image *image);
Status image_write_deep_png(const char *path, const Image *image);

/* Local. The bytes of the 8-bit PNG (free()); `name` is for messages. */
Status image_encode_png(const char *name, const Image *image, unsigned char **file, size_t *length);

/* Local. In place. Grey is PIL's "L", luma of ITU-R 601 in 16-bit fixed point: the same bytes for
 * 8-bit images. */
Status image_to_grey(Image *image);
Status image_to_rgb(Image *image);

/* Local. The part of `from` with height x width pixels from (top, left) on, which lies within it,
 * as a new image. */
Status image_crop(const Image *from, int top, int left, int height, int width, Image *to);

/* Local. In place. Cuts out the centre square. */
Status image_crop_square(Image *image);

/* Local. Resizes as PIL's bilinear with antialias (triangle filter, support scaled by the reduction
 * factor; paper.md 0.5): first the rows, then the columns, with PIL's 22-bit fixed-point weights.
 * Where image->levels is not 0, each pass rounds to these levels: an 8-bit image gives PIL's bytes
 * exactly. *to is a new image. */
Status image_resize(const Image *from, int height, int width, Image *to);

/* Local. The same by another of PIL's filters: bicubic (a = -0.5), the mean of an area (PIL's box),
 * the nearest pixel. */
typedef enum {
  IMAGE_BILINEAR,
  IMAGE_BICUBIC,
  IMAGE_AREA,
  IMAGE_NEAREST,
  IMAGE_FILTERS
} ImageFilter;
Status image_resize_by(ImageFilter filter, const Image *from, int height, int width, Image *to);

/* Local. "bilinear", "bicubic", "area", "nearest". */
const char *image_filter_name(ImageFilter filter);

#endif
