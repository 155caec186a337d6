#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "core/memory.h"
#include "experiments/median.h"
#include "experiments/progress.h"
#include "experiments/scaling_case.h"
#include "experiments/stop.h"
#include "mpi/evaluate.h"

/* What is timed of a step, in seconds: of the slowest rank; of the rank that came last and so
 * waited for nobody; means over the ranks. */
typedef enum {
  STEP,
  SUM_RANKS,
  SHARE,
  COMPUTE,
  WAIT,
  ADD,
  SUM_THREADS,
  DECODE,
  OPTIMIZER,
  N_PARTS,
  FIRST_MEAN = COMPUTE,
} Part;

enum { VISIT_STEPS = 3 }; /* after one that warms up */

typedef struct {
  ScalingCase *c;
  ScalingStudy *study;
  const Comm *world;
  const ScalingPart *parts[SCALING_MAX_ROWS]; /* of each row */
  int count;                                  /* times of each part */
  double *seconds;                            /* [row][N_PARTS][count] */
  Evaluation *evaluation;                     /* of the row that is visited */
  double evaluating;                          /* seconds of the last step less the optimiser */
} Steps;

/* ---- One step ---- */

/* OptimizerEvaluate. */
static Status evaluate(void *context, const real *theta, double *loss, real *gradient) {
  Steps *s = context;
  (void)theta;
  double begin = progress_clock(), terms[OBJECTIVE_MAX_TERMS];
  TRY(evaluation_run(s->evaluation, 0, s->c->theta, gradient, terms, NULL));
  *loss = objective_total(&s->c->objective, terms);
  s->evaluating = progress_clock() - begin;
  return STATUS_OK;
}

/* Collective over the part. Brings together what each rank has. */
static void combine(const Comm *comm, double parts[N_PARTS]) {
  double most[FIRST_MEAN] = {parts[STEP], -parts[SUM_RANKS], -parts[SHARE]};
  comm_max_double(comm, most, FIRST_MEAN);
  parts[WAIT] += parts[SUM_RANKS] + most[SUM_RANKS] + parts[SHARE] + most[SHARE];
  parts[STEP] = most[STEP];
  parts[SUM_RANKS] = -most[SUM_RANKS];
  parts[SHARE] = -most[SHARE];
  int64_t nanoseconds[N_PARTS];
  for (int i = FIRST_MEAN; i < N_PARTS; i++) nanoseconds[i] = llround(1e9 * parts[i]);
  comm_sum_int64(comm, nanoseconds + FIRST_MEAN, N_PARTS - FIRST_MEAN);
  for (int i = FIRST_MEAN; i < N_PARTS; i++) {
    parts[i] = 1e-9 * (double)nanoseconds[i] / comm_size(comm);
  }
}

/* Collective over the part. */
static Status time_step(Steps *s, const Comm *comm, double parts[N_PARTS]) {
  double loss;
  EvaluationTimes before = evaluation_times(s->evaluation);
  comm_barrier(comm);
  double begin = progress_clock();
  TRY(optimizer_step(s->c->optimizer, 1e-4, s->c->moved, evaluate, s, &loss));
  double optimised = progress_clock();
  evaluation_share(s->evaluation, s->c->moved);
  EvaluationTimes after = evaluation_times(s->evaluation);
  parts[STEP] = progress_clock() - begin;
  parts[SUM_RANKS] = after.sum_ranks - before.sum_ranks;
  parts[SHARE] = after.share - before.share;
  parts[COMPUTE] = after.busy - before.busy;
  parts[WAIT] = after.tiles - before.tiles - parts[COMPUTE];
  parts[ADD] = after.adding - before.adding;
  parts[SUM_THREADS] = after.sum_threads - before.sum_threads;
  parts[DECODE] = after.decode - before.decode;
  parts[OPTIMIZER] = optimised - begin - s->evaluating;
  combine(comm, parts);
  return STATUS_OK;
}

/* ---- Visits ---- */

static double *times_of(const Steps *s, int row, Part part) {
  return s->seconds + ((ptrdiff_t)row * N_PARTS + (ptrdiff_t)part) * s->count;
}

/* Collective over the part. */
static Status visit(Steps *s, int row, int round) {
  const Comm *comm = s->parts[row]->comm;
  int threads = s->study->rows[row].threads;
  omp_set_num_threads(threads);
  TRY(evaluation_create(comm, &s->c->objective, threads, &s->evaluation));
  evaluation_serve(s->evaluation, s->c->optimizer);
  Status status = STATUS_OK;
  for (int i = -1; status == STATUS_OK && i < VISIT_STEPS; i++) {
    double parts[N_PARTS];
    status = time_step(s, comm, parts);
    for (Part part = 0; status == STATUS_OK && i >= 0 && part < N_PARTS; part++) {
      times_of(s, row, part)[round * VISIT_STEPS + i] = parts[part];
    }
  }
  evaluation_destroy(s->evaluation);
  return status;
}

/* Collective. In a rotated order, so that a machine that drifts treats all alike. */
static Status visit_all(Steps *s, int rounds) {
  int n = s->study->n_rows;
  for (int i = 0; i < n * rounds; i++) {
    int round = i / n, row = (i + round) % n;
    Status status = stop_requested() ? status_fail(STATUS_FAILED, "stopped") : STATUS_OK;
    if (status == STATUS_OK && s->parts[row]->comm) status = visit(s, row, round);
    comm_rest(s->world);
    TRY(comm_agree(s->world, status));
  }
  return STATUS_OK;
}

static void take_medians(const Steps *s) {
  for (int row = 0; row < s->study->n_rows; row++) {
    double m[N_PARTS];
    for (Part part = 0; part < N_PARTS; part++)
      m[part] = median_of(times_of(s, row, part), s->count);
    s->study->rows[row].step = m[STEP];
    s->study->rows[row].times = (ScalingTimes){.compute = m[COMPUTE],
                                               .wait = m[WAIT],
                                               .add = m[ADD],
                                               .sum_threads = m[SUM_THREADS],
                                               .sum_node = m[SUM_RANKS] + m[SHARE],
                                               .decode = m[DECODE],
                                               .optimizer = m[OPTIMIZER]};
  }
}

/* ---- All of it ---- */

/* Returns the threads of the largest row. */
static int64_t list_rows(const ScalingPart *parts, int n_parts, Steps *s) {
  ScalingStudy *study = s->study;
  int64_t workers = 1;
  for (int p = 0; p < n_parts; p++) {
    int most = parts[p].most_threads;
    for (int threads = 1; threads <= most && study->n_rows < SCALING_MAX_ROWS;) {
      s->parts[study->n_rows] = &parts[p];
      study->rows[study->n_rows++] =
          (ScalingRow){.ranks = parts[p].ranks, .nodes = parts[p].nodes, .threads = threads};
      if ((int64_t)threads * parts[p].ranks > workers) workers = (int64_t)threads * parts[p].ranks;
      threads = threads < most && 2 * threads > most ? most : 2 * threads;
    }
  }
  return workers;
}

/* Collective. */
static Status create(Steps *s, const ScalingPart *parts, int n_parts, const ScalingNetwork *named) {
  int64_t workers = list_rows(parts, n_parts, s);
  const ScalingPart *all = &parts[n_parts - 1];
  int ranks = (all->ranks + all->nodes - 1) / all->nodes; /* of a node */
  Status status = scaling_case_create(named, workers, all->most_threads, ranks, s->c, s->study);
  if (status == STATUS_OK) {
    size_t n = (size_t)s->study->n_rows * N_PARTS * (size_t)s->count;
    status = memory_allocate(&s->seconds, n, sizeof *s->seconds, "times");
  }
  return comm_agree(s->world, status);
}

Status scaling_measure(const Comm *world, const ScalingPart *parts, int n_parts, int rounds,
                       const ScalingNetwork *network, ScalingStudy *study) {
  ScalingCase c;
  Steps s = {.c = &c, .study = study, .world = world, .count = rounds * VISIT_STEPS};
  Status status = create(&s, parts, n_parts, network);
  if (status == STATUS_OK) status = visit_all(&s, rounds);
  if (status == STATUS_OK) take_medians(&s);
  free(s.seconds);
  scaling_case_destroy(&c);
  return status;
}
