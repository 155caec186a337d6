#include "experiments/sweep/board_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/headline.h"

/* A run and what it is sorted by, the largest first. */
typedef struct {
  int run;
  double key;
} Ranked;

static int compare(const void *a, const void *b) {
  const Ranked *p = a, *q = b;
  if (p->key != q->key) return p->key > q->key ? -1 : 1;
  return p->run - q->run;
}

/* Runs whose key is NaN are left out. */
static int rank(const Board *board, double (*key)(const Board *, const BoardRun *, int), int what,
                int *order) {
  Ranked *ranked;
  int n = 0;
  if (memory_allocate(&ranked, (size_t)board->n, sizeof *ranked, "a list") != STATUS_OK) return 0;
  for (int i = 0; i < board->n; i++) {
    double value = key(board, &board->runs[i], what);
    if (!isnan(value)) ranked[n++] = (Ranked){i, value};
  }
  qsort(ranked, (size_t)n, sizeof *ranked, compare);
  for (int i = 0; i < n; i++) order[i] = ranked[i].run;
  free(ranked);
  return n;
}

static double recency(const Board *board, const BoardRun *run, int kind) {
  (void)board;
  if ((int)run->standing != kind) return NAN;
  return run->state.ended > run->state.started ? run->state.ended : run->state.started;
}

int board_recent(const Board *board, Standing kind, int *order) {
  return rank(board, recency, (int)kind, order);
}

const char *board_headline(const Board *board) {
  const char *name = "";
  for (int i = 0; i < board->n; i++) {
    const LogLine *log = &board->runs[i].log;
    if (log->step < 0) continue;
    /* A perfect fit has no PSNR in the log; its neighbours tell the name. */
    if (!*log->name) continue;
    if (*name && strcmp(name, log->name) != 0) return "";
    name = log->name;
  }
  return name;
}

static double merit(const Board *board, const BoardRun *run, int sign) {
  (void)board;
  double value = sign == 0 ? -run->log.loss : sign * run->log.value;
  return run->log.step >= 0 && isfinite(value) ? value : (double)NAN;
}

int board_best(const Board *board, int *order) {
  const char *name = board_headline(board);
  return rank(board, merit, !*name ? 0 : headline_rises(name) ? 1 : -1, order);
}
