#include "io/shape_write.h"

#include <stdio.h>
#include <string.h>

#include "io/file.h"

/* Points or triangles that are written at once. */
enum { BATCH = 4096 };

Status shape_ply_header(const ShapeCounts *counts, char text[SHAPE_HEADER_BYTES], size_t *length) {
  *length = (size_t)snprintf(
      text, SHAPE_HEADER_BYTES,
      "ply\nformat binary_little_endian 1.0\n"
      "element vertex %lld\nproperty float x\nproperty float y\nproperty float z\n%s"
      "element face %lld\nproperty list uchar %s vertex_indices\nend_header\n",
      (long long)counts->n_points,
      counts->normals ? "property float nx\nproperty float ny\nproperty float nz\n" : "",
      (long long)counts->n_triangles, counts->n_points > (int64_t)1 << 31 ? "uint" : "int");
  if (counts->n_points > (int64_t)1 << 32) {
    return status_fail(STATUS_FAILED, "%lld points are more than a PLY file can number (2^32)",
                       (long long)counts->n_points);
  }
  return STATUS_OK;
}

/* Little-endian, whatever the machine is. */
static unsigned char *put(unsigned char *bytes, uint32_t word) {
  for (int i = 0; i < 4; i++) bytes[i] = (unsigned char)(word >> 8 * i);
  return bytes + 4;
}

static unsigned char *put_vector(unsigned char *bytes, const float *vector) {
  uint32_t words[3];
  memcpy(words, vector, sizeof words);
  for (int i = 0; i < 3; i++) bytes = put(bytes, words[i]);
  return bytes;
}

void shape_ply_points(size_t n, const float (*points)[3], const float (*normals)[3],
                      unsigned char *bytes) {
  for (size_t i = 0; i < n; i++) {
    bytes = put_vector(bytes, points[i]);
    if (normals) bytes = put_vector(bytes, normals[i]);
  }
}

void shape_ply_triangles(size_t n, const uint32_t (*triangles)[3], uint32_t offset,
                         unsigned char *bytes) {
  for (size_t i = 0; i < n; i++) {
    *bytes++ = 3;
    for (int k = 0; k < 3; k++) bytes = put(bytes, triangles[i][k] + offset);
  }
}

static size_t batch_of(size_t n, size_t first) {
  return n - first < BATCH ? n - first : BATCH;
}

static Status write_points(FileStream *stream, const Shape *shape) {
  unsigned char bytes[BATCH * (SHAPE_POINT_BYTES + SHAPE_NORMAL_BYTES)];
  size_t each = SHAPE_POINT_BYTES + (shape->normals ? SHAPE_NORMAL_BYTES : 0);
  size_t n = (size_t)shape->n_points;
  for (size_t first = 0; first < n; first += BATCH) {
    size_t count = batch_of(n, first);
    shape_ply_points(count, (const float(*)[3])shape->points + first,
                     shape->normals ? (const float(*)[3])shape->normals + first : NULL, bytes);
    TRY(file_stream_write(stream, bytes, count * each));
  }
  return STATUS_OK;
}

static Status write_triangles(FileStream *stream, const Shape *shape) {
  unsigned char bytes[BATCH * SHAPE_TRIANGLE_BYTES];
  size_t n = (size_t)shape->n_triangles;
  for (size_t first = 0; first < n; first += BATCH) {
    size_t count = batch_of(n, first);
    shape_ply_triangles(count, (const uint32_t(*)[3])(shape->triangles + first), 0, bytes);
    TRY(file_stream_write(stream, bytes, count * SHAPE_TRIANGLE_BYTES));
  }
  return STATUS_OK;
}

Status shape_write_ply(const char *path, const Shape *shape) {
  ShapeCounts counts = {shape->n_points, shape->n_triangles, shape->normals != NULL};
  char header[SHAPE_HEADER_BYTES];
  size_t length;
  FileStream *stream;
  TRY(shape_ply_header(&counts, header, &length));
  TRY(file_stream_open(path, &stream));
  Status status = file_stream_write(stream, header, length);
  if (status == STATUS_OK) status = write_points(stream, shape);
  if (status == STATUS_OK) status = write_triangles(stream, shape);
  return file_stream_close(stream, status);
}
