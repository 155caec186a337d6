#include "experiments/signal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/brick_plan.h"

int64_t signal_line(const Signal *signal) {
  int64_t points = 1;
  for (int i = 1; i < signal->axes; i++) points *= signal->size[i];
  return points;
}

int64_t signal_points(const Signal *signal) {
  return signal->size[0] * signal_line(signal);
}

static size_t step_bytes(const Signal *signal) {
  return (size_t)(signal_line(signal) * signal->components) * sample_bytes(signal->type);
}

/* ---- The copy in memory ---- */

Status signal_allocate(const Comm *comm, Signal *signal) {
  return shared_create(comm, (size_t)signal->size[0] * step_bytes(signal), "the data",
                       &signal->shared);
}

void *signal_place(const Signal *signal, int64_t first) {
  return (char *)shared_data(signal->shared) + (size_t)first * step_bytes(signal);
}

static Status load_part(const Signal *signal) {
  int64_t first[NETWORK_MAX_IN] = {0}, count[NETWORK_MAX_IN];
  memcpy(count, signal->size, sizeof count);
  count[0] = shared_part(signal->shared, signal->size[0], &first[0]);
  if (count[0] == 0) return STATUS_OK;
  return dataset_read(signal->file, first, count, NULL, signal_place(signal, first[0]));
}

Status signal_load(Signal *signal) {
  return shared_ready(signal->shared, load_part(signal));
}

double signal_shared_bytes(const Signal *signal) {
  return signal->shared ? shared_bytes(signal->shared) : 0;
}

void signal_destroy(Signal *signal) {
  shared_destroy(signal->shared);
  dataset_close(signal->file);
  memset(signal, 0, sizeof *signal);
}

/* ---- Samples ---- */

Grid signal_grid(const Signal *signal, int64_t stride) {
  Grid grid = {.axes = signal->axes};
  for (int i = 0; i < signal->axes; i++) {
    int64_t n = signal->size[i], last = (n - 1) / stride * stride;
    double range = signal->upper[i] - signal->lower[i];
    grid.size[i] = last / stride + 1;
    grid.lower[i] = signal->lower[i];
    grid.upper[i] =
        n > 1 ? signal->lower[i] + range * (double)last / (double)(n - 1) : signal->lower[i];
  }
  return grid;
}

/* The box from memory. */
static void copy_box(const Signal *signal, const int64_t *first, const int64_t *count,
                     int64_t stride, float *values) {
  const void *samples = shared_data(signal->shared);
  int64_t at[NETWORK_MAX_IN] = {0};
  for (;;) {
    int64_t point = 0;
    for (int i = 0; i < signal->axes; i++) {
      point = point * signal->size[i] + first[i] + at[i] * stride;
    }
    for (int c = 0; c < signal->components; c++) {
      *values++ = (float)signal_value(signal, samples, point * signal->components + c);
    }
    int i = signal->axes - 1;
    while (i >= 0 && ++at[i] >= count[i]) at[i--] = 0;
    if (i < 0) return;
  }
}

/* The box from the file. */
static Status read_box(const Signal *signal, const int64_t *first, const int64_t *count,
                       int64_t stride, float *values) {
  int64_t strides[NETWORK_MAX_IN], n = signal->components;
  void *samples = NULL;
  for (int i = 0; i < signal->axes; i++) {
    strides[i] = stride;
    n *= count[i];
  }
  TRY(memory_allocate(&samples, (size_t)n, sample_bytes(signal->type), "a part of the data"));
  Status status = dataset_read(signal->file, first, count, strides, samples);
  for (int64_t i = 0; status == STATUS_OK && i < n; i++) {
    values[i] = (float)signal_value(signal, samples, i);
  }
  free(samples);
  return status;
}

Status signal_box(const Signal *signal, const int64_t *first, const int64_t *count, int64_t stride,
                  float *values) {
  if (!signal->shared) return read_box(signal, first, count, stride, values);
  copy_box(signal, first, count, stride, values);
  return STATUS_OK;
}

Status signal_read(const Signal *signal, int64_t first, int64_t count, int64_t stride,
                   float *values) {
  int64_t from[NETWORK_MAX_IN] = {first};
  Grid grid = signal_grid(signal, stride);
  grid.size[0] = count;
  return signal_box(signal, from, grid.size, stride, values);
}

/* ---- The range of all samples ---- */

static Status fail_nonfinite(const Signal *signal, const Box *box, int64_t sample) {
  char place[160];
  int64_t at[NETWORK_MAX_IN], point = sample / signal->components;
  for (int i = signal->axes - 1; i >= 0; i--) {
    at[i] = box->first[i] + point % box->count[i];
    point /= box->count[i];
  }
  for (int i = 0, used = 0; i < signal->axes; i++) {
    used += snprintf(place + used, sizeof place - (size_t)used, "%s%lld", i ? ", " : "",
                     (long long)at[i]);
  }
  return status_fail(STATUS_FAILED,
                     "the data are not finite (NaN, infinity or over 3e38) at [%s]: fill such "
                     "places before",
                     place);
}

/* Local. range [2] = -least, largest; widened by the samples of a box. */
static Status widen_range(const Signal *signal, const Box *box, const void *samples,
                          double range[2]) {
  int64_t n = box_points(box, signal->axes) * signal->components;
  for (int64_t i = 0; i < n; i++) {
    double value = (double)sample_get(signal->type, samples, i);
    if (!isfinite(value)) return fail_nonfinite(signal, box, i);
    if (-value > range[0]) range[0] = -value;
    if (value > range[1]) range[1] = value;
  }
  return STATUS_OK;
}

/* Local. Steps [first, end) of axis 0 in memory. */
static Status scan_steps(const Signal *signal, int64_t first, int64_t end, double range[2]) {
  Box box = {{first}, {0}};
  memcpy(box.count, signal->size, sizeof box.count);
  box.count[0] = end - first;
  return first < end ? widen_range(signal, &box, signal_place(signal, first), range) : STATUS_OK;
}

/* Local. Bricks [first, end) of the file. */
static Status scan_bricks(const Signal *signal, const BrickPlan *plan, int64_t first, int64_t end,
                          double range[2]) {
  void *samples = NULL;
  Box largest = {{0}, {0}};
  for (int i = 0; i < signal->axes; i++) {
    largest.count[i] = (signal->size[i] + plan->parts[i] - 1) / plan->parts[i];
  }
  size_t n = (size_t)(box_points(&largest, signal->axes) * signal->components);
  TRY(memory_allocate(&samples, n, sample_bytes(signal->type), "a part of the data"));
  Status status = STATUS_OK;
  for (int64_t brick = first; status == STATUS_OK && brick < end; brick++) {
    Box box = brick_box(plan, brick);
    status = dataset_read(signal->file, box.first, box.count, NULL, samples);
    if (status == STATUS_OK) status = widen_range(signal, &box, samples, range);
  }
  free(samples);
  return status;
}

Status signal_range(const Comm *comm, const Signal *signal, int64_t side, double *low,
                    double *high) {
  double range[2] = {-INFINITY, -INFINITY};
  int64_t rank = comm_rank(comm), ranks = comm_size(comm), n = signal->size[0];
  Status status;
  if (signal->shared) {
    status = scan_steps(signal, n * rank / ranks, n * (rank + 1) / ranks, range);
  } else {
    BrickPlan plan = brick_plan(signal->axes, signal->size, side, 0, 1, 0);
    n = plan.bricks;
    status = scan_bricks(signal, &plan, n * rank / ranks, n * (rank + 1) / ranks, range);
  }
  TRY(comm_agree(comm, status));
  comm_max_double(comm, range, 2);
  *low = -range[0];
  *high = range[1];
  return STATUS_OK;
}
