/* IDX files of images, as MNIST and Fashion-MNIST come in: big-endian, 0, 0, type 8 (bytes), rank
 * 3, then images, rows and columns in four bytes each, then the pixels. Gzipped or not. */
#ifndef IO_IDX_H
#define IO_IDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct {
  int64_t n; /* images, >= 1 */
  int rows, columns;
} IdxInfo;

/* Local. A file in memory, not gzipped; *pixels [n][rows][columns] lie within `data`. Errors, as
 * below: another mark, another type or rank (labels), sizes that nobody means, too few or too many
 * bytes. */
Status idx_decode(const char *name, const unsigned char *data, size_t length, IdxInfo *info,
                  const uint8_t **pixels);

typedef struct IdxReader IdxReader;

/* Local. Reads image by image. */
Status idx_open(const char *path, IdxReader **reader);
void idx_close(IdxReader *reader); /* NULL is allowed */
IdxInfo idx_info(const IdxReader *reader);

/* Local. The next image, pixels [rows][columns]; *got is false after the last one, and the file is
 * known to be sound. */
Status idx_next(IdxReader *reader, uint8_t *pixels, bool *got);

#endif
