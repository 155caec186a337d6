/* What is left to do when all of a shape's file is read. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/shape_builder.h"

/* Adds "NAME: " or "; " and a remark to a warning; what does not fit is cut off. */
__attribute__((format(printf, 3, 4))) static void remark(const ShapeBuilder *builder,
                                                         char warning[512], const char *format,
                                                         ...) {
  size_t used = strlen(warning);
  if (used) {
    used += (size_t)snprintf(warning + used, 512 - used, "; ");
  } else {
    used = (size_t)snprintf(warning, 512, "%.200s: ", builder->name);
  }
  if (used >= 512) return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(warning + used, 512 - used, format, arguments);
  va_end(arguments);
}

static void subtract(const float *a, const float *b, double difference[3]) {
  for (int k = 0; k < 3; k++) difference[k] = (double)a[k] - b[k];
}

static double dot(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* The cross product of two sides; false: it is rounding error at most. */
static bool area_vector(const Shape *shape, const int32_t corners[3], double area[3]) {
  double a[3], b[3];
  subtract(shape->points[corners[1]], shape->points[corners[0]], a);
  subtract(shape->points[corners[2]], shape->points[corners[0]], b);
  for (int k = 0; k < 3; k++) {
    int u = (k + 1) % 3, v = (k + 2) % 3;
    area[k] = a[u] * b[v] - a[v] * b[u];
  }
  return dot(area, area) > 1e-28 * dot(a, a) * dot(b, b);
}

static void drop_without_area(ShapeBuilder *builder) {
  Shape *shape = &builder->shape;
  int64_t kept = 0;
  double area[3];
  for (int64_t i = 0; i < shape->n_triangles; i++) {
    if (!area_vector(shape, shape->triangles[i], area)) continue;
    memmove(shape->triangles[kept++], shape->triangles[i], sizeof *shape->triangles);
  }
  builder->without_area += shape->n_triangles - kept;
  shape->n_triangles = kept;
}

/* Points of no triangle are no part of the surface. The others keep their order. */
static Status drop_loose(ShapeBuilder *builder, int64_t *loose) {
  Shape *shape = &builder->shape;
  int32_t *place;
  TRY(memory_allocate(&place, (size_t)shape->n_points, sizeof *place, "the points of a mesh"));
  int32_t *corners = &shape->triangles[0][0];
  for (int64_t i = 0; i < 3 * shape->n_triangles; i++) place[corners[i]] = 1;
  int32_t kept = 0;
  for (int64_t i = 0; i < shape->n_points; i++) {
    if (!place[i]) continue;
    memmove(shape->points[kept], shape->points[i], sizeof *shape->points);
    if (shape->normals) memmove(shape->normals[kept], shape->normals[i], sizeof *shape->normals);
    place[i] = kept++;
  }
  for (int64_t i = 0; i < 3 * shape->n_triangles; i++) corners[i] = place[corners[i]];
  *loose = shape->n_points - kept;
  shape->n_points = kept;
  free(place);
  return STATUS_OK;
}

/* To unit length. Returns the first point whose normal has none, or -1. */
static int64_t normalise(Shape *shape, double *shortest, double *longest) {
  for (int64_t i = 0; i < shape->n_points; i++) {
    float *normal = shape->normals[i];
    double n[3] = {(double)normal[0], (double)normal[1], (double)normal[2]};
    double length = sqrt(dot(n, n));
    if (!(length > 0 && length < INFINITY)) return i;
    *shortest = fmin(*shortest, length);
    *longest = fmax(*longest, length);
    for (int k = 0; k < 3; k++) normal[k] = (float)(n[k] / length);
  }
  return -1;
}

static void drop_normals(Shape *shape) {
  free(shape->normals);
  shape->normals = NULL;
}

static Status finish_normals(ShapeBuilder *builder, char warning[512]) {
  Shape *shape = &builder->shape;
  if (builder->creases) {
    drop_normals(shape);
    remark(builder, warning, "%" PRId64 " points have several normals: the triangles' own serve",
           builder->creases);
  }
  if (!shape->normals) return STATUS_OK;
  double shortest = INFINITY, longest = 0;
  int64_t bad = normalise(shape, &shortest, &longest);
  if (bad >= 0 && !shape->n_triangles) {
    return status_fail(STATUS_FAILED,
                       "%s: the normal of point %" PRId64
                       " has no direction: leave the point out or estimate its normal",
                       builder->name, bad + 1);
  }
  if (bad >= 0) {
    drop_normals(shape);
    remark(builder, warning, "a point's normal has no direction: the triangles' own serve");
  } else if (shortest < 0.9 || longest > 1.1) {
    remark(builder, warning, "the normals have lengths from %.3g to %.3g: are they normals?",
           shortest, longest);
  }
  return STATUS_OK;
}

/* Triangles that face away from the normals of all their corners. */
static void count_against(ShapeBuilder *builder) {
  Shape *shape = &builder->shape;
  for (int64_t i = 0; shape->normals && i < shape->n_triangles; i++) {
    const int32_t *corners = shape->triangles[i];
    double area[3];
    bool against = area_vector(shape, corners, area);
    for (int c = 0; against && c < 3; c++) {
      const float *normal = shape->normals[corners[c]];
      against = area[0] * normal[0] + area[1] * normal[1] + area[2] * normal[2] < 0;
    }
    builder->against += against;
  }
}

/* Floats resolve 1/2^24 of their size; far from the origin that is coarse for the shape. */
static void check_resolution(const ShapeBuilder *builder, char warning[512]) {
  const Shape *shape = &builder->shape;
  double largest = 0, extent = 0;
  for (int k = 0; k < 3; k++) {
    double lower = INFINITY, upper = -INFINITY;
    for (int64_t i = 0; i < shape->n_points; i++) {
      lower = fmin(lower, (double)shape->points[i][k]);
      upper = fmax(upper, (double)shape->points[i][k]);
    }
    largest = fmax(largest, fmax(fabs(lower), fabs(upper)));
    extent = fmax(extent, upper - lower);
  }
  if (extent > 0 && largest * 0x1p-24 > 1e-5 * extent) {
    remark(builder, warning,
           "it is far from the origin, where floats resolve 1/%.0f of it: move it there",
           extent / (largest * 0x1p-24));
  }
}

static Status finish_mesh(ShapeBuilder *builder, char warning[512]) {
  Shape *shape = &builder->shape;
  drop_without_area(builder);
  if (!shape->n_triangles) {
    return status_fail(STATUS_FAILED, "%s: none of its %" PRId64 " polygons has an area",
                       builder->name, builder->polygons);
  }
  int64_t loose;
  TRY(drop_loose(builder, &loose));
  if (builder->without_area) {
    remark(builder, warning, "left out %" PRId64 " triangles without area", builder->without_area);
  }
  if (loose) remark(builder, warning, "left out %" PRId64 " points of no triangle", loose);
  return STATUS_OK;
}

/* Gives back what grew too large. */
static void trim(void *array, int64_t count, size_t size) {
  void *memory;
  memcpy(&memory, array, sizeof memory);
  if (!memory) return;
  void *smaller = realloc(memory, (size_t)count * size);
  if (smaller) memcpy(array, &smaller, sizeof smaller);
}

Status builder_finish(ShapeBuilder *builder, Shape *shape, char warning[512]) {
  Shape *made = &builder->shape;
  if (!made->n_points) return status_fail(STATUS_FAILED, "%s: has no points", builder->name);
  warning[0] = '\0';
  if (builder->polygons) TRY(finish_mesh(builder, warning));
  TRY(finish_normals(builder, warning));
  count_against(builder);
  if (builder->against > made->n_triangles / 1000) { /* slivers of good scans do it, too */
    remark(builder, warning, "%" PRId64 " of %" PRId64 " triangles are wound against their normals",
           builder->against, made->n_triangles);
  }
  check_resolution(builder, warning);
  if (builder->open_end) remark(builder, warning, "its last line has no end: truncated?");
  trim(&made->points, made->n_points, sizeof *made->points);
  trim(&made->normals, made->n_points, sizeof *made->normals);
  trim(&made->triangles, made->n_triangles, sizeof *made->triangles);
  *shape = *made;
  *made = (Shape){0};
  return STATUS_OK;
}
