#include "mpi/evaluate.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "mpi/outer_share.h"
#include "mpi/shards.h"

/* What one thread owns; allocated and first touched by that thread, so that it is near it. */
typedef struct {
  void *workspace;
  real *gradient;      /* [objective_dense] of the current tile */
  int64_t *buffer;     /* [exact.size] sum of this thread's tiles */
  bool used;           /* the thread had a tile in this pass; else its buffer is stale */
  double busy, adding; /* seconds of this pass: tiles; of these, adding them to the buffer */
} Worker;

struct Evaluation {
  const Comm *comm;
  const Objective *objective;
  int threads;
  Worker *workers; /* [threads] */
  Exact exact;
  size_t dense;         /* parameters before the outer tensors */
  Shards *shards;       /* of these */
  Shards *outer_shards; /* of the outer tensors; NULL: there are none */
  OuterShare *outer;    /* the same */
  double outer_scale;   /* by which clipping scales their gradient */
  bool sharded;         /* gradients are wanted in this rank's part only */
  EvaluationTimes times;
};

/* What a pass over this rank's tiles needs to know. */
typedef struct {
  uint64_t step;
  const real *theta;
  bool with_gradient;
  int64_t first, end; /* this rank's tiles */
  size_t begin;       /* of the part of the buffers that is in use, up to their end */
} Pass;

static Status create_worker(const Evaluation *evaluation, Worker *worker) {
  const Objective *objective = evaluation->objective;
  TRY(memory_allocate(&worker->gradient, evaluation->dense, sizeof(real), "a thread's gradient"));
  TRY(memory_allocate(&worker->buffer, evaluation->exact.size, sizeof(int64_t),
                      "a thread's exact sum"));
  return objective->workspace_create(objective, &worker->workspace);
}

static Status create_workers(Evaluation *evaluation) {
  TRY(exact_create(evaluation->objective, &evaluation->exact));
  TRY(memory_allocate(&evaluation->workers, (size_t)evaluation->threads, sizeof(Worker),
                      "threads"));
  Status status = STATUS_OK;
#pragma omp parallel num_threads(evaluation->threads)
  {
#pragma omp critical(evaluation_create_worker) /* errors have one message */
    if (status == STATUS_OK) {
      status = create_worker(evaluation, &evaluation->workers[omp_get_thread_num()]);
    }
  }
  return status;
}

/* Collective. */
static Status create_shares(Evaluation *evaluation) {
  const Comm *comm = evaluation->comm;
  const Objective *objective = evaluation->objective;
  TRY(shards_create(comm, evaluation->dense, &evaluation->shards));
  if (objective->outer.n_tensors == 0) return STATUS_OK;
  size_t rest = objective->n_parameters - evaluation->dense;
  TRY(shards_create(comm, rest, &evaluation->outer_shards));
  return outer_share_create(comm, &objective->outer, evaluation->threads, &evaluation->outer);
}

Status evaluation_create(const Comm *comm, const Objective *objective, int threads,
                         Evaluation **evaluation) {
  assert(threads >= 1);
  Evaluation *made = NULL;
  Status status = memory_allocate(&made, 1, sizeof *made, "an evaluation");
  if (status == STATUS_OK) {
    made->comm = comm;
    made->objective = objective;
    made->threads = threads;
    made->dense = objective_dense(objective);
    made->outer_scale = 1;
    status = create_workers(made);
  }
  status = comm_agree(comm, status);
  if (status == STATUS_OK) status = create_shares(made);
  if (status == STATUS_OK) {
    *evaluation = made;
  } else {
    evaluation_destroy(made);
  }
  return status;
}

void evaluation_destroy(Evaluation *evaluation) {
  if (!evaluation) return;
  for (int t = 0; evaluation->workers && t < evaluation->threads; t++) {
    Worker *worker = &evaluation->workers[t];
    if (worker->workspace) evaluation->objective->workspace_destroy(worker->workspace);
    free(worker->gradient);
    free(worker->buffer);
  }
  free(evaluation->workers);
  outer_share_destroy(evaluation->outer);
  shards_destroy(evaluation->outer_shards);
  shards_destroy(evaluation->shards);
  exact_destroy(&evaluation->exact);
  free(evaluation);
}

double evaluation_bytes(const Objective *objective, int threads, int ranks, int nodes) {
  Exact exact;
  if (exact_create(objective, &exact) != STATUS_OK) return 0;
  size_t sum = exact.size * sizeof(int64_t);
  exact_destroy(&exact);
  size_t dense = objective_dense(objective), rest = objective->n_parameters - dense;
  size_t worker = memory_footprint(dense * sizeof(real)) + memory_footprint(sum);
  if (objective->workspace_bytes) worker += objective->workspace_bytes(objective);
  double shares = shards_bytes(dense, ranks, nodes);
  if (rest) {
    shares += shards_bytes(rest, ranks, nodes) + outer_share_rank_bytes(&objective->outer, threads);
  }
  return (double)threads * (double)worker + shares;
}

double evaluation_node_bytes(const Objective *objective) {
  return objective->outer.n_tensors ? outer_share_node_bytes(&objective->outer) : 0;
}

static void run_tile(const Evaluation *evaluation, const Pass *pass, int64_t tile, Worker *worker) {
  const Objective *objective = evaluation->objective;
  if (!worker->used) {
    size_t n = evaluation->exact.size - pass->begin;
    memset(worker->buffer + pass->begin, 0, n * sizeof *worker->buffer);
    worker->used = true;
  }
  double terms[OBJECTIVE_MAX_TERMS];
  real *gradient = pass->with_gradient ? worker->gradient : NULL;
  const OuterFactors *outer =
      gradient && evaluation->outer ? outer_share_factors(evaluation->outer) : NULL;
  objective->tile(objective, pass->step, tile, pass->theta, gradient, terms, outer,
                  worker->workspace);
  double computed = omp_get_wtime();
  exact_add(&evaluation->exact, gradient, terms, worker->buffer);
  worker->adding += omp_get_wtime() - computed;
}

static void run_tiles(Evaluation *evaluation, const Pass *pass) {
  for (int t = 0; t < evaluation->threads; t++) {
    Worker *worker = &evaluation->workers[t];
    worker->used = false;
    worker->busy = worker->adding = 0;
  }
#pragma omp parallel num_threads(evaluation->threads)
  {
    Worker *worker = &evaluation->workers[omp_get_thread_num()];
    double begin = omp_get_wtime();
#pragma omp for schedule(dynamic, 1) nowait
    for (int64_t tile = pass->first; tile < pass->end; tile++) {
      run_tile(evaluation, pass, tile, worker);
    }
    worker->busy = omp_get_wtime() - begin;
  }
  for (int t = 0; t < evaluation->threads; t++) {
    evaluation->times.busy += evaluation->workers[t].busy / evaluation->threads;
    evaluation->times.adding += evaluation->workers[t].adding / evaluation->threads;
  }
}

/* Adds elements [from, to) of the used buffers after `target` to those of `target`. */
static void sum_slice(const Evaluation *evaluation, int target, size_t from, size_t to) {
  uint64_t *sum = (uint64_t *)evaluation->workers[target].buffer; /* wraps, as exact_add does */
  for (int t = target + 1; t < evaluation->threads; t++) {
    if (!evaluation->workers[t].used) continue;
    const uint64_t *addend = (const uint64_t *)evaluation->workers[t].buffer;
#pragma omp simd
    for (size_t i = from; i < to; i++) sum[i] += addend[i];
  }
}

/* Adds the buffers of the threads that had tiles into one of them, which is returned. A rank
 * without tiles brings zeros. */
static int64_t *sum_threads(Evaluation *evaluation, size_t begin) {
  Worker *workers = evaluation->workers;
  size_t size = evaluation->exact.size;
  int target = 0, used = 0;
  for (int t = evaluation->threads - 1; t >= 0; t--) {
    if (!workers[t].used) continue;
    target = t;
    used++;
  }
  if (used == 0) memset(workers[0].buffer, 0, size * sizeof *workers[0].buffer);
  if (used > 1) {
#pragma omp parallel num_threads(evaluation->threads)
    {
      size_t team = (size_t)omp_get_num_threads(), me = (size_t)omp_get_thread_num();
      size_t n = size - begin;
      sum_slice(evaluation, target, begin + n * me / team, begin + n * (me + 1) / team);
    }
  }
  return workers[target].buffer;
}

/* Sums over the ranks: of all parameters this rank's part, and what decides about the step. */
static void sum_ranks(Evaluation *evaluation, const Pass *pass, int64_t *sum) {
  size_t from = pass->with_gradient ? exact_counts(&evaluation->exact) : pass->begin;
  comm_sum_int64(evaluation->comm, sum + from, evaluation->exact.size - from);
  if (pass->with_gradient && comm_size(evaluation->comm) > 1) shards_sum(evaluation->shards, sum);
}

/* All tiles once: on return the buffer holds the sum over threads and ranks. */
static int64_t *run_pass(Evaluation *evaluation, const Pass *pass, bool stop) {
  EvaluationTimes *times = &evaluation->times;
  double start = omp_get_wtime();
  run_tiles(evaluation, pass);
  double tiles_done = omp_get_wtime();
  int64_t *sum = sum_threads(evaluation, pass->begin);
  sum[exact_flag(&evaluation->exact, EXACT_FLAG_STOP)] = stop;
  double threads_done = omp_get_wtime();
  sum_ranks(evaluation, pass, sum);
  times->sum_ranks += omp_get_wtime() - threads_done;
  times->sum_threads += threads_done - tiles_done;
  times->tiles += tiles_done - start;
  return sum;
}

/* Decodes this rank's part; where all of the gradient is wanted, the other ranks' come to it. */
static ExactResult finish(Evaluation *evaluation, const int64_t *sum, real *gradient, double *terms,
                          int *group) {
  size_t first, end;
  shards_part(evaluation->shards, &first, &end);
  double start = omp_get_wtime();
  ExactResult result =
      exact_finish_part(&evaluation->exact, sum, first, end, gradient, terms, group);
  double decoded = omp_get_wtime();
  bool share = gradient && result == EXACT_DONE && !evaluation->sharded;
  if (share && comm_size(evaluation->comm) > 1) shards_share(evaluation->shards, gradient);
  evaluation->times.decode += decoded - start;
  evaluation->times.share += omp_get_wtime() - decoded;
  return result;
}

static Status fail_nonfinite(uint64_t step, const char *what, const char *name) {
  return status_fail(STATUS_FAILED,
                     "step %" PRIu64
                     ": %s `%s` is not finite (NaN, infinity or over 3e38): lower "
                     "train.lr or set train.clip, and look for such values in the data",
                     step, what, name);
}

/* Collective, after the passes of a step. */
static Status judge(Evaluation *evaluation, uint64_t step, ExactResult result, int group,
                    bool outer) {
  const Exact *exact = &evaluation->exact;
  const Outer *tensors = &evaluation->objective->outer;
  int bad = outer ? outer_share_end(evaluation->outer) : tensors->n_tensors;
  if (result != EXACT_DONE) {
    return fail_nonfinite(step, group < exact->n_tensors ? "the gradient of" : "term",
                          exact_group_name(exact, evaluation->objective, group));
  }
  if (bad == tensors->n_tensors) return STATUS_OK;
  return fail_nonfinite(step, "the gradient of", tensors->tensors[bad].name);
}

Status evaluation_run(Evaluation *evaluation, uint64_t step, const real *theta, real *gradient,
                      double *terms, bool *stop) {
  const Comm *comm = evaluation->comm;
  const Objective *objective = evaluation->objective;
  Exact *exact = &evaluation->exact;
  exact->tiles = objective->tiles(objective, step);
  const Pass pass = {.step = step,
                     .theta = theta,
                     .with_gradient = gradient,
                     .first = exact->tiles * comm_rank(comm) / comm_size(comm),
                     .end = exact->tiles * (comm_rank(comm) + 1) / comm_size(comm),
                     .begin = exact_begin(exact, gradient)};
  if (objective->prepare) {
    TRY(comm_agree(comm, objective->prepare(objective, step, pass.first, pass.end)));
  }
  ExactResult result;
  int group = 0;
  const int64_t *sum;
  bool outer = gradient && evaluation->outer;
  if (outer) outer_share_begin(evaluation->outer);
  for (int passes = 0;; passes++) {
    sum = run_pass(evaluation, &pass, stop && *stop);
    result = finish(evaluation, sum, gradient, terms, &group);
    if (result != EXACT_REDO) break;
    assert(passes == 0 && "a tile must be a pure function of theta, step and tile");
    evaluation->times.redone++;
  }
  if (outer) evaluation->outer_scale = 1;
  evaluation->times.steps++;
  if (stop) *stop = sum[exact_flag(exact, EXACT_FLAG_STOP)] != 0;
  return judge(evaluation, step, result, group, outer);
}

/* This rank's parts of theta; returns how many. */
static int own_ranges(const Evaluation *evaluation, VectorRange ranges[OPTIMIZER_RANGES]) {
  shards_part(evaluation->shards, &ranges[0].first, &ranges[0].end);
  if (!evaluation->outer) return 1;
  shards_part(evaluation->outer_shards, &ranges[1].first, &ranges[1].end);
  ranges[1].first += evaluation->dense;
  ranges[1].end += evaluation->dense;
  return 2;
}

void evaluation_serve(Evaluation *evaluation, Optimizer *optimizer) {
  VectorRange ranges[OPTIMIZER_RANGES];
  if (evaluation->outer) optimizer_rest(optimizer, evaluation_rest, evaluation);
  if (comm_size(evaluation->comm) == 1) return;
  evaluation->sharded = optimizer_shard(optimizer, ranges, own_ranges(evaluation, ranges));
}

double evaluation_clip(Evaluation *evaluation, real *gradient, double bound) {
  size_t first = 0, end = evaluation->dense;
  if (evaluation->sharded) shards_part(evaluation->shards, &first, &end);
  double norm = shards_norm(evaluation->shards, gradient);
  if (evaluation->outer) {
    norm = sqrt(norm * norm + outer_share_square(evaluation->outer));
    evaluation->outer_scale = gradient_factor(norm, bound);
  }
  gradient_scale(gradient + first, end - first, norm, bound);
  return norm;
}

void evaluation_rest(void *context, size_t first, size_t count, real *gradient) {
  const Evaluation *evaluation = context;
  outer_gradient(&evaluation->objective->outer, outer_share_factors(evaluation->outer), first,
                 count, evaluation->outer_scale, gradient);
}

void evaluation_share(Evaluation *evaluation, real *values) {
  double start = omp_get_wtime();
  if (evaluation->sharded) {
    shards_share(evaluation->shards, values);
    if (evaluation->outer) shards_share(evaluation->outer_shards, values + evaluation->dense);
  }
  evaluation->times.share += omp_get_wtime() - start;
}

void evaluation_collect(Evaluation *evaluation, real *values) {
  if (!evaluation->sharded) return;
  shards_collect(evaluation->shards, values);
  if (evaluation->outer) shards_collect(evaluation->outer_shards, values + evaluation->dense);
}

void evaluation_deal(Evaluation *evaluation, real *values) {
  if (!evaluation->sharded) return;
  shards_deal(evaluation->shards, values);
  if (evaluation->outer) shards_deal(evaluation->outer_shards, values + evaluation->dense);
}

int evaluation_state(Evaluation *evaluation, StateArray *arrays) {
  arrays[0] = (StateArray){.name = "exponents",
                           .type = STATE_INT64,
                           .data = evaluation->exact.exponents,
                           .count = (size_t)evaluation->exact.n_groups};
  return 1;
}

EvaluationTimes evaluation_times(const Evaluation *evaluation) {
  return evaluation->times;
}
