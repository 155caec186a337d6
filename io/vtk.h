/* Scalar fields on a 3-D grid as a VTKHDF file, which ParaView (from 5.10) opens: ImageData,
 * version 1.0, float32, written by all ranks with compression. 4-D: io/xdmf.h.
 *
 *   /VTKHDF                  attributes: Version [2], Type "ImageData", WholeExtent [6],
 *                            Origin [3], Spacing [3], Direction [9], all in the order x, y, z
 *   /VTKHDF/PointData/NAME   [nz][ny][nx] */
#ifndef IO_VTK_H
#define IO_VTK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "mpi/comm.h"

typedef struct VtkFile VtkFile;

/* In the order of a field's axes, z, y, x: axis 0 is slowest and is cut into slabs. */
typedef struct {
  int64_t size[3];           /* samples; at least VTK_MIN_SIZE */
  double lower[3], upper[3]; /* coordinates of the first and last sample, as in Field */
} VtkGrid;

/* VTK's reader (9.1) crashes on a grid that is flat along an axis. */
enum { VTK_MIN_SIZE = 2 };

/* Collective, same arguments on all ranks but for a slab's; errors, disk space and the temporary
 * file are as in io/hdf5_parallel.h. Creates PATH.tmp; `comm` is borrowed. A grid with an axis of
 * less than VTK_MIN_SIZE samples is refused (STATUS_FAILED). */
Status vtk_create(const Comm *comm, const char *path, const VtkGrid *grid, VtkFile **file);

/* Renames the file to PATH if it is complete, else removes it. Frees it in any case. */
Status vtk_close(VtkFile *file, bool complete);

/* Begins another scalar field. The first one is named as the active one, for viewers that look at
 * that (VTK 9.2 does not). */
Status vtk_field(VtkFile *file, const char *name);

/* Each rank brings rows [first, first+count) of axis 0 (count 0 allowed), values [count][y][x].
 * Slabs of one call must not overlap; as many calls as wanted, the same number on every rank. */
Status vtk_slab(VtkFile *file, const char *name, int64_t first, int64_t count, const float *values);

#endif
