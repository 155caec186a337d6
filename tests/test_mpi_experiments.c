/* Collective parts of experiments/: fields on grids, gathering, training that is stopped and goes
 * on. The same bits are asked of all ranks together and of each rank alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/encoding.h"
#include "core/jet.h"
#include "core/memory.h"
#include "experiments/evaluator.h"
#include "experiments/trainer.h"
#include "io/file.h"
#include "mpi/gather.h"
#include "tests/mpi_check.h"

/* ---- Gathering ---- */

static void test_gather_in_rank_order(void **state) {
  (void)state;
  int rank = comm_rank(world), size = comm_size(world);
  float mine[8], all[32];
  size_t n = (size_t)(rank * 2 % 5), total = 0; /* rank 0 brings none */
  for (size_t i = 0; i < n; i++) mine[i] = (float)(100 * rank + (int)i);
  comm_gather_float(world, mine, n, rank == 0 ? all : NULL);
  bool good = true;
  for (int r = 0; rank == 0 && r < size; r++) {
    for (int i = 0; i < r * 2 % 5; i++) good &= all[total++] == (float)(100 * r + i);
  }
  assert_all(good);
}

/* ---- Fields ---- */

static Network make_network(int in, int out) {
  NetworkSpec spec = {.in = in,
                      .out = out,
                      .width = 24,
                      .layers = 1,
                      .activation = activation_find("sine"),
                      .encoding = encoding_find("none"),
                      .centres = 1,
                      .rbf_sigma = 1,
                      .omega_first = 3,
                      .omega_hidden = 2,
                      .weight_init = "official",
                      .bias_init = "torch"};
  Network network;
  Status status = network_create(&spec, &network);
  assert_all(status == STATUS_OK);
  return network;
}

/* Where a test collects what the ranks bring. */
typedef struct {
  const Comm *comm;
  const Network *network;
  int64_t line, next;
  bool ordered;
  float *whole[FIELD_COUNT]; /* on rank 0 of comm */
} Collector;

static Status collect(void *context, int64_t first, int64_t count,
                      const float *const fields[FIELD_COUNT]) {
  Collector *c = context;
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    int64_t step = c->line * evaluator_components(c->network, kind);
    float *to = c->whole[kind] ? c->whole[kind] + c->next * step : NULL;
    comm_gather_float(c->comm, fields[kind], (size_t)(count * step), to);
  }
  if (comm_rank(c->comm) == 0) c->ordered &= first == c->next;
  double end = (double)(first + count);
  comm_max_double(c->comm, &end, 1);
  c->next = (int64_t)end;
  return STATUS_OK;
}

static Collector evaluate_grid(const Comm *comm, const Network *network, const real *theta,
                               const Grid *grid, int threads) {
  Collector c = {.comm = comm, .network = network, .line = grid_line(grid), .ordered = true};
  const bool wanted[FIELD_COUNT] = {true, true, true};
  for (FieldKind kind = 0; comm_rank(comm) == 0 && kind < FIELD_COUNT; kind++) {
    size_t n = (size_t)(grid_points(grid) * evaluator_components(network, kind));
    c.whole[kind] = calloc(n, sizeof(float));
  }
  Status status = evaluator_run(comm, network, theta, grid, wanted, threads, collect, &c);
  assert_all(status == STATUS_OK && c.next == grid->size[0] && c.ordered);
  return c;
}

static void destroy_collector(Collector *c) {
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) free(c->whole[kind]);
}

/* sin layers written out, in double: Phi at one point. */
static void plain_network(const Network *network, const real *theta, const double *x, double *y) {
  double h[64], u[64];
  for (int i = 0; i < network->spec.in; i++) h[i] = x[i];
  for (int l = 0; l < network->n_linear; l++) {
    const Linear *linear = &network->linear[l];
    for (int o = 0; o < linear->out; o++) {
      double sum = (double)theta[linear->bias + (size_t)o];
      for (int i = 0; i < linear->in; i++) {
        sum += (double)theta[linear->weight + (size_t)(o * linear->in + i)] * h[i];
      }
      u[o] = l == network->n_linear - 1 ? sum : sin(linear->omega * sum);
    }
    memcpy(h, u, sizeof h);
  }
  memcpy(y, h, (size_t)network->spec.out * sizeof *y);
}

/* Value, gradient and Laplacian at one point, derivatives by differences of the plain network. */
static double worst_error(const Collector *c, const Grid *grid, const real *theta, int64_t point) {
  int in = c->network->spec.in, out = c->network->spec.out;
  double x[NETWORK_MAX_IN], y[4], ahead[4], behind[4], laplacian[4] = {0}, worst = 0, h = 1e-4;
  int64_t rest = point;
  for (int i = in - 1; i >= 0; i--) {
    x[i] = grid_coordinate(grid, i, rest % grid->size[i]);
    rest /= grid->size[i];
  }
  plain_network(c->network, theta, x, y);
  for (int i = 0; i < in; i++) {
    double centre = x[i];
    x[i] = centre + h, plain_network(c->network, theta, x, ahead);
    x[i] = centre - h, plain_network(c->network, theta, x, behind);
    x[i] = centre;
    for (int k = 0; k < out; k++) {
      double slope = (ahead[k] - behind[k]) / (2 * h);
      double got = (double)c->whole[FIELD_GRADIENT][(point * in + i) * out + k];
      worst = fmax(worst, fabs(got - slope));
      laplacian[k] += (ahead[k] - 2 * y[k] + behind[k]) / (h * h);
    }
  }
  for (int k = 0; k < out; k++) {
    worst = fmax(worst, fabs((double)c->whole[FIELD_VALUE][point * out + k] - y[k]));
    worst = fmax(worst, fabs((double)c->whole[FIELD_LAPLACIAN][point * out + k] - laplacian[k]));
  }
  return worst;
}

static bool same_fields(const Collector *a, const Collector *b, int64_t points) {
  bool same = true;
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    size_t n = (size_t)(points * evaluator_components(a->network, kind));
    same &= !memcmp(a->whole[kind], b->whole[kind], n * sizeof(float));
  }
  return same;
}

static void check_grid(const Comm *alone, const Grid *grid, int out) {
  Network network = make_network(grid->axes, out);
  real *theta = NULL;
  Status status = memory_allocate(&theta, network.n_parameters, sizeof *theta, "a test");
  assert_all(status == STATUS_OK);
  network_init(&network, 7, theta);
  Collector together = evaluate_grid(world, &network, theta, grid, 2);
  Collector single = evaluate_grid(alone, &network, theta, grid, 1);
  double worst = 0;
  int64_t points = grid_points(grid), stride = points > 200 ? points / 97 : 1;
  for (int64_t p = 0; p < points; p += stride) {
    worst = fmax(worst, worst_error(&single, grid, theta, p));
  }
  assert_all(worst < 1e-3);
  assert_all(comm_rank(world) > 0 || same_fields(&together, &single, points));
  destroy_collector(&together);
  destroy_collector(&single);
  free(theta);
}

/* A line, planes with short and long rows, a cube, one point; sizes that no block divides. */
static void test_fields_on_grids(void **state) {
  (void)state;
  static const Grid grids[] = {
      {1, {9001}, {-1}, {1}},
      {2, {67, 259}, {-1, -1}, {1, 1}},
      {2, {5, 5003}, {-2, 0}, {2, 1}},
      {3, {19, 23, 29}, {-1, -1, -1}, {1, 1, 1}},
      {2, {1, 1}, {0.25, -0.5}, {1, 1}},
  };
  Comm *alone = NULL;
  Status status = comm_split(world, comm_rank(world), &alone);
  assert_all(status == STATUS_OK);
  for (size_t i = 0; i < sizeof grids / sizeof *grids; i++) {
    check_grid(alone, &grids[i], i % 2 ? 3 : 1);
  }
  comm_release(alone);
}

/* ---- Training ---- */

static void make_directory(char directory[32]) {
  strcpy(directory, "/tmp/siren-train-XXXXXX");
  Status status = STATUS_OK;
  if (comm_rank(world) == 0 && !mkdtemp(directory)) status = status_fail(STATUS_FAILED, "mkdtemp");
  assert_all(comm_agree(world, status) == STATUS_OK);
  comm_broadcast(world, directory, 32);
}

static void remove_directory(const char *directory) {
  static const char *const names[] = {"checkpoint.h5", "checkpoint.previous.h5", "log.jsonl"};
  comm_barrier(world);
  for (int i = 0; comm_rank(world) == 0 && i < 3; i++) {
    char *path = file_join(directory, names[i]);
    unlink(path);
    free(path);
  }
  if (comm_rank(world) == 0) rmdir(directory);
}

typedef struct {
  real *theta;
  size_t n;
  History history;
  Training training;
  int stops;
} Trained;

/* Runs until it is done, again after every stop. */
static Trained train(int n, const char *const *overrides) {
  const Experiment *experiment = suite_find("image");
  char directory[32];
  Trained result = {0};
  Config *config = NULL;
  Setup setup;
  make_directory(directory);
  Status status =
      config_parse("image", experiment->yaml, strlen(experiment->yaml), n, overrides, &config);
  assert_all(status == STATUS_OK);
  assert_all(suite_setup(world, config, 1, &setup) == STATUS_OK);
  result.n = setup.network.n_parameters;
  result.theta = calloc(result.n, sizeof *result.theta);
  for (;;) {
    memset(result.theta, 0, result.n * sizeof *result.theta);
    status = trainer_run(&setup, directory, result.theta, &result.history, &result.training);
    if (status != STATUS_STOPPED) break;
    history_destroy(&result.history);
    result.stops++;
  }
  assert_all(status == STATUS_OK);
  remove_directory(directory);
  suite_destroy(&setup);
  config_destroy(config);
  return result;
}

static void destroy_trained(Trained *trained) {
  history_destroy(&trained->history);
  free(trained->theta);
}

/* No time at all: every process does one step and stops. The bits do not notice. */
static void test_stopped_after_every_step(void **state) {
  (void)state;
  static const char *const overrides[] = {
      "scale=smoke",       "data.size=24",  "train.steps=6",        "train.log_every=2",
      "train.samples=300", "train.tile=64", "train.time_limit=1e-9"};
  Trained whole = train(6, overrides), parts = train(7, overrides);
  assert_all(whole.stops == 0 && parts.stops == 5);
  assert_all(!memcmp(whole.theta, parts.theta, whole.n * sizeof *whole.theta));
  assert_all(whole.training.final_loss == parts.training.final_loss);
  static const int64_t logged[] = {0, 2, 4, 5};
  assert_all(whole.history.rows == 4 && parts.history.rows == 4);
  assert_all(!memcmp(parts.history.step, logged, sizeof logged));
  assert_all(!memcmp(whole.history.values, parts.history.values,
                     (size_t)(4 * whole.history.n_columns) * sizeof(double)));
  destroy_trained(&whole);
  destroy_trained(&parts);
}

/* All pixels drawn at random are all pixels: the same loss as the full image, in another order. */
static void test_samples_cover_the_image(void **state) {
  (void)state;
  static const char *const few[] = {"scale=smoke", "data.size=8", "train.steps=1",
                                    "train.samples=63"};
  static const char *const all[] = {"scale=smoke", "data.size=8", "train.steps=1"};
  Trained part = train(4, few), full = train(3, all);
  double a = part.history.values[0], b = full.history.values[0];
  assert_all(a != b && fabs(a * 63 - b * 64) < 4); /* one pixel less: its share is at most 4 */
  destroy_trained(&part);
  destroy_trained(&full);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gather_in_rank_order),
      cmocka_unit_test(test_fields_on_grids),
      cmocka_unit_test(test_stopped_after_every_step),
      cmocka_unit_test(test_samples_cover_the_image),
  };
  mpi_check_main(argc, argv, tests);
}
