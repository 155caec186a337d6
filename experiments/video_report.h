/* Judging a network that was fitted to a video (paper.md section 3). */
#ifndef EXPERIMENTS_VIDEO_REPORT_H
#define EXPERIMENTS_VIDEO_REPORT_H

#include "experiments/film.h"
#include "experiments/suite.h"

/* A frame that is met better than this, as only constant ones are after clipping, counts as this.
 */
#define VIDEO_BEST_PSNR 100.0

/* Of one number for each frame. */
typedef struct {
  double mean, deviation; /* over the frames: root of the mean squared distance from the mean */
  double least, largest;
} FrameStatistics;

/* Local. PSNR (dB) of a frame with so large a sum of squared errors of `values` values in [-1, 1],
 * clipped (paper.md 0.5). */
double video_psnr(double sum, double values);

/* Local. */
FrameStatistics video_statistics(int64_t frames, const double *values);

/* Collective. Evaluates theta on all frames, wave by wave, so that memory does not grow with their
 * number, and writes
 *   metrics   psnr, psnr_deviation, psnr_worst, psnr_best: of the frames' PSNR (dB); psnr_all: of
 *             all pixels together; mse: not clipped;
 *   fields    value; frame_psnr [frames];
 *   with eval.pictures  fit.mp4, the truth at the left of the fit; strip.png, frames of both and
 *             four times their difference; frames.png, PSNR over the frames; psnr.png, the curve
 *             of the headline. */
Status video_report(const Setup *setup, const real *theta, const Film *film, Result *result);

/* Collective. `siren eval`: the fields eval.fields on the film's grid, with eval.size samples (0:
 * as many as frames) of the time and coordinates from eval.lower to eval.upper; with the value and
 * eval.pictures also eval.mp4, at the film's rate: more samples are slow motion. */
Status video_eval(const Setup *setup, const real *theta, const Film *film, Result *result);

/* Local, for forecasts of video_report: bytes that a rank takes, floating-point operations. */
double video_report_bytes(const Setup *setup, const Film *film, int rank);
double video_report_flops(const Setup *setup, const Film *film);

#endif
