#include "io/dataset_shape.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/hdf5.h"
#include "io/layout.h"
#include "io/shape_formats.h"

/* ---- Writing ---- */

static Status fill_file(const Hdf5File *file, const Shape *shape) {
  const int64_t points[2] = {shape->n_points, 3}, triangles[2] = {shape->n_triangles, 3};
  TRY(layout_write_format(file, "siren data"));
  TRY(hdf5_set_text(file, "/", "kind", shape->n_triangles ? "mesh" : "points"));
  TRY(hdf5_write(file, "/points", H5T_NATIVE_FLOAT, 2, points, shape->points));
  if (shape->normals) {
    TRY(hdf5_write(file, "/normals", H5T_NATIVE_FLOAT, 2, points, shape->normals));
  }
  if (!shape->n_triangles) return STATUS_OK;
  return hdf5_write(file, "/triangles", H5T_NATIVE_INT32, 2, triangles, shape->triangles);
}

Status dataset_write_shape(const char *path, const Shape *shape) {
  Hdf5File file;
  unsigned char *data = NULL;
  size_t length = 0;
  TRY(hdf5_create_image(path, 0, &file));
  Status status = fill_file(&file, shape);
  if (status == STATUS_OK) status = hdf5_take_image(&file, &data, &length);
  hdf5_close(&file);
  if (status == STATUS_OK) status = file_replace(path, data, length);
  free(data);
  return status;
}

/* ---- Reading ---- */

bool dataset_matches(const unsigned char *data, size_t length) {
  return length >= 8 && !memcmp(data, "\x89HDF\r\n\x1a\n", 8);
}

/* A data set [n][3] as doubles or int64s, in *values (free()). */
static Status read_rows(const Hdf5File *file, const char *name, hid_t type, int64_t *n,
                        void *values) {
  int rank;
  int64_t size[HDF5_MAX_RANK];
  char text[160];
  TRY(hdf5_shape(file, name, &rank, size));
  if (rank != 2 || size[1] != 3) {
    return status_fail(STATUS_FAILED, "%s: %s has the shape %s; a shape's has three columns",
                       file->path, name, hdf5_shape_text(rank, size, text));
  }
  void *read = NULL;
  TRY(memory_allocate(&read, (size_t)size[0] * 3, 8, "a shape"));
  Status status = size[0] ? hdf5_read(file, name, type, read) : STATUS_OK;
  if (status != STATUS_OK) {
    free(read);
    return status;
  }
  *n = size[0];
  memcpy(values, &read, sizeof read);
  return STATUS_OK;
}

static Status read_points(const Hdf5File *file, const char *name, ShapeBuilder *builder,
                          Status (*add)(ShapeBuilder *, const double[3])) {
  int64_t n;
  double *rows = NULL;
  TRY(read_rows(file, name, H5T_NATIVE_DOUBLE, &n, &rows));
  Status status = STATUS_OK;
  for (int64_t i = 0; status == STATUS_OK && i < n; i++) status = add(builder, rows + 3 * i);
  free(rows);
  return status;
}

static Status read_triangles(const Hdf5File *file, ShapeBuilder *builder) {
  int64_t n, *rows = NULL;
  TRY(read_rows(file, "/triangles", H5T_NATIVE_INT64, &n, &rows));
  Status status = STATUS_OK;
  for (int64_t i = 0; status == STATUS_OK && i < 3 * n; i++) {
    if (rows[i] < 0 || rows[i] >= builder->shape.n_points) {
      status = status_fail(STATUS_FAILED,
                           "%s: triangle %" PRId64 " has the corner %" PRId64
                           ", but there are %" PRId64 " points",
                           file->path, i / 3, rows[i], builder->shape.n_points);
    }
    if (status == STATUS_OK) status = builder_corner(builder, rows[i]);
    if (status == STATUS_OK && i % 3 == 2) status = builder_polygon(builder);
  }
  free(rows);
  return status;
}

static Status read_shape(const Hdf5File *file, ShapeBuilder *builder) {
  if (!hdf5_has(file, "/points")) {
    return status_fail(STATUS_FAILED, "%s: no data set /points: it holds no shape", file->path);
  }
  TRY(read_points(file, "/points", builder, builder_point));
  if (hdf5_has(file, "/normals")) {
    TRY(read_points(file, "/normals", builder, builder_normal));
  }
  return hdf5_has(file, "/triangles") ? read_triangles(file, builder) : STATUS_OK;
}

Status dataset_decode(const unsigned char *data, size_t length, ShapeBuilder *builder) {
  Hdf5File file;
  TRY(hdf5_open_image(builder->name, data, length, &file));
  Status status = read_shape(&file, builder);
  hdf5_close(&file);
  return status;
}
