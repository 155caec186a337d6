/* What is wrong with the `table` of a sweep's file is told before anything runs, with its place. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "experiments/sweep/table.h"
#include "io/file.h"

static char path[] = "/tmp/siren-table-XXXXXX/sweep.yaml";

static Sweep *load(const char *block) {
  char text[4096];
  Sweep *sweep = NULL;
  snprintf(text, sizeof text,
           "base: image\n"
           "set: {scale: smoke}\n"
           "axes: [{variant: [\"\", relu]}]\n"
           "seeds: 3\n"
           "%s\n",
           block);
  if (file_replace(path, text, strlen(text)) || sweep_load(NULL, path, 0, NULL, &sweep)) {
    fail_msg("%s", status_message());
  }
  return sweep;
}

static const struct {
  const char *block, *message;
} cases[] = {
    {"table: [psnr]", "sweep.yaml:5:8: table: expected keys"},
    {"table: {metric: [psnr]}", "unknown key `metric`; did you mean `metrics`?"},
    {"table: {metrics: psnr}", "metrics: expected a list"},
    {"table: {metrics: []}", "the list is empty"},
    {"table:\n  metrics: [psnr, psn]", "sweep.yaml:6:19: image has no metric `psn`; did you mean "},
    {"table: {metrics: [chamfer]}", "image has no metric `chamfer`"},
    {"table: {metrics: [{title: a}]}", "image has no metric ``"},
    {"table: {metrics: [psnr, psnr]}", "`psnr` is given twice"},
    {"table: {metrics: [{name: psnr, decimals: 1, digits: 2}]}", "not both"},
    {"table: {metrics: [{name: psnr, decimals: -1}]}", "decimals: -1 is not from 0 to 12"},
    {"table: {titles: {varian: a}}", "`varian` is no axis of this sweep; did you mean `variant`?"},
    {"table: {titles: {seed: a}}", "`seed`: a row holds all seeds"},
    {"table: {names: {variant: {tanh: a}}}", "`tanh` is no value of the axis `variant`"},
    {"table: {names: {variant: a}}", "variant: expected keys"},
    {"table: {reference: [{metric: psnr, value: 1, tolerance: 1}]}", "a reference needs `source`"},
    {"table: {reference: [{value: 1, tolerance: 1, source: a}]}", "a reference needs `metric`"},
    {"table: {metrics: [ssim], reference: [{metric: psnr, value: 1, bound: most, source: a}]}",
     "`psnr` is not among the table's metrics"},
    {"table: {reference: [{metric: psnr, value: x, tolerance: 1, source: a}]}",
     "value: `x` is not a finite number"},
    {"table: {reference: [{metric: psnr, value: 1, source: a}]}",
     "a reference needs a `tolerance`"},
    {"table: {reference: [{metric: psnr, value: 1, tolerance: 1, factor: 2, source: a}]}",
     "a reference needs a `tolerance`"},
    {"table: {reference: [{metric: psnr, value: 1, tolerance: -1, source: a}]}",
     "tolerance must be at least 0"},
    {"table: {reference: [{metric: psnr, value: 1, factor: 0.5, source: a}]}",
     "factor must be at least 1"},
    {"table: {reference: [{metric: psnr, value: 0, factor: 2, source: a}]}",
     "a factor needs a value above 0"},
    {"table: {reference: [{metric: psnr, value: 1, bound: above, source: a}]}",
     "bound: `above` is not about, least or most"},
    {"table: {reference: [{metric: psnr, value: 1, bound: least, tolerance: 1, source: a}]}",
     "a bound has no tolerance"},
    {"table: {reference: [{when: {variant: tanh}, metric: psnr, value: 1, bound: least, "
     "source: a}]}",
     "`tanh` is no value of the axis `variant`"},
    {"table: {reference: [{when: {variant: []}, metric: psnr, value: 1, bound: least, source: "
     "a}]}",
     "when: no run has these values"},
    {"table: {reference: [{when: {seed: 1}, metric: psnr, value: 1, bound: least, source: a}]}",
     "`seed`: a row holds all seeds"},
    {"table: {reference: [{metric: psnr, value: 1, bound: least, source: a, minus: {}}]}",
     "minus: names no values"},
    {"table: {reference: [{metric: psnr, value: 1, bound: least, source: a, "
     "over: {variant: [relu]}}]}",
     "variant: expected one value"},
    {"table: {reference: [{metric: psnr, value: 1, bound: least, source: a, "
     "minus: {variant: relu}, over: {variant: relu}}]}",
     "`minus` or `over`, not both"},
    {"table: {reference: [{when: {variant: relu}, metric: psnr, value: 1, bound: least, "
     "source: a, minus: {variant: relu}}]}",
     "compares rows with themselves only"},
    {"table:\n  reference:\n  - {metric: psnr, value: 1, bound: least, source: a}\n"
     "  - {when: {variant: relu}, metric: psnr, value: 1, bound: most, source: a}",
     "sweep.yaml:8:5: \"relu\" has a reference for psnr already, in line 7"},
    {"table: {heat: {x: variant, y: variant, metric: psnr}}", "a heat map needs two axes"},
    {"table: {heat: {x: variant, y: network.width, metric: psnr}}", "`network.width` is no axis"},
    {"table: {heat: {x: variant, metric: psnr}}", "a heat map needs `y`"},
    {"table: {curves: {value: ssim}}", "`ssim` is not loss/total, loss/TERM or psnr"},
    {"table: {curves: {value: loss/}}", "`loss/` is not loss/total"},
    {"table: {pictures: [a/b.png]}", "a picture is a file in the runs' directories"},
    {"table: {pictures: [{when: {}}]}", "a picture needs `file`"},
};

static void bad_blocks(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    Sweep *sweep = load(cases[i].block);
    assert_int_equal(table_check(sweep), STATUS_USAGE);
    if (!strstr(status_message(), cases[i].message)) {
      fail_msg("\"%s\" not in: %s", cases[i].message, status_message());
    }
    sweep_destroy(sweep);
  }
}

static void good_blocks(void **state) {
  (void)state;
  static const char *const blocks[] = {
      "",
      "table: {}",
      "table: {text: a, metrics: [psnr, loss_final, {name: ssim, title: b, digits: 3}]}",
      "table: {titles: {variant: a}, names: {variant: {'': b}}, pictures: figure.png}",
      "table: {curves: [{value: psnr}, {value: loss/total, log: true, title: c}], heat: []}",
      "table: {reference: [{metric: psnr, value: 1, tolerance: 0, source: ''}]}",
      ("table: {reference: [{metric: psnr, value: 1, bound: about, factor: 1, source: a, when: {}},"
       " {metric: psnr, value: 1, bound: most, source: a, over: {variant: relu}}]}"),
  };
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
    Sweep *sweep = load(blocks[i]);
    if (table_check(sweep) != STATUS_OK) fail_msg("%s: %s", blocks[i], status_message());
    sweep_destroy(sweep);
  }
}

/* The project's own. */
static void tables_of_the_paper(void **state) {
  (void)state;
  glob_t found;
  assert_int_equal(glob(TEST_DATA "/../../experiments/tables/*.yaml", 0, NULL, &found), 0);
  assert_true(found.gl_pathc >= 5);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    Sweep *sweep = NULL;
    if (sweep_load(NULL, found.gl_pathv[i], 0, NULL, &sweep) || table_check(sweep)) {
      fail_msg("%s", status_message());
    }
    assert_non_null(sweep->table);
    sweep_destroy(sweep);
  }
  globfree(&found);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bad_blocks),
      cmocka_unit_test(good_blocks),
      cmocka_unit_test(tables_of_the_paper),
  };
  char *slash = strrchr(path, '/');
  *slash = 0;
  if (!mkdtemp(path)) return 1;
  *slash = '/';
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(path);
  *slash = 0;
  return rmdir(path) || failures;
}
