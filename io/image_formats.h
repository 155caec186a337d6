/* What the image formats of io/formats.def and io/image.c owe each other. */
#ifndef IO_IMAGE_FORMATS_H
#define IO_IMAGE_FORMATS_H

#include <stddef.h>

#include "core/status.h"
#include "io/image.h"

/* Local. Decoders: `name` is the file's, for messages ("NAME: reason"); *image is made by
 * image_create, and left untouched on failure. */
typedef Status ImageDecoder(const char *name, const unsigned char *data, size_t length,
                            Image *image);
ImageDecoder png_decode, jpeg_decode, dataset_image_decode;

/* Local. A PNG of `bytes` [height][width][channels] in *file (free()); depth 8, or 16: samples of
 * two bytes, big-endian. */
Status png_encode(const char *name, const unsigned char *bytes, int height, int width, int channels,
                  int depth, unsigned char **file, size_t *length);

/* Local. Refuses what a header claims but a file of `length` bytes cannot hold or nobody means:
 * to be asked before memory is taken for the pixels. */
Status image_check_size(const char *name, size_t length, unsigned long height, unsigned long width);

/* Local. An image out of 8-bit (levels 255) or big-endian 16-bit (levels 65535) samples. */
Status image_from_samples(const unsigned char *samples, int height, int width, int channels,
                          int levels, Image *image);

/* Local. The 8-bit sample of a value: clipped, rounded to nearest, 0 for NaN. */
unsigned char image_byte(float value);

#endif
