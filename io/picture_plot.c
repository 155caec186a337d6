#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/canvas.h"
#include "io/picture.h"
#include "io/plot_axis.h"

/* In pixels; drawn at twice the usual density. */
enum { WIDTH = 1400, HEIGHT = 900, MARGIN = 36, LEGEND_LINE = 46, LEGEND_ROWS = 6 };
static const double FONT = 30, TITLE_FONT = 36, LEGEND_SAMPLE = 60, LINE_WIDTH = 3.2;

typedef struct {
  cairo_t *cairo;
  const Plot *plot;
  Axis x, y;
  double left, right, top, bottom; /* of the area of the curves */
} Chart;

static bool has_text(const char *text) {
  return text && *text;
}

/* Okabe and Ito's colours, told apart by the colour-blind; yellow is too pale on white. */
static const unsigned char colours[][3] = {{0, 114, 178},   {213, 94, 0},  {0, 158, 115},
                                           {204, 121, 167}, {230, 159, 0}, {86, 180, 233},
                                           {0, 0, 0}};
enum { COLOURS = sizeof colours / sizeof *colours };

static void set_curve_colour(cairo_t *cairo, int curve, double opacity) {
  const unsigned char *rgb = colours[curve % COLOURS];
  cairo_set_source_rgba(cairo, rgb[0] / 255., rgb[1] / 255., rgb[2] / 255., opacity);
}

static void set_curve_style(cairo_t *cairo, int curve) {
  static const double dashes[][2] = {{1, 0}, {14, 9}, {3, 8}};
  set_curve_colour(cairo, curve, 1);
  int dash = curve / COLOURS % 3;
  cairo_set_dash(cairo, dashes[dash], dash ? 2 : 0, 0);
  cairo_set_line_width(cairo, LINE_WIDTH);
  cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(cairo, dash ? CAIRO_LINE_CAP_BUTT : CAIRO_LINE_CAP_ROUND);
}

static void set_ink(cairo_t *cairo, double grey) {
  cairo_set_source_rgb(cairo, grey, grey, grey);
  cairo_set_dash(cairo, NULL, 0, 0);
  cairo_set_line_width(cairo, 2);
}

static void draw_line(cairo_t *cairo, double x0, double y0, double x1, double y1) {
  cairo_move_to(cairo, x0, y0);
  cairo_line_to(cairo, x1, y1);
  cairo_stroke(cairo);
}

static double pixel_x(const Chart *c, double x) {
  return c->left + axis_fraction(&c->x, x) * (c->right - c->left);
}

static double pixel_y(const Chart *c, double y) {
  return c->bottom - axis_fraction(&c->y, y) * (c->bottom - c->top);
}

/* A label takes half the width at most. */
static double legend_text_width(const Chart *c, const char *label) {
  return fmin(canvas_text_width(c->cairo, FONT, label), (c->right - c->left) / 2);
}

static void legend_entry(const Chart *c, int curve, double x, double y) {
  set_curve_style(c->cairo, curve);
  cairo_set_line_width(c->cairo, 1.3 * LINE_WIDTH);
  draw_line(c->cairo, x, y, x + LEGEND_SAMPLE - 12, y);
  set_ink(c->cairo, 0.15);
  const char *label = c->plot->curves[curve].label;
  canvas_text(c->cairo, x + LEGEND_SAMPLE, y, 0, FONT, legend_text_width(c, label), label);
}

/* Rows of entries above the curves, where they hide nothing; returns the height below them. */
static double draw_legend(const Chart *c, double top) {
  double x = c->left, y = top;
  int rows = 0;
  for (int i = 0; i < c->plot->n_curves; i++) {
    const char *label = c->plot->curves[i].label;
    if (!has_text(label)) continue;
    double width = LEGEND_SAMPLE + legend_text_width(c, label);
    if (rows == 0 || x + width > c->right) {
      if (rows == LEGEND_ROWS) {
        canvas_text(c->cairo, x, y - LEGEND_LINE / 2., 0, FONT, FONT, "…");
        break;
      }
      x = c->left;
      y += LEGEND_LINE;
      rows++;
    }
    legend_entry(c, i, x, y - LEGEND_LINE / 2.);
    x += width + 1.5 * FONT;
  }
  return y;
}

static void find_ranges(Chart *c) {
  c->x = axis_create(false);
  c->y = axis_create(c->plot->log_y);
  for (int i = 0; i < c->plot->n_curves; i++) {
    const Curve *curve = &c->plot->curves[i];
    for (int64_t k = 0; k < curve->n; k++) {
      if (isnan(axis_place(&c->x, curve->x[k])) || isnan(axis_place(&c->y, curve->y[k]))) continue;
      axis_include(&c->x, curve->x[k]);
      axis_include(&c->y, curve->y[k]);
      if (!curve->low) continue;
      axis_include(&c->y, curve->low[k]);
      axis_include(&c->y, curve->high[k]);
    }
  }
  axis_finish(&c->x, 0);
  axis_finish(&c->y, 0.04);
}

static double widest_label(const Chart *c, const Axis *axis) {
  double widest = 0;
  for (int i = 0; i < axis->ticks; i++) {
    widest = fmax(widest, canvas_text_width(c->cairo, FONT, axis->label[i]));
  }
  return widest;
}

/* As many ticks as their labels leave room for. */
static void set_x_ticks(Chart *c) {
  for (int most = 10; most >= 2; most--) {
    axis_set_ticks(&c->x, most);
    if ((widest_label(c, &c->x) + FONT) * c->x.ticks <= c->right - c->left) return;
  }
}

static void lay_out(Chart *c) {
  axis_set_ticks(&c->y, 8);
  c->left = MARGIN + widest_label(c, &c->y) + 0.6 * FONT;
  if (has_text(c->plot->y_label)) c->left += 1.8 * FONT;
  c->right = WIDTH - MARGIN;
  set_x_ticks(c);
  c->right -= 0.4 * widest_label(c, &c->x); /* half a label reaches over the last tick */
  double y = MARGIN;
  if (has_text(c->plot->title)) {
    set_ink(c->cairo, 0.1);
    canvas_text(c->cairo, WIDTH / 2., y + TITLE_FONT / 2, 0.5, TITLE_FONT, WIDTH - 2 * MARGIN,
                c->plot->title);
    y += 1.6 * TITLE_FONT;
  }
  c->top = draw_legend(c, y) + 0.8 * FONT;
  c->bottom = HEIGHT - MARGIN - (has_text(c->plot->x_label) ? 3.2 : 1.7) * FONT;
}

static void draw_axes(const Chart *c) {
  cairo_t *cairo = c->cairo;
  for (int i = 0; i < c->y.ticks; i++) {
    double y = round(pixel_y(c, c->y.tick[i]));
    set_ink(cairo, 0.88);
    draw_line(cairo, c->left, y, c->right, y);
    set_ink(cairo, 0.25);
    canvas_text(cairo, c->left - 0.6 * FONT, y, 1, FONT, c->left, c->y.label[i]);
  }
  for (int i = 0; i < c->x.ticks; i++) {
    double x = round(pixel_x(c, c->x.tick[i]));
    set_ink(cairo, 0.88);
    draw_line(cairo, x, c->top, x, c->bottom);
    set_ink(cairo, 0.25);
    canvas_text(cairo, x, c->bottom + 1.1 * FONT, 0.5, FONT, WIDTH, c->x.label[i]);
  }
  set_ink(cairo, 0.45);
  draw_line(cairo, c->left, c->top, c->left, c->bottom);
  draw_line(cairo, c->left, c->bottom, c->right, c->bottom);
  set_ink(cairo, 0.1);
  canvas_text(cairo, (c->left + c->right) / 2, HEIGHT - MARGIN - FONT / 2, 0.5, FONT,
              c->right - c->left, c->plot->x_label);
  canvas_text_upwards(cairo, MARGIN + FONT / 2, (c->top + c->bottom) / 2, FONT, c->bottom - c->top,
                      c->plot->y_label);
}

/* Consecutive points in one column of pixels: their first, lowest, highest and last height draw
 * the same picture as all of them, and long noisy curves take no time. */
typedef struct {
  int64_t points; /* in the stretch of line since the last gap */
  double column, x, first, low, high, last;
} Pen;

static void pen_column(cairo_t *cairo, const Pen *pen) {
  cairo_line_to(cairo, pen->x, pen->first);
  if (pen->low < pen->high) {
    cairo_line_to(cairo, pen->x, pen->low);
    cairo_line_to(cairo, pen->x, pen->high);
    cairo_line_to(cairo, pen->x, pen->last);
  }
}

/* Ends a stretch; one of a single point is a dot. */
static void pen_gap(cairo_t *cairo, Pen *pen) {
  if (pen->points == 1) {
    cairo_new_path(cairo);
    cairo_arc(cairo, pen->x, pen->first, 2 * LINE_WIDTH, 0, 2 * M_PI);
    cairo_fill(cairo);
  } else if (pen->points) {
    pen_column(cairo, pen);
    cairo_stroke(cairo);
  }
  pen->points = 0;
}

static void pen_point(cairo_t *cairo, Pen *pen, double x, double y) {
  if (pen->points && floor(x) == pen->column) {
    pen->low = fmin(pen->low, y);
    pen->high = fmax(pen->high, y);
    pen->last = y;
  } else {
    if (pen->points) pen_column(cairo, pen);
    *pen = (Pen){pen->points, floor(x), x, y, y, y, y};
  }
  pen->points++;
}

static void draw_curve(const Chart *c, int index) {
  const Curve *curve = &c->plot->curves[index];
  Pen pen = {0};
  set_curve_style(c->cairo, index);
  cairo_new_path(c->cairo);
  for (int64_t k = 0; k < curve->n; k++) {
    double x = pixel_x(c, curve->x[k]), y = pixel_y(c, curve->y[k]);
    if (isnan(x) || isnan(y)) {
      pen_gap(c->cairo, &pen);
    } else {
      pen_point(c->cairo, &pen, x, y);
    }
  }
  pen_gap(c->cairo, &pen);
}

/* From one point to the next where both have a band. */
static void draw_band(const Chart *c, int index) {
  const Curve *curve = &c->plot->curves[index];
  if (!curve->low) return;
  set_curve_colour(c->cairo, index, 0.22);
  cairo_set_antialias(c->cairo, CAIRO_ANTIALIAS_NONE); /* no seams between the pieces */
  for (int64_t k = 1; k < curve->n; k++) {
    double x[2], low[2], high[2];
    for (int i = 0; i < 2; i++) {
      x[i] = pixel_x(c, curve->x[k - 1 + i]);
      low[i] = pixel_y(c, curve->low[k - 1 + i]);
      high[i] = pixel_y(c, curve->high[k - 1 + i]);
    }
    if (isnan(x[0] + x[1] + low[0] + low[1] + high[0] + high[1])) continue;
    cairo_move_to(c->cairo, x[0], low[0]);
    cairo_line_to(c->cairo, x[1], low[1]);
    cairo_line_to(c->cairo, x[1], high[1]);
    cairo_line_to(c->cairo, x[0], high[0]);
    cairo_fill(c->cairo);
  }
  cairo_set_antialias(c->cairo, CAIRO_ANTIALIAS_DEFAULT);
}

static bool has_points(const Chart *c) {
  for (int i = 0; i < c->plot->n_curves; i++) {
    const Curve *curve = &c->plot->curves[i];
    for (int64_t k = 0; k < curve->n; k++) {
      if (!isnan(axis_place(&c->x, curve->x[k]) + axis_place(&c->y, curve->y[k]))) return true;
    }
  }
  return false;
}

Status picture_plot(const char *path, const Plot *plot) {
  Canvas canvas;
  TRY(canvas_create(path, WIDTH, HEIGHT, &canvas));
  Chart chart = {.cairo = canvas.cairo, .plot = plot};
  find_ranges(&chart);
  lay_out(&chart);
  draw_axes(&chart);
  for (int i = 0; i < plot->n_curves; i++) draw_band(&chart, i);
  for (int i = 0; i < plot->n_curves; i++) draw_curve(&chart, i);
  if (!has_points(&chart)) {
    canvas_text(canvas.cairo, (chart.left + chart.right) / 2, (chart.top + chart.bottom) / 2, 0.5,
                TITLE_FONT, WIDTH, "no data");
  }
  Status status = canvas_write(&canvas, path);
  canvas_destroy(&canvas);
  return status;
}

double picture_plot_bytes(void) {
  return canvas_bytes(WIDTH, HEIGHT);
}
