#include "io/shape.h"

#include <stdlib.h>
#include <string.h>

void shape_destroy(Shape *shape) {
  free(shape->points);
  free(shape->normals);
  free(shape->triangles);
  memset(shape, 0, sizeof *shape);
}
