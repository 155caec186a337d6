#include "core/marching_cases.h"

#include <assert.h>
#include <stdbool.h>

enum { FACES = 6, NONE = -1 };

/* Edge 4 axis + i: i has the corner's bits of the other two axes. */
int marching_edge_axis(int edge) {
  return edge / 4;
}

int marching_edge_corner(int edge) {
  int axis = edge / 4, i = edge % 4, below = (1 << axis) - 1;
  return (i & below) | (i & ~below) << 1;
}

static int edge_between(int c, int d) {
  int axis = (c ^ d) >> 1, corner = c & d, below = (1 << axis) - 1;
  return 4 * axis + ((corner & below) | (corner >> 1 & ~below));
}

/* The faces an edge lies on, as bits 2 axis + side. */
static int faces_of(int edge) {
  int faces = 0, corner = marching_edge_corner(edge);
  for (int axis = 0; axis < 3; axis++) {
    if (axis != marching_edge_axis(edge)) faces |= 1 << (2 * axis + (corner >> axis & 1));
  }
  return faces;
}

/* Corners of a face, counter-clockwise seen from outside the cube. */
static void face_corners(int face, int corners[4]) {
  int axis = face / 2, side = face % 2;
  int u = 1 << (axis + 1) % 3, v = 1 << (axis + 2) % 3;
  for (int i = 0; i < 4; i++) {
    int turn = side ? i : 3 - i;
    corners[i] = side << axis | (turn == 1 || turn == 2 ? u : 0) | (turn >= 2 ? v : 0);
  }
}

/* next[e] = the crossed edge that follows e on the contour. Each run of inside corners around a
 * face is cut off by one segment, so two inside corners on a diagonal are always separated. The
 * inside lies to the left of a segment seen from outside the cube. */
static void trace_faces(int which, int next[MARCHING_EDGES]) {
  for (int e = 0; e < MARCHING_EDGES; e++) next[e] = NONE;
  for (int face = 0; face < FACES; face++) {
    int c[4];
    face_corners(face, c);
    for (int i = 0; i < 4; i++) {
      int before = c[(i + 3) % 4], last = i;
      if (!(which >> c[i] & 1) || which >> before & 1) continue;
      while (which >> c[(last + 1) % 4] & 1) last++;
      next[edge_between(before, c[i])] = edge_between(c[last % 4], c[(last + 1) % 4]);
    }
  }
}

/* A fan's inner sides must run through the cube, not on a face, where the cube behind it might have
 * the same side once more. */
static bool apex_fits(const int *loop, int length, int apex) {
  for (int k = 2; k < length - 1; k++) {
    if (faces_of(loop[apex]) & faces_of(loop[(apex + k) % length])) return false;
  }
  return true;
}

static void add_fan(MarchingCases *cases, int which, const int *loop, int length) {
  int apex = 0;
  while (apex < length && !apex_fits(loop, length, apex)) apex++;
  assert(apex < length);
  for (int k = 1; k < length - 1; k++) {
    assert(cases->count[which] < MARCHING_MAX_TRIANGLES);
    uint8_t *triangle = cases->edges[which][cases->count[which]++];
    for (int i = 0; i < 3; i++) {
      triangle[i] = (uint8_t)loop[(apex + (i ? k + i - 1 : 0)) % length];
    }
  }
}

static void link_loops(MarchingCases *cases, int which) {
  int next[MARCHING_EDGES];
  trace_faces(which, next);
  for (int first = 0; first < MARCHING_EDGES; first++) {
    int loop[MARCHING_EDGES], length = 0;
    for (int e = first; next[e] != NONE;) {
      int after = next[e];
      loop[length++] = e;
      next[e] = NONE;
      e = after;
    }
    if (length) add_fan(cases, which, loop, length);
  }
}

void marching_cases(MarchingCases *cases) {
  *cases = (MarchingCases){0};
  for (int which = 0; which < MARCHING_CASES; which++) link_loops(cases, which);
}
