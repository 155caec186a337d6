/* Meshes of level sets of networks with three coordinates, Phi(x) = level, on grids that no rank
 * could hold: ranks evaluate slabs (experiments/evaluator.h), march through them plane by plane
 * (core/marching.h) and keep only their triangles until rank 0 writes them, piece by piece. */
#ifndef EXPERIMENTS_MESHER_H
#define EXPERIMENTS_MESHER_H

#include "experiments/evaluator.h"

typedef struct {
  Grid grid; /* three axes, at least two samples each, lower < upper */
  double level;
  double scale, offset[3]; /* coordinates in the file are scale * x + offset; scale > 0 */
  int threads;
  const char *path; /* of the PLY file; its directory exists */
} MesherJob;

typedef struct {
  int64_t vertices, triangles;
  double meshing, writing; /* seconds */
} MesherSummary;

/* Collective. Writes the triangles of Phi = level, counter-clockwise seen from where Phi > level,
 * with the normals grad Phi / |grad Phi| at the vertices (0 where there is no direction). `network`
 * has three coordinates, which become x, y, z, and one channel. The file has the same bytes for any
 * number of ranks and threads; no surface gives a valid file without triangles. Fails on all ranks
 * alike when memory is short or the file cannot be written; `path` is then untouched. */
Status mesher_run(const Comm *comm, const Network *network, const real *theta, const MesherJob *job,
                  MesherSummary *summary);

/* Local, for forecasts. Bytes that a rank takes for a mesh of so many vertices. */
double mesher_bytes(const Network *network, const Grid *grid, int threads, int ranks,
                    double vertices);

#endif
