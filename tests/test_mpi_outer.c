/* Objectives with outer tensors over ranks and threads: a toy one, whose factors are functions of
 * theta and whose gradient every rank can write down by itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mpi/evaluate.h"
#include "tests/mpi_check.h"

enum { DENSE = 1003, ITEMS = 11, A_ROWS = 300, A_COLS = 70, B_ROWS = 9, B_COLS = 5, STEPS = 4 };
enum { A = A_ROWS * A_COLS, B = B_ROWS * B_COLS, N = DENSE + A + B, U = A_ROWS + B_ROWS + 3 };
enum { V = A_COLS + B_COLS, NOWHERE = -1 };

static const Tensor tensors[] = {{"first", 0, 100, 10}, {"second", 1000, 3, 1}};
static const OuterTensor outer_tensors[] = {
    {"wide", DENSE, A_ROWS, A_COLS, 0, B_COLS, false},
    {"small", DENSE + A, B_ROWS, B_COLS, A_ROWS + 1, 0, false}};

typedef struct {
  int64_t tiles;
  int64_t nan_item; /* has a NaN in its factor of tensor nan_tensor, or NOWHERE */
  int nan_tensor;
  bool nan_in_v;
} Setting;

static double number(uint64_t step, int64_t item, int i) {
  return sin(1 + 0.7 * (double)step + 1.3 * (double)item + 0.11 * i);
}

static int64_t count_tiles(const Objective *self, uint64_t step) {
  (void)step;
  return ((const Setting *)self->context)->tiles;
}

static Status create_workspace(const Objective *self, void **workspace) {
  (void)self;
  *workspace = malloc(1);
  return STATUS_OK;
}

static void set_factors(const Setting *setting, uint64_t step, int64_t item, const real *theta,
                        const OuterFactors *outer) {
  real *u = outer->u + item * U, *v = outer->v + item * V;
  for (int i = 0; i < U; i++) u[i] = (real)(number(step, item, i) * (double)theta[i]);
  for (int i = 0; i < V; i++) v[i] = (real)(number(step, item, 5 * i) * (double)theta[N - 1 - i]);
  if (item != setting->nan_item) return;
  const OuterTensor *tensor = &outer_tensors[setting->nan_tensor];
  *(setting->nan_in_v ? v + tensor->v : u + tensor->u) = (real)NAN;
}

static void run_tile(const Objective *self, uint64_t step, int64_t tile, const real *theta,
                     real *gradient, double *terms, const OuterFactors *outer, void *workspace) {
  (void)workspace;
  const Setting *setting = self->context;
  terms[0] = 0;
  if (gradient) memset(gradient, 0, DENSE * sizeof *gradient);
  int64_t end = ITEMS * (tile + 1) / setting->tiles;
  for (int64_t item = ITEMS * tile / setting->tiles; item < end; item++) {
    terms[0] += fabs(number(step, item, 0)) * (double)theta[item];
    if (!gradient) continue;
    set_factors(setting, step, item, theta, outer);
    for (int i = 0; i < DENSE; i++) gradient[i] += (real)number(step, item, -i);
  }
}

static Objective make_objective(const Setting *setting) {
  return (Objective){.n_parameters = N,
                     .n_tensors = 2,
                     .tensors = tensors,
                     .outer = {2, outer_tensors, U, V, ITEMS},
                     .n_terms = 1,
                     .terms = {{"size", 1}},
                     .context = setting,
                     .tiles = count_tiles,
                     .workspace_create = create_workspace,
                     .workspace_destroy = free,
                     .tile = run_tile};
}

static Setting make_setting(int64_t tiles) {
  return (Setting){.tiles = tiles, .nan_item = NOWHERE};
}

static void begin_with(real *theta) {
  for (int i = 0; i < N; i++) theta[i] = (real)(1 + 0.0001 * (i % 100));
}

/* ---- One evaluation ---- */

/* Of the outer tensors, by plain loops. */
static void expected_gradient(const Setting *setting, uint64_t step, const real *theta,
                              double *gradient) {
  real *u = malloc(ITEMS * U * sizeof *u), *v = malloc(ITEMS * V * sizeof *v);
  OuterFactors all = {u, v};
  memset(gradient, 0, (A + B) * sizeof *gradient);
  for (int64_t item = 0; item < ITEMS; item++) set_factors(setting, step, item, theta, &all);
  for (int t = 0; t < 2; t++) {
    const OuterTensor *tensor = &outer_tensors[t];
    for (int i = 0; i < tensor->rows * tensor->cols; i++) {
      for (int64_t item = 0; item < ITEMS; item++) {
        gradient[tensor->offset - DENSE + (size_t)i] +=
            (double)u[(size_t)item * U + tensor->u + (size_t)(i / tensor->cols)] *
            (double)v[(size_t)item * V + tensor->v + (size_t)(i % tensor->cols)];
      }
    }
  }
  free(u);
  free(v);
}

static double squares(size_t n, const double *values) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += values[i] * values[i];
  return sum;
}

/* The gradient, whole and in pieces; its norm; clipped; evaluated without it in between. */
static void check_evaluation(Evaluation *evaluation, const Setting *setting, uint64_t step) {
  static real theta[N], gradient[DENSE], rest[A + B], piece[A + B];
  static double expected[A + B], dense[DENSE];
  double terms[1], worst = 0;
  begin_with(theta);
  expected_gradient(setting, step, theta, expected);
  Status status = evaluation_run(evaluation, step, theta, gradient, terms, NULL);
  assert_all(status == STATUS_OK);
  evaluation_rest(evaluation, DENSE, A + B, rest);
  for (int i = 0; i < A + B; i++) worst = fmax(worst, fabs((double)rest[i] - expected[i]));
  assert_all(worst < 1e-5);
  for (int i = 0; i < DENSE; i++) dense[i] = (double)gradient[i];
  double norm = sqrt(squares(DENSE, dense) + squares(A + B, expected));
  double got = evaluation_clip(evaluation, gradient, norm / 4);
  assert_all(fabs(got / norm - 1) < 1e-5);
  status = evaluation_run(evaluation, step + 1, theta, NULL, terms, NULL);
  assert_all(status == STATUS_OK); /* which changes neither factors nor clipping */
  evaluation_rest(evaluation, DENSE + 100, A - 80, piece); /* of both tensors */
  bool good = true;
  for (int i = 0; i < A - 80; i++) {
    good &= fabs((double)piece[i] - expected[100 + i] / 4) < 1e-5;
  }
  for (int i = 0; i < DENSE; i++) good &= fabs((double)gradient[i] - dense[i] / 4) < 1e-4;
  assert_all(good);
}

/* Steps come right after each other, with nothing between them that would make ranks wait. */
static void test_evaluations(void **state) {
  (void)state;
  static const char *const nodes[] = {"1", "2", "9"};
  static const int64_t tiles[] = {1, 3, ITEMS};
  for (int k = 0; k < 9; k++) {
    setenv("SIREN_RANKS_PER_NODE", nodes[k / 3], 1);
    const Setting setting = make_setting(tiles[k % 3]);
    const Objective objective = make_objective(&setting);
    Evaluation *evaluation = NULL;
    assert_all(evaluation_create(world, &objective, 1 + k % 2, &evaluation) == STATUS_OK);
    for (uint64_t step = 0; step < STEPS; step++) check_evaluation(evaluation, &setting, step);
    evaluation_destroy(evaluation);
  }
  unsetenv("SIREN_RANKS_PER_NODE");
}

/* A rank that is late reads the factors of its step, not of the next one. */
static void test_late_rank(void **state) {
  (void)state;
  static const char *const nodes[] = {"1", "2", "9"};
  static real theta[N], gradient[DENSE], rest[A + B];
  static double expected[A + B];
  const Setting setting = make_setting(ITEMS);
  const Objective objective = make_objective(&setting);
  for (int k = 0; k < 3; k++) {
    setenv("SIREN_RANKS_PER_NODE", nodes[k], 1);
    Evaluation *evaluation = NULL;
    bool good = true;
    assert_all(evaluation_create(world, &objective, 1, &evaluation) == STATUS_OK);
    begin_with(theta);
    for (uint64_t step = 0; step < 2u * STEPS; step++) {
      double terms[1];
      expected_gradient(&setting, step, theta, expected);
      good &= evaluation_run(evaluation, step, theta, gradient, terms, NULL) == STATUS_OK;
      if (step % (uint64_t)comm_size(world) == (uint64_t)comm_rank(world)) usleep(3000);
      evaluation_rest(evaluation, DENSE, A + B, rest);
      for (int i = 0; i < A + B; i++) good &= fabs((double)rest[i] - expected[i]) < 1e-5;
    }
    assert_all(good);
    evaluation_destroy(evaluation);
  }
  unsetenv("SIREN_RANKS_PER_NODE");
}

/* ---- Training ---- */

typedef struct {
  Evaluation *evaluation;
  uint64_t step;
  double norm;
} Training;

/* OptimizerEvaluate. */
static Status clipped(void *context, const real *theta, double *loss, real *gradient) {
  Training *training = context;
  double terms[OBJECTIVE_MAX_TERMS];
  TRY(evaluation_run(training->evaluation, training->step++, theta, gradient, terms, NULL));
  training->norm = evaluation_clip(training->evaluation, gradient, 0.5);
  *loss = terms[0];
  return STATUS_OK;
}

typedef struct {
  double norm;
  real theta[N], m[N];
} Trained;

/* Collective over comm. Theta after some steps; the moments, brought together on rank 0. */
static void train(const Comm *comm, int64_t tiles, int threads, Trained *result) {
  const Setting setting = make_setting(tiles);
  const Objective objective = make_objective(&setting);
  Training training = {.evaluation = NULL};
  Optimizer *optimizer = NULL;
  OptimizerSettings settings = OPTIMIZER_DEFAULTS;
  settings.stored = objective_dense(&objective);
  assert_all(evaluation_create(comm, &objective, threads, &training.evaluation) == STATUS_OK);
  assert_all(optimizer_create("adam", &settings, N, &optimizer) == STATUS_OK);
  evaluation_serve(training.evaluation, optimizer);
  begin_with(result->theta);
  for (int step = 0; step < STEPS; step++) {
    double loss;
    Status status = optimizer_step(optimizer, 0.01, result->theta, clipped, &training, &loss);
    assert_all(status == STATUS_OK);
    evaluation_share(training.evaluation, result->theta);
  }
  StateArray arrays[STATE_MAX_ARRAYS];
  optimizer_state(optimizer, arrays);
  assert_all(arrays[0].sharded == (comm_size(comm) > 1) && arrays[0].count == N);
  evaluation_collect(training.evaluation, arrays[0].data);
  memcpy(result->m, arrays[0].data, sizeof result->m);
  result->norm = training.norm;
  evaluation_destroy(training.evaluation);
  optimizer_destroy(optimizer);
}

/* The bits are those of a rank alone with one thread, on pretended nodes, too. */
static void test_same_bits(void **state) {
  (void)state;
  static const char *const nodes[] = {"1", "2", "9"};
  static Trained one, other;
  Comm *alone = NULL;
  assert_all(comm_split(world, comm_rank(world), &alone) == STATUS_OK);
  for (int t = 0; t < 2; t++) {
    int64_t tiles = t ? 2 : ITEMS; /* fewer than ranks, too */
    train(alone, tiles, 1, &one);
    assert_all(isfinite(one.norm) && one.norm > 0.5);
    for (int k = 0; k < 6; k++) {
      setenv("SIREN_RANKS_PER_NODE", nodes[k / 2], 1);
      train(world, tiles, 1 + k % 2, &other);
      assert_all(other.norm == one.norm);
      assert_all(!memcmp(other.theta, one.theta, sizeof one.theta));
      assert_all(comm_rank(world) > 0 || !memcmp(other.m, one.m, sizeof one.m));
    }
  }
  unsetenv("SIREN_RANKS_PER_NODE");
  comm_release(alone);
}

/* ---- What is not finite ---- */

/* A NaN in one item's factor, thus of one rank, fails on all ranks, and names the tensor. */
static void test_nonfinite_factor(void **state) {
  (void)state;
  static real theta[N], gradient[DENSE];
  double terms[1];
  begin_with(theta);
  for (int k = 0; k < 8; k++) {
    setenv("SIREN_RANKS_PER_NODE", k % 4 < 2 ? "1" : "9", 1);
    Setting setting = make_setting(ITEMS);
    const Objective objective = make_objective(&setting);
    Evaluation *evaluation = NULL;
    assert_all(evaluation_create(world, &objective, 2, &evaluation) == STATUS_OK);
    setting.nan_item = k < 4 ? 0 : ITEMS - 2;
    setting.nan_tensor = k % 2;
    setting.nan_in_v = k % 3 == 0;
    Status status = evaluation_run(evaluation, 17, theta, gradient, terms, NULL);
    assert_all(status == STATUS_FAILED);
    const char *expected = k % 2 ? "step 17: the gradient of `small` is not finite"
                                 : "step 17: the gradient of `wide` is not finite";
    assert_all(!strncmp(status_message(), expected, strlen(expected)));
    setting.nan_item = NOWHERE; /* and it can go on */
    check_evaluation(evaluation, &setting, 18);
    evaluation_destroy(evaluation);
  }
  unsetenv("SIREN_RANKS_PER_NODE");
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_evaluations),
      cmocka_unit_test(test_late_rank),
      cmocka_unit_test(test_same_bits),
      cmocka_unit_test(test_nonfinite_factor),
  };
  mpi_check_main(argc, argv, tests);
}
