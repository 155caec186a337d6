#include "experiments/bricks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* A place for one brick with its margin. */
typedef struct {
  int64_t brick; /* whose samples it holds; -1: none */
  void *samples;
} Slot;

struct Bricks {
  const Signal *signal;
  BrickPlan plan;
  int64_t samples, tile, tiles, halo;
  size_t slot_bytes;
  int64_t turn;       /* that the list belongs to; -1: none yet */
  int64_t length;     /* of the list */
  int64_t *before;    /* [plan.resident + 1] samples in the list before its items */
  int64_t begin, end; /* items of the list that this rank has, */
  bool filled;        /* if all of them are read */
  int64_t n_slots;    /* with memory */
  Slot *slots;        /* [plan.resident] slots[i]: item begin + i, beyond them unused memory */
};

static size_t largest_box(const Bricks *bricks) {
  size_t bytes = (size_t)bricks->signal->components * sample_bytes(bricks->signal->type);
  for (int i = 0; i < bricks->plan.axes; i++) {
    int64_t parts = bricks->plan.parts[i], size = bricks->plan.size[i];
    int64_t side = (size + parts - 1) / parts + 2 * bricks->halo;
    bytes *= (size_t)(side < size ? side : size);
  }
  return bytes;
}

Status bricks_create(const Signal *signal, const BrickPlan *plan, int64_t samples, int64_t tile,
                     int64_t halo, Bricks **result) {
  Bricks *bricks;
  TRY(memory_allocate(&bricks, 1, sizeof *bricks, "bricks"));
  *bricks = (Bricks){.signal = signal,
                     .plan = *plan,
                     .samples = samples,
                     .tile = tile,
                     .tiles = (samples + tile - 1) / tile,
                     .halo = halo,
                     .turn = -1};
  bricks->slot_bytes = largest_box(bricks);
  size_t n = (size_t)plan->resident;
  Status status = memory_allocate(&bricks->before, n + 1, sizeof *bricks->before, "bricks");
  if (status == STATUS_OK) {
    status = memory_allocate(&bricks->slots, n, sizeof *bricks->slots, "bricks");
  }
  if (status == STATUS_OK) {
    *result = bricks;
  } else {
    bricks_destroy(bricks);
  }
  return status;
}

void bricks_destroy(Bricks *bricks) {
  if (!bricks) return;
  for (int64_t i = 0; i < bricks->n_slots; i++) free(bricks->slots[i].samples);
  free(bricks->slots);
  free(bricks->before);
  free(bricks);
}

size_t bricks_bytes(const Bricks *bricks) {
  return (size_t)bricks->n_slots * bricks->slot_bytes;
}

/* A rank's share of the list, and the bricks in which it begins and ends. */
double bricks_bytes_of_rank(const Bricks *bricks, int ranks) {
  double share = (double)bricks->plan.resident / ranks + (ranks > 1 ? 1 : 0);
  double most = (double)bricks->plan.resident;
  return (share < most ? share : most) * (double)memory_footprint(bricks->slot_bytes);
}

static void list_turn(Bricks *bricks, int64_t turn) {
  bricks->turn = turn;
  bricks->length = brick_turn_length(&bricks->plan, turn);
  for (int64_t i = 0; i < bricks->length; i++) {
    Box box = brick_box(&bricks->plan, brick_turn_item(&bricks->plan, turn, i));
    bricks->before[i + 1] = bricks->before[i] + box_points(&box, bricks->plan.axes);
  }
}

/* The item of the list that holds a sample of it. */
static int64_t item_of(const Bricks *bricks, int64_t point) {
  int64_t low = 0, high = bricks->length; /* before[low] <= point < before[high] */
  while (high - low > 1) {
    int64_t middle = (low + high) / 2;
    if (bricks->before[middle] <= point) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/* Brings the slot that holds a brick already to place i; slots before i are taken. */
static void claim_slot(Bricks *bricks, int64_t i, int64_t brick) {
  for (int64_t j = i; j < bricks->n_slots; j++) {
    if (bricks->slots[j].brick != brick) continue;
    Slot slot = bricks->slots[i];
    bricks->slots[i] = bricks->slots[j];
    bricks->slots[j] = slot;
    return;
  }
}

static Status fill_slot(Bricks *bricks, int64_t i, int64_t brick) {
  const Signal *signal = bricks->signal;
  Slot *slot = &bricks->slots[i];
  if (i < bricks->n_slots && slot->brick == brick) return STATUS_OK;
  if (i == bricks->n_slots) {
    TRY(memory_allocate(&slot->samples, 1, bricks->slot_bytes,
                        "a brick (lower data.brick or data.resident)"));
    bricks->n_slots++;
  }
  Box core = brick_box(&bricks->plan, brick);
  Box box = box_with_halo(&core, signal->axes, signal->size, bricks->halo);
  slot->brick = -1;
  TRY(dataset_read(signal->file, box.first, box.count, NULL, slot->samples));
  slot->brick = brick;
  return STATUS_OK;
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* The items that tiles first ... last may draw from. */
static void choose_items(const Bricks *bricks, int64_t first, int64_t last, int64_t *begin,
                         int64_t *end) {
  int64_t points = bricks->before[bricks->length];
  int64_t low = brick_share(points, first, bricks->tiles);
  int64_t high = brick_share(points, last + 1, bricks->tiles) - 1;
  int64_t alone =
      brick_share(points, last, bricks->tiles); /* where there are more tiles than samples */
  *begin = item_of(bricks, least(low, points - 1));
  *end = item_of(bricks, least(high > alone ? high : alone, points - 1)) + 1;
}

Status bricks_prepare(Bricks *bricks, uint64_t step, int64_t first, int64_t end) {
  int64_t turn = brick_turn(&bricks->plan, step), begin_item, end_item;
  bool same = turn == bricks->turn;
  if (!same) list_turn(bricks, turn);
  choose_items(bricks, first / bricks->tile, (end - 1) / bricks->tile, &begin_item, &end_item);
  if (same && bricks->filled && begin_item == bricks->begin && end_item == bricks->end) {
    return STATUS_OK;
  }
  bricks->filled = false;
  bricks->begin = begin_item;
  bricks->end = end_item;
  for (int64_t i = 0; i < end_item - begin_item; i++) {
    claim_slot(bricks, i, brick_turn_item(&bricks->plan, turn, begin_item + i));
  }
  for (int64_t i = 0; i < end_item - begin_item; i++) {
    TRY(fill_slot(bricks, i, brick_turn_item(&bricks->plan, turn, begin_item + i)));
  }
  bricks->filled = true;
  return STATUS_OK;
}

Brick bricks_of(const Bricks *bricks, uint64_t step, int64_t first) {
  int64_t points = bricks->before[bricks->length], tile = first / bricks->tile;
  int64_t item = item_of(bricks, brick_choice(&bricks->plan, step, points, tile, bricks->tiles));
  assert(item >= bricks->begin && item < bricks->end);
  const Slot *slot = &bricks->slots[item - bricks->begin];
  Brick brick = {.core = brick_box(&bricks->plan, slot->brick), .samples = slot->samples};
  brick.box = box_with_halo(&brick.core, bricks->signal->axes, bricks->signal->size, bricks->halo);
  return brick;
}
