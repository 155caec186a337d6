#include "experiments/forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/calibration.h"
#include "experiments/progress.h"
#include "experiments/threads.h"
#include "experiments/trainer.h"
#include "mpi/evaluate.h"

/* Bytes that libraries take when they are first used (Open MPI 4.1, HDF5 1.10, cairo 1.16): HDF5 to
 * build a checkpoint, and to write the run file together; fonts. */
static const double hdf5_image = 5e6, hdf5_parallel = 7e6, drawing = 3e6;

typedef struct {
  const Comm *comm;
  const Config *config;
  Setup setup;
  real *theta;
  Optimizer *optimizer;
  bool root;
  int nodes;
} Dry;

/* ---- Memory ---- */

static double own_bytes(const MemoryUse *use) {
  return use->resident - use->shared;
}

/* Collective. Sets up, and measures what the data take. */
static Status read_data(Dry *dry, int threads, ForecastMemory *memory) {
  memory_forget_peak();
  MemoryUse before = memory_use();
  TRY(suite_setup(dry->comm, dry->config, threads, &dry->setup));
  MemoryUse after = memory_use();
  double shared = after.shared - before.shared;
  memory->data = fmax(0, own_bytes(&after) - own_bytes(&before));
  memory->reading = fmax(memory->data, after.peak - before.resident - shared);
  return STATUS_OK;
}

static int64_t history_rows(const Config *config) {
  return config_int(config, "train.steps") / config_int(config, "train.log_every") + 2;
}

static double footprint(double elements, size_t size) {
  return (double)memory_footprint((size_t)elements * size);
}

static double size_checkpoint(const Dry *dry) {
  StateArray arrays[STATE_MAX_ARRAYS];
  History history = {.n_columns = 1 + dry->setup.objective.n_terms};
  Checkpoint checkpoint = {.model = &dry->setup.model, .history = &history, .arrays = arrays};
  checkpoint.n_arrays = optimizer_state(dry->optimizer, arrays);
  return checkpoint_bytes(&checkpoint, history_rows(dry->config));
}

typedef double Cost(const Setup *, int);

static double cost_of(const Dry *dry, Cost *cost) {
  return cost ? cost(&dry->setup, comm_rank(dry->comm)) : 0;
}

/* Of the arrays a checkpoint makes no copies, but of the history, and of one of its columns. */
static void fill_memory(const Dry *dry, ForecastMemory *m) {
  const Objective *objective = &dry->setup.objective;
  const ExperimentFunctions *functions = dry->setup.experiment->functions;
  double n = (double)objective->n_parameters, columns = 2 + objective->n_terms;
  double rows = (double)history_rows(dry->config);
  m->weights = footprint(n, sizeof(real)) + footprint(1.25 * rows * columns, sizeof(double));
  m->optimizer = (double)optimizer_bytes(dry->optimizer);
  m->threads = evaluation_bytes(objective, dry->setup.threads, comm_size(dry->comm), dry->nodes);
  if (optimizer_takes_directions(dry->optimizer)) {
    m->threads += natural_bytes(&dry->setup.problem, dry->setup.threads);
  }
  m->bricks = cost_of(dry, functions->training_bytes);
  m->checkpoint = dry->root ? hdf5_image + rows * (columns + 1) * sizeof(double) : 0;
  m->evaluation =
      cost_of(dry, functions->evaluation_bytes) + hdf5_parallel + (dry->root ? drawing : 0);
  double training = m->optimizer + m->threads + m->bricks + m->checkpoint;
  m->peak = m->process + fmax(m->reading, m->data + m->weights + fmax(training, m->evaluation));
}

/* Collective. Rank 0's to all, and each figure's maximum over the other ranks. */
static void share_memory(const Dry *dry, const ForecastMemory *mine, Forecast *forecast) {
  if (dry->root) {
    forecast->root = *mine;
  } else {
    forecast->other = *mine;
  }
  comm_broadcast(dry->comm, &forecast->root, sizeof forecast->root);
  comm_max_double(dry->comm, (double *)&forecast->other, sizeof *mine / sizeof(double));
}

/* ---- Time ---- */

/* Collective. The evaluation goes at the steps' rate. */
static Status fill_time(Dry *dry, Forecast *forecast) {
  const Setup *setup = &dry->setup;
  const ExperimentFunctions *functions = setup->experiment->functions;
  Calibration calibration;
  TRY(calibration_run(setup, dry->theta, dry->optimizer, &calibration));
  if (setup->problem.n_domains) forecast->step_flops = problem_flops(&setup->problem);
  if (functions->step_flops) forecast->step_flops = functions->step_flops(setup);
  double tile_flops = forecast->step_flops;
  if (optimizer_takes_directions(dry->optimizer)) {
    forecast->step_flops = 2. / 3 * tile_flops + natural_flops(&setup->problem);
  }
  if (functions->evaluation_flops) forecast->eval_flops = functions->evaluation_flops(setup);
  forecast->step =
      calibration.rounds * calibration.tiles + calibration.sums + calibration.optimizer;
  forecast->training = forecast->step * (double)forecast->steps;
  if (tile_flops > 0) {
    forecast->evaluation = calibration.tiles * forecast->eval_flops / tile_flops;
  }
  return STATUS_OK;
}

/* ---- All of it ---- */

/* Collective. */
static Status prepare(Dry *dry) {
  size_t n = dry->setup.objective.n_parameters;
  Status status = memory_allocate(&dry->theta, n, sizeof(real), "the weights");
  if (status == STATUS_OK) status = trainer_optimizer(&dry->setup, &dry->optimizer);
  TRY(comm_agree(dry->comm, status));
  return trainer_weights(&dry->setup, dry->theta);
}

/* Collective. */
static Status look_ahead(Dry *dry, ForecastMemory *memory, Forecast *forecast) {
  int threads;
  TRY(threads_choose(dry->comm, config_int(dry->config, "threads"), &threads));
  double begin = progress_clock();
  TRY(read_data(dry, threads, memory));
  double setup = progress_clock() - begin;
  comm_max_double(dry->comm, &setup, 1);
  TRY(prepare(dry));
  TRY(comm_nodes(dry->comm, &dry->nodes));
  int64_t workers = threads;
  comm_sum_int64(dry->comm, &workers, 1);
  const ExperimentFunctions *functions = dry->setup.experiment->functions;
  *forecast = (Forecast){.ranks = comm_size(dry->comm),
                         .threads = threads,
                         .workers = (double)workers,
                         .steps = config_int(dry->config, "train.steps"),
                         .setup = setup,
                         .parameters = dry->setup.objective.n_parameters,
                         .checkpoint = size_checkpoint(dry)};
  if (functions->shared_bytes) forecast->node = functions->shared_bytes(&dry->setup);
  forecast->node += evaluation_node_bytes(&dry->setup.objective);
  if (optimizer_takes_directions(dry->optimizer)) {
    forecast->node += natural_shared_bytes(&dry->setup.problem);
  }
  comm_max_double(dry->comm, &forecast->node, 1);
  TRY(fill_time(dry, forecast)); /* the optimiser then knows its part of the weights */
  fill_memory(dry, memory);
  share_memory(dry, memory, forecast);
  return STATUS_OK;
}

Status forecast_run(const Comm *comm, const Config *config, double process, Forecast *forecast) {
  Dry dry = {.comm = comm, .config = config, .root = comm_rank(comm) == 0};
  ForecastMemory memory = {.process = process};
  Status status = look_ahead(&dry, &memory, forecast);
  optimizer_destroy(dry.optimizer);
  free(dry.theta);
  suite_destroy(&dry.setup);
  return status;
}
