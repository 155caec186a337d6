#include "experiments/brick_plan.h"

#include "core/random.h"

/* ---- Boxes ---- */

BrickPlan brick_plan(int axes, const int64_t *size, int64_t side, int64_t resident, int64_t window,
                     uint64_t seed) {
  BrickPlan plan = {.axes = axes, .bricks = 1, .window = window, .seed = seed};
  for (int i = 0; i < axes; i++) {
    plan.size[i] = size[i];
    plan.parts[i] = (size[i] + side - 1) / side;
    plan.bricks *= plan.parts[i];
  }
  plan.resident = resident > 0 && resident < plan.bricks ? resident : plan.bricks;
  return plan;
}

/* The first of n things that belong to part i of `parts`: n * i / parts without overflow. */
static int64_t part_begin(int64_t n, int64_t i, int64_t parts) {
  return n / parts * i + n % parts * i / parts;
}

Box brick_box(const BrickPlan *plan, int64_t brick) {
  Box box = {{0}, {0}};
  for (int i = plan->axes - 1; i >= 0; i--) {
    int64_t at = brick % plan->parts[i];
    brick /= plan->parts[i];
    box.first[i] = part_begin(plan->size[i], at, plan->parts[i]);
    box.count[i] = part_begin(plan->size[i], at + 1, plan->parts[i]) - box.first[i];
  }
  return box;
}

int64_t box_points(const Box *box, int axes) {
  int64_t points = 1;
  for (int i = 0; i < axes; i++) points *= box->count[i];
  return points;
}

Box box_with_halo(const Box *box, int axes, const int64_t *size, int64_t halo) {
  Box wide = *box;
  for (int i = 0; i < axes; i++) {
    int64_t end = box->first[i] + box->count[i] + halo;
    wide.first[i] = box->first[i] > halo ? box->first[i] - halo : 0;
    wide.count[i] = (end < size[i] ? end : size[i]) - wide.first[i];
  }
  return wide;
}

/* ---- Turns ---- */

static int64_t turns_of_epoch(const BrickPlan *plan) {
  return (plan->bricks + plan->resident - 1) / plan->resident;
}

int64_t brick_turn(const BrickPlan *plan, uint64_t step) {
  return turns_of_epoch(plan) == 1 ? 0 : (int64_t)(step / (uint64_t)plan->window);
}

int64_t brick_turn_length(const BrickPlan *plan, int64_t turn) {
  int64_t turns = turns_of_epoch(plan), at = turn % turns;
  return part_begin(plan->bricks, at + 1, turns) - part_begin(plan->bricks, at, turns);
}

int64_t brick_turn_item(const BrickPlan *plan, int64_t turn, int64_t item) {
  int64_t turns = turns_of_epoch(plan);
  if (turns == 1) return item;
  RandomStream stream = {plan->seed, RANDOM_BRICK, (uint64_t)(turn / turns)};
  uint64_t place = (uint64_t)(part_begin(plan->bricks, turn % turns, turns) + item);
  return (int64_t)random_permute(stream, place, (uint64_t)plan->bricks);
}

/* ---- Tiles ---- */

int64_t brick_share(int64_t points, int64_t tile, int64_t tiles) {
  return part_begin(points, tile, tiles);
}

int64_t brick_choice(const BrickPlan *plan, uint64_t step, int64_t points, int64_t tile,
                     int64_t tiles) {
  int64_t first = brick_share(points, tile, tiles), end = brick_share(points, tile + 1, tiles);
  if (end <= first) return first < points ? first : points - 1; /* more tiles than samples */
  RandomStream stream = {plan->seed, RANDOM_BRICK, step};
  return first + (int64_t)random_below(stream, (uint64_t)tile, 0, (uint64_t)(end - first));
}
