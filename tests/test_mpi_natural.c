/* The natural gradient: what it solves, and the same bits on any number of ranks, nodes, threads.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/linalg.h"
#include "mpi/natural.h"
#include "tests/least_squares_fixture.h"
#include "tests/mpi_check.h"

enum { STEP = 2 };

static Network make_network(void) {
  NetworkSpec spec = fixture_spec(activation_find("sine"), encoding_find("none"), 2, 2, 70, 2);
  return fixture_network(spec);
}

/* Collective over comm. A direction, new (free). */
static real *find(const Comm *comm, const Network *network, const real *theta, int threads,
                  double damping, const real *before) {
  Problem problem = fixture_problem(network);
  Natural *natural = NULL;
  real *direction = calloc(network->n_parameters, sizeof *direction);
  assert_all(natural_create(comm, &problem, threads, &natural) == STATUS_OK);
  for (int again = 0; again < 2; again++) { /* what a call leaves does not matter to the next */
    Status status = natural_direction(natural, STEP, theta, damping, before, direction);
    assert_all(status == STATUS_OK);
  }
  natural_destroy(natural);
  return direction;
}

static void test_same_bits(void **state) {
  (void)state;
  Network network = make_network();
  size_t bytes = network.n_parameters * sizeof(real);
  real *theta = fixture_theta(&network, 1);
  Comm *alone;
  assert_all(comm_split(world, comm_rank(world), &alone) == STATUS_OK);
  real *before = fixture_theta(&network, 2);
  real *expected = find(alone, &network, theta, 1, 1e-3, before);
  real *threads = find(alone, &network, theta, 3, 1e-3, before);
  real *ranks = find(world, &network, theta, 1, 1e-3, before);
  setenv("SIREN_RANKS_PER_NODE", "1", 1);
  real *nodes = find(world, &network, theta, 2, 1e-3, before);
  unsetenv("SIREN_RANKS_PER_NODE");
  assert_all(!memcmp(expected, threads, bytes));
  assert_all(!memcmp(expected, ranks, bytes));
  assert_all(!memcmp(expected, nodes, bytes));
  comm_release(alone);
  free(theta);
  free(before);
  free(expected);
  free(threads);
  free(ranks);
  free(nodes);
}

/* ---- What it solves ---- */

/* The direction p is J^T y with (J J^T + damping D) y = r: with a large damping, J^T r / (damping
 * D) but for a small part, and with a small one J p = r. Here by differences of the residuals along
 * p, whose squares are the loss: d/dt sum (r - t J p)^2 = -2 r . J p at t = 0 is the gradient's. */
static double loss_at(const Problem *problem, const real *theta, real *gradient) {
  Objective objective;
  void *workspace;
  double terms[OBJECTIVE_MAX_TERMS], loss = 0;
  size_t n = problem->network->n_parameters;
  real *part = calloc(n, sizeof *part);
  assert_all(problem_objective(problem, &objective) == STATUS_OK);
  assert_all(objective.workspace_create(&objective, &workspace) == STATUS_OK);
  for (int64_t t = 0; t < objective.tiles(&objective, STEP); t++) {
    objective.tile(&objective, STEP, t, theta, part, terms, NULL, workspace);
    loss += objective_total(&objective, terms);
    for (size_t i = 0; gradient && i < n; i++) gradient[i] += part[i];
  }
  objective.workspace_destroy(workspace);
  free(part);
  return loss;
}

/* With much damping the direction is the gradient's; with little a step of 1 solves the equations
 * as far as they are linear: near the end steps shrink the loss by far more than a gradient's
 * could. */
static void test_solves(void **state) {
  (void)state;
  Network network = make_network();
  Problem problem = fixture_problem(&network);
  size_t n = network.n_parameters;
  real *theta = fixture_theta(&network, 3), *gradient = calloc(n, sizeof *gradient);
  double first = loss_at(&problem, theta, gradient), dot = 0, p2 = 0, g2 = 0, last = first;
  real *p = find(world, &network, theta, 1, 1e6, NULL);
  for (size_t i = 0; i < n; i++) {
    dot += (double)p[i] * (double)gradient[i];
    p2 += (double)p[i] * (double)p[i];
    g2 += (double)gradient[i] * (double)gradient[i];
  }
  assert_all(dot > 0.99999 * sqrt(p2 * g2));
  free(p);
  for (int step = 0; step < 30; step++) {
    p = find(world, &network, theta, 1, 1e-4, NULL);
    real *trial = calloc(n, sizeof *trial);
    double begin = last;
    for (double t = 1; last >= begin && t > 1e-3; t /= 2) {
      for (size_t i = 0; i < n; i++) trial[i] = theta[i] - (real)t * p[i];
      last = loss_at(&problem, trial, NULL);
    }
    memcpy(theta, trial, n * sizeof *theta);
    free(trial);
    free(p);
  }
  assert_all(last < 1e-2 * first);
  free(theta);
  free(gradient);
}

/* b . (b + p - direction) / b . b, where p is the direction from 0 and this one begins with b: the
 * share of b that the equations decide, J^T (J J^T + damping D)^-1 J b. */
static double decided(const Network *network, const real *b, const real *p, const real *direction) {
  double sum = 0, size = 0;
  for (size_t i = 0; i < network->n_parameters; i++) {
    double change = (double)b[i] + (double)p[i] - (double)direction[i];
    sum += (double)b[i] * change;
    size += (double)b[i] * (double)b[i];
  }
  return sum / size;
}

/* The equations decide more of what solves them than of anything else, and with much damping
 * nothing. */
static void test_before(void **state) {
  (void)state;
  Network network = make_network();
  size_t bytes = network.n_parameters * sizeof(real);
  real *theta = fixture_theta(&network, 1), *other = fixture_theta(&network, 2);
  real *none = calloc(network.n_parameters, sizeof *none);
  real *p = find(world, &network, theta, 1, 1e-4, NULL);
  real *from_zero = find(world, &network, theta, 1, 1e-4, none);
  real *from_p = find(world, &network, theta, 1, 1e-4, p);
  real *from_other = find(world, &network, theta, 1, 1e-4, other);
  real *damped = find(world, &network, theta, 1, 1e8, other);
  assert_all(!memcmp(from_zero, p, bytes));
  double share = decided(&network, p, p, from_p), part = decided(&network, other, p, from_other);
  assert_all(part > 0 && part < share && share < 1);
  assert_all(share > 0.3 && part < 0.1);
  assert_all(fabs(decided(&network, other, none, damped)) < 1e-4);
  real *all[] = {theta, other, none, p, from_zero, from_p, from_other, damped};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void test_not_finite(void **state) {
  (void)state;
  Network network = make_network();
  Problem problem = fixture_problem(&network);
  real *theta = fixture_theta(&network, 1), *none = calloc(network.n_parameters, sizeof *none);
  Natural *natural = NULL;
  theta[network.linear[1].weight] = (real)NAN;
  assert_all(natural_create(world, &problem, 1, &natural) == STATUS_OK);
  assert_all(natural_direction(natural, STEP, theta, 1e-3, NULL, none) == STATUS_FAILED);
  assert_all(strstr(status_message(), "step 2: a residual or its derivative is not finite"));
  natural_destroy(natural);
  free(theta);
  free(none);
}

static void test_cholesky(void **state) {
  (void)state;
  double a[9] = {4, 99, 99, 2, 5, 99, -2, 1, 6}, b[3];
  double full[3][3] = {{4, 2, -2}, {2, 5, 1}, {-2, 1, 6}}, x[3] = {1.5, -2, 3};
  for (int i = 0; i < 3; i++) {
    b[i] = 0;
    for (int j = 0; j < 3; j++) b[i] += full[i][j] * x[j];
  }
  assert_all(linalg_cholesky(3, a, b, 1));
  for (int i = 0; i < 3; i++) assert_all(fabs(b[i] - x[i]) < 1e-14);
  assert_all(a[1] == 99 && a[2] == 99 && a[5] == 99);
  double indefinite[4] = {1, 0, 2, 1};
  assert_all(!linalg_cholesky(2, indefinite, b, 2));
}

/* Several blocks, the last one smaller. */
static void test_cholesky_blocks(void **state) {
  (void)state;
  enum { N = 600 };
  double *a[2], *b[2], worst = 0;
  for (int k = 0; k < 2; k++) {
    a[k] = calloc((size_t)N * N, sizeof(double));
    b[k] = calloc(N, sizeof(double));
    for (int i = 0; i < N; i++) {
      for (int j = 0; j < N; j++) {
        double entry = exp(-abs(i - j) / 40.);
        if (j <= i) a[k][i * N + j] = entry;
        b[k][i] += entry * cos(j);
      }
    }
    assert_all(linalg_cholesky(N, a[k], b[k], 1 + 2 * k));
  }
  for (int i = 0; i < N; i++) worst = fmax(worst, fabs(b[0][i] - cos(i)));
  assert_all(worst < 1e-11);
  assert_all(memcmp(b[0], b[1], N * sizeof(double)) == 0);
  for (int k = 0; k < 2; k++) {
    a[k][500 * N + 500] = -1e3;
    assert_all(!linalg_cholesky(N, a[k], b[k], 1 + 2 * k));
    free(a[k]);
    free(b[k]);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_bits), cmocka_unit_test(test_solves),
      cmocka_unit_test(test_before),    cmocka_unit_test(test_not_finite),
      cmocka_unit_test(test_cholesky),  cmocka_unit_test(test_cholesky_blocks),
  };
  mpi_check_main(argc, argv, tests);
}
