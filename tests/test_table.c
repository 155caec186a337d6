/* Tables of sweeps: from run files that are made here, without any run, to verdicts. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "experiments/state.h"
#include "experiments/sweep/table.h"
#include "io/file.h"
#include "io/image.h"
#include "io/layout.h"

/* fontconfig keeps its caches to the end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libfontconfig";
}

static char directory[] = "/tmp/siren-table-XXXXXX";

static void assert_ok(Status status) {
  if (status != STATUS_OK) fail_msg("%s", status_message());
}

static void assert_has(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("\"%s\" not in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part) {
  if (strstr(text, part)) fail_msg("\"%s\" in:\n%s", part, text);
}

/* ---- Sweeps and runs ---- */

static Sweep *load(const char *text) {
  char *path = file_join(directory, "sweep.yaml");
  char *output;
  Sweep *sweep;
  assert_ok(file_replace(path, text, strlen(text)));
  output = file_join(directory, "runs");
  char override[200];
  snprintf(override, sizeof override, "output=%s", output);
  const char *overrides[] = {override, "train.lr=0.5"};
  assert_ok(sweep_load(NULL, path, 2, overrides, &sweep));
  free(output);
  free(path);
  return sweep;
}

/* What a run found. */
typedef struct {
  double psnr, mse;
  int rows; /* of the history; -1: there is none */
} Found;

static void write_history(const Hdf5File *file, const Found *found) {
  const char *names[] = {"total", "value", "mse_clipped"};
  History history = {.n_columns = 3, .names = names};
  for (int i = 0; i < found->rows; i++) {
    double values[] = {found->mse * (found->rows - i), found->mse, found->mse};
    assert_ok(history_append(&history, 10 * i, values));
  }
  assert_ok(layout_write_history(file, &history));
  history_destroy(&history);
}

static void write_run(const Sweep *sweep, int run, const Found *found) {
  char *at = sweep_run_directory(sweep, run), *path = file_join(at, "run.h5");
  Hdf5File file;
  Config *config;
  unsigned char *data;
  size_t length;
  assert_ok(sweep_config(sweep, run, &config));
  assert_ok(file_make_directory(at));
  assert_ok(hdf5_create_image(path, 0, &file));
  assert_ok(layout_write_config(&file, config));
  assert_ok(hdf5_group(&file, "/metrics"));
  assert_ok(hdf5_set_numbers(&file, "/metrics", "psnr", 0, &found->psnr));
  assert_ok(hdf5_set_text(&file, "/metrics", "psnr_units", "dB"));
  assert_ok(hdf5_set_numbers(&file, "/metrics", "mse", 0, &found->mse));
  assert_ok(hdf5_set_text(&file, "/metrics", "mse_units", "1"));
  assert_ok(hdf5_group(&file, "/provenance"));
  const char *facts[][2] = {
      {"commit", "abc123"}, {"train_seconds", "30"}, {"ranks", "2"}, {"threads", "3"}};
  for (int i = 0; i < 4; i++) {
    assert_ok(hdf5_set_text(&file, "/provenance", facts[i][0], facts[i][1]));
  }
  if (found->rows >= 0) write_history(&file, found);
  assert_ok(hdf5_set_integer(&file, "/", "complete", 1));
  assert_ok(hdf5_take_image(&file, &data, &length));
  hdf5_close(&file);
  assert_ok(file_replace(path, data, length));
  free(data);
  config_destroy(config);
  free(path);
  free(at);
}

static void write_state(const Sweep *sweep, int run, StateKind kind, const char *message) {
  char *at = sweep_run_directory(sweep, run);
  RunState state = {.kind = kind, .ranks = 1, .threads = 1, .core = 120};
  snprintf(state.message, sizeof state.message, "%s", message);
  assert_ok(file_make_directory(at));
  assert_ok(state_write(at, &state));
  free(at);
}

/* Makes the table; *csv is what table.csv holds. Both are to be freed. */
static char *make(const Sweep *sweep, char **csv) {
  char *into = file_join(directory, "tables"), *path = file_join(into, "table.csv"), *text = NULL;
  char *stored_path = file_join(into, "table.md");
  unsigned char *data, *stored;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  assert_ok(table_make(sweep, into, out));
  fclose(out);
  assert_ok(file_read(path, &data, &length));
  assert_ok(file_read(stored_path, &stored, &length));
  assert_string_equal((char *)stored, text); /* the same in the file and on the terminal */
  free(stored);
  free(stored_path);
  free(path);
  free(into);
  *csv = (char *)data;
  return text;
}

static bool is_there(const char *name) {
  char path[300];
  snprintf(path, sizeof path, "%s/tables/%s", directory, name);
  return file_exists(path);
}

static int remove_all(void **state) {
  (void)state;
  char command[100];
  snprintf(command, sizeof command, "rm -rf %s/runs %s/tables", directory, directory);
  return system(command);
}

/* ---- Tables ---- */

static const char BASE[] =
    "title: Two networks\n"
    "base: image\n"
    "set: {scale: smoke, train: {steps: 40}}\n"
    "axes: [{variant: [\"\", relu]}]\n"
    "seeds: 3\n";

static Sweep *load_table(const char *block) {
  char text[4096];
  snprintf(text, sizeof text, "%s%s", BASE, block);
  return load(text);
}

static const char BLOCK[] =
    "table:\n"
    "  text: All | of it.\n"
    "  metrics: [{name: psnr, title: PSNR, decimals: 2}, {name: mse, digits: 3}]\n"
    "  titles: {variant: network}\n"
    "  names: {variant: {\"\": SIREN, relu: \"Re|LU\"}}\n"
    "  reference:\n"
    "    - {when: {variant: relu}, metric: psnr, value: 18.60, tolerance: 0.5, source: 'Fig. 1, "
    "a'}\n"
    "    - {metric: psnr, minus: {variant: relu}, value: 12.4, bound: least, source: Fig. 1}\n"
    "    - {when: {variant: ''}, metric: mse, value: 1e-3, factor: 2, source: Table 3}\n"
    "    - {when: {variant: ''}, metric: mse, over: {variant: relu}, value: 0.3, bound: most,\n"
    "       source: Table 3}\n";

static const Found FOUND[] = {{30, 1e-3, 0}, {31, 2e-3, 0}, {32, 3e-3, 0},
                              {18, 1e-2, 0}, {19, 1e-2, 0}, {20, 1e-2, 0}};

static Sweep *load_runs(const char *block) {
  Sweep *sweep = load_table(block);
  assert_int_equal(sweep->n_runs, 6);
  for (int i = 0; i < 6; i++) write_run(sweep, i, &FOUND[i]);
  return sweep;
}

static void whole_table(void **state) {
  (void)state;
  char *csv;
  Sweep *sweep = load_runs(BLOCK);
  char *text = make(sweep, &csv);
  /* mean and sample deviation of 30, 31, 32 and 18, 19, 20; 3 minutes of 6 cores */
  assert_has(text,
             "<!-- Written by `siren table sweep.yaml train.lr=0.5 into=tables`: scale smoke; "
             "seeds 0, 1, 2; 6 of 6 runs complete, 18.0 core-minutes; commit abc123.");
  assert_has(text, "\n# Two networks\n\nAll | of it.\n");
  assert_has(text, "`train.steps=40`, `train.lr=0.5`; seeds 0, 1, 2: mean");
  assert_has(text, "| network | PSNR, dB | mse | seeds | verdict | steps | core-minutes a run |");
  assert_has(text, "| SIREN | 31.00 ± 1.00 | 0.00200 ± 0.0010 | 3 | differs | 40 | 3.00 |");
  assert_has(text, "| Re\\|LU | 19.00 ± 1.00 | 0.0100 ± 0 | 3 | reproduced | 40 | 3.00 |");
  /* pairs: 12, 12, 12 and 0.1, 0.2, 0.3 */
  assert_has(text,
             "| SIREN | PSNR, dB: difference to Re\\|LU | 12.00 ± 0.00 | ≥ 12.4 | -0.40 | "
             "differs | Fig. 1 |");
  assert_has(text,
             "| Re\\|LU | PSNR, dB | 19.00 ± 1.00 | 18.60, within 0.5 | +0.40 | reproduced | "
             "Fig. 1, a |");
  assert_has(text,
             "| SIREN | mse | 0.00200 ± 0.0010 | 1e-3, within a factor of 2 | ×2 | reproduced | "
             "Table 3 |");
  assert_has(text,
             "| SIREN | mse: ratio to Re\\|LU | 0.200 ± 0.10 | ≤ 0.3 | -0.100 | reproduced | "
             "Table 3 |");
  assert_has_not(text, "Missing and invalid");
  assert_has_not(text, "| Re\\|LU | PSNR, dB: difference"); /* not with itself */
  assert_has(csv,
             "variant,metric,against,units,n,seeds,mean,deviation,paper,bound,tolerance,factor,"
             "difference,verdict,source,steps,core_minutes\n");
  assert_has(csv, "\n,psnr,,dB,3,3,31,1,,,,,,-,,40,3\n");
  assert_has(csv, "\n,psnr,minus variant=relu,dB,3,3,12,0,12.4,least,,,-0.4,differs,Fig. 1,40,3\n");
  assert_has(csv, "\nrelu,psnr,,dB,3,3,19,1,18.6,about,0.5,,0.4,reproduced,\"Fig. 1, a\",40,3\n");
  assert_has(csv, "\n,mse,,,3,3,0.002,0.001,0.001,about,,2,0.001,reproduced,Table 3,40,3\n");
  free(text);
  free(csv);
  sweep_destroy(sweep);
}

/* One run is not begun, one stopped, one failed; one has a metric that is not a number. */
static void missing_and_invalid(void **state) {
  (void)state;
  char *csv;
  Sweep *sweep = load_table(BLOCK);
  char *text = make(sweep, &csv);
  assert_has(text, "| SIREN | – | – | 0 of 3 | missing | 40 | – |");
  assert_has(text, "| Re\\|LU | PSNR | – | 18.60, within 0.5 | – | missing | Fig. 1, a |");
  assert_has(text, "\n- SIREN: none of its 3 runs was begun\n");
  assert_has(csv, "\n,psnr,,,0,3,,,,,,,,missing,,40,\n");
  free(text);
  free(csv);

  write_run(sweep, 1, &FOUND[1]);
  write_state(sweep, 2, STATE_STOPPED, "at a checkpoint");
  for (int i = 3; i < 5; i++) write_run(sweep, i, &FOUND[i]);
  write_state(sweep, 5, STATE_FAILED, "diverged at step 7: the loss is NaN");
  text = make(sweep, &csv);
  assert_has(text, "; 3 of 6 runs complete, 13.0 core-minutes; ");
  assert_has(text,
             "| SIREN | 31.00 | 0.00200 | 1 of 3 | missing | 40 | 2.50 |"); /* 3 and 2 minutes */
  assert_has(text, "| Re\\|LU | 18.50 ± 0.71 | 0.0100 ± 0 | 2 of 3 | invalid | 40 | 2.67 |");
  assert_has(text, "- SIREN (`variant=\"\" seed=0`): not begun\n");
  assert_has(text, "- SIREN (`variant=\"\" seed=2`): stopped\n");
  assert_has(text, "- Re|LU (`variant=relu seed=2`): diverged at step 7: the loss is NaN\n");
  /* The one pair that is whole: 31 - 19. */
  assert_has(csv,
             "\n,psnr,minus variant=relu,dB,1,3,12,,12.4,least,,,-0.4,invalid,Fig. 1,40,2.5\n");
  free(text);
  free(csv);

  write_run(sweep, 0, &(Found){(double)NAN, 2e-3, 0});
  write_run(sweep, 2, &(Found){INFINITY, 2e-3, 0});
  text = make(sweep, &csv);
  assert_has(text, "| SIREN | ∞ | 0.00200 ± 0 | 3 | invalid |");
  assert_has(text, "- SIREN (`variant=\"\" seed=0`): has no psnr, or it is not a number\n");
  free(text);
  free(csv);
  sweep_destroy(sweep);
}

/* A run file that is damaged, and one of another configuration: rows that say so. */
static void runs_that_do_not_belong(void **state) {
  (void)state;
  char *csv;
  Sweep *sweep = load_runs(BLOCK);
  char *to = sweep_run_directory(sweep, 0), *from = sweep_run_directory(sweep, 4);
  char *to_file = file_join(to, "run.h5"), *from_file = file_join(from, "run.h5");
  unsigned char *data;
  size_t length;
  assert_ok(file_read(from_file, &data, &length));
  assert_ok(file_replace(to_file, data, length));
  assert_ok(file_replace(from_file, data, length / 2));
  char *text = make(sweep, &csv);
  assert_has(text, "| SIREN | 31.50 ± 0.71 | 0.00250 ± 0.00071 | 2 of 3 | invalid |");
  assert_has(text, "network.activation");
  assert_has(text, "| Re\\|LU | 19.00 ± 1.41 | 0.0100 ± 0 | 2 of 3 | invalid |");
  free(data);
  free(to);
  free(from);
  free(to_file);
  free(from_file);
  free(text);
  free(csv);
  sweep_destroy(sweep);
}

/* No table in the file: all metrics of the experiment, of which these runs have two. */
static void without_a_block(void **state) {
  (void)state;
  char *csv;
  Sweep *sweep = load_runs("");
  char *text = make(sweep, &csv);
  assert_has(text, "| variant | psnr, dB | ssim | mse | psnr_gradient | psnr_laplacian | seeds |");
  assert_has(text, "| \"\" | 31.00 ± 1.0 | – | 0.002000 ± 0.0010 | – | – | 3 | invalid |");
  assert_has_not(text, "Beside");
  free(text);
  free(csv);
  sweep_destroy(sweep);
}

/* Of two axes that vary together, one says it all. */
static void a_column_less(void **state) {
  (void)state;
  char *csv;
  Sweep *sweep = load(
      "base: image\n"
      "set: {scale: smoke}\n"
      "axes: [{data.size: [16, 24], train.steps: [5, 6]}]\n"
      "table: {metrics: [psnr], names: {train.steps: {5: '', 6: \"\"}}}\n");
  for (int i = 0; i < 2; i++) write_run(sweep, i, &(Found){21 + i, 0.1, 0});
  char *text = make(sweep, &csv);
  assert_has(text, "| size | psnr, dB | seeds | verdict | steps |");
  assert_has(text, "| 24 | 22.00 | 1 | - | 6 | 3.00 |");
  assert_has(csv, "data.size,train.steps,metric,");
  assert_has(csv, "\n24,6,psnr,,dB,1,1,22,");
  free(text);
  free(csv);
  sweep_destroy(sweep);
}

/* One run, no axes. */
static void a_single_run(void **state) {
  (void)state;
  char *csv;
  Sweep *sweep = load("base: image\nset: {scale: smoke, seed: 7}\ntable: {metrics: [psnr]}\n");
  assert_int_equal(sweep->n_runs, 1);
  write_run(sweep, 0, &(Found){21.5, 0.1, 0});
  char *text = make(sweep, &csv);
  assert_has(text, "# sweep\n");
  assert_has(text, "one seed");
  assert_has(text, "| sweep | 21.50 | 1 | - | 20 | 3.00 |");
  assert_has(csv, "metric,against,");
  assert_has(csv, "\npsnr,,dB,1,1,21.5,,,,,,,-,,20,3\n");
  free(text);
  free(csv);
  sweep_destroy(sweep);
}

/* ---- Pictures ---- */

static void pictures(void **state) {
  (void)state;
  char *csv;
  Sweep *sweep = load(
      "base: image\n"
      "set: {scale: smoke}\n"
      "axes: [{network.omega_first: [10, 30]}, {network.omega_hidden: [10, 20, 30]},\n"
      "  {network.weight_init: [official, paper]}]\n"
      "seeds: 2\n"
      "skip: [{network.omega_first: 30, network.omega_hidden: 20}]\n"
      "table:\n"
      "  metrics: [psnr]\n"
      "  titles: {network.omega_first: first}\n"
      "  heat: {x: network.omega_first, y: network.omega_hidden, metric: psnr, title: Value}\n"
      "  curves: [{value: psnr}, {value: loss/total, log: true}]\n"
      "  pictures: [{file: figure.png, when: {network.omega_first: 10,\n"
      "                                       network.omega_hidden: [10, 20]}}]\n");
  assert_int_equal(sweep->n_runs, 20);
  for (int i = 0; i < 20; i++) {
    if (i != 5) write_run(sweep, i, &(Found){20 + i, 0.01 * (i + 1), i == 3 ? 2 : 4});
  }
  char *at = sweep_run_directory(sweep, 0), *picture = file_join(at, "figure.png");
  assert_ok(file_replace(picture, "a picture", 9));
  char *text = make(sweep, &csv);
  assert_has(text,
             "\n## Value\n\n| official | paper |\n| --- | --- |\n"
             "| ![Value](heat-psnr-official.png) | "
             "![Value](heat-psnr-paper.png) |\n");
  assert_has(text, "## Over the steps: psnr, dB\n");
  assert_has(text, "![loss/total](curves-loss-total.png)");
  assert_has(text, "(first-10-omega-hidden-10-official-figure.png)");
  assert_has(text, "first 10, omega_hidden 20, paper: no complete run has");
  assert_has_not(text, "first 30, omega_hidden 10, paper: no complete run has");
  assert_true(is_there("heat-psnr-paper.png"));
  assert_true(is_there("curves-psnr.png"));
  assert_true(is_there("first-10-omega-hidden-10-official-figure.png"));
  free(text);
  free(csv);
  free(picture);
  free(at);
  sweep_destroy(sweep);
}

static void curves_of_no_such_term(void **state) {
  (void)state;
  Sweep *sweep = load_runs("table: {metrics: [psnr], curves: {value: loss/valu}}\n");
  assert_ok(table_check(sweep)); /* what is logged is known when a run is there */
  char *into = file_join(directory, "tables"), *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  assert_int_equal(table_make(sweep, into, out), STATUS_FAILED);
  fclose(out);
  assert_has(status_message(), "run.h5: has no /loss/valu");
  free(text);
  free(into);
  sweep_destroy(sweep);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(whole_table, remove_all),
      cmocka_unit_test_teardown(missing_and_invalid, remove_all),
      cmocka_unit_test_teardown(runs_that_do_not_belong, remove_all),
      cmocka_unit_test_teardown(without_a_block, remove_all),
      cmocka_unit_test_teardown(a_column_less, remove_all),
      cmocka_unit_test_teardown(a_single_run, remove_all),
      cmocka_unit_test_teardown(pictures, remove_all),
      cmocka_unit_test_teardown(curves_of_no_such_term, remove_all),
  };
  if (!mkdtemp(directory)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  char command[100];
  snprintf(command, sizeof command, "rm -rf %s", directory);
  return system(command) || failures;
}
