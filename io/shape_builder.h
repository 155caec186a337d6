/* A shape that grows while a file is read. */
#ifndef IO_SHAPE_BUILDER_H
#define IO_SHAPE_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "io/shape.h"

typedef struct {
  const char *name; /* the file's, borrowed */
  Shape shape;      /* so far; normals are as in the file */
  int64_t n_normals;
  int32_t *corners; /* of the polygon that grows */
  int64_t n_corners;
  size_t capacity_points, capacity_normals, capacity_triangles, capacity_corners;
  int64_t polygons;     /* so far */
  int64_t without_area; /* polygons of fewer than three corners, later all without area */
  int64_t against;      /* triangles wound against their normals */
  int64_t creases;      /* points with several normals */
  bool open_end;        /* the last line of a format without counts has no newline */
} ShapeBuilder;

/* All functions are Local; they fail for want of memory and as said. builder_destroy also after
 * builder_finish. */
void builder_destroy(ShapeBuilder *builder);

/* Fails where the point is not finite as a float, and over 2^31 - 1 points. */
Status builder_point(ShapeBuilder *builder, const double point[3]);

/* The normal of the next point that has none; of any length. */
Status builder_normal(ShapeBuilder *builder, const double normal[3]);

/* Adds a corner, a point that exists, to the polygon; builder_polygon cuts it into triangles.
 * Fails where the polygon is not convex and has more than 256 corners. */
Status builder_corner(ShapeBuilder *builder, int64_t point);
Status builder_polygon(ShapeBuilder *builder);

/* Checks and cleans (shape_read), and hands over to *shape, with what was found odd in `warning`.
 */
Status builder_finish(ShapeBuilder *builder, Shape *shape, char warning[512]);

/* Cuts a polygon into n - 2 triangles of the same winding: a fan where it is convex, else by
 * cutting off ears in the plane of its mean normal. */
enum { POLYGON_MOST = 256 }; /* corners of one that is not convex */
bool polygon_is_convex(const float (*points)[3], const int32_t *corners, int64_t n);
void polygon_cut(const float (*points)[3], int32_t *corners, int n, int32_t (*triangles)[3]);

#endif
