/* What a board adds up to: counts, time that was spent, time that is left. */
#ifndef EXPERIMENTS_SWEEP_BOARD_SUMS_H
#define EXPERIMENTS_SWEEP_BOARD_SUMS_H

#include "experiments/sweep/board.h"

typedef struct {
  int count[STANDING_COUNT];
  int cores;        /* at work now */
  double spent;     /* core-seconds of all attempts so far */
  double left;      /* core-seconds to go, of running, stopped, interrupted and waiting runs; NaN:
                       unknown */
  double elapsed;   /* seconds since the earliest start, up to now or to the last end */
  double remaining; /* seconds, if as many cores stay at work; NaN: unknown, or none is */
} BoardSums;

/* Local. Runs that wait count as the plan forecasts them, times what complete runs have taken over
 * their forecasts; without forecasts, as complete ones in the mean. */
BoardSums board_sums(const Board *board);

/* Local. Seconds that a running run needs for its training; 0: only evaluation is left; NaN:
 * unknown. */
double board_eta(const Board *board, const BoardRun *run);

/* Local. Share of a run's steps that are done; NaN: unknown. */
double board_share(const BoardRun *run);

#endif
