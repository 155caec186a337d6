/* The surface of a shape as the zero set that a signed distance function learns: its points and
 * normals in the network's coordinates, drawn at random (paper.md 5.2). */
#ifndef EXPERIMENTS_ZERO_SET_H
#define EXPERIMENTS_ZERO_SET_H

#include <stdint.h>

#include "core/random.h"
#include "core/real.h"
#include "core/status.h"
#include "io/shape.h"

/* A place in the file is offset + unit * (the network's coordinates). */
typedef struct {
  Shape shape;               /* in the network's coordinates; owned */
  double *area_until;        /* [n_triangles]: area of the triangles up to and with this one */
  double offset[3], unit;    /* unit > 0 */
  double lower[3], upper[3]; /* the box around it */
  double diagonal;           /* of the box */
} ZeroSet;

/* Local. Takes over the shape, on failure too (*shape is zero after it). The place in the middle
 * moves to the origin: a cloud's mean, as in the paper; of a mesh, whose points mean nothing, the
 * middle of its box. Then one minimum and maximum over all axes go to -fill and fill, so that
 * nothing is stretched; fill in (0, 1], the paper's is 1. Fails, naming `name`, where there are no
 * normals to draw (a cloud without) and where all points are in one place. */
Status zero_set_create(Shape *shape, const char *name, double fill, ZeroSet *set);
void zero_set_destroy(ZeroSet *set);

/* Local, pure, O(log n). A point of the surface and its unit normal. Mesh: uniform by area, the
 * normal interpolated from the points', or the triangle's where they have none. Cloud: one of its
 * points, with replacement. Takes lanes 0 to 2 of the index. */
void zero_set_draw(const ZeroSet *set, RandomStream stream, uint64_t index, real x[3],
                   real normal[3]);

/* Local. In place: points of the network's coordinates to the file's. */
void zero_set_to_file(const ZeroSet *set, float (*points)[3], int64_t count);

#endif
