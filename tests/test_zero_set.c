/* What a signed distance function draws from: the map to the network's coordinates, points by
 * area, normals; and the sample shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "experiments/surface.h"
#include "experiments/zero_set.h"

static const RandomStream stream = {7, RANDOM_SAMPLE, 3};

static void assert_close(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g is not %.9g", value, expected);
}

static void *copy_of(const void *from, size_t size) {
  return from ? memcpy(malloc(size), from, size) : NULL;
}

static Shape make_shape(int n_points, const float (*points)[3], const float (*normals)[3],
                        int n_triangles, const int32_t (*triangles)[3]) {
  return (Shape){n_points, n_triangles, copy_of(points, (size_t)n_points * sizeof *points),
                 copy_of(normals, (size_t)n_points * sizeof *normals),
                 copy_of(triangles, (size_t)n_triangles * sizeof *triangles)};
}

static ZeroSet create(Shape shape, double fill) {
  ZeroSet set;
  assert_int_equal(zero_set_create(&shape, "a shape", fill, &set), STATUS_OK);
  assert_null(shape.points);
  return set;
}

/* Sum of (seen - expected)^2 / expected for shares of `n`. */
static double chi_square(const int *seen, const double *shares, int count, int n) {
  double sum = 0;
  for (int i = 0; i < count; i++) {
    double expected = shares[i] * n;
    sum += (seen[i] - expected) * (seen[i] - expected) / expected;
  }
  return sum;
}

/* ---- The map ---- */

static const float axis_points[4][3] = {{0, 0, 0}, {4, 0, 0}, {0, 8, 0}, {0, 0, 12}};
static const float axis_normals[4][3] = {{-1, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

/* By hand: the mean is (1, 2, 3); around it the least coordinate of any axis is -3 (z of three
 * points), the largest 9; so x -> (x - mean + 3) / 6 - 1. */
static void a_cloud_is_mapped_as_in_the_paper(void **state) {
  (void)state;
  ZeroSet set = create(make_shape(4, axis_points, axis_normals, 0, NULL), 1);
  for (int i = 0; i < 4; i++) {
    for (int k = 0; k < 3; k++) {
      double centred = axis_points[i][k] - (k + 1);
      assert_close(set.shape.points[i][k], (centred + 3) / 6 - 1, 1e-6);
    }
  }
  assert_close(set.lower[2], -1, 1e-6);
  assert_close(set.upper[2], 1, 1e-6);
  assert_close(set.diagonal, sqrt(16 + 64 + 144) / 6, 1e-6);
  zero_set_destroy(&set);
  assert_null(set.shape.points);
}

static const int32_t axis_triangles[4][3] = {{0, 2, 1}, {0, 3, 2}, {0, 1, 3}, {1, 2, 3}};

static void a_mesh_is_mapped_by_its_box(void **state) {
  (void)state;
  ZeroSet set = create(make_shape(4, axis_points, NULL, 4, axis_triangles), 0.9);
  for (int k = 0; k < 3; k++) {
    assert_close(set.lower[k], -0.9 * (k + 1) / 3, 1e-6); /* sides of 4, 8, 12 */
    assert_close(set.upper[k], 0.9 * (k + 1) / 3, 1e-6);
  }
  zero_set_to_file(&set, set.shape.points, 4);
  for (int i = 0; i < 12; i++) {
    assert_close(set.shape.points[i / 3][i % 3], axis_points[i / 3][i % 3], 1e-5);
  }
  zero_set_destroy(&set);
}

static void refusals(void **state) {
  (void)state;
  ZeroSet set;
  Shape shape = make_shape(4, axis_points, NULL, 0, NULL);
  assert_int_equal(zero_set_create(&shape, "a.xyz", 1, &set), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "a.xyz: a cloud of points without normals: estimate"));
  assert_null(shape.points);
  const float same[2][3] = {{1, 2, 3}, {1, 2, 3}};
  shape = make_shape(2, same, axis_normals, 0, NULL);
  assert_int_equal(zero_set_create(&shape, "b.xyz", 1, &set), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "b.xyz: all its points are in one place"));
}

/* ---- Drawing ---- */

enum { STEPS = 6, DRAWS = 200000 };

/* Triangles one above the other, each of a tenth of the area of the one below. */
static ZeroSet make_steps(void) {
  float points[3 * STEPS][3];
  int32_t triangles[STEPS][3];
  for (int t = 0; t < STEPS; t++) {
    float width = (float)pow(10, -0.5 * t);
    const float corners[3][3] = {{0, 0, 0}, {width, 0, 0}, {0, width, 0}};
    for (int c = 0; c < 3; c++) {
      memcpy(points[3 * t + c], corners[c], sizeof *points);
      points[3 * t + c][2] = (float)t / STEPS;
      triangles[t][c] = 3 * t + c;
    }
  }
  return create(
      make_shape(3 * STEPS, (const float(*)[3])points, NULL, STEPS, (const int32_t(*)[3])triangles),
      1);
}

static void draws_by_area(void **state) {
  (void)state;
  ZeroSet set = make_steps();
  int seen[STEPS] = {0}, quarter[4] = {0};
  double shares[STEPS], total = 0;
  for (int t = 0; t < STEPS; t++) total += pow(10, -t);
  for (int t = 0; t < STEPS; t++) shares[t] = pow(10, -t) / total;
  for (int i = 0; i < DRAWS; i++) {
    real x[3], normal[3];
    float place[3];
    zero_set_draw(&set, stream, (uint64_t)i, x, normal);
    assert_close(normal[0], 0, 0);
    assert_close(normal[1], 0, 0);
    assert_close(normal[2], 1, 1e-6);
    for (int k = 0; k < 3; k++) place[k] = (float)x[k];
    zero_set_to_file(&set, (float(*)[3])place, 1);
    int t = (int)lround(place[2] * STEPS);
    double width = pow(10, -0.5 * t), u = place[0] / width, v = place[1] / width;
    assert_true(t >= 0 && t < STEPS);
    assert_true(u > -1e-3 && v > -1e-3 && u + v < 1 + 1e-3);
    seen[t]++;
    /* The halves of the sides cut the triangle into four of equal area. */
    if (t == 0) quarter[u > 0.5 ? 0 : v > 0.5 ? 1 : u + v < 0.5 ? 2 : 3]++;
  }
  double chi = chi_square(seen, shares, STEPS, DRAWS);
  if (!(chi < 25.7)) fail_msg("areas: chi^2 = %g", chi); /* 5 degrees, one in 10,000 */
  chi = chi_square(quarter, (const double[]){0.25, 0.25, 0.25, 0.25}, 4, seen[0]);
  if (!(chi < 21.1)) fail_msg("quarters: chi^2 = %g", chi); /* 3 degrees */
  zero_set_destroy(&set);
}

static void draws_a_cloud_evenly(void **state) {
  (void)state;
  ZeroSet set = create(make_shape(4, axis_points, axis_normals, 0, NULL), 1);
  int seen[4] = {0};
  for (int i = 0; i < DRAWS; i++) {
    real x[3], normal[3];
    int point = 0;
    zero_set_draw(&set, stream, (uint64_t)i, x, normal);
    while (point < 3 && (normal[0] != (real)axis_normals[point][0] ||
                         normal[1] != (real)axis_normals[point][1])) {
      point++;
    }
    for (int k = 0; k < 3; k++) assert_close(x[k], set.shape.points[point][k], 0);
    seen[point]++;
  }
  double chi = chi_square(seen, (const double[]){0.25, 0.25, 0.25, 0.25}, 4, DRAWS);
  if (!(chi < 21.1)) fail_msg("chi^2 = %g", chi);
  zero_set_destroy(&set);
}

static void draws_are_a_function_of_stream_and_index(void **state) {
  (void)state;
  ZeroSet set = make_steps();
  real x[3], again[3], other[3], normal[3];
  zero_set_draw(&set, stream, 5, x, normal);
  zero_set_draw(&set, stream, 6, other, normal);
  assert_memory_not_equal(x, other, sizeof x);
  zero_set_draw(&set, (RandomStream){7, RANDOM_SAMPLE, 4}, 5, other, normal);
  assert_memory_not_equal(x, other, sizeof x);
  zero_set_draw(&set, stream, 5, again, normal);
  assert_memory_equal(x, again, sizeof x);
  zero_set_destroy(&set);
}

/* Normals that cancel out or are missing give way to the triangle's. */
static void normals_between_points(void **state) {
  (void)state;
  const float points[3][3] = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}};
  const int32_t triangle[1][3] = {{0, 1, 2}};
  const float leaning[3][3] = {{0, 0, 1}, {0.6f, 0, 0.8f}, {0, 0, 1}};
  ZeroSet set = create(make_shape(3, points, leaning, 1, triangle), 1);
  for (int i = 0; i < 1000; i++) {
    real x[3], n[3];
    zero_set_draw(&set, stream, (uint64_t)i, x, n);
    double b = ((double)x[0] + 1) / 2; /* weight of the second corner */
    assert_close(n[0] * n[0] + n[1] * n[1] + n[2] * n[2], 1, 1e-6);
    assert_close(n[0] / n[2], 0.6 * b / (1 - 0.2 * b), 1e-5);
  }
  zero_set_destroy(&set);
}

/* ---- The sample ---- */

static void sample_is_closed_and_exact(void **state) {
  (void)state;
  Shape shape;
  double share, volume = 0;
  int64_t parts;
  assert_int_equal(shape_sample(&shape), STATUS_OK);
  assert_int_equal(shape.n_triangles, 20480);
  assert_int_equal(surface_closed_share(&shape, &share), STATUS_OK);
  assert_close(share, 1, 0); /* so there are 3/2 edges a triangle */
  assert_int_equal(shape.n_points - 3 * shape.n_triangles / 2 + shape.n_triangles, 0); /* a torus */
  assert_int_equal(surface_components(&shape, 0.01, &parts), STATUS_OK);
  assert_int_equal(parts, 1);
  for (int64_t i = 0; i < shape.n_points; i++) {
    double c[3], length = 0;
    for (int k = 0; k < 3; k++) {
      c[k] = shape.points[i][k] - 0.5 * shape.normals[i][k];
      length += (double)shape.normals[i][k] * (double)shape.normals[i][k];
    }
    /* The knot is on the torus and has three turns the short way for two the long way. */
    double off = hypot(c[0], c[1]) - 2;
    assert_close(length, 1, 1e-6);
    assert_close(hypot(off, c[2]), 1, 1e-5);
    assert_close(cos(2 * atan2(c[2], off)), cos(3 * atan2(c[1], c[0])), 1e-4);
  }
  for (int64_t t = 0; t < shape.n_triangles; t++) {
    const float *p[3];
    for (int c = 0; c < 3; c++) p[c] = shape.points[shape.triangles[t][c]];
    for (int k = 0; k < 3; k++) {
      int u = (k + 1) % 3, v = (k + 2) % 3;
      volume += (double)p[0][k] * (p[1][u] * p[2][v] - p[1][v] * p[2][u]) / 6;
    }
  }
  /* A tube's volume is its section times its length of 31.8632; an inscribed mesh has less. */
  double tube = 3.14159265358979 * 0.25 * 31.8632;
  assert_true(volume < tube && volume > 0.99 * tube);
  shape_destroy(&shape);
}

static void sample_draws_have_its_normals(void **state) {
  (void)state;
  Shape shape;
  assert_int_equal(shape_sample(&shape), STATUS_OK);
  ZeroSet set = create(shape, 1);
  for (int i = 0; i < 20000; i++) {
    real x[3], n[3];
    float place[3];
    double c[3];
    zero_set_draw(&set, stream, (uint64_t)i, x, n);
    for (int k = 0; k < 3; k++) {
      place[k] = (float)x[k];
      assert_true(fabs(x[k]) <= 1.000001);
    }
    zero_set_to_file(&set, (float(*)[3])place, 1);
    for (int k = 0; k < 3; k++) c[k] = place[k] - 0.5 * (double)n[k];
    assert_close(n[0] * n[0] + n[1] * n[1] + n[2] * n[2], 1, 1e-6);
    assert_close(hypot(hypot(c[0], c[1]) - 2, c[2]), 1, 0.01);
  }
  zero_set_destroy(&set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cloud_is_mapped_as_in_the_paper),
      cmocka_unit_test(a_mesh_is_mapped_by_its_box),
      cmocka_unit_test(refusals),
      cmocka_unit_test(draws_by_area),
      cmocka_unit_test(draws_a_cloud_evenly),
      cmocka_unit_test(draws_are_a_function_of_stream_and_index),
      cmocka_unit_test(normals_between_points),
      cmocka_unit_test(sample_is_closed_and_exact),
      cmocka_unit_test(sample_draws_have_its_normals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
