#include "experiments/audio_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "experiments/curve.h"
#include "experiments/spectrum.h"
#include "io/audio.h"
#include "io/picture_sound.h"

enum {
  COLUMNS = 1300,    /* of a spectrogram, at most: about what its picture has */
  COLOUR_RANGE = 80, /* dB */
  BLOCK = 4096,      /* samples that are written at once */
};
static const double zoom_seconds = 0.02;
static const int64_t zoom_samples = 800; /* where there is no rate */

/* Above this, rank 0 would need gigabytes for pictures that nobody can look at. */
static const int64_t max_picture_points = (int64_t)1 << 26;

AudioMetrics audio_measure(const float *fit, const float *target, int64_t n) {
  AudioMetrics m = {0};
  for (int64_t i = 0; i < n; i++) {
    double f = (double)target[i], error = (double)fit[i] - f;
    m.mse += error * error / (double)n;
    m.mse_silence += f * f / (double)n;
    m.error_max = fmax(m.error_max, fabs(error));
  }
  m.mse_share = m.mse / m.mse_silence;
  m.snr = -10 * log10(m.mse_share);
  return m;
}

/* ---- Sounds ---- */

static Status write_samples(AudioWriter *writer, const float *samples, int64_t n) {
  float block[BLOCK];
  for (int64_t first = 0; first < n; first += BLOCK) {
    int64_t count = n - first < BLOCK ? n - first : BLOCK;
    for (int64_t i = 0; i < count; i++) {
      float sample = samples[first + i];
      block[i] = isnan(sample) ? 0 : fminf(fmaxf(sample, -1), 1);
    }
    TRY(audio_write(writer, count, block));
  }
  return STATUS_OK;
}

/* OUTPUT/NAME; without a rate that files can have there is none. */
static Status write_sound(const Result *result, const char *name, double rate, const float *samples,
                          int64_t n) {
  if (!(rate >= 1 && rate <= 1e7)) return STATUS_OK;
  AudioWriter *writer = NULL;
  char *path = result_path(result, name);
  Status status = audio_create(path, (int)lround(rate), 1, &writer);
  if (status == STATUS_OK) status = audio_finish(writer, write_samples(writer, samples, n));
  free(path);
  return status;
}

/* ---- Pictures ---- */

static const char *time_label(const Clip *clip) {
  return clip->rate > 0 ? "time (s)" : "sample";
}

/* Around the loudest sample, where there is something to see. */
static void choose_zoom(const Clip *clip, const float *target, SoundWaves *waves) {
  int64_t n = waves->n, loudest = 0;
  for (int64_t i = 0; i < n; i++) {
    if (fabsf(target[i]) > fabsf(target[loudest])) loudest = i;
  }
  int64_t count = clip->rate > 0 ? llround(zoom_seconds * clip->rate) : zoom_samples;
  if (count < 2 || count >= n) return;
  int64_t first = loudest - count / 2;
  waves->zoom_first = first < 0 ? 0 : first + count > n ? n - count : first;
  waves->zoom_count = count;
}

enum { TARGET, FIT, ERROR, WAVES };
static const char *const labels[WAVES] = {"target", "fit", "error"};

static Status draw_waves(const Result *result, const Clip *clip, const char *title,
                         const float *const waves[WAVES]) {
  SoundTrack tracks[WAVES];
  for (int i = 0; i < WAVES; i++) tracks[i] = (SoundTrack){labels[i], waves[i], i == FIT};
  SoundWaves picture = {.title = title,
                        .x_label = time_label(clip),
                        .n = signal_points(&clip->signal),
                        .start = clip_time(clip, 0),
                        .step = clip_time(clip, 1) - clip_time(clip, 0),
                        .n_tracks = WAVES,
                        .tracks = tracks};
  choose_zoom(clip, waves[TARGET], &picture);
  char *path = result_path(result, "waveform.png");
  Status status = picture_waves(path, &picture);
  free(path);
  return status;
}

/* Colours end at the target's highest level, rounded up. */
static Status draw_spectra(const Result *result, const Clip *clip, const char *title,
                           const Spectrum spectra[WAVES]) {
  SoundSpectrum rows[WAVES];
  for (int i = 0; i < WAVES; i++) rows[i] = (SoundSpectrum){labels[i], spectra[i].level};
  double high = 10 * ceil(spectrum_peak(&spectra[TARGET]) / 10);
  SoundSpectra picture = {.title = title,
                          .x_label = time_label(clip),
                          .y_label = clip->rate > 0 ? "frequency (Hz)" : "cycles per sample",
                          .columns = spectra[TARGET].columns,
                          .bins = SPECTRUM_BINS,
                          .start = clip_time(clip, 0),
                          .end = clip_time(clip, (double)signal_points(&clip->signal)),
                          .top = clip->rate > 0 ? clip->rate / 2 : 0.5,
                          .low = high - COLOUR_RANGE,
                          .high = high,
                          .n_spectra = WAVES,
                          .spectra = rows};
  char *path = result_path(result, "spectrogram.png");
  Status status = picture_spectra(path, &picture);
  free(path);
  return status;
}

static Status draw(const Setup *setup, const Result *result, const Clip *clip,
                   const AudioMetrics *metrics, const float *const waves[WAVES]) {
  if (result->plain) return STATUS_OK;
  char title[128];
  snprintf(title, sizeof title, "A sound: mse %.3e, silence %.3e, %.1f dB", metrics->mse,
           metrics->mse_silence, metrics->snr);
  TRY(draw_waves(result, clip, title, waves));
  Spectrum spectra[WAVES] = {{0}};
  Status status = STATUS_OK;
  for (int i = 0; status == STATUS_OK && i < WAVES; i++) {
    status = spectrum_create(waves[i], signal_points(&clip->signal), COLUMNS, &spectra[i]);
  }
  if (status == STATUS_OK) status = draw_spectra(result, clip, title, spectra);
  for (int i = 0; i < WAVES; i++) spectrum_destroy(&spectra[i]);
  TRY(status);
  return curve_headline(setup, result, "mse.png", &(CurveStyle){title, "mean squared error", true});
}

/* ---- The report ---- */

/* Whole on rank 0, NULL elsewhere. */
typedef struct {
  const float *fit;      /* borrowed */
  float *target, *error; /* owned */
} Report;

static Status create_waves(const Clip *clip, Report *report) {
  int64_t n = signal_points(&clip->signal);
  TRY(memory_allocate(&report->target, (size_t)n, sizeof(float), "the sound"));
  TRY(memory_allocate(&report->error, (size_t)n, sizeof(float), "the sound's error"));
  TRY(signal_read(&clip->signal, 0, n, 1, report->target));
  for (int64_t i = 0; i < n; i++) report->error[i] = report->fit[i] - report->target[i];
  return STATUS_OK;
}

/* Local, on rank 0. */
static Status judge(const Setup *setup, const Result *result, const Clip *clip,
                    const Report *report, AudioMetrics *metrics) {
  int64_t n = signal_points(&clip->signal);
  const float *const waves[WAVES] = {report->target, report->fit, report->error};
  *metrics = audio_measure(report->fit, report->target, n);
  TRY(write_sound(result, "fit.wav", clip->rate, report->fit, n));
  TRY(write_sound(result, "target.wav", clip->rate, report->target, n));
  return draw(setup, result, clip, metrics, waves);
}

/* Collective. */
static Status store(Result *result, AudioMetrics *metrics) {
  comm_broadcast(result->comm, metrics, sizeof *metrics);
  TRY(result_metric(result, "mse", metrics->mse, "1"));
  TRY(result_metric(result, "mse_silence", metrics->mse_silence, "1"));
  TRY(result_metric(result, "mse_share", metrics->mse_share, "1"));
  TRY(result_metric(result, "snr", metrics->snr, "dB"));
  return result_metric(result, "error_max", metrics->error_max, "1");
}

/* Collective. */
static Status make_report(const Setup *setup, const Clip *clip, const ResultFields *what,
                          Report *report, Result *result) {
  bool root = comm_rank(result->comm) == 0;
  AudioMetrics metrics = {0};
  TRY(comm_agree(result->comm, root ? create_waves(clip, report) : STATUS_OK));
  TRY(result_whole_field(result, "target_value", "the sound f, of largest magnitude 1", what, 1,
                         report->target));
  TRY(comm_agree(result->comm, root ? judge(setup, result, clip, report, &metrics) : STATUS_OK));
  return store(result, &metrics);
}

static ResultFields all_samples(const Clip *clip) {
  return (ResultFields){.grid = signal_grid(&clip->signal, 1),
                        .wanted = {[FIELD_VALUE] = true},
                        .keep = true,
                        .axes = "time"};
}

double audio_report_bytes(const Setup *setup, const Clip *clip, int rank) {
  ResultFields what = all_samples(clip);
  double fields = result_fields_bytes(&setup->network, &what, setup->threads, setup->comm, rank);
  if (rank > 0) return fields;
  double wave = result_whole_bytes(&setup->network, &what);
  double levels = (double)WAVES * spectrum_columns(signal_points(&clip->signal), COLUMNS) *
                  SPECTRUM_BINS * sizeof(float);
  double drawing = fmax(picture_waves_bytes(WAVES), levels + picture_spectra_bytes(WAVES));
  return fmax(fields, WAVES * wave + fmax(drawing, result_writing_bytes(wave)));
}

double audio_report_flops(const Setup *setup, const Clip *clip) {
  ResultFields what = all_samples(clip);
  return (double)grid_points(&what.grid) * evaluator_flops(&setup->network, what.wanted);
}

Status audio_report(const Setup *setup, const real *theta, const Clip *clip, Result *result) {
  ResultFields what = all_samples(clip);
  WholeFields whole;
  TRY(result_fields(result, &setup->network, theta, &what, &whole));
  Report report = {.fit = whole.field[FIELD_VALUE]};
  Status status = make_report(setup, clip, &what, &report, result);
  free(report.target);
  free(report.error);
  whole_destroy(&whole);
  return status;
}

/* ---- siren eval ---- */

/* The grid in the clip's samples: the first one, and how far they are apart. */
typedef struct {
  double first, step;
} Times;

static Times choose_times(const Clip *clip, const Grid *grid) {
  const Signal *signal = &clip->signal;
  double scale = (double)(signal->size[0] - 1) / (signal->upper[0] - signal->lower[0]);
  double range = grid->upper[0] - grid->lower[0];
  return (Times){(grid->lower[0] - signal->lower[0]) * scale,
                 grid->size[0] > 1 ? range * scale / (double)(grid->size[0] - 1) : 0};
}

/* Local, on rank 0. */
static Status show_eval(const Result *result, const Clip *clip, const Times *times, int64_t n,
                        const WholeFields *whole) {
  static const char *const names[FIELD_COUNT] = {"value", "gradient", "Laplacian"};
  SoundTrack tracks[FIELD_COUNT];
  SoundWaves picture = {.title = "Φ and its derivatives over time",
                        .x_label = time_label(clip),
                        .n = n,
                        .start = clip_time(clip, times->first),
                        .step = clip_time(clip, times->step) - clip_time(clip, 0),
                        .tracks = tracks};
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (!whole->field[kind]) continue;
    tracks[picture.n_tracks++] = (SoundTrack){names[kind], whole->field[kind], false};
  }
  char *path = result_path(result, "eval_waveform.png");
  Status status = picture_waves(path, &picture);
  free(path);
  if (status != STATUS_OK || !whole->field[FIELD_VALUE]) return status;
  return write_sound(result, "eval.wav", clip->rate / times->step, whole->field[FIELD_VALUE], n);
}

Status audio_eval(const Setup *setup, const real *theta, const Clip *clip, Result *result) {
  int64_t size = config_int(setup->config, "eval.size"), n = size ? size : clip->signal.size[0];
  ResultFields what = {.grid = {.axes = 1, .size = {n}}, .axes = "time"};
  TRY(result_options(setup->config, &what));
  what.grid.lower[0] *= clip->signal.upper[0];
  what.grid.upper[0] *= clip->signal.upper[0];
  Times times = choose_times(clip, &what.grid);
  if (!(times.step > 0) || n > max_picture_points) what.keep = false;
  WholeFields whole;
  TRY(result_fields(result, &setup->network, theta, &what, &whole));
  Status status = STATUS_OK;
  if (what.keep && comm_rank(setup->comm) == 0) {
    status = show_eval(result, clip, &times, n, &whole);
  }
  whole_destroy(&whole);
  return comm_agree(setup->comm, status);
}
