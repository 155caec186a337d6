/* Data in bricks: the plan's properties, and samples that are those of the file. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "experiments/sampler.h"

enum { Z = 13, Y = 10, X = 17, POINTS = Z * Y * X };
static const int64_t grid_size[3] = {Z, Y, X};

/* ---- The plan ---- */

static void test_bricks_partition_the_grid(void **state) {
  (void)state;
  for (int64_t side = 1; side <= 18; side++) {
    BrickPlan plan = brick_plan(3, grid_size, side, 0, 1, 0);
    static int seen[POINTS];
    memset(seen, 0, sizeof seen);
    for (int64_t b = 0; b < plan.bricks; b++) {
      Box box = brick_box(&plan, b);
      assert_true(box_points(&box, 3) > 0);
      for (int i = 0; i < 3; i++) assert_true(box.count[i] <= side);
      for (int64_t p = 0; p < box_points(&box, 3); p++) {
        int64_t x = box.first[2] + p % box.count[2], rest = p / box.count[2];
        int64_t y = box.first[1] + rest % box.count[1], z = box.first[0] + rest / box.count[1];
        seen[(z * Y + y) * X + x]++;
      }
    }
    for (int i = 0; i < POINTS; i++) assert_int_equal(seen[i], 1);
  }
}

static void test_turns_visit_every_brick_once(void **state) {
  (void)state;
  BrickPlan plan = brick_plan(3, grid_size, 4, 7, 5, 3); /* 4 x 3 x 5 bricks, 9 turns */
  assert_int_equal(plan.bricks, 60);
  int differing = 0;
  for (int epoch = 0; epoch < 3; epoch++) {
    int seen[60] = {0};
    for (int64_t turn = 9 * epoch; turn < 9 * epoch + 9; turn++) {
      int64_t n = brick_turn_length(&plan, turn);
      assert_true(n >= 6 && n <= 7);
      for (int64_t i = 0; i < n; i++) {
        int64_t brick = brick_turn_item(&plan, turn, i);
        assert_in_range(brick, 0, 59);
        seen[brick]++;
        differing +=
            brick != brick_turn_item(&plan, turn + 9, i % brick_turn_length(&plan, turn + 9));
      }
    }
    for (int i = 0; i < 60; i++) assert_int_equal(seen[i], 1);
  }
  assert_true(differing > 90); /* of 180: epochs have orders of their own */
  assert_int_equal(brick_turn(&plan, 4), 0);
  assert_int_equal(brick_turn(&plan, 5), 1);
  BrickPlan all = brick_plan(3, grid_size, 4, 0, 5, 3);
  assert_int_equal(brick_turn(&all, 1000), 0);
  for (int i = 0; i < 60; i++) assert_int_equal(brick_turn_item(&all, 0, i), i);
}

static void test_shares_follow_each_other(void **state) {
  (void)state;
  const int64_t cases[][2] = {{100, 7}, {7, 100}, {1, 1}, {(int64_t)1 << 40, 1 << 20}};
  for (int c = 0; c < 4; c++) {
    int64_t points = cases[c][0], tiles = cases[c][1];
    assert_int_equal(brick_share(points, 0, tiles), 0);
    assert_int_equal(brick_share(points, tiles, tiles), points);
    for (int64_t t = 0; t < tiles && t < 1000; t++) {
      assert_true(brick_share(points, t, tiles) <= brick_share(points, t + 1, tiles));
    }
  }
}

/* Every sample of the list is drawn equally often, whatever tile its brick belongs to: a brick's
 * tiles in proportion to its samples. */
static void test_choices_are_uniform(void **state) {
  (void)state;
  enum { POINTS_OF_LIST = 1000, TILES = 7, STEPS = 20000 };
  BrickPlan plan = brick_plan(3, grid_size, 4, 0, 1, 11);
  int counts[10] = {0}; /* bricks of 100 samples each */
  for (int step = 0; step < STEPS; step++) {
    for (int64_t tile = 0; tile < TILES; tile++) {
      int64_t choice = brick_choice(&plan, (uint64_t)step, POINTS_OF_LIST, tile, TILES);
      assert_true(choice >= brick_share(POINTS_OF_LIST, tile, TILES));
      assert_true(choice < brick_share(POINTS_OF_LIST, tile + 1, TILES));
      counts[choice / 100]++;
    }
  }
  double expected = STEPS * TILES / 10.0;
  for (int i = 0; i < 10; i++) assert_true(fabs(counts[i] - expected) < 5 * sqrt(expected));
}

/* ---- Samples ---- */

static float field(int64_t z, int64_t y, int64_t x) {
  return (float)(100 * z + 10 * y + x + 0.125 * (double)(z * x) + 0.25 * (double)(y * y));
}

/* A file with the field; its name is in `path`. */
static void write_file(char path[64]) {
  DatasetInfo info = {.kind = "volume",
                      .axes = "z,y,x",
                      .n_axes = 3,
                      .size = {Z, Y, X},
                      .components = 1,
                      .type = SAMPLE_F32};
  float step[Y * X];
  DatasetWriter *writer = NULL;
  snprintf(path, 64, "/tmp/test-bricks-%ld.h5", (long)getpid());
  assert_int_equal(dataset_create(path, &info, &writer), STATUS_OK);
  for (int64_t z = 0; z < Z; z++) {
    for (int64_t i = 0; i < Y * X; i++) step[i] = field(z, i / X, i % X);
    assert_int_equal(dataset_append(writer, 1, step), STATUS_OK);
  }
  assert_int_equal(dataset_finish(writer, STATUS_OK), STATUS_OK);
}

static Signal open_signal(const char *path) {
  Signal signal = {.axes = 3,
                   .components = 1,
                   .size = {Z, Y, X},
                   .lower = {-1, -1, -1},
                   .upper = {1, 1, 1},
                   .type = SAMPLE_F32,
                   .scale = 0.5,
                   .offset = -3};
  const DatasetWish wish = {3, 4, "a volume"};
  assert_int_equal(dataset_open(path, "", &wish, &signal.file), STATUS_OK);
  return signal;
}

static int64_t place(real x, int64_t n) {
  return llround(((double)x + 1) / 2 * (double)(n - 1));
}

static double slope(const int64_t at[3], int axis) {
  int64_t low[3] = {at[0], at[1], at[2]}, high[3] = {at[0], at[1], at[2]};
  if (at[axis] > 0) low[axis]--;
  if (at[axis] + 1 < grid_size[axis]) high[axis]++;
  double rise = (double)field(high[0], high[1], high[2]) - (double)field(low[0], low[1], low[2]);
  return 0.5 * rise / (2.0 / (double)(grid_size[axis] - 1) * (double)(high[axis] - low[axis]));
}

enum { SAMPLES = 100, TILE = 16, STEPS = 12 };

/* Draws whole steps by `ranks` samplers, each of which prepares its tiles only. */
static void draw_steps(const Signal *signal, bool gradient, int64_t resident, int ranks, real *x,
                       real *data) {
  int64_t tiles = (SAMPLES + TILE - 1) / TILE;
  int width = gradient ? 3 : 1;
  for (int rank = 0; rank < ranks; rank++) {
    Sampler sampler = {
        .signal = signal, .samples = SAMPLES, .seed = 5, .gradient = gradient, .bricks = NULL};
    BrickPlan plan = brick_plan(3, grid_size, 5, resident, 4, 5);
    assert_int_equal(bricks_create(signal, &plan, SAMPLES, TILE, gradient ? 1 : 0, &sampler.bricks),
                     STATUS_OK);
    int64_t first = tiles * rank / ranks * TILE, end = tiles * (rank + 1) / ranks * TILE;
    if (end > SAMPLES) end = SAMPLES;
    for (int step = 0; first < end && step < STEPS; step++) {
      assert_int_equal(sampler_prepare(&sampler, (uint64_t)step, first, end), STATUS_OK);
      for (int64_t s = first; s < end; s += 8) { /* blocks of a tile */
        int rows = (int)(end - s < 8 ? end - s : 8);
        int64_t at = step * SAMPLES + s;
        sampler_draw(&sampler, (uint64_t)step, s, rows, x + 3 * at, data + width * at, NULL);
      }
    }
    sampler_destroy(&sampler);
  }
}

static void check_samples(bool gradient, int64_t resident) {
  static real x[3 * SAMPLES * STEPS], data[3 * SAMPLES * STEPS], x_parts[3 * SAMPLES * STEPS],
      data_parts[3 * SAMPLES * STEPS];
  char path[64];
  write_file(path);
  Signal signal = open_signal(path);
  int width = gradient ? 3 : 1;
  draw_steps(&signal, gradient, resident, 1, x, data);
  for (int s = 0; s < SAMPLES * STEPS; s++) {
    int64_t at[3];
    for (int i = 0; i < 3; i++) at[i] = place(x[3 * s + i], grid_size[i]);
    for (int i = 0; i < width; i++) {
      double truth = gradient ? slope(at, i) : 0.5 * (double)field(at[0], at[1], at[2]) - 3;
      assert_true(fabs((double)data[width * s + i] - truth) < 1e-4 * (1 + fabs(truth)));
    }
  }
  for (int ranks = 2; ranks <= 5; ranks++) {
    draw_steps(&signal, gradient, resident, ranks, x_parts, data_parts);
    assert_memory_equal(x, x_parts, sizeof x);
    assert_memory_equal(data, data_parts, (size_t)(width * SAMPLES * STEPS) * sizeof *data);
  }
  signal_destroy(&signal);
  unlink(path);
}

static void test_values_of_bricks(void **state) {
  (void)state;
  check_samples(false, 0);
  check_samples(false, 3);
  check_samples(false, 1);
}

static void test_gradients_of_bricks(void **state) {
  (void)state;
  check_samples(true, 0);
  check_samples(true, 4);
}

/* A rank of several keeps fewer bricks than one that has all tiles. */
static void test_memory_is_shared_out(void **state) {
  (void)state;
  char path[64];
  write_file(path);
  Signal signal = open_signal(path);
  size_t bytes[2];
  for (int i = 0; i < 2; i++) {
    Bricks *bricks = NULL;
    BrickPlan plan = brick_plan(3, grid_size, 4, 20, 2, 5);
    assert_int_equal(bricks_create(&signal, &plan, 320, 16, 0, &bricks), STATUS_OK);
    for (uint64_t step = 0; step < 20; step++) {
      assert_int_equal(bricks_prepare(bricks, step, 0, i ? 160 : 320), STATUS_OK);
    }
    bytes[i] = bricks_bytes(bricks);
    bricks_destroy(bricks);
  }
  assert_int_equal(bytes[0], 20 * 64 * sizeof(float));
  assert_true(bytes[1] <= 12 * 64 * sizeof(float));
  signal_destroy(&signal);
  unlink(path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bricks_partition_the_grid),
      cmocka_unit_test(test_turns_visit_every_brick_once),
      cmocka_unit_test(test_shares_follow_each_other),
      cmocka_unit_test(test_choices_are_uniform),
      cmocka_unit_test(test_values_of_bricks),
      cmocka_unit_test(test_gradients_of_bricks),
      cmocka_unit_test(test_memory_is_shared_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
