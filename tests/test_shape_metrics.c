/* Comparing shapes: distances, areas and topology known by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "experiments/shape_metrics.h"
#include "tests/mesh_fixture.h"

enum { SAMPLES = 20000 };

static ShapeMetrics compare(const Shape *truth, const Shape *found) {
  ShapeMetrics metrics;
  memset(&metrics, 0xff, sizeof metrics); /* every member must be set */
  assert_int_equal(shape_metrics(truth, found, SAMPLES, 1, &metrics), STATUS_OK);
  return metrics;
}

static void a_cube_and_itself(void **state) {
  (void)state;
  Shape cube = {0};
  mesh_add_cube(&cube, -3, 2, 5, 2);
  ShapeMetrics m = compare(&cube, &cube);
  assert_float_equal(m.chamfer, 0, 1e-15);
  assert_float_equal(m.normal_consistency, 1, 1e-12);
  assert_float_equal(m.orientation, 1, 0);
  assert_float_equal(m.watertight, 1, 0);
  assert_float_equal(m.phantom_area, 0, 0);
  assert_float_equal(m.missing_area, 0, 0);
  assert_int_equal(m.components, 1);
  shape_destroy(&cube);
}

static void a_flipped_cube(void **state) {
  (void)state;
  Shape cube = {0}, flipped = {0};
  mesh_add_cube(&cube, 0, 0, 0, 1);
  mesh_add_cube(&flipped, 0, 0, 0, 1);
  mesh_flip(&flipped);
  ShapeMetrics m = compare(&cube, &flipped);
  assert_float_equal(m.chamfer, 0, 1e-15);
  assert_float_equal(m.normal_consistency, 1, 1e-12);
  assert_float_equal(m.orientation, 0, 0);
  assert_float_equal(m.watertight, 1, 0);
  shape_destroy(&cube);
  shape_destroy(&flipped);
}

/* Radii 1 and 1.1: 0.1 apart everywhere, the diagonal is 2 sqrt(3). */
static void concentric_spheres(void **state) {
  (void)state;
  Shape small = {0}, large = {0};
  mesh_add_sphere(&small, 1, 60);
  mesh_add_sphere(&large, 1.1, 73);
  ShapeMetrics m = compare(&small, &large);
  double expected = 0.1 / (2 * sqrt(3));
  assert_float_equal(m.chamfer, expected, 0.01 * expected);
  assert_float_equal(m.truth_to_found, expected, 0.01 * expected);
  assert_float_equal(m.found_to_truth, expected, 0.01 * expected);
  assert_float_equal(m.normal_consistency, 1, 1e-3);
  assert_float_equal(m.phantom_area, 1, 0); /* 2 % of the diagonal is 0.069 */
  assert_float_equal(m.missing_area, 1, 0);
  assert_float_equal(m.watertight, 1, 0);
  shape_destroy(&small);
  shape_destroy(&large);
}

static void shifted_squares(void **state) {
  (void)state;
  Shape square = {0}, above = {0}, beside = {0};
  mesh_add_square(&square, 0, 0, 0);
  mesh_add_square(&above, 0, 0, 0.125);
  mesh_add_square(&beside, 0.25, 0, 0);
  ShapeMetrics m = compare(&square, &above);
  assert_float_equal(m.chamfer, 0.125 / sqrt(2), 1e-12);
  assert_float_equal(m.normal_consistency, 1, 1e-12);
  /* A quarter lies beyond the edge, 1/8 off on average. */
  m = compare(&square, &beside);
  assert_float_equal(m.chamfer, 0.25 * 0.125 / sqrt(2), 1e-3);
  assert_float_equal(m.truth_to_found, m.found_to_truth, 1e-3);
  assert_float_equal(m.missing_area, 0.25 - 0.02 * sqrt(2), 0.01);
  assert_float_equal(m.phantom_area, 0.25 - 0.02 * sqrt(2), 0.01);
  shape_destroy(&square);
  shape_destroy(&above);
  shape_destroy(&beside);
}

static void phantom_sheets_and_missing_parts(void **state) {
  (void)state;
  Shape one = {0}, two = {0};
  mesh_add_square(&one, 0, 0, 0);
  mesh_add_square(&two, 0, 0, 0);
  mesh_add_square(&two, 0, 0, 3);
  ShapeMetrics m = compare(&one, &two);
  assert_float_equal(m.truth_to_found, 0, 1e-12);
  assert_float_equal(m.found_to_truth, 0.5 * 3 / sqrt(2), 1e-3);
  assert_float_equal(m.phantom_area, 0.5, 1e-3);
  assert_float_equal(m.missing_area, 0, 0);
  assert_int_equal(m.components, 2);
  m = compare(&two, &one);
  assert_float_equal(m.truth_to_found, 0.5 * 3 / sqrt(11), 1e-3);
  assert_float_equal(m.found_to_truth, 0, 1e-12);
  assert_float_equal(m.phantom_area, 0, 0);
  assert_float_equal(m.missing_area, 0.5, 1e-3);
  shape_destroy(&one);
  shape_destroy(&two);
}

/* Half of the found mesh is tilted: what is nearest has a normal 60 degrees off. */
static void normals_of_a_tilted_square(void **state) {
  (void)state;
  Shape flat = {0}, tilted = {0};
  mesh_add_square(&flat, 0, 0, 0);
  mesh_add_square(&tilted, 0, 0, 0);
  for (int p = 0; p < 4; p++) {
    float x = tilted.points[p][0];
    tilted.points[p][0] = x / 2;
    tilted.points[p][2] = x * sqrtf(0.75f);
  }
  ShapeMetrics m = compare(&flat, &tilted);
  assert_float_equal(m.normal_consistency, 0.5, 1e-6);
  assert_float_equal(m.orientation, 1, 0);
  shape_destroy(&flat);
  shape_destroy(&tilted);
}

static void open_meshes(void **state) {
  (void)state;
  Shape cube = {0}, square = {0};
  mesh_add_cube(&cube, 0, 0, 0, 1);
  mesh_add_square(&square, 0, 0, 0);
  assert_float_equal(compare(&cube, &square).watertight, 1 / 5., 1e-15); /* the diagonal */
  Shape hole = cube, turned = cube;
  hole.n_triangles--;
  assert_float_equal(compare(&cube, &hole).watertight, 15 / 18., 1e-15);
  int32_t kept[12][3], corner = cube.triangles[5][0];
  memcpy(kept, cube.triangles, sizeof kept);
  turned.triangles = kept;
  kept[5][0] = kept[5][1];
  kept[5][1] = corner;
  assert_float_equal(compare(&cube, &turned).watertight, 15 / 18., 1e-15);
  mesh_triangle(&cube, 0, 0, 1); /* has no area and no edge of its own */
  assert_float_equal(compare(&cube, &cube).watertight, 1, 0);
  mesh_triangle(&cube, 0, 1, 7); /* two edges more, and one with three triangles */
  assert_float_equal(compare(&cube, &cube).watertight, 16 / 19., 1e-15);
  shape_destroy(&cube);
  shape_destroy(&square);
}

static void components(void **state) {
  (void)state;
  Shape mesh = {0};
  mesh_add_cube(&mesh, 0, 0, 0, 1);
  assert_int_equal(compare(&mesh, &mesh).components, 1);
  mesh_add_cube(&mesh, 3, 0, 0, 0.5);
  assert_int_equal(compare(&mesh, &mesh).components, 2);
  mesh_add_cube(&mesh, 6, 0, 0, 0.09); /* 0.65 % of the area */
  assert_int_equal(compare(&mesh, &mesh).components, 2);
  mesh_add_sphere(&mesh, 1, 10);
  assert_int_equal(compare(&mesh, &mesh).components, 3);
  shape_destroy(&mesh);
}

static void add_normals(Shape *cloud) {
  cloud->normals = malloc((size_t)cloud->n_points * sizeof *cloud->normals);
  for (int64_t p = 0; p < cloud->n_points; p++) {
    memcpy(cloud->normals[p], (float[3]){0, 0.6f, -0.8f}, 12);
  }
}

/* A lattice of spacing h in the square. From a random place of a square of side h to its nearest
 * corner it is (sqrt(2) + ln(1 + sqrt(2))) / 6 h on average. */
static void the_truth_as_a_cloud(void **state) {
  (void)state;
  Shape cloud = {0}, square = {0};
  mesh_add_square(&square, 0, 0, 0);
  for (int i = 0; i <= 16; i++) {
    for (int j = 0; j <= 16; j++) mesh_point(&cloud, i / 16., j / 16., 0);
  }
  ShapeMetrics m = compare(&cloud, &square);
  double expected = (sqrt(2) + log(1 + sqrt(2))) / 6 / 16 / sqrt(2);
  assert_float_equal(m.found_to_truth, expected, 0.01 * expected);
  assert_float_equal(m.truth_to_found, 0, 1e-15);
  assert_float_equal(m.chamfer, expected / 2, 0.01 * expected);
  assert_true(isnan(m.normal_consistency) && isnan(m.orientation));
  add_normals(&cloud);
  m = compare(&cloud, &square);
  assert_float_equal(m.normal_consistency, 0.8, 1e-6);
  assert_float_equal(m.orientation, 0, 0);
  /* A hundred of the points at random. */
  for (int64_t p = 0; p < cloud.n_points; p++) cloud.points[p][2] = p % 2 ? 0.5f : 0;
  ShapeMetrics few;
  assert_int_equal(shape_metrics(&cloud, &square, 100, 1, &few), STATUS_OK);
  assert_float_equal(few.missing_area, 0.5, 0.2);
  assert_float_equal(few.missing_area * 100, rint(few.missing_area * 100), 1e-9);
  shape_destroy(&cloud);
  shape_destroy(&square);
}

static void nothing_found(void **state) {
  (void)state;
  Shape cube = {0}, none = {0}, flat = {0};
  mesh_add_cube(&cube, 0, 0, 0, 1);
  mesh_point(&flat, 1, 2, 3);
  mesh_triangle(&flat, 0, 0, 0);
  const Shape *const empty[] = {&none, &flat};
  for (int i = 0; i < 2; i++) {
    ShapeMetrics m = compare(&cube, empty[i]);
    assert_float_equal(m.chamfer, 1, 0);
    assert_float_equal(m.truth_to_found, 1, 0);
    assert_float_equal(m.found_to_truth, 1, 0);
    assert_float_equal(m.missing_area, 1, 0);
    assert_float_equal(m.phantom_area + m.normal_consistency + m.orientation, 0, 0);
    assert_float_equal(m.watertight, 0, 0);
    assert_int_equal(m.components, 0);
    assert_int_equal(shape_metrics(empty[i], &cube, SAMPLES, 1, &m), STATUS_FAILED);
    assert_non_null(strstr(status_message(), "no surface"));
  }
  shape_destroy(&cube);
  shape_destroy(&flat);
}

static void any_number_of_threads(void **state) {
  (void)state;
  Shape a = {0}, b = {0};
  mesh_add_sphere(&a, 1, 12);
  mesh_add_sphere(&b, 1.02, 9);
  omp_set_num_threads(1);
  ShapeMetrics one = compare(&a, &b);
  omp_set_num_threads(3);
  ShapeMetrics three = compare(&a, &b);
  assert_memory_equal(&one, &three, sizeof one);
  shape_destroy(&a);
  shape_destroy(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cube_and_itself),
      cmocka_unit_test(a_flipped_cube),
      cmocka_unit_test(concentric_spheres),
      cmocka_unit_test(shifted_squares),
      cmocka_unit_test(phantom_sheets_and_missing_parts),
      cmocka_unit_test(normals_of_a_tilted_square),
      cmocka_unit_test(open_meshes),
      cmocka_unit_test(components),
      cmocka_unit_test(the_truth_as_a_cloud),
      cmocka_unit_test(nothing_found),
      cmocka_unit_test(any_number_of_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
