#include "experiments/sweep/watch_draw.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "experiments/headline.h"
#include "experiments/progress.h"
#include "experiments/sweep/board_order.h"
#include "experiments/sweep/board_sums.h"
#include "experiments/sweep/listing.h"
#include "io/file.h"

enum { BAR = 24, BEST = 5, REASON = 3 /* lines */, LAST = 20 };

static const Style styles[STANDING_COUNT] = {
    [STANDING_COMPLETE] = STYLE_GOOD,   [STANDING_RUNNING] = STYLE_BUSY,
    [STANDING_WAITING] = STYLE_PLAIN,   [STANDING_STOPPED] = STYLE_ODD,
    [STANDING_INTERRUPTED] = STYLE_ODD, [STANDING_FAILED] = STYLE_BAD};

/* ---- Figures ---- */

static const char *label_of(const BoardRun *run, const Screen *screen) {
  return screen->columns > 0 ? run->brief : run->label;
}

static void print_number(char cell[LISTING_CELL], const char *format, double value) {
  cell[0] = '\0';
  if (!isnan(value)) snprintf(cell, LISTING_CELL, format, value);
}

static void print_step(char cell[LISTING_CELL], const BoardRun *run) {
  cell[0] = '\0';
  if (run->log.step < 0) return;
  int64_t step = run->log.step + 1;
  if (run->state.steps > 0) {
    snprintf(cell, LISTING_CELL, "%" PRId64 "/%" PRId64, step, run->state.steps);
  } else {
    snprintf(cell, LISTING_CELL, "%" PRId64, step);
  }
}

static void print_eta(char cell[LISTING_CELL], const Board *board, const BoardRun *run) {
  double eta = board_eta(board, run);
  char text[24];
  progress_time(isnan(eta) ? 0 : eta, text);
  if (run->log.step < 0) {
    snprintf(cell, LISTING_CELL, "starting");
  } else if (run->state.steps > 0 && run->log.step + 1 >= run->state.steps) {
    snprintf(cell, LISTING_CELL, "evaluating");
  } else {
    snprintf(cell, LISTING_CELL, "%s", isnan(eta) ? "" : text);
  }
}

/* ---- A sweep: the head ---- */

/* Waiting ones last: where a line is cut, they are what can be told from the rest. */
static void draw_counts(const BoardSums *sums, int n, Screen *screen) {
  static const Standing order[STANDING_COUNT] = {STANDING_COMPLETE, STANDING_RUNNING,
                                                 STANDING_FAILED,   STANDING_INTERRUPTED,
                                                 STANDING_STOPPED,  STANDING_WAITING};
  bool narrow = screen->columns > 0 && screen->columns < 100;
  int done = sums->count[STANDING_COMPLETE];
  screen_bar(screen, narrow ? BAR / 3 : BAR, n > 0 ? (double)done / n : NAN);
  screen_put(screen, STYLE_STRONG, " %d/%d ", done, n);
  for (int i = 0; i < STANDING_COUNT; i++) {
    int count = sums->count[order[i]];
    if (count > 0) screen_put(screen, styles[order[i]], " %d %s", count, standing_name(order[i]));
  }
  screen_end(screen);
}

static void draw_times(const BoardSums *sums, Screen *screen) {
  char elapsed[24], left[24];
  progress_time(sums->elapsed, elapsed);
  progress_time(isnan(sums->remaining) ? 0 : sums->remaining, left);
  screen_put(screen, STYLE_PLAIN, "elapsed %s", elapsed);
  if (sums->count[STANDING_RUNNING] == 0) {
    bool over = sums->count[STANDING_WAITING] == 0;
    screen_put(screen, STYLE_PLAIN, "  %s", over ? "ended" : "nothing is running");
  } else {
    screen_put(screen, STYLE_PLAIN, "  remaining %s%s", isnan(sums->remaining) ? "" : "about ",
               isnan(sums->remaining) ? "unknown" : left);
    screen_put(screen, STYLE_PLAIN, "  %d core%s", sums->cores, sums->cores == 1 ? "" : "s");
  }
  screen_put(screen, STYLE_QUIET, "  core-minutes %.1f", sums->spent / 60);
  if (sums->left > 0) {
    screen_put(screen, STYLE_QUIET, " of %.1f", (sums->spent + sums->left) / 60);
  }
  screen_end(screen);
}

static void draw_head(const Board *board, const BoardSums *sums, Screen *screen) {
  const char *title =
      board->plan.title && *board->plan.title ? board->plan.title : board->plan.name;
  screen_put(screen, STYLE_STRONG, "%s", title ? title : "");
  screen_put(screen, STYLE_QUIET, "  %s", board->directory);
  screen_end(screen);
  draw_counts(sums, board->n, screen);
  draw_times(sums, screen);
}

/* ---- A sweep: its sections, each in at most `lines` lines with the empty one above it ---- */

static void draw_running(const Board *board, const int *order, int n, Screen *screen, int lines) {
  Listing listing = {.title = "running",
                     .style = STYLE_BUSY,
                     .n_columns = 6,
                     .name = {"step", "done", "loss", board_headline(board), "ms/step", "ETA"},
                     .weight = {2, 1, 5, 4, 0, 6}};
  for (int i = 0; i < n; i++) {
    const BoardRun *run = &board->runs[order[i]];
    ListingRow *row = listing_add(&listing, label_of(run, screen));
    if (!row) break;
    print_step(row->cell[0], run);
    print_number(row->cell[1], "%.0f%%", run->log.step < 0 ? NAN : 100 * board_share(run));
    print_number(row->cell[2], "%.4g", run->log.loss);
    headline_value(run->log.name, run->log.value, row->cell[3]);
    print_number(row->cell[4], "%.3g", 1e3 * run->log.step_seconds);
    print_eta(row->cell[5], board, run);
  }
  screen_end(screen);
  listing_print(&listing, screen, lines - 2);
  listing_destroy(&listing);
}

static void draw_best(const Board *board, const int *order, int n, Screen *screen, int lines) {
  const char *name = board_headline(board);
  Listing listing = {.title = "best so far",
                     .style = STYLE_GOOD,
                     .n_columns = 4,
                     .name = {name, "loss", "step", "state"},
                     .weight = {9, 8, 1, 0}};
  for (int i = 0; i < n && i < BEST && i < lines - 2; i++) {
    const BoardRun *run = &board->runs[order[i]];
    ListingRow *row = listing_add(&listing, label_of(run, screen));
    if (!row) break;
    headline_value(run->log.name, run->log.value, row->cell[0]);
    print_number(row->cell[1], "%.4g", run->log.loss);
    print_step(row->cell[2], run);
    snprintf(row->cell[3], LISTING_CELL, "%s", standing_name(run->standing));
  }
  screen_end(screen);
  listing_print(&listing, screen, BEST);
  listing_destroy(&listing);
}

static const char *reason_of(const BoardRun *run, char text[128]) {
  if (run->standing == STANDING_INTERRUPTED) {
    snprintf(text, 128, "process %d on %.80s is gone without a word", run->state.process,
             run->state.host);
    return text;
  }
  return run->state.message;
}

/* Label and kind, then the reason: whole sentences, which say what to do at their end. */
static void draw_trouble(const Board *board, const int *order, int n, Screen *screen, int lines) {
  int last = lines == INT_MAX ? INT_MAX : screen->lines + lines, shown = 0;
  screen_end(screen);
  for (int i = 0; i < n; i++) {
    const BoardRun *run = &board->runs[order[i]];
    char text[128];
    const char *reason = reason_of(run, text);
    int room = last - screen->lines - 1 - (i < n - 1);
    if (room < 0) break;
    screen_put(screen, styles[run->standing], "%s", standing_name(run->standing));
    screen_put(screen, STYLE_PLAIN, "  %s", label_of(run, screen));
    shown++;
    if (screen->columns == 0) screen_put(screen, STYLE_QUIET, "  %s", reason); /* for grep */
    screen_end(screen);
    if (screen->columns == 0) continue;
    screen_wrap(screen, STYLE_QUIET, 2, room < REASON ? room : REASON, reason);
  }
  if (shown == n) return;
  screen_put(screen, STYLE_QUIET, "and %d more", n - shown);
  screen_end(screen);
}

/* ---- A sweep ---- */

typedef struct {
  void (*draw)(const Board *board, const int *order, int n, Screen *screen, int lines);
  int *order; /* of runs */
  int n;
  int wanted, given; /* lines */
} Section;

enum { RUNNING, TROUBLE, BEST_RUNS, SECTIONS };

static void list_sections(const Board *board, int *order, Section sections[SECTIONS]) {
  static const Standing troubles[] = {STANDING_FAILED, STANDING_INTERRUPTED, STANDING_STOPPED};
  sections[RUNNING] = (Section){.draw = draw_running, .order = order};
  sections[RUNNING].n = board_recent(board, STANDING_RUNNING, order);
  sections[RUNNING].wanted = 2 + sections[RUNNING].n;
  int *next = order + sections[RUNNING].n, trouble = 0;
  for (int i = 0; i < 3; i++) trouble += board_recent(board, troubles[i], next + trouble);
  sections[TROUBLE] = (Section){draw_trouble, next, trouble, 1 + (1 + REASON) * trouble, 0};
  next += trouble;
  int best = board_best(board, next);
  sections[BEST_RUNS] = (Section){draw_best, next, best, 2 + (best < BEST ? best : BEST), 0};
}

/* Some for each, then all that is left to the first ones. */
static void share_lines(int rows, Section sections[SECTIONS]) {
  static const int most[] = {5, 10, 20, INT_MAX};
  for (size_t round = 0; round < sizeof most / sizeof *most; round++) {
    for (int i = 0; i < SECTIONS; i++) {
      Section *section = &sections[i];
      int more = (section->wanted < most[round] ? section->wanted : most[round]) - section->given;
      if (section->n == 0) continue;
      if (more > rows) more = rows;
      section->given += more;
      rows -= more;
    }
  }
}

void watch_draw_sweep(const Board *board, Screen *screen, int rows) {
  BoardSums sums = board_sums(board);
  int *order;
  draw_head(board, &sums, screen);
  if (memory_allocate(&order, 2 * (size_t)board->n, sizeof *order, "a list") != STATUS_OK) return;
  Section sections[SECTIONS];
  list_sections(board, order, sections);
  share_lines(rows > 0 ? rows - screen->lines : INT_MAX, sections);
  for (int i = 0; i < SECTIONS; i++) {
    const Section *section = &sections[i];
    int least = i == TROUBLE ? 2 : 3;
    if (section->n == 0 || section->given < least) continue;
    section->draw(board, section->order, section->n, screen, rows > 0 ? section->given : INT_MAX);
  }
  free(order);
}

/* ---- A run ---- */

static void draw_run_head(const Board *board, Screen *screen) {
  const BoardRun *run = board->runs;
  const RunState *state = &run->state;
  screen_put(screen, STYLE_STRONG, "%s  ", board->directory);
  screen_put(screen, styles[run->standing], "%s", standing_name(run->standing));
  if (*state->host) {
    screen_put(screen, STYLE_QUIET, "  %s, %d rank%s x %d thread%s, attempt %d", state->host,
               state->ranks, state->ranks == 1 ? "" : "s", state->threads,
               state->threads == 1 ? "" : "s", state->attempts);
  }
  screen_end(screen);
}

static void draw_run_progress(const Board *board, Screen *screen) {
  const BoardRun *run = board->runs;
  char step[LISTING_CELL], eta[LISTING_CELL], elapsed[24];
  BoardSums sums = board_sums(board);
  print_step(step, run);
  print_eta(eta, board, run);
  progress_time(sums.elapsed, elapsed);
  screen_bar(screen, BAR, board_share(run));
  screen_put(screen, STYLE_PLAIN, " step %s", *step ? step : "none");
  if (sums.elapsed > 0) screen_put(screen, STYLE_PLAIN, "   elapsed %s", elapsed);
  if (!isnan(run->log.step_seconds)) {
    screen_put(screen, STYLE_PLAIN, "   %.4g ms/step", 1e3 * run->log.step_seconds);
  }
  if (run->standing == STANDING_RUNNING && *eta) screen_put(screen, STYLE_PLAIN, "   ETA %s", eta);
  screen_end(screen);
}

void watch_draw_run(const Board *board, Screen *screen, int rows) {
  const BoardRun *run = board->runs;
  LogLine last[LAST];
  char text[128], *path = NULL;
  draw_run_head(board, screen);
  draw_run_progress(board, screen);
  screen_wrap(screen, STYLE_PLAIN, 0, REASON, reason_of(run, text));
  Listing listing = {.title = "last steps",
                     .style = STYLE_BUSY,
                     .n_columns = 4,
                     .name = {"step", "loss", run->log.name, "seconds"},
                     .weight = {3, 2, 1, 0}};
  path = file_join(run->directory, "log.jsonl");
  int n = log_last(path, LAST, last);
  free(path);
  if (rows > 0 && n > rows - screen->lines - 2) n = rows - screen->lines - 2;
  for (int i = 0; i < n; i++) {
    ListingRow *row = listing_add(&listing, "");
    if (!row) break;
    snprintf(row->cell[0], LISTING_CELL, "%" PRId64, last[i].step);
    print_number(row->cell[1], "%.6g", last[i].loss);
    headline_value(last[i].name, last[i].value, row->cell[2]);
    print_number(row->cell[3], "%.1f", last[i].seconds);
  }
  if (n > 0) screen_end(screen);
  listing_print(&listing, screen, n);
  listing_destroy(&listing);
}
