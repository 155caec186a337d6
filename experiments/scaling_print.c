#include <math.h>

#include "core/linalg.h"
#include "core/real.h"
#include "experiments/scaling_parts.h"

static const char *plural(int n) {
  return n == 1 ? "" : "s";
}

/* ---- Sums over ranks ---- */

static void print_link(FILE *out, const char *name, ScalingLink link, const char *how) {
  fprintf(out, "%s: latency %.3g us, bandwidth %.3g GB/s %s\n", name, 1e6 * link.latency,
          1e-9 * link.bandwidth, how);
}

static void print_sums(const ScalingReport *report, FILE *out) {
  fprintf(out, "\n%-12s %6s %6s %12s %12s %12s %9s %14s\n", "sums", "ranks", "nodes", "parameters",
          "us", "fitted us", "GB/s", "one of MPI, us");
  for (int i = 0; i < report->n_sums; i++) {
    const ScalingSumRow *row = &report->sums[i];
    fprintf(out, "%-12s %6d %6d %12.0f %12.2f %12.2f %9.3f %14.2f\n", "", row->ranks, row->nodes,
            row->elements, 1e6 * row->seconds, 1e6 * scaling_predicted_sum(report, row),
            1e-9 * row->traffic / row->seconds, 1e6 * row->mpi);
  }
  if (report->n_sums == 0) fprintf(out, "%-12s one rank has none\n", "");
  if (report->node_measured) print_link(out, "within a node", report->node, "(fitted)");
  if (report->network_measured) print_link(out, "between nodes", report->network, "(fitted)");
}

/* ---- Steps ---- */

static void print_head(const ScalingStudy *study, FILE *out) {
  const ScalingNetwork *n = study->network;
  const ScalingWork *w = &study->measured;
  fprintf(out,
          "\n%s: %s\n%d-%dx%d-%d, %.0f parameters; a step here: %lld tiles of %lld samples, %.3g "
          "GFLOP\n",
          n->name, n->what, n->in, n->width, n->layers + 1, n->out, w->parameters,
          (long long)w->tiles, (long long)study->tile, 1e-9 * w->tile_flops * (double)w->tiles);
}

static void print_times(const char *what, const ScalingTimes *t, double step, FILE *out) {
  fprintf(out, "%-10s %10.2f %10.2f %9.2f %9.2f %9.2f %9.2f %10.2f", what, 1e3 * step,
          1e3 * t->compute, 1e3 * t->wait, 1e3 * t->sum_threads,
          1e3 * (t->sum_node + t->sum_network), 1e3 * t->decode, 1e3 * t->optimizer);
}

static void print_rows(const ScalingReport *report, const ScalingStudy *study, FILE *out) {
  fprintf(out, "%-9s %-10s %10s %10s %9s %9s %9s %9s %10s %7s\n", "ranks", "ms", "step", "compute",
          "wait", "threads", "ranks", "decode", "optimiser", "error");
  for (int i = 0; i < study->n_rows; i++) {
    const ScalingRow *row = &study->rows[i];
    ScalingTimes model = scaling_predicted(report, study, row);
    double total = scaling_total(&model);
    char layout[32];
    snprintf(layout, sizeof layout, "%d x %d", row->ranks, row->threads);
    fprintf(out, "%-9s ", layout);
    print_times("measured", &row->times, row->step, out);
    fprintf(out, "\n%-9s ", "");
    print_times("predicted", &model, total, out);
    fprintf(out, " %+6.1f%%\n", 100 * (total / row->step - 1));
  }
}

static void print_rates(const ScalingStudy *study, FILE *out) {
  enum {
    ADD_BYTES = 20,
    DECODE_BYTES = 12,
    ADAM_BYTES = 28
  }; /* of a parameter, read and written */
  const ScalingMachine *m = &study->machine;
  fprintf(out,
          "rates: %.1f GFLOP/s of a thread; GB/s: adding %.1f, of a thread; of a rank: threads "
          "%.1f, decode %.1f,\noptimiser %.1f; ranks of a node %.2f\n",
          1e-9 * m->flops, 1e-9 * ADD_BYTES * m->add, 1e-9 * m->sum_threads,
          1e-9 * DECODE_BYTES * m->decode, 1e-9 * ADAM_BYTES * m->optimizer,
          1e-9 * m->node.bandwidth);
}

/* ---- The exact sum ---- */

static void print_exact(const ScalingReport *report, FILE *out) {
  fprintf(out, "\nexact sum on %d x %d (ms)\n%-13s %11s %6s %9s %8s %8s %8s %8s %9s %7s %7s\n",
          report->ranks, report->threads, "network", "parameters", "tiles", "computing", "adding",
          "threads", "ranks", "decode", "optimiser", "share", "whole");
  for (int i = 0; i < report->n_studies; i++) {
    const ScalingStudy *study = &report->studies[i];
    const ScalingRow *row = &study->rows[study->n_rows - 1];
    const ScalingTimes *t = &row->times;
    ScalingLayout layout = {row->ranks, row->threads, (row->ranks + row->nodes - 1) / row->nodes};
    ScalingTimes whole = scaling_times(&study->whole, &study->machine, &layout);
    fprintf(out, "%-13s %11.0f %6lld %9.1f %8.2f %8.2f %8.2f %8.2f %9.2f %6.2f%% %6.2f%%\n",
            study->network->name, study->measured.parameters, (long long)study->measured.tiles,
            1e3 * (t->compute - t->add), 1e3 * t->add, 1e3 * t->sum_threads, 1e3 * t->sum_node,
            1e3 * t->decode, 1e3 * t->optimizer, 100 * scaling_exact_share(t),
            100 * scaling_exact_share(&whole));
  }
  fprintf(out, "share: of the step that was measured; whole: of the network's own, by the model\n");
}

/* ---- The forecast ---- */

static void print_limit(const ScalingStudy *study, int threads, FILE *out) {
  int64_t tiles = study->whole.tiles, ranks = (tiles + threads - 1) / threads;
  fprintf(out, "A step has %lld tile%s: beyond %lld rank%s of %d thread%s the others are idle.%s\n",
          (long long)tiles, plural((int)tiles), (long long)ranks, plural((int)ranks), threads,
          plural(threads), study->network->tiles ? "" : " A smaller train.tile changes that.");
}

static void print_forecast(const ScalingReport *report, const ScalingStudy *study, FILE *out) {
  const ScalingWork *w = &study->whole;
  fprintf(out, "\nforecast: %s, %.0f parameters, %lld tiles, %.4g GFLOP a step\n",
          study->network->name, w->parameters, (long long)w->tiles,
          1e-9 * w->tile_flops * (double)w->tiles);
  fprintf(out, "%6s %6s %11s %10s %9s %9s %10s %8s %8s\n", "ranks", "nodes", "step ms", "compute",
          "wait", "sums", "optimiser", "strong", "weak");
  ScalingLayout layout = report->layout;
  for (layout.ranks = 1; layout.ranks <= SCALING_MOST_RANKS; layout.ranks *= 2) {
    ScalingTimes t = scaling_times(w, &study->machine, &layout);
    double sums = t.sum_threads + t.sum_node + t.sum_network + t.decode;
    fprintf(out, "%6lld %6lld %11.3f %10.3f %9.3f %9.3f %10.3f %7.1f%% %7.1f%%\n",
            (long long)layout.ranks,
            (long long)((layout.ranks + layout.ranks_per_node - 1) / layout.ranks_per_node),
            1e3 * scaling_total(&t), 1e3 * t.compute, 1e3 * t.wait, 1e3 * sums, 1e3 * t.optimizer,
            100 * scaling_strong(w, &study->machine, &layout),
            100 * scaling_weak(w, &study->machine, &layout));
  }
  print_limit(study, layout.threads, out);
}

void scaling_print(const ScalingReport *report, FILE *out) {
  fprintf(
      out,
      "scaling on %s: %d rank%s on %d node%s, up to %d thread%s each, %s; medians of %d steps\n",
      comm_host(), report->ranks, plural(report->ranks), report->nodes, plural(report->nodes),
      report->threads, plural(report->threads), REAL_NAME, 3 * report->settings->rounds);
  print_sums(report, out);
  for (int i = 0; i < report->n_studies; i++) {
    print_head(&report->studies[i], out);
    print_rows(report, &report->studies[i], out);
    print_rates(&report->studies[i], out);
  }
  print_exact(report, out);
  const ScalingLayout *layout = &report->layout;
  fprintf(out,
          "\nforecast for ranks of %d thread%s, %d rank%s a node, the rates above; strong and "
          "weak: efficiency\n",
          layout->threads, plural(layout->threads), layout->ranks_per_node,
          plural(layout->ranks_per_node));
  print_link(out, "between nodes", report->forecast, "");
  for (int i = 0; i < report->n_studies; i++) print_forecast(report, &report->studies[i], out);
}
