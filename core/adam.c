#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

#include "core/memory.h"
#include "core/optimizer_kind.h"
#include "core/vector.h"

typedef struct {
  size_t n, first, end; /* the part that is this rank's */
  double beta1, beta2, eps;
  real *m, *v, *gradient; /* padded to whole blocks; the padding stays zero */
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

static Status adam_create(const OptimizerSettings *settings, size_t n, void **self) {
  TRY(check(settings));
  Adam *adam;
  TRY(memory_allocate(&adam, 1, sizeof *adam, "Adam"));
  *self = adam;
  *adam = (Adam){.n = n,
                 .end = n,
                 .beta1 = settings->beta1,
                 .beta2 = settings->beta2,
                 .eps = settings->eps,
                 .powers = {1, 1}};
  real **vectors[] = {&adam->m, &adam->v, &adam->gradient};
  for (int i = 0; i < 3; i++) {
    TRY(memory_allocate(vectors[i], vector_padded(n), sizeof(real), "Adam's moments"));
  }
  return STATUS_OK;
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

static void update(Adam *adam, Constants c, real *theta) {
  size_t end = adam->end;
#pragma omp parallel for schedule(static) if (end - adam->first >= VECTOR_PARALLEL)
  for (size_t b = adam->first; b < end; b += VECTOR_BLOCK) {
    real tail[VECTOR_BLOCK] = {0};
    size_t left = end - b;
    real *block = left < VECTOR_BLOCK ? memcpy(tail, theta + b, left * sizeof *theta) : theta + b;
    update_block(c, adam->gradient + b, adam->m + b, adam->v + b, block);
    if (block == tail) memcpy(theta + b, tail, left * sizeof *theta);
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
  update(adam, c, theta);
  return STATUS_OK;
}

static void adam_shard(void *self, size_t first, size_t end) {
  Adam *adam = self;
  assert(first % VECTOR_BLOCK == 0 && first <= end && end <= adam->n);
  assert(end % VECTOR_BLOCK == 0 || end == adam->n);
  adam->first = first;
  adam->end = end;
}

static int adam_state(void *self, StateArray *arrays) {
  Adam *adam = self;
  bool sharded = adam->end - adam->first < adam->n;
  arrays[0] = (StateArray){"m", STATE_REAL, adam->m, adam->n, sharded};
  arrays[1] = (StateArray){"v", STATE_REAL, adam->v, adam->n, sharded};
  arrays[2] = (StateArray){"powers", STATE_DOUBLE, adam->powers, 2, false};
  return 3;
}

static size_t adam_bytes(const void *self) {
  const Adam *adam = self;
  return 3 * memory_footprint(vector_padded(adam->n) * sizeof(real));
}

const OptimizerKind adam_kind = {
    .description = "Adam, the paper's optimiser",
    .create = adam_create,
    .destroy = adam_destroy,
    .step = adam_step,
    .state = adam_state,
    .shard = adam_shard,
    .bytes = adam_bytes,
};
