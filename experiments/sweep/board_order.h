/* Orders in which people want to see the runs of a board. */
#ifndef EXPERIMENTS_SWEEP_BOARD_ORDER_H
#define EXPERIMENTS_SWEEP_BOARD_ORDER_H

#include "experiments/sweep/board.h"

/* Local. Indices of the runs of one kind, the ones that began or ended last first, into order [n];
 * returns how many. */
int board_recent(const Board *board, Standing kind, int *order);

/* Local. The headline by which the logged runs can be compared; "": they have none in common, and
 * the loss takes its place. */
const char *board_headline(const Board *board);

/* Local. Indices of the logged runs that have a finite figure, the best first, into order [n];
 * returns how many. */
int board_best(const Board *board, int *order);

#endif
