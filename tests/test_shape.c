/* Shapes: every format, polygons, joined points, what is left out, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <math.h>

#include "experiments/surface.h"
#include "io/shape.h"
#include "io/shape_write.h"
#include "tests/sample_shape.h"

static char warning[512];

static void assert_part(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("\"%s\" lacks \"%s\"", text, part);
  assert_null(strchr(text, '\n'));
}

static void assert_close(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%.9g is not %.9g", value, expected);
}

/* An exactly fitting copy, so that a sanitizer sees every byte read too far. */
static Status decode(const char *name, const void *data, size_t length, Shape *shape) {
  unsigned char *copy = malloc(length ? length : 1);
  memcpy(copy, data, length);
  Status status = shape_decode(name, copy, length, shape, warning);
  free(copy);
  return status;
}

static Shape decoded(const char *name, Bytes file) {
  Shape shape;
  if (decode(name, file.data, file.length, &shape) != STATUS_OK) fail_msg("%s", status_message());
  free(file.data);
  return shape;
}

static Shape decoded_text(const char *name, const char *text) {
  Bytes file = {0};
  put(&file, "%s", text);
  return decoded(name, file);
}

static void assert_refused(const char *name, const void *data, size_t length, const char *reason) {
  Shape shape = {.n_points = -7};
  if (decode(name, data, length, &shape) != STATUS_FAILED) fail_msg("not refused: %s", reason);
  assert_int_equal(shape.n_points, -7);
  assert_int_equal(strncmp(status_message(), name, strlen(name)), 0);
  assert_part(status_message(), reason);
}

/* The sum of the triangles' areas and the volume they enclose. */
static double measure(const Shape *shape, double *volume) {
  double area = 0;
  *volume = 0;
  for (int64_t t = 0; t < shape->n_triangles; t++) {
    const float *p[3];
    double cross[3], squares = 0;
    for (int c = 0; c < 3; c++) p[c] = shape->points[shape->triangles[t][c]];
    for (int k = 0; k < 3; k++) {
      int u = (k + 1) % 3, v = (k + 2) % 3;
      cross[k] =
          (p[1][u] - p[0][u]) * (p[2][v] - p[0][v]) - (p[1][v] - p[0][v]) * (p[2][u] - p[0][u]);
      squares += cross[k] * cross[k];
      *volume += p[0][k] * cross[k] / 6;
    }
    area += sqrt(squares) / 2;
  }
  return area;
}

static void assert_box(const Shape *shape) {
  double volume, share;
  assert_int_equal(shape->n_points, 8);
  assert_int_equal(shape->n_triangles, 12);
  assert_close(measure(shape, &volume), 32, 1e-6);
  assert_close(volume, 12, 1e-6); /* and so outward */
  assert_int_equal(surface_closed_share(shape, &share), STATUS_OK);
  assert_close(share, 1, 0);
  assert_null(shape->normals);
}

static void every_format(void **state) {
  (void)state;
  for (int i = 0; i < SAMPLE_SHAPES; i++) {
    if (!sample_shapes[i].mesh) continue;
    Shape shape = decoded(sample_shapes[i].name, sample_shapes[i].make());
    assert_box(&shape);
    assert_string_equal(warning, "");
    shape_destroy(&shape);
    assert_null(shape.points);
    shape = decoded("a name without an ending", sample_shapes[i].make());
    assert_box(&shape);
    shape_destroy(&shape);
  }
}

/* ---- Clouds ---- */

static void assert_point(const Shape *shape, int i, double x, double y, double z) {
  const double expected[3] = {x, y, z};
  for (int k = 0; k < 3; k++) {
    assert_float_equal(shape->points[i][k], (float)expected[k], 0);
  }
}

static void assert_normal(const Shape *shape, int i, double x, double y, double z) {
  const double expected[3] = {x, y, z};
  for (int k = 0; k < 3; k++) {
    assert_float_equal(shape->normals[i][k], (float)expected[k], 1e-6);
  }
}

static void assert_cloud(Shape shape) {
  assert_int_equal(shape.n_points, 3);
  assert_int_equal(shape.n_triangles, 0);
  assert_null(shape.triangles);
  assert_string_equal(warning, "");
  assert_point(&shape, 0, 1, 2, 3);
  assert_point(&shape, 1, -1, 0.5, 0);
  assert_point(&shape, 2, 4, 5, 6);
  assert_normal(&shape, 0, 1, 0, 0);
  assert_normal(&shape, 1, 0, -1, 0);
  assert_normal(&shape, 2, 0, 0, 1);
  shape_destroy(&shape);
}

static void clouds(void **state) {
  (void)state;
  assert_cloud(decoded("cloud", cloud_xyz()));
  assert_cloud(decoded("cloud", packed(cloud_xyz())));
  assert_cloud(decoded_text("cloud.ply",
                            "ply\r\nformat ascii 1.0\r\nobj_info x\r\nelement camera 1\r\n"
                            "property list int short lens\r\nelement vertex 3\r\n"
                            "property double nx\nproperty float ny\nproperty float nz\n"
                            "property float x\nproperty float y\nproperty float z\n"
                            "property float quality\nend_header\n2 7 8\n"
                            "1 0 0 1 2 3 nan\n0 -1 0 -1 .5 0 0\n0 0 1.04 4 5 6 0\n"));
  assert_cloud(decoded_text("cloud.obj",
                            "v 1 2 3\nvn 1 0 0\nv -1 .5 0\nvn 0 -1 0\nv 4 5 6\n"
                            "vn 0 0 1\n"));
  assert_cloud(decoded_text("cloud.off", "NOFF 3 0 0\n1 2 3 1 0 0\n-1 .5 0 0 -1 0\n4 5 6 0 0 1\n"));
  Shape shape = decoded_text("cloud", "1 2 3\n4 5 6\n");
  assert_int_equal(shape.n_points, 2);
  assert_null(shape.normals);
  shape_destroy(&shape);
}

static void every_type_of_ply(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int size;
    unsigned long long bits;
    double value;
  } types[] = {{"char", 1, 0xfe, -2},         {"uint8", 1, 0xfe, 254},
               {"short", 2, 0xfffd, -3},      {"uint16", 2, 0xfffd, 65533},
               {"int", 4, 0xfffffffc, -4},    {"uint32", 4, 0xff000000, 4278190080.0},
               {"float", 4, 0x3fc00000, 1.5}, {"float64", 8, 0xc00a000000000000, -3.25}};
  for (size_t i = 0; i < 2 * sizeof types / sizeof *types; i++) {
    int big = i % 2;
    Bytes file = {0};
    put(&file, "ply\nformat binary_%s_endian 1.0\nelement vertex 1\n", big ? "big" : "little");
    put(&file, "property list uint8 double weights\nproperty %s x\n", types[i / 2].name);
    put(&file, "property float y\nproperty int z\nend_header\n");
    put_bits(&file, 1, 1, big);
    put_bits(&file, 77, 8, big);
    put_bits(&file, types[i / 2].bits, types[i / 2].size, big);
    put_float(&file, 0.25, big);
    put_bits(&file, 9, 4, big);
    Shape shape = decoded("a.ply", file);
    assert_point(&shape, 0, types[i / 2].value, 0.25, 9);
    shape_destroy(&shape);
  }
}

/* ---- Polygons ---- */

/* A polygon in the plane z = x + y, counter-clockwise seen from above, whose shadow has `area`. */
static void check_polygon(const double (*corners)[2], int n, double area) {
  Bytes file = {0};
  put(&file, "OFF\n%d 1 0\n", n);
  for (int i = 0; i < n; i++) {
    put(&file, "%.9g %.9g %.9g\n", corners[i][0], corners[i][1], corners[i][0] + corners[i][1]);
  }
  put(&file, "%d", n);
  for (int i = 0; i < n; i++) put(&file, " %d", i);
  Shape shape = decoded("polygon.off", file);
  double volume;
  assert_int_equal(shape.n_triangles, n - 2);
  assert_close(measure(&shape, &volume), area * sqrt(3), 1e-5 * area);
  for (int64_t t = 0; t < shape.n_triangles; t++) { /* none faces down */
    const float *a = shape.points[shape.triangles[t][0]], *b = shape.points[shape.triangles[t][1]];
    const float *c = shape.points[shape.triangles[t][2]];
    assert_true((b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0]));
  }
  shape_destroy(&shape);
}

static void polygons(void **state) {
  (void)state;
  static const double square[][2] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}};
  static const double angle[][2] = {{2, 1}, {1, 1}, {1, 2}, {0, 2}, {0, 0}, {2, 0}};
  static const double arrow[][2] = {{0, 0}, {4, -2}, {1, 0}, {4, 2}};
  static const double straight[][2] = {{0, 0}, {1, 0}, {2, 0}, {2, 1}, {1, 1}, {0, 1}};
  static const double comb[][2] = {{0, 0}, {5, 0}, {5, 3}, {4, 3}, {4, 1},
                                   {3, 1}, {3, 3}, {2, 3}, {2, 1}, {0, 3}};
  static const double frame[][2] = {{0, 0}, {3, 0}, {3, 3}, {0, 3}, {0, 0},
                                    {1, 1}, {1, 2}, {2, 2}, {2, 1}, {1, 1}};
  check_polygon(square, 4, 1);
  check_polygon(angle, 6, 3);
  check_polygon(arrow, 4, 2);
  check_polygon(straight, 6, 2);
  check_polygon(comb, 10, 11);
  check_polygon(frame, 10, 8);
  double round[400][2];
  for (int i = 0; i < 400; i++) {
    round[i][0] = cos(2 * 3.14159265358979 * i / 400);
    round[i][1] = sin(2 * 3.14159265358979 * i / 400);
  }
  check_polygon((const double(*)[2])round, 400, 3.14146); /* 200 sin(2 pi / 400) */
}

static void a_large_polygon_must_be_convex(void **state) {
  (void)state;
  Bytes file = {0};
  for (int i = 0; i < 300; i++) put(&file, "v %d %d 0\n", i, i % 2 ? 0 : 2 * i + 1);
  put(&file, "f");
  for (int i = 0; i < 300; i++) put(&file, " %d", i + 1);
  put(&file, "\n");
  assert_refused("zigzag.obj", file.data, file.length, "polygon 1 has 300 corners and is not conv");
  free(file.data);
}

/* ---- Points and normals ---- */

static void obj_corners(void **state) {
  (void)state;
  static const char *const forms[] = {"1 2 3", "-3 -2 -1", "1/1 2/1 3/1", "1//1 2//1 3//-1",
                                      "1/1/1 2/1/1 3/1/1"};
  for (int i = 0; i < 5; i++) {
    Bytes file = {0};
    put(&file, "v 0 0 0 1 0 0\nv 1 0 0 1\nv 0 1 0\nvt 0 0\nvn 0 0 2\nf %s\nl 1 2\n", forms[i]);
    Shape shape = decoded("a.obj", file);
    assert_int_equal(shape.n_triangles, 1);
    assert_memory_equal(shape.triangles[0], ((int32_t[]){0, 1, 2}), sizeof shape.triangles[0]);
    if (i >= 3) assert_normal(&shape, 2, 0, 0, 1);
    shape_destroy(&shape);
  }
  Shape shape = decoded_text("a.obj",
                             "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nvn 0 0 1\nvn 1 0 0\n"
                             "f 1//1 2//1 3//1\nf 1//2 3//2 4//2\n");
  assert_null(shape.normals);
  assert_int_equal(shape.n_points, 4); /* they stay connected */
  assert_part(warning, "a.obj: 2 points have several normals: the triangles' own serve");
  shape_destroy(&shape);
}

static void stl_joins_equal_places(void **state) {
  (void)state;
  Bytes file = {0};
  put(&file, "solid\n");
  for (int t = 0; t < 100; t++) { /* a strip */
    put(&file, "facet normal 0 0 1\nouter loop\n");
    for (int c = 0; c < 3; c++) {
      int i = t % 2 && c ? t + 3 - c : t + c;
      put(&file, "vertex %d %d %s\n", i / 2, i % 2, t % 2 ? "0" : "-0.0");
    }
    put(&file, "endloop\nendfacet\n");
  }
  put(&file, "endsolid\n");
  Shape shape = decoded("strip.stl", file);
  assert_int_equal(shape.n_points, 102);
  assert_int_equal(shape.n_triangles, 100);
  shape_destroy(&shape);
}

static void what_is_left_out(void **state) {
  (void)state;
  Shape shape = decoded_text("a.off",
                             "OFF\n6 4 0\n9 9 9\n0 0 0\n1 0 0\n0 1 0\n2 0 0\n7 7 7\n"
                             "3 1 2 3\n3 1 1 2\n3 1 2 4\n2 1 2\n");
  assert_int_equal(shape.n_points, 3);
  assert_int_equal(shape.n_triangles, 1);
  assert_point(&shape, 0, 0, 0, 0);
  assert_point(&shape, 2, 0, 1, 0);
  assert_memory_equal(shape.triangles[0], ((int32_t[]){0, 1, 2}), sizeof shape.triangles[0]);
  assert_string_equal(warning,
                      "a.off: left out 3 triangles without area; left out 3 points of no "
                      "triangle");
  shape_destroy(&shape);
  shape = decoded_text("a.off", "NOFF\n3 1 0\n0 0 0 0 0 1\n1 0 0 0 0 0\n0 1 0 0 0 1\n3 0 1 2\n");
  assert_null(shape.normals);
  assert_part(warning, "a.off: a point's normal has no direction");
  shape_destroy(&shape);
}

static void warnings(void **state) {
  (void)state;
  static const struct {
    const char *text, *warning;
  } cases[] = {
      {"NOFF\n3 1 0\n0 0 0 0 0 1\n1 0 0 0 0 1\n0 1 0 0 0 1\n3 0 2 1\n",
       "a: 1 of 1 triangles are wound against their normals"},
      {"0 0 0 200 10 10\n1 0 0 0 255 0\n", "a: the normals have lengths from 200 to 255"},
      {"5000000 0 0\n5000001 0 0\n", "a: it is far from the origin"},
      {"0 0 0\n1 0 0", "a: its last line has no end: truncated?"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Shape shape = decoded_text("a", cases[i].text);
    assert_part(warning, cases[i].warning);
    shape_destroy(&shape);
  }
}

/* ---- Refusals ---- */

#define PLY_POINTS "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
#define PLY_MESH                                               \
  PLY_POINTS                                                   \
  "property float z\nelement face 1\nproperty list uchar int " \
  "vertex_index\nend_header\n"
#define BOX "v 0 0 0\nv 1 0 0\nv 0 1 0\n"

static const struct {
  const char *name, *text, *reason;
} refusals[] = {
    {"a", "", "the file is empty"},
    {"a", "what is this?\n", "not a PLY, OFF, STL, OBJ, XYZ or HDF5 file"},
    {"a.txt", "\x80\xff\n", "not a PLY, OFF, STL, OBJ, XYZ or HDF5 file"},
    {"a.xyz", "# nothing\n\n", "has no points"},
    {"a.xyz", "1 2 3\n1 2\n", "line 2: has 2 columns: expected x y z or x y z nx ny nz"},
    {"a.xyz", "1 2 3 0 0 1\n1 2 3\n", "line 2: has 3 columns and not 6"},
    {"a.xyz", "1 2 3\n# c\n1 2 3e\n", "line 3: expected z, found \"3e\""},
    {"a.xyz", "1 2 3\n1 nan 3\n", "line 2: y is nan, not a finite number"},
    {"a.xyz", "1 2 1e39\n", "line 1: z is 1e+39, not a finite number within float's range"},
    {"a.xyz", "1 2 3 0 0 1\n4 5 6 0 0 0\n", "the normal of point 2 has no direction"},
    {"a.off", "OFF\n", "line 2: ends where the number of vertices is expected"},
    {"a.off", "OFF BINARY\n", "line 1: expected the number of vertices, found \"BINARY\""},
    {"a.off", "4OFF\n1 0 0\n", "expected \"OFF\", with \"ST\", \"C\" or \"N\" before it, found"},
    {"a.off", "OFF\n-1 0 0\n", "line 2: a number of vertices or faces is negative"},
    {"a.off", "OFF\n3000000000 0 0\n1 2 3\n", "the file ends after 1 of 3000000000 vertices"},
    {"a.off", "OFF\n1 0 0\n1 2 3\n4 5 6\n", "line 4: goes on after the 1 vertices and 0 faces"},
    {"a.off", "OFF\n1 1 0\n1 2 3\n", "the file ends after 0 of 1 faces: truncated?"},
    {"a.off", "OFF\n1 1 0\n1 2 3\n3 0 0 1\n", "line 4: a corner is vertex 1, but they are 0 to 0"},
    {"a.off", "OFF\n1 1 0\n1 2 3\n3 0 0\n", "line 4: ends where a corner is expected"},
    {"a.off", "OFF\n1 1 0\n1 2 3\n3 0 0 -1\n", "line 4: a corner is vertex -1"},
    {"a.off", "OFF\n1 1 0\n1 2 3\n0\n", "line 4: a face has 0 corners"},
    {"a.off", "OFF\n0 0 0\n", "has no points"},
    {"a.off", "OFF\n2 1 0\n1 2 3\n0 0 0\n3 0 1 0\n", "none of its 1 polygons has an area"},
    {"a.obj", BOX "f 1 2 4\n", "line 4: a corner is number 4, but there are 3 so far"},
    {"a.obj", BOX "f 0 1 2\n", "line 4: a corner is number 0"},
    {"a.obj", BOX "f 1 2 -4\n", "line 4: a corner is number -4"},
    {"a.obj", BOX "f 1//1 2 3\n", "line 4: a corner's normal is number 1, but there are 0 so far"},
    {"a.obj", BOX "f 1// 2 3\n", "line 4: expected a corner's normal, found \"\""},
    {"a.obj", BOX "f 1 2\n", "line 4: a face of fewer than three corners"},
    {"a.obj", BOX "curv2 1 2\n", "line 4: expected a statement of OBJ (v, vn, f, ...), found"},
    {"a.obj", "v 1 2\n", "line 1: ends where a coordinate is expected"},
    {"a.obj", "vn 0 0 1\n", "has no points"},
    {"a.stl", "solid\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\n", "ends where \"endsolid\""},
    {"a.stl", "solid\nvertex 0 0 0\n", "line 2: \"vertex\" out of place"},
    {"a.stl", "solid\nfacet\nouter loop\nvertex 0 0 inf\n", "line 4: a coordinate is inf"},
    {"a.stl", "solid\nrubbish\n", "line 2: expected a statement of STL, found \"rubbish\""},
    {"a.stl", "solid\nendsolid\n", "has no points"},
    {"a.stl", "something else", "neither begins with \"solid\" nor has the 84 bytes"},
    {"a.ply", "nothing\n", "line 2: expected \"ply\", found \"nothing\""},
    {"a.ply", "ply\nformat ascii 1.0\n", "ends where \"end_header\" is expected"},
    {"a.ply", "ply\nformat ascii 2.0\n", "line 2: expected version 1.0, found \"2.0\""},
    {"a.ply", "ply\nformat\n", "line 2: ends where ascii, binary_little_endian or binary_big"},
    {"a.ply", "ply\nend_header\n", "line 2: no format is named before this line"},
    {"a.ply", "ply\nproperty float x\n", "line 2: a property before the first element"},
    {"a.ply", "ply\nelement vertex -1\n", "line 2: -1 elements: expected 0 to 2147483647"},
    {"a.ply", "ply\nelement vertex 2147483648\n", "line 2: 2147483648 elements: expected 0 to"},
    {"a.ply", "ply\nelement a 1\nelement a 1\n", "line 3: the element comes a second time"},
    {"a.ply", PLY_POINTS "property real z\n", "line 6: expected a type (float, int, uchar, ...)"},
    {"a.ply", PLY_POINTS "property list float int z\n", "line 6: a list's length is no integer"},
    {"a.ply", PLY_POINTS "end_header\n", "header has no numbers x, y and z for vertices"},
    {"a.ply", PLY_MESH "0 0 0\n1 0 0\n", "line 12: ends where a number is expected: truncated?"},
    {"a.ply", PLY_MESH "0 0 0\n1 0 0\nnan 0 0\n3 0 1 2\n", "x of point 3 is nan"},
    {"a.ply", PLY_MESH "0 0 0\n1 0 0\n0 1 0\n3 0 1 3\n", "face 1 of 1 has a corner that does not"},
    {"a.ply", PLY_MESH "0 0 0\n1 0 0\n0 1 0\n-3 0 1 2\n", "face 1 of 1 has a list of length -3"},
    {"a.ply", PLY_MESH "0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n9", "goes on for 1 bytes after the last"},
};

static void refused_texts(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    assert_refused(refusals[i].name, refusals[i].text, strlen(refusals[i].text),
                   refusals[i].reason);
  }
}

static void refused_binaries(void **state) {
  (void)state;
  Bytes ply = box_ply_big(), stl = box_stl_binary(), gzip = box_off_packed();
  assert_refused("a.ply", ply.data, ply.length - 1, "ends in face 6 of 6: truncated?");
  assert_refused("a.ply", ply.data, ply.length - 110, "ends in vertex 8 of 8: truncated?");
  put(&ply, "x");
  assert_refused("a.ply", ply.data, ply.length, "goes on for 1 bytes after the last element");
  stl.data[0] = 'S';
  assert_refused("a.stl", stl.data, stl.length - 1, "says 12 facets, which take 684 bytes, but");
  memcpy(stl.data + 84 + 50 + 12, "\x00\x00\xc0\x7f", 4);
  assert_refused("a.stl", stl.data, stl.length, "a coordinate of facet 2 is not finite");
  assert_refused("a.off.gz", gzip.data, gzip.length - 1, "the gzip data end too early: truncated?");
  put(&gzip, "rubbish");
  assert_refused("a.off.gz", gzip.data, gzip.length, "has 7 bytes behind the end of its gzip data");
  gzip.data[20] ^= 0x55;
  assert_refused("a.off.gz", gzip.data, gzip.length, "damaged gzip data");
  free(ply.data);
  free(stl.data);
  free(gzip.data);
}

/* ---- Files ---- */

static void files(void **state) {
  (void)state;
  char directory[] = "/tmp/siren-shape-XXXXXX", path[100];
  assert_non_null(mkdtemp(directory));
  snprintf(path, sizeof path, "%s/box.off.gz", directory);
  Shape shape = {.n_points = -7};
  assert_int_equal(shape_read(path, &shape, warning), STATUS_FAILED);
  assert_part(status_message(), "box.off.gz: cannot open: No such file");
  assert_int_equal(shape_read(directory, &shape, warning), STATUS_FAILED);
  assert_int_equal(shape.n_points, -7);
  /* Files may consist of several packed parts. */
  Bytes whole = box_off(), file = {0};
  for (int part = 0; part < 2; part++) {
    Bytes piece = {0};
    put_bytes(&piece, whole.data + (part ? 50 : 0), part ? whole.length - 50 : 50);
    piece = packed(piece);
    put_bytes(&file, piece.data, piece.length);
    free(piece.data);
  }
  FILE *stream = fopen(path, "wb");
  assert_int_equal(fwrite(file.data, 1, file.length, stream), file.length);
  fclose(stream);
  assert_int_equal(shape_read(path, &shape, warning), STATUS_OK);
  assert_box(&shape);
  shape_destroy(&shape);
  free(whole.data);
  free(file.data);
  unlink(path);
  rmdir(directory);
}

static void written_files_come_back(void **state) {
  (void)state;
  char directory[] = "/tmp/siren-shape-XXXXXX", path[100];
  assert_non_null(mkdtemp(directory));
  snprintf(path, sizeof path, "%s/sample.ply", directory);
  Shape shape, read;
  assert_int_equal(shape_sample(&shape), STATUS_OK);
  for (int mesh = 1; mesh >= 0; mesh--) {
    shape.n_triangles *= mesh;
    assert_int_equal(shape_write_ply(path, &shape), STATUS_OK);
    assert_int_equal(shape_read(path, &read, warning), STATUS_OK);
    assert_string_equal(warning, "");
    assert_int_equal(read.n_points, shape.n_points);
    assert_int_equal(read.n_triangles, shape.n_triangles);
    size_t points = (size_t)shape.n_points, triangles = (size_t)shape.n_triangles;
    assert_memory_equal(read.points, shape.points, points * sizeof *shape.points);
    for (int i = 0; i < shape.n_points; i++) {
      const float *normal = shape.normals[i];
      assert_normal(&read, i, (double)normal[0], (double)normal[1], (double)normal[2]);
    }
    if (mesh) {
      assert_memory_equal(read.triangles, shape.triangles, triangles * sizeof *shape.triangles);
    }
    shape_destroy(&read);
  }
  shape_destroy(&shape);
  unlink(path);
  rmdir(directory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_format),
      cmocka_unit_test(clouds),
      cmocka_unit_test(every_type_of_ply),
      cmocka_unit_test(polygons),
      cmocka_unit_test(a_large_polygon_must_be_convex),
      cmocka_unit_test(obj_corners),
      cmocka_unit_test(stl_joins_equal_places),
      cmocka_unit_test(what_is_left_out),
      cmocka_unit_test(warnings),
      cmocka_unit_test(refused_texts),
      cmocka_unit_test(refused_binaries),
      cmocka_unit_test(files),
      cmocka_unit_test(written_files_come_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
