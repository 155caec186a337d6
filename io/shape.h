/* Triangle meshes and oriented point clouds. */
#ifndef IO_SHAPE_H
#define IO_SHAPE_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* Coordinates are the file's own, all finite. */
typedef struct {
  int64_t n_points, n_triangles; /* n_triangles 0: a point cloud */
  float (*points)[3];            /* owned, as all arrays here */
  float (*normals)[3];           /* of the points, unit length; NULL: there are none */
  int32_t (*triangles)[3];       /* corners, counter-clockwise seen from outside; NULL: none */
} Shape;

/* Local. Leaves it all zero. */
void shape_destroy(Shape *shape);

/* Local. Reads a mesh or cloud of a format in io/shape_formats.def, gzipped or not, known by its
 * content or else by its name. Triangles share points as in the file; where a format has no shared
 * points (STL), equal positions become one. Polygons are cut into triangles. Left out of a mesh,
 * with a word in `warning` (empty otherwise): triangles without area, points of no triangle, and
 * normals that are not one per point, missing or of no length (the triangles' own serve). Errors
 * are one line that names file, line or number, and reason: missing, empty, truncated, damaged or
 * unknown files; coordinates that are not finite; corners that do not exist; no points; only
 * triangles without area; a cloud's normal of no length. *shape is then untouched. */
Status shape_read(const char *path, Shape *shape, char warning[512]);
Status shape_decode(const char *name, const unsigned char *data, size_t length, Shape *shape,
                    char warning[512]);

/* Local. The built-in sample: a tube of radius 1/2 along the trefoil knot that winds around a torus
 * of radii 2 and 1; a closed mesh of 20,480 triangles with the tube's exact normals. */
Status shape_sample(Shape *shape);

#endif
