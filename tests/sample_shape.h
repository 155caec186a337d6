/* A small shape in every format, in memory, for the tests of shapes. */
#ifndef TESTS_SAMPLE_SHAPE_H
#define TESTS_SAMPLE_SHAPE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef struct {
  unsigned char *data;
  size_t length;
} Bytes;

static inline void put_bytes(Bytes *to, const void *from, size_t length) {
  to->data = realloc(to->data, to->length + length + 1);
  memcpy(to->data + to->length, from, length);
  to->length += length;
}

__attribute__((format(printf, 2, 3))) static inline void put(Bytes *to, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  put_bytes(to, text, (size_t)length);
}

/* The `size` lower bytes of a value's bits, in either order. */
static inline void put_bits(Bytes *to, unsigned long long bits, int size, int big) {
  for (int i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)(bits >> 8 * (big ? size - 1 - i : i));
    put_bytes(to, &byte, 1);
  }
}

static inline void put_float(Bytes *to, double value, int big) {
  float f = (float)value;
  unsigned bits;
  memcpy(&bits, &f, sizeof bits);
  put_bits(to, bits, 4, big);
}

/* The box [-1, 1] x [-1, 1] x [-1, 2], its quads counter-clockwise seen from outside: volume 12,
 * area 32. */
static inline double box_point(int i, int k) {
  return i >> k & 1 ? (k == 2 ? 2 : 1) : -1;
}
static const int box_quads[6][4] = {{0, 2, 3, 1}, {4, 5, 7, 6}, {0, 1, 5, 4},
                                    {2, 6, 7, 3}, {0, 4, 6, 2}, {1, 3, 7, 5}};

static inline void put_box_points(Bytes *to, const char *before) {
  for (int i = 0; i < 8; i++) {
    put(to, "%s%g %g %g\n", before, box_point(i, 0), box_point(i, 1), box_point(i, 2));
  }
}

static inline void put_box_quads(Bytes *to, const char *before, int first) {
  for (int q = 0; q < 6; q++) {
    const int *c = box_quads[q];
    put(to, "%s %d %d %d %d\n", before, c[0] + first, c[1] + first, c[2] + first, c[3] + first);
  }
}

static inline void put_ply_header(Bytes *to, const char *format) {
  put(to,
      "ply\nformat %s 1.0\ncomment a box\nelement vertex 8\nproperty float x\nproperty float y\n"
      "property float z\nelement face 6\nproperty list uchar int vertex_indices\nend_header\n",
      format);
}

static inline Bytes box_ply_text(void) {
  Bytes file = {0};
  put_ply_header(&file, "ascii");
  put_box_points(&file, "");
  put_box_quads(&file, "4", 0);
  return file;
}

static inline Bytes box_ply_binary(int big) {
  Bytes file = {0};
  put_ply_header(&file, big ? "binary_big_endian" : "binary_little_endian");
  for (int i = 0; i < 24; i++) put_float(&file, box_point(i / 3, i % 3), big);
  for (int q = 0; q < 6; q++) {
    put_bits(&file, 4, 1, big);
    for (int c = 0; c < 4; c++) put_bits(&file, (unsigned)box_quads[q][c], 4, big);
  }
  return file;
}

static inline Bytes box_ply_little(void) {
  return box_ply_binary(0);
}

static inline Bytes box_ply_big(void) {
  return box_ply_binary(1);
}

static inline Bytes box_off(void) {
  Bytes file = {0};
  put(&file, "OFF\n# a box\n8 6 0\n");
  put_box_points(&file, "");
  put_box_quads(&file, "4", 0);
  return file;
}

static inline Bytes box_obj(void) {
  Bytes file = {0};
  put(&file, "# a box\nmtllib box.mtl\no box\n");
  put_box_points(&file, "v ");
  put(&file, "vt 0 0\nusemtl red\ns 1\n");
  put_box_quads(&file, "f", 1);
  return file;
}

/* Corner c of triangle t, where the quads are halved. */
static inline int box_corner(int t, int c) {
  return box_quads[t / 2][c == 0 ? 0 : c + t % 2];
}

static inline Bytes box_stl_text(void) {
  Bytes file = {0};
  put(&file, "solid a box\n");
  for (int t = 0; t < 12; t++) {
    put(&file, "facet normal 0 0 0\n  outer loop\n");
    for (int c = 0; c < 3; c++) {
      int i = box_corner(t, c);
      put(&file, "    vertex %g %g %g\n", box_point(i, 0), box_point(i, 1), box_point(i, 2));
    }
    put(&file, "  endloop\nendfacet\n");
  }
  put(&file, "endsolid a box\n");
  return file;
}

static inline Bytes box_stl_binary(void) {
  Bytes file = {0};
  char header[81];
  snprintf(header, sizeof header, "%-80s", "solid, as some programs begin a binary file");
  put_bytes(&file, header, 80);
  put_bits(&file, 12, 4, 0);
  for (int t = 0; t < 12; t++) {
    for (int i = 0; i < 3; i++) put_float(&file, 0, 0);
    for (int i = 0; i < 9; i++) put_float(&file, box_point(box_corner(t, i / 3), i % 3), 0);
    put_bits(&file, 0, 2, 0);
  }
  return file;
}

/* Three points with normals along the axes, of lengths near 1. */
static inline Bytes cloud_xyz(void) {
  Bytes file = {0};
  put(&file,
      "# x y z nx ny nz\n\n1 2 3 1 0 0\r\n  -1e0 .5 0 \t0 -1.05 0 # the second\n4 5 6 0 0 1\n");
  return file;
}

static inline Bytes packed(Bytes plain) {
  Bytes file = {malloc(plain.length + 100), 0};
  z_stream stream = {0};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = plain.data;
  stream.avail_in = (unsigned)plain.length;
  stream.next_out = file.data;
  stream.avail_out = (unsigned)plain.length + 100;
  deflate(&stream, Z_FINISH);
  file.length = stream.total_out;
  deflateEnd(&stream);
  free(plain.data);
  return file;
}

static inline Bytes box_off_packed(void) {
  return packed(box_off());
}

/* `counted`: the file says how long it is, so that no part of it (without its last white space) can
 * pass for the whole. */
static const struct {
  const char *name;
  Bytes (*make)(void);
  int counted, mesh;
} sample_shapes[] = {{"text.ply", box_ply_text, 0, 1},     {"little.ply", box_ply_little, 1, 1},
                     {"big.ply", box_ply_big, 1, 1},       {"box.off", box_off, 0, 1},
                     {"box.obj", box_obj, 0, 1},           {"text.stl", box_stl_text, 0, 1},
                     {"binary.stl", box_stl_binary, 1, 1}, {"box.off.gz", box_off_packed, 1, 1},
                     {"cloud.xyz", cloud_xyz, 0, 0}};
enum { SAMPLE_SHAPES = sizeof sample_shapes / sizeof *sample_shapes };

#endif
