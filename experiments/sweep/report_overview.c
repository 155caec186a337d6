#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/headline.h"
#include "experiments/progress.h"
#include "experiments/sweep/board_order.h"
#include "experiments/sweep/report_chart.h"
#include "experiments/sweep/report_parts.h"

enum { COLUMNS = 4, MOST_LINES = 200, BINS = 60, VALUES = 8 };

/* ---- Summary ---- */

static void put_fact(Html *html, const char *what, const char *format, double value) {
  char text[64];
  snprintf(text, sizeof text, format, value);
  html_put(html, "<li><b>%s</b><span>%s</span></li>\n", text, what);
}

void report_summary(const Report *report) {
  const BoardSums *sums = report->sums;
  const Board *board = report->board;
  Html *html = report->html;
  char elapsed[24];
  progress_time(sums->elapsed, elapsed);
  html_put(html, "<ul class=\"facts\">\n<li><b>%d of %d</b><span>runs complete</span></li>\n",
           sums->count[STANDING_COMPLETE], board->n);
  for (int i = 0; i < STANDING_COUNT; i++) {
    if (i == STANDING_COMPLETE || sums->count[i] == 0) continue;
    html_put(html, "<li><b class=\"%s\">%d</b><span>%s</span></li>\n", standing_name((Standing)i),
             sums->count[i], standing_name((Standing)i));
  }
  if (sums->spent >= 3600) {
    put_fact(html, "core-hours", "%.1f", sums->spent / 3600);
  } else if (sums->spent > 0) {
    put_fact(html, "core-minutes", "%.1f", sums->spent / 60);
  }
  if (sums->elapsed > 0) {
    html_put(html, "<li><b>%s</b><span>from first start to last end</span></li>\n", elapsed);
  }
  html_put(html, "</ul>\n");
}

/* ---- Curves of all runs ---- */

static int best_of(const Board *board, const int *shown, int n, int *order) {
  int ranked = board_best(board, order);
  for (int i = 0; i < ranked; i++) {
    for (int k = 0; k < n; k++) {
      if (shown[k] == order[i]) return k;
    }
  }
  return -1;
}

static void draw_losses(const Report *report, Trace *traces, int *shown, int *order) {
  const Board *board = report->board;
  int n = 0;
  for (int i = 0; i < board->n && n < MOST_LINES; i++) {
    if (trace_run(&board->runs[i], 1, BINS, &traces[n]) == 0) continue;
    snprintf(traces[n].name, sizeof traces[n].name, "%s", board->runs[i].label);
    shown[n++] = i;
  }
  if (n > 0) {
    html_put(report->html, "<h2 id=\"curves\">Losses</h2>\n");
    int best = n > CHART_COLOURS ? best_of(board, shown, n, order) : -1;
    report_chart(report->html, "Losses of the runs over the steps", n, traces, best);
    if (n == MOST_LINES) {
      html_put(report->html, "<p class=\"note\">The first %d runs that have logged.</p>\n", n);
    }
  }
  trace_destroy(n, traces);
}

void report_losses(const Report *report) {
  Trace *traces = NULL;
  int *lists = NULL;
  size_t n = (size_t)report->board->n;
  if (memory_allocate(&traces, MOST_LINES, sizeof *traces, "curves") == STATUS_OK &&
      memory_allocate(&lists, MOST_LINES + n, sizeof *lists, "curves") == STATUS_OK) {
    draw_losses(report, traces, lists, lists + MOST_LINES);
  }
  free(lists);
  free(traces);
}

/* ---- The list of runs ---- */

typedef struct {
  const char *name, *units;
} Column;

/* Metrics that have columns: the headline, the final loss, then those of the first complete run. */
static int choose_columns(const Report *report, Column columns[COLUMNS]) {
  const ReportRun *example = NULL;
  for (int i = 0; i < report->board->n && !example; i++) {
    if (report->runs[i].n_metrics > 0) example = &report->runs[i];
  }
  if (!example) return 0;
  const char *first[] = {board_headline(report->board), "psnr", "loss_final"};
  int n = 0;
  for (int i = -3; i < example->n_metrics && n < COLUMNS; i++) {
    Column column = {i < 0 ? first[i + 3] : example->metrics[i].name, ""};
    bool wanted = report_has_metric(example, column.name, &column.units);
    for (int k = 0; k < n; k++) wanted &= strcmp(columns[k].name, column.name) != 0;
    if (wanted) columns[n++] = column;
  }
  return n;
}

static void put_head(Html *html, int n, const Column *columns) {
  html_put(html,
           "<div class=\"wide\"><table><thead><tr><th>run</th><th>state</th>"
           "<th class=\"n\">steps</th>");
  for (int i = 0; i < n; i++) {
    bool pure = !*columns[i].units || !strcmp(columns[i].units, "1");
    html_put(html, "<th class=\"n\">");
    html_text(html, columns[i].name);
    html_put(html, "%s", pure ? "" : " (");
    html_text(html, pure ? "" : columns[i].units);
    html_put(html, "%s</th>", pure ? "" : ")");
  }
  html_put(html, "<th class=\"n\">core-minutes</th></tr></thead><tbody>\n");
}

static void put_steps(Html *html, const BoardRun *run) {
  html_put(html, "<td class=\"n\">");
  if (run->log.step >= 0) html_put(html, "%" PRId64, run->log.step + 1);
  if (run->state.steps > 0 && run->standing != STANDING_COMPLETE) {
    html_put(html, "%s%" PRId64, run->log.step >= 0 ? "/" : "0/", run->state.steps);
  }
  html_put(html, "</td>");
}

static void put_row(const Report *report, int i, int n, const Column *columns) {
  const BoardRun *run = &report->board->runs[i];
  Html *html = report->html;
  html_put(html, "<tr><td>");
  if (i < report->details) html_put(html, "<a href=\"#run%d\">", i);
  html_text(html, run->label);
  if (i < report->details) html_put(html, "</a>");
  html_put(html, "</td><td class=\"state %s\">%s</td>", standing_name(run->standing),
           standing_name(run->standing));
  put_steps(html, run);
  for (int k = 0; k < n; k++) {
    html_put(html, "<td class=\"n\">");
    report_number(html, report_metric(&report->runs[i], columns[k].name), "");
    html_put(html, "</td>");
  }
  html_put(html, "<td class=\"n\">");
  if (run->state.core > 0) html_put(html, "%.3g", run->state.core / 60);
  html_put(html, "</td></tr>\n");
}

void report_list(const Report *report) {
  Column columns[COLUMNS];
  int n = choose_columns(report, columns);
  html_put(report->html, "<h2 id=\"runs\">Runs</h2>\n");
  put_head(report->html, n, columns);
  for (int i = 0; i < report->board->n; i++) put_row(report, i, n, columns);
  html_put(report->html, "</tbody></table></div>\n");
}

/* ---- Failures ---- */

static const char *reason_of(const Report *report, int i) {
  const BoardRun *run = &report->board->runs[i];
  if (*report->runs[i].damage) return report->runs[i].damage;
  return run->standing == STANDING_INTERRUPTED ? "was killed" : run->state.message;
}

static bool is_trouble(const Report *report, int i) {
  Standing standing = report->board->runs[i].standing;
  return standing == STANDING_FAILED || standing == STANDING_INTERRUPTED ||
         standing == STANDING_STOPPED || *report->runs[i].damage;
}

void report_troubles(const Report *report) {
  Html *html = report->html;
  bool any = false;
  for (int i = 0; i < report->board->n; i++) {
    const BoardRun *run = &report->board->runs[i];
    if (!is_trouble(report, i)) continue;
    if (!any) {
      html_put(html,
               "<h2 id=\"failures\">Failed, interrupted, stopped</h2>\n"
               "<div class=\"wide\"><table><thead><tr><th>run</th><th>state</th>"
               "<th>reason</th></tr></thead><tbody>\n");
    }
    any = true;
    html_put(html, "<tr><td>");
    html_text(html, run->label);
    html_put(html, "</td><td class=\"state %s\">%s</td><td>", standing_name(run->standing),
             standing_name(run->standing));
    html_text(html, reason_of(report, i));
    html_put(html, "</td></tr>\n");
  }
  if (any) html_put(html, "</tbody></table></div>\n");
}

/* ---- Provenance of all runs ---- */

typedef struct {
  const char *text;
  int runs;
} Value;

static const char *fact_of(const ReportRun *run, const char *name) {
  for (int i = 0; i < run->n_facts; i++) {
    if (!strcmp(run->facts[i].name, name)) return run->facts[i].text;
  }
  return NULL;
}

/* Different values of a fact, with how many runs have each; *more: runs with other ones. */
static int collect(const Report *report, const char *name, Value values[VALUES], int *more) {
  int n = 0;
  *more = 0;
  for (int i = 0; i < report->board->n; i++) {
    const char *text = fact_of(&report->runs[i], name);
    int k = 0;
    if (!text) continue;
    while (k < n && strcmp(values[k].text, text) != 0) k++;
    if (k == VALUES) {
      (*more)++;
      continue;
    }
    if (k == n) values[n++] = (Value){text, 0};
    values[k].runs++;
  }
  return n;
}

static void put_values(Html *html, const char *name, int n, const Value *values, int more) {
  html_put(html, "<tr><th scope=\"row\">%s</th><td>", name);
  for (int k = 0; k < n; k++) {
    if (k) html_put(html, "<br />");
    html_text(html, values[k].text);
    if (n > 1)
      html_put(html, " <small>(%d run%s)</small>", values[k].runs, values[k].runs == 1 ? "" : "s");
  }
  if (more > 0) html_put(html, "<br /><small>%d runs with others</small>", more);
  html_put(html, "</td></tr>\n");
}

/* Dates are of the form that sorts as text. */
static void put_dates(const Report *report) {
  const char *first = NULL, *last = NULL;
  for (int i = 0; i < report->board->n; i++) {
    const char *date = fact_of(&report->runs[i], "date");
    if (date && (!first || strcmp(date, first) < 0)) first = date;
    if (date && (!last || strcmp(date, last) > 0)) last = date;
  }
  if (!first) return;
  html_put(report->html, "<tr><th scope=\"row\">finished</th><td>");
  html_text(report->html, first);
  if (strcmp(first, last) != 0) {
    html_put(report->html, " to ");
    html_text(report->html, last);
  }
  html_put(report->html, "</td></tr>\n");
}

static bool has_facts(const Report *report) {
  for (int i = 0; i < report->board->n; i++) {
    if (report->runs[i].n_facts > 0) return true;
  }
  return false;
}

void report_provenance(const Report *report) {
  static const char *const names[] = {"version",    "commit",   "host", "ranks", "threads", "march",
                                      "arithmetic", "compiler", "mpi",  "hdf5",  "blas"};
  Html *html = report->html;
  if (!has_facts(report)) return;
  html_put(html, "<h2 id=\"provenance\">Provenance</h2>\n<table class=\"pairs\"><tbody>\n");
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    Value values[VALUES];
    int more, n = collect(report, names[i], values, &more);
    if (n > 0) put_values(html, names[i], n, values, more);
  }
  put_dates(report);
  html_put(html, "</tbody></table>\n");
}
