/* Blending by gradients: each blend by hand, order of components in colour, placement of files,
 * the free constant, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "experiments/composite.h"
#include "experiments/suite.h"

/* ---- By hand ---- */

enum { SIDE = 12 };

/* Planes in network coordinates: each channel has slopes of its own, in both images. */
static const float slopes[2][3][2] = {{{1, 2}, {3, 4}, {5, 6}}, {{-7, 8}, {9, -1}, {0.5f, 0}}};

static Composite make_planes(double share) {
  Composite c = {.scale = 0.5, .share = share};
  Target *targets[2] = {&c.first, &c.second};
  for (int t = 0; t < 2; t++) {
    *targets[t] = (Target){SIDE, SIDE, 3, calloc(SIDE * SIDE * 3, sizeof(float)), SIDE, SIDE};
    for (int i = 0; i < SIDE * SIDE; i++) {
      float row = 2.0f * (float)(i / SIDE) / (SIDE - 1) - 1;
      float column = 2.0f * (float)(i % SIDE) / (SIDE - 1) - 1;
      for (int k = 0; k < 3; k++) {
        targets[t]->values[3 * i + k] = row * slopes[t][k][0] + column * slopes[t][k][1];
      }
    }
  }
  c.mask = calloc(SIDE * SIDE, sizeof(float));
  for (int i = 0; i < SIDE * SIDE; i++) c.mask[i] = i % SIDE < 4 ? 0 : i % SIDE < 8 ? 0.25f : 1;
  return c;
}

/* Inside, gradient = scale * (of_first * first + of_second * second) for each component; component
 * i * channels + k is d(channel k)/d(coordinate i). */
static void assert_blend(const char *blend, double share, double of_second) {
  Composite c = make_planes(share);
  assert_int_equal(composite_blend(&c, blend), STATUS_OK);
  for (int row = 1; row < SIDE - 1; row++) {
    for (int column = 1; column < SIDE - 1; column++) {
      int at = row * SIDE + column;
      double m = of_second * (column < 4 ? 0 : column < 8 ? 0.25 : 1);
      for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 3; k++) {
          double expected = 0.5 * ((1 - m) * slopes[0][k][i] + m * slopes[1][k][i]);
          assert_float_equal(c.gradient[at * 6 + i * 3 + k], expected, 1e-4);
        }
      }
    }
  }
  composite_destroy(&c);
}

static void test_blends(void **state) {
  (void)state;
  assert_blend("mix", 0.3, 0.3);
  assert_blend("mix", 1, 1);
  assert_blend("replace", 1, 1);
  assert_blend("stronger", 0.5, 1); /* squares: 91 of the first, 195.25 of the second */
}

/* The second image's channels are swapped with steeper ones of the first: the first wins whole. */
static void test_stronger_takes_all_channels_of_one(void **state) {
  (void)state;
  Composite c = make_planes(0.5);
  for (int i = 0; i < SIDE * SIDE * 3; i++) c.second.values[i] *= i % 3 == 0 ? 1 : 0;
  for (int i = 0; i < SIDE * SIDE; i++) c.mask[i] = 1;
  assert_int_equal(composite_blend(&c, "stronger"), STATUS_OK);
  const float *g = c.gradient + (5 * SIDE + 5) * 6;
  assert_float_equal(g[0], 0.5 * -7, 1e-4); /* 113 against 91: the second */
  assert_float_equal(g[1], 0, 1e-4);
  free(c.gradient);
  for (int i = 0; i < SIDE * SIDE * 3; i++) c.second.values[i] *= 0.8f;
  assert_int_equal(composite_blend(&c, "stronger"), STATUS_OK);
  g = c.gradient + (5 * SIDE + 5) * 6;
  assert_float_equal(g[0], 0.5 * 1, 1e-4); /* 72 against 91: the first */
  assert_float_equal(g[5], 0.5 * 6, 1e-4);
  composite_destroy(&c);
}

/* Whatever constants a fit has, each channel of the result agrees with the first image where
 * nothing is edited. */
static void test_constant_from_the_surroundings(void **state) {
  (void)state;
  Composite c = make_planes(1);
  float fitted[SIDE * SIDE * 3], edited[SIDE * SIDE * 3];
  double constants[3], psnr;
  for (int i = 0; i < SIDE * SIDE * 3; i++) {
    bool unedited = i / 3 % SIDE < 4;
    fitted[i] = 0.5f * (c.first.values[i] + 10 * (float)(i % 3) + (unedited ? 0 : 3));
  }
  composite_edited(&c, fitted, edited, constants);
  for (int i = 0; i < SIDE * SIDE * 3; i++) {
    double inside = i / 3 % SIDE < 4 ? 0 : 3;
    assert_float_equal(edited[i], c.first.values[i] + inside, 1e-5);
  }
  assert_float_equal(constants[0], 0, 1e-5);
  assert_float_equal(constants[2], -20, 1e-5);
  /* Columns 0 to 3 are free of the mask, but not all are far from it: SIDE / 16 = 0 is near. */
  for (int i = 0; i < SIDE * SIDE * 3; i++) edited[i] = c.first.values[i] + 0.2f;
  assert_int_equal(composite_background(&c, edited, &psnr), STATUS_OK);
  assert_float_equal(psnr, 20, 1e-4);
  composite_destroy(&c);
}

static void test_constant_without_surroundings(void **state) {
  (void)state;
  Composite c = make_planes(0.25);
  float fitted[SIDE * SIDE * 3] = {0}, edited[SIDE * SIDE * 3];
  double constants[3], psnr;
  for (int i = 0; i < SIDE * SIDE; i++) c.mask[i] = 1;
  for (int i = 0; i < SIDE * SIDE * 3; i++) {
    c.first.values[i] += 0.4f;
    c.second.values[i] -= (float)(i % 3);
  }
  composite_edited(&c, fitted, edited, constants);
  for (int k = 0; k < 3; k++) assert_float_equal(edited[k], 0.75 * 0.4 - 0.25 * k, 1e-5);
  assert_int_equal(composite_background(&c, edited, &psnr), STATUS_OK);
  assert_true(isnan(psnr));
  composite_destroy(&c);
}

/* An edited pixel spoils a sixteenth of the longer side around it, along both axes. */
static void test_far_from_the_mask(void **state) {
  (void)state;
  enum { H = 20, W = 48, REACH = 3 };
  Composite c = {.first = {H, W, 1, calloc(H * W, sizeof(float)), H, W}};
  float edited[H * W];
  c.mask = calloc(H * W, sizeof(float));
  c.mask[9 * W + 20] = 0.1f;
  for (int i = 0; i < H * W; i++) {
    bool near = abs(i / W - 9) <= REACH && abs(i % W - 20) <= REACH;
    edited[i] = near ? 100 : 0.02f;
  }
  double psnr;
  assert_int_equal(composite_background(&c, edited, &psnr), STATUS_OK);
  assert_float_equal(psnr, 40, 1e-4);
  edited[9 * W + 20 + REACH + 1] = 100;
  assert_int_equal(composite_background(&c, edited, &psnr), STATUS_OK);
  assert_true(psnr < 0);
  composite_destroy(&c);
}

/* ---- From files ---- */

static char directory[] = "/tmp/siren-composite-XXXXXX";
static char first_path[64], second_path[64], mask_path[64];

static int make_directory(void **state) {
  (void)state;
  if (!mkdtemp(directory)) return -1;
  snprintf(first_path, sizeof first_path, "%s/first.png", directory);
  snprintf(second_path, sizeof second_path, "%s/second.png", directory);
  snprintf(mask_path, sizeof mask_path, "%s/mask.png", directory);
  return 0;
}

static int remove_directory(void **state) {
  (void)state;
  unlink(first_path);
  unlink(second_path);
  unlink(mask_path);
  return rmdir(directory);
}

/* Pixel (row, column), channel k has the level base + 16 row + 2 column + k. */
static void write_image(const char *path, int height, int width, int channels, int base) {
  Image image;
  assert_int_equal(image_create(height, width, channels, &image), STATUS_OK);
  for (int i = 0; i < height * width * channels; i++) {
    int k = i % channels, column = i / channels % width, row = i / channels / width;
    image.pixels[i] = (float)(base + 16 * row + 2 * column + k) / 255;
  }
  assert_int_equal(image_write_png(path, &image), STATUS_OK);
  image_destroy(&image);
}

static void write_mask(int height, int width, int white_row, int white_column) {
  Image image;
  assert_int_equal(image_create(height, width, 1, &image), STATUS_OK);
  if (white_row >= 0) image.pixels[white_row * width + white_column] = 1;
  assert_int_equal(image_write_png(mask_path, &image), STATUS_OK);
  image_destroy(&image);
}

/* Reads with the YAML text, the overrides, a NULL after the last, and the files. */
static Status read_text(const char *text, const char *const *overrides, bool masked, Composite *c) {
  const char *all[16];
  char first[96], second[96], mask[96];
  int n = 4;
  snprintf(first, sizeof first, "data.file=%s", first_path);
  snprintf(second, sizeof second, "poisson_edit.file=%s", second_path);
  snprintf(mask, sizeof mask, "poisson_edit.mask=%s", masked ? mask_path : "");
  all[0] = "experiment=poisson_edit", all[1] = first, all[2] = second, all[3] = mask;
  for (int i = 0; overrides[i]; i++) all[n++] = overrides[i];
  Config *config = NULL;
  memset(c, 0, sizeof *c);
  assert_int_equal(config_parse("test", text, strlen(text), n, all, &config), STATUS_OK);
  Status status = composite_read(config, c);
  config_destroy(config);
  return status;
}

static Status read_files(const char *const *overrides, bool masked, Composite *c) {
  return read_text("{}", overrides, masked, c);
}

static double level(const Target *target, int row, int column, int k) {
  size_t at = (size_t)((row * target->width + column) * target->channels + k);
  return 127.5 * ((double)target->values[at] + 1);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* 4 x 6 in 8 x 10, its centre at (6, 3): rows 4..7, columns 0..5. Beyond its edges it goes on. */
static void test_placement(void **state) {
  (void)state;
  Composite c;
  write_image(first_path, 8, 10, 3, 0);
  write_image(second_path, 4, 6, 3, 100);
  write_mask(4, 6, 1, 2);
  const char *const *words =
      WORDS("poisson_edit.blend=replace", "poisson_edit.row=0.75", "poisson_edit.column=0.3");
  assert_int_equal(read_files(words, true, &c), STATUS_OK);
  assert_int_equal(c.first.height * 100 + c.first.width, 810);
  assert_int_equal(c.top * 1000 + c.bottom * 100 + c.left * 10 + c.right, 4806);
  assert_float_equal(level(&c.first, 3, 5, 2), 16 * 3 + 2 * 5 + 2, 1e-3);
  assert_float_equal(level(&c.second, 5, 2, 1), 100 + 16 * 1 + 2 * 2 + 1, 1e-3);
  assert_float_equal(level(&c.second, 0, 9, 0), 100 + 2 * 5, 1e-3);
  for (int i = 0; i < 80; i++) assert_float_equal(c.mask[i], i == 52 ? 1 : 0, 0);
  /* 32 / (sqrt(7 * 9) / 2); a level is 2 / 255, a row 16 of them and half of 7 in a coordinate. */
  assert_float_equal(c.scale, 64 / sqrt(63), 1e-9);
  assert_float_equal(c.gradient[52 * 6 + 1], c.scale * 16 * 2 / 255 * 3.5, 1e-3);
  assert_float_equal(c.gradient[52 * 6 + 4], c.scale * 2 * 2 / 255 * 4.5, 1e-3);
  composite_destroy(&c);

  words = WORDS("poisson_edit.blend=replace", "poisson_edit.row=0.75", "poisson_edit.column=0");
  assert_int_equal(read_files(words, false, &c), STATUS_OK); /* three columns are cut off */
  assert_int_equal(c.top * 1000 + c.bottom * 100 + c.left * 10 + c.right, 4803);
  assert_float_equal(level(&c.second, 4, 0, 0), 100 + 2 * 3, 1e-3);
  for (int i = 0; i < 80; i++) assert_float_equal(c.mask[i], i / 10 >= 4 && i % 10 < 3, 0);
  composite_destroy(&c);
}

/* mix without a mask: everywhere, with 0.85 around the second image; half and half of values for
 * the constant. */
static void test_paper_canvas(void **state) {
  (void)state;
  Composite c;
  write_image(first_path, 8, 10, 1, 0);
  write_image(second_path, 4, 6, 1, 100);
  assert_int_equal(read_files(WORDS("poisson_edit.column=0.3"), false, &c), STATUS_OK);
  for (int i = 0; i < 80; i++) assert_float_equal(c.mask[i], 1, 0);
  assert_float_equal(c.second.values[0], 0.85, 1e-6);
  assert_float_equal(level(&c.second, 2, 0, 0), 100, 1e-3);
  /* Far from the second image, half of the first's slope; at its corner also half of the step's. */
  double step = (0.85 - 2 * 100 / 255.0 + 1) / 8, row = 16 * 2 / 255.0;
  assert_float_equal(c.gradient[2 * 9], 0.5 * c.scale * 3.5 * row * 0.5, 1e-4);
  assert_true(c.gradient[2 * 10 + 1] != 0 && step > 0);
  assert_true(c.gradient[2 * 10] < 0.5 * c.scale * 3.5 * (row - 2 * step));
  composite_destroy(&c);
  /* An all-white mask keeps to the second image and its own pixels. */
  write_image(mask_path, 4, 6, 1, 160);
  assert_int_equal(read_files(WORDS("poisson_edit.column=0.3"), true, &c), STATUS_OK);
  assert_float_equal(c.mask[9], 0, 0);
  assert_float_equal(c.mask[20], 160 / 255.0, 1e-6);
  assert_float_equal(level(&c.second, 0, 0, 0), 100, 1e-3);
  composite_destroy(&c);
}

/* paper.md 2.2: 340 x 512 pixels in rows 172 to 511 of 512 x 512. */
static void test_paper_scale(void **state) {
  (void)state;
  Composite c;
  write_image(first_path, 1024, 1024, 1, 0);
  write_image(second_path, 340, 512, 1, 0);
  const char *yaml = suite_find("poisson_edit")->yaml;
  assert_int_equal(read_text(yaml, WORDS("scale=paper"), false, &c), STATUS_OK);
  assert_int_equal(c.first.height * 1000 + c.first.width, 512512);
  assert_int_equal(c.top * 1000 + c.bottom, 172512);
  assert_int_equal(c.left * 1000 + c.right, 512);
  assert_float_equal(c.share, 0.5, 0);
  assert_float_equal(c.scale, 32 / 255.5, 1e-9);
  assert_float_equal(c.second.values[171 * 512], 0.85, 1e-6);
  assert_float_equal(c.second.values[172 * 512], -1, 0);
  composite_destroy(&c);
}

static void test_channels(void **state) {
  (void)state;
  static const struct {
    int first, second;
    const char *colour;
    int channels;
  } cases[] = {{1, 1, "auto", 1}, {1, 3, "auto", 3}, {3, 1, "auto", 3}, {3, 3, "auto", 3},
               {3, 1, "grey", 1}, {1, 3, "grey", 1}, {1, 1, "rgb", 3}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Composite c;
    char colour[32];
    write_image(first_path, 3, 3, cases[i].first, 10);
    write_image(second_path, 2, 3, cases[i].second, 100);
    snprintf(colour, sizeof colour, "data.colour=%s", cases[i].colour);
    assert_int_equal(read_files(WORDS(colour, "poisson_edit.blend=stronger"), false, &c),
                     STATUS_OK);
    assert_int_equal(c.first.channels, cases[i].channels);
    assert_int_equal(c.second.channels, cases[i].channels);
    if (cases[i].channels == 3) {
      assert_float_equal(level(&c.first, 1, 1, 2), 28 + (cases[i].first == 3 ? 2 : 0), 1e-3);
      assert_float_equal(level(&c.second, 1, 1, 2), 118 + (cases[i].second == 3 ? 2 : 0), 1e-3);
    }
    composite_destroy(&c);
  }
}

/* The second and its mask become `size` pixels long; one pixel is enough for either image. */
static void test_sizes(void **state) {
  (void)state;
  Composite c;
  write_image(first_path, 16, 16, 1, 0);
  write_image(second_path, 2, 4, 1, 100);
  write_image(mask_path, 2, 4, 1, 200);
  assert_int_equal(read_files(WORDS("poisson_edit.size=12"), true, &c), STATUS_OK);
  assert_int_equal(c.bottom - c.top, 6);
  assert_int_equal(c.right - c.left, 12);
  assert_true(c.mask[8 * 16 + 8] > 200 / 255.0 && c.mask[8 * 16 + 1] <= 0);
  composite_destroy(&c);
  write_image(first_path, 1, 1, 3, 7);
  write_image(second_path, 1, 1, 3, 9);
  assert_int_equal(read_files(WORDS("seed=0"), false, &c), STATUS_OK);
  for (int i = 0; i < 6; i++) assert_float_equal(c.gradient[i], 0, 0);
  float edited[3];
  double constants[3];
  composite_edited(&c, (const float[3]){1, 2, 3}, edited, constants);
  assert_float_equal(127.5 * (edited[2] + 1), 10, 1e-3);
  composite_destroy(&c);
}

static void test_refusals(void **state) {
  (void)state;
  static const struct {
    const char *word;
    bool masked;
    Status status;
    const char *message;
  } cases[] = {
      {"poisson_edit.row=-1", false, STATUS_USAGE, "poisson_edit.row=-1: the second image (3x2"},
      {"poisson_edit.column=3", false, STATUS_USAGE, "poisson_edit.column=3: the second image"},
      {"poisson_edit.row=1", true, STATUS_USAGE, "white part lies outside"},
  };
  write_image(first_path, 4, 4, 1, 0);
  write_image(second_path, 2, 3, 1, 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Composite c;
    write_mask(2, 3, 1, 0); /* its last row */
    assert_int_equal(read_files(WORDS(cases[i].word), cases[i].masked, &c), cases[i].status);
    assert_non_null(strstr(status_message(), cases[i].message));
    composite_destroy(&c);
  }
  Composite c;
  write_mask(3, 2, 0, 0);
  assert_int_equal(read_files(WORDS("seed=0"), true, &c), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "mask.png: the mask is 2x3, the second image 3x2"));
  composite_destroy(&c);
  write_mask(2, 3, -1, 0);
  assert_int_equal(read_files(WORDS("seed=0"), true, &c), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "all black"));
  composite_destroy(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blends),
      cmocka_unit_test(test_stronger_takes_all_channels_of_one),
      cmocka_unit_test(test_constant_from_the_surroundings),
      cmocka_unit_test(test_constant_without_surroundings),
      cmocka_unit_test(test_far_from_the_mask),
      cmocka_unit_test(test_placement),
      cmocka_unit_test(test_paper_canvas),
      cmocka_unit_test(test_paper_scale),
      cmocka_unit_test(test_channels),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
