/* Aligned allocation with an error instead of a NULL. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include <stddef.h>

#include "core/status.h"

/* Local. Stores in *pointer (a T **) `count` zeroed elements of `size` bytes on a REAL_ALIGN
 * boundary; at least one byte. Release with free(). Fails (STATUS_FAILED, "out of memory: N MB for
 * WHAT") without touching *pointer. */
Status memory_allocate(void *pointer, size_t count, size_t size, const char *what);

#endif
