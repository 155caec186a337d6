/* How data that no memory holds are drawn from: the grid is cut into bricks, a step draws from some
 * of them, the resident ones, and every tile of a step from one brick. Which one is a pure function
 * of (seed, step, tile), never of ranks; yet ranks need few bricks, since a rank's tiles follow
 * each other and neighbouring tiles draw from neighbouring bricks of one list.
 *
 * Turns: where not all bricks are resident, the list changes every `window` steps. The turns of an
 * epoch go once through a random permutation of all bricks. */
#ifndef EXPERIMENTS_BRICK_PLAN_H
#define EXPERIMENTS_BRICK_PLAN_H

#include <stdint.h>

#include "core/network.h"

/* A box of a grid: samples first[i] ... first[i] + count[i] - 1 along every axis. */
typedef struct {
  int64_t first[NETWORK_MAX_IN], count[NETWORK_MAX_IN];
} Box;

typedef struct {
  int axes;
  int64_t size[NETWORK_MAX_IN];  /* of the grid */
  int64_t parts[NETWORK_MAX_IN]; /* bricks along each axis, equal but for one sample */
  int64_t bricks;                /* in all */
  int64_t resident;              /* in a turn, at most: 1..bricks */
  int64_t window;                /* steps of a turn, >= 1 */
  uint64_t seed;
} BrickPlan;

/* All functions are Local and pure. */

/* Bricks of at most `side` samples a side; resident 0: all of them. */
BrickPlan brick_plan(int axes, const int64_t *size, int64_t side, int64_t resident, int64_t window,
                     uint64_t seed);

Box brick_box(const BrickPlan *plan, int64_t brick);
int64_t box_points(const Box *box, int axes);

/* The box with a margin of `halo` samples, within the grid. */
Box box_with_halo(const Box *box, int axes, const int64_t *size, int64_t halo);

/* The turn that a step belongs to, the number of bricks in its list, and the list's items. */
int64_t brick_turn(const BrickPlan *plan, uint64_t step);
int64_t brick_turn_length(const BrickPlan *plan, int64_t turn);
int64_t brick_turn_item(const BrickPlan *plan, int64_t turn, int64_t item);

/* The first of the `points` samples of a turn's list, one brick after the other, that belong to
 * tile `tile` of `tiles`; they end where those of the next tile begin. The tile draws from the
 * brick in which brick_choice lies, uniform among them: so every sample is equally likely to be
 * drawn. */
int64_t brick_share(int64_t points, int64_t tile, int64_t tiles);
int64_t brick_choice(const BrickPlan *plan, uint64_t step, int64_t points, int64_t tile,
                     int64_t tiles);

#endif
