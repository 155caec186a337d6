/* Unpacking gzip in memory. */
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

#endif
