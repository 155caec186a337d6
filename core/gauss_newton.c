#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/optimizer_kind.h"
#include "core/vector.h"

typedef struct {
  size_t n, padded; /* vectors are padded to whole blocks; the padding stays zero */
  double least_damping, momentum;
  int max_evaluations;
  OptimizerDirection direction;
  double damping;     /* state */
  real *before;       /* state: momentum times the last step; NULL without momentum */
  real *next, *trial; /* scratch of a step */
} GaussNewton;

static Status check(const OptimizerSettings *settings) {
  const struct {
    const char *name;
    double value;
  } positive[] = {{"damping", settings->damping},
                  {"least_damping", settings->least_damping},
                  {"max_evaluations", settings->max_evaluations}};
  for (int i = 0; i < 3; i++) {
    if (positive[i].value > 0) continue;
    return status_fail(STATUS_USAGE, "Gauss-Newton's %s is %g; it must be over 0", positive[i].name,
                       positive[i].value);
  }
  if (settings->momentum >= 0 && settings->momentum < 1) return STATUS_OK;
  return status_fail(STATUS_USAGE, "Gauss-Newton's momentum is %g; it must be in [0, 1)",
                     settings->momentum);
}

static Status gauss_newton_create(const OptimizerSettings *settings, size_t n, void **self) {
  TRY(check(settings));
  GaussNewton *gn;
  TRY(memory_allocate(&gn, 1, sizeof *gn, "Gauss-Newton"));
  *self = gn;
  *gn = (GaussNewton){.n = n,
                      .padded = vector_padded(n),
                      .damping = settings->damping,
                      .least_damping = settings->least_damping,
                      .momentum = settings->momentum,
                      .max_evaluations = settings->max_evaluations,
                      .direction = settings->direction};
  if (gn->momentum > 0) {
    TRY(memory_allocate(&gn->before, gn->padded, sizeof(real), "Gauss-Newton"));
  }
  TRY(memory_allocate(&gn->next, gn->padded, sizeof(real), "Gauss-Newton"));
  return memory_allocate(&gn->trial, gn->padded, sizeof(real), "Gauss-Newton");
}

static void gauss_newton_destroy(void *self) {
  GaussNewton *gn = self;
  free(gn->before);
  free(gn->next);
  free(gn->trial);
  free(gn);
}

/* The first trial that lowers the loss, in gn->trial: the step is lr / 2^*halvings, which are
 * max_evaluations where there is none. */
static Status search(GaussNewton *gn, double lr, const real *theta, double loss,
                     OptimizerEvaluate evaluate, void *context, int *halvings) {
  for (*halvings = 0; *halvings < gn->max_evaluations; ++*halvings) {
    double step = ldexp(lr, -*halvings), trial_loss;
    memcpy(gn->trial, theta, gn->n * sizeof *theta);
    vector_add(gn->padded, gn->trial, -step, gn->next, gn->trial);
    TRY(evaluate(context, gn->trial, &trial_loss, NULL));
    if (trial_loss < loss) return STATUS_OK;
  }
  return STATUS_OK;
}

/* What was taken of the direction, times momentum. */
static void keep(GaussNewton *gn, double taken) {
  if (!gn->before) return;
  real factor = (real)(gn->momentum * taken);
  for (size_t i = 0; i < gn->n; i++) gn->before[i] = factor * gn->next[i];
}

/* Whole steps say that the linear model is good, short ones that it is not (Levenberg, Marquardt).
 */
static void adapt(GaussNewton *gn, int halvings) {
  if (halvings == 0) gn->damping = fmax(gn->damping / 2, gn->least_damping);
  if (halvings >= 2) gn->damping = fmin(gn->damping * 2, 0.5);
}

static Status gauss_newton_step(void *self, double lr, real *theta, OptimizerEvaluate evaluate,
                                void *context, double *loss) {
  GaussNewton *gn = self;
  int halvings;
  TRY(evaluate(context, theta, loss, NULL));
  TRY(gn->direction(context, theta, gn->damping, gn->before, gn->next));
  TRY(search(gn, lr, theta, *loss, evaluate, context, &halvings));
  adapt(gn, halvings);
  bool found = halvings < gn->max_evaluations;
  if (found) memcpy(theta, gn->trial, gn->n * sizeof *theta);
  keep(gn, found ? ldexp(lr, -halvings) : 0);
  return STATUS_OK;
}

static int gauss_newton_state(void *self, StateArray *arrays) {
  GaussNewton *gn = self;
  arrays[0] = (StateArray){"damping", STATE_DOUBLE, &gn->damping, 1, false};
  if (!gn->before) return 1;
  arrays[1] = (StateArray){"before", STATE_REAL, gn->before, gn->n, false};
  return 2;
}

static size_t gauss_newton_bytes(const void *self) {
  const GaussNewton *gn = self;
  return sizeof *gn + (gn->before ? 3 : 2) * memory_footprint(gn->padded * sizeof(real));
}

const OptimizerKind gauss_newton_kind = {
    .description = "Gauss-Newton in the space of residuals (ENGD-W), for sums of squares",
    .create = gauss_newton_create,
    .destroy = gauss_newton_destroy,
    .step = gauss_newton_step,
    .state = gauss_newton_state,
    .bytes = gauss_newton_bytes,
    .directions = true,
};
