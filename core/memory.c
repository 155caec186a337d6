#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/real.h"

enum { HUGE_PAGE = 2 << 20 }; /* bytes of a huge page */

Status memory_allocate(void *pointer, size_t count, size_t size, const char *what) {
  size_t bytes = count * size;
  if ((size && count > SIZE_MAX / 2 / size)) {
    return status_fail(STATUS_FAILED, "out of memory: %zu elements of %zu bytes for %s", count,
                       size, what);
  }
  size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : REAL_ALIGN;
  size_t rounded = (bytes + align) / align * align;
  void *memory = aligned_alloc(align, rounded);
  if (!memory) {
    return status_fail(STATUS_FAILED, "out of memory: %.1f MB for %s", 1e-6 * (double)bytes, what);
  }
  /* Rows of wide matrices lie pages apart: with huge pages they share entries of the address cache.
   */
  if (align == HUGE_PAGE) madvise(memory, rounded, MADV_HUGEPAGE);
  memset(memory, 0, bytes);
  memcpy(pointer, &memory, sizeof memory);
  return STATUS_OK;
}
