/* Numbers that judge a video. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "experiments/video_report.h"

/* Errors of 0.2 everywhere on [-1, 1] are 0.1 on [0, 1]: 20 dB. */
static void test_psnr_by_hand(void **state) {
  (void)state;
  assert_float_equal(video_psnr(0.04 * 300, 300), 20, 1e-9);
  assert_float_equal(video_psnr(4 * 10, 10), 0, 1e-9);
  assert_float_equal(video_psnr(4e-3 * 7, 7), 30, 1e-9);
}

/* A black frame that is met after clipping does not make the mean infinite; a fit of NaN does. */
static void test_psnr_is_bounded_above_alone(void **state) {
  (void)state;
  assert_float_equal(video_psnr(0, 300), VIDEO_BEST_PSNR, 0);
  assert_true(video_psnr(INFINITY, 300) == -INFINITY);
}

static void test_statistics_by_hand(void **state) {
  (void)state;
  const double psnr[4] = {20, 30, 30, 40};
  FrameStatistics s = video_statistics(4, psnr);
  assert_float_equal(s.mean, 30, 1e-12);
  assert_float_equal(s.deviation, sqrt(50), 1e-12);
  assert_float_equal(s.least, 20, 0);
  assert_float_equal(s.largest, 40, 0);
  s = video_statistics(1, psnr);
  assert_float_equal(s.mean, 20, 0);
  assert_float_equal(s.deviation, 0, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_psnr_by_hand),
      cmocka_unit_test(test_psnr_is_bounded_above_alone),
      cmocka_unit_test(test_statistics_by_hand),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
