/* Reading tar archives, gzipped or not: ustar, pax (long names and sizes), GNU (long names) and the
 * old format. Only regular files are looked at: directories, links and devices are passed over.
 * Nothing is ever unpacked to disk, so a name may be anything. */
#ifndef IO_TAR_H
#define IO_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct TarReader TarReader;

/* Local. Errors name the archive and say what is wrong with it: no tar, a damaged header, an end in
 * the middle. */
Status tar_open(const char *path, TarReader **reader);
void tar_close(TarReader *reader); /* NULL is allowed */

/* Local. Goes to the next file: *name without a leading "./", borrowed until the next call, or NULL
 * after the last one, when the archive is known to be complete. */
Status tar_next(TarReader *reader, const char **name);

/* Local. The bytes of that file in *data (free()); once. Fails over 2 GiB. */
Status tar_read(TarReader *reader, unsigned char **data, size_t *length);

#endif
