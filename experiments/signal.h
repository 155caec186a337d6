/* A signal on a regular grid f: [lower, upper] -> values: what experiments on sound, video and
 * volumes fit. One copy lies in the memory that a node's ranks share, in the samples' own type; or
 * it stays in its file, of which ranks hold bricks (experiments/bricks.h). */
#ifndef EXPERIMENTS_SIGNAL_H
#define EXPERIMENTS_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "experiments/evaluator.h"
#include "io/dataset.h"
#include "mpi/shared.h"

typedef struct {
  int axes, components;
  int64_t size[NETWORK_MAX_IN];                        /* axis 0 is slowest */
  double lower[NETWORK_MAX_IN], upper[NETWORK_MAX_IN]; /* network coordinates of the first and last
                                                          sample; one sample lies at lower */
  SampleType type;
  double scale, offset; /* the network learns scale * sample + offset */
  Shared *shared;       /* the whole signal; NULL: it is in its file */
  Dataset *file;        /* where it can be read from again; NULL: it cannot */
} Signal;

/* Local. Samples of all axes; of one step along axis 0. */
int64_t signal_points(const Signal *signal);
int64_t signal_line(const Signal *signal);

/* Collective. Takes the node's memory for the whole signal (all fields but shared are set). */
Status signal_allocate(const Comm *comm, Signal *signal);

/* Collective. Fills it from signal->file: every rank of a node reads its part. */
Status signal_load(Signal *signal);

/* Local. Bytes of it that the ranks of a node have in common. */
double signal_shared_bytes(const Signal *signal);

/* Collective. Leaves it all zero; also after a failure. */
void signal_destroy(Signal *signal);

/* Local. Where step `first` of axis 0 begins in the shared memory, in the samples' type. */
void *signal_place(const Signal *signal, int64_t first);

/* Local, pure. What the network learns at a sample, and where: the coordinate of place `at` of an
 * axis. */
static inline real signal_value(const Signal *signal, const void *samples, int64_t i) {
  return (real)(signal->scale * (double)sample_get(signal->type, samples, i) + signal->offset);
}
static inline real signal_coordinate(const Signal *signal, int axis, int64_t at) {
  int64_t n = signal->size[axis];
  double share = n > 1 ? (double)at / (double)(n - 1) : 0;
  return (real)(signal->lower[axis] + (signal->upper[axis] - signal->lower[axis]) * share);
}

/* Local. The box of samples first[i] + k * stride, 0 <= k < count[i], of every axis i, as the
 * network learns them: values [count0]...[components]. From memory or file. */
Status signal_box(const Signal *signal, const int64_t *first, const int64_t *count, int64_t stride,
                  float *values);

/* Local. The same for whole steps: `count` of them from step `first` of axis 0 on, of the grid
 * signal_grid. */
Status signal_read(const Signal *signal, int64_t first, int64_t count, int64_t stride,
                   float *values);

/* Local. Every stride-th sample along every axis, from the first on. */
Grid signal_grid(const Signal *signal, int64_t stride);

/* Collective. The least and the largest sample, as stored, over all components; a file is read in
 * bricks of `side` samples a side (0 where the signal is in memory). Fails on one that is not
 * finite, naming its place. */
Status signal_range(const Comm *comm, const Signal *signal, int64_t side, double *low,
                    double *high);

#endif
