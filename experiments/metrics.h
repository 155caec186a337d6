/* Figures of merit. */
#ifndef EXPERIMENTS_METRICS_H
#define EXPERIMENTS_METRICS_H

#include <stdbool.h>
#include <stddef.h>

/* Local. PSNR in dB with data range 1 of two fields on the [-1, 1] scale: both mapped by v/2+0.5,
 * the prediction clipped to [0, 1] (paper.md 0.5). Infinite when equal. */
double metric_psnr(const float *prediction, const float *target, size_t n);

/* Local. The same over those of [pixels][channels] whose pixel has known[pixel] == which. NaN when
 * there is none. */
double metric_psnr_part(const float *prediction, const float *target, size_t pixels, int channels,
                        const bool *known, bool which);

/* Local. PSNR of two fields of any range after the target's min-max is mapped to [0, 1] (both by
 * the target's range, prediction clipped): for derivative fields. NaN when the target is constant.
 */
double metric_psnr_range(const float *prediction, const float *target, size_t n);

/* Local. PSNR of two fields after each one's own min-max is mapped to [0, 1], as between pictures
 * that were made so: any shift and positive factor is lost. NaN when one of them is constant. */
double metric_psnr_minmax(const float *prediction, const float *target, size_t n);

/* Local. SSIM (Wang et al. 2004) as scikit-image's structural_similarity: 7x7 uniform window,
 * sample covariance, K1 0.01, K2 0.03, data range 1, mean over channels and over the image less a
 * border of 3; fields on the [-1, 1] scale, mapped and clipped as for the PSNR.
 * [height][width][channels]. NaN below 7x7. */
double metric_ssim(const float *prediction, const float *target, int height, int width,
                   int channels);

/* Local. Mean squared error. */
double metric_mse(const float *prediction, const float *target, size_t n);

#endif
