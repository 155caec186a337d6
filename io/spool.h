/* Records of one size on disk instead of in memory, to be read again in another order. */
#ifndef IO_SPOOL_H
#define IO_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct Spool Spool;

/* Local. The file, PATH.spool, loses its name at once: nothing is left of it, however the process
 * ends. Errors name it and the system's reason. */
Status spool_create(const char *path, size_t record, Spool **spool);
void spool_destroy(Spool *spool); /* NULL is allowed */

/* Local. Adds a record; reads record `index`, from 0. */
Status spool_add(Spool *spool, const void *record);
Status spool_read(Spool *spool, int64_t index, void *record);

#endif
