/* Pictures of volumes: colours by their known values, the figure of slices pixel by pixel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/volume_figure.h"
#include "io/colour_map.h"
#include "io/picture.h"

/* fontconfig keeps its caches to the end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libfontconfig";
}

static void assert_rgb(const float rgb[3], int r, int g, int b) {
  assert_float_equal(255 * rgb[0], r, 0.51);
  assert_float_equal(255 * rgb[1], g, 0.51);
  assert_float_equal(255 * rgb[2], b, 0.51);
}

/* Ends and middle, as matplotlib and ColorBrewer have them; between two colours their mean. */
static void maps(void **state) {
  (void)state;
  float rgb[3];
  colour_map(COLOUR_VIRIDIS, 0, rgb);
  assert_rgb(rgb, 68, 1, 84);
  colour_map(COLOUR_VIRIDIS, 0.5f, rgb);
  assert_rgb(rgb, 33, 145, 140);
  colour_map(COLOUR_VIRIDIS, INFINITY, rgb);
  assert_rgb(rgb, 253, 231, 37);
  colour_map(COLOUR_VIRIDIS, 0.95f, rgb);
  assert_rgb(rgb, 221, 227, 38); /* (189 223 38) and (253 231 37) */
  colour_map(COLOUR_MAGMA, -3, rgb);
  assert_rgb(rgb, 0, 0, 4);
  colour_map(COLOUR_MAGMA, 1, rgb);
  assert_rgb(rgb, 252, 253, 191);
  colour_map(COLOUR_RED_BLUE, 0.5f, rgb);
  assert_rgb(rgb, 247, 247, 247);
  colour_map(COLOUR_RED_BLUE, NAN, rgb);
  assert_true(rgb[0] == 0.5f && rgb[1] == 0.5f && rgb[2] == 0.5f);
}

/* A map that a person reads as an order: it never gets darker. */
static void viridis_brightens(void **state) {
  (void)state;
  float before = 0;
  for (int i = 0; i <= 200; i++) {
    float rgb[3];
    colour_map(COLOUR_VIRIDIS, (float)i / 200, rgb);
    float luma = 0.2126f * rgb[0] + 0.7152f * rgb[1] + 0.0722f * rgb[2];
    assert_true(luma > before);
    before = luma;
  }
}

static void sequential(void **state) {
  (void)state;
  const float field[6] = {2, 3, 4, -9, NAN, 9};
  Image image;
  assert_int_equal(picture_sequential(field, 2, 3, 2, 4, &image), 0);
  assert_int_equal(image.channels, 3);
  assert_rgb(image.pixels, 68, 1, 84);
  assert_rgb(image.pixels + 3, 33, 145, 140);
  assert_rgb(image.pixels + 6, 253, 231, 37);
  assert_rgb(image.pixels + 9, 68, 1, 84);
  assert_true(image.pixels[12] == 0.5f && image.pixels[13] == 0.5f && image.pixels[14] == 0.5f);
  assert_rgb(image.pixels + 15, 253, 231, 37);
  image_destroy(&image);
  assert_int_equal(picture_sequential(field, 1, 3, 3, 3, &image), 0); /* a field without range */
  for (int i = 0; i < 3; i++) assert_rgb(image.pixels + 3 * i, 33, 145, 140);
  image_destroy(&image);
}

static void signed_values(void **state) {
  (void)state;
  const float field[4] = {-0.5f, 0, 0.5f, 7};
  Image image;
  assert_int_equal(picture_signed(field, 2, 2, 0.5, &image), 0);
  assert_rgb(image.pixels, 103, 0, 31);
  assert_rgb(image.pixels + 3, 247, 247, 247);
  assert_rgb(image.pixels + 6, 5, 48, 97);
  assert_rgb(image.pixels + 9, 5, 48, 97);
  image_destroy(&image);
  assert_int_equal(picture_signed(field + 1, 1, 1, 0, &image), 0); /* no error at all */
  assert_rgb(image.pixels, 247, 247, 247);
  image_destroy(&image);
}

/* Pixels of a picture that have this colour. */
static int count(const Image *image, int r, int g, int b) {
  int n = 0;
  for (int i = 0; i < image->height * image->width; i++) {
    const float *p = image->pixels + 3 * i;
    n += lroundf(255 * p[0]) == r && lroundf(255 * p[1]) == g && lroundf(255 * p[2]) == b;
  }
  return n;
}

enum { SIDE = 32, HALF = SIDE * SIDE / 2, SCALE = 8 * 8 };

/* Two slices of one field that is 0 in its upper half and 1 in its lower one. The first fit is too
 * low by 0.25 in the upper half, the second is exact but for a NaN and one wild sample, which may
 * not set the limit of the colours. Panels of 32 pixels are drawn 8 times as large. */
static void figure(void **state) {
  (void)state;
  char path[] = "/tmp/test_volume_figure_XXXXXX";
  int fd = mkstemp(path);
  float truth[2 * HALF], low[2 * HALF], wild[2 * HALF];
  for (int i = 0; i < 2 * HALF; i++) {
    wild[i] = truth[i] = (float)(i / HALF);
    low[i] = truth[i] - (i < HALF ? 0.25f : 0);
  }
  wild[0] = 100;
  wild[1] = NAN;
  VolumeSlice slices[] = {{"z = 0", SIDE, SIDE, truth, low}, {"y = 0", SIDE, SIDE, truth, wild}};
  VolumeFigure plan = {.title = "A volume",
                       .units = "K",
                       .caption = "12 dB",
                       .low = 0,
                       .high = 1,
                       .n_slices = 2,
                       .slices = slices};
  Image image;
  assert_int_equal(volume_figure(path, &plan), 0);
  assert_int_equal(image_read(path, &image), 0);
  /* Field and fit: three panels have a whole dark half, the wild fit misses two samples of it. */
  assert_int_equal(count(&image, 68, 1, 84), SCALE * (4 * HALF - 2));
  assert_int_equal(count(&image, 253, 231, 37), SCALE * (4 * HALF + 1));
  /* Errors: one half at the red end, the wild sample at the blue one, the others white. */
  assert_int_equal(count(&image, 103, 0, 31), SCALE * HALF);
  assert_int_equal(count(&image, 5, 48, 97), SCALE);
  assert_int_equal(count(&image, 247, 247, 247) >= SCALE * (3 * HALF - 2), 1);
  image_destroy(&image);
  plan.title = plan.units = plan.caption = NULL;
  assert_int_equal(volume_figure(path, &plan), 0);
  assert_int_equal(volume_figure("/no/such/place.png", &plan), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "/no/such/place.png"));
  close(fd);
  unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(maps),       cmocka_unit_test(viridis_brightens),
      cmocka_unit_test(sequential), cmocka_unit_test(signed_values),
      cmocka_unit_test(figure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
