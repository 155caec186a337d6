/* What the files of `siren bench scaling` have in common. */
#ifndef EXPERIMENTS_SCALING_PARTS_H
#define EXPERIMENTS_SCALING_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "experiments/scaling_model.h"
#include "mpi/comm.h"

/* ---- What is asked for (scaling_settings.c) ---- */

/* A network in the numbers that its steps depend on. */
typedef struct {
  const char *name, *what;
  int in, width, layers, out;
  int64_t samples; /* of a step */
  int tile;        /* samples of a tile; 0: the program's own choice */
  /* The network stands in for another one, whose steps have these; 0: it does not. */
  double parameters, step_flops;
  int64_t tiles;
} ScalingNetwork;

enum { SCALING_MAX_NETWORKS = 4 };

typedef struct {
  bool json;
  int rounds;
  int threads;        /* of a rank in the forecast, and at most when measuring; 0: the job's */
  int ranks_per_node; /* in the forecast; 0: the job's */
  ScalingLink network;
  bool network_given; /* else measured, where the job has several nodes */
  int n_networks;
  ScalingNetwork networks[SCALING_MAX_NETWORKS];
} ScalingSettings;

/* Local. Fails (STATUS_USAGE) with one line. */
Status scaling_parse(int argc, const char *const *argv, ScalingSettings *settings);

/* ---- A network's steps (scaling_steps.c) ---- */

/* So many ranks and threads, and the step there: medians. */
typedef struct {
  int ranks, nodes, threads;
  ScalingTimes times; /* sum_node holds all sums over ranks */
  double step;        /* seconds from a common start to the end on the slowest rank */
} ScalingRow;

/* Some of the job's ranks: the first `ranks` of them. */
typedef struct {
  Comm *comm; /* NULL on the other ranks */
  int ranks, nodes;
  int most_threads; /* that a rank has CPUs for */
} ScalingPart;

enum { SCALING_MAX_PARTS = 34, SCALING_MAX_ROWS = 400, SCALING_MOST_RANKS = 1024 };

typedef struct {
  const ScalingNetwork *network;
  int64_t tile;                /* samples */
  ScalingWork measured, whole; /* the step that is measured, and the network's own */
  int n_rows;
  ScalingRow rows[SCALING_MAX_ROWS]; /* parts in their order, threads from 1 on */
  ScalingMachine machine;            /* rates at the last row; filled in by scaling.c */
} ScalingStudy;

/* Collective over the world. Fills all but the machine; rows are those of rank 0. */
Status scaling_measure(const Comm *world, const ScalingPart *parts, int n_parts, int rounds,
                       const ScalingNetwork *network, ScalingStudy *study);

/* ---- All of it (scaling.c) ---- */

/* Sums over ranks, one by one: to the owners of parts and back, as a step does it, and by one
 * reduction of MPI for all. */
typedef struct {
  int ranks, nodes;
  double elements, traffic; /* bytes, as in the model */
  double seconds, mpi;      /* of both ways */
} ScalingSumRow;

enum { SCALING_MAX_SUMS = 16 * SCALING_MAX_PARTS };

typedef struct {
  const ScalingSettings *settings;
  int ranks, nodes, threads; /* of the job; of its layout with all ranks */
  int n_sums;
  ScalingSumRow sums[SCALING_MAX_SUMS];
  bool node_measured, network_measured;
  ScalingLink node, network; /* as fitted to the sums; the network's as given where there is none */
  ScalingLink forecast;      /* the network of the forecast */
  ScalingLayout layout;      /* of the forecast, with any number of ranks */
  int n_studies;
  ScalingStudy studies[SCALING_MAX_NETWORKS];
} ScalingReport;

/* Local. Seconds of a sum that was measured, by the fitted links. */
double scaling_predicted_sum(const ScalingReport *report, const ScalingSumRow *row);

/* Local. The model's step on ranks and threads that were measured. */
ScalingTimes scaling_predicted(const ScalingReport *report, const ScalingStudy *study,
                               const ScalingRow *row);

/* Local. Results of rank 0 (scaling_print.c, scaling_json.c). */
void scaling_print(const ScalingReport *report, FILE *out);
Status scaling_print_json(const ScalingReport *report, FILE *out);

#endif
