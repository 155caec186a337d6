/* Images: every kind of PNG, JPEG, resizing and luma against PIL, writing, and bad files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <math.h>

#include "io/embedded.h"
#include "io/image.h"
#include "tests/golden/image.h"
#include "tests/sample_image.h"

static uint64_t image_hash(const Image *image) {
  uint64_t code = 14695981039346656037ULL;
  for (int i = 0; i < image->height * image->width * image->channels; i++) {
    code = (code ^ (uint64_t)lrintf(image->pixels[i] * 255)) * 1099511628211ULL;
  }
  return code;
}

static void assert_message(const char *part) {
  if (!strstr(status_message(), part)) fail_msg("\"%s\" lacks \"%s\"", status_message(), part);
  assert_null(strchr(status_message(), '\n'));
}

static void assert_refused(const char *name, const void *data, size_t length, const char *reason) {
  Image image = {.height = -7};
  assert_int_equal(image_decode(name, data, length, &image), STATUS_FAILED);
  assert_int_equal(image.height, -7);
  assert_int_equal(strncmp(status_message(), name, strlen(name)), 0);
  assert_message(reason);
}

/* What pixel (y, x) must be, from the stored samples. */
static float expected(PngKind k, int y, int x, int c) {
  if (k.type == PNG_COLOR_TYPE_PALETTE) {
    png_color colour = sample_colour(sample_value(k, y, x, 0));
    const unsigned char rgb[3] = {colour.red, colour.green, colour.blue};
    return (float)rgb[c] / 255;
  }
  return (float)sample_value(k, y, x, c) / (float)((1 << k.depth) - 1);
}

static void check_png(PngKind k, int height, int width) {
  Bytes file = sample_png(k, height, width);
  Image image;
  assert_int_equal(image_decode("sample.png", file.data, file.length, &image), STATUS_OK);
  assert_int_equal(image.height, height);
  assert_int_equal(image.width, width);
  assert_int_equal(image.channels, k.type & PNG_COLOR_MASK_COLOR ? 3 : 1);
  assert_int_equal(image.levels, k.depth == 16 ? 65535 : 255);
  for (int i = 0; i < height * width * image.channels; i++) {
    int c = i % image.channels, x = i / image.channels % width, y = i / image.channels / width;
    assert_float_equal(image.pixels[i], expected(k, y, x, c), 1e-7);
  }
  image_destroy(&image);
  free(file.data);
}

static void every_kind_of_png(void **state) {
  (void)state;
  static const struct {
    int type, depths;
  } types[] = {{PNG_COLOR_TYPE_GRAY, 1 | 2 | 4 | 8 | 16},
               {PNG_COLOR_TYPE_GRAY_ALPHA, 8 | 16},
               {PNG_COLOR_TYPE_PALETTE, 1 | 2 | 4 | 8},
               {PNG_COLOR_TYPE_RGB, 8 | 16},
               {PNG_COLOR_TYPE_RGB_ALPHA, 8 | 16}};
  int kinds = 0;
  for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
    for (int depth = 1; depth <= 16; depth *= 2) {
      if (!(types[t].depths & depth)) continue;
      for (int i = 0; i < 4; i++) {
        if (i / 2 && types[t].type & PNG_COLOR_MASK_ALPHA) continue; /* no tRNS with alpha */
        check_png((PngKind){types[t].type, depth, i % 2, i / 2}, 13, 11);
        check_png((PngKind){types[t].type, depth, i % 2, i / 2}, 1, 1);
        kinds++;
      }
    }
  }
  assert_int_equal(kinds, 52);
}

static void jpeg_grey_and_colour(void **state) {
  (void)state;
  static const int formats[] = {TJPF_GRAY, TJPF_RGB}, flags[] = {0, TJFLAG_PROGRESSIVE};
  for (int i = 0; i < 4; i++) {
    Bytes file = sample_jpeg(formats[i % 2], flags[i / 2], 21, 30);
    Image image;
    assert_int_equal(image_decode("sample.jpg", file.data, file.length, &image), STATUS_OK);
    assert_int_equal(image.channels, i % 2 ? 3 : 1);
    assert_int_equal(image.height, 21);
    assert_int_equal(image.width, 30);
    for (int j = 0; j < 21 * 30 * image.channels; j++) {
      int c = j % image.channels, x = j / image.channels % 30, y = j / image.channels / 30;
      assert_float_equal(image.pixels[j] * 255, 40 + 3 * y + 2 * x + 20 * c, 4);
    }
    image_destroy(&image);
    free(file.data);
  }
}

static void cmyk_is_refused(void **state) {
  (void)state;
  Bytes file = sample_jpeg(TJPF_CMYK, 0, 16, 16);
  assert_refused("ink.jpg", file.data, file.length, "CMYK JPEG is not supported");
  free(file.data);
}

static void rocket_as_pil(void **state) {
  (void)state;
  Image image, small;
  assert_int_equal(image_read(TEST_DATA "/rocket.jpg", &image), STATUS_OK);
  assert_int_equal(image.height, golden_rocket_size[0]);
  assert_int_equal(image.width, golden_rocket_size[1]);
  assert_int_equal(image_hash(&image), golden_rocket_rgb);
  assert_int_equal(image_resize(&image, 80, 120, &small), STATUS_OK);
  assert_int_equal(image_hash(&small), golden_rocket_120x80);
  assert_int_equal(image_to_grey(&image), STATUS_OK);
  assert_int_equal(image.channels, 1);
  assert_int_equal(image.levels, 255);
  assert_int_equal(image_hash(&image), golden_rocket_grey);
  image_destroy(&small);
  image_destroy(&image);
}

static void photograph_as_pil(void **state) {
  (void)state;
  Image image, resized;
  assert_int_equal(image_read("", &image), STATUS_OK);
  for (size_t i = 0; i < sizeof golden_photograph / sizeof *golden_photograph; i++) {
    const int *to = golden_photograph[i].to;
    assert_int_equal(image_resize(&image, to[0], to[1], &resized), STATUS_OK);
    assert_int_equal(image_hash(&resized), golden_photograph[i].hash);
    image_destroy(&resized);
  }
  image_destroy(&image);
}

static void make_pattern(const int from[2], int channels, Image *image) {
  assert_int_equal(image_create(from[0], from[1], channels, image), STATUS_OK);
  image->levels = 255;
  for (int j = 0; j < from[0] * from[1] * channels; j++) {
    int c = j % channels, x = j / channels % from[1], y = j / channels / from[1];
    unsigned mixed = (unsigned)(y * 7919 + x * 104729 + c * 31 + x * y * 13) * 2654435761u;
    image->pixels[j] = (float)(mixed >> 13 & 255) / 255;
  }
}

static void patterns_resized_as_pil(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof golden_resize / sizeof *golden_resize; i++) {
    const int *from = golden_resize[i].from, *to = golden_resize[i].to;
    int channels = golden_resize[i].channels;
    Image image, resized;
    make_pattern(from, channels, &image);
    assert_int_equal(image_resize(&image, to[0], to[1], &resized), STATUS_OK);
    for (int j = 0; j < to[0] * to[1] * channels; j++) {
      assert_int_equal(lrintf(resized.pixels[j] * 255), golden_resize[i].bytes[j]);
      assert_float_equal(resized.pixels[j], golden_resize[i].bytes[j] / 255.f, 1e-7);
    }
    image_destroy(&resized);
    image_destroy(&image);
  }
}

static void filters_as_pil(void **state) {
  (void)state;
  static const ImageFilter filters[3] = {IMAGE_BICUBIC, IMAGE_AREA, IMAGE_NEAREST};
  for (size_t i = 0; i < sizeof golden_filters / sizeof *golden_filters; i++) {
    const int *to = golden_filters[i].to;
    Image image, resized;
    make_pattern(golden_filters[i].from, golden_filters[i].channels, &image);
    for (int f = 0; f < 3; f++) {
      assert_int_equal(image_resize_by(filters[f], &image, to[0], to[1], &resized), STATUS_OK);
      if (image_hash(&resized) != golden_filters[i].hash[f]) {
        fail_msg("case %zu: not PIL's %s", i, image_filter_name(filters[f]));
      }
      image_destroy(&resized);
    }
    image_destroy(&image);
  }
}

/* Without levels nothing is rounded: halving a ramp gives the ramp (away from its ends), and a
 * constant stays. */
static void floats_are_not_rounded(void **state) {
  (void)state;
  Image image, resized;
  assert_int_equal(image_create(40, 60, 1, &image), STATUS_OK);
  for (int i = 0; i < 40 * 60; i++) image.pixels[i] = (float)(i % 60 + 0.5) / 60;
  assert_int_equal(image_resize(&image, 7, 30, &resized), STATUS_OK);
  assert_int_equal(resized.levels, 0);
  for (int i = 0; i < 7 * 30; i++) {
    if (i % 30 > 0 && i % 30 < 29) {
      assert_float_equal(resized.pixels[i], (i % 30 + 0.5) / 30, 2e-6);
    }
  }
  image_destroy(&resized);
  for (int i = 0; i < 40 * 60; i++) image.pixels[i] = 0.123456f;
  assert_int_equal(image_resize(&image, 77, 13, &resized), STATUS_OK);
  for (int i = 0; i < 77 * 13; i++) assert_float_equal(resized.pixels[i], 0.123456, 1e-6);
  image_destroy(&resized);
  image_destroy(&image);
}

static void grey_and_rgb(void **state) {
  (void)state;
  Image image;
  assert_int_equal(image_create(1, 3, 3, &image), STATUS_OK);
  for (int i = 0; i < 3; i++) image.pixels[4 * i] = 1; /* red, green, blue */
  assert_int_equal(image_to_grey(&image), STATUS_OK);
  assert_float_equal(image.pixels[0], 0.299, 1e-5);
  assert_float_equal(image.pixels[1], 0.587, 1e-5);
  assert_float_equal(image.pixels[2], 0.114, 1e-5);
  assert_int_equal(image_to_grey(&image), STATUS_OK); /* already is */
  assert_int_equal(image_to_rgb(&image), STATUS_OK);
  assert_int_equal(image.channels, 3);
  for (int i = 0; i < 3; i++) assert_float_equal(image.pixels[3 + i], 0.587, 1e-5);
  assert_int_equal(image_to_rgb(&image), STATUS_OK);
  image_destroy(&image);
  assert_null(image.pixels);
}

static void make_directory(char *directory) {
  strcpy(directory, "/tmp/test_image_XXXXXX");
  assert_non_null(mkdtemp(directory));
}

static void written_and_read_again(void **state) {
  (void)state;
  char directory[40], path[60];
  make_directory(directory);
  snprintf(path, sizeof path, "%s/picture.png", directory);
  static const float values[8] = {-3, 0, 0.4999f / 255, 0.5001f / 255, 100.f / 255, 1, 7, NAN};
  static const int bytes[8] = {0, 0, 0, 1, 100, 255, 255, 0};
  for (int channels = 1; channels <= 3; channels += 2) {
    Image image, again;
    assert_int_equal(image_create(2, 4, channels, &image), STATUS_OK);
    for (int i = 0; i < 8 * channels; i++) image.pixels[i] = values[i % 8];
    assert_int_equal(image_write_png(path, &image), STATUS_OK);
    assert_int_equal(image_read(path, &again), STATUS_OK);
    assert_int_equal(again.height, 2);
    assert_int_equal(again.width, 4);
    assert_int_equal(again.channels, channels);
    for (int i = 0; i < 8 * channels; i++) {
      assert_float_equal(again.pixels[i] * 255, bytes[i % 8], 1e-4);
    }
    image_destroy(&again);
    image_destroy(&image);
  }
  unlink(path);
  rmdir(directory);
}

static void files_that_are_not_there(void **state) {
  (void)state;
  Image image;
  char directory[40], path[60];
  make_directory(directory);
  assert_int_equal(image_read(directory, &image), STATUS_FAILED);
  assert_message(directory);
  snprintf(path, sizeof path, "%s/empty.png", directory);
  assert_int_equal(image_read(path, &image), STATUS_FAILED);
  assert_message(path);
  fclose(fopen(path, "w"));
  assert_int_equal(image_read(path, &image), STATUS_FAILED);
  assert_message("empty.png: the file is empty");
  unlink(path);
  assert_int_equal(image_read("", &image), STATUS_OK);
  snprintf(path, sizeof path, "%s/none/picture.png", directory);
  assert_int_equal(image_write_png(path, &image), STATUS_FAILED);
  assert_message(path);
  image_destroy(&image);
  rmdir(directory);
}

static void other_content_is_refused(void **state) {
  (void)state;
  assert_refused("a.gif", "GIF89a..........", 16, "not a PNG, JPEG or HDF5 file");
  assert_refused("b.png", "\x89PN", 3, "not a PNG, JPEG or HDF5 file");
  assert_refused("c.png", "\x89PNG\r\n\x1a\n", 8, "damaged PNG: the file ends too early");
  assert_refused("d.jpg", "\xff\xd8\xff\xe0", 4, "has no pixels (0x0)");
  assert_refused("e.jpg", "\xff\xd8\xff\xda\x00\x08\x01", 7, "damaged JPEG: ");
}

/* The width and height a header claims are no reason to take memory. */
static void huge_headers_are_refused(void **state) {
  (void)state;
  static const struct {
    png_uint_32 width, height;
    const char *reason;
  } cases[] = {{100000, 100000, "is 100000x100000: more than 268 million pixels"},
               {0x7fffffff, 0x7fffffff, "more than 268 million pixels"},
               {16384, 16384, "says 16384x16384 but holds only"},
               {0, 5, "IHDR"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Bytes file = sample_png((PngKind){PNG_COLOR_TYPE_RGB, 8, 0, 0}, 3, 3);
    png_save_uint_32(file.data + 16, cases[i].width);
    png_save_uint_32(file.data + 20, cases[i].height);
    png_save_uint_32(file.data + 29, sample_crc(file.data + 12, 17));
    assert_refused("bomb.png", file.data, file.length, cases[i].reason);
    free(file.data);
  }
  Bytes file = sample_jpeg(TJPF_RGB, 0, 8, 8);
  for (size_t i = 0; i + 9 < file.length; i++) {
    if (file.data[i] == 0xff && file.data[i + 1] == 0xc0) memset(file.data + i + 5, 0x7f, 4);
  }
  assert_refused("bomb.jpg", file.data, file.length, "is 32639x32639: more than");
  free(file.data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_of_png),
      cmocka_unit_test(jpeg_grey_and_colour),
      cmocka_unit_test(cmyk_is_refused),
      cmocka_unit_test(rocket_as_pil),
      cmocka_unit_test(photograph_as_pil),
      cmocka_unit_test(patterns_resized_as_pil),
      cmocka_unit_test(filters_as_pil),
      cmocka_unit_test(floats_are_not_rounded),
      cmocka_unit_test(grey_and_rgb),
      cmocka_unit_test(written_and_read_again),
      cmocka_unit_test(files_that_are_not_there),
      cmocka_unit_test(other_content_is_refused),
      cmocka_unit_test(huge_headers_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
