/* Parts of inpainting: priors against values worked by hand and against differences, masks, the
 * densities of random shifts, drawing from a part of the pixels. */
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

#include "core/random.h"
#include "experiments/kernel.h"
#include "experiments/mask.h"
#include "experiments/pixels.h"
#include "experiments/prior.h"
#include "io/file.h"
#include "io/image.h"

/* ---- Priors ---- */

enum { ROWS = 3, IN = 2, OUT = 2, N = ROWS * OUT, STREAMS = 5 };

/* Streams d_0, d_1, d_00, d_01, d_11 with [ROWS][OUT] values each, and their adjoints. */
typedef struct {
  real jet[STREAMS][N], bar[STREAMS][N];
} Slopes;

static TermBlock view(Slopes *s, bool adjoint) {
  TermBlock block = {.rows = ROWS, .in = IN, .out = OUT};
  for (int i = 0; i < IN; i++) {
    block.first[i] = s->jet[i];
    block.first_bar[i] = adjoint ? s->bar[i] : NULL;
  }
  for (int i = 0; i < 3; i++) {
    block.second[i] = s->jet[IN + i];
    block.second_bar[i] = adjoint ? s->bar[IN + i] : NULL;
  }
  return block;
}

/* Row 0: both channels rise; row 1: they cancel along 0; row 2: flat. */
static const Slopes example = {.jet = {{3, 1, 2, -2, 0, 0},
                                       {-1, -4, 0.5f, 1, 0, 0},
                                       {2, 1, 0, 3, 0, 0},
                                       {-1, 2, 0, 0, 0, 0},
                                       {0, 1, 0, 4, 0, 0}}};

static void test_total_variation_by_hand(void **state) {
  (void)state;
  Slopes s = example;
  TermBlock block = view(&s, true);
  /* (|3 + 1| + |-1 - 4|) / 2 + (|2 - 2| + |0.5 + 1|) / 2 */
  assert_float_equal(prior_tv(&block, 8, NULL), 4.5 + 0.75, 1e-6);
  const real along[2][N] = {{4, 4, 0, 0, 0, 0}, {-4, -4, 4, 4, 0, 0}};
  assert_memory_equal(s.bar[0], along[0], sizeof along[0]);
  assert_memory_equal(s.bar[1], along[1], sizeof along[1]);
}

static void test_total_variation_of_channels_by_hand(void **state) {
  (void)state;
  Slopes s = example;
  TermBlock block = view(&s, true);
  assert_float_equal(prior_tv_channels(&block, 8, NULL), (3 + 1 + 1 + 4 + 2 + 2 + 0.5 + 1) / 2,
                     1e-6);
  const real along[2][N] = {{4, 4, 4, -4, 0, 0}, {-4, -4, 4, 4, 0, 0}};
  assert_memory_equal(s.bar[0], along[0], sizeof along[0]);
  assert_memory_equal(s.bar[1], along[1], sizeof along[1]);
}

static void test_hessian_by_hand(void **state) {
  (void)state;
  Slopes s = example;
  TermBlock block = view(&s, true);
  /* row 0: 4 + 1 + 2 (1 + 4) + 0 + 1 = 16; row 1: 9 + 16 = 25; row 2: 0 */
  assert_float_equal(prior_hessian(&block, 2, NULL), 4 + 5, 1e-6);
  const double expected[3][N] = {{1, 0.5, 0, 1.2}, {-1, 2, 0, 0}, {0, 0.5, 0, 1.6}};
  for (int i = 0; i < 3; i++) {
    for (int k = 0; k < N; k++) {
      assert_float_equal(s.bar[IN + i][k], expected[i][k], 1e-6);
    }
  }
  assert_float_equal(s.bar[IN][4], 0, 0); /* no derivative there: 0, not NaN */
}

/* Without adjoints the values are the same; adjoints are added to, not stored. */
static void test_priors_add_adjoints(void **state) {
  (void)state;
  static const char *const names[] = {"tv", "tv_channels", "hessian"};
  for (int i = 0; i < 3; i++) {
    const Prior *prior = prior_find(names[i]);
    assert_non_null(prior);
    Slopes once = example, twice = example;
    TermBlock plain = view(&once, false), a = view(&once, true), b = view(&twice, true);
    double value = prior->term(&plain, 1, NULL);
    assert_true(value == prior->term(&a, 1, NULL));
    prior->term(&b, 1, NULL);
    prior->term(&b, 2, NULL);
    for (int k = 0; k < STREAMS * N; k++) {
      assert_float_equal(3 * (&once.bar[0][0])[k], (&twice.bar[0][0])[k], 1e-6);
    }
  }
  assert_null(prior_find("none"));
}

/* ---- Random shifts ---- */

/* Moments by the midpoint rule in u; the densities are 1 - |t| and 1/2 on [-1, 1]. */
static void check_moments(const char *name, double absolute, double square, double fourth) {
  const Kernel *kernel = kernel_find(name);
  assert_non_null(kernel);
  enum { M = 20000 };
  double sums[5] = {0}, last = -1;
  for (int i = 0; i < M; i++) {
    double t = kernel->shift((i + 0.5) / M);
    assert_true(t >= last && t <= 1);
    last = t;
    const double powers[5] = {t, fabs(t), t * t, t * t * t, t * t * t * t};
    for (int p = 0; p < 5; p++) sums[p] += powers[p] / M;
  }
  assert_float_equal(sums[0], 0, 1e-9);
  assert_float_equal(sums[1], absolute, 1e-5);
  assert_float_equal(sums[2], square, 1e-5);
  assert_float_equal(sums[3], 0, 1e-9);
  assert_float_equal(sums[4], fourth, 1e-4);
  assert_float_equal(kernel->shift(0), -1, 0);
}

static void test_densities_of_shifts(void **state) {
  (void)state;
  check_moments("triangle", 1. / 3, 1. / 6, 1. / 15);
  check_moments("box", 1. / 2, 1. / 3, 1. / 5);
  assert_null(kernel_find("none"));
}

/* ---- Masks ---- */

enum { MAX_OVERRIDES = 6 };

/* The experiment's configuration with overrides, NULL after the last. */
static Config *configure(const char *const *overrides) {
  const char *all[MAX_OVERRIDES + 1] = {"experiment=inpaint"};
  int n = 1;
  for (; overrides && overrides[n - 1]; n++) all[n] = overrides[n - 1];
  Config *config = NULL;
  Status status = config_parse("a test", "{}", 2, n, all, &config);
  assert_string_equal(status == STATUS_OK ? "" : status_message(), "");
  return config;
}

static Status make_mask(const char *const *overrides, int height, int width, Mask *mask) {
  Config *config = configure(overrides);
  Target target = {.height = height, .width = width, .channels = 1};
  target.file_height = height, target.file_width = width;
  Status status = mask_create(config, &target, mask);
  config_destroy(config);
  return status;
}

static void check_mask(const Mask *mask, int64_t count) {
  assert_int_equal(mask->count, count);
  int64_t known = 0;
  for (int64_t i = 0; i < mask->pixels; i++) known += mask->known[i];
  assert_int_equal(known, count);
  for (int64_t i = 0; i < count; i++) {
    assert_in_range(mask->list[i], 0, mask->pixels - 1);
    assert_true(mask->known[mask->list[i]]);
    assert_true(i == 0 || mask->list[i] > mask->list[i - 1]);
  }
}

static void test_random_mask_has_its_share(void **state) {
  (void)state;
  static const struct {
    const char *share;
    int height, width;
    int64_t count;
  } cases[] = {{"inpaint.share=0.1", 48, 48, 230},   {"inpaint.share=0.5", 7, 9, 32},
               {"inpaint.share=1", 31, 17, 31 * 17}, {"inpaint.share=0.1", 1, 1, 1},
               {"inpaint.share=1e-9", 20, 20, 1},    {"inpaint.share=0.25", 1, 8, 2}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Mask mask;
    Status status = make_mask((const char *const[]){cases[i].share, NULL}, cases[i].height,
                              cases[i].width, &mask);
    assert_int_equal(status, STATUS_OK);
    check_mask(&mask, cases[i].count);
    mask_destroy(&mask);
  }
}

/* Quadrants hold about the same number, and another seed is another mask. */
static void test_random_mask_is_spread(void **state) {
  (void)state;
  Mask mask, other;
  assert_int_equal(make_mask(NULL, 100, 100, &mask), STATUS_OK);
  assert_int_equal(make_mask((const char *const[]){"seed=1", NULL}, 100, 100, &other), STATUS_OK);
  int quadrants[4] = {0}, common = 0;
  for (int64_t i = 0; i < mask.count; i++) {
    int64_t row = mask.list[i] / 100, column = mask.list[i] % 100;
    quadrants[row / 50 * 2 + column / 50]++;
    common += other.known[mask.list[i]];
  }
  for (int q = 0; q < 4; q++) assert_in_range(quadrants[q], 200, 300); /* 250 +- 3.6 sigma */
  assert_in_range(common, 60, 140);                                    /* 100 +- 4 sigma */
  mask_destroy(&mask);
  mask_destroy(&other);
}

static void test_share_0_is_refused(void **state) {
  (void)state;
  Mask mask;
  Status status = make_mask((const char *const[]){"inpaint.share=0", NULL}, 8, 8, &mask);
  assert_int_equal(status, STATUS_USAGE);
  assert_non_null(strstr(status_message(), "inpaint.share=0"));
  mask_destroy(&mask);
}

static char directory[32], *mask_file, override[96];

static int make_directory(void **state) {
  (void)state;
  strcpy(directory, "/tmp/siren-mask-XXXXXX");
  if (!mkdtemp(directory)) return -1;
  mask_file = file_join(directory, "mask.png");
  snprintf(override, sizeof override, "inpaint.mask=%s", mask_file);
  return 0;
}

static int remove_directory(void **state) {
  (void)state;
  unlink(mask_file);
  free(mask_file);
  return rmdir(directory);
}

static void write_mask(int height, int width, int channels, const float *pixels) {
  Image image;
  assert_int_equal(image_create(height, width, channels, &image), STATUS_OK);
  memcpy(image.pixels, pixels, (size_t)(height * width * channels) * sizeof *pixels);
  assert_int_equal(image_write_png(mask_file, &image), STATUS_OK);
  image_destroy(&image);
}

/* White is known, black is hidden; grey on its side of the middle. */
static void test_mask_of_a_file(void **state) {
  (void)state;
  const float levels[6] = {0, 1, 127 / 255.f, 128 / 255.f, 1, 0};
  Mask mask;
  write_mask(2, 3, 1, levels);
  assert_int_equal(make_mask((const char *const[]){override, NULL}, 2, 3, &mask), STATUS_OK);
  check_mask(&mask, 3);
  assert_int_equal(mask.list[0], 1);
  assert_int_equal(mask.list[1], 3);
  assert_int_equal(mask.list[2], 4);
  mask_destroy(&mask);
}

/* The mask goes the image's way: the centre square, then a smaller size. */
static void test_mask_is_cropped_and_resized(void **state) {
  (void)state;
  enum { HEIGHT = 8, WIDTH = 12 };
  float pixels[HEIGHT * WIDTH];
  for (int i = 0; i < HEIGHT * WIDTH; i++) pixels[i] = i % WIDTH < WIDTH / 2;
  write_mask(HEIGHT, WIDTH, 1, pixels);
  const char *const overrides[] = {override, "data.crop=true", "data.size=4", NULL};
  Config *config = configure(overrides);
  Target target = {.height = 4, .width = 4, .file_height = HEIGHT, .file_width = WIDTH};
  Mask mask;
  assert_int_equal(mask_create(config, &target, &mask), STATUS_OK);
  check_mask(&mask, 8);
  for (int64_t i = 0; i < 8; i++) assert_int_equal(mask.list[i], i / 2 * 4 + i % 2);
  mask_destroy(&mask);
  config_destroy(config);
}

static void test_bad_masks_are_refused(void **state) {
  (void)state;
  const float dark[6] = {0, 0.2f, 0.4f, 0, 0, 0};
  const char *const overrides[] = {override, NULL};
  Mask mask;
  write_mask(2, 3, 1, dark);
  assert_int_equal(make_mask(overrides, 2, 3, &mask), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "empty"));
  mask_destroy(&mask);
  assert_int_equal(make_mask(overrides, 3, 2, &mask), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "the mask has 2 x 3 pixels, the image 3 x 2"));
  mask_destroy(&mask);
  unlink(mask_file);
  assert_int_equal(make_mask(overrides, 2, 3, &mask), STATUS_FAILED);
  mask_destroy(&mask);
}

/* ---- A part of the pixels ---- */

static void test_draw_from_a_part(void **state) {
  (void)state;
  static const int64_t part[5] = {2, 3, 7, 8, 11};
  Config *all = configure(NULL);
  Config *three = configure((const char *const[]){"train.samples=3", NULL});
  Config *six = configure((const char *const[]){"train.samples=6", NULL});
  Pixels pixels;
  assert_int_equal(pixels_create_part(all, 3, 4, part, 5, &pixels), STATUS_OK);
  assert_int_equal(pixels.samples, 5);
  for (int i = 0; i < 5; i++) assert_int_equal(pixels_draw(&pixels, 9, i), part[i]);
  assert_int_equal(pixels_create_part(three, 3, 4, part, 5, &pixels), STATUS_OK);
  int drawn[12] = {0};
  for (uint64_t step = 0; step < 200; step++) {
    bool seen[12] = {false};
    for (int i = 0; i < 3; i++) {
      int64_t pixel = pixels_draw(&pixels, step, i);
      assert_false(seen[pixel]);
      seen[pixel] = true;
      drawn[pixel]++;
    }
  }
  for (int i = 0; i < 5; i++) {
    assert_in_range(drawn[part[i]], 90, 150); /* 120 +- 4 sigma */
    drawn[part[i]] = 0;
  }
  for (int i = 0; i < 12; i++) assert_int_equal(drawn[i], 0);
  assert_int_equal(pixels_create_part(six, 3, 4, part, 5, &pixels), STATUS_USAGE);
  config_destroy(all);
  config_destroy(three);
  config_destroy(six);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_total_variation_by_hand),
      cmocka_unit_test(test_total_variation_of_channels_by_hand),
      cmocka_unit_test(test_hessian_by_hand),
      cmocka_unit_test(test_priors_add_adjoints),
      cmocka_unit_test(test_densities_of_shifts),
      cmocka_unit_test(test_random_mask_has_its_share),
      cmocka_unit_test(test_random_mask_is_spread),
      cmocka_unit_test(test_share_0_is_refused),
      cmocka_unit_test(test_mask_of_a_file),
      cmocka_unit_test(test_mask_is_cropped_and_resized),
      cmocka_unit_test(test_bad_masks_are_refused),
      cmocka_unit_test(test_draw_from_a_part),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
