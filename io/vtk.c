#include "io/vtk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "io/hdf5_parallel.h"

static const char root[] = "/VTKHDF";

struct VtkFile {
  ParallelFile *parallel;
  VtkGrid grid;
  bool active; /* there is one already */
};

enum { DATA_PATH = 160 };
static void data_path(const char *name, char path[DATA_PATH]) {
  snprintf(path, DATA_PATH, "/VTKHDF/PointData/%s", name);
}

static Status check_grid(const char *path, const VtkGrid *grid) {
  for (int i = 0; i < 3; i++) {
    if (grid->size[i] < VTK_MIN_SIZE) {
      return status_fail(STATUS_FAILED,
                         "%s: a grid of %" PRId64 "x%" PRId64 "x%" PRId64
                         " is flat, VTK needs %d samples or more along every axis",
                         path, grid->size[0], grid->size[1], grid->size[2], VTK_MIN_SIZE);
    }
  }
  return STATUS_OK;
}

/* VTK counts axes from x on, which is the last one of a field. */
static Status write_grid(const Hdf5File *hdf5, const VtkGrid *grid) {
  int64_t extent[6] = {0};
  double spacing[3], origin[3];
  for (int i = 0; i < 3; i++) {
    int axis = 2 - i;
    extent[2 * i + 1] = grid->size[axis] - 1;
    origin[i] = grid->lower[axis];
    spacing[i] = (grid->upper[axis] - grid->lower[axis]) / (double)(grid->size[axis] - 1);
  }
  TRY(hdf5_set_integers(hdf5, root, "WholeExtent", 6, extent));
  TRY(hdf5_set_numbers(hdf5, root, "Origin", 3, origin));
  TRY(hdf5_set_numbers(hdf5, root, "Spacing", 3, spacing));
  return hdf5_set_numbers(hdf5, root, "Direction", 9, (double[]){1, 0, 0, 0, 1, 0, 0, 0, 1});
}

static Status write_header(const Hdf5File *hdf5, const VtkGrid *grid) {
  TRY(hdf5_group(hdf5, "/VTKHDF/PointData"));
  TRY(hdf5_set_integers(hdf5, root, "Version", 2, (int64_t[]){1, 0}));
  TRY(hdf5_set_ascii(hdf5, root, "Type", "ImageData"));
  return write_grid(hdf5, grid);
}

Status vtk_create(const Comm *comm, const char *path, const VtkGrid *grid, VtkFile **result) {
  VtkFile *file = NULL;
  Status status = check_grid(path, grid);
  if (status == STATUS_OK) status = memory_allocate(&file, 1, sizeof *file, "a VTK file");
  status = comm_agree(comm, status);
  if (status == STATUS_OK) status = parallel_create(comm, path, &file->parallel);
  if (status != STATUS_OK) {
    free(file);
    return status;
  }
  file->grid = *grid;
  status = parallel_agree(file->parallel, write_header(parallel_hdf5(file->parallel), grid));
  if (status == STATUS_OK) {
    *result = file;
  } else {
    vtk_close(file, false);
  }
  return status;
}

Status vtk_close(VtkFile *file, bool complete) {
  Status status = parallel_close(file->parallel, complete);
  free(file);
  return status;
}

Status vtk_field(VtkFile *file, const char *name) {
  char path[DATA_PATH];
  data_path(name, path);
  TRY(parallel_field(file->parallel, path, 3, file->grid.size));
  if (file->active) return STATUS_OK;
  file->active = true;
  return parallel_agree(file->parallel, hdf5_set_ascii(parallel_hdf5(file->parallel),
                                                       "/VTKHDF/PointData", "Scalars", name));
}

Status vtk_slab(VtkFile *file, const char *name, int64_t first, int64_t count,
                const float *values) {
  char path[DATA_PATH];
  data_path(name, path);
  return parallel_slab(file->parallel, path, first, count, values);
}
