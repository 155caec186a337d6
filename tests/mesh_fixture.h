/* Meshes of known geometry, outside counter-clockwise; each is added to a Shape that may hold some
 * already. */
#ifndef MESH_FIXTURE_H
#define MESH_FIXTURE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/shape.h"

static inline int32_t mesh_point(Shape *mesh, double x, double y, double z) {
  mesh->points = realloc(mesh->points, (size_t)(mesh->n_points + 1) * sizeof *mesh->points);
  memcpy(mesh->points[mesh->n_points], (float[3]){(float)x, (float)y, (float)z}, 12);
  return (int32_t)mesh->n_points++;
}

static inline void mesh_triangle(Shape *mesh, int32_t a, int32_t b, int32_t c) {
  size_t n = (size_t)mesh->n_triangles + 1;
  mesh->triangles = realloc(mesh->triangles, n * sizeof *mesh->triangles);
  memcpy(mesh->triangles[mesh->n_triangles++], (int32_t[3]){a, b, c}, 12);
}

/* The square of side 1 from a corner towards x and y, facing z. */
static inline void mesh_add_square(Shape *mesh, double x, double y, double z) {
  int32_t a = mesh_point(mesh, x, y, z), b = mesh_point(mesh, x + 1, y, z);
  int32_t c = mesh_point(mesh, x + 1, y + 1, z), d = mesh_point(mesh, x, y + 1, z);
  mesh_triangle(mesh, a, b, c);
  mesh_triangle(mesh, a, c, d);
}

/* A cube's twelve triangles. */
static inline void mesh_add_cube(Shape *mesh, double x, double y, double z, double side) {
  int32_t first = (int32_t)mesh->n_points;
  for (int c = 0; c < 8; c++) {
    mesh_point(mesh, x + side * (c & 1), y + side * (c >> 1 & 1), z + side * (c >> 2 & 1));
  }
  static const int faces[6][4] = {{0, 2, 3, 1}, {4, 5, 7, 6}, {0, 1, 5, 4},
                                  {2, 6, 7, 3}, {0, 4, 6, 2}, {1, 3, 7, 5}};
  for (int f = 0; f < 6; f++) {
    const int *q = faces[f];
    mesh_triangle(mesh, first + q[0], first + q[1], first + q[2]);
    mesh_triangle(mesh, first + q[0], first + q[2], first + q[3]);
  }
}

/* A sphere around the origin of 2 rings (rings - 1) triangles with x as its axis. */
static inline void mesh_add_sphere(Shape *mesh, double radius, int rings) {
  int around = 2 * rings;
  int32_t first = mesh_point(mesh, radius, 0, 0);
  for (int r = 1; r < rings; r++) {
    for (int a = 0; a < around; a++) {
      double polar = M_PI * r / rings, turn = 2 * M_PI * a / around;
      mesh_point(mesh, radius * cos(polar), radius * sin(polar) * cos(turn),
                 radius * sin(polar) * sin(turn));
    }
  }
  int32_t last = mesh_point(mesh, -radius, 0, 0);
  for (int a = 0; a < around; a++) {
    int next = (a + 1) % around, tail = first + 1 + (rings - 2) * around;
    mesh_triangle(mesh, first, first + 1 + a, first + 1 + next);
    for (int r = 0; r + 2 < rings; r++) {
      int at = first + 1 + r * around, below = at + around;
      mesh_triangle(mesh, at + a, below + a, below + next);
      mesh_triangle(mesh, at + a, below + next, at + next);
    }
    mesh_triangle(mesh, tail + a, last, tail + next);
  }
}

/* Turns every triangle inside out. */
static inline void mesh_flip(Shape *mesh) {
  for (int64_t t = 0; t < mesh->n_triangles; t++) {
    int32_t corner = mesh->triangles[t][1];
    mesh->triangles[t][1] = mesh->triangles[t][2];
    mesh->triangles[t][2] = corner;
  }
}

#endif
