#include "experiments/spectrum.h"

#include <kiss_fftr.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

static const double silence = 1e-20; /* power */

typedef struct {
  kiss_fftr_cfg plan;
  double sum;                    /* of the window */
  float window[SPECTRUM_WINDOW]; /* Hann's, periodic */
  double power[SPECTRUM_BINS];   /* of a column, summed over windows */
} Transform;

static Status transform_create(Transform **transform) {
  Transform *t = NULL;
  TRY(memory_allocate(&t, 1, sizeof *t, "a spectrum"));
  t->plan = kiss_fftr_alloc(SPECTRUM_WINDOW, 0, NULL, NULL);
  if (!t->plan) {
    free(t);
    return status_fail(STATUS_FAILED, "out of memory: a Fourier transform of %d samples",
                       SPECTRUM_WINDOW);
  }
  for (int i = 0; i < SPECTRUM_WINDOW; i++) {
    t->window[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * i / SPECTRUM_WINDOW));
    t->sum += (double)t->window[i];
  }
  *transform = t;
  return STATUS_OK;
}

static void transform_destroy(Transform *t) {
  kiss_fftr_free(t->plan);
  free(t);
}

/* Adds the power of the window around sample `middle`. */
static void add_window(Transform *t, const float *samples, int64_t n, int64_t middle) {
  float block[SPECTRUM_WINDOW];
  kiss_fft_cpx spectrum[SPECTRUM_BINS];
  for (int i = 0; i < SPECTRUM_WINDOW; i++) {
    int64_t at = middle - SPECTRUM_WINDOW / 2 + i;
    bool heard = at >= 0 && at < n && isfinite(samples[at]);
    block[i] = heard ? t->window[i] * samples[at] : 0;
  }
  kiss_fftr(t->plan, block, spectrum);
  for (int bin = 0; bin < SPECTRUM_BINS; bin++) {
    double re = (double)spectrum[bin].r, im = (double)spectrum[bin].i;
    t->power[bin] += re * re + im * im;
  }
}

static void fill(Transform *t, const float *samples, int64_t n, int64_t windows,
                 Spectrum *spectrum) {
  for (int column = 0; column < spectrum->columns; column++) {
    int64_t first = windows * column / spectrum->columns;
    int64_t end = windows * (column + 1) / spectrum->columns;
    memset(t->power, 0, sizeof t->power);
    for (int64_t i = first; i < end; i++) add_window(t, samples, n, i * SPECTRUM_HOP);
    float *level = spectrum->level + (int64_t)column * SPECTRUM_BINS;
    for (int bin = 0; bin < SPECTRUM_BINS; bin++) {
      double power = 4 * t->power[bin] / (t->sum * t->sum) / (double)(end - first);
      level[bin] = (float)(10 * log10(power > silence ? power : silence));
    }
  }
}

static int64_t window_count(int64_t n) {
  return (n - 1) / SPECTRUM_HOP + 1;
}

int spectrum_columns(int64_t n, int most) {
  return window_count(n) < most ? (int)window_count(n) : most;
}

Status spectrum_create(const float *samples, int64_t n, int most, Spectrum *spectrum) {
  int64_t windows = window_count(n);
  Transform *transform = NULL;
  *spectrum = (Spectrum){.columns = spectrum_columns(n, most)};
  TRY(transform_create(&transform));
  Status status = memory_allocate(&spectrum->level, (size_t)spectrum->columns * SPECTRUM_BINS,
                                  sizeof(float), "a spectrum");
  if (status == STATUS_OK) fill(transform, samples, n, windows, spectrum);
  transform_destroy(transform);
  return status;
}

void spectrum_destroy(Spectrum *spectrum) {
  free(spectrum->level);
  memset(spectrum, 0, sizeof *spectrum);
}

double spectrum_peak(const Spectrum *spectrum) {
  double peak = -INFINITY;
  for (int64_t i = 0; i < (int64_t)spectrum->columns * SPECTRUM_BINS; i++) {
    peak = fmax(peak, (double)spectrum->level[i]);
  }
  return peak;
}
