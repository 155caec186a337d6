/* Marching cubes (Lorensen and Cline, SIGGRAPH 1987) on a grid that comes plane by plane: triangles
 * of the surface where a field passes through a level. Only two planes are held, so that a grid of
 * any size can be cut into slabs, each of which is meshed alone; numbers of vertices fit together
 * without anything being exchanged.
 *
 * A sample is inside where value < level; outside are value >= level and NaN. Every grid edge
 * between the two has one vertex, shared by all triangles there. The surface is a closed oriented
 * manifold but for the grid's border, triangles counter-clockwise seen from outside, where (plane,
 * row, column) are right-handed axes. */
#ifndef CORE_MARCHING_H
#define CORE_MARCHING_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct Marching Marching;

/* What a plane adds. Vertices are numbered from 0 at marching_begin, in the order in which they
 * come: by plane, those within a plane before those between it and the next; by row, column and
 * direction (row, column) within. So the first vertices of a slab are the ones that the slab below
 * has met last: it numbers them right when it is given that plane, too. */
typedef struct {
  size_t n_between;  /* of them: between the plane before and this one; these come first */
  size_t n_vertices; /* n_between, and those within this plane */
  const double (*vertices)[3]; /* plane, row, column, in steps of the grid */
  size_t n_triangles;          /* between the plane before and this one */
  const uint32_t (*triangles)[3];
} MarchingLayer;

/* Local. For planes of rows x columns samples, each >= 1. */
Status marching_create(int64_t rows, int64_t columns, float level, Marching **marching);
void marching_destroy(Marching *marching);

/* Local. Begins a slab, whose first plane will be number `plane` of the grid. */
void marching_begin(Marching *marching, int64_t plane);

/* Local. The next plane, values [rows][columns], which are not needed any more afterwards. Arrays
 * of *layer are owned by marching and valid until the next call. Vertices lie at the zero of the
 * line through the edge's two values, at least 1/1024 of the edge away from its ends, so that no
 * triangle has equal corners; in the middle where a value is not finite. Fails when memory is short
 * or a slab has over 2^32 vertices. */
Status marching_plane(Marching *marching, const float *values, MarchingLayer *layer);

#endif
