/* The bricks of a signal's file that this rank draws from (experiments/brick_plan.h): read when
 * their turn comes, dropped when it is over. */
#ifndef EXPERIMENTS_BRICKS_H
#define EXPERIMENTS_BRICKS_H

#include "experiments/brick_plan.h"
#include "experiments/signal.h"

typedef struct Bricks Bricks;

/* Local. `samples` a step in tiles of `tile`. Boxes have a margin of `halo` samples where the grid
 * goes on. Borrows the signal, whose file is open. Owned by the caller. */
Status bricks_create(const Signal *signal, const BrickPlan *plan, int64_t samples, int64_t tile,
                     int64_t halo, Bricks **bricks);
void bricks_destroy(Bricks *bricks); /* NULL is allowed */

/* Local, by one thread. Reads what is missing for the samples first ... end - 1 of a step, and for
 * the same samples of the other steps of its turn. */
Status bricks_prepare(Bricks *bricks, uint64_t step, int64_t first, int64_t end);

/* Local, after bricks_prepare: what a tile draws from. */
typedef struct {
  Box core;            /* where samples are drawn */
  Box box;             /* what there is: the core and its margin */
  const void *samples; /* of the box, in the signal's type */
} Brick;

/* Local, thread-safe. The brick of the tile that sample `first` of the step is in. */
Brick bricks_of(const Bricks *bricks, uint64_t step, int64_t first);

/* Local, for forecasts. Bytes that it will hold on one of so many ranks. */
double bricks_bytes_of_rank(const Bricks *bricks, int ranks);

/* Local. Bytes that it holds at most so far. */
size_t bricks_bytes(const Bricks *bricks);

#endif
