#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/real.h"

Status memory_allocate(void *pointer, size_t count, size_t size, const char *what) {
  size_t bytes = count * size;
  if ((size && count > SIZE_MAX / 2 / size)) {
    return status_fail(STATUS_FAILED, "out of memory: %zu elements of %zu bytes for %s", count,
                       size, what);
  }
  size_t rounded = (bytes + REAL_ALIGN) / REAL_ALIGN * REAL_ALIGN;
  void *memory = aligned_alloc(REAL_ALIGN, rounded);
  if (!memory) {
    return status_fail(STATUS_FAILED, "out of memory: %.1f MB for %s", 1e-6 * (double)bytes, what);
  }
  memset(memory, 0, rounded);
  memcpy(pointer, &memory, sizeof memory);
  return STATUS_OK;
}
