#include "experiments/signal.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"

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

void signal_coordinates(const Signal *signal, int64_t point, real *x) {
  for (int i = signal->axes - 1; i >= 0; i--) {
    int64_t n = signal->size[i], at = point % n;
    double share = n > 1 ? (double)at / (double)(n - 1) : 0;
    point /= n;
    x[i] = (real)(signal->lower[i] + (signal->upper[i] - signal->lower[i]) * share);
  }
}

/* Step `step` of axis 0 from memory: every stride-th sample of the other axes. */
static void read_step(const Signal *signal, int64_t step, int64_t stride, float *values) {
  const void *samples = signal_place(signal, step);
  int64_t at[NETWORK_MAX_IN] = {0};
  for (;;) {
    int64_t point = 0;
    for (int i = 1; i < signal->axes; i++) point = point * signal->size[i] + at[i];
    for (int c = 0; c < signal->components; c++) {
      *values++ = (float)signal_value(signal, samples, point * signal->components + c);
    }
    int i = signal->axes - 1;
    while (i >= 1 && (at[i] += stride) >= signal->size[i]) at[i--] = 0;
    if (i < 1) return;
  }
}

/* The same box from the file. */
static Status read_file(const Signal *signal, int64_t first, int64_t count, const Grid *grid,
                        int64_t stride, float *values) {
  int64_t from[NETWORK_MAX_IN] = {first}, size[NETWORK_MAX_IN], strides[NETWORK_MAX_IN];
  int64_t n = count * grid_line(grid) * signal->components;
  void *samples = NULL;
  memcpy(size, grid->size, sizeof size);
  size[0] = count;
  for (int i = 0; i < signal->axes; i++) strides[i] = stride;
  TRY(memory_allocate(&samples, (size_t)n, sample_bytes(signal->type), "a part of the data"));
  Status status = dataset_read(signal->file, from, size, strides, samples);
  for (int64_t i = 0; status == STATUS_OK && i < n; i++) {
    values[i] = (float)signal_value(signal, samples, i);
  }
  free(samples);
  return status;
}

Status signal_read(const Signal *signal, int64_t first, int64_t count, int64_t stride,
                   float *values) {
  Grid grid = signal_grid(signal, stride);
  if (!signal->shared) return read_file(signal, first, count, &grid, stride, values);
  int64_t line = grid_line(&grid) * signal->components;
  for (int64_t i = 0; i < count; i++) {
    read_step(signal, first + i * stride, stride, values + i * line);
  }
  return STATUS_OK;
}

/* ---- The samples of a step ---- */

Status signal_sampler(const Config *config, const Signal *signal, int64_t samples,
                      SignalSampler *sampler) {
  int64_t points = signal_points(signal);
  if (samples > points) {
    return config_reject(config, "train.samples", "there are %lld samples", (long long)points);
  }
  *sampler = (SignalSampler){.signal = signal,
                             .samples = samples ? samples : points,
                             .all = samples == 0 || samples == points,
                             .seed = (uint64_t)config_int(config, "seed")};
  return STATUS_OK;
}

void signal_draw(const void *source, uint64_t step, int64_t first, int rows, real *x, real *data,
                 real *weights) {
  (void)weights;
  const SignalSampler *sampler = source;
  const Signal *signal = sampler->signal;
  const void *samples = shared_data(signal->shared);
  RandomStream stream = {sampler->seed, RANDOM_SAMPLE, step};
  uint64_t points = (uint64_t)signal_points(signal);
  for (int r = 0; r < rows; r++) {
    int64_t point = first + r;
    if (!sampler->all) point = (int64_t)random_below(stream, (uint64_t)point, 0, points);
    signal_coordinates(signal, point, x + r * signal->axes);
    for (int c = 0; c < signal->components; c++) {
      data[r * signal->components + c] =
          signal_value(signal, samples, point * signal->components + c);
    }
  }
}
