/* Unpacking gzip: in memory, and of files that are read piece by piece. */
#ifndef IO_GZIP_H
#define IO_GZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/* Local. Tells by the first bytes. */
bool gzip_is(const unsigned char *data, size_t length);

/* Local. Unpacks all members of the file into *unpacked (free()). Fails naming `name` on damaged or
 * truncated data and over 8 GiB. */
Status gzip_unpack(const char *name, const unsigned char *data, size_t length,
                   unsigned char **unpacked, size_t *unpacked_length);

/* A file that is read from its first to its last byte, unpacked on the way if it is gzip. */
typedef struct GzipReader GzipReader;

/* Local. All fail naming the file: what cannot be opened or read, damaged or truncated gzip data.
 */
Status gzip_open(const char *path, GzipReader **reader);
void gzip_close(GzipReader *reader); /* NULL is allowed */

/* Local. Reads `length` bytes, or what is left of them: *got, fewer at the end only. bytes NULL:
 * passes over them. */
Status gzip_read(GzipReader *reader, void *bytes, size_t length, size_t *got);

#endif
