/* The nearest point and triangle: against trying all, and against the distance of boxes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/nearest.h"
#include "core/random.h"

static double uniform(uint64_t i, int lane) {
  return random_uniform((RandomStream){3, RANDOM_CHECK, 0}, i, lane);
}

/* Clouds with what is hard for a tree: equal points, equal coordinates, lines, clusters. */
static void cloud_point(int kind, int64_t i, float point[3]) {
  for (int axis = 0; axis < 3; axis++) {
    double u = uniform((uint64_t)i, axis);
    point[axis] = (float)(kind == 0   ? 2 * u - 1
                          : kind == 1 ? floor(3 * u) / 3
                          : kind == 2 ? (axis == 1 ? (double)i : 4)
                          : kind == 3 ? pow(10, -12 * uniform((uint64_t)i, 3)) * (u - 0.5)
                                      : 7);
  }
}

static void nearest_points_as_all_tried(void **state) {
  (void)state;
  static const int64_t sizes[] = {1, 2, 6, 7, 8, 100, 3000};
  for (int kind = 0; kind < 5; kind++) {
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
      int64_t n = sizes[s];
      float(*points)[3] = malloc((size_t)n * sizeof *points);
      for (int64_t i = 0; i < n; i++) cloud_point(kind, i, points[i]);
      Nearest *nearest;
      assert_int_equal(nearest_create((const float(*)[3])points, NULL, n, &nearest), 0);
      for (uint64_t q = 0; q < 100; q++) {
        double at[3], best = INFINITY;
        int64_t index = -1;
        for (int i = 0; i < 3; i++) at[i] = 3 * uniform(q, 8 + i) - 1.5;
        if (q % 4 == 0) {
          for (int i = 0; i < 3; i++) at[i] = points[q % (uint64_t)n][i];
        }
        for (int64_t i = 0; i < n; i++) {
          double x = at[0] - points[i][0], y = at[1] - points[i][1], z = at[2] - points[i][2];
          double d = sqrt(x * x + y * y + z * z);
          if (d < best) best = d, index = i;
        }
        NearestHit hit = nearest_find(nearest, at);
        assert_int_equal(hit.index, index);
        assert_true(hit.distance == best);
        for (int i = 0; i < 3; i++) assert_true(hit.point[i] == points[index][i]);
      }
      nearest_destroy(nearest);
      free(points);
    }
  }
}

/* The twelve triangles of a box. */
static void add_box(const double centre[3], const double half[3], int box, float (*points)[3],
                    int32_t (*triangles)[3]) {
  for (int c = 0; c < 8; c++) {
    for (int i = 0; i < 3; i++) {
      points[8 * box + c][i] = (float)(centre[i] + (c >> i & 1 ? half[i] : -half[i]));
    }
  }
  for (int f = 0; f < 6; f++) {
    int u = f / 2, v = (u + 1) % 3, w = (u + 2) % 3, at = 8 * box + (f % 2 << u);
    int32_t quad[4] = {at, at + (1 << v), at + (1 << v) + (1 << w), at + (1 << w)};
    memcpy(triangles[12 * box + 2 * f], (int32_t[]){quad[0], quad[1], quad[2]}, 12);
    memcpy(triangles[12 * box + 2 * f + 1], (int32_t[]){quad[0], quad[2], quad[3]}, 12);
  }
}

/* From a point to a box's surface, from outside or inside. */
static double box_distance(const double centre[3], const double half[3], const double at[3]) {
  double outside = 0, inside = INFINITY;
  for (int i = 0; i < 3; i++) {
    double d = fabs(at[i] - centre[i]) - half[i];
    outside += d > 0 ? d * d : 0;
    inside = fmin(inside, -d);
  }
  return outside > 0 ? sqrt(outside) : inside;
}

/* Boxes of very different proportions, flat ones included, so triangles of all shapes. */
static void nearest_triangles_as_the_distance_of_boxes(void **state) {
  (void)state;
  enum { BOXES = 200, QUERIES = 2000 };
  static float points[8 * BOXES][3];
  static int32_t triangles[12 * BOXES][3];
  double centre[BOXES][3], half[BOXES][3];
  for (int b = 0; b < BOXES; b++) {
    for (int i = 0; i < 3; i++) { /* sums exact in float */
      centre[b][i] = floor(1024 * (2 * uniform((uint64_t)b, i) - 1)) / 1024;
      half[b][i] = floor(1024 * pow(uniform((uint64_t)b, 3 + i), 6) / 2) / 1024;
    }
    add_box(centre[b], half[b], b, points, triangles);
  }
  Nearest *nearest;
  assert_int_equal(nearest_create((const float(*)[3])points, (const int32_t(*)[3])triangles,
                                  12 * BOXES, &nearest),
                   0);
  for (uint64_t q = 0; q < QUERIES; q++) {
    double at[3], best = INFINITY;
    for (int i = 0; i < 3; i++) at[i] = 2.4 * uniform(1000 + q, i) - 1.2;
    for (int b = 0; b < BOXES; b++) best = fmin(best, box_distance(centre[b], half[b], at));
    NearestHit hit = nearest_find(nearest, at);
    assert_float_equal(hit.distance, best, 1e-12);
    int64_t box = hit.index / 12; /* the point lies on the box of that triangle */
    assert_float_equal(box_distance(centre[box], half[box], hit.point), 0, 1e-12);
    double x = at[0] - hit.point[0], y = at[1] - hit.point[1], z = at[2] - hit.point[2];
    assert_float_equal(sqrt(x * x + y * y + z * z), best, 1e-12);
  }
  nearest_destroy(nearest);
}

static void degenerate_triangles(void **state) {
  (void)state;
  const float points[5][3] = {{0, 0, 0}, {4, 0, 0}, {1, 0, 0}, {9, 9, 9}, {2, 3e-20f, 0}};
  const int32_t segment[1][3] = {{0, 1, 2}}, dot[1][3] = {{3, 3, 3}}, sliver[1][3] = {{0, 1, 4}};
  const struct {
    const int32_t (*triangle)[3];
    double at[3], distance;
  } cases[] = {{segment, {3, 0, 2}, 2}, {segment, {7, 4, 0}, 5}, {segment, {-3, 0, 4}, 5},
               {dot, {9, 9, 10}, 1},    {sliver, {2, 0, 1}, 1},  {sliver, {2, -1, 0}, 1},
               {sliver, {2, 1, 0}, 1},  {sliver, {-1, 0, 0}, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Nearest *nearest;
    assert_int_equal(nearest_create(points, cases[i].triangle, 1, &nearest), 0);
    NearestHit hit = nearest_find(nearest, cases[i].at);
    assert_int_equal(hit.index, 0);
    assert_float_equal(hit.distance, cases[i].distance, 1e-12);
    nearest_destroy(nearest);
  }
}

static void nothing_is_near_in_an_empty_tree(void **state) {
  (void)state;
  Nearest *nearest;
  assert_int_equal(nearest_create(NULL, NULL, 0, &nearest), 0);
  NearestHit hit = nearest_find(nearest, (double[3]){1, 2, 3});
  assert_int_equal(hit.index, -1);
  assert_true(isinf(hit.distance));
  nearest_destroy(nearest);
  nearest_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nearest_points_as_all_tried),
      cmocka_unit_test(nearest_triangles_as_the_distance_of_boxes),
      cmocka_unit_test(degenerate_triangles),
      cmocka_unit_test(nothing_is_near_in_an_empty_tree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
