/* Pictures of shapes: where a sphere must appear, what hides what, sides and light; contours of
 * fields known by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "io/picture.h"
#include "io/picture_mesh.h"
#include "tests/mesh_fixture.h"

enum { SIDE = 200 };

static Image picture(const Shape *shape, const MeshView *view) {
  Image image;
  assert_int_equal(picture_mesh(shape, view, SIDE, &image), STATUS_OK);
  assert_int_equal(image.height, SIDE);
  assert_int_equal(image.width, SIDE);
  assert_int_equal(image.channels, 3);
  return image;
}

static const float *pixel(const Image *image, int x, int y) {
  return image->pixels + 3 * (y * image->width + x);
}

static bool is_background(const float *rgb) {
  return rgb[0] == 0.96f && rgb[1] == 0.96f && rgb[2] == 0.97f;
}

static bool is_orange(const float *rgb) {
  return rgb[0] > 1.3f * rgb[2];
}

static bool is_grey(const float *rgb) {
  return !is_background(rgb) && rgb[0] < 1.02f * rgb[2];
}

/* Count and middle of the pixels that show something. */
static double silhouette(const Image *image, double middle[2]) {
  double n = 0;
  middle[0] = middle[1] = 0;
  for (int y = 0; y < SIDE; y++) {
    for (int x = 0; x < SIDE; x++) {
      if (is_background(pixel(image, x, y))) continue;
      middle[0] += x + 0.5;
      middle[1] += y + 0.5;
      n++;
    }
  }
  middle[0] /= n;
  middle[1] /= n;
  return n;
}

/* A sphere of half the unit, seen where it must be: 80 pixels to a unit. */
static void where_a_sphere_appears(void **state) {
  (void)state;
  static const struct {
    int up;
    double azimuth, elevation, place[3];
    double right, above; /* of the picture's middle */
  } cases[] = {
      {1, 0, 0, {0.5, 0.25, 3}, 0.5, 0.25},   /* looking from z, y is up: x to the right */
      {1, 90, 0, {0, 0.25, -0.5}, 0.5, 0.25}, /* from x */
      {1, 0, 90, {0.5, 0, -0.25}, 0.5, 0.25}, /* from above, what was far is above */
      {2, 0, 0, {0, 0.5, 0.25}, 0.5, 0.25},   /* from x, z is up */
      {0, 0, 0, {0.25, 0, 0.5}, 0.5, 0.25},   /* from y, x is up */
      {1, 30, 0, {0.6, 0, 0}, 0.5196152, 0},  {1, 30, 0, {0, 0, 0.6}, -0.3, 0},
      {1, 0, 30, {0, 0.6, 0}, 0, 0.5196152},  {1, 0, 30, {0, 0, 0.6}, 0, -0.3},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Shape sphere = {0};
    mesh_add_sphere(&sphere, 0.5, 40);
    for (int64_t p = 0; p < sphere.n_points; p++) {
      for (int k = 0; k < 3; k++) sphere.points[p][k] += (float)(cases[i].place[k] + 7);
    }
    MeshView view = {cases[i].up, cases[i].azimuth, cases[i].elevation, false, {7, 7, 7}, 1.25};
    Image image = picture(&sphere, &view);
    double middle[2], area = silhouette(&image, middle);
    assert_float_equal(area, M_PI * 40 * 40, 0.03 * M_PI * 40 * 40);
    assert_float_equal(middle[0], 100 + 80 * cases[i].right, 0.3);
    assert_float_equal(middle[1], 100 - 80 * cases[i].above, 0.3);
    image_destroy(&image);
    shape_destroy(&sphere);
  }
}

static void a_view_holds_the_shape(void **state) {
  (void)state;
  Shape cube = {0};
  mesh_add_cube(&cube, 100, -3, 8, 0.01);
  MeshView view = mesh_view(&cube, 2, 40, 25);
  Image image = picture(&cube, &view);
  int first = SIDE, last = -1;
  for (int y = 0; y < SIDE; y++) {
    for (int x = 0; x < SIDE; x++) {
      if (is_background(pixel(&image, x, y))) continue;
      first = (int)fmin(first, fmin(x, y));
      last = (int)fmax(last, fmax(x, y));
    }
  }
  assert_in_range(first, 2, 8); /* a twentieth is left over */
  assert_in_range(last, SIDE - 9, SIDE - 3);
  image_destroy(&image);
  shape_destroy(&cube);
}

static void sides_have_colours(void **state) {
  (void)state;
  Shape sphere = {0};
  mesh_add_sphere(&sphere, 1, 30);
  MeshView view = mesh_view(&sphere, 1, 30, 20);
  Image image = picture(&sphere, &view);
  assert_true(is_grey(pixel(&image, SIDE / 2, SIDE / 2)));
  assert_true(is_background(pixel(&image, 2, 2)));
  image_destroy(&image);
  mesh_flip(&sphere);
  image = picture(&sphere, &view);
  assert_true(is_orange(pixel(&image, SIDE / 2, SIDE / 2)));
  image_destroy(&image);
  view.hide_backs = true; /* the far side's outside is now its inside */
  image = picture(&sphere, &view);
  assert_true(is_grey(pixel(&image, SIDE / 2, SIDE / 2)));
  image_destroy(&image);
  shape_destroy(&sphere);
}

/* Two squares face the viewer, their backs turned; the nearer one is shifted to the right. */
static void near_hides_far(void **state) {
  (void)state;
  for (int order = 0; order < 2; order++) {
    Shape squares = {0};
    mesh_add_square(&squares, order ? 0.5 : 0, 0, order ? 1 : 0);
    mesh_add_square(&squares, order ? 0 : 0.5, 0, order ? 0 : 1);
    int near = order ? 0 : 2; /* the near one is flipped */
    for (int t = near; t < near + 2; t++) {
      int32_t corner = squares.triangles[t][1];
      squares.triangles[t][1] = squares.triangles[t][2];
      squares.triangles[t][2] = corner;
    }
    MeshView view = {.up = 1, .centre = {0.75, 0.5, 0}, .half_side = 1};
    Image image = picture(&squares, &view);
    assert_true(is_grey(pixel(&image, 50, 100)));
    assert_true(is_orange(pixel(&image, 90, 100)));
    assert_true(is_orange(pixel(&image, 150, 100)));
    assert_true(is_background(pixel(&image, 185, 100)));
    image_destroy(&image);
    view.hide_backs = true;
    image = picture(&squares, &view);
    assert_true(is_grey(pixel(&image, 90, 100)));
    assert_true(is_background(pixel(&image, 150, 100)));
    image_destroy(&image);
    shape_destroy(&squares);
  }
}

/* The largest change from one pixel to the next well inside a sphere. */
static double roughness(const Image *image) {
  double largest = 0;
  for (int y = 60; y < 140; y++) {
    for (int x = 60; x < 140; x++) {
      largest = fmax(largest, fabsf(pixel(image, x, y)[1] - pixel(image, x - 1, y)[1]));
    }
  }
  return largest;
}

static void light(void **state) {
  (void)state;
  Shape sphere = {0};
  mesh_add_sphere(&sphere, 1, 8);
  MeshView view = {.up = 1, .half_side = 1.1};
  Image flat = picture(&sphere, &view);
  sphere.normals = malloc((size_t)sphere.n_points * sizeof *sphere.normals);
  memcpy(sphere.normals, sphere.points, (size_t)sphere.n_points * sizeof *sphere.normals);
  Image smooth = picture(&sphere, &view);
  assert_true(roughness(&smooth) < 0.5 * roughness(&flat));
  /* From the upper left. */
  assert_true(pixel(&smooth, 65, 65)[1] > pixel(&smooth, 135, 65)[1] + 0.05f);
  assert_true(pixel(&smooth, 65, 65)[1] > pixel(&smooth, 65, 135)[1] + 0.05f);
  assert_true(pixel(&smooth, 135, 65)[1] > pixel(&smooth, 135, 135)[1] + 0.05f);
  image_destroy(&flat);
  image_destroy(&smooth);
  shape_destroy(&sphere);
}

static void clouds(void **state) {
  (void)state;
  Shape cloud = {0};
  mesh_add_sphere(&cloud, 1, 60);
  cloud.n_triangles = 0;
  MeshView view = {.up = 1, .half_side = 1.25};
  Image image = picture(&cloud, &view);
  double middle[2], area = silhouette(&image, middle);
  assert_in_range(area, 0.95 * M_PI * 80 * 80, 1.1 * M_PI * 80 * 80);
  assert_float_equal(middle[0], 100, 0.5);
  assert_true(is_grey(pixel(&image, 100, 100)));
  image_destroy(&image);
  cloud.normals = malloc((size_t)cloud.n_points * sizeof *cloud.normals);
  for (int64_t p = 0; p < cloud.n_points; p++) {
    for (int i = 0; i < 3; i++) cloud.normals[p][i] = -cloud.points[p][i];
  }
  image = picture(&cloud, &view);
  assert_true(is_orange(pixel(&image, 100, 100)));
  image_destroy(&image);
  shape_destroy(&cloud);
}

static void nothing_to_see(void **state) {
  (void)state;
  Shape none = {0}, dot = {0};
  mesh_point(&dot, 1, 2, 3);
  mesh_triangle(&dot, 0, 0, 0);
  const Shape *const empty[] = {&none, &dot};
  for (int i = 0; i < 2; i++) {
    MeshView view = mesh_view(empty[i], 1, 30, 20);
    assert_true(view.half_side > 0);
    Image image = picture(empty[i], &view);
    for (int p = 0; p < SIDE * SIDE; p++) {
      assert_memory_equal(image.pixels + 3 * p, image.pixels, 3 * sizeof *image.pixels);
    }
    assert_true(is_background(image.pixels));
    image_destroy(&image);
  }
  shape_destroy(&dot);
}

static void any_number_of_threads(void **state) {
  (void)state;
  Shape sphere = {0};
  mesh_add_sphere(&sphere, 1, 12);
  MeshView view = mesh_view(&sphere, 1, 30, 20);
  omp_set_num_threads(1);
  Image one = picture(&sphere, &view);
  omp_set_num_threads(3);
  Image three = picture(&sphere, &view);
  assert_memory_equal(one.pixels, three.pixels, 3 * SIDE * SIDE * sizeof *one.pixels);
  image_destroy(&one);
  image_destroy(&three);
  shape_destroy(&sphere);
}

/* ---- Contours ---- */

/* In every row value (x - 30) / 250 at pixel x, in units of 25. */
static void contours_of_a_plane(void **state) {
  (void)state;
  enum { WIDTH = 320, HEIGHT = 5 };
  static float field[WIDTH * HEIGHT];
  for (int i = 0; i < WIDTH * HEIGHT; i++) field[i] = (float)(i % WIDTH - 30) / 10;
  Image image;
  assert_int_equal(picture_contour(field, HEIGHT, WIDTH, 25, &image), STATUS_OK);
  for (int y = 0; y < HEIGHT; y++) {
    assert_float_equal(pixel(&image, 30, y)[2], 0, 0); /* the zero line */
    assert_true(pixel(&image, 27, y)[2] > 0.3f && pixel(&image, 33, y)[2] > 0.3f);
    const float *above = pixel(&image, 40, y), *below = pixel(&image, 20, y);
    assert_true(above[2] > above[0] + 0.1f && below[0] > below[2] + 0.1f);
    /* Lines at 10^-1.2, 10^-0.8, 10^-0.4 and 1, ever darker blue between them. */
    static const int line[] = {46, 70, 130, 280}, between[] = {40, 60, 100, 200, 300};
    for (int i = 0; i < 4; i++) {
      const float *at = pixel(&image, line[i], y);
      const float *before = pixel(&image, between[i], y), *after = pixel(&image, between[i + 1], y);
      assert_true(after[0] < before[0] - 0.05f);
      assert_true(at[2] < 0.9f * after[2]);
      assert_memory_equal(pixel(&image, line[i] - 3, y), before, 3 * sizeof *before);
      assert_memory_equal(pixel(&image, line[i] + 3, y), after, 3 * sizeof *after);
    }
  }
  image_destroy(&image);
}

/* Black pixels of the zero line of a circle around the middle. */
static void contours_of_a_circle(void **state) {
  (void)state;
  static float field[SIDE * SIDE];
  for (int i = 0; i < SIDE * SIDE; i++) {
    field[i] = (float)(hypot(i % SIDE - 99.5, i / SIDE - 99.5) - 60) / 100;
  }
  field[0] = NAN;
  field[SIDE - 1] = INFINITY;
  Image image;
  assert_int_equal(picture_contour(field, SIDE, SIDE, 1, &image), STATUS_OK);
  for (int i = 0; i < SIDE * SIDE; i++) {
    double off = fabs(hypot(i % SIDE - 99.5, i / SIDE - 99.5) - 60);
    float brightest = fmaxf(image.pixels[3 * i], image.pixels[3 * i + 2]);
    if (off < 0.7) assert_true(brightest < 0.05f);
    if (off > 2) assert_true(brightest > 0.3f);
  }
  assert_float_equal(image.pixels[0], 0.5, 1e-6);
  image_destroy(&image);
}

/* Upper left and lower right above a level, the others below: the mean says which are connected,
 * and the lines pass close to the corners that are cut off. */
static void contours_at_a_saddle(void **state) {
  (void)state;
  const double level = pow(10, -0.8);
  for (int joined = 0; joined < 2; joined++) {
    double high = joined ? 0.04 : 0.02, low = joined ? 0.02 : 0.04, ink[4];
    float field[4], flat[4];
    for (int i = 0; i < 4; i++) field[i] = (float)(level + (i == 0 || i == 3 ? high : -low));
    Image image, plain;
    assert_int_equal(picture_contour(field, 2, 2, 1, &image), STATUS_OK);
    for (int i = 0; i < 4; i++) {
      for (int k = 0; k < 4; k++) flat[k] = field[i];
      assert_int_equal(picture_contour(flat, 2, 2, 1, &plain), STATUS_OK);
      ink[i] = 1 - image.pixels[3 * i] / plain.pixels[0];
      image_destroy(&plain);
    }
    int cut = joined ? 1 : 0;
    assert_true(ink[cut] > ink[!cut] + 0.1 && ink[3 - cut] > ink[!cut] + 0.1);
    image_destroy(&image);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(where_a_sphere_appears),
      cmocka_unit_test(a_view_holds_the_shape),
      cmocka_unit_test(sides_have_colours),
      cmocka_unit_test(near_hides_far),
      cmocka_unit_test(light),
      cmocka_unit_test(clouds),
      cmocka_unit_test(nothing_to_see),
      cmocka_unit_test(any_number_of_threads),
      cmocka_unit_test(contours_of_a_plane),
      cmocka_unit_test(contours_of_a_circle),
      cmocka_unit_test(contours_at_a_saddle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
