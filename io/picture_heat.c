#include "io/picture_heat.h"

#include <math.h>
#include <stddef.h>

#include "io/canvas.h"
#include "io/colour_map.h"
#include "io/panel.h"

/* In pixels; drawn at twice the usual density. */
enum { AREA = 900, WIDEST = 190, HIGHEST = 120, BAR = 36, MARGIN = 32, GAP = 44 };
static const double FONT = 28, TITLE_FONT = 34, LEAST_WIDTH = 760;

typedef struct {
  cairo_t *cairo;
  const HeatMap *map;
  Axis colours;
  double cell_width, cell_height;
  double left, top, right, bottom; /* of the cells */
  double width, height;            /* of the picture */
  double label_width;              /* of the rows' labels */
  double bar;                      /* its left end */
} Heat;

static bool has_text(const char *text) {
  return text && *text;
}

/* ---- Ranges and sizes ---- */

void picture_heat_range(const HeatMap *map, double *low, double *high) {
  Axis axis = axis_create(map->log);
  for (int i = 0; i < map->rows * map->columns; i++) {
    if (isnan(axis_place(&axis, map->values[i]))) continue;
    *low = fmin(*low, map->values[i]);
    *high = fmax(*high, map->values[i]);
  }
}

static double base_of(const Axis *axis, double value) {
  return axis->log ? log10(value) : value;
}

/* The bar's axis keeps to the range, unless that is a point or empty. */
static Axis colour_axis(const HeatMap *map) {
  double low = map->low, high = map->high;
  if (!(low < high)) {
    low = INFINITY;
    high = -INFINITY;
    picture_heat_range(map, &low, &high);
  }
  Axis axis = axis_create(map->log);
  axis_include(&axis, low);
  axis_include(&axis, high);
  axis_finish(&axis, 0);
  if (high - low > 1e-6 * fmax(fabs(low), fabs(high))) {
    axis.low = base_of(&axis, low);
    axis.high = base_of(&axis, high);
  }
  return axis;
}

static double clamp(double value, double low, double high) {
  return fmax(low, fmin(value, high));
}

static double widest_label(const Heat *h, const char *const *labels, int n) {
  double widest = 0;
  for (int i = 0; i < n; i++) {
    widest = fmax(widest, canvas_text_width(h->cairo, FONT, labels[i]));
  }
  return widest;
}

/* Whole pixels, so that cells have no seams. The room for labels is known when `cairo` is. */
static void lay_out(Heat *h) {
  const HeatMap *map = h->map;
  h->cell_width = floor(clamp(AREA / (double)map->columns, 1, WIDEST));
  h->cell_height = floor(clamp(AREA / (double)map->rows, 1, HIGHEST));
  h->label_width = fmin(widest_label(h, map->row_labels, map->rows), AREA / 3.);
  h->left = MARGIN + ceil(h->label_width + 0.8 * FONT);
  if (has_text(map->y_label)) h->left += 1.8 * FONT;
  h->top = MARGIN + (has_text(map->title) ? ceil(1.8 * TITLE_FONT) : 0) + ceil(1.9 * FONT);
  h->left = round(h->left);
  h->right = h->left + map->columns * h->cell_width;
  h->bottom = h->top + map->rows * h->cell_height;
  axis_set_ticks(&h->colours, (int)clamp((h->bottom - h->top) / (2 * FONT), 2, 8));
  double ticks = 0;
  for (int i = 0; i < h->colours.ticks; i++) {
    ticks = fmax(ticks, canvas_text_width(h->cairo, FONT, h->colours.label[i]));
  }
  h->bar = h->right + GAP + ceil(ticks + 0.6 * FONT);
  h->width = fmax(h->bar + BAR + MARGIN, LEAST_WIDTH);
  h->height = h->bottom + MARGIN + (has_text(map->x_label) ? 3.4 : 1.8) * FONT;
}

/* ---- Drawing ---- */

/* The colour of a value; returns whether black is seen better on it than white. */
static bool set_colour(const Heat *h, double value, float rgb[3]) {
  double place = isfinite(value) ? axis_fraction(&h->colours, value) : (double)NAN;
  colour_map(COLOUR_VIRIDIS, (float)place, rgb);
  return 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2] > 0.5f;
}

static bool texts_fit(const Heat *h) {
  if (!h->map->texts || h->cell_height < FONT) return false;
  for (int i = 0; i < h->map->rows * h->map->columns; i++) {
    double width = 0.75 * canvas_text_width(h->cairo, FONT, h->map->texts[i]);
    if (width > h->cell_width - 8) return false;
  }
  return true;
}

static void draw_cells(const Heat *h) {
  bool fit = texts_fit(h);
  for (int i = 0; i < h->map->rows * h->map->columns; i++) {
    float rgb[3];
    bool bright = set_colour(h, h->map->values[i], rgb);
    double x = h->left + i % h->map->columns * h->cell_width;
    double y = h->bottom - (i / h->map->columns + 1) * h->cell_height;
    cairo_set_source_rgb(h->cairo, (double)rgb[0], (double)rgb[1], (double)rgb[2]);
    cairo_rectangle(h->cairo, x, y, h->cell_width, h->cell_height);
    cairo_fill(h->cairo);
    if (!fit) continue;
    panel_ink(h->cairo, bright ? 0.05 : 1);
    canvas_text(h->cairo, x + h->cell_width / 2, y + h->cell_height / 2, 0.5, FONT,
                h->cell_width - 8, h->map->texts[i]);
  }
}

/* Every so manyth label that they do not touch. */
static int label_step(double length, double room) {
  int step = 1;
  while (step * room < length) step++;
  return step;
}

static void draw_labels(const Heat *h) {
  const HeatMap *map = h->map;
  panel_ink(h->cairo, 0.25);
  int step = label_step(1.2 * FONT, h->cell_height);
  for (int i = 0; i < map->rows; i += step) {
    canvas_text(h->cairo, h->left - 0.6 * FONT, h->bottom - (i + 0.5) * h->cell_height, 1, FONT,
                h->label_width, map->row_labels[i]);
  }
  double widest = widest_label(h, map->column_labels, map->columns) + 0.6 * FONT;
  step = label_step(fmin(widest, WIDEST), h->cell_width);
  for (int i = 0; i < map->columns; i += step) {
    canvas_text(h->cairo, h->left + (i + 0.5) * h->cell_width, h->bottom + 1.1 * FONT, 0.5, FONT,
                step * h->cell_width, map->column_labels[i]);
  }
  panel_ink(h->cairo, 0.1);
  double x = (h->left + h->right) / 2, y = (h->top + h->bottom) / 2;
  canvas_text(h->cairo, x, h->height - MARGIN - FONT / 2, 0.5, FONT,
              2 * fmin(x, h->width - x) - 2 * MARGIN, map->x_label);
  canvas_text_upwards(h->cairo, MARGIN + FONT / 2, y, FONT,
                      2 * fmin(y - h->top + 1.9 * FONT, h->height - MARGIN - y), map->y_label);
  canvas_text(h->cairo, h->width / 2, MARGIN + TITLE_FONT / 2, 0.5, TITLE_FONT,
              h->width - 2 * MARGIN, map->title);
}

static void draw_bar(const Heat *h) {
  Panel bar = {
      .y = h->colours, .left = h->bar, .right = h->bar + BAR, .top = h->top, .bottom = h->bottom};
  panel_ticks(h->cairo, &bar, FONT, h->bar - h->right, false);
  for (double y = bar.top; y < bar.bottom; y++) {
    float rgb[3];
    colour_map(COLOUR_VIRIDIS, (float)((bar.bottom - y) / (bar.bottom - bar.top)), rgb);
    cairo_set_source_rgb(h->cairo, (double)rgb[0], (double)rgb[1], (double)rgb[2]);
    cairo_rectangle(h->cairo, bar.left, y, BAR, 1);
    cairo_fill(h->cairo);
  }
  panel_frame(h->cairo, &bar);
  panel_ink(h->cairo, 0.1);
  canvas_text(h->cairo, bar.right, bar.top - 1.4 * FONT, 1, FONT, bar.right - MARGIN,
              h->map->bar_label);
}

/* Texts are measured on a small canvas before the size of the whole is known. */
static Status measure(const char *path, Heat *heat) {
  Canvas canvas;
  TRY(canvas_create(path, 1, 1, &canvas));
  heat->cairo = canvas.cairo;
  heat->colours = colour_axis(heat->map);
  lay_out(heat);
  canvas_destroy(&canvas);
  return STATUS_OK;
}

Status picture_heat(const char *path, const HeatMap *map) {
  Heat heat = {.map = map};
  TRY(measure(path, &heat));
  Canvas canvas;
  TRY(canvas_create(path, heat.width, heat.height, &canvas));
  heat.cairo = canvas.cairo;
  draw_cells(&heat);
  draw_labels(&heat);
  draw_bar(&heat);
  Status status = canvas_write(&canvas, path);
  canvas_destroy(&canvas);
  return status;
}
