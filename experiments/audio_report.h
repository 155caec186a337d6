/* What a network that learned a sound made of it: metrics, pictures, sound files (paper.md section
 * 4). */
#ifndef EXPERIMENTS_AUDIO_REPORT_H
#define EXPERIMENTS_AUDIO_REPORT_H

#include "experiments/clip.h"
#include "experiments/suite.h"

typedef struct {
  double mse;         /* mean of (Phi - f)^2, the paper's figure */
  double mse_silence; /* mean of f^2: the mse of Phi = 0 */
  double mse_share;   /* mse / mse_silence */
  double snr;         /* -10 log10 of that, dB */
  double error_max;   /* largest |Phi - f| */
} AudioMetrics;

/* Local. Of n >= 1 samples. */
AudioMetrics audio_measure(const float *fit, const float *target, int64_t n);

/* Collective. Evaluates theta on all samples and writes
 *   metrics   those above;
 *   fields    value, target_value;
 *   sounds    fit.wav, target.wav at the file's rate, if there is one;
 *   pictures  waveform.png, spectrogram.png (target, fit, error), the curve of the mse, mse.png. */
Status audio_report(const Setup *setup, const real *theta, const Clip *clip, Result *result);

/* Collective. `siren eval`: the fields eval.fields at eval.size times (0: as many as the clip has
 * samples) from eval.lower to eval.upper, where the clip is [-1, 1]; with eval.pictures the picture
 * eval_waveform.png and, if the value is asked for and there is a rate, eval.wav. */
Status audio_eval(const Setup *setup, const real *theta, const Clip *clip, Result *result);

/* Local, for forecasts of audio_report: bytes that a rank takes, floating-point operations. */
double audio_report_bytes(const Setup *setup, const Clip *clip, int rank);
double audio_report_flops(const Setup *setup, const Clip *clip);

#endif
