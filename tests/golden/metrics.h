/* Made by tests/golden/metrics.py with scikit-image 0.19.3. */
#ifndef TESTS_GOLDEN_METRICS_H
#define TESTS_GOLDEN_METRICS_H

/* clang-format off */
static const struct { int height, width, channels; double noise, psnr, ssim; } golden_metrics[] = {
  {7, 7, 1, 0.1, 30.8477915719622, 0.973132147677829},
  {24, 31, 1, 0.02, 44.7606591744302, 0.999481248858394},
  {40, 16, 3, 0.3, 21.6617987346299, 0.906914755589466},
  {9, 50, 3, 1.5, 9.45341545696173, 0.312625751272474},
  {64, 64, 1, 0.001, 70.6112369969085, 0.999998680476319},
};
/* clang-format on */

#endif
