/* Pictures of sounds: waveforms, as an audio editor draws them, and spectrograms. */
#ifndef IO_PICTURE_SOUND_H
#define IO_PICTURE_SOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

/* Local. The lowest and highest of n >= 1 samples in each of `columns` columns of equal width, with
 * the last sample before it, so that columns join. low > high where no sample is finite. */
void picture_envelope(const float *samples, int64_t n, int columns, float *low, float *high);

/* A waveform with its name. */
typedef struct {
  const char *label;
  const float *samples; /* [n] of the picture */
  bool same_scale;      /* heights are those of the track before */
} SoundTrack;

typedef struct {
  const char *title, *x_label; /* of what `start` and `step` are in, "time (s)" */
  int64_t n;                   /* >= 1 samples: sample i is at start + i * step, step > 0 */
  double start, step;
  int64_t zoom_first, zoom_count; /* samples drawn again, larger, at the right; count 0: none */
  int n_tracks;
  const SoundTrack *tracks;
} SoundWaves;

/* Local. The tracks below each other: lines through the samples, or, where there are more samples
 * than pixels, their envelopes. */
Status picture_waves(const char *path, const SoundWaves *waves);

/* A spectrogram with its name. */
typedef struct {
  const char *label;
  const float *level; /* [columns][bins], dB */
} SoundSpectrum;

typedef struct {
  const char *title, *x_label, *y_label;
  int columns, bins; /* columns share [start, end) evenly, bin 0 is at 0, the last one at top */
  double start, end, top;
  double low, high; /* dB of the first and the last colour */
  int n_spectra;
  const SoundSpectrum *spectra;
} SoundSpectra;

/* Local. The spectrograms below each other, with one scale of colours. A pixel shows the largest
 * level of what it covers. */
Status picture_spectra(const char *path, const SoundSpectra *spectra);

/* Local. Bytes that these pictures take for so many tracks or spectrograms. */
double picture_waves_bytes(int tracks);
double picture_spectra_bytes(int spectra);

#endif
