/* Shapes into PLY files: binary, little-endian, float x, y, z (nx, ny, nz), triangles as lists of
 * three. Whole, or piece by piece for shapes that nobody holds as a whole. */
#ifndef IO_SHAPE_WRITE_H
#define IO_SHAPE_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "io/shape.h"

/* Local. Writes the file by file_replace's rules. */
Status shape_write_ply(const char *path, const Shape *shape);

/* Bytes of one point without and with its normal, of one triangle, at most of the header. */
enum {
  SHAPE_POINT_BYTES = 12,
  SHAPE_NORMAL_BYTES = 12,
  SHAPE_TRIANGLE_BYTES = 13,
  SHAPE_HEADER_BYTES = 512
};

/* The file is: header, points, triangles. */
typedef struct {
  int64_t n_points, n_triangles; /* n_triangles 0: there is still an (empty) list of them */
  bool normals;
} ShapeCounts;

/* Local. The header's text; *length gets its length. Indices are `int`, or `uint` where there are
 * over 2^31 points. Fails (STATUS_FAILED) above 2^32 points, which PLY cannot number. */
Status shape_ply_header(const ShapeCounts *counts, char text[SHAPE_HEADER_BYTES], size_t *length);

/* Local. n points as bytes. normals NULL: without. */
void shape_ply_points(size_t n, const float (*points)[3], const float (*normals)[3],
                      unsigned char *bytes);

/* Local. n triangles as bytes, `offset` added to all corners. */
void shape_ply_triangles(size_t n, const uint32_t (*triangles)[3], uint32_t offset,
                         unsigned char *bytes);

#endif
