/* Wave equation: the closed form, the solver against it, its order in space, exactness in time,
 * energy, threads, a disc, its own error, bad numbers. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "experiments/cell_mean.h"
#include "experiments/reference_wave.h"

static const double peak = 0.02;

static double node(int n, int i) {
  return -1 + 2. / (n - 1) * i;
}

static double *new_grid(int count) {
  double *grid = calloc((size_t)count, sizeof *grid);
  assert_non_null(grid);
  return grid;
}

/* A Gaussian at (x, y), in a medium of c = 2 within a radius of the origin. */
typedef struct {
  double variance, x, y, radius;
} Scene;

static double slowness(double x, double y, const void *context) {
  return hypot(x, y) < ((const Scene *)context)->radius ? 0.25 : 1;
}

static void set_scene(int n, double *slowness2, double *u0, const void *context) {
  const Scene *scene = context;
  for (int i = 0; i < n * n; i++) {
    double x = node(n, i / n), y = node(n, i % n), r = hypot(x - scene->x, y - scene->y);
    slowness2[i] = cell_mean(slowness, scene, x, y, 2. / (n - 1));
    u0[i] = peak * exp(-r * r / (2 * scene->variance));
  }
}

static double *solve(int n, const Scene *scene, int n_times, const double *times) {
  double *slowness2 = new_grid(n * n), *u0 = new_grid(n * n), *u = new_grid(n_times * n * n);
  set_scene(n, slowness2, u0, scene);
  WaveGrid grid = {.n = n, .slowness2 = slowness2, .u0 = u0};
  assert_int_equal(reference_wave(&grid, n_times, times, u), STATUS_OK);
  free(slowness2);
  free(u0);
  return u;
}

static double largest_gap(int count, const double *a, const double *b) {
  double largest = 0;
  for (int i = 0; i < count; i++) largest = fmax(largest, fabs(a[i] - b[i]));
  return largest;
}

/* At r = 0 the integral is u0's, 1 - 2 x F(x) with x = t / sqrt(2 variance) and Dawson's F. */
static void test_closed_form(void **context) {
  (void)context;
  double variance = 5e-4;
  for (int i = 0; i < 10; i++) {
    double r = 0.01 * i, u0 = peak * exp(-r * r / (2 * variance));
    assert_float_equal(reference_wave_uniform(peak, variance, r, 0), u0, 1e-14);
  }
  static const double dawson[][2] = {{0.5, 0.4244363835020223},
                                     {1, 0.5380795069127684},
                                     {2, 0.3013403889237920},
                                     {10, 0.05025384718759853}};
  for (size_t i = 0; i < sizeof dawson / sizeof *dawson; i++) {
    double x = dawson[i][0], expected = peak * (1 - 2 * x * dawson[i][1]);
    double t = x * sqrt(2 * variance);
    assert_float_equal(reference_wave_uniform(peak, variance, 0, t), expected, 1e-13);
  }
  /* u_tt = u_rr + u_r / r */
  double h = 1e-3, r = 0.21, t = 0.2, at = reference_wave_uniform(peak, variance, r, t);
  double out = reference_wave_uniform(peak, variance, r + h, t);
  double in = reference_wave_uniform(peak, variance, r - h, t);
  double later = reference_wave_uniform(peak, variance, r, t + h);
  double before = reference_wave_uniform(peak, variance, r, t - h);
  double laplacian = (out - 2 * at + in) / (h * h) + (out - in) / (2 * h * r);
  assert_float_equal((later - 2 * at + before) / (h * h), laplacian, 2e-3 * fabs(laplacian));
  assert_true(reference_wave_uniform(peak, variance, 1, 0.2) == 0);
}

static void test_order(void **context) {
  (void)context;
  Scene scene = {.variance = 2e-3};
  double times[3] = {0.3, 0, 0.137}, gaps[2]; /* in any order */
  for (int level = 0; level < 2; level++) {
    int n = level ? 145 : 97;
    double *u = solve(n, &scene, 3, times), *expected = new_grid(n * n);
    gaps[level] = 0;
    for (int t = 0; t < 3; t++) {
      reference_wave_uniform_field(peak, scene.variance, times[t], n, expected);
      double gap = largest_gap(n * n, u + t * n * n, expected) / peak;
      if (times[t] == 0) assert_true(gap < 1e-12);
      gaps[level] = fmax(gaps[level], gap);
    }
    free(u);
    free(expected);
  }
  double rate = log(gaps[0] / gaps[1]) / log(1.5);
  print_message("largest error %.1e, then %.1e of the peak: order %.2f\n", gaps[0], gaps[1], rate);
  assert_true(rate > 7 && gaps[1] < 1e-5);
}

/* cos^2 = (1 + cos of twice) / 2: u(2t) from two legs of t, to rounding, with a disc. */
static void test_time(void **context) {
  (void)context;
  enum { SIDE = 65 };
  Scene scene = {.variance = 2e-3, .x = -0.15, .radius = 0.1};
  double times[2] = {0.2, 0.4}, *slowness2 = new_grid(SIDE * SIDE), *u0 = new_grid(SIDE * SIDE);
  double *u = solve(SIDE, &scene, 2, times), *again = new_grid(SIDE * SIDE);
  set_scene(SIDE, slowness2, u0, &scene);
  WaveGrid grid = {.n = SIDE, .slowness2 = slowness2, .u0 = u};
  assert_int_equal(reference_wave(&grid, 1, times, again), STATUS_OK);
  for (int i = 0; i < SIDE * SIDE; i++) again[i] = 2 * again[i] - u0[i];
  assert_true(largest_gap(SIDE * SIDE, again, u + SIDE * SIDE) < 1e-13 * peak);
  free(slowness2);
  free(u0);
  free(u);
  free(again);
}

/* sum u_t^2 / c^2 - u Lap u, the derivative by central differences in time. */
static double energy(int n, const double *slowness2, const double *u[3], double step) {
  static const double weight[5] = {-205. / 72, 8. / 5, -1. / 5, 8. / 315, -1. / 560};
  double sum = 0, density = 0.25 * (n - 1) * (n - 1);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      double velocity = (u[2][i * n + j] - u[0][i * n + j]) / (2 * step), laplacian = 0;
      for (int s = -4; s <= 4; s++) {
        if (i + s >= 0 && i + s < n) laplacian += weight[abs(s)] * u[1][(i + s) * n + j];
        if (j + s >= 0 && j + s < n) laplacian += weight[abs(s)] * u[1][i * n + j + s];
      }
      sum += velocity * velocity * slowness2[i * n + j] - u[1][i * n + j] * laplacian * density;
    }
  }
  return sum;
}

static void test_energy(void **context) {
  (void)context;
  enum { SIDE = 129, STEPS = 4 };
  Scene scene = {.variance = 5e-4, .x = -0.15, .y = 0.05, .radius = 0.1};
  double times[3 * STEPS], step = 1e-5, *slowness2 = new_grid(SIDE * SIDE);
  for (int i = 0; i < 3 * STEPS; i++) {
    times[i] = fabs(0.1 * (i / 3) + step * (i % 3 - 1)); /* u is even in time */
  }
  double *u = solve(SIDE, &scene, 3 * STEPS, times), *u0 = new_grid(SIDE * SIDE), first = 0;
  set_scene(SIDE, slowness2, u0, &scene);
  for (int i = 0; i < STEPS; i++) {
    const double *three[3] = {u + 3 * i * SIDE * SIDE, u + (3 * i + 1) * SIDE * SIDE,
                              u + (3 * i + 2) * SIDE * SIDE};
    double now = energy(SIDE, slowness2, three, step);
    if (i == 0) first = now;
    assert_true(first > 0);
    assert_float_equal(now / first, 1, 1e-6);
  }
  free(slowness2);
  free(u0);
  free(u);
}

static void test_threads(void **context) {
  (void)context;
  enum { SIDE = 150 };
  Scene scene = {.variance = 2e-3, .x = 0.2, .radius = 0.1};
  double time = 0.05, *u[2];
  for (int i = 0; i < 2; i++) {
    omp_set_num_threads(i ? 2 : 1);
    u[i] = solve(SIDE, &scene, 1, &time);
  }
  omp_set_num_threads(1);
  assert_memory_equal(u[0], u[1], SIDE * SIDE * sizeof(double));
  free(u[0]);
  free(u[1]);
}

/* With the cells' means a disc costs the order, but converges with the second. */
static void test_own_error(void **context) {
  (void)context;
  double time = 0.3, errors[3], *expected = new_grid(97 * 97);
  Scene disc = {.variance = 2e-3, .x = -0.2, .radius = 0.1}, uniform = {.variance = 2e-3};
  for (int i = 0; i < 2; i++) {
    assert_int_equal(reference_wave_error(i ? 97 : 49, 1, &time, set_scene, &disc, &errors[i]),
                     STATUS_OK);
  }
  print_message("disc: own error %.1e, then %.1e\n", errors[0], errors[1]);
  assert_true(errors[1] < 1e-2 && errors[0] > 3 * errors[1]);
  assert_int_equal(reference_wave_error(97, 1, &time, set_scene, &uniform, &errors[2]), STATUS_OK);
  double *u = solve(97, &uniform, 1, &time), gap = 0, size = 0;
  reference_wave_uniform_field(peak, uniform.variance, time, 97, expected);
  for (int i = 0; i < 97 * 97; i++) {
    gap += (u[i] - expected[i]) * (u[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  assert_float_equal(errors[2] / sqrt(gap / size), 1, 0.1);
  free(u);
  free(expected);
}

static void test_bad_numbers(void **context) {
  (void)context;
  enum { SIDE = 9 };
  double ones[SIDE * SIDE], bad[SIDE * SIDE], u[SIDE * SIDE], time = 0.1, wrong = -1, late = 1e9;
  for (int i = 0; i < SIDE * SIDE; i++) ones[i] = bad[i] = 1;
  bad[11] = 0;
  WaveGrid medium = {.n = SIDE, .slowness2 = bad, .u0 = ones};
  assert_int_equal(reference_wave(&medium, 1, &time, u), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "node (1, 2)"));
  bad[11] = NAN;
  WaveGrid field = {.n = SIDE, .slowness2 = ones, .u0 = bad};
  assert_int_equal(reference_wave(&field, 1, &time, u), STATUS_FAILED);
  WaveGrid good = {.n = SIDE, .slowness2 = ones, .u0 = ones};
  assert_int_equal(reference_wave(&good, 1, &wrong, u), STATUS_FAILED);
  assert_int_equal(reference_wave(&good, 1, &late, u), STATUS_FAILED);
  assert_int_equal(reference_wave(&good, 1, &time, u), STATUS_OK);
}

int main(void) {
  omp_set_num_threads(1); /* threads that wait for each other waste a busy machine's time */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_closed_form), cmocka_unit_test(test_order),
      cmocka_unit_test(test_time),        cmocka_unit_test(test_energy),
      cmocka_unit_test(test_threads),     cmocka_unit_test(test_own_error),
      cmocka_unit_test(test_bad_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
