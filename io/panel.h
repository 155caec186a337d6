/* A part of a picture with two axes of its own, for pictures that show several. */
#ifndef IO_PANEL_H
#define IO_PANEL_H

#include <cairo.h>

#include "io/plot_axis.h"

typedef struct {
  Axis x, y; /* finished, with ticks */
  double left, right, top, bottom;
} Panel;

/* Local. The pixel of a value; NaN where it has no place on the axis. */
double panel_x(const Panel *panel, double x);
double panel_y(const Panel *panel, double y);

/* Local. Sets ink for lines and text: black 0 to white 1, two pixels wide. */
void panel_ink(cairo_t *cairo, double grey);

/* Local. Ticks with labels of this size on the left (`room` pixels wide) and, where `below` is set,
 * under the panel; light lines across it at every tick. */
void panel_ticks(cairo_t *cairo, const Panel *panel, double font, double room, bool below);

/* Local. The line around it. */
void panel_frame(cairo_t *cairo, const Panel *panel);

#endif
