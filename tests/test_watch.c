/* siren watch: what a directory holds, sums, and what gets to a terminal or a file of lines. */
#include <math.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "experiments/sweep/board_order.h"
#include "experiments/sweep/board_sums.h"
#include "experiments/sweep/listing.h"
#include "experiments/sweep/watch.h"
#include "tests/sweep_fixture.h"

enum { GONE = 0x3fffff /* a process that cannot be */ };

static char directory[64];

static void assert_ok(Status status) {
  if (status != STATUS_OK) fail_msg("%s", status_message());
}

static void assert_has(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("\"%s\" not in:\n%s", part, text);
}

/* ---- Ends of logs ---- */

static void test_log_tail(void **state) {
  (void)state;
  char *path = file_join(directory, "log.jsonl");
  assert_int_equal(log_tail(path).step, -1);
  sweep_put(directory, "log.jsonl", "");
  assert_int_equal(log_tail(path).step, -1);
  sweep_log(directory, 1, 20);
  LogLine line = log_tail(path);
  assert_int_equal(line.step, 0);
  assert_true(fabs(line.step_seconds - 0.002) < 1e-9);
  sweep_log(directory, 500, 20);
  line = log_tail(path);
  assert_int_equal(line.step, 4990);
  assert_true(line.loss == 1.0 / 4991 || fabs(line.loss * 4991 - 1) < 1e-6);
  assert_string_equal(line.name, "psnr");
  assert_true(fabs(line.value - (20 + 49.9)) < 1e-6);
  assert_true(fabs(line.step_seconds - 0.002) < 1e-9);
  LogLine lines[3];
  assert_int_equal(log_last(path, 3, lines), 3);
  assert_int_equal(lines[2].step, 4970);
  double *steps, *losses;
  assert_int_equal(log_losses(path, &steps, &losses), 500);
  assert_true(steps[499] == 4990 && losses[0] == 1);
  free(steps);
  free(losses);
  free(path);
}

static void test_damaged_logs(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t step;
  } cases[] = {
      {"\n\n\n", -1},
      {"{\"step\":1}", -1}, /* not a whole line */
      {"{\"step\":1}\n", 1},
      {"{\"step\":1}\n{\"step\":2", 1},
      {"{\"step\":1}\nnonsense\n[]\n{}\n{\"step\":\"x\"}\n{\"step\":-4}\n", 1},
      {"{\"step\":99999999999999999999}\n", -1},
      {"{\"step\":9223372036854775807,\"seconds\":1e308,\"total\":null}\n", INT64_MAX},
      {"\x80\xff\x01\n", -1},
  };
  char *path = file_join(directory, "log.jsonl");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sweep_put(directory, "log.jsonl", cases[i].text);
    assert_int_equal(log_tail(path).step, cases[i].step);
  }
  assert_ok(file_replace(path, "\0\0\0\n", 4));
  assert_int_equal(log_tail(path).step, -1);
  assert_int_equal(log_tail(directory).step, -1);
  free(path);
}

/* ---- Boards ---- */

static void set_process(const char *run, int process) {
  RunState state;
  assert_ok(state_read(run, &state));
  state.process = process;
  assert_ok(state_write(run, &state));
}

/* One run of each kind, in the order of `expected`, and one that waits. */
static void make_all_kinds(void) {
  sweep_plan(directory, "All kinds", 7, NULL);
  for (int i = 0; i < 6; i++) {
    char *run = sweep_folder(directory, i);
    sweep_log(run, 51, 20 + i);
    if (i == 0) sweep_run_file(run, 30, "here");
    if (i == 0) sweep_state(run, STATE_COMPLETE, "");
    if (i == 1) sweep_state(run, STATE_RUNNING, "");
    if (i == 2) sweep_state(run, STATE_RUNNING, "");
    if (i == 2) set_process(run, GONE);
    if (i == 3) sweep_state(run, STATE_FAILED, "step 7: diverged");
    if (i == 4) sweep_state(run, STATE_STOPPED, "stopped at step 500 of 1000");
    if (i == 5) sweep_put(run, "state.json", "{\"state\": \"run");
    free(run);
  }
}

static void test_standings(void **state) {
  (void)state;
  static const Standing expected[] = {STANDING_COMPLETE, STANDING_RUNNING, STANDING_INTERRUPTED,
                                      STANDING_FAILED,   STANDING_STOPPED, STANDING_FAILED,
                                      STANDING_WAITING};
  Board *board;
  make_all_kinds();
  assert_ok(board_open(directory, &board));
  assert_true(board->sweep);
  assert_int_equal(board->n, 7);
  for (int i = 0; i < 7; i++) assert_int_equal(board->runs[i].standing, expected[i]);
  assert_has(board->runs[5].state.message, "state.json: is damaged");
  assert_int_equal(board->runs[1].log.step, 500);
  assert_string_equal(board->runs[1].label, "run=1");

  BoardSums sums = board_sums(board);
  assert_int_equal(sums.count[STANDING_FAILED], 2);
  assert_int_equal(sums.cores, 2);
  /* Waiting 100; interrupted and stopped 100 less the 501/1000 that are done; running 499 steps of
   * 2 ms on two cores; what is complete took as long as it was foretold. */
  assert_true(fabs(sums.left - (100 + 2 * 100 * 0.499 + 2 * 499 * 0.002)) < 0.2);
  assert_true(fabs(sums.remaining - sums.left / 2) < 1e-6);
  assert_true(sums.elapsed >= 59 && sums.elapsed < 90);

  int order[7];
  assert_string_equal(board_headline(board), "psnr");
  assert_int_equal(board_best(board, order), 6);
  assert_int_equal(order[0], 5); /* the largest PSNR */
  assert_int_equal(order[5], 0);
  board_close(board);
}

static void test_brief_labels(void **state) {
  (void)state;
  static const struct {
    const char *label, *brief;
  } cases[] = {
      {"variant=relu network.omega_first=0.5 seed=1", "variant=relu omega_first=0.5 seed=1"},
      {"data.file=a.b c.d e=f.g", "file=a.b c.d e=f.g"},
      {"a.b.c=", "c="},
      {"", ""},
      {".=x  y.", "=x  y."}};
  enum { N = sizeof cases / sizeof *cases };
  const char *labels[N];
  Board *board;
  for (int i = 0; i < N; i++) labels[i] = cases[i].label;
  sweep_plan(directory, "Labels", N, labels);
  assert_ok(board_open(directory, &board));
  for (int i = 0; i < N; i++) assert_string_equal(board->runs[i].brief, cases[i].brief);
  board_close(board);
}

static void test_changes(void **state) {
  (void)state;
  Board *board;
  make_all_kinds();
  assert_ok(board_open(directory, &board));
  char *run = sweep_folder(directory, 1);
  sweep_log(run, 100, 20);
  assert_ok(board_refresh(board));
  assert_int_equal(board->runs[1].standing, STANDING_RUNNING);
  assert_int_equal(board->runs[1].log.step, 990);
  sweep_run_file(run, 40, "here"); /* before its state says so */
  set_process(run, GONE);
  assert_ok(board_refresh(board));
  assert_int_equal(board->runs[1].standing, STANDING_COMPLETE);
  sweep_state(run, STATE_COMPLETE, "");
  assert_ok(board_refresh(board));
  assert_int_equal(board->runs[1].standing, STANDING_COMPLETE);
  assert_int_equal(board->runs[1].state.kind, STATE_COMPLETE);
  free(run);

  run = sweep_folder(directory, 6);
  sweep_state(run, STATE_RUNNING, "");
  assert_ok(board_refresh(board));
  assert_int_equal(board->runs[6].standing, STANDING_RUNNING);
  free(run);

  sweep_put(directory, "plan.json", "{");
  assert_ok(board_refresh(board));
  assert_int_equal(board->n, 7);
  sweep_plan(directory, "Fewer", 2, NULL);
  assert_ok(board_refresh(board));
  assert_int_equal(board->n, 2);
  assert_int_equal(board->runs[0].standing, STANDING_COMPLETE);
  board_close(board);
}

/* Steps of runs that are measured by the loss: no headline, or different ones. */
static void test_best_by_loss(void **state) {
  (void)state;
  Board *board;
  int order[3];
  sweep_plan(directory, "Losses", 3, NULL);
  for (int i = 0; i < 3; i++) {
    static const char *const lines[] = {"{\"step\":1,\"total\":0.5,\"psnr\":50}\n",
                                        "{\"step\":1,\"total\":0.25,\"rms\":1}\n",
                                        "{\"step\":1,\"total\":null}\n"};
    char *run = sweep_folder(directory, i);
    sweep_put(run, "log.jsonl", lines[i]);
    free(run);
  }
  assert_ok(board_open(directory, &board));
  assert_string_equal(board_headline(board), "");
  assert_int_equal(board_best(board, order), 2);
  assert_int_equal(order[0], 1);
  board_close(board);
}

/* ---- What is printed ---- */

static char *watch_text(const char *path) {
  char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  Status status = watch_directory(path, &(WatchSettings){0}, out);
  fclose(out);
  assert_ok(status);
  return text;
}

/* Lines of visible text alone. */
static void assert_harmless(const char *text) {
  for (const char *at = text; *at; at++) {
    unsigned char c = (unsigned char)*at;
    bool c1 = c == 0xc2 && (unsigned char)at[1] >= 0x80 && (unsigned char)at[1] < 0xa0;
    if ((c < ' ' && c != '\n') || c == 0x7f || c1) fail_msg("byte %02x in:\n%s", c, text);
  }
  assert_null(strstr(text, "\xe2\x80\xae"));
}

static void test_plain_lines(void **state) {
  (void)state;
  make_all_kinds();
  char *text = watch_text(directory);
  assert_harmless(text);
  assert_has(text, "All kinds");
  assert_has(text, " 1/7  1 complete 1 running 2 failed 1 interrupted 1 stopped 1 waiting\n");
  assert_has(text, "2 cores");
  assert_has(text, "failed  run=3  step 7: diverged\n");
  assert_has(text, "interrupted  run=2  process 4194303 on");
  assert_has(text, "stopped  run=4  stopped at step 500 of 1000\n");
  assert_has(text, "state.json: is damaged");
  assert_has(text, "501/1000");
  assert_has(text, "26 dB");
  assert_true(strstr(text, "running") < strstr(text, "failed  run=3"));
  assert_true(strstr(text, "failed  run=3") < strstr(text, "best so far"));
  free(text);
}

static void test_a_single_run(void **state) {
  (void)state;
  sweep_log(directory, 51, 20);
  sweep_state(directory, STATE_RUNNING, "");
  char *text = watch_text(directory);
  assert_harmless(text);
  assert_has(text, "running");
  assert_has(text, "step 501/1000");
  assert_has(text, "2 ms/step");
  assert_has(text, "ETA 0:0");
  assert_has(text, "25 dB");
  free(text);
  sweep_state(directory, STATE_FAILED, "the disk is full");
  text = watch_text(directory);
  assert_has(text, "failed");
  assert_has(text, "the disk is full\n");
  free(text);
}

static void test_hostile_text(void **state) {
  (void)state;
  static const char *const labels[] = {SWEEP_HOSTILE, SWEEP_HOSTILE "\n\n\x1b[2J"};
  sweep_plan(directory, SWEEP_HOSTILE, 2, labels);
  char *run = sweep_folder(directory, 0);
  sweep_state(run, STATE_FAILED, SWEEP_HOSTILE);
  sweep_put(run, "log.jsonl", "{\"step\":3,\"total\":1,\"\\u001b[2J\":4}\n");
  free(run);
  run = sweep_folder(directory, 1);
  sweep_state(run, STATE_RUNNING, "");
  free(run);
  char *text = watch_text(directory);
  assert_harmless(text);
  assert_has(text, "<script>alert('x')</script> & \"q\" ?[31mred?? ?31m ?right ]]> end");
  free(text);
}

static void test_what_is_neither(void **state) {
  (void)state;
  WatchSettings settings = {0};
  FILE *out = fopen("/dev/null", "w");
  assert_int_equal(watch_directory("/nonexistent", &settings, out), STATUS_USAGE);
  assert_has(status_message(), "/nonexistent: no such directory");
  assert_int_equal(watch_directory(directory, &settings, out), STATUS_USAGE);
  assert_has(status_message(), "holds neither a sweep nor a run");
  sweep_put(directory, "plan.json", "{\"title\": 1}");
  assert_int_equal(watch_directory(directory, &settings, out), STATUS_FAILED);
  assert_has(status_message(), "plan.json");
  fclose(out);
}

/* Any part of any file, and any byte of it changed: never more than a message. */
static void test_damaged_files(void **state) {
  (void)state;
  static const char *const names[] = {"plan.json", "0000000000000001/state.json",
                                      "0000000000000001/log.jsonl"};
  FILE *out = fopen("/dev/null", "w");
  for (int k = 0; k < 3; k++) {
    unsigned char *data;
    size_t length;
    sweep_plan(directory, "Damage", 2, NULL);
    char *run = sweep_folder(directory, 0), *path = file_join(directory, names[k]);
    sweep_state(run, STATE_STOPPED, "stopped");
    sweep_log(run, 3, 20);
    assert_ok(file_read(path, &data, &length));
    for (size_t cut = 0; cut < length; cut += 3) {
      sweep_write(path, data, cut);
      watch_directory(directory, &(WatchSettings){0}, out);
      unsigned char old = data[cut];
      data[cut] = (unsigned char)(cut % 5 ? cut * 37 : 0);
      sweep_write(path, data, length);
      watch_directory(directory, &(WatchSettings){0}, out);
      data[cut] = old;
    }
    free(data);
    free(path);
    free(run);
  }
  fclose(out);
}

/* ---- A terminal ---- */

/* What watch_directory writes to a terminal of this size. */
static char *terminal_text(int columns, int rows, const WatchSettings *settings) {
  int master, slave;
  struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
  assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
  FILE *out = fdopen(slave, "w");
  setvbuf(out, NULL, _IOFBF, 1 << 16);
  setenv("TERM", "xterm", 1);
  unsetenv("COLUMNS");
  unsetenv("LINES");
  assert_ok(watch_directory(directory, settings, out));
  enum { MOST = 1 << 16 };
  char *text = calloc(1, MOST);
  ssize_t got = read(master, text, MOST - 1);
  assert_true(got > 0 && got < 4000); /* it fits the terminal's own buffer */
  fclose(out);
  close(master);
  return text;
}

/* Removes colours and what else the program sends; returns the number of lines, checks widths. */
static int count_lines(const char *text, int columns) {
  int lines = 0, width = 0;
  for (const char *at = text; *at; at++) {
    if (*at == '\x1b') {
      at += strcspn(at, "mKJAH");
    } else if (*at == '\n') {
      lines++;
      width = 0;
    } else if (*at != '\r') {
      width += ((unsigned char)*at & 0xc0) != 0x80;
      if (width > columns) fail_msg("over %d columns:\n%s", columns, text);
    }
  }
  return lines;
}

/* All have ended, so one look is all there is. */
static void make_ended(void) {
  sweep_plan(directory, "Ended", 30, NULL);
  for (int i = 0; i < 30; i++) {
    char *run = sweep_folder(directory, i);
    sweep_log(run, 100, 20 + i);
    sweep_state(run, i % 2 ? STATE_FAILED : STATE_STOPPED,
                i % 2 ? "a reason that takes several lines of a terminal that is as narrow as this "
                        "one, and even one more"
                      : "stopped");
    free(run);
  }
}

static void test_terminal(void **state) {
  (void)state;
  static const int sizes[][2] = {{80, 24}, {40, 12}, {132, 50}, {20, 5}, {3, 2}, {1, 1}};
  make_ended();
  unsetenv("NO_COLOR");
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char *text = terminal_text(sizes[i][0], sizes[i][1], &(WatchSettings){.interval = 0.01});
    int lines = count_lines(text, sizes[i][0]);
    if (sizes[i][1] > 3) assert_true(lines < sizes[i][1]);
    if (sizes[i][0] > 30) assert_has(text, "\x1b[31m");
    free(text);
  }
}

static void test_once_on_a_terminal(void **state) {
  (void)state;
  make_all_kinds(); /* one runs: without `once` this would not end */
  setenv("NO_COLOR", "1", 1);
  char *text = terminal_text(60, 10, &(WatchSettings){.once = true});
  assert_null(strchr(text, '\x1b'));
  assert_true(count_lines(text, 60) > 10); /* nothing is left out */
  assert_has(text, "run=5");
  unsetenv("NO_COLOR");
  free(text);
}

static void test_columns_are_left_out(void **state) {
  (void)state;
  Listing listing = {
      .title = "title", .n_columns = 3, .name = {"a", "b", "c"}, .weight = {3, 1, 2}};
  for (int i = 0; i < 3; i++) {
    ListingRow *row = listing_add(&listing, "a label of some length");
    strcpy(row->cell[0], "12345678");
    strcpy(row->cell[1], "12345678");
    strcpy(row->cell[2], i == 1 ? "1" : "");
  }
  static const struct {
    int columns, most;
    const char *text;
  } cases[] = {
      {0, 9,
       "title                          a         b  c\n"
       "a label of some length  12345678  12345678   \n"
       "a label of some length  12345678  12345678  1\n"
       "a label of some length  12345678  12345678   \n"},
      {40, 2,
       "title                        a         b\n"
       "a label of some len…  12345678  12345678\n"
       "and 2 more\n"},
      {30, 2, "title                        a\na label of some len…  12345678\nand 2 more\n"},
      {12, 1, "title\nand 3 more\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = NULL;
    size_t length;
    Screen screen = {.out = open_memstream(&text, &length), .columns = cases[i].columns};
    listing_print(&listing, &screen, cases[i].most);
    fclose(screen.out);
    assert_string_equal(text, cases[i].text);
    assert_true(count_lines(text, cases[i].columns ? cases[i].columns : 100) > 1);
    free(text);
  }
  listing_destroy(&listing);
}

/* ---- */

static int make_directory(void **state) {
  (void)state;
  strcpy(directory, "/tmp/siren-watch-XXXXXX");
  return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) {
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", directory);
  return system(command);
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void) {
  const struct CMUnitTest tests[] = {
      IN_DIRECTORY(test_log_tail),
      IN_DIRECTORY(test_damaged_logs),
      IN_DIRECTORY(test_standings),
      IN_DIRECTORY(test_brief_labels),
      IN_DIRECTORY(test_changes),
      IN_DIRECTORY(test_best_by_loss),
      IN_DIRECTORY(test_plain_lines),
      IN_DIRECTORY(test_a_single_run),
      IN_DIRECTORY(test_hostile_text),
      IN_DIRECTORY(test_what_is_neither),
      IN_DIRECTORY(test_damaged_files),
      IN_DIRECTORY(test_terminal),
      IN_DIRECTORY(test_once_on_a_terminal),
      cmocka_unit_test(test_columns_are_left_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
