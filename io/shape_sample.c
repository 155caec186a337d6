#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "io/shape.h"

enum { ALONG = 320, AROUND = 32 };
static const double two_pi = 6.283185307179586, torus_radius = 2, tube_radius = 0.5;

/* The knot at parameter t with two directions across it: the torus's normal and what is across it
 * and the knot. Both come back to themselves after one turn. */
static void frame(double t, double centre[3], double normal[3], double across[3]) {
  double c2 = cos(2 * t), s2 = sin(2 * t), c3 = cos(3 * t), s3 = sin(3 * t);
  double distance = torus_radius + c3;
  double tangent[3] = {-2 * distance * s2 - 3 * s3 * c2, 2 * distance * c2 - 3 * s3 * s2, 3 * c3};
  memcpy(centre, (double[3]){distance * c2, distance * s2, s3}, 3 * sizeof *centre);
  memcpy(normal, (double[3]){c3 * c2, c3 * s2, s3}, 3 * sizeof *normal);
  double length = sqrt(4 * distance * distance + 9);
  for (int k = 0; k < 3; k++) {
    int u = (k + 1) % 3, v = (k + 2) % 3;
    across[k] = (tangent[u] * normal[v] - tangent[v] * normal[u]) / length;
  }
}

static void fill_points(Shape *shape) {
  for (int i = 0; i < ALONG; i++) {
    double centre[3], normal[3], across[3];
    frame(two_pi * i / ALONG, centre, normal, across);
    for (int j = 0; j < AROUND; j++) {
      double c = cos(two_pi * j / AROUND), s = sin(two_pi * j / AROUND);
      for (int k = 0; k < 3; k++) {
        double n = c * normal[k] + s * across[k];
        shape->normals[i * AROUND + j][k] = (float)n;
        shape->points[i * AROUND + j][k] = (float)(centre[k] + tube_radius * n);
      }
    }
  }
}

static void fill_triangles(Shape *shape) {
  int32_t(*to)[3] = shape->triangles;
  for (int i = 0; i < ALONG; i++) {
    for (int j = 0; j < AROUND; j++, to += 2) {
      int32_t here = i * AROUND, next = (i + 1) % ALONG * AROUND, up = (j + 1) % AROUND;
      memcpy(to[0], (int32_t[3]){here + j, here + up, next + up}, sizeof *to);
      memcpy(to[1], (int32_t[3]){here + j, next + up, next + j}, sizeof *to);
    }
  }
}

Status shape_sample(Shape *shape) {
  const char *what = "the sample shape";
  Shape made = {.n_points = ALONG * AROUND, .n_triangles = 2 * ALONG * AROUND};
  size_t points = (size_t)made.n_points, triangles = (size_t)made.n_triangles;
  Status status = memory_allocate(&made.points, points, sizeof *made.points, what);
  if (status == STATUS_OK) {
    status = memory_allocate(&made.normals, points, sizeof *made.normals, what);
  }
  if (status == STATUS_OK) {
    status = memory_allocate(&made.triangles, triangles, sizeof *made.triangles, what);
  }
  if (status != STATUS_OK) {
    shape_destroy(&made);
    return status;
  }
  fill_points(&made);
  fill_triangles(&made);
  *shape = made;
  return STATUS_OK;
}
