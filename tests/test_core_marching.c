/* Marching cubes: every case closed and oriented, volume and area of a sphere, ambiguous faces,
 * samples exactly at the level, values that are not finite, slabs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/marching.h"
#include "core/marching_cases.h"
#include "core/random.h"

/* ---- A mesh of a whole grid, for tests ---- */

typedef struct {
  size_t n_vertices, n_triangles;
  double (*vertices)[3];
  uint32_t (*triangles)[3];
} Mesh;

static void append(Mesh *mesh, const MarchingLayer *layer, size_t n_vertices) {
  size_t vertices = mesh->n_vertices + n_vertices;
  size_t triangles = mesh->n_triangles + layer->n_triangles;
  mesh->vertices = realloc(mesh->vertices, (vertices + 1) * sizeof *mesh->vertices);
  mesh->triangles = realloc(mesh->triangles, (triangles + 1) * sizeof *mesh->triangles);
  assert_true(mesh->vertices && mesh->triangles);
  if (n_vertices) {
    memcpy(mesh->vertices + mesh->n_vertices, layer->vertices,
           n_vertices * sizeof *layer->vertices);
  }
  if (layer->n_triangles) {
    memcpy(mesh->triangles + mesh->n_triangles, layer->triangles,
           layer->n_triangles * sizeof *layer->triangles);
  }
  mesh->n_vertices = vertices;
  mesh->n_triangles = triangles;
}

/* Planes [first, end) of field [..][n][n], and the one after them where there is one: what a slab's
 * owner makes. Triangles count vertices from the slab's first. */
static Mesh march(const float *field, int n, int first, int end, int planes, float level) {
  Marching *marching;
  assert_int_equal(marching_create(n, n, level, &marching), STATUS_OK);
  marching_begin(marching, first);
  Mesh mesh = {0};
  for (int plane = first; plane < planes && plane <= end; plane++) {
    MarchingLayer layer;
    assert_int_equal(marching_plane(marching, field + (size_t)(plane * n * n), &layer), STATUS_OK);
    append(&mesh, &layer, plane < end ? layer.n_vertices : layer.n_between);
  }
  marching_destroy(marching);
  return mesh;
}

static Mesh march_all(const float *field, int n, float level) {
  return march(field, n, 0, n, n, level);
}

static void destroy(Mesh *mesh) {
  free(mesh->vertices);
  free(mesh->triangles);
}

static void difference(const double *a, const double *b, double *d) {
  for (int i = 0; i < 3; i++) d[i] = a[i] - b[i];
}

static void cross(const double *a, const double *b, double *c) {
  for (int i = 0; i < 3; i++)
    c[i] = a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3];
}

static double dot(const double *a, const double *b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Normal, as long as twice the area. */
static void normal(const Mesh *mesh, size_t t, double *n) {
  const double *a = mesh->vertices[mesh->triangles[t][0]];
  double u[3], v[3];
  difference(mesh->vertices[mesh->triangles[t][1]], a, u);
  difference(mesh->vertices[mesh->triangles[t][2]], a, v);
  cross(u, v, n);
}

static double area(const Mesh *mesh) {
  double sum = 0, n[3];
  for (size_t t = 0; t < mesh->n_triangles; t++) normal(mesh, t, n), sum += sqrt(dot(n, n)) / 2;
  return sum;
}

/* By the divergence theorem: positive where normals point away from the inside. */
static double volume(const Mesh *mesh) {
  double sum = 0, n[3];
  for (size_t t = 0; t < mesh->n_triangles; t++) {
    normal(mesh, t, n);
    sum += dot(n, mesh->vertices[mesh->triangles[t][0]]) / 6;
  }
  return sum;
}

static int compare_sides(const void *a, const void *b) {
  return memcmp(a, b, 2 * sizeof(uint32_t));
}

/* Every side of a triangle occurs once, and once the other way round; every vertex is used. */
static void assert_closed(const Mesh *mesh) {
  size_t n = 3 * mesh->n_triangles;
  uint32_t(*sides)[2] = malloc((n + 1) * sizeof *sides);
  bool *used = calloc(mesh->n_vertices + 1, 1);
  for (size_t i = 0; i < n; i++) {
    const uint32_t *triangle = mesh->triangles[i / 3];
    sides[i][0] = triangle[i % 3];
    sides[i][1] = triangle[(i + 1) % 3];
    assert_true(sides[i][0] < mesh->n_vertices);
    assert_int_not_equal(sides[i][0], sides[i][1]);
    used[sides[i][0]] = true;
  }
  qsort(sides, n, sizeof *sides, compare_sides);
  for (size_t i = 0; i < n; i++) {
    uint32_t back[2] = {sides[i][1], sides[i][0]};
    if (i > 0 && !compare_sides(sides[i], sides[i - 1])) fail_msg("a side twice");
    if (!bsearch(back, sides, n, sizeof *sides, compare_sides)) fail_msg("a side without partner");
  }
  for (size_t i = 0; i < mesh->n_vertices; i++) assert_true(used[i]);
  free(sides);
  free(used);
}

enum { MOST = 4 * MARCHING_MAX_TRIANGLES }; /* around a vertex: those of four cubes */

/* Triangles around every vertex form one ring: no two parts of the surface touch in a vertex. */
static void assert_rings(const Mesh *mesh) {
  size_t n = mesh->n_vertices;
  uint32_t(*next)[MOST] = malloc((n + 1) * sizeof *next),
  (*at)[MOST] = malloc((n + 1) * sizeof *at);
  int *count = calloc(n + 1, sizeof *count);
  for (size_t i = 0; i < 3 * mesh->n_triangles; i++) {
    const uint32_t *triangle = mesh->triangles[i / 3];
    uint32_t v = triangle[i % 3];
    assert_true(count[v] < MOST);
    at[v][count[v]] = triangle[(i + 1) % 3];
    next[v][count[v]++] = triangle[(i + 2) % 3];
  }
  for (size_t v = 0; v < n; v++) {
    uint32_t neighbour = at[v][0];
    int steps = 0;
    do {
      int i = 0;
      while (i < count[v] && at[v][i] != neighbour) i++;
      assert_true(i < count[v]);
      neighbour = next[v][i];
      steps++;
    } while (neighbour != at[v][0]);
    assert_int_equal(steps, count[v]);
  }
  free(next);
  free(at);
  free(count);
}

static void assert_solid(const Mesh *mesh) {
  double n[3];
  assert_closed(mesh);
  assert_rings(mesh);
  for (size_t t = 0; t < mesh->n_triangles; t++) {
    normal(mesh, t, n);
    assert_true(dot(n, n) > 0);
  }
}

/* n^3 samples of a function of (plane, row, column). */
static float *sample(int n, float (*function)(int i, int j, int k)) {
  float *field = malloc((size_t)(n * n * n) * sizeof *field);
  assert_non_null(field);
  for (int p = 0; p < n * n * n; p++) field[p] = function(p / n / n, p / n % n, p % n);
  return field;
}

/* ---- Tests ---- */

/* One inside corner of a cube: one triangle, seen counter-clockwise from the outside. */
static void test_single_corner(void **state) {
  (void)state;
  const float field[8] = {-1, 1, 1, 1, 1, 1, 1, 1};
  Mesh mesh = march_all(field, 2, 0);
  assert_int_equal(mesh.n_vertices, 3);
  assert_int_equal(mesh.n_triangles, 1);
  double n[3];
  normal(&mesh, 0, n);
  for (int i = 0; i < 3; i++) assert_true(fabs(n[i] - 0.25) < 1e-12);
  destroy(&mesh);
}

/* Where the inside corners' number is small, the triangles are known without any table. */
static void test_table(void **state) {
  (void)state;
  MarchingCases cases;
  marching_cases(&cases);
  assert_int_equal(cases.count[0], 0);
  assert_int_equal(cases.count[255], 0);
  for (int c = 0; c < 8; c++) {
    assert_int_equal(cases.count[1 << c], 1);
    assert_int_equal(cases.count[1 << c | 1 << (7 - c)], 2);           /* opposite: both cut off */
    assert_int_equal(cases.count[1 << c | 1 << (c ^ 1)], 2);           /* an edge */
    assert_int_equal(cases.count[1 << c | 1 << (c ^ 3)], 2);           /* a diagonal: separated */
    assert_int_equal(cases.count[255 - (1 << c) - (1 << (c ^ 3))], 4); /* joined */
  }
  assert_int_equal(cases.count[0x0f], 2); /* half the cube */
  assert_int_equal(cases.count[0x69], 4); /* a checkerboard: four corners */
  assert_int_equal(cases.count[0x96], 4);
}

enum { NOISE = 24 };

static float noise(int i, int j, int k) {
  int inner = NOISE - 1;
  if (!i || !j || !k || i == inner || j == inner || k == inner) return 1;
  RandomStream stream = {11, RANDOM_CHECK, 0};
  uint64_t index = (uint64_t)((i * NOISE + j) * NOISE + k);
  return random_uniform(stream, index, 0) < 0.5 ? -1 : 1;
}

static void count_cases(const float *field, int n, int *count) {
  for (int p = 0; p < (n - 1) * (n - 1) * (n - 1); p++) {
    int i = p / (n - 1) / (n - 1), j = p / (n - 1) % (n - 1), k = p % (n - 1), which = 0;
    for (int c = 0; c < 8; c++) {
      int at = ((i + (c & 1)) * n + j + (c >> 1 & 1)) * n + k + (c >> 2 & 1);
      which |= (field[at] < 0) << c;
    }
    count[which]++;
  }
}

/* All cases beside all others, and everything is closed. */
static void test_noise(void **state) {
  (void)state;
  float *field = sample(NOISE, noise);
  int count[MARCHING_CASES] = {0};
  count_cases(field, NOISE, count);
  for (int i = 0; i < MARCHING_CASES; i++) assert_true(count[i] > 0);
  Mesh mesh = march_all(field, NOISE, 0);
  assert_true(mesh.n_triangles > 10000);
  assert_solid(&mesh);
  destroy(&mesh);
  for (int p = 0; p < NOISE * NOISE * NOISE; p++) field[p] = -field[p];
  mesh = march_all(field, NOISE, 0); /* the border is now inside: the surface is still closed */
  assert_solid(&mesh);
  assert_true(volume(&mesh) < 0);
  destroy(&mesh);
  free(field);
}

enum { BOARD = 8 };

static float checkerboard(int i, int j, int k) {
  int inner = BOARD - 1;
  if (!i || !j || !k || i == inner || j == inner || k == inner) return 1;
  return (i + j + k) % 2 ? 1 : -1;
}

/* Same signs are separated, so each inside sample gets an octahedron of its own. */
static void test_checkerboard(void **state) {
  (void)state;
  float *field = sample(BOARD, checkerboard);
  int inside = (BOARD - 2) * (BOARD - 2) * (BOARD - 2) / 2;
  Mesh mesh = march_all(field, BOARD, 0);
  assert_solid(&mesh);
  assert_int_equal(mesh.n_triangles, 8 * inside);
  assert_int_equal(mesh.n_vertices, 6 * inside);
  assert_true(fabs(volume(&mesh) - inside / 6.0) < 1e-9); /* 4/3 of (1/2)^3 */
  destroy(&mesh);
  free(field);
}

enum { BALL = 40 };

static float ball(int i, int j, int k) {
  double x = i - 19.3, y = j - 19.6, z = k - 19.9;
  return (float)(sqrt(x * x + y * y + z * z) - 15);
}

static void test_sphere(void **state) {
  (void)state;
  const double pi = 3.14159265358979, centre[3] = {19.3, 19.6, 19.9};
  float *field = sample(BALL, ball);
  for (int step = 0; step < 2; step++) {
    double r = 15 - 3 * step, n[3], d[3];
    Mesh mesh = march_all(field, BALL, (float)(r - 15));
    assert_solid(&mesh);
    assert_true(fabs(volume(&mesh) / (4.0 / 3 * pi * r * r * r) - 1) < 0.01);
    assert_true(fabs(area(&mesh) / (4 * pi * r * r) - 1) < 0.01);
    assert_int_equal(mesh.n_vertices + mesh.n_triangles, 3 * mesh.n_triangles / 2 + 2); /* Euler */
    for (size_t v = 0; v < mesh.n_vertices; v++) {
      difference(mesh.vertices[v], centre, d);
      assert_true(fabs(sqrt(dot(d, d)) - r) < 0.02);
    }
    for (size_t t = 0; t < mesh.n_triangles; t++) {
      normal(&mesh, t, n);
      difference(mesh.vertices[mesh.triangles[t][0]], centre, d);
      assert_true(dot(n, d) > 0);
    }
    destroy(&mesh);
  }
  free(field);
}

static float octahedron(int i, int j, int k) {
  return (float)(abs(i - 8) + abs(j - 8) + abs(k - 8) - 5); /* zero at whole samples */
}

/* Many samples lie on the level: no triangle is degenerate, and the volume is that of |x|+|y|+|z| =
 * 5 but for the little that vertices keep away from the samples. */
static void test_samples_at_the_level(void **state) {
  (void)state;
  float *field = sample(17, octahedron);
  Mesh mesh = march_all(field, 17, 0);
  assert_solid(&mesh);
  assert_true(fabs(volume(&mesh) / (4.0 / 3 * 125) - 1) < 0.005);
  destroy(&mesh);
  mesh = march_all(field, 17, -5); /* touched from outside: value >= level is outside */
  assert_int_equal(mesh.n_triangles, 0);
  assert_int_equal(mesh.n_vertices, 0);
  destroy(&mesh);
  free(field);
}

/* NaN is outside; no vertex is lost to a value that is not finite. */
static void test_values_that_are_not_finite(void **state) {
  (void)state;
  static const float strange[] = {NAN, INFINITY, -INFINITY};
  for (int s = 0; s < 3; s++) {
    float *field = sample(BALL, ball);
    for (int i = 0; i < 30; i++) field[(20 * BALL + 3 + i) * BALL + 20] = strange[s];
    Mesh mesh = march_all(field, BALL, 0);
    assert_solid(&mesh);
    for (size_t v = 0; v < 3 * mesh.n_vertices; v++)
      assert_true(isfinite(mesh.vertices[v / 3][v % 3]));
    destroy(&mesh);
    free(field);
  }
}

/* Slabs that share a plane make the same mesh as the whole, numbers included. */
static void test_slabs(void **state) {
  (void)state;
  float *field = sample(NOISE, noise);
  Mesh whole = march_all(field, NOISE, 0);
  for (int steps = 1; steps <= 10; steps += 3) {
    size_t vertices = 0, triangles = 0;
    for (int first = 0; first < NOISE; first += steps) {
      int end = first + steps < NOISE ? first + steps : NOISE;
      Mesh part = march(field, NOISE, first, end, NOISE, 0);
      assert_true(vertices + part.n_vertices <= whole.n_vertices);
      assert_true(triangles + part.n_triangles <= whole.n_triangles);
      assert_memory_equal(part.vertices, whole.vertices + vertices,
                          part.n_vertices * sizeof *whole.vertices);
      for (size_t t = 0; t < 3 * part.n_triangles; t++) {
        assert_int_equal(part.triangles[t / 3][t % 3] + vertices,
                         whole.triangles[triangles + t / 3][t % 3]);
      }
      vertices += part.n_vertices;
      triangles += part.n_triangles;
      destroy(&part);
    }
    assert_int_equal(vertices, whole.n_vertices);
    assert_int_equal(triangles, whole.n_triangles);
  }
  destroy(&whole);
  free(field);
}

/* Planes that are a line or a point have no cells. */
static void test_flat_planes(void **state) {
  (void)state;
  const float field[6] = {-1, 1, -1, 1, -1, 1};
  Marching *marching;
  MarchingLayer layer;
  assert_int_equal(marching_create(1, 3, 0, &marching), STATUS_OK);
  marching_begin(marching, 0);
  for (int plane = 0; plane < 2; plane++) {
    assert_int_equal(marching_plane(marching, field + 3 * plane, &layer), STATUS_OK);
    assert_int_equal(layer.n_vertices, plane ? 5 : 2);
    assert_int_equal(layer.n_triangles, 0);
  }
  marching_destroy(marching);
  marching_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_single_corner),
      cmocka_unit_test(test_table),
      cmocka_unit_test(test_noise),
      cmocka_unit_test(test_checkerboard),
      cmocka_unit_test(test_sphere),
      cmocka_unit_test(test_samples_at_the_level),
      cmocka_unit_test(test_values_that_are_not_finite),
      cmocka_unit_test(test_slabs),
      cmocka_unit_test(test_flat_planes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
