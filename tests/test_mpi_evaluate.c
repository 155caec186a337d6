/* Evaluation over ranks and threads, of an objective made of hashes whose sums are known exactly:
 * every rank computes the expected values by itself. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mpi/evaluate.h"
#include "tests/mpi_check.h"

enum { N = 1003, N_TERMS = 2, N_STEPS = 6, NOWHERE = -1 };

static const Tensor tensors[] = {{"layer0/weight", 0, 100, 10}, {"layer0/bias", 1000, 3, 1}};

typedef struct {
  int64_t tiles;
  int64_t nan_tile; /* gives NaN in nan_term, or else in nan_parameter; or NOWHERE */
  int nan_term, nan_parameter;
  int failing_rank; /* has no memory for workspaces; or NOWHERE */
} Setting;

typedef struct {
  int users; /* threads inside at the same time */
  bool shared;
} Workspace;

static int workspaces; /* that exist */
static bool shared;    /* a workspace was used by two threads at once */

static uint64_t hash(uint64_t step, int64_t tile, int i) {
  uint64_t h = step * 0x9e3779b97f4a7c15u + (uint64_t)tile * 0xbf58476d1ce4e5b9u + (uint64_t)i;
  for (int round = 0; round < 3; round++) h = (h ^ h >> 29) * 0x94d049bb133111ebu;
  return h ^ h >> 32;
}

/* An integer below 2^20; tiles differ in size by up to 2^7. */
static int64_t integer(uint64_t step, int64_t tile, int i) {
  int64_t value = (int64_t)(hash(step, tile, i) & 0xfffff) - 0x80000;
  return value >> hash(step, tile, -1) % 8;
}

/* Steps differ in size, too, by more than a scale's guard bits. */
static double unit(uint64_t step) {
  static const int exponents[] = {-20, -18, -3, -25, -60, -59};
  return ldexp(1, exponents[step % 6]);
}

static int64_t count_tiles(const Objective *self, uint64_t step) {
  (void)step;
  return ((const Setting *)self->context)->tiles;
}

static Status create_workspace(const Objective *self, void **workspace) {
  const Setting *setting = self->context;
  if (comm_rank(world) == setting->failing_rank) {
    return status_fail(STATUS_FAILED, "out of memory: 1.0 MB for a test");
  }
  *workspace = calloc(1, sizeof(Workspace));
  workspaces++; /* they are created one after the other */
  return STATUS_OK;
}

static void destroy_workspace(void *workspace) {
  shared |= ((Workspace *)workspace)->shared;
  workspaces--;
  free(workspace);
}

static void run_tile(const Objective *self, uint64_t step, int64_t tile, const real *theta,
                     real *gradient, double *terms, const OuterFactors *outer, void *workspace) {
  (void)outer;
  const Setting *setting = self->context;
  Workspace *mine = workspace;
  if (__atomic_add_fetch(&mine->users, 1, __ATOMIC_SEQ_CST) > 1) mine->shared = true;
  double size = unit(step) * (double)theta[0];
  for (int i = 0; gradient && i < N; i++) {
    gradient[i] = (real)((double)integer(step, tile, i) * size);
  }
  for (int i = 0; i < N_TERMS; i++) terms[i] = (double)integer(step, tile, N + i) * size;
  if (tile == setting->nan_tile && setting->nan_term >= 0) terms[setting->nan_term] = NAN;
  if (tile == setting->nan_tile && gradient) gradient[setting->nan_parameter] = (real)INFINITY;
  __atomic_sub_fetch(&mine->users, 1, __ATOMIC_SEQ_CST);
}

static Objective make_objective(const Setting *setting) {
  return (Objective){.n_parameters = N,
                     .n_tensors = 2,
                     .tensors = tensors,
                     .n_terms = N_TERMS,
                     .terms = {{"image", 1}, {"eikonal", 0.1}},
                     .context = setting,
                     .tiles = count_tiles,
                     .workspace_create = create_workspace,
                     .workspace_destroy = destroy_workspace,
                     .tile = run_tile};
}

static Setting make_setting(int64_t tiles) {
  return (Setting){.tiles = tiles, .nan_tile = NOWHERE, .failing_rank = NOWHERE};
}

/* Element i of gradient (i < N) or terms, summed over all tiles without rounding. */
static double expected_sum(int64_t tiles, uint64_t step, double theta, int i) {
  int64_t total = 0;
  for (int64_t t = 0; t < tiles; t++) total += integer(step, t, i);
  return (double)total * unit(step) * theta;
}

static bool is_expected(int64_t tiles, uint64_t step, double theta, const real *gradient,
                        const double *terms) {
  bool good = true;
  for (int i = 0; gradient && i < N; i++) {
    good &= gradient[i] == (real)expected_sum(tiles, step, theta, i);
  }
  for (int i = 0; i < N_TERMS; i++) {
    good &= terms[i] == expected_sum(tiles, step, theta, N + i);
  }
  return good;
}

static Evaluation *create(const Objective *objective, int threads) {
  Evaluation *evaluation = NULL;
  Status status = evaluation_create(world, objective, threads, &evaluation);
  assert_all(status == STATUS_OK);
  return evaluation;
}

static void check_steps(int64_t tiles, int threads) {
  const Setting setting = make_setting(tiles);
  const Objective objective = make_objective(&setting);
  Evaluation *evaluation = create(&objective, threads);
  for (uint64_t step = 0; step < N_STEPS; step++) {
    const real theta[N] = {step % 2 ? 2 : -1};
    real gradient[N];
    double terms[N_TERMS];
    Status status = evaluation_run(evaluation, step, theta, gradient, terms, NULL);
    assert_all(status == STATUS_OK);
    assert_all(is_expected(tiles, step, (double)theta[0], gradient, terms));
  }
  EvaluationTimes times = evaluation_times(evaluation);
  evaluation_destroy(evaluation);
  assert_all(times.steps == N_STEPS && times.redone >= 1);
  assert_all(times.tiles > 0 && times.sum_ranks >= 0);
}

/* With fewer tiles than ranks, too. */
static void test_sums_for_all_tiles_and_threads(void **state) {
  (void)state;
  static const int64_t tiles[] = {1, 3, 5, 37};
  for (int t = 0; t < 4; t++) {
    for (int threads = 1; threads <= 3; threads++) check_steps(tiles[t], threads);
  }
  assert_all(workspaces == 0);
  assert_all(!shared);
}

/* Values that do round: as if one rank had added all tiles to one buffer. */
static void irrational_tile(const Objective *self, uint64_t step, int64_t tile, const real *theta,
                            real *gradient, double *terms, const OuterFactors *outer,
                            void *workspace) {
  (void)outer;
  (void)self, (void)theta, (void)workspace;
  for (int i = 0; gradient && i < N; i++) {
    double exponent = (double)(hash(step, tile, i) >> 40) * 0x1p-24 * 50;
    gradient[i] = (real)(sin((double)i) * exp2(-exponent));
  }
  for (int i = 0; i < N_TERMS; i++) terms[i] = sin((double)(hash(step, tile, N + i) >> 40));
}

static bool equals_serial_sum(const Objective *objective, Exact *exact, uint64_t step,
                              const real *gradient, const double *terms) {
  real part[N], sum[N];
  double part_terms[OBJECTIVE_MAX_TERMS], sum_terms[N_TERMS];
  int group;
  ExactResult result;
  exact->tiles = objective->tiles(objective, step);
  int64_t *buffer = malloc(exact->size * sizeof *buffer);
  if (!buffer) return false;
  do {
    memset(buffer, 0, exact->size * sizeof *buffer);
    for (int64_t t = 0; t < exact->tiles; t++) {
      objective->tile(objective, step, t, NULL, part, part_terms, NULL, NULL);
      exact_add(exact, part, part_terms, buffer);
    }
    result = exact_finish(exact, buffer, sum, sum_terms, &group);
  } while (result == EXACT_REDO);
  free(buffer);
  return result == EXACT_DONE && !memcmp(sum, gradient, sizeof sum) &&
         !memcmp(sum_terms, terms, sizeof sum_terms);
}

static void test_rounded_sums_equal_one_rank(void **state) {
  (void)state;
  const Setting setting = make_setting(23);
  Objective objective = make_objective(&setting);
  objective.tile = irrational_tile;
  for (int threads = 1; threads <= 3; threads++) {
    Exact exact;
    Status status = exact_create(&objective, &exact);
    assert_all(status == STATUS_OK);
    Evaluation *evaluation = create(&objective, threads);
    for (uint64_t step = 0; step < 3; step++) {
      const real theta[N] = {1};
      real gradient[N];
      double terms[N_TERMS];
      status = evaluation_run(evaluation, step, theta, gradient, terms, NULL);
      assert_all(status == STATUS_OK);
      assert_all(equals_serial_sum(&objective, &exact, step, gradient, terms));
    }
    evaluation_destroy(evaluation);
    exact_destroy(&exact);
  }
}

static void test_terms_only(void **state) {
  (void)state;
  const Setting setting = make_setting(11);
  const Objective objective = make_objective(&setting);
  const real theta[N] = {1};
  Evaluation *evaluation = create(&objective, 2);
  for (uint64_t step = 0; step < 4; step++) {
    real gradient[N];
    double terms[N_TERMS] = {0}, alone[N_TERMS] = {0};
    Status first = evaluation_run(evaluation, step, theta, NULL, alone, NULL);
    Status second = evaluation_run(evaluation, step, theta, gradient, terms, NULL);
    assert_all(first == STATUS_OK && second == STATUS_OK);
    assert_all(is_expected(11, step, 1, NULL, alone));
    assert_all(is_expected(11, step, 1, gradient, terms));
  }
  evaluation_destroy(evaluation);
}

/* A NaN in one tile, thus on one rank, fails on all ranks with the same message. */
static void check_nonfinite(int64_t tiles, int64_t tile, int term, int parameter,
                            const char *expected) {
  Setting setting = make_setting(tiles);
  const Objective objective = make_objective(&setting);
  const real theta[N] = {1};
  real gradient[N] = {42};
  double terms[N_TERMS];
  Evaluation *evaluation = create(&objective, 2);
  Status status = evaluation_run(evaluation, 16, theta, gradient, terms, NULL);
  assert_all(status == STATUS_OK);
  setting.nan_tile = tile;
  setting.nan_term = term;
  setting.nan_parameter = parameter;
  gradient[0] = 42;
  status = evaluation_run(evaluation, 17, theta, gradient, terms, NULL);
  assert_all(status == STATUS_FAILED);
  assert_all(!strncmp(status_message(), expected, strlen(expected)));
  assert_all(gradient[0] == 42);
  setting.nan_tile = NOWHERE; /* and it can go on */
  status = evaluation_run(evaluation, 18, theta, gradient, terms, NULL);
  assert_all(status == STATUS_OK);
  assert_all(is_expected(tiles, 18, 1, gradient, terms));
  evaluation_destroy(evaluation);
}

static void test_nonfinite_tile(void **state) {
  (void)state;
  for (int64_t tile = 0; tile < 7; tile += 3) {
    check_nonfinite(7, tile, 1, 5, "step 17: term `eikonal` is not finite");
    check_nonfinite(7, tile, NOWHERE, 1002, "step 17: the gradient of `layer0/bias` is not finite");
  }
  check_nonfinite(1, 0, 0, 0, "step 17: term `image` is not finite");
}

static void test_stop_of_one_rank_reaches_all(void **state) {
  (void)state;
  const Setting setting = make_setting(3);
  const Objective objective = make_objective(&setting);
  const real theta[N] = {1};
  real gradient[N];
  double terms[N_TERMS];
  Evaluation *evaluation = create(&objective, 1);
  for (int who = -1; who < comm_size(world); who++) {
    bool stop = comm_rank(world) == who, stop_terms = stop;
    uint64_t step = (uint64_t)(who + 1); /* some of them are redone */
    Status first = evaluation_run(evaluation, step, theta, gradient, terms, &stop);
    Status second = evaluation_run(evaluation, step, theta, NULL, terms, &stop_terms);
    assert_all(first == STATUS_OK && second == STATUS_OK);
    assert_all(stop == (who >= 0) && stop_terms == (who >= 0));
    assert_all(is_expected(3, step, 1, gradient, terms));
  }
  evaluation_destroy(evaluation);
}

static void test_failed_creation_on_one_rank(void **state) {
  (void)state;
  for (int who = 0; who < comm_size(world); who++) {
    Setting setting = make_setting(3);
    setting.failing_rank = who;
    const Objective objective = make_objective(&setting);
    Evaluation *evaluation = NULL;
    Status status = evaluation_create(world, &objective, 2, &evaluation);
    assert_all(status == STATUS_FAILED && !evaluation);
    assert_all(strstr(status_message(), "out of memory: 1.0 MB for a test") != NULL);
  }
  assert_all(workspaces == 0);
}

/* A second evaluation with the first one's state gives the same bits, and redoes nothing. */
static void test_state_restores_the_scales(void **state) {
  (void)state;
  const Setting setting = make_setting(9);
  Objective objective = make_objective(&setting);
  objective.tile = irrational_tile;
  const real theta[N] = {1};
  real gradient[N], again[N];
  double terms[N_TERMS], terms_again[N_TERMS];
  Evaluation *first = create(&objective, 1), *second = create(&objective, 2);
  StateArray from[STATE_MAX_ARRAYS], to[STATE_MAX_ARRAYS];
  Status status = evaluation_run(first, 0, theta, gradient, terms, NULL);
  assert_all(status == STATUS_OK);
  int arrays = evaluation_state(first, from);
  assert_all(arrays == 1 && evaluation_state(second, to) == arrays);
  assert_all(from[0].type == STATE_INT64 && from[0].count == 2 + N_TERMS);
  memcpy(to[0].data, from[0].data, from[0].count * sizeof(int64_t));
  status = evaluation_run(first, 1, theta, gradient, terms, NULL);
  Status resumed = evaluation_run(second, 1, theta, again, terms_again, NULL);
  assert_all(status == STATUS_OK && resumed == STATUS_OK);
  assert_all(!memcmp(gradient, again, sizeof again) && !memcmp(terms, terms_again, sizeof terms));
  assert_all(evaluation_times(second).redone == 0);
  evaluation_destroy(first);
  evaluation_destroy(second);
}

/* OptimizerEvaluate, with the gradient clipped. */
typedef struct {
  Evaluation *evaluation;
  uint64_t step;
  double norm;
} Training;

static Status clipped(void *context, const real *theta, double *loss, real *gradient) {
  Training *training = context;
  double terms[OBJECTIVE_MAX_TERMS];
  TRY(evaluation_run(training->evaluation, training->step++, theta, gradient, terms, NULL));
  training->norm = evaluation_clip(training->evaluation, gradient, 0.5);
  *loss = terms[0];
  return STATUS_OK;
}

/* Collective over comm. Steps of an optimiser, shared out among the ranks if it can be; norm and
 * theta at their end, the state brought together. */
static void train(const Comm *comm, const Objective *objective, const char *name, double *norm,
                  real *theta, real *moments) {
  Training training = {.evaluation = NULL};
  Optimizer *optimizer = NULL;
  OptimizerSettings settings = OPTIMIZER_DEFAULTS;
  Status status = evaluation_create(comm, objective, 2, &training.evaluation);
  assert_all(status == STATUS_OK);
  status = optimizer_create(name, &settings, N, &optimizer);
  assert_all(status == STATUS_OK);
  evaluation_serve(training.evaluation, optimizer);
  for (int i = 0; i < N; i++) theta[i] = (real)(1 + 0.001 * i);
  for (int step = 0; step < 4; step++) {
    double loss;
    status = optimizer_step(optimizer, 0.1, theta, clipped, &training, &loss);
    assert_all(status == STATUS_OK);
    evaluation_share(training.evaluation, theta);
  }
  StateArray arrays[STATE_MAX_ARRAYS];
  optimizer_state(optimizer, arrays);
  if (arrays[0].sharded) evaluation_share(training.evaluation, arrays[0].data);
  memcpy(moments, arrays[0].data, N * sizeof *moments);
  *norm = training.norm;
  evaluation_destroy(training.evaluation);
  optimizer_destroy(optimizer);
}

/* Ranks that share the optimiser's work get the bits of a rank alone, on pretended nodes, too. */
static void test_shared_optimiser(void **state) {
  (void)state;
  static const char *const names[] = {"adam", "lbfgs"}; /* the latter is not shared out */
  const Setting setting = make_setting(7);
  Objective objective = make_objective(&setting);
  objective.tile = irrational_tile;
  Comm *alone = NULL;
  assert_all(comm_split(world, comm_rank(world), &alone) == STATUS_OK);
  for (int i = 0; i < 2; i++) {
    double norm, norm_alone;
    real theta[N], theta_alone[N], moments[N], moments_alone[N];
    train(alone, &objective, names[i], &norm_alone, theta_alone, moments_alone);
    for (int each = 1; each <= comm_size(world); each++) {
      setenv("SIREN_RANKS_PER_NODE", each == 1 ? "1" : each == 2 ? "2" : "9", 1);
      train(world, &objective, names[i], &norm, theta, moments);
      assert_all(norm == norm_alone && norm > 0.5);
      assert_all(!memcmp(theta, theta_alone, sizeof theta));
      assert_all(!memcmp(moments, moments_alone, sizeof moments));
    }
  }
  unsetenv("SIREN_RANKS_PER_NODE");
  comm_release(alone);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sums_for_all_tiles_and_threads),
      cmocka_unit_test(test_rounded_sums_equal_one_rank),
      cmocka_unit_test(test_terms_only),
      cmocka_unit_test(test_nonfinite_tile),
      cmocka_unit_test(test_stop_of_one_rank_reaches_all),
      cmocka_unit_test(test_failed_creation_on_one_rank),
      cmocka_unit_test(test_state_restores_the_scales),
      cmocka_unit_test(test_shared_optimiser),
  };
  mpi_check_main(argc, argv, tests);
}
