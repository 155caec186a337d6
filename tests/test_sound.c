/* Sounds: spectra of tones whose level and place are known, figures of merit, envelopes, and
 * pictures in which waves and ridges are found where they belong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/audio_report.h"
#include "experiments/spectrum.h"
#include "io/image.h"
#include "io/picture_sound.h"

/* fontconfig keeps its caches to the end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libfontconfig";
}

static char path[60];

static int make_path(void **state) {
  (void)state;
  strcpy(path, "/tmp/test_sound_XXXXXX");
  if (!mkdtemp(path)) return -1;
  strcat(path, "/p.png");
  return 0;
}

static int remove_path(void **state) {
  (void)state;
  unlink(path);
  *strrchr(path, '/') = 0;
  return rmdir(path);
}

enum { SAMPLES = 40000 };
static float sound[SAMPLES];

/* A sine of so many cycles per window. */
static void make_tone(double bin, double amplitude) {
  for (int i = 0; i < SAMPLES; i++) {
    sound[i] = (float)(amplitude * sin(2 * M_PI * bin * i / SPECTRUM_WINDOW + 0.3));
  }
}

static Spectrum make_spectrum(int64_t n, int most) {
  Spectrum spectrum = {0};
  assert_int_equal(spectrum_create(sound, n, most, &spectrum), STATUS_OK);
  return spectrum;
}

static const float *column_of(const Spectrum *spectrum, int column) {
  return spectrum->level + (ptrdiff_t)column * SPECTRUM_BINS;
}

/* ---- Spectra ---- */

static void tone_is_in_its_bin(void **state) {
  (void)state;
  make_tone(100, 0.5);
  Spectrum spectrum = make_spectrum(SAMPLES, 1 << 20);
  assert_int_equal(spectrum.columns, (SAMPLES - 1) / SPECTRUM_HOP + 1);
  for (int column = 2; column < spectrum.columns - 3; column++) { /* windows inside the sound */
    const float *level = column_of(&spectrum, column);
    assert_float_equal(level[100], 20 * log10(0.5), 1e-3);
    assert_float_equal(level[99], 20 * log10(0.25), 1e-3); /* Hann's window: half beside it */
    assert_float_equal(level[101], 20 * log10(0.25), 1e-3);
    assert_true(level[98] < -100 && level[102] < -100 && level[300] < -100);
  }
  assert_float_equal(spectrum_peak(&spectrum), 20 * log10(0.5), 1e-3);
  spectrum_destroy(&spectrum);
}

/* Columns of several windows show their mean power: a tone that sounds in half of them loses 3 dB.
 */
static void columns_are_means(void **state) {
  (void)state;
  make_tone(64, 1);
  for (int i = SAMPLES / 2; i < SAMPLES; i++) sound[i] = 0;
  Spectrum one = make_spectrum(SAMPLES, 1), two = make_spectrum(SAMPLES, 2);
  assert_int_equal(one.columns, 1);
  assert_float_equal(one.level[64], -3, 0.15);
  assert_float_equal(column_of(&two, 0)[64], 0, 0.15);
  assert_true(column_of(&two, 1)[64] < -15);
  spectrum_destroy(&one);
  spectrum_destroy(&two);
}

static void short_and_silent_sounds(void **state) {
  (void)state;
  memset(sound, 0, sizeof sound);
  Spectrum spectrum = make_spectrum(1, 100);
  assert_int_equal(spectrum.columns, 1);
  for (int bin = 0; bin < SPECTRUM_BINS; bin++) assert_float_equal(spectrum.level[bin], -200, 0);
  spectrum_destroy(&spectrum);
  sound[0] = 1; /* an impulse: all frequencies alike */
  sound[1] = NAN;
  sound[2] = INFINITY;
  spectrum = make_spectrum(3, 100);
  for (int bin = 0; bin < SPECTRUM_BINS; bin++) {
    assert_float_equal(spectrum.level[bin], 20 * log10(2. / (SPECTRUM_WINDOW / 2.)), 1e-3);
  }
  spectrum_destroy(&spectrum);
}

/* ---- Figures ---- */

static void figures(void **state) {
  (void)state;
  const float target[4] = {1, -1, 0.5f, 0}, fit[4] = {0.5f, -1, 0.5f, 0.25f};
  AudioMetrics m = audio_measure(fit, target, 4);
  assert_float_equal(m.mse, (0.25 + 0.0625) / 4, 1e-12);
  assert_float_equal(m.mse_silence, 2.25 / 4, 1e-12);
  assert_float_equal(m.mse_share, 0.3125 / 2.25, 1e-12);
  assert_float_equal(m.snr, 10 * log10(2.25 / 0.3125), 1e-12);
  assert_float_equal(m.error_max, 0.5, 0);
  const float silence[4] = {0};
  m = audio_measure(silence, target, 4);
  assert_float_equal(m.mse_share, 1, 0);
  assert_float_equal(m.snr, 0, 0);
  m = audio_measure(target, target, 4);
  assert_true(m.mse == 0 && isinf(m.snr));
  const float broken[4] = {NAN, 0, 0, 0};
  m = audio_measure(broken, target, 4);
  assert_true(isnan(m.mse) && isnan(m.snr));
}

/* ---- Envelopes ---- */

static void envelopes(void **state) {
  (void)state;
  float samples[10], low[5], high[5];
  for (int i = 0; i < 10; i++) samples[i] = (float)i;
  picture_envelope(samples, 10, 5, low, high);
  for (int k = 0; k < 5; k++) {
    assert_float_equal(low[k], k ? 2 * k - 1 : 0, 0); /* the last sample of the column before */
    assert_float_equal(high[k], 2 * k + 1, 0);
  }
  samples[3] = samples[4] = samples[5] = NAN;
  samples[9] = INFINITY;
  picture_envelope(samples, 10, 5, low, high);
  assert_float_equal(low[1], 1, 0);
  assert_float_equal(high[1], 2, 0);
  assert_true(low[2] > high[2]);
  assert_float_equal(high[4], 8, 0);
}

/* ---- Pictures ---- */

static Image read_picture(void) {
  Image image;
  if (image_read(path, &image) != STATUS_OK) fail_msg("%s", status_message());
  return image;
}

static bool is_colour(const Image *image, int y, int x, int r, int g, int b) {
  const float *rgb = image->pixels + 3 * ((ptrdiff_t)y * image->width + x);
  return fabsf(rgb[0] * 255 - (float)r) < 2 && fabsf(rgb[1] * 255 - (float)g) < 2 &&
         fabsf(rgb[2] * 255 - (float)b) < 2;
}

static bool is_wave(const Image *image, int y, int x) {
  return is_colour(image, y, x, 0, 114, 178);
}

/* Pixels of a column between two rows that belong to a wave. */
static int wave_height(const Image *image, int x, int first, int end) {
  int count = 0;
  for (int y = first; y < end; y++) count += is_wave(image, y, x);
  return count;
}

static Image draw_waves(int64_t n, int64_t zoom_first, int64_t zoom_count) {
  const SoundTrack tracks[] = {{"first", sound, false}, {"second", sound, true}};
  SoundWaves waves = {.title = "a sound",
                      .x_label = "time (s)",
                      .n = n,
                      .step = 1e-4,
                      .zoom_first = zoom_first,
                      .zoom_count = zoom_count,
                      .n_tracks = 2,
                      .tracks = tracks};
  assert_int_equal(picture_waves(path, &waves), STATUS_OK);
  return read_picture();
}

/* Columns of the upper track with a tall wave: share of them in the left and right half. */
static void count_tall(const Image *image, int tall[2]) {
  tall[0] = tall[1] = 0;
  for (int x = 0; x < image->width; x++) {
    tall[x >= image->width / 2] += wave_height(image, x, 0, image->height / 2) > 150;
  }
}

/* Loud in its second half only, and the zoom shows a loud part. */
static void waves_are_seen(void **state) {
  (void)state;
  for (int i = 0; i < SAMPLES; i++) sound[i] = i < SAMPLES / 2 ? 0 : i % 2 ? 1 : -1;
  int tall[2];
  Image image = draw_waves(SAMPLES, 0, 0);
  count_tall(&image, tall);
  assert_true(tall[1] > 0.8 * image.width / 2);
  assert_true(tall[0] < 0.15 * image.width / 2); /* the panel's middle is right of the picture's */
  for (int y = 0; y < image.height; y++) {       /* nothing is drawn over the margin */
    for (int x = 0; x < 20; x++) {
      assert_true(is_colour(&image, y, x, 255, 255, 255));
      assert_true(is_colour(&image, y, image.width - 1 - x, 255, 255, 255));
    }
  }
  image_destroy(&image);
  image = draw_waves(SAMPLES, SAMPLES / 2 - 4000, 4000); /* a silent part, but for its line */
  count_tall(&image, tall);
  assert_true(tall[1] < 0.4 * image.width / 2);
  image_destroy(&image);
}

/* The same sound in both tracks: the same pixels, track below track. */
static void tracks_are_alike(void **state) {
  (void)state;
  make_tone(3, 0.7);
  Image image = draw_waves(5000, 1000, 300);
  int first[2] = {0, 0}, count[2] = {0, 0};
  for (int y = 0; y < image.height; y++) {
    int pixels = 0;
    for (int x = 0; x < image.width; x++) pixels += is_wave(&image, y, x);
    if (!pixels) continue;
    int track = first[0] && y > first[0] + 270;
    if (!first[track]) first[track] = y;
    count[track] += pixels;
  }
  assert_true(count[0] > 2000);
  assert_int_equal(count[0], count[1]);
  image_destroy(&image);
}

static void odd_waves(void **state) {
  (void)state;
  for (int i = 0; i < SAMPLES; i++) sound[i] = NAN;
  Image image = draw_waves(SAMPLES, 10, 100);
  image_destroy(&image);
  sound[7] = 1e30f;
  image = draw_waves(SAMPLES, 0, 100);
  image_destroy(&image);
  sound[8] = INFINITY;
  image = draw_waves(9, 0, 9);
  image_destroy(&image);
  image = draw_waves(1, 0, 0);
  image_destroy(&image);
}

static Image draw_spectrum(const Spectrum *spectrum) {
  const SoundSpectrum rows[] = {{"tone", spectrum->level}};
  SoundSpectra spectra = {.title = "a tone",
                          .x_label = "time (s)",
                          .y_label = "frequency (Hz)",
                          .columns = spectrum->columns,
                          .bins = SPECTRUM_BINS,
                          .end = 1,
                          .top = 22050,
                          .low = -80,
                          .high = 0,
                          .n_spectra = 1,
                          .spectra = rows};
  assert_int_equal(picture_spectra(path, &spectra), STATUS_OK);
  return read_picture();
}

/* Rows of column x in the map's first and last colours. */
typedef struct {
  int first_dark, last_dark, ridge, n_ridge;
} Rows;

static Rows find_rows(const Image *image, int x) {
  Rows rows = {-1, -1, 0, 0};
  for (int y = 0; y < image->height; y++) {
    if (is_colour(image, y, x, 0, 0, 4)) {
      if (rows.first_dark < 0) rows.first_dark = y;
      rows.last_dark = y;
    }
    if (is_colour(image, y, x, 252, 253, 191)) {
      rows.ridge = y;
      rows.n_ridge++;
    }
  }
  return rows;
}

static void ridge_is_at_its_frequency(void **state) {
  (void)state;
  for (int quarter = 1; quarter <= 3; quarter++) {
    make_tone(128 * quarter, 1);
    Spectrum spectrum = make_spectrum(SAMPLES, 50);
    Image image = draw_spectrum(&spectrum);
    Rows rows = find_rows(&image, image.width / 2);
    double height = rows.last_dark - rows.first_dark;
    assert_true(height > 300);
    assert_true(rows.n_ridge >= 1 && rows.n_ridge <= 2);
    assert_float_equal((rows.last_dark - rows.ridge) / height, quarter / 4., 0.012);
    image_destroy(&image);
    spectrum_destroy(&spectrum);
  }
}

/* Left dark, right with a ridge. */
static void time_runs_to_the_right(void **state) {
  (void)state;
  make_tone(200, 1);
  for (int i = 0; i < SAMPLES / 2; i++) sound[i] = 0;
  Spectrum spectrum = make_spectrum(SAMPLES, 1 << 20);
  Image image = draw_spectrum(&spectrum);
  assert_int_equal(find_rows(&image, image.width / 4).n_ridge, 0);
  assert_true(find_rows(&image, 2 * image.width / 3).n_ridge > 0);
  image_destroy(&image);
  spectrum_destroy(&spectrum);
}

static void picture_that_fails(void **state) {
  (void)state;
  const SoundTrack track = {"", sound, false};
  SoundWaves waves = {.n = 2, .step = 1, .n_tracks = 1, .tracks = &track};
  assert_int_equal(picture_waves("/nowhere/at/all.png", &waves), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "/nowhere/at/all.png"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tone_is_in_its_bin),
      cmocka_unit_test(columns_are_means),
      cmocka_unit_test(short_and_silent_sounds),
      cmocka_unit_test(figures),
      cmocka_unit_test(envelopes),
      cmocka_unit_test(waves_are_seen),
      cmocka_unit_test(tracks_are_alike),
      cmocka_unit_test(odd_waves),
      cmocka_unit_test(ridge_is_at_its_frequency),
      cmocka_unit_test(time_runs_to_the_right),
      cmocka_unit_test(picture_that_fails),
  };
  return cmocka_run_group_tests(tests, make_path, remove_path);
}
