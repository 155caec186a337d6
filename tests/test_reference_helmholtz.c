/* Finite differences for Helmholtz: a made solution (orders, axes, stretched coordinates), closed
 * forms with and without a disc, several sources, the solver's own error, bad numbers. */
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/linalg.h"
#include "experiments/cell_mean.h"
#include "experiments/cylinder.h"
#include "experiments/reference_helmholtz.h"

static double node(int n, int i) {
  return -1 + 2. / (n - 1) * i;
}

static double complex *new_field(int count) {
  double complex *field = calloc((size_t)count, sizeof *field);
  assert_non_null(field);
  return field;
}

/* ---- A made solution: u = X(x) Y(y), e_x = exp(j (b x - 0.6)), a medium without symmetry ---- */

static const double made_b = 0.4, made_k = 6, made_width = 0.16;

static double complex made_stretch(const void *context, double x) {
  (void)context;
  return cexp(I * (made_b * x - 0.6));
}

/* A Gaussian around `centre`, and d/dx(1/e dX/dx). */
static double complex made_factor(double x, double centre, double complex *operated) {
  double t = (x - centre) / made_width, g = exp(-0.5 * t * t);
  double slope = -t / made_width * g, second = (t * t - 1) / (made_width * made_width) * g;
  *operated = (second - I * made_b * slope) / made_stretch(NULL, x);
  return g;
}

static double complex made(int n, int i, int j, double *m, double complex *f) {
  double x = node(n, i), y = node(n, j);
  double complex of_x, of_y, u_x = made_factor(x, 0.1, &of_x), u_y = made_factor(y, -0.2, &of_y);
  double complex e_x = made_stretch(NULL, x), e_y = made_stretch(NULL, y);
  *m = 1 + 0.4 * x - 0.2 * y;
  *f = e_y * of_x * u_y + e_x * of_y * u_x + e_x * e_y * *m * made_k * made_k * u_x * u_y;
  return u_x * u_y;
}

static double made_error(int n, int order) {
  double *m = calloc((size_t)(n * n), sizeof *m);
  double complex *u = new_field(n * n), *expected = new_field(n * n);
  assert_non_null(m);
  for (int i = 0; i < n * n; i++) expected[i] = made(n, i / n, i % n, &m[i], &u[i]);
  HelmholtzGrid grid = {.n = n, .k = made_k, .stretch = made_stretch, .m = m};
  assert_int_equal(reference_helmholtz(&grid, order, 1, u, u, NULL), STATUS_OK);
  double largest = 0;
  for (int i = 0; i < n * n; i++) largest = fmax(largest, cabs(u[i] - expected[i]));
  free(m);
  free(u);
  free(expected);
  return largest;
}

static void test_orders(void **context) {
  (void)context;
  static const double largest[] = {2e-2, 2e-3, 5e-4};
  for (int o = 0; o < 3; o++) {
    int order = 2 + 2 * o;
    double coarse = made_error(41, order), fine = made_error(61, order);
    double rate = log(coarse / fine) / log(1.5);
    print_message("order %d: error %.2e, then %.2e, order %.2f\n", order, coarse, fine, rate);
    assert_true(rate > order - 0.4 && fine < largest[o]);
  }
}

/* ---- The paper's layers ---- */

static double complex layers(const void *context, double x) {
  (void)context;
  double depth = fmax(0, fabs(x) - 0.5) / 0.5;
  return 1 - I * 5 * depth * depth;
}

/* k = 10, a source that these grids resolve, and a disc of half the wavenumber or none. */
typedef struct {
  double k, s, source_x, radius;
} Scene;

static double slowness(double x, double y, const void *context) {
  return hypot(x, y) < ((const Scene *)context)->radius ? 0.25 : 1;
}

static void set_scene(int n, int n_sources, double *m, double complex *f, const void *context) {
  const Scene *scene = context;
  for (int i = 0; i < n * n; i++) {
    double x = node(n, i / n), y = node(n, i % n), h = 2. / (n - 1);
    m[i] = cell_mean(slowness, scene, x, y, h);
    for (int source = 0; source < n_sources; source++) { /* the second is above the first */
      double r = hypot(x - scene->source_x, y - 0.1 * source);
      f[source * n * n + i] = (1 + I) * exp(-r * r / (2 * scene->s)) / (2 * M_PI * scene->s);
    }
  }
}

/* Relative L2 distance from the closed form in [-0.5,0.5]^2, outside of the sources. */
static double distance(int n, int n_sources, const double complex *u, const Scene *scene) {
  Cylinder cylinder;
  double inner = scene->radius > 0 ? scene->k / 2 : scene->k;
  cylinder_start(scene->k, inner, fmax(scene->radius, 0.05), scene->s, &cylinder);
  double difference = 0, size = 0;
  for (int p = 0; p < n_sources * n * n; p++) {
    double x = node(n, p % (n * n) / n), y = node(n, p % n), above = 0.1 * (p / (n * n));
    if (fabs(x) > 0.5 || fabs(y) > 0.5) continue;
    double r = hypot(x - scene->source_x, y - above);
    if (r < 7 * sqrt(scene->s)) continue;
    double complex expected = scene->radius > 0
                                  ? cylinder_field(&cylinder, scene->source_x, above, x, y)
                                  : cylinder_free(scene->k, scene->s, r);
    difference += pow(cabs(u[p] - expected), 2);
    size += pow(cabs(expected), 2);
  }
  return sqrt(difference / size);
}

static double scene_error(int n, int order, int n_sources, const Scene *scene) {
  double *m = calloc((size_t)(n * n), sizeof *m);
  double complex *u = new_field(n_sources * n * n);
  assert_non_null(m);
  set_scene(n, n_sources, m, u, scene);
  HelmholtzGrid grid = {.n = n, .k = scene->k, .stretch = layers, .m = m};
  assert_int_equal(reference_helmholtz(&grid, order, n_sources, u, u, NULL), STATUS_OK);
  double error = distance(n, n_sources, u, scene);
  free(m);
  free(u);
  return error;
}

static void test_free_space(void **context) {
  (void)context;
  Scene scene = {.k = 10, .s = 1e-3};
  double second = scene_error(97, 2, 2, &scene), coarse = scene_error(49, 4, 2, &scene);
  double fine = scene_error(97, 4, 2, &scene);
  print_message("order 2: %.2e; order 4: %.2e, then %.2e\n", second, coarse, fine);
  assert_true(second < 2e-2 && coarse < 1e-2 && fine < 2e-4);
}

static void test_disc(void **context) {
  (void)context;
  Scene scene = {.k = 10, .s = 1e-3, .source_x = -0.4, .radius = 0.12};
  double coarse = scene_error(49, 4, 2, &scene), fine = scene_error(97, 4, 2, &scene);
  print_message("disc: %.2e, then %.2e\n", coarse, fine);
  assert_true(coarse < 1e-2 && fine < 1e-3);
}

/* The difference from the finer grid is about the error; within the source it is larger. */
static void test_own_error(void **context) {
  (void)context;
  Scene scene = {.k = 10, .s = 1e-3, .source_x = -0.3};
  for (int order = 2; order <= 4; order += 2) {
    double own, found = scene_error(49, order, 1, &scene);
    assert_int_equal(
        reference_helmholtz_error(&(HelmholtzGrid){.n = 49, .k = scene.k, .stretch = layers}, order,
                                  1, set_scene, &scene, &own),
        STATUS_OK);
    print_message("order %d: own error %.2e, found %.2e\n", order, own, found);
    assert_true(own > 0.5 * found && own < 6 * found);
  }
}

static void test_bad_numbers(void **context) {
  (void)context;
  enum { SIDE = 16 };
  double m[SIDE * SIDE];
  double complex f[SIDE * SIDE] = {0};
  for (int i = 0; i < SIDE * SIDE; i++) m[i] = 1;
  HelmholtzGrid grid = {.n = SIDE, .k = 5, .stretch = layers, .m = m};
  f[20] = NAN;
  assert_int_equal(reference_helmholtz(&grid, 4, 1, f, f, NULL), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "16 x 16 nodes: "));
  f[20] = 0;
  m[7] = INFINITY;
  assert_int_equal(reference_helmholtz(&grid, 2, 1, f, f, NULL), STATUS_FAILED);
}

/* A mean of a plane is its value; of a half plane, the share. */
static double half_plane(double x, double y, const void *context) {
  (void)context;
  return x < 0.3 ? 1 : y;
}

static void test_cell_mean(void **context) {
  (void)context;
  assert_float_equal(cell_mean(half_plane, NULL, 0.5, 0.7, 0.2), 0.7, 1e-12);
  assert_float_equal(cell_mean(half_plane, NULL, 0.3, 5, 0.2), 3, 1e-12);
}

int main(void) {
  linalg_start();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_orders),      cmocka_unit_test(test_free_space),
      cmocka_unit_test(test_disc),        cmocka_unit_test(test_own_error),
      cmocka_unit_test(test_bad_numbers), cmocka_unit_test(test_cell_mean),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
