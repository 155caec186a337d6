#include "core/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/real.h"

enum { HUGE_PAGE = 2 << 20, BLOCK = 1 << 20 }; /* bytes */

static Status check_size(size_t count, size_t size, const char *what) {
  if (!size || count <= SIZE_MAX / 2 / size) return STATUS_OK;
  return status_fail(STATUS_FAILED, "out of memory: %zu elements of %zu bytes for %s", count, size,
                     what);
}

static Status fail(size_t bytes, const char *what) {
  return status_fail(STATUS_FAILED, "out of memory: %.1f MB for %s", 1e-6 * (double)bytes, what);
}

Status memory_allocate(void *pointer, size_t count, size_t size, const char *what) {
  TRY(check_size(count, size, what));
  size_t bytes = count * size;
  size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : REAL_ALIGN;
  size_t rounded = (bytes + align) / align * align;
  void *memory = aligned_alloc(align, rounded);
  if (!memory) return fail(bytes, what);
  /* Rows of wide matrices lie pages apart: with huge pages they share entries of the address cache.
   */
  if (align == HUGE_PAGE) madvise(memory, rounded, MADV_HUGEPAGE);
  memset(memory, 0, bytes);
  memcpy(pointer, &memory, sizeof memory);
  return STATUS_OK;
}

Status memory_allocate_sparse(void *pointer, size_t count, size_t size, const char *what) {
  TRY(check_size(count, size, what));
  size_t bytes = count * size;
  if (bytes < HUGE_PAGE) return memory_allocate(pointer, count, size, what);
  void *memory = calloc(1, bytes); /* fresh pages of the system, since it is large */
  if (!memory) return fail(bytes, what);
  madvise((char *)memory + HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE, bytes - HUGE_PAGE,
          MADV_HUGEPAGE);
  memcpy(pointer, &memory, sizeof memory);
  return STATUS_OK;
}

Status memory_grow(void *pointer, size_t *capacity, size_t count, size_t size, const char *what) {
  if (count <= *capacity) return STATUS_OK;
  TRY(check_size(count, size, what));
  size_t larger = *capacity + *capacity / 2;
  if (larger < count || check_size(larger, size, what) != STATUS_OK) larger = count;
  void *memory;
  memcpy(&memory, pointer, sizeof memory);
  memory = realloc(memory, larger * size);
  if (!memory) return fail(larger * size, what);
  memcpy(pointer, &memory, sizeof memory);
  *capacity = larger;
  return STATUS_OK;
}

void memory_start(void) {
  mallopt(M_MMAP_THRESHOLD, BLOCK); /* else it grows with the first large block that is freed */
  mallopt(M_TRIM_THRESHOLD, BLOCK);
}

size_t memory_footprint(size_t bytes) {
  return bytes < HUGE_PAGE ? bytes : (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

double memory_available(void) {
  double kilobytes = 0;
  char line[256];
  FILE *file = fopen("/proc/meminfo", "r");
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "MemAvailable: %lf", &kilobytes) == 1) break;
  }
  if (file) fclose(file);
  return 1024 * kilobytes;
}

MemoryUse memory_use(void) {
  MemoryUse use = {0};
  const struct {
    const char *format;
    double *bytes;
  } rows[] = {
      {"VmRSS: %lf", &use.resident}, {"VmHWM: %lf", &use.peak}, {"RssShmem: %lf", &use.shared}};
  char line[256];
  FILE *file = fopen("/proc/self/status", "r");
  while (file && fgets(line, sizeof line, file)) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
      double kilobytes;
      if (sscanf(line, rows[i].format, &kilobytes) == 1) *rows[i].bytes = 1024 * kilobytes;
    }
  }
  if (file) fclose(file);
  return use;
}

void memory_forget_peak(void) {
  FILE *file = fopen("/proc/self/clear_refs", "w");
  if (!file) return;
  fputs("5", file);
  fclose(file);
}
