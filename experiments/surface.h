/* Surfaces to measure: samples spread over a mesh or cloud, distances to it, its topology. */
#ifndef EXPERIMENTS_SURFACE_H
#define EXPERIMENTS_SURFACE_H

#include <stdint.h>

#include "core/nearest.h"
#include "core/status.h"
#include "io/shape.h"

/* Of a mesh the triangles that have an area, of a cloud the points. A mesh may have none of them,
 * a Shape without points and triangles too: the surface is then empty. */
typedef struct {
  const Shape *shape; /* borrowed */
  int64_t n;          /* triangles or points */
  int32_t (*triangles)[3];
  double (*normals)[3]; /* unit length, [n]; NULL: a cloud without normals */
  double *area_until;   /* [n], of a mesh: area of the triangles up to and with this one */
  Nearest *nearest;
} Surface;

/* Local. Borrows the shape. */
Status surface_create(const Shape *shape, Surface *surface);
void surface_destroy(Surface *surface);

/* Local. The diagonal of the box around all points of the shape. */
double surface_diagonal(const Shape *shape);

typedef struct {
  int64_t n;
  double (*at)[3];
  double (*normals)[3]; /* NULL: a cloud without normals */
} SurfaceSamples;

/* Local. Of a mesh `count` samples, one at random in each of as many parts of equal area; of a
 * cloud its own points, or `count` of them at random where it has more. Pure function of seed and
 * `stream`. An empty surface has none. */
Status surface_sample(const Surface *surface, int64_t count, uint64_t seed, uint64_t stream,
                      SurfaceSamples *samples);
void surface_samples_destroy(SurfaceSamples *samples);

/* Local. The share of the mesh's edges that belong to exactly two triangles, which run along it in
 * opposite directions: 1 for a closed oriented surface. Corners are the same where their index is;
 * triangles with a corner twice are left out. 0 without edges. */
Status surface_closed_share(const Shape *mesh, double *share);

/* Local. The number of parts of the mesh, connected through common corners, that have more than
 * `least` of its area. */
Status surface_components(const Shape *mesh, double least, int64_t *components);

#endif
