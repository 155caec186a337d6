#include "io/dataset_shape.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/dataset_parts.h"
#include "io/file.h"
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

/* A data set [n][3] as doubles or, where it must hold whole numbers, int64s, in *values (free()).
 */
static Status read_rows(const Hdf5File *file, const char *name, bool whole, int64_t *n,
                        void *values) {
  Stored stored;
  char text[160];
  TRY(dataset_look(file, name, &stored));
  if (stored.rank != 2 || stored.size[1] != 3) {
    return status_fail(STATUS_FAILED, "%s: %s has the shape %s; a shape's has three columns",
                       file->path, name, hdf5_shape_text(stored.rank, stored.size, text));
  }
  if (stored.class != H5T_INTEGER && (whole || stored.class != H5T_FLOAT)) {
    return status_fail(STATUS_FAILED, "%s: %s holds no %s", file->path, name,
                       whole ? "whole numbers" : "numbers");
  }
  void *read = NULL;
  TRY(memory_allocate(&read, (size_t)stored.size[0] * 3, 8, "a shape"));
  Status status = STATUS_OK;
  if (stored.size[0]) {
    status = hdf5_read(file, name, whole ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE, read);
  }
  if (status != STATUS_OK) {
    free(read);
    return status;
  }
  *n = stored.size[0];
  memcpy(values, &read, sizeof read);
  return STATUS_OK;
}

static Status read_points(const Hdf5File *file, const char *name, ShapeBuilder *builder,
                          Status (*add)(ShapeBuilder *, const double[3])) {
  int64_t n, points = builder->shape.n_points;
  double *rows = NULL;
  TRY(read_rows(file, name, false, &n, &rows));
  Status status = STATUS_OK;
  if (points && n != points) {
    status = status_fail(STATUS_FAILED, "%s: %s has %" PRId64 " rows for %" PRId64 " points",
                         file->path, name, n, points);
  }
  for (int64_t i = 0; status == STATUS_OK && i < n; i++) status = add(builder, rows + 3 * i);
  free(rows);
  return status;
}

static Status read_triangles(const Hdf5File *file, ShapeBuilder *builder) {
  int64_t n, *rows = NULL;
  TRY(read_rows(file, "/triangles", true, &n, &rows));
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
