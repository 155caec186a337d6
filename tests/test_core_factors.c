/* Least squares in factors: the residuals' squares are the loss, J^T r is half its gradient, and
 * the kernel is J J^T, with J v the residuals' slope along v. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "tests/least_squares_fixture.h"

static const double rounding = REAL_IS_DOUBLE ? 1e-12 : 1e-5;
enum { STEP = 5, MAX_TILES = 8, MAX_ROWS = 1024 };

/* All tiles of a step. */
typedef struct {
  const Network *network;
  Problem problem;
  int tiles, rows;
  FactorTile tile[MAX_TILES];
  void *memory[MAX_TILES];
  real *scratch;
} Case;

static void create(const Network *network, const real *theta, Case *c) {
  *c = (Case){.network = network, .problem = fixture_problem(network)};
  FactorRoom rooms[2] = {least_squares_room(&c->problem, 0), least_squares_room(&c->problem, 1)};
  LeastSquares *squares;
  assert_int_equal(least_squares_check(&c->problem), STATUS_OK);
  assert_int_equal(least_squares_create(&c->problem, &squares), STATUS_OK);
  assert_int_equal(memory_allocate(&c->scratch, factors_scratch(rooms, 2), sizeof(real), "x"), 0);
  c->tiles = (int)least_squares_tiles(&c->problem);
  assert_true(c->tiles <= MAX_TILES);
  for (int t = 0; t < c->tiles; t++) {
    FactorRoom room = rooms[least_squares_domain(&c->problem, t)];
    assert_int_equal(memory_allocate(&c->memory[t], factors_bytes(&room), 1, "x"), STATUS_OK);
    least_squares_tile(squares, STEP, t, theta, c->memory[t]);
    c->tile[t] = factors_view(&room, c->memory[t]);
    assert_true(c->tile[t].rows <= room.rows && c->tile[t].points <= room.points);
    c->rows += c->tile[t].rows;
  }
  assert_true(c->rows <= MAX_ROWS);
  least_squares_destroy(squares);
}

static void destroy(Case *c) {
  for (int t = 0; t < c->tiles; t++) free(c->memory[t]);
  free(c->scratch);
}

static void residuals(const Case *c, double *r) {
  for (int t = 0; t < c->tiles; r += c->tile[t++].rows) {
    memcpy(r, c->tile[t].residual, (size_t)c->tile[t].rows * sizeof *r);
  }
}

static void transpose(const Case *c, const double *y, real *sum) {
  memset(sum, 0, c->network->n_parameters * sizeof *sum);
  for (int t = 0; t < c->tiles; y += c->tile[t++].rows) {
    for (int l = 0; l < c->network->n_linear; l++) {
      int out = c->network->linear[l].out; /* in two uneven slices */
      int half = (out + 2) / 3;
      factors_transpose(c->network, &c->tile[t], y, l, 0, half, sum, c->scratch);
      if (out > half) {
        factors_transpose(c->network, &c->tile[t], y, l, half, out - half, sum, c->scratch);
      }
    }
  }
}

static void kernel(const Case *c, double *k) {
  double *row = k;
  for (int a = 0; a < c->tiles; row += (size_t)c->tile[a++].rows * (size_t)c->rows) {
    double *block = row;
    for (int b = 0; b < c->tiles; block += c->tile[b++].rows) {
      factors_kernel(c->network, &c->tile[a], &c->tile[b], block, (size_t)c->rows, c->scratch);
    }
  }
}

static void assert_near(const double *a, const double *b, int n, double tolerance) {
  double scale = 0;
  for (int i = 0; i < n; i++) scale = fmax(scale, fabs(b[i]));
  assert_true(scale > 0);
  for (int i = 0; i < n; i++) {
    if (!(fabs(a[i] - b[i]) <= tolerance * scale)) fail_msg("%d: %g, not %g", i, a[i], b[i]);
  }
}

/* ---- The tests, over activations ---- */

static void check_gradient(const Case *c, const real *theta) {
  size_t n = c->network->n_parameters;
  Objective objective;
  void *workspace;
  assert_int_equal(problem_objective(&c->problem, &objective), STATUS_OK);
  assert_int_equal(objective.workspace_create(&objective, &workspace), STATUS_OK);
  real *sum = calloc(n, sizeof *sum), *part = calloc(n, sizeof *part);
  double *expected = calloc(n, sizeof *expected), *found = calloc(n, sizeof *found);
  double r[MAX_ROWS], loss = 0, squares = 0, terms[OBJECTIVE_MAX_TERMS];
  for (int64_t t = 0; t < objective.tiles(&objective, STEP); t++) {
    objective.tile(&objective, STEP, t, theta, part, terms, NULL, workspace);
    loss += objective_total(&objective, terms);
    for (size_t i = 0; i < n; i++) expected[i] += (double)part[i] / 2;
  }
  residuals(c, r);
  for (int i = 0; i < c->rows; i++) squares += r[i] * r[i];
  assert_near(&squares, &loss, 1, rounding);
  transpose(c, r, sum);
  for (size_t i = 0; i < n; i++) found[i] = (double)sum[i];
  assert_near(found, expected, (int)n, 10 * rounding);
  objective.workspace_destroy(workspace);
  free(sum);
  free(part);
  free(expected);
  free(found);
}

/* J v by central differences along v, which is scaled to a length of 1. */
static void slope(const Case *c, const real *theta, const real *v, double *product) {
  const double h = REAL_IS_DOUBLE ? 1e-5 : 4e-3;
  size_t n = c->network->n_parameters;
  real *moved = malloc(n * sizeof *moved);
  double ends[2][MAX_ROWS], length = 0;
  for (size_t i = 0; i < n; i++) length += (double)v[i] * (double)v[i];
  for (int side = 0; side < 2; side++) {
    double step = (side ? h : -h) / sqrt(length);
    for (size_t i = 0; i < n; i++) moved[i] = (real)((double)theta[i] + step * (double)v[i]);
    Case at;
    create(c->network, moved, &at);
    residuals(&at, ends[side]);
    destroy(&at);
  }
  for (int i = 0; i < c->rows; i++) {
    product[i] = (ends[1][i] - ends[0][i]) / (2 * h) * sqrt(length);
  }
  free(moved);
}

static void product(const Case *c, const real *v, double *result) {
  for (int t = 0; t < c->tiles; result += c->tile[t++].rows) {
    factors_product(c->network, &c->tile[t], v, result, c->scratch);
  }
}

/* K y = J (J^T y), J v is the residuals' slope, and K is symmetric. */
static void check_kernel(const Case *c, const real *theta) {
  size_t n = c->network->n_parameters, rows = (size_t)c->rows;
  double *k = calloc(rows * rows, sizeof *k), y[MAX_ROWS], left[MAX_ROWS], right[MAX_ROWS];
  real *random = fixture_random(rows, 7), *v = calloc(n, sizeof *v);
  for (size_t i = 0; i < rows; i++) y[i] = (double)random[i];
  kernel(c, k);
  for (size_t i = 0; i < rows; i++) {
    left[i] = 0;
    for (size_t j = 0; j < rows; j++) {
      left[i] += k[i * rows + j] * y[j];
      assert_true(fabs(k[i * rows + j] - k[j * rows + i]) <=
                  100 * rounding * sqrt(k[i * rows + i] * k[j * rows + j]));
    }
  }
  transpose(c, y, v);
  slope(c, theta, v, right);
  assert_near(left, right, c->rows, REAL_IS_DOUBLE ? 1e-7 : 1e-2);
  product(c, v, right);
  assert_near(left, right, c->rows, 100 * rounding);
  free(k);
  free(random);
  free(v);
}

static void test_activations(void **state) {
  (void)state;
  static const char *const names[] = {"sine", "tanh", "softplus"};
  for (int i = 0; i < 3; i++) {
    NetworkSpec spec = fixture_spec(activation_find(names[i]), encoding_find("none"), 2, 2, 20, 2);
    Network network = fixture_network(spec);
    real *theta = fixture_theta(&network, (uint64_t)(40 + i));
    Case c;
    create(&network, theta, &c);
    int half = c.rows - FIXTURE_A - FIXTURE_B; /* those with positive data */
    assert_true(half > FIXTURE_A / 4 && half < FIXTURE_A * 3 / 4);
    check_gradient(&c, theta);
    check_kernel(&c, theta);
    destroy(&c);
    free(theta);
  }
}

static void test_refused(void **state) {
  (void)state;
  NetworkSpec spec = fixture_spec(activation_find("relu"), encoding_find("rbf"), 2, 2, 8, 1);
  Network network = fixture_network(spec);
  Problem problem = fixture_problem(&network);
  assert_int_equal(least_squares_check(&problem), STATUS_USAGE);
  assert_non_null(strstr(status_message(), "encoding"));
  spec.encoding = encoding_find("positional");
  network = fixture_network(spec);
  assert_int_equal(least_squares_check(&problem), STATUS_OK);
  problem.domains[1].n_residuals = 0;
  assert_int_equal(least_squares_check(&problem), STATUS_USAGE);
  assert_non_null(strstr(status_message(), "`b` is not a sum of squares"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_activations),
                                     cmocka_unit_test(test_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
