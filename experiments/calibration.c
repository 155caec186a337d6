#include "experiments/calibration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/median.h"
#include "experiments/progress.h"
#include "experiments/trainer.h"
#include "mpi/evaluate.h"

/* Rounds go on until there are so many, or so many seconds are over and the least number is done.
 */
enum { LEAST_ROUNDS = 3, MOST_ROUNDS = 25, OPTIMIZER_ROUNDS = 3 };
static const double enough = 1.0, round_seconds = 0.25;

/* ---- A part of a step's tiles ---- */

/* The objective with `taken` of its `all` tiles: tile i is the real one's i * all / taken, so that
 * a rank has tiles of what would be its share. */
typedef struct {
  Objective part; /* its context is this */
  const Objective *whole;
  int64_t all, taken;
} Sample;

static int64_t real_tile(const Sample *sample, int64_t tile) {
  return (int64_t)((__int128)tile * sample->all / sample->taken);
}

static int64_t part_tiles(const Objective *self, uint64_t step) {
  (void)step;
  const Sample *sample = self->context;
  return sample->taken;
}

static Status part_prepare(const Objective *self, uint64_t step, int64_t first, int64_t end) {
  const Sample *sample = self->context;
  return sample->whole->prepare(sample->whole, step, real_tile(sample, first),
                                real_tile(sample, end));
}

static Status part_workspace(const Objective *self, void **workspace) {
  const Sample *sample = self->context;
  return sample->whole->workspace_create(sample->whole, workspace);
}

static void part_tile(const Objective *self, uint64_t step, int64_t tile, const real *theta,
                      real *gradient, double *terms, const OuterFactors *outer, void *workspace) {
  const Sample *sample = self->context;
  sample->whole->tile(sample->whole, step, real_tile(sample, tile), theta, gradient, terms, outer,
                      workspace);
}

static void sample_create(const Objective *whole, Sample *sample) {
  *sample = (Sample){.part = *whole, .whole = whole, .all = whole->tiles(whole, 0)};
  sample->part.context = sample;
  sample->part.tiles = part_tiles;
  if (whole->prepare) sample->part.prepare = part_prepare;
  sample->part.workspace_create = part_workspace;
  sample->part.tile = part_tile;
}

/* ---- Rounds ---- */

typedef struct {
  const Setup *setup;
  Evaluation *evaluation;
  Sample sample;
  real *theta, *gradient;
  double workers; /* threads of all ranks */
  double tiles[MOST_ROUNDS], sums[MOST_ROUNDS];
} Bench;

/* Collective. Seconds of one evaluation, on the slowest rank. */
static Status time_round(Bench *bench, double *tiles, double *sums) {
  const Comm *comm = bench->setup->comm;
  double terms[OBJECTIVE_MAX_TERMS];
  comm_barrier(comm);
  EvaluationTimes before = evaluation_times(bench->evaluation);
  double begin = progress_clock();
  TRY(evaluation_run(bench->evaluation, 0, bench->theta, bench->gradient, terms, NULL));
  double seconds[2] = {progress_clock() - begin};
  seconds[1] = evaluation_times(bench->evaluation).tiles - before.tiles;
  comm_max_double(comm, seconds, 2);
  *tiles = seconds[1];
  *sums = fmax(0, seconds[0] - seconds[1]);
  return STATUS_OK;
}

static void take(Bench *bench, double tiles) {
  double all = (double)bench->sample.all;
  bench->sample.taken = tiles < all ? (int64_t)tiles : bench->sample.all;
}

/* Collective. The first round finds the exact sum's scales, too. */
static Status warm_up(Bench *bench) {
  double tiles, sums;
  take(bench, bench->workers);
  TRY(time_round(bench, &tiles, &sums));
  TRY(time_round(bench, &tiles, &sums));
  double each = fmax(1, floor(round_seconds / fmax(tiles, 1e-6)));
  take(bench, fmin(each, 1e9) * bench->workers);
  return each > 1 ? time_round(bench, &tiles, &sums) : STATUS_OK;
}

/* Tiles that the busiest thread has, where a step has so many. */
static double busiest(const Bench *bench, int64_t tiles) {
  double ranks = comm_size(bench->setup->comm), threads = bench->workers / ranks;
  return ceil(ceil((double)tiles / ranks) / threads);
}

/* Collective. */
static Status time_step(Bench *bench, Calibration *calibration) {
  TRY(warm_up(bench));
  double seconds = 0;
  int n = 0;
  while (n < MOST_ROUNDS && (n < LEAST_ROUNDS || seconds < enough)) {
    TRY(time_round(bench, &bench->tiles[n], &bench->sums[n]));
    seconds += bench->tiles[n] + bench->sums[n]; /* the same on all ranks but for rounding */
    comm_max_double(bench->setup->comm, &seconds, 1);
    n++;
  }
  double scale = busiest(bench, bench->sample.all) / busiest(bench, bench->sample.taken);
  calibration->tiles = scale * median_of(bench->tiles, n);
  calibration->sums = median_of(bench->sums, n);
  return STATUS_OK;
}

/* ---- The optimiser ---- */

/* OptimizerEvaluate: a bowl around 0, where every line search ends at once. */
static Status bowl(void *context, const real *theta, double *loss, real *gradient) {
  size_t n = *(const size_t *)context;
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)theta[i] * (double)theta[i];
  memcpy(gradient, theta, n * sizeof *gradient);
  *loss = sum / 2;
  return STATUS_OK;
}

static Status time_optimizer(Bench *bench, Optimizer *optimizer, Calibration *calibration) {
  double seconds[OPTIMIZER_ROUNDS], loss;
  size_t n = objective_dense(&bench->setup->objective);
  for (int i = 0; i < OPTIMIZER_ROUNDS; i++) {
    double begin = progress_clock();
    TRY(optimizer_step(optimizer, 1e-4, bench->theta, bowl, &n, &loss));
    evaluation_share(bench->evaluation, bench->theta);
    seconds[i] = progress_clock() - begin;
  }
  calibration->optimizer = median_of(seconds, OPTIMIZER_ROUNDS);
  comm_max_double(bench->setup->comm, &calibration->optimizer, 1);
  return STATUS_OK;
}

/* A step of Gauss and Newton has two evaluations, of the loss alone: a third of the work with the
 * gradient. */
static Status time_direction(Bench *bench, Calibration *calibration) {
  Natural *natural = NULL;
  TRY(trainer_natural(bench->setup, &natural));
  comm_barrier(bench->setup->comm);
  double begin = progress_clock();
  Status status = natural_direction(natural, 0, bench->theta, 0.1, NULL, bench->gradient);
  calibration->optimizer = progress_clock() - begin;
  calibration->rounds = 2. / 3;
  comm_max_double(bench->setup->comm, &calibration->optimizer, 1);
  natural_destroy(natural);
  return status;
}

/* ---- All of it ---- */

/* Collective. */
static Status create(Bench *bench, Optimizer *optimizer) {
  const Setup *setup = bench->setup;
  int64_t workers = setup->threads;
  comm_sum_int64(setup->comm, &workers, 1);
  bench->workers = (double)workers;
  sample_create(&setup->objective, &bench->sample);
  Status status =
      memory_allocate(&bench->gradient, setup->objective.n_parameters, sizeof(real), "a gradient");
  TRY(comm_agree(setup->comm, status));
  TRY(evaluation_create(setup->comm, &bench->sample.part, setup->threads, &bench->evaluation));
  evaluation_serve(bench->evaluation, optimizer);
  return STATUS_OK;
}

Status calibration_run(const Setup *setup, real *theta, Optimizer *optimizer,
                       Calibration *calibration) {
  Bench *bench = NULL;
  TRY(comm_agree(setup->comm, memory_allocate(&bench, 1, sizeof *bench, "a calibration")));
  bench->setup = setup;
  bench->theta = theta;
  Status status = create(bench, optimizer);
  if (status == STATUS_OK) status = time_step(bench, calibration);
  calibration->rounds = 1;
  if (status == STATUS_OK) {
    status = optimizer_takes_directions(optimizer) ? time_direction(bench, calibration)
                                                   : time_optimizer(bench, optimizer, calibration);
  }
  evaluation_destroy(bench->evaluation);
  free(bench->gradient);
  free(bench);
  return status;
}
