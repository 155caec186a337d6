#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

#include "core/memory.h"
#include "core/optimizer_kind.h"
#include "core/vector.h"

typedef struct {
  size_t n, stored; /* parameters; those before this one have their gradient stored */
  VectorRange ranges[OPTIMIZER_RANGES]; /* that are this rank's */
  int n_ranges;
  OptimizerRest rest; /* tells the others' gradient */
  void *rest_context;
  double beta1, beta2, eps;
  real *m, *v, *gradient; /* [n], [n], [stored], padded to whole blocks */
  double powers[2];       /* beta1^t, beta2^t after t steps, by recurrence: pow may differ */
} Adam;

/* The constants of a step, rounded to `real` as PyTorch does. */
typedef struct {
  real gain1, keep2, gain2, correction2, eps, rate;
} Constants;

static Status check(const OptimizerSettings *settings) {
  const struct {
    const char *name;
    double value;
  } betas[] = {{"beta1", settings->beta1}, {"beta2", settings->beta2}};
  for (int i = 0; i < 2; i++) {
    if (!(betas[i].value >= 0 && betas[i].value < 1)) {
      return status_fail(STATUS_USAGE, "Adam's %s is %g; it must lie in [0, 1)", betas[i].name,
                         betas[i].value);
    }
  }
  if (!(settings->eps > 0)) {
    return status_fail(STATUS_USAGE, "Adam's eps is %g; it must be positive", settings->eps);
  }
  return STATUS_OK;
}

static size_t stored_elements(const OptimizerSettings *settings, size_t n) {
  if (settings->stored == OPTIMIZER_STORES_NONE) return 0;
  return settings->stored ? settings->stored : n;
}

static Status adam_create(const OptimizerSettings *settings, size_t n, void **self) {
  TRY(check(settings));
  Adam *adam;
  TRY(memory_allocate(&adam, 1, sizeof *adam, "Adam"));
  *self = adam;
  *adam = (Adam){.n = n,
                 .stored = stored_elements(settings, n),
                 .ranges = {{0, n}},
                 .n_ranges = 1,
                 .beta1 = settings->beta1,
                 .beta2 = settings->beta2,
                 .eps = settings->eps,
                 .powers = {1, 1}};
  TRY(memory_allocate_sparse(&adam->m, vector_padded(n), sizeof(real), "Adam's moments"));
  TRY(memory_allocate_sparse(&adam->v, vector_padded(n), sizeof(real), "Adam's moments"));
  return memory_allocate(&adam->gradient, vector_padded(adam->stored), sizeof(real), "a gradient");
}

static void adam_destroy(void *self) {
  Adam *adam = self;
  free(adam->m);
  free(adam->v);
  free(adam->gradient);
  free(adam);
}

/* One block, compiled once and never inlined: each element meets the same instructions wherever it
 * stands in theta. */
__attribute__((noinline)) static void update_block(Constants c, const real *restrict gradient,
                                                   real *restrict m, real *restrict v,
                                                   real *restrict theta) {
  for (int i = 0; i < VECTOR_BLOCK; i++) {
    real g = gradient[i];
    m[i] += c.gain1 * (g - m[i]);
    v[i] = c.keep2 * v[i] + c.gain2 * g * g;
    theta[i] -= c.rate * m[i] / (sqrt(v[i]) / c.correction2 + c.eps);
  }
}

/* Elements first ... first + count - 1, whose gradient is given: padded to whole blocks with what
 * does not matter. */
static void update_elements(Adam *adam, Constants c, size_t first, size_t count,
                            const real *gradient, real *theta) {
  for (size_t i = 0; i < count; i += VECTOR_BLOCK) {
    size_t at = first + i, left = count - i;
    if (left >= VECTOR_BLOCK) {
      update_block(c, gradient + i, adam->m + at, adam->v + at, theta + at);
      continue;
    }
    real g[VECTOR_BLOCK] = {0}, m[VECTOR_BLOCK] = {0}, v[VECTOR_BLOCK] = {0}, t[VECTOR_BLOCK] = {0};
    const size_t bytes = left * sizeof(real);
    memcpy(g, gradient + i, bytes);
    memcpy(m, adam->m + at, bytes);
    memcpy(v, adam->v + at, bytes);
    memcpy(t, theta + at, bytes);
    update_block(c, g, m, v, t);
    memcpy(adam->m + at, m, bytes);
    memcpy(adam->v + at, v, bytes);
    memcpy(theta + at, t, bytes);
  }
}

/* A chunk of a range, in whole or in part with its gradient stored. */
static void update_chunk(Adam *adam, Constants c, VectorRange chunk, real *theta) {
  size_t stored = chunk.end < adam->stored ? chunk.end : adam->stored;
  if (chunk.first < stored) {
    update_elements(adam, c, chunk.first, stored - chunk.first, adam->gradient + chunk.first,
                    theta);
    chunk.first = stored;
  }
  if (chunk.first == chunk.end) return;
  real made[OPTIMIZER_CHUNK] __attribute__((aligned(REAL_ALIGN)));
  adam->rest(adam->rest_context, chunk.first, chunk.end - chunk.first, made);
  update_elements(adam, c, chunk.first, chunk.end - chunk.first, made, theta);
}

static void update_range(Adam *adam, Constants c, VectorRange range, real *theta) {
#pragma omp parallel for schedule(static) if (range.end - range.first >= VECTOR_PARALLEL)
  for (size_t first = range.first; first < range.end; first += OPTIMIZER_CHUNK) {
    size_t end = first + OPTIMIZER_CHUNK;
    update_chunk(adam, c, (VectorRange){first, end < range.end ? end : range.end}, theta);
  }
}

static Status adam_step(void *self, double lr, real *theta, OptimizerEvaluate evaluate,
                        void *context, double *loss) {
  Adam *adam = self;
  TRY(evaluate(context, theta, loss, adam->gradient));
  adam->powers[0] *= adam->beta1;
  adam->powers[1] *= adam->beta2;
  Constants c = {.gain1 = (real)(1 - adam->beta1),
                 .keep2 = (real)adam->beta2,
                 .gain2 = (real)(1 - adam->beta2),
                 .correction2 = (real)sqrt(1 - adam->powers[1]),
                 .eps = (real)adam->eps,
                 .rate = (real)(lr / (1 - adam->powers[0]))};
  for (int i = 0; i < adam->n_ranges; i++) {
    update_range(adam, c, adam->ranges[i], theta);
  }
  return STATUS_OK;
}

static void adam_shard(void *self, const VectorRange *ranges, int n) {
  Adam *adam = self;
  adam->n_ranges = n;
  for (int i = 0; i < n; i++) {
    assert(ranges[i].first <= ranges[i].end && ranges[i].end <= adam->n);
    adam->ranges[i] = ranges[i];
  }
}

static void adam_rest(void *self, OptimizerRest rest, void *context) {
  Adam *adam = self;
  adam->rest = rest;
  adam->rest_context = context;
}

static size_t own_elements(const Adam *adam) {
  size_t own = 0;
  for (int i = 0; i < adam->n_ranges; i++) own += adam->ranges[i].end - adam->ranges[i].first;
  return own;
}

static int adam_state(void *self, StateArray *arrays) {
  Adam *adam = self;
  bool sharded = own_elements(adam) < adam->n;
  arrays[0] = (StateArray){"m", STATE_REAL, adam->m, adam->n, sharded};
  arrays[1] = (StateArray){"v", STATE_REAL, adam->v, adam->n, sharded};
  arrays[2] = (StateArray){"powers", STATE_DOUBLE, adam->powers, 2, false};
  return 3;
}

/* Of the moments, only what this rank works on is ever touched. */
static size_t adam_bytes(const void *self) {
  const Adam *adam = self;
  return 2 * memory_footprint(own_elements(adam) * sizeof(real)) +
         memory_footprint(vector_padded(adam->stored) * sizeof(real));
}

const OptimizerKind adam_kind = {
    .description = "Adam, the paper's optimiser",
    .create = adam_create,
    .destroy = adam_destroy,
    .step = adam_step,
    .state = adam_state,
    .shard = adam_shard,
    .rest = adam_rest,
    .bytes = adam_bytes,
};
