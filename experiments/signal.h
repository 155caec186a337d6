/* A signal on a regular grid f: [lower, upper] -> values: what experiments on sound, video and
 * volumes fit. One copy lies in the memory that a node's ranks share, in the samples' own type; or
 * it stays in its file, of which ranks hold bricks (experiments/bricks.h). */
#ifndef EXPERIMENTS_SIGNAL_H
#define EXPERIMENTS_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/problem.h"
#include "experiments/evaluator.h"
#include "io/config.h"
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

/* Collective. Leaves it all zero; also after a failure. */
void signal_destroy(Signal *signal);

/* Local. Where step `first` of axis 0 begins in the shared memory, in the samples' type. */
void *signal_place(const Signal *signal, int64_t first);

/* Local, pure. What the network learns at a sample, and where: x [axes]. */
static inline real signal_value(const Signal *signal, const void *samples, int64_t i) {
  return (real)(signal->scale * (double)sample_get(signal->type, samples, i) + signal->offset);
}
void signal_coordinates(const Signal *signal, int64_t point, real *x);

/* Local. Steps [first, first + count) of axis 0, every stride-th sample of the other axes, as the
 * network learns them: values [count][...][components]. From memory or file; step i of the result
 * is step first + i * stride. */
Status signal_read(const Signal *signal, int64_t first, int64_t count, int64_t stride,
                   float *values);

/* Local. The grid that signal_read with a stride reads. */
Grid signal_grid(const Signal *signal, int64_t stride);

/* The samples of a step: all of them in their order, or so many drawn uniformly with replacement
 * (as the released code draws a video's pixels). */
typedef struct {
  const Signal *signal; /* borrowed */
  int64_t samples;
  bool all;
  uint64_t seed;
} SignalSampler;

/* Local. `samples` a step, 0: all. Fails (STATUS_USAGE, naming train.samples) when there are not so
 * many. */
Status signal_sampler(const Config *config, const Signal *signal, int64_t samples,
                      SignalSampler *sampler);

/* DrawFunction; source is a SignalSampler: coordinates, and the values as data [components]. */
void signal_draw(const void *source, uint64_t step, int64_t first, int rows, real *x, real *data,
                 real *weights);

#endif
