/* What `siren watch` shows of a board. */
#ifndef EXPERIMENTS_SWEEP_WATCH_DRAW_H
#define EXPERIMENTS_SWEEP_WATCH_DRAW_H

#include "experiments/sweep/board.h"
#include "io/screen.h"

/* Local. One look, in at most `rows` lines (0: as many as there are). */
void watch_draw_sweep(const Board *board, Screen *screen, int rows);
void watch_draw_run(const Board *board, Screen *screen, int rows);

#endif
