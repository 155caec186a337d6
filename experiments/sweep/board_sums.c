#include "experiments/sweep/board_sums.h"

#include <math.h>

double board_share(const BoardRun *run) {
  if (run->standing == STANDING_COMPLETE) return 1;
  if (run->state.steps <= 0) return NAN;
  return fmin(1, (double)(run->log.step + 1) / (double)run->state.steps);
}

double board_eta(const Board *board, const BoardRun *run) {
  double steps = (double)(run->state.steps - 1 - run->log.step);
  if (run->state.steps <= 0 || run->log.step < 0) return NAN;
  if (steps <= 0) return 0;
  /* The log is older than now; a clock that differs, or a run that hangs, is not taken off. */
  double age = board->now - run->logged;
  if (!(age > 0 && age < 60 * run->log.step_seconds)) age = 0;
  return fmax(0, steps * run->log.step_seconds - age);
}

static int cores_of(const RunState *state) {
  return (state->ranks > 1 ? state->ranks : 1) * (state->threads > 1 ? state->threads : 1);
}

/* Core-seconds per forecast core-second, and core-seconds of a run without a forecast. */
typedef struct {
  double factor, mean;
} Experience;

static Experience experience(const Board *board) {
  double taken = 0, foretold = 0, sum = 0, plans = 0;
  int n = 0, n_plans = 0;
  for (int i = 0; i < board->n; i++) {
    const BoardRun *run = &board->runs[i];
    if (run->forecast > 0) plans += run->forecast, n_plans++;
    if (run->standing != STANDING_COMPLETE || !(run->state.core > 0)) continue;
    sum += run->state.core, n++;
    if (run->forecast > 0) taken += run->state.core, foretold += run->forecast;
  }
  double factor = foretold > 0 ? taken / foretold : 1;
  return (Experience){factor, n > 0 ? sum / n : n_plans > 0 ? plans / n_plans : (double)NAN};
}

static double expected(const Experience *experience, const BoardRun *run) {
  return run->forecast > 0 ? run->forecast * experience->factor : experience->mean;
}

static double left_of(const Board *board, const Experience *experience, const BoardRun *run) {
  double share = board_share(run), all = expected(experience, run), eta = board_eta(board, run);
  if (isnan(share)) share = 0;
  switch (run->standing) {
    case STANDING_WAITING:
      return all;
    case STANDING_RUNNING:
      return isnan(eta) ? all : eta * cores_of(&run->state);
    case STANDING_STOPPED:
    case STANDING_INTERRUPTED:
      return all * (1 - share);
    default:
      return 0;
  }
}

static void add_times(const Board *board, BoardSums *sums) {
  double first = INFINITY, last = 0;
  for (int i = 0; i < board->n; i++) {
    const RunState *state = &board->runs[i].state;
    if (state->started > 0) first = fmin(first, state->started);
    last = fmax(last, fmax(state->ended, board->runs[i].logged));
  }
  if (sums->count[STANDING_RUNNING] > 0) last = board->now;
  sums->elapsed = first < last ? last - first : 0;
}

BoardSums board_sums(const Board *board) {
  Experience known = experience(board);
  BoardSums sums = {.left = 0};
  double longest = 0;
  for (int i = 0; i < board->n; i++) {
    const BoardRun *run = &board->runs[i];
    sums.count[run->standing]++;
    sums.spent += run->state.core > 0 ? run->state.core : 0;
    sums.left += left_of(board, &known, run);
    if (run->standing != STANDING_RUNNING) continue;
    int cores = cores_of(&run->state);
    sums.cores += cores;
    sums.spent += fmax(0, board->now - run->state.started) * cores;
    longest = fmax(longest, board_eta(board, run));
  }
  add_times(board, &sums);
  sums.remaining = sums.cores > 0 ? fmax(longest, sums.left / sums.cores) : (double)NAN;
  if (isnan(sums.left)) sums.remaining = NAN; /* fmax would drop it */
  return sums;
}
