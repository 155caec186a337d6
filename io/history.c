#include <stdlib.h>
#include <string.h>

#include "io/runfile.h"

static Status grow(void *pointer, int64_t capacity, size_t size) {
  void *old;
  memcpy(&old, pointer, sizeof old);
  void *larger = realloc(old, (size_t)capacity * size);
  if (!larger) {
    return status_fail(STATUS_FAILED, "out of memory: %.1f MB for the loss history",
                       1e-6 * (double)capacity * (double)size);
  }
  memcpy(pointer, &larger, sizeof larger);
  return STATUS_OK;
}

Status history_append(History *history, int64_t step, const double *values) {
  size_t width = (size_t)history->n_columns;
  if (history->rows == history->capacity) {
    int64_t capacity = history->capacity ? 2 * history->capacity : 64;
    TRY(grow(&history->step, capacity, sizeof *history->step));
    TRY(grow(&history->values, capacity, (width ? width : 1) * sizeof *history->values));
    history->capacity = capacity;
  }
  history->step[history->rows] = step;
  if (width)
    memcpy(history->values + (size_t)history->rows * width, values, width * sizeof *values);
  history->rows++;
  return STATUS_OK;
}

void history_truncate(History *history, int64_t step) {
  while (history->rows > 0 && history->step[history->rows - 1] >= step) history->rows--;
}

void history_destroy(History *history) {
  free(history->step);
  free(history->values);
  free(history->owned);
  if (history->owned) history->names = NULL;
  history->step = NULL;
  history->values = NULL;
  history->owned = NULL;
  history->rows = history->capacity = 0;
}
