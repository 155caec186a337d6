/* How well a mesh meets the truth. */
#ifndef EXPERIMENTS_SHAPE_METRICS_H
#define EXPERIMENTS_SHAPE_METRICS_H

#include <stdint.h>

#include "core/status.h"
#include "io/shape.h"

/* Lengths are shares of the diagonal of the box around the truth's points. A sample's distance to a
 * mesh is the exact one to its nearest triangle, so a perfect mesh gets 0; to a cloud it is the one
 * to the nearest point, so that found_to_truth (and half of it in chamfer) cannot go below about
 * half the cloud's spacing.
 *
 * A truth that is open, such as a scan from one side, says nothing about what lies beyond its rim:
 * a closed sheet that a reconstruction adds there counts as phantom_area and in found_to_truth;
 * truth_to_found and missing_area do not see it. */
typedef struct {
  double chamfer;            /* (truth_to_found + found_to_truth) / 2 */
  double truth_to_found;     /* mean distance of the truth's samples to the found mesh */
  double found_to_truth;     /* mean distance of the mesh's samples to the truth */
  double normal_consistency; /* mean |n . n'| of samples and what is nearest, of both ways' means */
  double orientation;        /* share of samples with n . n' > 0, likewise: 0 for a flipped mesh */
  double phantom_area;       /* share of the mesh's area over 2 % of the diagonal off the truth */
  double missing_area; /* share of the truth's samples over 2 % of the diagonal off the mesh */
  double watertight;   /* surface_closed_share of the mesh */
  int64_t components;  /* connected parts with more than 1 % of the mesh's area */
} ShapeMetrics;

/* Local. Both in the same coordinates; the truth a mesh or a cloud, `found` a mesh; up to `samples`
 * of each (surface_sample). Normals are those of triangles, or a cloud's own; consistency and
 * orientation are NaN when the truth is a cloud without normals. A found mesh without area gets
 * distances and missing_area 1, all else 0. Deterministic for any number of threads. Fails when the
 * truth has no extent. */
Status shape_metrics(const Shape *truth, const Shape *found, int64_t samples, uint64_t seed,
                     ShapeMetrics *metrics);

/* Local, for forecasts. Bytes that it takes for surfaces of so many triangles (0: of so many
 * points). */
double shape_metrics_bytes(int64_t truth_triangles, int64_t truth_points, int64_t found_triangles,
                           int64_t samples);

#endif
