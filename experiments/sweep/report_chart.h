/* Losses over the steps as a chart in SVG, inside a page. */
#ifndef EXPERIMENTS_SWEEP_REPORT_CHART_H
#define EXPERIMENTS_SWEEP_REPORT_CHART_H

#include "experiments/sweep/report_trace.h"
#include "io/html.h"

enum { CHART_COLOURS = 8 };

/* Local. The traces [n] with a legend, in colours of their own up to CHART_COLOURS of them; else in
 * one pale colour, but for trace `best` (-1: none). The axis is logarithmic where all values are
 * positive and far apart. Nothing without traces. */
void report_chart(Html *html, const char *title, int n, const Trace *traces, int best);

#endif
