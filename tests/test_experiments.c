/* Parts of experiments/ that one process can test: differences of images, the log, digests,
 * threads, requests to stop, and every experiment's file. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "experiments/journal.h"
#include "experiments/stencil.h"
#include "experiments/stop.h"
#include "experiments/suite.h"
#include "experiments/version.h"
#include "hyper/encoder.h"
#include "hyper/generator.h"
#include "io/file.h"

/* ---- Differences ---- */

enum { HEIGHT = 9, WIDTH = 6, CHANNELS = 2 };

static double coordinate(int i, int n) {
  return 2.0 * i / (n - 1) - 1;
}

/* Exact for polynomials of second degree, away from the borders; channels do not mix. */
static void test_stencils_of_a_parabola(void **state) {
  (void)state;
  float field[HEIGHT * WIDTH * CHANNELS], gradient[2 * HEIGHT * WIDTH * CHANNELS];
  float laplacian[HEIGHT * WIDTH * CHANNELS];
  for (int i = 0; i < HEIGHT * WIDTH; i++) {
    double r = coordinate(i / WIDTH, HEIGHT), c = coordinate(i % WIDTH, WIDTH);
    field[i * CHANNELS] = (float)(1 + 2 * r - 3 * c + 0.5 * r * r + 2 * c * c);
    field[i * CHANNELS + 1] = (float)(r * c);
  }
  stencil_gradient(field, HEIGHT, WIDTH, CHANNELS, gradient);
  stencil_laplacian(field, HEIGHT, WIDTH, CHANNELS, laplacian);
  for (int row = 1; row < HEIGHT - 1; row++) {
    for (int column = 1; column < WIDTH - 1; column++) {
      int i = row * WIDTH + column;
      double r = coordinate(row, HEIGHT), c = coordinate(column, WIDTH);
      assert_float_equal(gradient[4 * i], 2 + r, 1e-5);
      assert_float_equal(gradient[4 * i + 1], c, 1e-5);
      assert_float_equal(gradient[4 * i + 2], -3 + 4 * c, 1e-5);
      assert_float_equal(gradient[4 * i + 3], r, 1e-5);
      assert_float_equal(laplacian[2 * i], 1 + 4, 1e-4);
      assert_float_equal(laplacian[2 * i + 1], 0, 1e-4);
    }
  }
}

/* Worked by hand, with rows and columns -1 and 3 repeating 0 and 2; in 3 x 3 a pixel is 1 in
 * network coordinates. */
static void test_stencils_at_borders(void **state) {
  (void)state;
  const float field[9] = {0, 1, 3, 2, 5, 4, 7, 6, 8};
  float gradient[18], laplacian[9];
  const double corner_rows = (3 * (2 - 0) + 1 * (5 - 1)) / 8.0;
  const double corner_columns = (3 * (1 - 0) + 1 * (5 - 2)) / 8.0;
  stencil_gradient(field, 3, 3, 1, gradient);
  stencil_laplacian(field, 3, 3, 1, laplacian);
  assert_float_equal(gradient[0], corner_rows, 1e-6);
  assert_float_equal(gradient[1], corner_columns, 1e-6);
  assert_float_equal(gradient[8], ((7 - 0) + 2 * (6 - 1) + (8 - 3)) / 8.0, 1e-6);
  assert_float_equal(laplacian[0], (2 - 0) + (1 - 0), 1e-6);
  assert_float_equal(laplacian[4], 1 + 6 + 2 + 4 - 4 * 5, 1e-6);
}

static void test_stencils_of_one_pixel(void **state) {
  (void)state;
  const float field[1] = {0.5f};
  float gradient[2], laplacian[1];
  stencil_gradient(field, 1, 1, 1, gradient);
  stencil_laplacian(field, 1, 1, 1, laplacian);
  assert_float_equal(gradient[0], 0, 0);
  assert_float_equal(gradient[1], 0, 0);
  assert_float_equal(laplacian[0], 0, 0);
}

/* ---- The log ---- */

static int count_lines(const char *text) {
  int lines = 0;
  for (; *text; text++) lines += *text == '\n';
  return lines;
}

static void write_lines(const char *directory, int64_t from, int64_t to) {
  const Objective objective = {.n_terms = 2, .terms = {{"fit", 1}, {"monitor", 0}}};
  const Headline none = {0};
  Journal *journal = NULL;
  assert_int_equal(journal_open(directory, from, &journal), STATUS_OK);
  for (int64_t step = from; step < to; step++) {
    const double terms[2] = {0.25, 3};
    JournalEntry entry = {step, 1.5, 1e-4, 0.25, terms};
    assert_int_equal(journal_write(journal, &entry, &objective, &none), STATUS_OK);
  }
  journal_close(journal);
}

/* Lines that the checkpoint does not know, and the half line of a killed run, are dropped. */
static void test_log_goes_on_at_a_step(void **state) {
  (void)state;
  char directory[] = "/tmp/siren-log-XXXXXX";
  assert_non_null(mkdtemp(directory));
  char *path = file_join(directory, "log.jsonl");
  write_lines(directory, 0, 8);
  FILE *file = fopen(path, "a");
  fputs("{\"step\":3,\"tot", file);
  fclose(file);
  write_lines(directory, 5, 7);
  unsigned char *text;
  size_t length;
  assert_int_equal(file_read(path, &text, &length), STATUS_OK);
  assert_int_equal(count_lines((char *)text), 7);
  assert_non_null(strstr((char *)text, "{\"step\":6,\"seconds\":1.5,"));
  assert_non_null(strstr((char *)text, "\"total\":0.25,\"terms\":{\"fit\":0.25,\"monitor\":3.0}}"));
  assert_null(strstr((char *)text, "{\"step\":7"));
  free(text);
  write_lines(directory, 0, 0);
  assert_int_equal(file_read(path, &text, &length), STATUS_OK);
  assert_int_equal(length, 0);
  free(text);
  unlink(path);
  free(path);
  rmdir(directory);
}

/* ---- Small things ---- */

/* XXH3's published value for no bytes; another for one bit. */
static void test_digest(void **state) {
  (void)state;
  char empty[VERSION_DIGEST], zero[VERSION_DIGEST], negative[VERSION_DIGEST];
  const real values[2] = {REAL(0.0), REAL(-0.0)};
  version_digest(values, 0, empty);
  version_digest(values, 1, zero);
  version_digest(values + 1, 1, negative);
  assert_string_equal(empty, "xxh3-128 99aa06d3014798d86001c324468d497f");
  assert_string_not_equal(zero, negative);
}

static void test_deadline(void **state) {
  (void)state;
  double left;
  unsetenv("SIREN_DEADLINE");
  assert_int_equal(stop_deadline(&left), STATUS_OK);
  assert_true(isinf(left));
  setenv("SIREN_DEADLINE", "1000000000", 1); /* 2001 */
  assert_int_equal(stop_deadline(&left), STATUS_OK);
  assert_true(left < 0);
  setenv("SIREN_DEADLINE", "tomorrow", 1);
  assert_int_equal(stop_deadline(&left), STATUS_USAGE);
  unsetenv("SIREN_DEADLINE");
}

/* Every row: a name as file and keys use it, and a file that resolves at all scales and variants.
 */
static void test_every_experiment_file(void **state) {
  (void)state;
  static const char *const scales[] = {"scale=paper", "scale=desk", "scale=smoke"};
  int count;
  const Experiment *table = suite_table(&count);
  assert_true(count > 0);
  for (int i = 0; i < count; i++) {
    assert_ptr_equal(suite_find(table[i].name), &table[i]);
    const char *const *metrics = table[i].functions->metrics;
    assert_non_null(metrics[0]);
    assert_true(suite_has_metric(&table[i], metrics[0]));
    assert_true(suite_has_metric(&table[i], "loss_final"));
    assert_false(suite_has_metric(&table[i], "psn"));
    for (int s = 0; s < 3; s++) {
      Config *config = NULL;
      Status status =
          config_parse(table[i].name, table[i].yaml, strlen(table[i].yaml), 1, &scales[s], &config);
      assert_string_equal(status == STATUS_OK ? "" : status_message(), "");
      assert_string_equal(config_text(config, "experiment"), table[i].name);
      assert_string_equal(config_text(config, "scale"), scales[s] + strlen("scale="));
      config_destroy(config);
    }
  }
  assert_null(suite_find("images"));
  assert_string_equal(suite_suggest("imag"), "image");
  assert_string_equal(suite_suggest_metric(suite_find("image"), "psn"), "psnr");
  assert_string_equal(suite_suggest_metric(suite_find("sdf"), "loss_finl"), "loss_final");
  assert_null(suite_suggest_metric(suite_find("image"), "chamfer"));
}

/* Options count points along one axis; what they make of several axes may be too much. */
static void test_grids_too_large(void **state) {
  (void)state;
  const char *experiment = "experiment=sdf";
  Config *config = NULL;
  assert_int_equal(config_parse("a test", "{}", 2, 1, &experiment, &config), STATUS_OK);
  ResultFields what = {.grid = {.axes = 3, .size = {1 << 16, 1 << 16, 1 << 16}}};
  assert_int_equal(result_options(config, &what), STATUS_OK);
  what.grid.size[2] *= 2;
  assert_int_equal(result_options(config, &what), STATUS_USAGE);
  assert_non_null(strstr(status_message(), "eval.size"));
  config_destroy(config);
}

/* The option takes the names of the table, and no other. */
static void check_words(const char *option, const char *const *names, int n) {
  Config *config;
  char setting[64];
  for (int i = 0; i <= n; i++) {
    const char *settings[] = {"experiment=celeba", setting};
    snprintf(setting, sizeof setting, "%s=%s", option, i < n ? names[i] : "none_of_them");
    Status status = config_parse("a test", "{}", 2, 2, settings, &config);
    assert_int_equal(status, i < n ? STATUS_OK : STATUS_USAGE);
    if (status == STATUS_OK) config_destroy(config);
  }
  /* The refusal lists its words: as many as the table has rows. */
  const char *word = strstr(status_message(), "not one of ");
  int words = 0;
  for (; word; word = strchr(word + 1, ',')) words++;
  assert_int_equal(words, n);
}

static void test_options_of_tables(void **state) {
  (void)state;
  int n;
  const char *names[32];
  const EncoderKind *const *encoders = encoder_table(&n);
  for (int i = 0; i < n; i++) names[i] = encoders[i]->name;
  check_words("celeba.encoder", names, n);
  const GeneratorKind *const *generators = generator_table(&n);
  for (int i = 0; i < n; i++) names[i] = generators[i]->name;
  check_words("celeba.generator", names, n);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_stencils_of_a_parabola),
      cmocka_unit_test(test_stencils_at_borders),
      cmocka_unit_test(test_stencils_of_one_pixel),
      cmocka_unit_test(test_log_goes_on_at_a_step),
      cmocka_unit_test(test_digest),
      cmocka_unit_test(test_deadline),
      cmocka_unit_test(test_every_experiment_file),
      cmocka_unit_test(test_grids_too_large),
      cmocka_unit_test(test_options_of_tables),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
