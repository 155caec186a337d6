/* What a network that learned a signed distance function made of a shape: mesh, metrics, slices,
 * pictures (paper.md 5.3). */
#ifndef EXPERIMENTS_SHAPE_REPORT_H
#define EXPERIMENTS_SHAPE_REPORT_H

#include "experiments/suite.h"
#include "experiments/zero_set.h"

/* Collective. Meshes Phi = 0 on sdf.resolution^3 samples of [-1, 1]^3 and writes
 *   mesh.ply  in the coordinates of the shape's file;
 *   metrics   those of shape_metrics.h, and eikonal, the mean of ||grad Phi| - 1| on the grid of
 *             the fields; vertices and triangles of the mesh;
 *   fields    value and gradient on a coarse grid; slice_x, slice_y and slice_z, values on the
 *             paper's planes x = 0, y = 0 and z = -0.75, and slice_middle on z = 0;
 *   pictures  mesh.png, figure.png. */
Status shape_report(const Setup *setup, const real *theta, const ZeroSet *set, Result *result);

/* Collective. `siren eval`: the fields eval.fields on eval.size^3 samples (0: sdf.resolution) of
 * eval.lower to eval.upper, the mesh eval_mesh.ply on the same grid and, with eval.pictures, its
 * picture. */
Status shape_eval(const Setup *setup, const real *theta, const ZeroSet *set, Result *result);

/* Local, for forecasts of shape_report: bytes that a rank takes, if the mesh becomes about what is
 * in the file; floating-point operations. */
double shape_report_bytes(const Setup *setup, const ZeroSet *set, int rank);
double shape_report_flops(const Setup *setup);

#endif
