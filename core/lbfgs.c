#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/line_search.h"
#include "core/memory.h"
#include "core/optimizer_kind.h"
#include "core/vector.h"

/* Lengths of steps that are no longer worth a trial, as PyTorch's tolerance_change. */
static const double tolerance_change = 1e-9;

enum { COUNT, NEXT, CACHED, CONVERGED, N_COUNTERS };
enum { LOSS, GAMMA, N_SCALARS };

typedef struct {
  size_t n, padded; /* vectors are padded to whole blocks; the padding stays zero */
  int history, max_evaluations;
  bool fixed_objective;
  /* State, changed only when a step has succeeded. A ring of pairs: the COUNT newest ones lie
   * before place NEXT; GAMMA scales the initial Hessian. CACHED: gradient and LOSS belong to
   * theta. */
  real *s, *y; /* [history][padded] */
  double *rho; /* [history] 1 / y.s */
  real *gradient;
  double scalars[N_SCALARS];
  int64_t counters[N_COUNTERS];
  /* Scratch of a step. */
  real *start, *start_gradient, *direction, *trial, *trial_gradient, *kept_gradient;
  double *alpha; /* [history] */
  OptimizerEvaluate evaluate;
  void *context;
} Lbfgs;

static Status check(const OptimizerSettings *settings) {
  if (settings->history < 1) {
    return status_fail(STATUS_USAGE, "L-BFGS's history is %d; it must be at least 1",
                       settings->history);
  }
  if (settings->max_evaluations < 1) {
    return status_fail(STATUS_USAGE, "L-BFGS's max_evaluations is %d; it must be at least 1",
                       settings->max_evaluations);
  }
  return STATUS_OK;
}

static Status lbfgs_create(const OptimizerSettings *settings, size_t n, void **self) {
  TRY(check(settings));
  Lbfgs *lbfgs;
  TRY(memory_allocate(&lbfgs, 1, sizeof *lbfgs, "L-BFGS"));
  *self = lbfgs;
  *lbfgs = (Lbfgs){.n = n,
                   .padded = vector_padded(n),
                   .history = settings->history,
                   .max_evaluations = settings->max_evaluations,
                   .fixed_objective = settings->fixed_objective};
  const size_t pairs = (size_t)settings->history;
  real **vectors[] = {&lbfgs->gradient,     &lbfgs->start, &lbfgs->start_gradient,
                      &lbfgs->direction,    &lbfgs->trial, &lbfgs->trial_gradient,
                      &lbfgs->kept_gradient};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    TRY(memory_allocate(vectors[i], lbfgs->padded, sizeof(real), "L-BFGS"));
  }
  const char *what = "L-BFGS's history";
  TRY(memory_allocate(&lbfgs->s, pairs * lbfgs->padded, sizeof(real), what));
  TRY(memory_allocate(&lbfgs->y, pairs * lbfgs->padded, sizeof(real), what));
  TRY(memory_allocate(&lbfgs->rho, pairs, sizeof(double), what));
  return memory_allocate(&lbfgs->alpha, pairs, sizeof(double), what);
}

static void lbfgs_destroy(void *self) {
  Lbfgs *lbfgs = self;
  void *owned[] = {lbfgs->s,         lbfgs->y,     lbfgs->rho,
                   lbfgs->gradient,  lbfgs->start, lbfgs->start_gradient,
                   lbfgs->direction, lbfgs->trial, lbfgs->trial_gradient,
                   lbfgs->alpha,     lbfgs,        lbfgs->kept_gradient};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
}

/* Place in the ring of the pair that is `age` steps old. */
static size_t place(const Lbfgs *lbfgs, int64_t age) {
  return (size_t)((lbfgs->counters[NEXT] - 1 - age + lbfgs->history) % lbfgs->history);
}

static real *row(const Lbfgs *lbfgs, real *pairs, size_t i) {
  return pairs + i * lbfgs->padded;
}

static void steepest_direction(Lbfgs *lbfgs) {
  memcpy(lbfgs->direction, lbfgs->start_gradient, lbfgs->padded * sizeof(real));
  vector_scale(lbfgs->padded, -1, lbfgs->direction);
}

/* direction = -H g by the two-loop recursion (Nocedal & Wright, algorithm 7.4). */
static void quasi_newton_direction(Lbfgs *lbfgs) {
  size_t n = lbfgs->padded;
  real *d = lbfgs->direction;
  steepest_direction(lbfgs);
  for (int64_t age = 0; age < lbfgs->counters[COUNT]; age++) {
    size_t i = place(lbfgs, age);
    lbfgs->alpha[i] = lbfgs->rho[i] * vector_dot(n, row(lbfgs, lbfgs->s, i), d);
    vector_add(n, d, -lbfgs->alpha[i], row(lbfgs, lbfgs->y, i), d);
  }
  vector_scale(n, lbfgs->scalars[GAMMA], d);
  for (int64_t age = lbfgs->counters[COUNT] - 1; age >= 0; age--) {
    size_t i = place(lbfgs, age);
    double beta = lbfgs->rho[i] * vector_dot(n, row(lbfgs, lbfgs->y, i), d);
    vector_add(n, d, lbfgs->alpha[i] - beta, row(lbfgs, lbfgs->s, i), d);
  }
}

static Status probe(void *context, LinePoint *point) {
  Lbfgs *lbfgs = context;
  vector_add(lbfgs->padded, lbfgs->start, point->step, lbfgs->direction, lbfgs->trial);
  TRY(lbfgs->evaluate(lbfgs->context, lbfgs->trial, &point->loss, lbfgs->trial_gradient));
  point->slope = vector_dot(lbfgs->padded, lbfgs->trial_gradient, lbfgs->direction);
  return STATUS_OK;
}

static void keep(void *context) {
  Lbfgs *lbfgs = context;
  real *spare = lbfgs->kept_gradient;
  lbfgs->kept_gradient = lbfgs->trial_gradient;
  lbfgs->trial_gradient = spare;
}

/* Searches along `direction`; *best keeps step 0 if that does not lead down. */
static Status search(Lbfgs *lbfgs, double loss, double first, LinePoint *best) {
  size_t n = lbfgs->padded;
  double length = sqrt(vector_dot(n, lbfgs->direction, lbfgs->direction));
  LineSearch line = {probe, keep, lbfgs, lbfgs->max_evaluations, tolerance_change / length};
  LinePoint start = {0, loss, vector_dot(n, lbfgs->start_gradient, lbfgs->direction)};
  *best = start;
  if (!(start.slope < 0) || !(first > 0)) return STATUS_OK;
  return line_search(&line, start, first, best);
}

static Status load_start(Lbfgs *lbfgs, const real *theta, double *loss) {
  memcpy(lbfgs->start, theta, lbfgs->n * sizeof *theta);
  if (lbfgs->counters[CACHED]) {
    *loss = lbfgs->scalars[LOSS];
    memcpy(lbfgs->start_gradient, lbfgs->gradient, lbfgs->n * sizeof *theta);
    return STATUS_OK;
  }
  return lbfgs->evaluate(lbfgs->context, theta, loss, lbfgs->start_gradient);
}

/* Keeps s = trial - start and y = kept_gradient - start_gradient where the curvature y.s is
 * positive beyond rounding. Both gradients are of the same step's objective. */
static void push_pair(Lbfgs *lbfgs) {
  const double epsilon = REAL_IS_DOUBLE ? DBL_EPSILON : (double)FLT_EPSILON;
  size_t n = lbfgs->padded, next = (size_t)lbfgs->counters[NEXT];
  real *s = lbfgs->trial, *y = lbfgs->trial_gradient;
  vector_add(n, lbfgs->trial, -1, lbfgs->start, s);
  vector_add(n, lbfgs->kept_gradient, -1, lbfgs->start_gradient, y);
  double ys = vector_dot(n, y, s), ss = vector_dot(n, s, s), yy = vector_dot(n, y, y);
  if (!(ys > epsilon * sqrt(ss) * sqrt(yy))) return;
  memcpy(row(lbfgs, lbfgs->s, next), s, n * sizeof *s);
  memcpy(row(lbfgs, lbfgs->y, next), y, n * sizeof *y);
  lbfgs->rho[next] = 1 / ys;
  lbfgs->scalars[GAMMA] = ys / yy;
  lbfgs->counters[NEXT] = (int64_t)(next + 1) % lbfgs->history;
  if (lbfgs->counters[COUNT] < lbfgs->history) lbfgs->counters[COUNT]++;
}

static void commit(Lbfgs *lbfgs, bool steepest, LinePoint best, real *theta) {
  if (steepest) lbfgs->counters[COUNT] = 0;
  lbfgs->counters[CONVERGED] = best.step == 0;
  lbfgs->counters[CACHED] = lbfgs->fixed_objective;
  lbfgs->scalars[LOSS] = best.loss;
  const real *gradient = best.step == 0 ? lbfgs->start_gradient : lbfgs->kept_gradient;
  memcpy(lbfgs->gradient, gradient, lbfgs->padded * sizeof(real));
  if (best.step == 0) return;
  vector_add(lbfgs->padded, lbfgs->start, best.step, lbfgs->direction, lbfgs->trial);
  memcpy(theta, lbfgs->trial, lbfgs->n * sizeof *theta);
  push_pair(lbfgs);
}

static Status lbfgs_step(void *self, double lr, real *theta, OptimizerEvaluate evaluate,
                         void *context, double *loss) {
  Lbfgs *lbfgs = self;
  lbfgs->evaluate = evaluate;
  lbfgs->context = context;
  TRY(load_start(lbfgs, theta, loss));
  if (lbfgs->fixed_objective && lbfgs->counters[CONVERGED]) return STATUS_OK;
  double norm1 = vector_norm1(lbfgs->padded, lbfgs->start_gradient);
  if (!isfinite(*loss) || !isfinite(norm1)) {
    return status_fail(STATUS_FAILED, "L-BFGS: loss or gradient is not finite; lower the rate lr");
  }
  LinePoint best = {.loss = *loss};
  if (lbfgs->counters[COUNT]) {
    quasi_newton_direction(lbfgs);
    TRY(search(lbfgs, *loss, lr, &best));
  }
  bool steepest = best.step == 0;
  if (steepest) {
    steepest_direction(lbfgs);
    TRY(search(lbfgs, *loss, lr * fmin(1, 1 / norm1), &best));
  }
  commit(lbfgs, steepest, best, theta);
  return STATUS_OK;
}

static int lbfgs_state(void *self, StateArray *arrays) {
  Lbfgs *lbfgs = self;
  size_t pairs = (size_t)lbfgs->history;
  arrays[0] = (StateArray){"s", STATE_REAL, lbfgs->s, pairs * lbfgs->padded, false};
  arrays[1] = (StateArray){"y", STATE_REAL, lbfgs->y, pairs * lbfgs->padded, false};
  arrays[2] = (StateArray){"rho", STATE_DOUBLE, lbfgs->rho, pairs, false};
  arrays[3] = (StateArray){"gradient", STATE_REAL, lbfgs->gradient, lbfgs->n, false};
  arrays[4] = (StateArray){"scalars", STATE_DOUBLE, lbfgs->scalars, N_SCALARS, false};
  arrays[5] = (StateArray){"counters", STATE_INT64, lbfgs->counters, N_COUNTERS, false};
  return 6;
}

static bool lbfgs_converged(const void *self) {
  return ((const Lbfgs *)self)->counters[CONVERGED] != 0;
}

static size_t lbfgs_bytes(const void *self) {
  enum { VECTORS = 7 };
  const Lbfgs *lbfgs = self;
  size_t pairs = memory_footprint((size_t)lbfgs->history * lbfgs->padded * sizeof(real));
  return 2 * pairs + VECTORS * memory_footprint(lbfgs->padded * sizeof(real));
}

const OptimizerKind lbfgs_kind = {
    .description = "L-BFGS with a strong-Wolfe line search, for losses without random samples",
    .create = lbfgs_create,
    .destroy = lbfgs_destroy,
    .step = lbfgs_step,
    .state = lbfgs_state,
    .bytes = lbfgs_bytes,
    .converged = lbfgs_converged,
};
