#include "experiments/zero_set.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* ---- The map ---- */

static void bound(const Shape *shape, double lower[3], double upper[3]) {
  for (int k = 0; k < 3; k++) {
    lower[k] = INFINITY;
    upper[k] = -INFINITY;
  }
  for (int64_t i = 0; i < shape->n_points; i++) {
    for (int k = 0; k < 3; k++) {
      lower[k] = fmin(lower[k], (double)shape->points[i][k]);
      upper[k] = fmax(upper[k], (double)shape->points[i][k]);
    }
  }
}

static void middle_of(const Shape *shape, const double lower[3], const double upper[3],
                      double middle[3]) {
  if (shape->n_triangles) {
    for (int k = 0; k < 3; k++) middle[k] = (lower[k] + upper[k]) / 2;
    return;
  }
  for (int k = 0; k < 3; k++) middle[k] = 0;
  for (int64_t i = 0; i < shape->n_points; i++) {
    for (int k = 0; k < 3; k++) middle[k] += (double)shape->points[i][k];
  }
  for (int k = 0; k < 3; k++) middle[k] /= (double)shape->n_points;
}

static Status choose_map(const char *name, double fill, ZeroSet *set) {
  double lower[3], upper[3], least = INFINITY, most = -INFINITY;
  bound(&set->shape, lower, upper);
  middle_of(&set->shape, lower, upper, set->offset);
  for (int k = 0; k < 3; k++) {
    least = fmin(least, lower[k] - set->offset[k]);
    most = fmax(most, upper[k] - set->offset[k]);
  }
  if (!(most > least)) {
    return status_fail(STATUS_FAILED, "%s: all its points are in one place", name);
  }
  set->unit = (most - least) / 2 / fill;
  for (int k = 0; k < 3; k++) set->offset[k] += (most + least) / 2;
  return STATUS_OK;
}

static void apply_map(ZeroSet *set) {
  Shape *shape = &set->shape;
  for (int64_t i = 0; i < shape->n_points; i++) {
    for (int k = 0; k < 3; k++) {
      shape->points[i][k] = (float)(((double)shape->points[i][k] - set->offset[k]) / set->unit);
    }
  }
  bound(shape, set->lower, set->upper);
  double squares = 0;
  for (int k = 0; k < 3; k++) {
    double side = set->upper[k] - set->lower[k];
    squares += side * side;
  }
  set->diagonal = sqrt(squares);
}

void zero_set_to_file(const ZeroSet *set, float (*points)[3], int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    for (int k = 0; k < 3; k++) {
      points[i][k] = (float)(set->offset[k] + set->unit * (double)points[i][k]);
    }
  }
}

/* ---- Triangles ---- */

/* The triangle's normal with the length of twice its area. */
static void area_vector(const Shape *shape, int64_t triangle, double area[3]) {
  const int32_t *corners = shape->triangles[triangle];
  double side[2][3];
  for (int s = 0; s < 2; s++) {
    for (int k = 0; k < 3; k++) {
      side[s][k] = (double)shape->points[corners[s + 1]][k] - (double)shape->points[corners[0]][k];
    }
  }
  for (int k = 0; k < 3; k++) {
    int u = (k + 1) % 3, v = (k + 2) % 3;
    area[k] = side[0][u] * side[1][v] - side[0][v] * side[1][u];
  }
}

static double length_of(const double v[3]) {
  return sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
}

static Status sum_areas(const char *name, ZeroSet *set) {
  int64_t n = set->shape.n_triangles;
  if (!n) return STATUS_OK;
  TRY(memory_allocate(&set->area_until, (size_t)n, sizeof *set->area_until, "the areas of a mesh"));
  double total = 0, area[3];
  for (int64_t t = 0; t < n; t++) {
    area_vector(&set->shape, t, area);
    set->area_until[t] = total += length_of(area) / 2;
  }
  if (total > 0) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: its triangles are too small for its size", name);
}

/* ---- The whole ---- */

static Status create(const char *name, double fill, ZeroSet *set) {
  if (!set->shape.n_triangles && !set->shape.normals) {
    return status_fail(STATUS_FAILED,
                       "%s: a cloud of points without normals: estimate oriented normals (x y z nx "
                       "ny nz), or give a mesh",
                       name);
  }
  TRY(choose_map(name, fill, set));
  apply_map(set);
  return sum_areas(name, set);
}

Status zero_set_create(Shape *shape, const char *name, double fill, ZeroSet *set) {
  assert(fill > 0 && fill <= 1 && shape->n_points > 0);
  *set = (ZeroSet){.shape = *shape};
  *shape = (Shape){0};
  Status status = create(name, fill, set);
  if (status != STATUS_OK) zero_set_destroy(set);
  return status;
}

void zero_set_destroy(ZeroSet *set) {
  shape_destroy(&set->shape);
  free(set->area_until);
  memset(set, 0, sizeof *set);
}

/* ---- Drawing ---- */

/* The first triangle up to which there is more than `area`; triangles without area are never it. */
static int64_t triangle_at(const ZeroSet *set, double area) {
  int64_t lower = 0, upper = set->shape.n_triangles - 1;
  while (lower < upper) {
    int64_t middle = lower + (upper - lower) / 2;
    if (set->area_until[middle] > area) {
      upper = middle;
    } else {
      lower = middle + 1;
    }
  }
  return lower;
}

static void set_unit(const double vector[3], double length, real unit[3]) {
  for (int k = 0; k < 3; k++) unit[k] = (real)(vector[k] / length);
}

static void mesh_normal(const Shape *shape, int64_t triangle, const double weights[3],
                        real normal[3]) {
  double sum[3] = {0};
  for (int c = 0; c < 3 && shape->normals; c++) {
    const float *own = shape->normals[shape->triangles[triangle][c]];
    for (int k = 0; k < 3; k++) sum[k] += weights[c] * (double)own[k];
  }
  double length = length_of(sum);
  if (!(length > 1e-3)) { /* none, or they cancel out */
    area_vector(shape, triangle, sum);
    length = length_of(sum);
  }
  set_unit(sum, length, normal);
}

static void draw_mesh(const ZeroSet *set, const double u[3], real x[3], real normal[3]) {
  const Shape *shape = &set->shape;
  int64_t triangle = triangle_at(set, u[0] * set->area_until[shape->n_triangles - 1]);
  bool far_half = u[1] + u[2] > 1; /* of the parallelogram */
  double b = far_half ? 1 - u[1] : u[1], c = far_half ? 1 - u[2] : u[2];
  double weights[3] = {1 - b - c, b, c};
  const int32_t *corners = shape->triangles[triangle];
  for (int k = 0; k < 3; k++) {
    double sum = 0;
    for (int i = 0; i < 3; i++) sum += weights[i] * (double)shape->points[corners[i]][k];
    x[k] = (real)sum;
  }
  mesh_normal(shape, triangle, weights, normal);
}

void zero_set_draw(const ZeroSet *set, RandomStream stream, uint64_t index, real x[3],
                   real normal[3]) {
  const Shape *shape = &set->shape;
  if (!shape->n_triangles) {
    uint64_t point = random_below(stream, index, 0, (uint64_t)shape->n_points);
    for (int k = 0; k < 3; k++) {
      x[k] = (real)shape->points[point][k];
      normal[k] = (real)shape->normals[point][k];
    }
    return;
  }
  uint64_t words[4]; /* one call gives lanes 0 to 3 */
  double u[3];
  random_words(stream, index, 0, words);
  for (int i = 0; i < 3; i++) u[i] = (double)(words[i] >> 11) * 0x1p-53;
  draw_mesh(set, u, x, normal);
}
