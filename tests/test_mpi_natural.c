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
                  double damping, double momentum, const real *previous) {
  Problem problem = fixture_problem(network);
  Natural *natural = NULL;
  real *direction = calloc(network->n_parameters, sizeof *direction);
  assert_all(natural_create(comm, &problem, threads, &natural) == STATUS_OK);
  for (int again = 0; again < 2; again++) { /* what a call leaves does not matter to the next */
    Status status = natural_direction(natural, STEP, theta, damping, momentum, previous, direction);
    assert_all(status == STATUS_OK);
  }
  natural_destroy(natural);
  return direction;
}

static void test_same_bits(void **state) {
  (void)state;
  Network network = make_network();
  size_t bytes = network.n_parameters * sizeof(real);
  real *theta = fixture_theta(&network, 1), *previous = fixture_random(network.n_parameters, 2);
  Comm *alone;
  assert_all(comm_split(world, comm_rank(world), &alone) == STATUS_OK);
  real *expected = find(alone, &network, theta, 1, 1e-3, 0.9, previous);
  real *threads = find(alone, &network, theta, 3, 1e-3, 0.9, previous);
  real *ranks = find(world, &network, theta, 1, 1e-3, 0.9, previous);
  setenv("SIREN_RANKS_PER_NODE", "1", 1);
  real *nodes = find(world, &network, theta, 2, 1e-3, 0.9, previous);
  unsetenv("SIREN_RANKS_PER_NODE");
  assert_all(!memcmp(expected, threads, bytes));
  assert_all(!memcmp(expected, ranks, bytes));
  assert_all(!memcmp(expected, nodes, bytes));
  comm_release(alone);
  free(theta);
  free(previous);
  free(expected);
  free(threads);
  free(ranks);
  free(nodes);
}

/* ---- What it solves ---- */

/* All factors of the step, as one list of tiles. */
typedef struct {
  int tiles, rows;
  FactorTile tile[8];
  void *memory[8];
  real *scratch;
} Factors;

static void make_factors(const Problem *problem, const real *theta, Factors *f) {
  LeastSquares *squares;
  FactorRoom rooms[2] = {least_squares_room(problem, 0), least_squares_room(problem, 1)};
  *f = (Factors){.tiles = (int)least_squares_tiles(problem)};
  assert_all(least_squares_create(problem, &squares) == STATUS_OK);
  f->scratch = malloc(factors_scratch(rooms, 2) * sizeof(real));
  for (int t = 0; t < f->tiles; t++) {
    FactorRoom room = rooms[least_squares_domain(problem, t)];
    f->memory[t] = aligned_alloc(REAL_ALIGN, factors_bytes(&room));
    least_squares_tile(squares, STEP, t, theta, f->memory[t]);
    f->tile[t] = factors_view(&room, f->memory[t]);
    f->rows += f->tile[t].rows;
  }
  least_squares_destroy(squares);
}

static void multiply(const Network *network, const Factors *f, const real *v, double *product) {
  for (int t = 0; t < f->tiles; product += f->tile[t++].rows) {
    factors_product(network, &f->tile[t], v, product, f->scratch);
  }
}

/* The direction p minimises |r - J p|^2 + damping D |p - momentum previous|^2: J^T (r - J p) =
 * damping D (p - momentum previous); tested in the space of the residuals. */
static void test_solves(void **state) {
  (void)state;
  const double damping = 0.01, momentum = 0.5;
  Network network = make_network();
  Problem problem = fixture_problem(&network);
  size_t n = network.n_parameters;
  real *theta = fixture_theta(&network, 3), *previous = fixture_random(n, 4);
  real *p = find(world, &network, theta, 1, damping, momentum, previous);
  Factors f;
  make_factors(&problem, theta, &f);
  size_t rows = (size_t)f.rows;
  double *left = calloc(rows, sizeof *left), *right = calloc(rows, sizeof *right), mean = 0;
  double *row = calloc(rows * rows, sizeof *row), worst = 0, scale = 0;
  for (int t = 0, first = 0; t < f.tiles; first += f.tile[t++].rows) {
    factors_kernel(&network, &f.tile[t], &f.tile[t], row, rows, f.scratch);
    for (int i = 0; i < f.tile[t].rows; i++) {
      mean += row[(size_t)i * rows + (size_t)i] / f.rows;
      left[first + i] = f.tile[t].residual[i];
    }
  }
  /* y = (r - J p) / (damping D) must give p - momentum previous = J^T y; here J of both sides. */
  multiply(&network, &f, p, right);
  for (size_t i = 0; i < rows; i++) left[i] = (left[i] - right[i]) / (damping * mean);
  real *sum = calloc(n, sizeof *sum);
  const double *y = left;
  for (int t = 0; t < f.tiles; y += f.tile[t++].rows) {
    for (int l = 0; l < network.n_linear; l++) {
      for (int first = 0; first < network.linear[l].out; first += FACTORS_SLICE) {
        int rest = network.linear[l].out - first;
        factors_transpose(&network, &f.tile[t], y, l, first,
                          rest < FACTORS_SLICE ? rest : FACTORS_SLICE, sum, f.scratch);
      }
    }
  }
  for (size_t i = 0; i < n; i++) {
    double expected = (double)p[i] - momentum * (double)previous[i];
    worst = fmax(worst, fabs((double)sum[i] - expected));
    scale = fmax(scale, fabs(expected));
  }
  assert_all(scale > 0 && worst < 0.01 * scale);
  for (int t = 0; t < f.tiles; t++) free(f.memory[t]);
  free(f.scratch);
  free(left);
  free(right);
  free(row);
  free(sum);
  free(theta);
  free(previous);
  free(p);
}

static void test_not_finite(void **state) {
  (void)state;
  Network network = make_network();
  Problem problem = fixture_problem(&network);
  real *theta = fixture_theta(&network, 1), *none = calloc(network.n_parameters, sizeof *none);
  Natural *natural = NULL;
  theta[network.linear[1].weight] = (real)NAN;
  assert_all(natural_create(world, &problem, 1, &natural) == STATUS_OK);
  assert_all(natural_direction(natural, STEP, theta, 1e-3, 0, none, none) == STATUS_FAILED);
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
  assert_all(linalg_cholesky(3, a, b));
  for (int i = 0; i < 3; i++) assert_all(fabs(b[i] - x[i]) < 1e-14);
  assert_all(a[1] == 99 && a[2] == 99 && a[5] == 99);
  double indefinite[4] = {1, 0, 2, 1};
  assert_all(!linalg_cholesky(2, indefinite, b));
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_bits),
      cmocka_unit_test(test_solves),
      cmocka_unit_test(test_not_finite),
      cmocka_unit_test(test_cholesky),
  };
  mpi_check_main(argc, argv, tests);
}
