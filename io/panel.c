#include "io/panel.h"

#include <math.h>

#include "io/canvas.h"

double panel_x(const Panel *panel, double x) {
  return panel->left + axis_fraction(&panel->x, x) * (panel->right - panel->left);
}

double panel_y(const Panel *panel, double y) {
  return panel->bottom - axis_fraction(&panel->y, y) * (panel->bottom - panel->top);
}

void panel_ink(cairo_t *cairo, double grey) {
  cairo_set_source_rgb(cairo, grey, grey, grey);
  cairo_set_line_width(cairo, 2);
}

static void draw_line(cairo_t *cairo, double x0, double y0, double x1, double y1) {
  panel_ink(cairo, 0.88);
  cairo_move_to(cairo, x0, y0);
  cairo_line_to(cairo, x1, y1);
  cairo_stroke(cairo);
}

void panel_ticks(cairo_t *cairo, const Panel *panel, double font, double room, bool below) {
  for (int i = 0; i < panel->y.ticks; i++) {
    double y = round(panel_y(panel, panel->y.tick[i]));
    draw_line(cairo, panel->left - 0.3 * font, y, panel->right, y);
    panel_ink(cairo, 0.25);
    canvas_text(cairo, panel->left - 0.6 * font, y, 1, font, room, panel->y.label[i]);
  }
  for (int i = 0; i < panel->x.ticks; i++) {
    double x = round(panel_x(panel, panel->x.tick[i]));
    draw_line(cairo, x, panel->top, x, panel->bottom + 0.3 * font);
    panel_ink(cairo, 0.25);
    if (below) {
      canvas_text(cairo, x, panel->bottom + 1.1 * font, 0.5, font, 6 * font, panel->x.label[i]);
    }
  }
}

void panel_frame(cairo_t *cairo, const Panel *panel) {
  panel_ink(cairo, 0.45);
  cairo_rectangle(cairo, panel->left, panel->top, panel->right - panel->left,
                  panel->bottom - panel->top);
  cairo_stroke(cairo);
}
