/* The arithmetic of scaling: times of a step on p ranks from rates, and rates from times. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "experiments/scaling_model.h"

/* The paper's image, 512^2 samples and 198,401 parameters, in tiles so small that they always come
 * out even; nodes of 64 threads with 3.2 TFLOP/s, 400 GB/s of cache, 12.5 GB/s of network. */
static const double parameters = 198401;

static ScalingWork image_work(double bytes_each) {
  return (ScalingWork){.tiles = 16384,
                       .tile_flops = 0.31e12 / 16384,
                       .parameters = parameters,
                       .sum_bytes = bytes_each * parameters,
                       .traffic = 2 * bytes_each * parameters};
}

static ScalingMachine cluster(void) {
  return (ScalingMachine){.flops = 3.2e12 / 64,
                          .add = INFINITY,
                          .sum_threads = 400e9,
                          .decode = INFINITY,
                          .optimizer = INFINITY,
                          .node = {0.5e-6, 20e9},
                          .network = {1.5e-6, 12.5e9}};
}

/* Milliseconds and efficiencies that were worked out by hand for 4, 16, 64 and 256 such nodes. */
static void test_known_numbers(void **state) {
  (void)state;
  static const struct {
    int nodes;
    double compute, sum_single, strong_single, sum_exact, strong_exact;
  } rows[] = {{4, 24.2, 0.23, 0.99, 0.45, 0.98},
              {16, 6.06, 0.26, 0.96, 0.50, 0.92},
              {64, 1.51, 0.27, 0.85, 0.52, 0.74},
              {256, 0.38, 0.28, 0.58, 0.53, 0.42}};
  ScalingMachine machine = cluster();
  for (int i = 0; i < 4; i++) {
    ScalingLayout layout = {rows[i].nodes, 64, 1};
    for (int exact = 0; exact < 2; exact++) {
      ScalingWork work = image_work(exact ? 8 : 4);
      ScalingTimes times = scaling_times(&work, &machine, &layout);
      double sum = exact ? rows[i].sum_exact : rows[i].sum_single;
      double strong = exact ? rows[i].strong_exact : rows[i].strong_single;
      assert_true(fabs(1e3 * times.compute - rows[i].compute) < 0.01 * rows[i].compute);
      assert_true(times.wait == 0 && times.sum_node == 0);
      double counts = scaling_sum(machine.network, rows[i].nodes, 0); /* which they leave out */
      times.sum_network -= counts;
      assert_true(fabs(1e3 * (times.sum_threads + times.sum_network) - sum) < 0.006);
      assert_true(fabs(times.compute / scaling_total(&times) - strong) < 0.006);
    }
  }
}

/* With nothing but work that comes out even, n ranks are n times as fast. */
static void test_limit_of_no_cost(void **state) {
  (void)state;
  ScalingWork work = image_work(8);
  ScalingMachine machine = cluster();
  machine.sum_threads = INFINITY;
  machine.node = machine.network = (ScalingLink){0, INFINITY};
  for (int64_t ranks = 1; ranks <= 256; ranks *= 2) {
    ScalingLayout layout = {ranks, 64, 8};
    assert_true(fabs(scaling_strong(&work, &machine, &layout) - 1) < 1e-12);
    assert_true(fabs(scaling_weak(&work, &machine, &layout) - 1) < 1e-12);
  }
}

/* 5 tiles: 3 and 2 on two ranks; one each on five or more, of which the others wait. */
static void test_whole_tiles(void **state) {
  (void)state;
  ScalingWork work = {
      .tiles = 5, .tile_flops = 1e9, .parameters = 1, .sum_bytes = 8, .traffic = 12};
  ScalingMachine machine = cluster();
  machine.flops = 1e9;
  static const struct {
    ScalingLayout layout;
    double busiest;
  } rows[] = {{{1, 1, 1}, 5}, {{1, 2, 1}, 3}, {{2, 1, 1}, 3}, {{2, 2, 1}, 2},
              {{3, 1, 1}, 2}, {{4, 4, 1}, 1}, {{5, 1, 1}, 1}, {{1024, 1, 1}, 1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const ScalingLayout *layout = &rows[i].layout;
    ScalingTimes times = scaling_times(&work, &machine, layout);
    double mean = 5.0 / ((double)layout->ranks * layout->threads);
    assert_true(fabs(times.compute - mean) < 1e-12);
    assert_true(fabs(times.compute + times.wait - rows[i].busiest) < 1e-12);
  }
}

/* More ranks never make the work of a step longer, nor a sum shorter; efficiency never rises where
 * there is nothing that one rank did alone. */
static void test_monotonic(void **state) {
  (void)state;
  ScalingWork work = {.tiles = 256,
                      .tile_flops = 1.2e9,
                      .parameters = parameters,
                      .sum_bytes = 8 * parameters,
                      .traffic = 12 * parameters,
                      .counts = 20e3};
  ScalingMachine machine = cluster();
  machine.add = 1e9;
  double busy = INFINITY, sum = 0, weak = INFINITY, share = 0;
  for (int64_t ranks = 1; ranks <= 1024; ranks *= 2) {
    ScalingLayout layout = {ranks, 1, 4};
    ScalingTimes times = scaling_times(&work, &machine, &layout);
    double now = times.sum_node + times.sum_network;
    assert_true(times.compute + times.wait <= busy && now >= sum);
    busy = times.compute + times.wait;
    sum = now;
    double strong = scaling_strong(&work, &machine, &layout);
    double next = scaling_weak(&work, &machine, &layout);
    assert_true(strong > 0 && strong <= 1 && next <= weak && next >= strong);
    assert_true(scaling_exact_share(&times) >= share && scaling_exact_share(&times) < 1);
    share = scaling_exact_share(&times);
    weak = next;
    assert_true(ranks > 1 || fabs(strong - 1) < 1e-12);
  }
}

/* Tiles that are added, threads with tiles, members of a node and nodes. */
static void test_parts_of_a_step(void **state) {
  (void)state;
  ScalingWork work = {.tiles = 16,
                      .tile_flops = 2e9,
                      .parameters = 1e6,
                      .sum_bytes = 8e6,
                      .traffic = 12e6,
                      .counts = 6e6};
  ScalingMachine machine = {.flops = 1e9,
                            .add = 1e6,
                            .sum_threads = 16e6,
                            .decode = 2e6,
                            .optimizer = 4e6,
                            .node = {1, 12e6},
                            .network = {10, 6e6}};
  ScalingLayout layout = {8, 4, 4};
  ScalingTimes t = scaling_times(&work, &machine, &layout);
  assert_true(fabs(t.compute - 0.5 * 3) < 1e-12 && fabs(t.wait - 0.5 * 3) < 1e-12);
  assert_true(fabs(t.add - 0.5) < 1e-12);
  assert_true(fabs(t.sum_threads - 2 * 8 / 16.0) < 1e-12); /* two of four threads have a tile */
  assert_true(fabs(t.sum_node - (4 + 4 + 0.75 * 18 / 12)) < 1e-12);
  assert_true(fabs(t.sum_network - (20 + 20 + 0.5 * 18 / 6)) < 1e-12);
  assert_true(fabs(t.decode - 0.5 / 8) < 1e-12 && fabs(t.optimizer - 0.25 / 8) < 1e-12);
  double exact = 1 + t.sum_threads + t.sum_node + t.sum_network + t.decode;
  assert_true(fabs(scaling_exact_share(&t) - exact / (exact + 2 + 0.25 / 8)) < 1e-12);
}

static void fill(ScalingLink link, ScalingSum *sums, int n) {
  for (int i = 0; i < n; i++) {
    sums[i] = (ScalingSum){.p = 2 << i % 3, .bytes = pow(8, i)};
    sums[i].seconds = scaling_sum(link, sums[i].p, sums[i].bytes);
  }
}

static void test_fit(void **state) {
  (void)state;
  ScalingSum sums[9];
  fill((ScalingLink){1.5e-6, 12.5e9}, sums, 9);
  ScalingLink link = scaling_fit(sums, 9);
  assert_true(fabs(link.latency - 1.5e-6) < 1e-12 && fabs(link.bandwidth - 12.5e9) < 1e3);
  for (int i = 0; i < 9; i++) { /* wrong by up to 10 %, either way */
    sums[i].seconds *= i % 2 ? 1.1 : 0.9;
  }
  link = scaling_fit(sums, 9);
  assert_true(fabs(link.latency - 1.5e-6) < 0.2e-6 && fabs(link.bandwidth - 12.5e9) < 2e9);

  fill((ScalingLink){0, 1e9}, sums, 9); /* nothing but bandwidth, nothing but latency */
  link = scaling_fit(sums, 9);
  assert_true(fabs(link.latency) < 1e-12 && fabs(link.bandwidth - 1e9) < 1);
  fill((ScalingLink){1e-3, INFINITY}, sums, 9);
  link = scaling_fit(sums, 9);
  assert_true(fabs(link.latency - 1e-3) < 1e-9 && link.bandwidth > 1e15);
  link = scaling_fit(sums, 1);
  assert_true(link.latency >= 0 && link.bandwidth > 0);
}

static void test_bandwidth_of_one_sum(void **state) {
  (void)state;
  ScalingSum sum = {.p = 4, .bytes = 1e6};
  sum.seconds = scaling_sum((ScalingLink){1e-6, 5e9}, 4, 1e6);
  assert_true(fabs(scaling_bandwidth((ScalingLink){1e-6, 0}, &sum) - 5e9) < 1);
  assert_true(isinf(scaling_bandwidth((ScalingLink){1, 0}, &sum)));
  assert_true(scaling_sum((ScalingLink){1, 1}, 1, 100) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_numbers),        cmocka_unit_test(test_limit_of_no_cost),
      cmocka_unit_test(test_whole_tiles),          cmocka_unit_test(test_monotonic),
      cmocka_unit_test(test_parts_of_a_step),      cmocka_unit_test(test_fit),
      cmocka_unit_test(test_bandwidth_of_one_sum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
