/* The nearest of many points or triangles in space, exactly: a balanced tree of boxes. */
#ifndef CORE_NEAREST_H
#define CORE_NEAREST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

typedef struct Nearest Nearest;

typedef struct {
  int64_t index; /* of the point or triangle; the lowest of equally near ones; -1: there is none */
  double distance; /* Euclidean; infinite when there is none */
  double point[3]; /* the place on it that is nearest */
} NearestHit;

/* Local. A tree over n points (`triangles` NULL) or over n triangles, whose corners are indices of
 * `points`; degenerate triangles count as the segment or point they are. Coordinates are finite.
 * O(n log n); keeps no pointer to its arguments. n may be 0. */
Status nearest_create(const float (*points)[3], const int32_t (*triangles)[3], int64_t n,
                      Nearest **nearest);
void nearest_destroy(Nearest *nearest); /* NULL is fine */

/* Local. Safe for any number of threads at once. */
NearestHit nearest_find(const Nearest *nearest, const double at[3]);

/* Local. Bytes that such a tree takes while it is made; most of it stays. */
double nearest_bytes(int64_t n, bool triangles);

#endif
