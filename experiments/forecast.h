/* What a run would take: memory, operations, time; found out before it, and without writing
 * anything. */
#ifndef EXPERIMENTS_FORECAST_H
#define EXPERIMENTS_FORECAST_H

#include <stdio.h>

#include "experiments/suite.h"

/* Bytes of one rank. The peak is process + the larger of: reading the data; data + weights + the
 * larger of training and evaluation. */
typedef struct {
  double process;    /* program, MPI and other libraries as they start */
  double reading;    /* at most while the data are read */
  double data;       /* of this rank alone */
  double weights;    /* weights and history, which stay */
  double optimizer;  /* training: state and gradient */
  double threads;    /* training: workspaces, exact sums, what MPI takes to reduce them */
  double bricks;     /* training: parts of the data that are read on the way */
  double checkpoint; /* training: the file as it is built; rank 0 */
  double evaluation; /* fields, files and pictures after the training */
  double peak;
} ForecastMemory;

typedef struct {
  int ranks, threads; /* of the first rank */
  double workers;     /* threads of all ranks */
  int64_t steps;
  size_t parameters;
  ForecastMemory root, other;    /* of rank 0; the most that any other rank has, 0: there is none */
  double node;                   /* bytes of data that the ranks of a node have in common */
  double checkpoint;             /* bytes of a checkpoint; two are kept */
  double step_flops, eval_flops; /* 0: unknown */
  double setup;                  /* seconds in which the data are read */
  double step, training;         /* seconds */
  double evaluation;             /* seconds of its operations; 0: unknown */
} Forecast;

/* Collective. Of a run of this configuration from its first step on; `process`: bytes that the
 * process had before it did anything (memory_use). Reads the data and computes for a second or two.
 * Fails as the run would on its configuration and data. The same on all ranks. */
Status forecast_run(const Comm *comm, const Config *config, double process, Forecast *forecast);

/* Local. A table of the memory, then one line for each figure: name, value, unit. */
void forecast_print(const Config *config, const Forecast *forecast, FILE *out);

#endif
