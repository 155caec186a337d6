#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/optimizer_kind.h"
#include "core/vector.h"

typedef struct {
  size_t n, padded; /* vectors are padded to whole blocks; the padding stays zero */
  double damping, momentum;
  int max_evaluations;
  OptimizerDirection direction;
  real *previous;     /* state: the last direction; 0 where there is none */
  real *next, *trial; /* scratch of a step */
} Spring;

static Status check(const OptimizerSettings *settings) {
  if (!(settings->damping > 0)) {
    return status_fail(STATUS_USAGE, "SPRING's damping is %g; it must be over 0",
                       settings->damping);
  }
  if (!(settings->momentum >= 0 && settings->momentum < 1)) {
    return status_fail(STATUS_USAGE, "SPRING's momentum is %g; it must be in [0, 1)",
                       settings->momentum);
  }
  if (settings->max_evaluations < 1) {
    return status_fail(STATUS_USAGE, "SPRING's max_evaluations is %d; it must be at least 1",
                       settings->max_evaluations);
  }
  return STATUS_OK;
}

static Status spring_create(const OptimizerSettings *settings, size_t n, void **self) {
  TRY(check(settings));
  Spring *spring;
  TRY(memory_allocate(&spring, 1, sizeof *spring, "SPRING"));
  *self = spring;
  *spring = (Spring){.n = n,
                     .padded = vector_padded(n),
                     .damping = settings->damping,
                     .momentum = settings->momentum,
                     .max_evaluations = settings->max_evaluations,
                     .direction = settings->direction};
  real **vectors[] = {&spring->previous, &spring->next, &spring->trial};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    TRY(memory_allocate(vectors[i], spring->padded, sizeof(real), "SPRING"));
  }
  return STATUS_OK;
}

static void spring_destroy(void *self) {
  Spring *spring = self;
  free(spring->previous);
  free(spring->next);
  free(spring->trial);
  free(spring);
}

/* The first trial that lowers the loss, in spring->trial; *found tells whether there is one. */
static Status search(Spring *spring, double lr, const real *theta, double loss,
                     OptimizerEvaluate evaluate, void *context, bool *found) {
  double step = lr;
  for (int i = 0; i < spring->max_evaluations; i++, step /= 2) {
    double trial_loss;
    memcpy(spring->trial, theta, spring->n * sizeof *theta);
    vector_add(spring->padded, spring->trial, -step, spring->next, spring->trial);
    TRY(evaluate(context, spring->trial, &trial_loss, NULL));
    *found = trial_loss < loss;
    if (*found) return STATUS_OK;
  }
  return STATUS_OK;
}

static Status spring_step(void *self, double lr, real *theta, OptimizerEvaluate evaluate,
                          void *context, double *loss) {
  Spring *spring = self;
  bool found = false;
  TRY(evaluate(context, theta, loss, NULL));
  TRY(spring->direction(context, theta, spring->damping, spring->momentum, spring->previous,
                        spring->next));
  TRY(search(spring, lr, theta, *loss, evaluate, context, &found));
  if (!found) {
    memset(spring->previous, 0, spring->n * sizeof *spring->previous);
    return STATUS_OK;
  }
  memcpy(theta, spring->trial, spring->n * sizeof *theta);
  memcpy(spring->previous, spring->next, spring->n * sizeof *theta);
  return STATUS_OK;
}

static int spring_state(void *self, StateArray *arrays) {
  Spring *spring = self;
  arrays[0] = (StateArray){"direction", STATE_REAL, spring->previous, spring->n, false};
  return 1;
}

static size_t spring_bytes(const void *self) {
  const Spring *spring = self;
  return sizeof *spring + 3 * memory_footprint(spring->padded * sizeof(real));
}

const OptimizerKind spring_kind = {
    .description =
        "natural gradient in the space of residuals, for losses that are sums of squares",
    .create = spring_create,
    .destroy = spring_destroy,
    .step = spring_step,
    .state = spring_state,
    .bytes = spring_bytes,
};
