/* Aligned allocation with an error instead of a NULL, and how much memory the process has. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include <stddef.h>

#include "core/status.h"

/* Local. Stores in *pointer (a T **) `count` zeroed elements of `size` bytes on a REAL_ALIGN
 * boundary; at least one byte. Release with free(). Fails (STATUS_FAILED, "out of memory: N MB for
 * WHAT") without touching *pointer. */
Status memory_allocate(void *pointer, size_t count, size_t size, const char *what);

/* Local. The same for arrays of which this process may need a part only: what is never touched
 * takes no memory. */
Status memory_allocate_sparse(void *pointer, size_t count, size_t size, const char *what);

/* Local. Makes room for `count` elements of `size` bytes in *pointer (a T **: NULL, or from here),
 * which has room for *capacity; grows by half at least, keeps what is there and leaves the rest as
 * it comes. Release with free(). Fails as memory_allocate does, without touching anything. */
Status memory_grow(void *pointer, size_t *capacity, size_t count, size_t size, const char *what);

/* Local. To be called once, at the start: blocks of a megabyte and more go back to the system when
 * they are freed, so that a process has what its code holds, and not what it once held. */
void memory_start(void);

/* Local. Bytes of memory that an array of `bytes` from memory_allocate occupies: from huge pages
 * on, whole ones. */
size_t memory_footprint(size_t bytes);

/* Local. Bytes that the system would give without swapping; 0 where it does not say. */
double memory_available(void);

/* Bytes that the process has in memory now, libraries included, and at most so far; shared: of the
 * first, those in memory that processes share (a data set's, MPI's messages). 0 where the
 * system does not say. */
typedef struct {
  double resident, peak, shared;
} MemoryUse;

/* Local. */
MemoryUse memory_use(void);

/* Local. Lets `peak` begin anew where the system can do it. */
void memory_forget_peak(void);

#endif
