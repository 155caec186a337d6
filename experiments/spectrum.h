/* Spectrograms: the short-time Fourier transform of a sound, by kissfft. */
#ifndef EXPERIMENTS_SPECTRUM_H
#define EXPERIMENTS_SPECTRUM_H

#include <stdint.h>

#include "core/status.h"

enum { SPECTRUM_WINDOW = 1024, SPECTRUM_HOP = 256, SPECTRUM_BINS = SPECTRUM_WINDOW / 2 + 1 };

/* Levels in dB of Hann windows around samples 0, HOP, 2 HOP, ... (silence before and after the
 * sound), as mean powers over the windows of a column. Bin b is the frequency b / WINDOW cycles a
 * sample. A sine of amplitude 1 in the middle of a bin has level 0 there; silence has -200. */
typedef struct {
  int columns;  /* share the sound evenly */
  float *level; /* [columns][SPECTRUM_BINS]; owned */
} Spectrum;

/* Local. Of n >= 1 samples, in a column for each window, but `most` columns at most. Samples that
 * are not finite count as 0. */
Status spectrum_create(const float *samples, int64_t n, int most, Spectrum *spectrum);
int spectrum_columns(int64_t n, int most); /* how many it gets */
void spectrum_destroy(Spectrum *spectrum); /* leaves it all zero */

/* Local. The highest level. */
double spectrum_peak(const Spectrum *spectrum);

#endif
