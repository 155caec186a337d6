/* The cases of marching cubes, made by one rule instead of a table typed in: which triangles
 * separate the inside corners of a cube from the outside ones. Corner c lies at (c & 1, c >> 1 & 1,
 * c >> 2 & 1) on axes 0, 1, 2. */
#ifndef CORE_MARCHING_CASES_H
#define CORE_MARCHING_CASES_H

#include <stdint.h>

enum { MARCHING_EDGES = 12, MARCHING_CASES = 256, MARCHING_MAX_TRIANGLES = 5 };

/* Case: bit c is set where corner c is inside. Triangles name the edges that their corners lie on,
 * counter-clockwise seen from outside (right-handed axes). */
typedef struct {
  uint8_t count[MARCHING_CASES];
  uint8_t edges[MARCHING_CASES][MARCHING_MAX_TRIANGLES][3];
} MarchingCases;

/* Local. An edge's axis, and the corner it begins at: the one of lower index. */
int marching_edge_axis(int edge);
int marching_edge_corner(int edge);

/* Local. Fills the table. Every crossed edge is a corner of exactly one fan of triangles. A side of
 * a triangle that lies on a face of the cube depends on that face's corners alone, and the cube
 * behind the face has it the other way round: surfaces are closed and oriented by construction. */
void marching_cases(MarchingCases *cases);

#endif
