#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/headline.h"
#include "experiments/progress.h"
#include "experiments/sweep/report_chart.h"
#include "experiments/sweep/report_parts.h"
#include "experiments/sweep/report_pictures.h"
#include "io/file.h"

enum { BINS = 150, MANY = 100, FEW_BINS = 40 /* of each of many runs */ };

/* ---- What run.h5 says ---- */

static Status read_file(const char *path, ReportRun *facts) {
  TRY(runfile_read_metrics(path, &facts->n_metrics, &facts->metrics));
  return runfile_read_texts(path, "/provenance", &facts->n_facts, &facts->facts);
}

void report_read_run(const BoardRun *run, ReportRun *facts) {
  *facts = (ReportRun){.n_metrics = 0};
  if (run->standing != STANDING_COMPLETE) return;
  char *path = file_join(run->directory, "run.h5");
  if (read_file(path, facts) != STATUS_OK) {
    snprintf(facts->damage, sizeof facts->damage, "%s", status_message());
  }
  free(path);
}

void report_free_run(ReportRun *facts) {
  free(facts->metrics);
  runtexts_destroy(facts->n_facts, facts->facts);
}

static const RunMetric *find_metric(const ReportRun *run, const char *name) {
  for (int i = 0; i < run->n_metrics; i++) {
    if (!strcmp(run->metrics[i].name, name)) return &run->metrics[i];
  }
  return NULL;
}

double report_metric(const ReportRun *run, const char *name) {
  const RunMetric *metric = find_metric(run, name);
  return metric ? metric->value : (double)NAN;
}

bool report_has_metric(const ReportRun *run, const char *name, const char **units) {
  const RunMetric *metric = find_metric(run, name);
  if (metric) *units = metric->units;
  return metric;
}

/* ---- Small pieces ---- */

void report_number(Html *html, double value, const char *units) {
  char text[64];
  if (isnan(value)) return;
  snprintf(text, sizeof text, "%.5g", value);
  html_text(html, text);
  if (!*units || !strcmp(units, "1")) return;
  html_put(html, " ");
  html_text(html, units);
}

void report_pairs(Html *html, int n, const RunText *pairs) {
  html_put(html, "<table class=\"pairs\"><tbody>\n");
  for (int i = 0; i < n; i++) {
    html_put(html, "<tr><th scope=\"row\">");
    html_text(html, pairs[i].name);
    html_put(html, "</th><td>");
    html_text(html, pairs[i].text);
    html_put(html, "</td></tr>\n");
  }
  html_put(html, "</tbody></table>\n");
}

static void put_pairs(Html *html, const char *title, int n, const RunText *pairs) {
  if (n == 0) return;
  html_put(html, "<details><summary>%s</summary>\n", title);
  report_pairs(html, n, pairs);
  html_put(html, "</details>\n");
}

static void put_message(Html *html, Standing standing, const char *message) {
  if (!*message) return;
  html_put(html, "<p class=\"message %s\">", standing_name(standing));
  html_text(html, message);
  html_put(html, "</p>\n");
}

/* ---- A run ---- */

static void put_metrics(Html *html, const ReportRun *facts) {
  if (facts->n_metrics == 0) return;
  html_put(html,
           "<table><thead><tr><th>metric</th><th class=\"n\">value</th></tr></thead>"
           "<tbody>\n");
  for (int i = 0; i < facts->n_metrics; i++) {
    html_put(html, "<tr><td>");
    html_text(html, facts->metrics[i].name);
    html_put(html, "</td><td class=\"n\">");
    report_number(html, facts->metrics[i].value, facts->metrics[i].units);
    html_put(html, "</td></tr>\n");
  }
  html_put(html, "</tbody></table>\n");
}

/* How far it has come, in words. */
static void put_progress(const Report *report, const BoardRun *run) {
  Html *html = report->html;
  char text[HEADLINE_TEXT], eta[24];
  html_put(html, "<p>");
  if (run->log.step < 0) {
    html_put(html, "Nothing is logged.");
  } else {
    html_put(html, "Step %" PRId64, run->log.step + 1);
    if (run->state.steps > 0) html_put(html, " of %" PRId64, run->state.steps);
    if (!isnan(run->log.loss)) html_put(html, ", loss %.5g", run->log.loss);
    if (*headline_value(run->log.name, run->log.value, text)) {
      html_put(html, ", ");
      html_text(html, run->log.name);
      html_put(html, " ");
      html_text(html, text);
    }
    html_put(html, ".");
  }
  double left = board_eta(report->board, run);
  if (run->standing == STANDING_RUNNING && left > 0) {
    progress_time(left, eta);
    html_put(html, " About %s to go.", eta);
  }
  html_put(html, "</p>\n");
}

static void put_place(Html *html, const BoardRun *run) {
  html_put(html, "<p class=\"soft\">");
  html_text(html, run->directory);
  if (*run->state.host) {
    html_put(html, ", on ");
    html_text(html, run->state.host);
    html_put(html, ": %d rank%s × %d thread%s, attempt %d, %.4g core-minutes", run->state.ranks,
             run->state.ranks == 1 ? "" : "s", run->state.threads,
             run->state.threads == 1 ? "" : "s", run->state.attempts, run->state.core / 60);
  }
  html_put(html, "</p>\n");
}

/* The configuration is also in checkpoints, for runs that have not come to an end. */
static void put_config(Html *html, const BoardRun *run) {
  static const char *const files[] = {"run.h5", "checkpoint.h5", "checkpoint.previous.h5"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    int n = 0;
    RunText *texts = NULL;
    char *path = file_join(run->directory, files[i]);
    bool found = file_exists(path) && runfile_read_texts(path, "/config", &n, &texts) == STATUS_OK;
    free(path);
    if (!found) continue;
    put_pairs(html, "Configuration", n, texts);
    runtexts_destroy(n, texts);
    return;
  }
}

void report_run(Report *report, int i) {
  const BoardRun *run = &report->board->runs[i];
  const ReportRun *facts = &report->runs[i];
  Html *html = report->html;
  Trace traces[TRACE_MOST];
  put_place(html, run);
  put_message(html, run->standing, run->state.message);
  put_message(html, STANDING_FAILED, facts->damage);
  if (run->standing != STANDING_COMPLETE) put_progress(report, run);
  put_metrics(html, facts);
  int n = trace_run(run, TRACE_MOST, report->details > MANY ? FEW_BINS : BINS, traces);
  report_chart(html, run->label, n, traces, -1);
  trace_destroy(n, traces);
  double share = report->budget / (report->details - i);
  report->budget -= report_pictures(html, run->directory, NULL, share);
  put_config(html, run);
  put_pairs(html, "Provenance", facts->n_facts, facts->facts);
}
