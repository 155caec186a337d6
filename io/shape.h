/* Triangle meshes and oriented point clouds. */
#ifndef IO_SHAPE_H
#define IO_SHAPE_H

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

#endif
