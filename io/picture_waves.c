#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "io/canvas.h"
#include "io/panel.h"
#include "io/picture_sound.h"

/* In pixels; drawn at twice the usual density. */
enum { WIDTH = 2000, ZOOM = 560, TRACK = 250, MARGIN = 32, GAP = 28, TICK_ROOM = 110 };
static const double FONT = 26, TITLE_FONT = 34, LINE_WIDTH = 2.4;

void picture_envelope(const float *samples, int64_t n, int columns, float *low, float *high) {
  for (int column = 0; column < columns; column++) {
    int64_t first = n * column / columns, end = n * (column + 1) / columns;
    low[column] = INFINITY;
    high[column] = -INFINITY;
    for (int64_t i = first > 0 ? first - 1 : 0; i < end; i++) {
      if (!isfinite(samples[i])) continue;
      low[column] = fminf(low[column], samples[i]);
      high[column] = fmaxf(high[column], samples[i]);
    }
  }
}

/* A stretch of the samples in a panel. */
typedef struct {
  cairo_t *cairo;
  const SoundWaves *waves;
  int64_t first, count;
} View;

static double time_of(const View *view, int64_t i) {
  return view->waves->start + (double)i * view->waves->step;
}

/* ---- The waves ---- */

/* Lines through the samples; a single one between gaps is a dot. */
static void draw_samples(const View *view, const Panel *panel, const float *samples) {
  cairo_t *cairo = view->cairo;
  cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_width(cairo, LINE_WIDTH);
  for (int64_t i = view->first; i < view->first + view->count; i++) {
    double x = panel_x(panel, time_of(view, i)), y = panel_y(panel, (double)samples[i]);
    if (!isfinite(y)) {
      cairo_stroke(cairo);
      continue;
    }
    if (!cairo_has_current_point(cairo)) cairo_move_to(cairo, x, y);
    cairo_line_to(cairo, x, y);
  }
  cairo_stroke(cairo);
}

/* A bar for every column of pixels, at least one pixel high. */
static void draw_envelope(const View *view, const Panel *panel, const float *low, const float *high,
                          int columns) {
  for (int column = 0; column < columns; column++) {
    if (low[column] > high[column]) continue;
    double top = panel_y(panel, (double)high[column]), bottom = panel_y(panel, (double)low[column]);
    if (bottom - top < 1) bottom = top + 1;
    cairo_rectangle(view->cairo, panel->left + column, top, 1, bottom - top);
  }
  cairo_fill(view->cairo);
}

static Status draw_wave(const View *view, const Panel *panel, const float *samples) {
  int columns = (int)(panel->right - panel->left);
  cairo_set_source_rgb(view->cairo, 0, 114 / 255., 178 / 255.);
  if (view->count < 2 * columns) {
    draw_samples(view, panel, samples);
    return STATUS_OK;
  }
  float *low = NULL;
  TRY(memory_allocate(&low, 2 * (size_t)columns, sizeof *low, "a waveform's picture"));
  picture_envelope(samples + view->first, view->count, columns, low, low + columns);
  draw_envelope(view, panel, low, low + columns, columns);
  free(low);
  return STATUS_OK;
}

/* ---- Panels ---- */

/* The heights of a track: zero is in the middle. */
static Axis height_axis(const SoundTrack *track, int64_t n) {
  Axis axis = axis_create(false);
  for (int64_t i = 0; i < n; i++) {
    axis_include(&axis, (double)track->samples[i]);
    axis_include(&axis, -(double)track->samples[i]);
  }
  axis_finish(&axis, 0.06);
  axis_set_ticks(&axis, 4);
  return axis;
}

static Axis time_axis(const View *view, int most) {
  Axis axis = axis_create(false);
  axis_include(&axis, time_of(view, view->first));
  axis_include(&axis, time_of(view, view->first + view->count - 1));
  axis_finish(&axis, 0);
  axis_set_ticks(&axis, most);
  return axis;
}

/* Where the zoom comes from, behind the wave. */
static void shade_zoom(const View *view, const Panel *panel) {
  const SoundWaves *waves = view->waves;
  if (waves->zoom_count == 0) return;
  double left = panel_x(panel, time_of(view, waves->zoom_first));
  double right = panel_x(panel, time_of(view, waves->zoom_first + waves->zoom_count));
  cairo_set_source_rgb(view->cairo, 1, 0.87, 0.6);
  cairo_rectangle(view->cairo, left, panel->top, fmax(right - left, 3), panel->bottom - panel->top);
  cairo_fill(view->cairo);
}

static Status draw_panel(const View *view, const Panel *panel, const SoundTrack *track,
                         bool is_zoom, bool is_last) {
  panel_ticks(view->cairo, panel, FONT, TICK_ROOM - 0.6 * FONT, is_last);
  if (!is_zoom) shade_zoom(view, panel);
  Status status = draw_wave(view, panel, track->samples);
  panel_frame(view->cairo, panel);
  return status;
}

/* One of the two columns. */
static Status draw_column(const View *view, const Axis *heights, double left, double right,
                          double top, bool is_zoom) {
  const SoundWaves *waves = view->waves;
  Panel panel = {.x = time_axis(view, is_zoom ? 4 : 8), .left = left, .right = right};
  for (int i = 0; i < waves->n_tracks; i++) {
    panel.y = heights[i];
    panel.top = top + i * (TRACK + GAP);
    panel.bottom = panel.top + TRACK;
    TRY(draw_panel(view, &panel, &waves->tracks[i], is_zoom, i == waves->n_tracks - 1));
  }
  panel_ink(view->cairo, 0.1);
  canvas_text(view->cairo, (left + right) / 2, panel.bottom + 2.5 * FONT, 0.5, FONT, right - left,
              waves->x_label);
  return STATUS_OK;
}

static Status draw(cairo_t *cairo, const SoundWaves *waves, const Axis *heights, double top) {
  View whole = {cairo, waves, 0, waves->n};
  View zoom = {cairo, waves, waves->zoom_first, waves->zoom_count};
  double left = round(MARGIN + 1.6 * FONT) + TICK_ROOM, right = WIDTH - MARGIN - GAP;
  panel_ink(cairo, 0.1);
  canvas_text(cairo, WIDTH / 2., MARGIN + TITLE_FONT / 2, 0.5, TITLE_FONT, WIDTH - 2 * MARGIN,
              waves->title);
  for (int i = 0; i < waves->n_tracks; i++) {
    canvas_text_upwards(cairo, MARGIN + FONT / 2, top + i * (TRACK + GAP) + TRACK / 2., FONT, TRACK,
                        waves->tracks[i].label);
  }
  if (zoom.count) {
    TRY(draw_column(&zoom, heights, right - ZOOM, right, top, true));
    right -= ZOOM + TICK_ROOM + GAP;
  }
  return draw_column(&whole, heights, left, right, top, false);
}

/* Of the whole picture; *top: where the tracks begin. */
static double picture_height(int tracks, double *top) {
  *top = round(MARGIN + 1.7 * TITLE_FONT);
  return *top + tracks * (TRACK + GAP) + 3.2 * FONT;
}

double picture_waves_bytes(int tracks) {
  double top;
  return canvas_bytes(WIDTH, picture_height(tracks, &top));
}

Status picture_waves(const char *path, const SoundWaves *waves) {
  double top, height = picture_height(waves->n_tracks, &top);
  Axis *heights = NULL;
  Canvas canvas;
  TRY(memory_allocate(&heights, (size_t)waves->n_tracks, sizeof *heights, "axes"));
  for (int i = 0; i < waves->n_tracks; i++) {
    heights[i] = i && waves->tracks[i].same_scale ? heights[i - 1]
                                                  : height_axis(&waves->tracks[i], waves->n);
  }
  Status status = canvas_create(path, WIDTH, height, &canvas);
  if (status == STATUS_OK) {
    status = draw(canvas.cairo, waves, heights, top);
    if (status == STATUS_OK) status = canvas_write(&canvas, path);
    canvas_destroy(&canvas);
  }
  free(heights);
  return status;
}
