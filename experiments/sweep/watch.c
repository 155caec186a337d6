#include "experiments/sweep/watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "experiments/progress.h"
#include "experiments/stop.h"
#include "experiments/sweep/board.h"
#include "experiments/sweep/watch_draw.h"

/* What stands on the terminal. */
typedef struct {
  FILE *out;
  int columns, rows; /* of the terminal when it was drawn */
  int lines;
} Frame;

static void draw(const Board *board, Screen *screen, int rows) {
  (board->sweep ? watch_draw_sweep : watch_draw_run)(board, screen, rows);
}

static Status draw_once(const Board *board, FILE *out) {
  Terminal terminal = terminal_of(out);
  Screen screen = {
      .out = out, .colours = terminal.colours, .columns = terminal.terminal ? terminal.columns : 0};
  draw(board, &screen, 0);
  fflush(out);
  return STATUS_OK;
}

/* Over the last frame, line by line, so that nothing flickers. Nothing else of the terminal is
 * changed: however the program ends, there is nothing to put right. */
static void put_frame(Frame *frame, const Terminal *terminal, const char *text, int lines) {
  bool moved =
      frame->lines > 0 && (terminal->columns != frame->columns || terminal->rows != frame->rows);
  if (moved) {
    fputs("\x1b[H\x1b[2J", frame->out);
  } else if (frame->lines > 0) {
    fprintf(frame->out, "\x1b[%dA\r", frame->lines);
  }
  for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
    fprintf(frame->out, "%.*s\x1b[K\n", (int)(end - text), text);
  }
  fputs("\x1b[J", frame->out);
  fflush(frame->out);
  frame->columns = terminal->columns;
  frame->rows = terminal->rows;
  frame->lines = lines;
}

static Status redraw(const Board *board, Frame *frame) {
  Terminal terminal = terminal_of(frame->out);
  char *text = NULL;
  size_t length;
  FILE *memory = open_memstream(&text, &length);
  if (!memory) return status_fail(STATUS_FAILED, "out of memory for the screen");
  Screen screen = {.out = memory, .colours = terminal.colours, .columns = terminal.columns};
  draw(board, &screen, terminal.rows - 1);
  bool failed = fclose(memory) != 0;
  if (!failed) put_frame(frame, &terminal, text, screen.lines);
  free(text);
  if (failed) return status_fail(STATUS_FAILED, "out of memory for the screen");
  return ferror(frame->out) ? status_fail(STATUS_FAILED, "cannot write to the terminal")
                            : STATUS_OK;
}

static bool has_ended(const Board *board) {
  for (int i = 0; i < board->n; i++) {
    Standing kind = board->runs[i].standing;
    if (kind == STANDING_RUNNING || kind == STANDING_WAITING) return false;
  }
  return true;
}

static void wait_for(double seconds) {
  double until = progress_clock() + seconds;
  while (!stop_requested() && progress_clock() < until) {
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
  }
}

static Status watch(Board *board, double interval, FILE *out) {
  Frame frame = {.out = out};
  double took = 0;
  for (;;) {
    TRY(redraw(board, &frame));
    if (has_ended(board)) return STATUS_OK;
    wait_for(fmax(interval, 4 * took)); /* a slow file system is left in peace */
    if (stop_requested()) return STATUS_OK;
    double began = progress_clock();
    TRY(board_refresh(board));
    took = progress_clock() - began;
  }
}

Status watch_directory(const char *directory, const WatchSettings *settings, FILE *out) {
  Board *board;
  TRY(board_open(directory, &board));
  bool once = settings->once || !terminal_of(out).terminal;
  double interval = settings->interval > 0 ? settings->interval : 2;
  Status status = once ? draw_once(board, out) : watch(board, interval, out);
  board_close(board);
  return status;
}
