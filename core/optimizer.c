#include "core/optimizer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/optimizer_kind.h"
#include "core/vector.h"

/* The table: NAME is the name and NAME_kind the rest of the row. */
#define OPTIMIZERS(X) X(adam) X(lbfgs) X(gauss_newton)

static const char *const names[] = {
#define X(name) #name,
    OPTIMIZERS(X)
#undef X
        NULL};

static const OptimizerKind *const kinds[] = {
#define X(name) &name##_kind,
    OPTIMIZERS(X)
#undef X
};

struct Optimizer {
  const OptimizerKind *kind;
  void *self;
};

const char *const *optimizer_names(void) {
  return names;
}

static const OptimizerKind *find(const char *name) {
  for (int i = 0; names[i]; i++) {
    if (!strcmp(names[i], name)) return kinds[i];
  }
  return NULL;
}

const char *optimizer_description(const char *name) {
  const OptimizerKind *kind = find(name);
  return kind ? kind->description : NULL;
}

Status optimizer_create(const char *name, const OptimizerSettings *settings, size_t n,
                        Optimizer **optimizer) {
  assert(n > 0);
  const OptimizerKind *kind = find(name);
  if (!kind) {
#define X(known) " " #known
    return status_fail(STATUS_USAGE, "unknown optimizer '%s'; known are:" OPTIMIZERS(X), name);
#undef X
  }
  bool part = settings->stored && settings->stored != n;
  if (part && !kind->rest) {
    return status_fail(STATUS_USAGE,
                       "'%s' needs the whole gradient at once, which this objective never has; "
                       "choose adam",
                       name);
  }
  Optimizer *created;
  TRY(memory_allocate(&created, 1, sizeof *created, "the optimizer"));
  created->kind = kind;
  Status status = kind->create(settings, n, &created->self);
  if (status != STATUS_OK) {
    optimizer_destroy(created);
    return status;
  }
  *optimizer = created;
  return STATUS_OK;
}

void optimizer_destroy(Optimizer *optimizer) {
  if (!optimizer) return;
  if (optimizer->self) optimizer->kind->destroy(optimizer->self);
  free(optimizer);
}

Status optimizer_step(Optimizer *optimizer, double lr, real *theta, OptimizerEvaluate evaluate,
                      void *context, double *loss) {
  return optimizer->kind->step(optimizer->self, lr, theta, evaluate, context, loss);
}

void optimizer_rest(Optimizer *optimizer, OptimizerRest rest, void *context) {
  optimizer->kind->rest(optimizer->self, rest, context);
}

bool optimizer_shard(Optimizer *optimizer, const VectorRange *ranges, int n) {
  if (!optimizer->kind->shard) return false;
  assert(1 <= n && n <= OPTIMIZER_RANGES);
  optimizer->kind->shard(optimizer->self, ranges, n);
  return true;
}

bool optimizer_converged(const Optimizer *optimizer) {
  return optimizer->kind->converged && optimizer->kind->converged(optimizer->self);
}

bool optimizer_takes_directions(const Optimizer *optimizer) {
  return optimizer->kind->directions;
}

size_t optimizer_bytes(const Optimizer *optimizer) {
  return optimizer->kind->bytes(optimizer->self);
}

int optimizer_state(Optimizer *optimizer, StateArray *arrays) {
  int count = optimizer->kind->state(optimizer->self, arrays);
  assert(count <= STATE_MAX_ARRAYS);
  return count;
}

double gradient_factor(double norm, double bound) {
  const real factor = (real)(bound / (norm + 1e-6));
  return bound == 0 || factor >= 1 ? 1 : (double)factor;
}

void gradient_scale(real *gradient, size_t n, double norm, double bound) {
  const real factor = (real)gradient_factor(norm, bound);
  if (factor == 1) return;
#pragma omp parallel for simd schedule(static) if (parallel : n >= VECTOR_PARALLEL)
  for (size_t i = 0; i < n; i++) gradient[i] *= factor;
}

double gradient_clip(real *gradient, size_t n, double bound) {
  assert(bound >= 0);
  double norm = sqrt(vector_dot(n, gradient, gradient));
  gradient_scale(gradient, n, norm, bound);
  return norm;
}
