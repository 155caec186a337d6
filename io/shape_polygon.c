#include <math.h>
#include <string.h>

#include "io/shape_builder.h"

/* The coordinate plane that shows the polygon largest, its axes in the order in which it runs
 * counter-clockwise (Newell's method). */
typedef struct {
  const float (*points)[3];
  int u, v;
} Plane;

static Plane plane_of(const float (*points)[3], const int32_t *corners, int64_t n) {
  double normal[3] = {0};
  const float *origin = points[corners[0]];
  for (int64_t i = 0; i < n; i++) {
    const float *a = points[corners[i]], *b = points[corners[i + 1 < n ? i + 1 : 0]];
    for (int k = 0; k < 3; k++) {
      int u = (k + 1) % 3, v = (k + 2) % 3;
      normal[k] += ((double)a[u] - origin[u]) * ((double)b[v] - origin[v]) -
                   ((double)b[u] - origin[u]) * ((double)a[v] - origin[v]);
    }
  }
  int largest = 0;
  for (int k = 1; k < 3; k++) {
    if (fabs(normal[k]) > fabs(normal[largest])) largest = k;
  }
  int u = (largest + 1) % 3, v = (largest + 2) % 3;
  return normal[largest] < 0 ? (Plane){points, v, u} : (Plane){points, u, v};
}

/* Twice the area of the triangle in the plane; positive: a left turn. */
static double turn(const Plane *plane, int32_t a, int32_t b, int32_t c) {
  const float *p = plane->points[a], *q = plane->points[b], *r = plane->points[c];
  int u = plane->u, v = plane->v;
  return ((double)q[u] - p[u]) * ((double)r[v] - p[v]) -
         ((double)r[u] - p[u]) * ((double)q[v] - p[v]);
}

bool polygon_is_convex(const float (*points)[3], const int32_t *corners, int64_t n) {
  Plane plane = plane_of(points, corners, n);
  for (int64_t i = 0; i < n; i++) {
    if (turn(&plane, corners[i], corners[(i + 1) % n], corners[(i + 2) % n]) < 0) return false;
  }
  return true;
}

static bool same_place(const Plane *plane, int32_t a, int32_t b) {
  return !memcmp(plane->points[a], plane->points[b], sizeof *plane->points);
}

static bool is_inside(const Plane *plane, const int32_t triangle[3], int32_t point) {
  for (int k = 0; k < 3; k++) {
    /* Polygons with holes pass some places twice. */
    if (same_place(plane, triangle[k], point)) return false;
  }
  for (int k = 0; k < 3; k++) {
    if (turn(plane, triangle[k], triangle[(k + 1) % 3], point) < 0) return false;
  }
  return true;
}

/* The triangle at corner i; whether it can be cut off. */
static bool ear(const Plane *plane, const int32_t *corners, int n, int i, int32_t triangle[3]) {
  for (int k = 0; k < 3; k++) triangle[k] = corners[(i + k + n - 1) % n];
  if (!(turn(plane, triangle[0], triangle[1], triangle[2]) > 0)) return false;
  for (int j = 0; j < n; j++) {
    if (is_inside(plane, triangle, corners[j])) return false;
  }
  return true;
}

void polygon_cut(const float (*points)[3], int32_t *corners, int n, int32_t (*triangles)[3]) {
  Plane plane = plane_of(points, corners, n);
  for (; n > 3; n--, triangles++) {
    int i = 1; /* a convex polygon becomes a fan around its first corner */
    while (i <= n && !ear(&plane, corners, n, i % n, *triangles)) i++;
    if (i > n) ear(&plane, corners, n, i = 1, *triangles); /* it crosses itself: any will do */
    i %= n;
    memmove(corners + i, corners + i + 1, (size_t)(n - i - 1) * sizeof *corners);
  }
  memcpy(*triangles, corners, sizeof *triangles);
}
