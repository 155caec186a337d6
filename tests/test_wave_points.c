/* Where the equations of waves are asked for: how evenly points lie, what is near what, weights,
 * and the points of the experiments' own steps. */
#include <math.h>

#include "experiments/pml.h"
#include "experiments/suite.h"
#include "experiments/wave_points.h"
#include "tests/mpi_check.h"
#include "tests/wave_fixture.h"

enum { POINTS = 4096 };

/* ---- Numbers ---- */

/* Chi^2 of the counts in 256 or 512 equal cells, over its mean for random points: about 1 for
 * these, 0 for a grid. */
static double unevenness(const WaveUnits *units) {
  static const int sides[] = {0, 0, 16, 8, 4};
  int counts[512] = {0}, side = sides[units->axes], cells = units->axes == 3 ? 512 : 256;
  double mean = (double)POINTS / cells, sum = 0, u[4];
  for (uint64_t i = 0; i < POINTS; i++) {
    int cell = 0;
    wave_unit(units, i, u);
    for (int k = 0; k < units->axes; k++) {
      assert_true(u[k] >= 0 && u[k] < 1);
      cell = cell * side + (int)(u[k] * side);
    }
    counts[cell]++;
  }
  for (int i = 0; i < cells; i++) sum += (counts[i] - mean) * (counts[i] - mean) / mean;
  return sum / (cells - 1);
}

/* The deviation of random points' is sqrt(2 / 255) = 9 %. */
static void test_evenness(void **state) {
  (void)state;
  static const double bounds[] = {0, 0, 0.1, 0.5, 0.5};
  for (int axes = 2; axes <= 4; axes++) {
    for (uint64_t step = 0; step < 5; step++) {
      double random = unevenness(&(WaveUnits){{3, RANDOM_SPACE, step}, axes, false});
      double even = unevenness(&(WaveUnits){{3, RANDOM_SPACE, step}, axes, true});
      if (!(random > 0.65 && random < 1.35)) fail_msg("%d axes: %g", axes, random);
      if (!(even < bounds[axes])) fail_msg("%d axes: %g", axes, even);
    }
  }
}

/* Another step shifts an even sequence as a whole, and draws random points anew. */
static void test_steps(void **state) {
  (void)state;
  WaveUnits first = {{3, RANDOM_SPACE, 7}, 3, true}, second = {{3, RANDOM_SPACE, 8}, 3, true};
  WaveUnits random = {{3, RANDOM_SPACE, 7}, 3, false}, other = {{3, RANDOM_SPACE, 8}, 3, false};
  double a[3], b[3], shift[3];
  wave_unit(&first, 0, a);
  wave_unit(&second, 0, b);
  for (int k = 0; k < 3; k++) shift[k] = b[k] - a[k];
  assert_true(fabs(shift[0]) > 1e-3 && fabs(shift[0] - shift[1]) > 1e-3);
  for (uint64_t i = 1; i < 100; i++) {
    wave_unit(&first, i, a);
    wave_unit(&second, i, b);
    for (int k = 0; k < 3; k++) {
      double rest = b[k] - a[k] - shift[k];
      assert_true(fabs(rest - round(rest)) < 1e-12);
    }
    wave_unit(&random, i, a);
    wave_unit(&other, i, b);
    assert_true(a[0] != b[0] && a[1] != b[1] && a[2] != b[2]);
  }
}

/* ---- Places ---- */

/* Share of the points of which x[axis] lies in (from, to). */
static double share_between(const real *x, int axis, double from, double to) {
  int n = 0;
  for (int i = 0; i < POINTS; i++)
    n += (double)x[2 * i + axis] > from && (double)x[2 * i + axis] < to;
  return (double)n / POINTS;
}

static void test_box_share(void **state) {
  (void)state;
  static real x[2 * POINTS];
  WaveUnits units = {{1, RANDOM_SPACE, 0}, 2, true};
  for (int k = 1; k <= 9; k += 2) {
    double share = k / 10.;
    for (int i = 0; i < POINTS; i++) {
      double u[2];
      wave_unit(&units, (uint64_t)i, u);
      wave_point(u, share, x + 2 * i);
    }
    for (int axis = 0; axis < 2; axis++) {
      assert_float_equal(share_between(x, axis, -0.5, 0.5), share, 3e-3);
      assert_float_equal(share_between(x, axis, 0, 0.25), share / 4, 3e-3);
      assert_float_equal(share_between(x, axis, -0.75, -0.5), (1 - share) / 4, 3e-3);
      assert_float_equal(share_between(x, axis, -1, 1), 1, 1e-3);
    }
  }
}

/* Shares of the points within four distances from a place, and to its right. */
static void check_near(WaveFocus focus, const double distance[4], const double share[4]) {
  WaveUnits units = {{1, RANDOM_SPACE, 0}, 2, false};
  int within[4] = {0}, right = 0;
  for (int i = 0; i < POINTS; i++) {
    double u[2];
    real x[2];
    wave_unit(&units, (uint64_t)i, u);
    wave_point_near(u, &focus, x);
    double dx = (double)x[0] - focus.x[0], dy = (double)x[1] - focus.x[1], r = hypot(dx, dy);
    assert_true(r <= focus.radius * (1 + 1e-6));
    assert_true(r >= focus.core * (1 - 1e-4));
    for (int k = 0; k < 4; k++) within[k] += r < distance[k];
    right += dx > 0;
  }
  for (int k = 0; k < 4; k++) assert_float_equal((double)within[k] / POINTS, share[k], 0.03);
  assert_float_equal((double)right / POINTS, 0.5, 0.03);
}

static void test_near(void **state) {
  (void)state;
  WaveFocus disc = {{0.2, -0.1}, 0, 0.05}, cone = {{0.2, -0.1}, 0.005, 0.5};
  check_near(disc, (const double[]){0.0125, 0.025, 0.0375, 0.05},
             (const double[]){1 / 16., 1 / 4., 9 / 16., 1});
  double root = sqrt(0.005 * 0.5); /* the middle of the logarithms */
  check_near(cone, (const double[]){sqrt(0.005 * root), root, sqrt(0.5 * root), 0.5},
             (const double[]){0.25, 0.5, 0.75, 1});
}

/* ---- Weights and the pulse ---- */

static void test_weights(void **state) {
  (void)state;
  Config *config = wave_config("helmholtz", "");
  WavePlan plan;
  const double source[2] = {0.1, 0};
  assert_int_equal(wave_plan_read(config, "helmholtz", &plan), STATUS_OK);
  assert_false(plan.even);
  assert_true(wave_weight(&plan, source, (const double[]){0.9, -0.8}) == 1);
  assert_true(wave_weight(&plan, source, source) == 1);
  config_destroy(config);

  config = wave_config("fwi",
                       "fwi.points=even fwi.source_core=0.004 fwi.weight_radius=0.2 "
                       "fwi.weight_layer=3 fwi.box_share=0.7 fwi.source_radius=0.4");
  assert_int_equal(wave_plan_read(config, "fwi", &plan), STATUS_OK);
  assert_true(plan.even && plan.box_share == 0.7 && plan.core == 0.004 && plan.radius == 0.4);
  static const struct {
    double x[2], weight;
  } known[] = {{{0.1, 0}, 0.05}, /* 2.5 cores over the radius */
               {{0.1, 0.1}, 0.5}, {{0.4, -0.3}, 1},           {{0.4, 0.75}, 1 / (1 + 3 * 0.25)},
               {{-1, 0}, 1 / 4.}, {{1, -0.75}, 1 / 4. / 1.75}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    assert_true(fabs(wave_weight(&plan, source, known[i].x) - known[i].weight) < 1e-12);
  }
  config_destroy(config);
}

static void test_refused(void **state) {
  (void)state;
  static const char *const cores[] = {"helmholtz.source_core=0.05",
                                      "helmholtz.source_core=0.2 helmholtz.source_radius=0.1"};
  for (int i = 0; i < 2; i++) {
    WavePlan plan;
    Config *config = wave_config("helmholtz", cores[i]);
    assert_int_equal(wave_plan_read(config, "helmholtz", &plan), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "helmholtz.source_core"));
    config_destroy(config);
  }
  Config *config = wave_config("wave", "");
  assert_int_equal(wave_points_check(config, 1), STATUS_OK);
  assert_int_equal(wave_points_check(config, 0), STATUS_USAGE);
  assert_non_null(strstr(status_message(), "train.samples"));
  config_destroy(config);
}

static void test_pulse(void **state) {
  (void)state;
  WavePulse pulse = {{0.1, -0.2}, 0.02, 5e-4};
  double end = sqrt(-2 * pulse.variance * log(1e-5 / pulse.height)); /* paper.md 7: 0.087 */
  assert_float_equal(end, 0.087, 5e-4);
  assert_true(wave_pulse(&pulse, pulse.x) == 0.02);
  assert_float_equal(wave_pulse(&pulse, (const double[]){0.1, -0.2 + sqrt(5e-4)}), 0.02 * exp(-0.5),
                     1e-12);
  assert_true(wave_pulse(&pulse, (const double[]){0.1 + end * 0.999, -0.2}) >= 1e-5);
  assert_true(wave_pulse(&pulse, (const double[]){0.1 + end * 1.001, -0.2}) == 0);
}

/* ---- The experiments' steps ---- */

typedef struct {
  Config *config;
  Setup setup;
  int64_t n;
  int in, width;
  real *x, *data, *weights; /* of a step */
} Step;

static void draw(Step *s, const char *experiment, const char *options, uint64_t step) {
  s->config = wave_config(experiment, options);
  assert_int_equal(suite_setup(world, s->config, 1, &s->setup), STATUS_OK);
  const Domain *domain = &s->setup.problem.domains[0];
  s->n = domain->samples;
  s->in = s->setup.network.spec.in;
  s->width = domain->data_width;
  s->x = malloc((size_t)(s->n * s->in) * sizeof(real));
  s->data = malloc((size_t)(s->n * s->width) * sizeof(real));
  s->weights = domain->operator_weights ? malloc((size_t)(s->n * s->in) * sizeof(real)) : NULL;
  domain->draw(domain->source, step, 0, (int)s->n, s->x, s->data, s->weights);
}

static void drop(Step *s) {
  suite_destroy(&s->setup);
  config_destroy(s->config);
  free(s->x);
  free(s->data);
  free(s->weights);
}

/* In blocks of 7, backwards: the same points, whatever block they are in. */
static void check_blocks(const char *experiment, const char *options, uint64_t step) {
  Step s;
  draw(&s, experiment, options, step);
  const Domain *domain = &s.setup.problem.domains[0];
  for (int64_t first = (s.n - 1) / 7 * 7; first >= 0; first -= 7) {
    real x[7 * 3], data[7 * 40], weights[7 * 3];
    int rows = (int)(s.n - first < 7 ? s.n - first : 7);
    domain->draw(domain->source, step, first, rows, x, data, s.weights ? weights : NULL);
    size_t count = (size_t)(rows * s.in) * sizeof(real);
    assert_memory_equal(x, s.x + first * s.in, count);
    assert_memory_equal(data, s.data + first * s.width, (size_t)(rows * s.width) * sizeof(real));
    if (s.weights) assert_memory_equal(weights, s.weights + first * s.in, count);
  }
  drop(&s);
}

#define SMALL "network.width=8 network.layers=1 train.samples=400 train.steps=100 "

static void test_blocks(void **state) {
  (void)state;
  for (int even = 0; even < 2; even++) {
    const char *points = even ? "even" : "random";
    char options[256];
    snprintf(options, sizeof options, SMALL "helmholtz.points=%s", points);
    check_blocks("helmholtz", options, 9);
    snprintf(options, sizeof options,
             SMALL "fwi.source_samples=40 fwi.pretrain_steps=10 fwi.fields=one fwi.points=%s",
             points);
    check_blocks("fwi", options, 9);
    check_blocks("fwi", options, 10);
    snprintf(options, sizeof options,
             SMALL "wave.near_samples=80 wave.initial_samples=60 wave.near=front wave.points=%s",
             points);
    check_blocks("wave", options, 50);
  }
}

/* Of helmholtz's data, the right side stands behind the equation's coefficients and m. */
static void test_helmholtz(void **state) {
  (void)state;
  Step s;
  draw(&s, "helmholtz", SMALL "helmholtz.source_samples=90 helmholtz.source_x=0.3", 5);
  PmlSource source = {{0.3, 0}};
  int near = 0;
  for (int64_t i = 0; i < s.n; i++) {
    double at[2] = {(double)s.x[2 * i], (double)s.x[2 * i + 1]};
    bool close = hypot(at[0] - 0.3, at[1]) <= 0.05 * (1 + 1e-6);
    near += close;
    if (i >= s.n - 90) assert_true(close);
    assert_true(s.data[i * s.width + PML_WIDTH] == 1);
    assert_true(s.data[i * s.width + PML_WIDTH + 1] == (real)pml_source(&source, at));
  }
  assert_true(near >= 90 && near < 97); /* 0.6 of the others come by chance */
  drop(&s);
}

/* fwi's data behind the coefficients: how m follows from q (0: 1 + q, 1: bounded, 2: m = 1), 1
 * where m shall be 1, whose equation (-1: all), f of the 5 sources, real and imaginary parts of
 * what is received. */
enum { KIND = PML_WIDTH, UNIFORM, CHOSEN, FIRST_SOURCE, RECEIVED = FIRST_SOURCE + 5 };

static void check_stage(const Step *s, bool pretrain) {
  for (int64_t i = 0; i < s->n; i++) {
    const real *x = s->x + 2 * i, *data = s->data + i * s->width;
    bool beyond = fabs((double)x[0]) > 0.75 || fabs((double)x[1]) > 0.75;
    assert_int_equal((int)data[KIND], pretrain ? 0 : beyond ? 2 : 1);
    assert_int_equal((int)data[UNIFORM], pretrain);
    assert_int_equal((int)data[CHOSEN], -1);
    int received = 0;
    for (int k = 0; k < 10; k++) received += data[RECEIVED + k] != 0;
    assert_int_equal(received, !pretrain && i < 30 ? 10 : 0);
    /* The last points are near the sources, in turn. */
    int64_t turn = (i - (s->n - 5 * 40)) / 40;
    if (i < s->n - 5 * 40) continue;
    double source[2] = {-0.34705882 + 0.17352941 * (double)turn, -0.34705882};
    assert_true(hypot((double)x[0] - source[0], (double)x[1] - source[1]) <= 0.05 * (1 + 1e-6));
    assert_true(data[FIRST_SOURCE + turn] > 0);
  }
  assert_float_equal(s->x[0], -0.34705882, 1e-6);
  assert_float_equal(s->x[1], 0.40196078, 1e-6);
}

static void test_stages(void **state) {
  (void)state;
  for (uint64_t step = 9; step <= 10; step++) {
    Step s;
    draw(&s, "fwi", SMALL "fwi.source_samples=40 fwi.pretrain_steps=10", step);
    check_stage(&s, step < 10);
    drop(&s);
  }
}

/* Of 600 points, 30 receivers ask for the sources' equations in turn, the 370 points of the square
 * in five runs; of the 40 points near a source 20 for its own and 5 for each of the others. */
static int asked_equation(int64_t i) {
  if (i < 30) return (int)(i % 5);
  if (i < 400) return (int)((i - 30) / 74);
  int64_t source = (i - 400) / 40, turn = (i - 400) % 40;
  return (int)(turn < 20 ? source : (source + 1 + (turn - 20) / 5) % 5);
}

static void test_one_field(void **state) {
  (void)state;
  Step s;
  draw(&s, "fwi", SMALL "train.samples=600 fwi.source_samples=40 fwi.fields=one", 3);
  for (int64_t i = 0; i < s.n; i++) {
    assert_int_equal((int)s.data[i * s.width + CHOSEN], asked_equation(i));
  }
  drop(&s);
}

/* The first stage's equation knows the medium then, and the second one's where it is out of reach;
 * the first source's points say that it is uniform. */
static void test_one_field_medium(void **state) {
  (void)state;
  for (int pretrain = 0; pretrain < 2; pretrain++) {
    Step s;
    draw(&s, "fwi",
         SMALL
         "train.samples=600 fwi.source_samples=40 fwi.fields=one fwi.reach=0.3 "
         "fwi.pretrain_steps=4",
         pretrain ? 3 : 4);
    for (int64_t i = 0; i < s.n; i++) {
      const real *x = s.x + 2 * i, *data = s.data + i * s.width;
      bool beyond = fabs((double)x[0]) > 0.3 || fabs((double)x[1]) > 0.3;
      assert_int_equal((int)data[KIND], pretrain || beyond ? 2 : 1);
      assert_int_equal((int)data[UNIFORM], pretrain && asked_equation(i) == 0);
    }
    drop(&s);
  }
}

/* wave's data: the pulse, whether the initial condition and the equation are asked for. */
enum { PULSE, INITIAL, EQUATION };

#define WAVE SMALL "train.samples=2000 wave.near_samples=500 wave.initial_samples=300 "

static void check_wave(const Step *s, double end, int near_least, int near_most) {
  int initial = 0, near = 0, late = 0;
  for (int64_t i = 0; i < s->n; i++) {
    const real *x = s->x + 3 * i, *data = s->data + i * s->width;
    double time = (double)x[0];
    assert_true(time >= 0 && time <= end * (1 + 1e-6));
    assert_true((time == 0) == (data[INITIAL] != 0));
    assert_true(data[EQUATION] == 1);
    assert_true(s->weights[3 * i] == 1 && s->weights[3 * i + 1] == -1 &&
                s->weights[3 * i + 2] == -1);
    initial += time == 0;
    late += time > end / 2;
    near += hypot((double)x[1], (double)x[2]) <= 0.25 * (1 + 1e-6);
  }
  assert_int_equal(initial, 300);
  assert_true(abs(late - 850) < 100);
  /* Of the others, 5 % come near by chance: 74, give or take 9. */
  if (near < near_least || near > near_most) fail_msg("%d points are near", near);
}

static void test_wave(void **state) {
  (void)state;
  Step s;
  draw(&s, "wave", WAVE, 50);
  check_wave(&s, 0.2, 500 + 40, 500 + 110);
  for (int64_t i = s.n - 500; i < s.n; i++) {
    assert_true(hypot((double)s.x[3 * i + 1], (double)s.x[3 * i + 2]) <= 0.25 * (1 + 1e-6));
  }
  drop(&s);
  draw(&s, "wave", WAVE "wave.points=even wave.growth=0.5 wave.horizon=0.3", 50);
  check_wave(&s, 0.3, 500 + 60, 500 + 90);
  drop(&s);
}

/* The first steps ask for the initial condition alone; so does time 0. */
static void test_wave_pretrained(void **state) {
  (void)state;
  static const struct {
    const char *options;
    uint64_t step;
    double time;
  } first[] = {{WAVE "wave.pretrain_steps=20", 19, 0.001}, {WAVE, 0, 0}};
  for (int k = 0; k < 2; k++) {
    Step s;
    draw(&s, "wave", first[k].options, first[k].step);
    double least = 0, most = 0;
    for (int64_t i = 0; i < s.n; i++) {
      assert_true(s.data[i * s.width + INITIAL] == 1 && s.data[i * s.width + EQUATION] == 0);
      least = fmin(least, (double)s.x[3 * i]);
      most = fmax(most, (double)s.x[3 * i]);
    }
    assert_float_equal(least, -first[k].time, 1e-5);
    assert_float_equal(most, first[k].time, 1e-5);
    drop(&s);
  }
}

/* Near the circle that the pulse has reached at a point's time. */
static void test_front(void **state) {
  (void)state;
  Step s;
  draw(&s, "wave", WAVE "wave.near=front wave.near_radius=0.05 wave.source_x=0.2", 100);
  int outer = 0, ring = 0;
  for (int64_t i = s.n - 500; i < s.n; i++) {
    double time = (double)s.x[3 * i];
    double r = hypot((double)s.x[3 * i + 1] - 0.2, (double)s.x[3 * i + 2]);
    assert_true(r <= time + 0.05 + 1e-6 && r >= time - 0.05 - 1e-6);
    ring += time > 0.05;
    outer += time > 0.05 && r > time;
  }
  assert_true(ring > 100 && abs(2 * outer - ring) < 4 * sqrt(ring));
  drop(&s);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_evenness),  cmocka_unit_test(test_steps),
      cmocka_unit_test(test_box_share), cmocka_unit_test(test_near),
      cmocka_unit_test(test_weights),   cmocka_unit_test(test_refused),
      cmocka_unit_test(test_pulse),     cmocka_unit_test(test_blocks),
      cmocka_unit_test(test_helmholtz), cmocka_unit_test(test_stages),
      cmocka_unit_test(test_one_field), cmocka_unit_test(test_one_field_medium),
      cmocka_unit_test(test_wave),      cmocka_unit_test(test_wave_pretrained),
      cmocka_unit_test(test_front),
  };
  mpi_check_main(argc, argv, tests);
}
