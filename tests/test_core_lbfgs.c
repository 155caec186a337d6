/* L-BFGS and its line search: conditions, known minima, and the library of N. Okazaki beside it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#ifdef SIREN_HAVE_LIBLBFGS
#include <lbfgs.h>
#endif

#include "core/line_search.h"
#include "core/memory.h"
#include "core/optimizer.h"
#include "core/random.h"

/* A function of n doubles that stores its gradient and returns its value. */
typedef struct {
  int n, evaluations;
  double (*function)(int n, const double *x, double *gradient);
  double x0[128], start; /* start: value at x0 */
} Problem;

/* Chained pairs, minimum 0 at (1, ..., 1). */
static double rosenbrock(int n, const double *x, double *gradient) {
  double sum = 0;
  memset(gradient, 0, (size_t)n * sizeof *gradient);
  for (int i = 0; i < n; i += 2) {
    double a = 1 - x[i], b = x[i + 1] - x[i] * x[i];
    sum += a * a + 100 * b * b;
    gradient[i] = -2 * a - 400 * b * x[i];
    gradient[i + 1] = 200 * b;
  }
  return sum;
}

/* (x - 1)' (D + v v' + w w') (x - 1) / 2 with D from 1 to 100 and random v, w; minimum 0. */
static double convex(int n, const double *x, double *gradient) {
  double along[2] = {0}, sum = 0;
  RandomStream stream = {4, RANDOM_CHECK, 0};
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < 2; k++) along[k] += random_normal(stream, (uint64_t)i, k) * (x[i] - 1);
  }
  for (int i = 0; i < n; i++) {
    gradient[i] = (1 + 99.0 * i / n) * (x[i] - 1);
    for (int k = 0; k < 2; k++) gradient[i] += random_normal(stream, (uint64_t)i, k) * along[k];
    sum += 0.5 * gradient[i] * (x[i] - 1);
  }
  return sum;
}

static double bowl_without_bottom(int n, const double *x, double *gradient) {
  double sum = 0;
  for (int i = 0; i < n; i++) {
    gradient[i] = x[i] >= 0 ? NAN : -1 / x[i];
    sum += x[i] >= 0 ? NAN : -log(-x[i]);
  }
  return sum;
}

static double zero_gradient(int n, const double *x, double *gradient) {
  (void)x;
  memset(gradient, 0, (size_t)n * sizeof *gradient);
  return 3;
}

/* The gradient points uphill: no step along it lowers the value. */
static double wrong_gradient(int n, const double *x, double *gradient) {
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += x[i] * x[i];
    gradient[i] = -2 * x[i];
  }
  return sum;
}

static Status evaluate(void *context, const real *theta, double *loss, real *gradient) {
  Problem *problem = context;
  double x[128], g[128];
  for (int i = 0; i < problem->n; i++) x[i] = (double)theta[i];
  problem->evaluations++;
  *loss = problem->function(problem->n, x, g);
  for (int i = 0; i < problem->n; i++) gradient[i] = (real)g[i];
  return STATUS_OK;
}

static Problem make_problem(int n, double (*function)(int, const double *, double *)) {
  Problem problem = {.n = n, .function = function};
  double gradient[128];
  for (int i = 0; i < n; i++) problem.x0[i] = i % 2 ? 1 : -1.2;
  problem.start = function(n, problem.x0, gradient);
  return problem;
}

typedef struct {
  int iterations;
  double loss, error; /* error: largest |x_i - 1| */
  bool converged;
} Outcome;

/* At most `steps` steps or until the loss is `share` of the first. */
static Outcome minimise(Problem *problem, double lr, bool fixed, int history, int steps,
                        double share) {
  OptimizerSettings settings = OPTIMIZER_DEFAULTS;
  settings.history = history;
  settings.fixed_objective = fixed;
  Optimizer *optimizer;
  real *theta;
  assert_int_equal(optimizer_create("lbfgs", &settings, (size_t)problem->n, &optimizer), 0);
  assert_int_equal(memory_allocate(&theta, (size_t)problem->n, sizeof *theta, "a test"), 0);
  for (int i = 0; i < problem->n; i++) theta[i] = (real)problem->x0[i];
  Outcome outcome = {.loss = INFINITY};
  while (outcome.iterations < steps && !outcome.converged) {
    double loss;
    assert_int_equal(optimizer_step(optimizer, lr, theta, evaluate, problem, &loss), 0);
    assert_true(loss <= outcome.loss);
    outcome.loss = loss;
    if (loss <= share * problem->start) break;
    outcome.iterations++;
    outcome.converged = optimizer_converged(optimizer);
  }
  for (int i = 0; i < problem->n; i++) {
    outcome.error = fmax(outcome.error, fabs((double)theta[i] - 1));
  }
  optimizer_destroy(optimizer);
  free(theta);
  return outcome;
}

static const double small_share = REAL_IS_DOUBLE ? 1e-20 : 1e-9;
static const double small_error = REAL_IS_DOUBLE ? 1e-8 : 3e-3;

static const struct {
  int n;
  double (*function)(int, const double *, double *);
} cases[] = {{2, rosenbrock}, {100, rosenbrock}, {100, convex}};

static void test_known_minima(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    for (int fixed = 0; fixed < 2; fixed++) {
      Problem problem = make_problem(cases[i].n, cases[i].function);
      Outcome outcome = minimise(&problem, 1, fixed, 10, 300, small_share);
      assert_true(outcome.loss <= small_share * problem.start);
      assert_true(outcome.error < small_error);
    }
  }
}

#ifdef SIREN_HAVE_LIBLBFGS
static lbfgsfloatval_t peer_evaluate(void *instance, const lbfgsfloatval_t *x, lbfgsfloatval_t *g,
                                     const int n, const lbfgsfloatval_t step) {
  (void)step;
  return ((Problem *)instance)->function(n, x, g);
}

static int peer_progress(void *instance, const lbfgsfloatval_t *x, const lbfgsfloatval_t *g,
                         const lbfgsfloatval_t fx, const lbfgsfloatval_t xnorm,
                         const lbfgsfloatval_t gnorm, const lbfgsfloatval_t step, int n, int k,
                         int ls) {
  (void)x, (void)g, (void)xnorm, (void)gnorm, (void)step, (void)n, (void)ls;
  Problem *problem = instance;
  problem->evaluations = k;
  return fx <= small_share * problem->start;
}

static void test_as_good_as_liblbfgs(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++) {
    Problem ours = make_problem(cases[i].n, cases[i].function), theirs = ours;
    Outcome outcome = minimise(&ours, 1, true, 6, 300, small_share);
    lbfgs_parameter_t parameters;
    lbfgs_parameter_init(&parameters);
    parameters.epsilon = 0;
    double value, *x = lbfgs_malloc(theirs.n);
    memcpy(x, theirs.x0, (size_t)theirs.n * sizeof *x);
    lbfgs(theirs.n, x, &value, peer_evaluate, peer_progress, &theirs, &parameters);
    lbfgs_free(x);
    assert_true(value <= small_share * theirs.start);
    assert_true(outcome.loss <= small_share * ours.start);
    assert_true(outcome.iterations <= 1.5 * theirs.evaluations + 5);
  }
}
#endif

/* An accepted trial serves as the next start: a step less of evaluations, and the same path. */
static void test_fixed_objective_saves_evaluations(void **state) {
  (void)state;
  Problem fresh = make_problem(20, rosenbrock), fixed = fresh;
  Outcome a = minimise(&fresh, 1, false, 10, 15, 0), b = minimise(&fixed, 1, true, 10, 15, 0);
  assert_true(a.loss == b.loss && a.error == b.error);
  assert_int_equal(fresh.evaluations - fixed.evaluations, 14);
}

static void test_says_when_it_is_done(void **state) {
  (void)state;
  Problem flat = make_problem(5, zero_gradient), uphill = make_problem(5, wrong_gradient);
  Outcome outcome = minimise(&flat, 1, true, 10, 10, 0);
  assert_true(outcome.converged);
  assert_int_equal(outcome.iterations, 1);
  assert_int_equal(flat.evaluations, 1);
  outcome = minimise(&uphill, 1, true, 10, 10, 0);
  assert_true(outcome.converged);
  assert_int_equal(outcome.iterations, 1);
  assert_true(fabs(outcome.loss / uphill.start - 1) < 1e-6);
  Problem convergent = make_problem(100, convex);
  outcome = minimise(&convergent, 1, true, 10, 2000, 0);
  assert_true(outcome.converged);
  assert_true(outcome.error < small_error);
}

static void test_converged_step_changes_and_evaluates_nothing(void **state) {
  (void)state;
  for (int fixed = 0; fixed < 2; fixed++) {
    Problem problem = make_problem(4, wrong_gradient);
    OptimizerSettings settings = OPTIMIZER_DEFAULTS;
    settings.fixed_objective = fixed;
    Optimizer *optimizer;
    assert_int_equal(optimizer_create("lbfgs", &settings, 4, &optimizer), 0);
    real theta[4] = {1, 2, 3, 4};
    double loss = 0;
    assert_int_equal(optimizer_step(optimizer, 1, theta, evaluate, &problem, &loss), 0);
    assert_true(optimizer_converged(optimizer));
    int evaluations = problem.evaluations;
    loss = 0;
    assert_int_equal(optimizer_step(optimizer, 1, theta, evaluate, &problem, &loss), 0);
    assert_true(loss == 30 && theta[0] == 1 && theta[3] == 4);
    assert_true((problem.evaluations == evaluations) == fixed);
    problem.function = rosenbrock; /* another objective: the way down is found again */
    assert_int_equal(optimizer_step(optimizer, 1, theta, evaluate, &problem, &loss), 0);
    assert_true(optimizer_converged(optimizer) == fixed);
    optimizer_destroy(optimizer);
  }
}

/* Cosine of the angle between the last move and -H g. */
static double alignment(int n, double (*inverse)[8], const double *gradient, const double *move) {
  double dot = 0, dd = 0, mm = 0;
  for (int i = 0; i < n; i++) {
    double d = 0;
    for (int j = 0; j < n; j++) d -= inverse[i][j] * gradient[j];
    dot += d * move[i];
    dd += d * d;
    mm += move[i] * move[i];
  }
  return dot / sqrt(dd * mm);
}

/* Dense BFGS: H <- (I - rho s y') H (I - rho y s') + rho s s' (Nocedal & Wright, 6.17). */
static void dense_update(int n, double (*inverse)[8], const double *s, const double *y) {
  double hy[8] = {0}, ys = 0, yhy = 0;
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) hy[i] += inverse[i][j] * y[j];
    ys += y[i] * s[i];
    yhy += y[i] * hy[i];
  }
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      inverse[i][j] += (1 + yhy / ys) * s[i] * s[j] / ys - (s[i] * hy[j] + hy[i] * s[j]) / ys;
    }
  }
}

/* H of the last `pairs` pairs (7.20) from the path alone, oldest first. */
static void dense_inverse(int n, int pairs, double (*s)[8], double (*y)[8], double (*inverse)[8]) {
  double ys = 1, yy = 1;
  if (pairs) ys = yy = 0;
  for (int i = 0; i < n && pairs; i++) {
    ys += y[pairs - 1][i] * s[pairs - 1][i];
    yy += y[pairs - 1][i] * y[pairs - 1][i];
  }
  memset(inverse, 0, 8 * sizeof *inverse);
  for (int i = 0; i < n; i++) inverse[i][i] = ys / yy;
  for (int k = 0; k < pairs; k++) dense_update(n, inverse, s[k], y[k]);
}

enum { PATH = 8, PATH_HISTORY = 3 };

/* Every move is along -H g with the dense H of the last pairs. After a step that found no way down
 * the history is empty and the next move is along -g. */
static void test_moves_along_quasi_newton_directions(void **state) {
  (void)state;
  OptimizerSettings settings = OPTIMIZER_DEFAULTS;
  settings.history = PATH_HISTORY;
  Optimizer *optimizer;
  Problem problem = make_problem(8, convex);
  assert_int_equal(optimizer_create("lbfgs", &settings, 8, &optimizer), 0);
  real theta[8];
  double s[PATH][8], y[PATH][8], x[2][8], g[2][8], inverse[8][8], loss;
  for (int i = 0; i < 8; i++) theta[i] = (real)problem.x0[i];
  for (int step = 0, pairs = 0; step < PATH; step++) {
    if (step == PATH - 1) { /* a fresh start */
      problem.function = wrong_gradient;
      assert_int_equal(optimizer_step(optimizer, 1, theta, evaluate, &problem, &loss), 0);
      assert_true(optimizer_converged(optimizer));
      problem.function = convex;
      pairs = 0;
    }
    for (int after = 0; after < 2; after++) {
      for (int i = 0; i < 8; i++) x[after][i] = (double)theta[i];
      convex(8, x[after], g[after]);
      if (after) break;
      assert_int_equal(optimizer_step(optimizer, 1, theta, evaluate, &problem, &loss), 0);
    }
    for (int i = 0; i < 8; i++) {
      s[step][i] = x[1][i] - x[0][i];
      y[step][i] = g[1][i] - g[0][i];
    }
    dense_inverse(8, pairs, s + step - pairs, y + step - pairs, inverse);
    assert_true(alignment(8, inverse, g[0], s[step]) > 1 - (REAL_IS_DOUBLE ? 1e-9 : 1e-4));
    if (pairs < PATH_HISTORY) pairs++;
  }
  optimizer_destroy(optimizer);
}

/* A trial beyond the domain is no reason to stop, a start there is one. */
static void test_infinite_values(void **state) {
  (void)state;
  OptimizerSettings settings = OPTIMIZER_DEFAULTS;
  Optimizer *optimizer;
  assert_int_equal(optimizer_create("lbfgs", &settings, 1, &optimizer), 0);
  Problem problem = {.n = 1, .function = bowl_without_bottom};
  real theta = -1;
  double loss;
  assert_int_equal(optimizer_step(optimizer, 100, &theta, evaluate, &problem, &loss), 0);
  assert_true(isfinite((double)theta) && theta < -1);
  theta = 1;
  assert_int_equal(optimizer_step(optimizer, 1, &theta, evaluate, &problem, &loss), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "not finite"));
  assert_true(theta == 1);
  optimizer_destroy(optimizer);
}

/* One-dimensional functions for the line search; `pole` is where they cease to be finite. */
typedef struct {
  double (*value)(double), (*slope)(double), pole;
  int probes;
  LinePoint last, kept;
} Line;

static double far_value(double t) {
  return -t / (t * t + 2);
}
static double far_slope(double t) {
  return (t * t - 2) / pow(t * t + 2, 2);
}
static double sharp_value(double t) {
  return pow(t + 0.004, 5) - 2 * pow(t + 0.004, 4);
}
static double sharp_slope(double t) {
  return 5 * pow(t + 0.004, 4) - 8 * pow(t + 0.004, 3);
}
static double wavy_value(double t) {
  return 0.3 * (1 - cos(9 * t)) + (t - 1) * (t - 1);
}
static double wavy_slope(double t) {
  return 2.7 * sin(9 * t) + 2 * (t - 1);
}

static Status line_probe(void *context, LinePoint *point) {
  Line *line = context;
  bool finite = point->step < line->pole;
  point->loss = finite ? line->value(point->step) : NAN;
  point->slope = finite ? line->slope(point->step) : NAN;
  line->last = *point;
  line->probes++;
  return STATUS_OK;
}

static void line_keep(void *context) {
  Line *line = context;
  line->kept = line->last;
}

/* More & Thuente's functions 1 and 2 and one with many valleys, from far too short to far too long
 * first trials: both Wolfe conditions hold and the kept point is the one returned. */
static void test_line_search_satisfies_wolfe(void **state) {
  (void)state;
  const Line lines[] = {{.value = far_value, .slope = far_slope, .pole = INFINITY},
                        {.value = sharp_value, .slope = sharp_slope, .pole = INFINITY},
                        {.value = wavy_value, .slope = wavy_slope, .pole = INFINITY},
                        {.value = wavy_value, .slope = wavy_slope, .pole = 2}};
  for (int i = 0; i < 4; i++) {
    for (double first = 1e-3; first < 2e3; first *= 10) {
      Line line = lines[i];
      LineSearch search = {line_probe, line_keep, &line, 25, 1e-12};
      LinePoint start = {0, line.value(0), line.slope(0)}, best;
      assert_int_equal(line_search(&search, start, first, &best), STATUS_OK);
      assert_true(best.loss <= start.loss + 1e-4 * best.step * start.slope);
      assert_true(fabs(best.slope) <= 0.9 * fabs(start.slope));
      assert_true(best.step > 0 && best.step < line.pole);
      assert_memory_equal(&best, &line.kept, sizeof best);
      assert_true(best.loss == line.value(best.step) && best.slope == line.slope(best.step));
      assert_true(line.probes <= 25);
    }
  }
}

static void test_line_search_keeps_to_its_budget(void **state) {
  (void)state;
  for (int budget = 1; budget < 4; budget++) {
    Line line = {.value = far_value, .slope = far_slope, .pole = 1e-9};
    LineSearch search = {line_probe, line_keep, &line, budget, 0};
    LinePoint start = {0, line.value(0), line.slope(0)}, best;
    assert_int_equal(line_search(&search, start, 1, &best), STATUS_OK);
    assert_int_equal(line.probes, budget);
    assert_true(best.step == 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_minima),
#ifdef SIREN_HAVE_LIBLBFGS
      cmocka_unit_test(test_as_good_as_liblbfgs),
#endif
      cmocka_unit_test(test_fixed_objective_saves_evaluations),
      cmocka_unit_test(test_says_when_it_is_done),
      cmocka_unit_test(test_converged_step_changes_and_evaluates_nothing),
      cmocka_unit_test(test_moves_along_quasi_newton_directions),
      cmocka_unit_test(test_infinite_values),
      cmocka_unit_test(test_line_search_satisfies_wolfe),
      cmocka_unit_test(test_line_search_keeps_to_its_budget),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
