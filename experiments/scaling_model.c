#include "experiments/scaling_model.h"

#include <math.h>

static int64_t divide_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* ---- Sums ---- */

/* What a sum over p members has of latencies, and of transfers of all bytes. */
static double messages(int64_t p) {
  return 2 * ceil(log2((double)p));
}

static double transfers(int64_t p) {
  return (double)(p - 1) / (double)p;
}

double scaling_sum(ScalingLink link, int64_t p, double bytes) {
  if (p < 2) return 0;
  return messages(p) * link.latency + transfers(p) * bytes / link.bandwidth;
}

double scaling_bandwidth(ScalingLink link, const ScalingSum *sum) {
  double seconds = sum->seconds - messages(sum->p) * link.latency;
  return seconds > 0 ? transfers(sum->p) * sum->bytes / seconds : INFINITY;
}

/* Least squares of latency * x + y / bandwidth = 1, x and y over the measured time. Where one of
 * the two would be negative, the better one alone. */
ScalingLink scaling_fit(const ScalingSum *sums, int n) {
  double xx = 0, xy = 0, yy = 0, x1 = 0, y1 = 0;
  for (int i = 0; i < n; i++) {
    double x = messages(sums[i].p) / sums[i].seconds;
    double y = transfers(sums[i].p) * sums[i].bytes / sums[i].seconds;
    xx += x * x, xy += x * y, yy += y * y, x1 += x, y1 += y;
  }
  double determinant = xx * yy - xy * xy;
  double a = x1 * yy - y1 * xy, b = y1 * xx - x1 * xy;
  if (determinant > 1e-12 * xx * yy && a > 0 && b > 0) {
    return (ScalingLink){a / determinant, determinant / b};
  }
  if (x1 * x1 / xx > y1 * y1 / yy) return (ScalingLink){x1 / xx, INFINITY};
  return (ScalingLink){0, yy / y1};
}

/* ---- Steps ---- */

static double sums(ScalingLink link, int64_t p, const ScalingWork *work) {
  return scaling_sum(link, p, work->traffic) + scaling_sum(link, p, work->counts);
}

ScalingTimes scaling_times(const ScalingWork *work, const ScalingMachine *machine,
                           const ScalingLayout *layout) {
  int64_t most = divide_up(work->tiles, layout->ranks); /* tiles of a rank */
  double add = work->parameters / machine->add;
  double tile = work->tile_flops / machine->flops + add;
  double mean = (double)work->tiles / ((double)layout->ranks * layout->threads);
  int64_t adding = least(most, layout->threads);
  int64_t members = least(layout->ranks, layout->ranks_per_node);
  int64_t nodes = divide_up(layout->ranks, layout->ranks_per_node);
  double part = work->parameters / (double)layout->ranks;
  return (ScalingTimes){
      .compute = mean * tile,
      .wait = ((double)divide_up(most, layout->threads) - mean) * tile,
      .add = mean * add,
      .sum_threads = adding > 1 ? (double)adding * work->sum_bytes / machine->sum_threads : 0,
      .sum_node = sums(machine->node, members, work),
      .sum_network = sums(machine->network, nodes, work),
      .decode = part / machine->decode,
      .optimizer = part / machine->optimizer};
}

double scaling_total(const ScalingTimes *t) {
  return t->compute + t->wait + t->sum_threads + t->sum_node + t->sum_network + t->decode +
         t->optimizer;
}

double scaling_exact_share(const ScalingTimes *t) {
  double add = t->add * (t->compute + t->wait) / t->compute; /* of the busiest thread */
  return (add + t->sum_threads + t->sum_node + t->sum_network + t->decode) / scaling_total(t);
}

/* ---- Efficiency ---- */

static double step_seconds(const ScalingWork *work, const ScalingMachine *machine,
                           const ScalingLayout *layout) {
  ScalingTimes times = scaling_times(work, machine, layout);
  return scaling_total(&times);
}

static double one_rank(const ScalingWork *work, const ScalingMachine *machine,
                       const ScalingLayout *layout) {
  ScalingLayout one = *layout;
  one.ranks = 1;
  return step_seconds(work, machine, &one);
}

double scaling_strong(const ScalingWork *work, const ScalingMachine *machine,
                      const ScalingLayout *layout) {
  return one_rank(work, machine, layout) /
         ((double)layout->ranks * step_seconds(work, machine, layout));
}

double scaling_weak(const ScalingWork *work, const ScalingMachine *machine,
                    const ScalingLayout *layout) {
  ScalingWork more = *work;
  more.tiles *= layout->ranks;
  return one_rank(work, machine, layout) / step_seconds(&more, machine, layout);
}
