/* What the sources report*.c share among themselves. */
#ifndef EXPERIMENTS_SWEEP_REPORT_PARTS_H
#define EXPERIMENTS_SWEEP_REPORT_PARTS_H

#include "experiments/sweep/board_sums.h"
#include "io/html.h"
#include "io/runfile_results.h"

/* What a complete run's file says. */
typedef struct {
  int n_metrics, n_facts;
  RunMetric *metrics;
  RunText *facts;   /* provenance */
  char damage[256]; /* why it cannot be read; "": it can, or there is none */
} ReportRun;

typedef struct {
  Html *html;
  const Board *board;
  const BoardSums *sums;
  ReportRun *runs; /* [board->n] */
  double budget;   /* bytes of pictures that may still come in */
  int details;     /* runs with a section of their own: the first ones */
} Report;

/* ---- report_style.c ---- */

/* The page's style sheet. */
extern const char report_style[];

/* ---- report_run.c ---- */

/* Local. Reads what run.h5 of a complete run says; never fails. */
void report_read_run(const BoardRun *run, ReportRun *facts);
void report_free_run(ReportRun *facts);

/* Local. A metric's value by name; NaN: there is none. */
double report_metric(const ReportRun *run, const char *name);
bool report_has_metric(const ReportRun *run, const char *name, const char **units);

/* Local. Everything about a run: message, metrics, curves, pictures, configuration, provenance. */
void report_run(Report *report, int run);

/* Local. "36.37" and the like, with its units where they are not 1; nothing for NaN. */
void report_number(Html *html, double value, const char *units);

/* Local. Two columns, the first one a head. */
void report_pairs(Html *html, int n, const RunText *pairs);

/* ---- report_overview.c ---- */

/* Local. The sections about all runs of a sweep. */
void report_summary(const Report *report);
void report_losses(const Report *report);
void report_list(const Report *report);
void report_troubles(const Report *report);
void report_provenance(const Report *report);

#endif
