/* Every optimiser of the table, Adam against its formula, learning rates and gradient clipping. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "core/optimizer.h"
#include "core/vector.h"

static const double tolerance = REAL_IS_DOUBLE ? 1e-13 : 1e-6;

/* L = sum_i a_i (x_i - c_i)^2 / 2 with curvatures in [0.1, 2] and centres of size 0.2 to 1. */
typedef struct {
  size_t n;
  int evaluations, fail_at; /* fail_at 0: never */
} Quadratic;

static double curvature(size_t i) {
  return 0.1 + 1.9 * (double)(i * 40503 % 65536) / 65536;
}

static double centre(size_t i) {
  return (i % 2 ? -1 : 1) * (0.2 + 0.8 * (double)(i * 25717 % 65536) / 65536);
}

static Status quadratic(void *context, const real *theta, double *loss, real *gradient) {
  Quadratic *problem = context;
  /* A failure may leave anything there. */
  if (gradient) memset(gradient, 0x55, problem->n * sizeof *gradient);
  if (++problem->evaluations == problem->fail_at) return status_fail(STATUS_FAILED, "asked to");
  *loss = 0;
  for (size_t i = 0; i < problem->n; i++) {
    double difference = (double)theta[i] - centre(i);
    *loss += 0.5 * curvature(i) * difference * difference;
    if (gradient) gradient[i] = (real)(curvature(i) * difference);
  }
  return STATUS_OK;
}

/* OptimizerDirection: residuals sqrt(a_i / 2) (x_i - c_i), whose Jacobian is diagonal. */
static Status direction(void *context, const real *theta, double damping, const real *before,
                        real *direction) {
  const Quadratic *problem = context;
  double mean = 0;
  for (size_t i = 0; i < problem->n; i++) mean += curvature(i) / 2 / (double)problem->n;
  for (size_t i = 0; i < problem->n; i++) {
    double j = sqrt(curvature(i) / 2), r = j * ((double)theta[i] - centre(i));
    double start = before ? (double)before[i] : 0;
    direction[i] = (real)(start + j * (r - j * start) / (j * j + damping * mean));
  }
  return STATUS_OK;
}

static Optimizer *create(const char *name, size_t n, bool fixed_objective) {
  OptimizerSettings settings = OPTIMIZER_DEFAULTS;
  settings.history = 5;
  settings.fixed_objective = fixed_objective;
  settings.damping = 0.9;
  settings.least_damping = 1e-30;
  settings.momentum = 0.5;
  settings.direction = direction;
  Optimizer *optimizer = NULL;
  assert_int_equal(optimizer_create(name, &settings, n, &optimizer), STATUS_OK);
  return optimizer;
}

static real *zeros(size_t n) {
  real *vector = NULL;
  assert_int_equal(memory_allocate(&vector, n, sizeof *vector, "a test"), STATUS_OK);
  return vector;
}

static double rate_for(const char *name) {
  return strcmp(name, "adam") ? 1 : 0.05;
}

static double run(Optimizer *optimizer, double lr, int steps, real *theta, Quadratic *problem) {
  double loss = NAN;
  for (int i = 0; i < steps; i++) {
    Status status = optimizer_step(optimizer, lr, theta, quadratic, problem, &loss);
    assert_int_equal(status, STATUS_OK);
  }
  return loss;
}

static size_t element_size(StateType type) {
  return type == STATE_REAL ? sizeof(real) : type == STATE_DOUBLE ? sizeof(double) : 8;
}

/* What a checkpoint holds, as one block of bytes. Owned by the caller. */
static unsigned char *save(Optimizer *optimizer, size_t *size) {
  StateArray arrays[STATE_MAX_ARRAYS];
  int count = optimizer_state(optimizer, arrays);
  *size = 0;
  for (int i = 0; i < count; i++) *size += arrays[i].count * element_size(arrays[i].type);
  unsigned char *bytes = malloc(*size), *end = bytes;
  for (int i = 0; i < count; i++) {
    memcpy(end, arrays[i].data, arrays[i].count * element_size(arrays[i].type));
    end += arrays[i].count * element_size(arrays[i].type);
  }
  return bytes;
}

static void restore(Optimizer *optimizer, const unsigned char *bytes) {
  StateArray arrays[STATE_MAX_ARRAYS];
  int count = optimizer_state(optimizer, arrays);
  for (int i = 0; i < count; i++) {
    memcpy(arrays[i].data, bytes, arrays[i].count * element_size(arrays[i].type));
    bytes += arrays[i].count * element_size(arrays[i].type);
  }
}

static void test_table(void **state) {
  (void)state;
  const char *const *names = optimizer_names();
  int found = 0;
  for (int i = 0; names[i]; i++) {
    found += !strcmp(names[i], "adam") || !strcmp(names[i], "lbfgs") ||
             !strcmp(names[i], "gauss_newton");
    assert_true(strlen(optimizer_description(names[i])) > 10);
    for (int j = 0; j < i; j++) assert_string_not_equal(names[i], names[j]);
  }
  assert_int_equal(found, 3);
  assert_null(optimizer_description("sgdx"));
}

static void test_wrong_settings(void **state) {
  (void)state;
  Optimizer *optimizer = NULL;
  OptimizerSettings good = OPTIMIZER_DEFAULTS;
  assert_int_equal(optimizer_create("sgdx", &good, 3, &optimizer), STATUS_USAGE);
  assert_non_null(strstr(status_message(), "'sgdx'"));
  assert_non_null(strstr(status_message(), "lbfgs"));
  const struct {
    const char *name, *key;
    OptimizerSettings settings;
  } bad[] = {
      {"adam", "beta1", {1, 0.999, 1e-8, 100, 25, false, 1, 1, 0, NULL, 0}},
      {"adam", "beta2", {0.9, -0.1, 1e-8, 100, 25, false, 1, 1, 0, NULL, 0}},
      {"adam", "beta2", {0.9, NAN, 1e-8, 100, 25, false, 1, 1, 0, NULL, 0}},
      {"adam", "eps", {0.9, 0.999, 0, 100, 25, false, 1, 1, 0, NULL, 0}},
      {"lbfgs", "history", {0.9, 0.999, 1e-8, 0, 25, false, 1, 1, 0, NULL, 0}},
      {"lbfgs", "max_evaluations", {0.9, 0.999, 1e-8, 100, 0, false, 1, 1, 0, NULL, 0}},
      {"gauss_newton", "max_evaluations", {0.9, 0.999, 1e-8, 100, 0, false, 1, 1, 0, direction, 0}},
      {"gauss_newton", "damping", {0.9, 0.999, 1e-8, 100, 25, false, 0, 1, 0, direction, 0}},
      {"gauss_newton",
       "least_damping",
       {0.9, 0.999, 1e-8, 100, 25, false, 1, NAN, 0, direction, 0}},
      {"gauss_newton", "momentum", {0.9, 0.999, 1e-8, 100, 25, false, 1, 1, 1, direction, 0}},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    Status status = optimizer_create(bad[i].name, &bad[i].settings, 3, &optimizer);
    assert_int_equal(status, STATUS_USAGE);
    assert_non_null(strstr(status_message(), bad[i].key));
  }
  assert_null(optimizer);
}

static void test_every_optimizer_minimises(void **state) {
  (void)state;
  for (const char *const *name = optimizer_names(); *name; name++) {
    Quadratic problem = {.n = 97};
    Optimizer *optimizer = create(*name, problem.n, true);
    real *theta = zeros(problem.n), *gradient = zeros(problem.n);
    double first, incoming = NAN;
    quadratic(&problem, theta, &first, gradient);
    optimizer_step(optimizer, rate_for(*name), theta, quadratic, &problem, &incoming);
    assert_true(incoming == first);
    assert_true(run(optimizer, rate_for(*name), 400, theta, &problem) < 1e-6 * first);
    optimizer_destroy(optimizer);
    free(theta);
    free(gradient);
  }
}

/* Fails the k-th evaluation of a run: theta and state are those before the step that failed. */
static void test_failure_changes_nothing(void **state) {
  (void)state;
  for (const char *const *name = optimizer_names(); *name; name++) {
    for (int fail_at = 1; fail_at < 12; fail_at++) {
      Quadratic problem = {.n = 70, .fail_at = fail_at};
      Optimizer *optimizer = create(*name, problem.n, fail_at % 2);
      real *theta = zeros(problem.n), *before = zeros(problem.n);
      Status status = STATUS_OK;
      while (status == STATUS_OK) {
        size_t size;
        unsigned char *saved = save(optimizer, &size);
        memcpy(before, theta, problem.n * sizeof *theta);
        double loss;
        status = optimizer_step(optimizer, rate_for(*name), theta, quadratic, &problem, &loss);
        unsigned char *now = save(optimizer, &size);
        bool same = !memcmp(saved, now, size);
        assert_true(same == (status != STATUS_OK));
        assert_true(!memcmp(before, theta, problem.n * sizeof *theta) == same);
        free(saved);
        free(now);
      }
      assert_int_equal(status, STATUS_FAILED);
      assert_string_equal(status_message(), "asked to");
      optimizer_destroy(optimizer);
      free(theta);
      free(before);
    }
  }
}

static void test_resume_gives_equal_bits(void **state) {
  (void)state;
  for (const char *const *name = optimizer_names(); *name; name++) {
    for (int killed = 0; killed < 12; killed++) {
      Quadratic problem = {.n = 131};
      size_t size;
      real *theta = zeros(problem.n), *again = zeros(problem.n);
      Optimizer *optimizer = create(*name, problem.n, killed % 2);
      run(optimizer, rate_for(*name), killed, theta, &problem);
      unsigned char *saved = save(optimizer, &size);
      memcpy(again, theta, problem.n * sizeof *theta);
      double loss = run(optimizer, rate_for(*name), 9, theta, &problem);
      optimizer_destroy(optimizer);
      optimizer = create(*name, problem.n, killed % 2);
      restore(optimizer, saved);
      assert_true(run(optimizer, rate_for(*name), 9, again, &problem) == loss);
      assert_memory_equal(theta, again, problem.n * sizeof *theta);
      optimizer_destroy(optimizer);
      free(saved);
      free(theta);
      free(again);
    }
  }
}

static void test_threads_give_equal_bits(void **state) {
  (void)state;
  const size_t sizes[] = {1, 63, 64, 65, VECTOR_PARALLEL + 1237};
  int threads_before = omp_get_max_threads();
  for (const char *const *name = optimizer_names(); *name; name++) {
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
      real *one = NULL;
      for (int threads = 1; threads <= 3; threads++) {
        omp_set_num_threads(threads);
        Quadratic problem = {.n = sizes[s]};
        real *theta = zeros(problem.n);
        Optimizer *optimizer = create(*name, problem.n, false);
        run(optimizer, rate_for(*name), 6, theta, &problem);
        optimizer_destroy(optimizer);
        if (!one) one = theta;
        assert_memory_equal(one, theta, problem.n * sizeof *theta);
        if (theta != one) free(theta);
      }
      free(one);
    }
  }
  omp_set_num_threads(threads_before);
}

/* Kingma & Ba 2015, algorithm 1, in double and with pow. */
static double reference_adam(size_t i, double lr, int steps, const OptimizerSettings *settings) {
  double x = 0, m = 0, v = 0, beta1 = settings->beta1, beta2 = settings->beta2;
  for (int t = 1; t <= steps; t++) {
    double g = curvature(i) * (x - centre(i));
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    x -= lr * (m / (1 - pow(beta1, t))) / (sqrt(v / (1 - pow(beta2, t))) + settings->eps);
  }
  return x;
}

static void test_adam_follows_the_formula(void **state) {
  (void)state;
  const OptimizerSettings settings[] = {OPTIMIZER_DEFAULTS, {.beta1 = 0.5, .beta2 = 0.7, .eps = 1}};
  for (int k = 0; k < 20; k++) {
    const OptimizerSettings *used = &settings[k % 2];
    int steps = 1 + k / 2;
    Quadratic problem = {.n = 200};
    real *theta = zeros(problem.n);
    Optimizer *optimizer = NULL;
    assert_int_equal(optimizer_create("adam", used, problem.n, &optimizer), STATUS_OK);
    run(optimizer, 0.01, steps, theta, &problem);
    assert_int_equal(problem.evaluations, steps);
    assert_false(optimizer_converged(optimizer));
    for (size_t i = 0; i < problem.n; i++) {
      assert_true(fabs((double)theta[i] - reference_adam(i, 0.01, steps, used)) < tolerance * 10);
      if (k == 0) assert_true(fabs((double)theta[i] - copysign(0.01, centre(i))) < 1e-6);
    }
    optimizer_destroy(optimizer);
    free(theta);
  }
}

/* An element's bits do not depend on its place in a block, on the length of theta or on where theta
 * lies in memory: the scalar end of a vector loop would show here. */
static void test_adam_elements_are_alike(void **state) {
  (void)state;
  enum { LONGEST = 130 };
  real *longest = zeros(LONGEST);
  Optimizer *optimizer = create("adam", LONGEST, false);
  run(optimizer, 0.01, 20, longest, &(Quadratic){.n = LONGEST});
  optimizer_destroy(optimizer);
  for (size_t n = 1; n < LONGEST; n++) {
    real *memory = zeros(LONGEST + 1), *theta = memory + n % 2;
    optimizer = create("adam", n, false);
    run(optimizer, 0.01, 20, theta, &(Quadratic){.n = n});
    assert_memory_equal(theta, longest, n * sizeof *theta);
    optimizer_destroy(optimizer);
    free(memory);
  }
  free(longest);
}

static void test_schedules(void **state) {
  (void)state;
  const int64_t steps = 1000, warmup = 100;
  assert_true(schedule_rate("constant", 0.3, 0, steps, warmup) == 0.3);
  assert_true(schedule_rate("constant", 0.3, 999, steps, warmup) == 0.3);
  assert_true(schedule_rate("cosine", 0.3, 0, steps, warmup) == 0.3);
  assert_true(fabs(schedule_rate("cosine", 0.3, 500, steps, warmup) - 0.15) < 1e-15);
  assert_true(schedule_rate("cosine", 0.3, steps, steps, warmup) == 0);
  assert_true(fabs(schedule_rate("warmup", 0.3, 0, steps, warmup) - 0.003) < 1e-15);
  assert_true(fabs(schedule_rate("warmup", 0.3, 49, steps, warmup) - 0.15) < 1e-15);
  assert_true(schedule_rate("warmup", 0.3, 99, steps, warmup) == 0.3);
  assert_true(schedule_rate("warmup", 0.3, 999, steps, warmup) == 0.3);
  assert_true(fabs(schedule_rate("warmup_cosine", 0.3, 0, steps, warmup) - 0.003) < 1e-15);
  assert_true(schedule_rate("warmup_cosine", 0.3, warmup, steps, warmup) == 0.3);
  assert_true(fabs(schedule_rate("warmup_cosine", 0.3, 550, steps, warmup) - 0.15) < 1e-15);
  assert_true(schedule_rate("warmup_cosine", 0.3, steps, steps, warmup) == 0);
}

static void test_schedules_rise_then_fall(void **state) {
  (void)state;
  const int64_t warmups[] = {0, 1, 10, 100, 150};
  for (int s = 0; schedule_names[s]; s++) {
    for (int w = 0; w < 5; w++) {
      bool falling = !strstr(schedule_names[s], "warmup");
      double before = 0;
      for (int64_t step = 0; step <= 100; step++) {
        double rate = schedule_rate(schedule_names[s], 2, step, 100, warmups[w]);
        assert_true(rate >= 0 && rate <= 2);
        if (step >= warmups[w]) falling = true;
        if (step) assert_true(falling ? rate <= before || step == warmups[w] : rate > before);
        if (!warmups[w] && !step) assert_true(rate == 2);
        before = rate;
      }
    }
  }
}

static void test_clip(void **state) {
  (void)state;
  real two[2] = {3, -4};
  assert_true(gradient_clip(two, 2, 0) == 5);
  assert_true(two[0] == 3 && two[1] == -4);
  assert_true(gradient_clip(two, 2, 5.1) == 5);
  assert_true(two[0] == 3 && two[1] == -4);
  assert_true(gradient_clip(two, 2, 1) == 5);
  /* torch.nn.utils.clip_grad_norm_: the factor is 1 / (5 + 1e-6). */
  assert_true(fabs((double)two[0] - 3 / 5.000001) < tolerance);
  assert_true(fabs((double)two[1] + 4 / 5.000001) < tolerance);
  real tiny[2] = {REAL(3e-6), REAL(-4e-6)}; /* here the 1e-6 counts */
  assert_true(fabs(gradient_clip(tiny, 2, 3e-6) - 5e-6) < tolerance * 5e-6);
  assert_true(fabs((double)tiny[0] - 1.5e-6) < tolerance * 5e-6);
  real none[3] = {0};
  assert_true(gradient_clip(none, 3, 1) == 0);
  assert_true(none[0] == 0);
}

static void test_sums(void **state) {
  (void)state;
  int threads_before = omp_get_max_threads();
  const size_t sizes[] = {1, 7, 64, 65, 4096, 5000, VECTOR_PARALLEL, VECTOR_PARALLEL + 77};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    size_t n = sizes[s];
    real *a = zeros(n + 1), *b = zeros(n + 1);
    long double dot = 0, norm1 = 0, scale = 0;
    for (size_t i = 0; i < n; i++) {
      a[i] = (real)centre(i);
      b[i] = (real)cos(11.1 * (double)i);
      dot += (long double)a[i] * b[i];
      scale += fabsl((long double)a[i] * b[i]);
      norm1 += fabsl((long double)a[i]);
    }
    a[n] = b[n] = (real)NAN; /* not to be read */
    omp_set_num_threads(1);
    double one = vector_dot(n, a, b), one_norm = vector_norm1(n, a);
    assert_true(fabsl(one - dot) <= 1e-15L * scale);
    assert_true(fabsl(one_norm - norm1) <= 1e-15L * norm1);
    omp_set_num_threads(3);
    assert_true(vector_dot(n, a, b) == one && vector_norm1(n, a) == one_norm);
    free(a);
    free(b);
  }
  omp_set_num_threads(threads_before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table),
      cmocka_unit_test(test_wrong_settings),
      cmocka_unit_test(test_every_optimizer_minimises),
      cmocka_unit_test(test_failure_changes_nothing),
      cmocka_unit_test(test_resume_gives_equal_bits),
      cmocka_unit_test(test_threads_give_equal_bits),
      cmocka_unit_test(test_adam_follows_the_formula),
      cmocka_unit_test(test_adam_elements_are_alike),
      cmocka_unit_test(test_schedules),
      cmocka_unit_test(test_schedules_rise_then_fall),
      cmocka_unit_test(test_clip),
      cmocka_unit_test(test_sums),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
