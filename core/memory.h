/* Aligned allocation with an error instead of a NULL. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include <stddef.h>

#include "core/status.h"

/* Local. Stores in *pointer (a T **) `count` zeroed elements of `size` bytes on a REAL_ALIGN
 * boundary; at least one byte. Release with free(). Fails (STATUS_FAILED, "out of memory: N MB for
 * WHAT") without touching *pointer. */
Status memory_allocate(void *pointer, size_t count, size_t size, const char *what);

/* Local. Makes room for `count` elements of `size` bytes in *pointer (a T **: NULL, or from here),
 * which has room for *capacity; grows by half at least, keeps what is there and leaves the rest as
 * it comes. Release with free(). Fails as memory_allocate does, without touching anything. */
Status memory_grow(void *pointer, size_t *capacity, size_t count, size_t size, const char *what);

#endif
