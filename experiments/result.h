/* What an experiment finds out about a trained network, on its way to the run file, to pictures and
 * to the person who waits for it. */
#ifndef EXPERIMENTS_RESULT_H
#define EXPERIMENTS_RESULT_H

#include <stdbool.h>

#include "experiments/evaluator.h"
#include "io/runfile.h"
#include "mpi/comm.h"

enum { RESULT_MAX_METRICS = 64 };

typedef struct {
  const Comm *comm;                    /* borrowed, as all pointers here */
  const struct Experiment *experiment; /* whose metrics they are; NULL: of any name */
  const char *directory;               /* where pictures go */
  const History *history;              /* what was logged; NULL in `siren eval` */
  RunFile *file;
  int threads;
  bool plain; /* no pictures are wanted (eval.pictures=false) */
  int n_metrics;
  struct {
    const char *name, *units; /* borrowed: literals */
    double value;
  } metrics[RESULT_MAX_METRICS];
} Result;

/* Collective. A metric into the run file and the list; units "1" for pure numbers. The experiment
 * must have it among its metrics (suite.h). */
Status result_metric(Result *result, const char *name, double value, const char *units);

/* What to evaluate on a grid: fields for the file, and whole on rank 0 where `keep` is set. */
typedef struct {
  Grid grid;
  bool wanted[FIELD_COUNT];
  bool keep;
  const char *axes;   /* of the grid: "row,column" */
  EvaluatorSink also; /* gets the fields, too, wave by wave; NULL: nobody does */
  void *context;      /* of it; borrowed */
} ResultFields;

/* Local. Fills wanted, keep and the grid's bounds (the same on all axes) from the options
 * eval.fields, eval.pictures, eval.lower and eval.upper. Fails (STATUS_USAGE, naming eval.size) on
 * a grid of over 2^48 points. */
Status result_options(const Config *config, ResultFields *what);

/* Whole fields [points][components] on rank 0; NULL elsewhere and where not asked for. */
typedef struct {
  float *field[FIELD_COUNT];
} WholeFields;

/* Collective. Evaluates theta on the grid and writes the fields value, gradient, laplacian. On
 * success and with keep, *whole is owned by the caller. */
Status result_fields(Result *result, const Network *network, const real *theta,
                     const ResultFields *what, WholeFields *whole);
void whole_destroy(WholeFields *whole);

/* Local, for forecasts. Bytes that a rank takes while result_fields runs; of the whole fields,
 * which stay on rank 0; and while result_whole_field or runfile_slab writes `bytes` of a field. */
double result_fields_bytes(const Network *network, const ResultFields *what, int threads,
                           const Comm *comm, int rank);
double result_whole_bytes(const Network *network, const ResultFields *what);
double result_writing_bytes(double bytes);

/* Collective. A field that rank 0 has whole: [points][components] in values (NULL elsewhere). */
Status result_whole_field(Result *result, const char *name, const char *description,
                          const ResultFields *what, int components, const float *values);

/* Local. OUTPUT/NAME in a new string (free()). */
char *result_path(const Result *result, const char *name);

#endif
