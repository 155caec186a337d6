/* Shapes as PLY files, byte for byte as the format's description has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/file.h"
#include "io/shape_write.h"

static char path[] = "/tmp/siren-ply-XXXXXX";

static void assert_bytes(const char *header, const unsigned char *body, size_t n) {
  unsigned char *data;
  size_t length;
  if (file_read(path, &data, &length) != STATUS_OK) fail_msg("%s", status_message());
  assert_int_equal(length, strlen(header) + n);
  assert_memory_equal(data, header, strlen(header));
  assert_memory_equal(data + strlen(header), body, n);
  free(data);
}

static void test_triangle_with_normals(void **state) {
  (void)state;
  float points[3][3] = {{0, 0, 0}, {1, 0, 0}, {0, -2, 0.5f}}, normals[3][3] = {{0, 0, 1}};
  int32_t triangle[1][3] = {{0, 1, 258}};
  Shape shape = {3, 1, points, normals, triangle};
  assert_int_equal(shape_write_ply(path, &shape), STATUS_OK);
  const unsigned char body[] = {
      0, 0, 0,    0,    0, 0, 0, 0,    0, 0, 0, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f,  //
      0, 0, 0x80, 0x3f, 0, 0, 0, 0,    0, 0, 0, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0,     //
      0, 0, 0,    0,    0, 0, 0, 0xc0, 0, 0, 0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0,     //
      3, 0, 0,    0,    0, 1, 0, 0,    0, 2, 1, 0,    0};
  assert_bytes(
      "ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\n"
      "property float y\nproperty float z\nproperty float nx\nproperty float ny\n"
      "property float nz\nelement face 1\nproperty list uchar int vertex_indices\n"
      "end_header\n",
      body, sizeof body);
}

static void test_empty(void **state) {
  (void)state;
  Shape shape = {0};
  assert_int_equal(shape_write_ply(path, &shape), STATUS_OK);
  assert_bytes(
      "ply\nformat binary_little_endian 1.0\nelement vertex 0\nproperty float x\n"
      "property float y\nproperty float z\nelement face 0\n"
      "property list uchar int vertex_indices\nend_header\n",
      NULL, 0);
}

/* More than are written at once. */
static void test_many(void **state) {
  (void)state;
  enum { N = 10000, HEADER = 200 };
  float(*points)[3] = malloc(N * sizeof *points);
  int32_t(*triangles)[3] = malloc(N * sizeof *triangles);
  for (int i = 0; i < 3 * N; i++) {
    points[i / 3][i % 3] = (float)i;
    triangles[i / 3][i % 3] = i / 3;
  }
  Shape shape = {N, N, points, NULL, triangles};
  assert_int_equal(shape_write_ply(path, &shape), STATUS_OK);
  unsigned char *data;
  size_t length, bytes = N * sizeof *points;
  assert_int_equal(file_read(path, &data, &length), STATUS_OK);
  size_t header = length - bytes - 13 * N;
  assert_true(header < HEADER);
  assert_memory_equal(data + header, points, bytes); /* on a little-endian machine */
  for (int i = 0; i < N; i++) {
    const unsigned char *face = data + header + bytes + 13 * i;
    assert_int_equal(face[0], 3);
    assert_memory_equal(face + 1, triangles[i], 12);
  }
  free(data);
  free(points);
  free(triangles);
}

static void test_counts(void **state) {
  (void)state;
  char text[SHAPE_HEADER_BYTES];
  size_t length;
  ShapeCounts counts = {(int64_t)1 << 31, 7, true};
  assert_int_equal(shape_ply_header(&counts, text, &length), STATUS_OK);
  assert_int_equal(length, strlen(text));
  assert_non_null(strstr(text, "element vertex 2147483648\n"));
  assert_non_null(strstr(text, "list uchar int "));
  counts.n_points++;
  assert_int_equal(shape_ply_header(&counts, text, &length), STATUS_OK);
  assert_non_null(strstr(text, "list uchar uint "));
  counts.n_points = ((int64_t)1 << 32) + 1;
  assert_int_equal(shape_ply_header(&counts, text, &length), STATUS_FAILED);
}

static void test_no_directory(void **state) {
  (void)state;
  Shape shape = {0};
  assert_int_equal(shape_write_ply("/tmp/siren-none/there/a.ply", &shape), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "/tmp/siren-none/there/a.ply"));
}

static int begin(void **state) {
  (void)state;
  int fd = mkstemp(path);
  return fd < 0 ? -1 : close(fd);
}

static int end(void **state) {
  (void)state;
  return unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_triangle_with_normals),
      cmocka_unit_test(test_empty),
      cmocka_unit_test(test_many),
      cmocka_unit_test(test_counts),
      cmocka_unit_test(test_no_directory),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
