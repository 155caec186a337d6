#include "io/shape_builder.h"

#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

void builder_destroy(ShapeBuilder *builder) {
  shape_destroy(&builder->shape);
  free(builder->corners);
  builder->corners = NULL;
}

Status builder_point(ShapeBuilder *builder, const double point[3]) {
  Shape *shape = &builder->shape;
  for (int k = 0; k < 3; k++) {
    if (!(fabs(point[k]) <= (double)FLT_MAX)) {
      return status_fail(STATUS_FAILED, "%s: %c of point %" PRId64 " is %g: not a finite float",
                         builder->name, "xyz"[k], shape -> n_points + 1, point[k]);
    }
  }
  if (shape->n_points == INT32_MAX) {
    return status_fail(STATUS_FAILED, "%s: has more than %d points: thin it out", builder->name,
                       INT32_MAX);
  }
  TRY(memory_grow(&shape->points, &builder->capacity_points, (size_t)shape->n_points + 1,
                  sizeof *shape->points, "the points of a shape"));
  /* No negative zeros: equal places have equal bytes. */
  for (int k = 0; k < 3; k++) shape->points[shape->n_points][k] = (float)point[k] + 0.0f;
  shape->n_points++;
  return STATUS_OK;
}

Status builder_normal(ShapeBuilder *builder, const double normal[3]) {
  Shape *shape = &builder->shape;
  TRY(memory_grow(&shape->normals, &builder->capacity_normals, (size_t)builder->n_normals + 1,
                  sizeof *shape->normals, "the normals of a shape"));
  for (int k = 0; k < 3; k++) shape->normals[builder->n_normals][k] = (float)normal[k];
  builder->n_normals++;
  return STATUS_OK;
}

Status builder_corner(ShapeBuilder *builder, int64_t point) {
  assert(point >= 0 && point < builder->shape.n_points);
  TRY(memory_grow(&builder->corners, &builder->capacity_corners, (size_t)builder->n_corners + 1,
                  sizeof *builder->corners, "the corners of a polygon"));
  builder->corners[builder->n_corners++] = (int32_t)point;
  return STATUS_OK;
}

static const float (*points_of(const ShapeBuilder *builder))[3] {
  return (const float(*)[3])builder->shape.points;
}

Status builder_polygon(ShapeBuilder *builder) {
  Shape *shape = &builder->shape;
  int64_t n = builder->n_corners;
  builder->n_corners = 0;
  builder->polygons++;
  if (n < 3) {
    builder->without_area++;
    return STATUS_OK;
  }
  TRY(memory_grow(&shape->triangles, &builder->capacity_triangles,
                  (size_t)(shape->n_triangles + n - 2), sizeof *shape->triangles,
                  "the triangles of a shape"));
  int32_t(*triangles)[3] = shape->triangles + shape->n_triangles;
  if (n <= POLYGON_MOST) {
    polygon_cut(points_of(builder), builder->corners, (int)n, triangles);
  } else if (polygon_is_convex(points_of(builder), builder->corners, n)) {
    for (int64_t i = 0; i < n - 2; i++) {
      const int32_t *c = builder->corners;
      memcpy(triangles[i], (int32_t[3]){c[0], c[i + 1], c[i + 2]}, sizeof *triangles);
    }
  } else {
    return status_fail(STATUS_FAILED,
                       "%s: polygon %" PRId64 " has %" PRId64
                       " corners and is not convex: cut it into triangles",
                       builder->name, builder->polygons, n);
  }
  shape->n_triangles += n - 2;
  return STATUS_OK;
}
