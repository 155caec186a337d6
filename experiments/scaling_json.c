#include <jansson.h>
#include <math.h>

#include "core/real.h"
#include "experiments/scaling_parts.h"

/* JSON has no infinity: what is not known is null. */
static json_t *number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *link_json(ScalingLink link) {
  return json_pack("{s:o, s:o}", "latency_us", number(1e6 * link.latency), "bandwidth_gbs",
                   number(1e-9 * link.bandwidth));
}

static json_t *times_json(const ScalingTimes *t, double step) {
  return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "step_ms", 1e3 * step,
                   "compute_ms", 1e3 * t->compute, "wait_ms", 1e3 * t->wait, "add_ms", 1e3 * t->add,
                   "sum_threads_ms", 1e3 * t->sum_threads, "sum_ranks_ms",
                   1e3 * (t->sum_node + t->sum_network), "decode_ms", 1e3 * t->decode,
                   "optimizer_ms", 1e3 * t->optimizer, "exact_sum_share", scaling_exact_share(t));
}

static json_t *work_json(const ScalingWork *w) {
  return json_pack("{s:f, s:I, s:f, s:f, s:f}", "parameters", w->parameters, "tiles",
                   (json_int_t)w->tiles, "tile_flops", w->tile_flops, "sum_bytes", w->sum_bytes,
                   "traffic_bytes", w->traffic + w->counts);
}

static json_t *machine_json(const ScalingMachine *m) {
  return json_pack("{s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "thread_gflops", 1e-9 * m->flops,
                   "add_parameters_s", m->add, "sum_threads_gbs", 1e-9 * m->sum_threads,
                   "decode_parameters_s", m->decode, "optimizer_parameters_s", m->optimizer, "node",
                   link_json(m->node), "network", link_json(m->network));
}

static json_t *sums_json(const ScalingReport *report) {
  json_t *list = json_array();
  for (int i = 0; i < report->n_sums; i++) {
    const ScalingSumRow *row = &report->sums[i];
    json_array_append_new(
        list, json_pack("{s:i, s:i, s:f, s:f, s:f, s:f, s:f}", "ranks", row->ranks, "nodes",
                        row->nodes, "parameters", row->elements, "traffic_bytes", row->traffic,
                        "us", 1e6 * row->seconds, "fitted_us",
                        1e6 * scaling_predicted_sum(report, row), "mpi_us", 1e6 * row->mpi));
  }
  return list;
}

static json_t *rows_json(const ScalingReport *report, const ScalingStudy *study) {
  json_t *list = json_array();
  for (int i = 0; i < study->n_rows; i++) {
    const ScalingRow *row = &study->rows[i];
    ScalingTimes model = scaling_predicted(report, study, row);
    json_array_append_new(
        list, json_pack("{s:i, s:i, s:i, s:o, s:o}", "ranks", row->ranks, "nodes", row->nodes,
                        "threads", row->threads, "measured", times_json(&row->times, row->step),
                        "predicted", times_json(&model, scaling_total(&model))));
  }
  return list;
}

static json_t *forecast_json(const ScalingReport *report, const ScalingStudy *study) {
  json_t *list = json_array();
  ScalingLayout layout = report->layout;
  for (layout.ranks = 1; layout.ranks <= SCALING_MOST_RANKS; layout.ranks *= 2) {
    ScalingTimes t = scaling_times(&study->whole, &study->machine, &layout);
    json_array_append_new(
        list, json_pack("{s:I, s:o, s:f, s:f}", "ranks", (json_int_t)layout.ranks, "times",
                        times_json(&t, scaling_total(&t)), "strong",
                        scaling_strong(&study->whole, &study->machine, &layout), "weak",
                        scaling_weak(&study->whole, &study->machine, &layout)));
  }
  return list;
}

static json_t *study_json(const ScalingReport *report, const ScalingStudy *study) {
  const ScalingNetwork *n = study->network;
  return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:I, s:o, s:o, s:o, s:o, s:o}", "network",
                   n->name, "what", n->what, "in", n->in, "width", n->width, "layers", n->layers,
                   "out", n->out, "tile", (json_int_t)study->tile, "measured_work",
                   work_json(&study->measured), "work", work_json(&study->whole), "rates",
                   machine_json(&study->machine), "steps", rows_json(report, study), "forecast",
                   forecast_json(report, study));
}

Status scaling_print_json(const ScalingReport *report, FILE *out) {
  json_t *list = json_array();
  for (int i = 0; i < report->n_studies; i++) {
    json_array_append_new(list, study_json(report, &report->studies[i]));
  }
  json_t *all =
      json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:i, s:i, s:o}", "host", comm_host(),
                "arithmetic", REAL_NAME, "ranks", report->ranks, "nodes", report->nodes, "threads",
                report->threads, "rounds", report->settings->rounds, "sums", sums_json(report),
                "node", report->node_measured ? link_json(report->node) : json_null(), "network",
                report->network_measured ? link_json(report->network) : json_null(),
                "forecast_threads", report->layout.threads, "forecast_ranks_per_node",
                report->layout.ranks_per_node, "networks", list);
  if (!all) return status_fail(STATUS_FAILED, "out of memory for the results");
  json_dumpf(all, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
  fputc('\n', out);
  json_decref(all);
  return STATUS_OK;
}
