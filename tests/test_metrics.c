/* PSNR and SSIM against scikit-image and against values known by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "experiments/metrics.h"
#include "tests/golden/metrics.h"

static void fill(int height, int width, int channels, double noise, float *prediction,
                 float *target) {
  for (int i = 0; i < height * width * channels; i++) {
    int c = i % channels, x = i / channels % width, y = i / channels / width;
    uint32_t mixed = (uint32_t)(y * 7919 + x * 104729 + c * 31 + x * y * 13) * 2654435761u;
    double random = (mixed >> 8) / 16777216.0;
    double smooth = rint(0.9 * sin(0.2 * y + 0.31 * x + c) * 4096) / 4096;
    target[i] = (float)smooth;
    prediction[i] = (float)(smooth + rint(noise * (2 * random - 1) * 4096) / 4096);
  }
}

static void as_scikit_image(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof golden_metrics / sizeof *golden_metrics; i++) {
    int height = golden_metrics[i].height, width = golden_metrics[i].width;
    int channels = golden_metrics[i].channels;
    size_t n = (size_t)(height * width * channels);
    float *prediction = malloc(n * sizeof *prediction), *target = malloc(n * sizeof *target);
    fill(height, width, channels, golden_metrics[i].noise, prediction, target);
    double psnr = metric_psnr(prediction, target, n);
    double ssim = metric_ssim(prediction, target, height, width, channels);
    if (fabs(psnr - golden_metrics[i].psnr) > 1e-9) fail_msg("case %zu: %.15g dB", i, psnr);
    if (fabs(ssim - golden_metrics[i].ssim) > 1e-9) fail_msg("case %zu: SSIM %.15g", i, ssim);
    free(prediction);
    free(target);
  }
}

static void psnr_by_hand(void **state) {
  (void)state;
  const float target[4] = {-1, 0, 0.5f, 1}, near[4] = {-0.8f, 0.2f, 0.7f, 0.8f};
  const float over[4] = {-5, 0, 0.5f, 9}, wrong[4] = {-1, 0, NAN, 1};
  assert_float_equal(metric_psnr(near, target, 4), 20, 1e-5); /* an error of 0.1 after mapping */
  assert_true(isinf(metric_psnr(target, target, 4)) && metric_psnr(target, target, 4) > 0);
  assert_true(isinf(metric_psnr(over, target, 4))); /* clipped to the target's ends */
  assert_true(isnan(metric_psnr(wrong, target, 4)));
}

/* Two channels: the first pixel is off by 0.1 and 0.1 after mapping, the third by 0.01 and beyond
 * the clipping. */
static void psnr_of_a_part(void **state) {
  (void)state;
  const float target[6] = {0, 0.5f, 0, 0, 0.5f, 1}, near[6] = {0.2f, 0.3f, 9, -9, 0.52f, 7};
  const bool first[3] = {true, false, false}, third[3] = {false, false, true}, all[3] = {1, 1, 1};
  assert_float_equal(metric_psnr_part(near, target, 3, 2, first, true), 20, 1e-5);
  assert_float_equal(metric_psnr_part(near, target, 3, 2, third, true), 40 + 10 * log10(2), 1e-4);
  assert_float_equal(metric_psnr_part(near, target, 3, 2, all, true), metric_psnr(near, target, 6),
                     1e-12);
  assert_float_equal(metric_psnr_part(near, target, 3, 2, first, false),
                     metric_psnr(near + 2, target + 2, 4), 1e-12);
  assert_true(isnan(metric_psnr_part(near, target, 3, 2, all, false)));
}

static void psnr_of_a_range(void **state) {
  (void)state;
  const float target[4] = {-30, 10, 50, 70}, near[4] = {-20, 20, 40, 60};
  const float over[4] = {-1000, 10, 50, 1000}, flat[4] = {3, 3, 3, 3}, wrong[4] = {NAN, 1, 2, 3};
  assert_float_equal(metric_psnr_range(near, target, 4), 20, 1e-9); /* 10 of 100 */
  assert_true(isinf(metric_psnr_range(target, target, 4)));
  assert_true(isinf(metric_psnr_range(over, target, 4)));
  assert_true(isnan(metric_psnr_range(near, flat, 4)));
  assert_true(isnan(metric_psnr_range(wrong, target, 4)));
}

static void ssim_limits(void **state) {
  (void)state;
  enum { N = 20 * 12 };
  float prediction[N], target[N];
  fill(20, 12, 1, 0.3, prediction, target);
  assert_float_equal(metric_ssim(target, target, 20, 12, 1), 1, 1e-12);
  assert_true(metric_ssim(prediction, target, 20, 12, 1) < 0.99);
  for (int i = 0; i < N; i++) prediction[i] = -target[i];
  assert_true(metric_ssim(prediction, target, 20, 12, 1) < 0); /* opposite structure */
  assert_true(isnan(metric_ssim(target, target, 6, 40, 1)));
  assert_true(isnan(metric_ssim(target, target, 40, 6, 1)));
  prediction[100] = NAN;
  assert_true(isnan(metric_ssim(prediction, target, 20, 12, 1)));
}

static void mse(void **state) {
  (void)state;
  const float a[3] = {1, 2, 3}, b[3] = {1, 4, 2};
  assert_float_equal(metric_mse(a, b, 3), 5. / 3, 1e-15);
  assert_float_equal(metric_mse(a, a, 3), 0, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(as_scikit_image), cmocka_unit_test(psnr_by_hand),
      cmocka_unit_test(psnr_of_a_part),  cmocka_unit_test(psnr_of_a_range),
      cmocka_unit_test(ssim_limits),     cmocka_unit_test(mse),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
