#include "experiments/sweep/report_chart.h"

#include <math.h>

#include "io/plot_axis.h"

enum { WIDTH = 720, HEIGHT = 270, LEFT = 74, RIGHT = 26, TOP = 10, BOTTOM = 36 };

static double across(const Axis *axis, double value) {
  return LEFT + (WIDTH - LEFT - RIGHT) * axis_fraction(axis, value);
}

static double down(const Axis *axis, double value) {
  return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * axis_fraction(axis, value);
}

static bool wants_log(int n, const Trace *traces) {
  double low = INFINITY, high = 0;
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < traces[i].n; k++) {
      low = fmin(low, traces[i].y[k]);
      high = fmax(high, traces[i].y[k]);
    }
  }
  return low > 1e-300 && high > 20 * low;
}

static void make_axes(int n, const Trace *traces, Axis *x, Axis *y) {
  *x = axis_create(false);
  *y = axis_create(wants_log(n, traces));
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < traces[i].n; k++) {
      axis_include(x, traces[i].x[k]);
      axis_include(y, traces[i].y[k]);
    }
  }
  axis_finish(x, 0);
  axis_finish(y, 0.04);
  axis_set_ticks(x, 6);
  axis_set_ticks(y, 5);
}

static void put_axes(Html *html, const Axis *x, const Axis *y) {
  for (int i = 0; i < y->ticks; i++) {
    double at = down(y, y->tick[i]);
    html_put(html, "<path class=\"grid\" d=\"M%d %.1fH%d\" />", LEFT, at, WIDTH - RIGHT);
    html_put(html, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 6,
             at + 4);
    html_text(html, y->label[i]);
    html_put(html, "</text>");
  }
  for (int i = 0; i < x->ticks; i++) {
    double at = across(x, x->tick[i]);
    html_put(html, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", at,
             HEIGHT - BOTTOM + 16);
    html_text(html, x->label[i]);
    html_put(html, "</text>");
  }
  html_put(html, "<path class=\"axis\" d=\"M%d %dH%d\" />", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT);
  html_put(html,
           "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">step</text>"
           "<text class=\"tick\" x=\"14\" y=\"%d\" text-anchor=\"middle\" "
           "transform=\"rotate(-90 14 %d)\">loss</text>\n",
           (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, (HEIGHT - BOTTOM + TOP) / 2,
           (HEIGHT - BOTTOM + TOP) / 2);
}

static void put_class(Html *html, int n, int i, int best) {
  if (n <= CHART_COLOURS) {
    html_put(html, "line c%d", i);
  } else {
    html_put(html, "line %s", i == best ? "best" : "many");
  }
}

/* A single point is a line of no length, whose round ends show. */
static void put_trace(Html *html, const Trace *trace, const Axis *x, const Axis *y, int n, int i,
                      int best) {
  html_put(html, "<path class=\"");
  put_class(html, n, i, best);
  html_put(html, "\" d=\"");
  for (int k = 0; k < trace->n; k++) {
    html_put(html, "%c%.1f %.1f", k ? 'L' : 'M', across(x, trace->x[k]), down(y, trace->y[k]));
  }
  html_put(html, "%s\"><title>", trace->n == 1 ? "h0" : "");
  html_text(html, trace->name);
  html_put(html, "</title></path>\n");
}

static void put_legend(Html *html, int n, const Trace *traces, int best) {
  bool all = n <= CHART_COLOURS;
  html_put(html, "<figcaption class=\"legend\">");
  for (int i = 0; i < n; i++) {
    if (!all && i != best) continue;
    html_put(html, "<span><i class=\"%s", all ? "" : "best");
    if (all) html_put(html, "c%d", i);
    html_put(html, "\"></i>");
    html_text(html, traces[i].name);
    html_put(html, "</span> ");
  }
  if (!all) html_put(html, "<span><i class=\"many\"></i>%d others</span>", n - (best >= 0));
  html_put(html, "</figcaption>");
}

void report_chart(Html *html, const char *title, int n, const Trace *traces, int best) {
  Axis x, y;
  if (n == 0) return;
  make_axes(n, traces, &x, &y);
  html_put(html, "<figure class=\"chart\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
           WIDTH, HEIGHT);
  html_text(html, title);
  html_put(html, "\">\n");
  put_axes(html, &x, &y);
  for (int i = n - 1; i >= 0; i--) { /* the first one lies on top */
    if (i != best) put_trace(html, &traces[i], &x, &y, n, i, best);
  }
  if (best >= 0) put_trace(html, &traces[best], &x, &y, n, best, best);
  html_put(html, "</svg>");
  if (n > 1) put_legend(html, n, traces, best);
  html_put(html, "</figure>\n");
}
