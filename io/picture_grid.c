#include <math.h>
#include <string.h>

#include "io/canvas.h"
#include "io/picture.h"

enum { SMALLEST_PANEL = 256, LARGEST_PANEL = 768, LARGEST_SIDE = 20000 };

/* Where things are, in pixels. Columns are as wide as their widest panel, rows as high as their
 * highest. */
typedef struct {
  double font, title_font, line; /* line: height of a line of labels */
  double gap, left, top, width, height;
} Layout;

static const Image *grid_panel(const PictureGrid *grid, int row, int column) {
  return grid->panels[row * grid->columns + column];
}

/* How large a panel is shown: small ones by a whole factor, large ones shrunk. */
static void shown_size(const Image *panel, int *height, int *width) {
  int longer = panel->height > panel->width ? panel->height : panel->width;
  if (longer > LARGEST_PANEL) {
    double scale = (double)LARGEST_PANEL / longer;
    *height = (int)fmax(1, round(panel->height * scale));
    *width = (int)fmax(1, round(panel->width * scale));
  } else {
    int factor = (SMALLEST_PANEL + longer - 1) / longer;
    *height = panel->height * factor;
    *width = panel->width * factor;
  }
}

static double row_height(const PictureGrid *grid, int row) {
  int most = 0;
  for (int column = 0; column < grid->columns; column++) {
    int height = 0, width;
    if (grid_panel(grid, row, column)) shown_size(grid_panel(grid, row, column), &height, &width);
    if (height > most) most = height;
  }
  return most;
}

/* Never so narrow that a label would not fit. */
static double column_width(const PictureGrid *grid, int column) {
  int most = SMALLEST_PANEL / 2;
  for (int row = 0; row < grid->rows; row++) {
    int height, width = 0;
    if (grid_panel(grid, row, column)) shown_size(grid_panel(grid, row, column), &height, &width);
    if (width > most) most = width;
  }
  return most;
}

static Layout grid_layout(const PictureGrid *grid) {
  Layout l = {0};
  double panels_width = 0, panels_height = 0;
  for (int c = 0; c < grid->columns; c++) panels_width += column_width(grid, c);
  for (int r = 0; r < grid->rows; r++) panels_height += row_height(grid, r);
  /* Legible when the whole picture is fitted to a screen, yet a caption fits its panel. */
  l.font = fmax(22, fmin(panels_width / 45, panels_width / grid->columns / 11));
  l.title_font = 1.25 * l.font;
  l.line = 1.6 * l.font;
  l.gap = round(0.7 * l.font);
  l.left = l.gap + (grid->row_labels ? l.line : 0);
  l.top = l.gap + (grid->title && *grid->title ? 2 * l.title_font : 0) +
          (grid->column_labels ? l.line : 0);
  double caption = grid->captions ? l.line : 0;
  l.width = l.left + panels_width + grid->columns * l.gap;
  double wanted = grid->title ? fmin(0.62 * l.title_font * (double)strlen(grid->title), 640) : 0;
  double missing = fmax(0, ceil(wanted + 2 * l.gap - l.width)); /* a title over a narrow panel */
  l.width += missing;
  l.left += missing / 2;
  l.height = l.top + panels_height + grid->rows * (l.gap + caption);
  return l;
}

static Status draw_panel(cairo_t *cairo, const Image *panel, double x, double y, double room_width,
                         double room_height) {
  int height, width;
  shown_size(panel, &height, &width);
  x += floor((room_width - width) / 2);
  y += floor((room_height - height) / 2);
  cairo_set_source_rgb(cairo, 0.8, 0.8, 0.8); /* a frame: panels may be white at their edges */
  cairo_rectangle(cairo, x - 1, y - 1, width + 2, height + 2);
  cairo_fill(cairo);
  if (height >= panel->height) {
    return canvas_image(cairo, x, y, height / panel->height, panel);
  }
  Image small;
  TRY(image_resize(panel, height, width, &small));
  Status status = canvas_image(cairo, x, y, 1, &small);
  image_destroy(&small);
  return status;
}

static void draw_headings(cairo_t *cairo, const PictureGrid *grid, const Layout *l) {
  cairo_set_source_rgb(cairo, 0.1, 0.1, 0.1);
  if (grid->title && *grid->title) {
    canvas_text(cairo, l->width / 2, l->gap + 0.8 * l->title_font, 0.5, l->title_font,
                l->width - 2 * l->gap, grid->title);
  }
  double x = l->left, y = l->top;
  for (int c = 0; grid->column_labels && c < grid->columns; c++) {
    double width = column_width(grid, c);
    canvas_text(cairo, x + width / 2, y - l->line / 2, 0.5, l->font, width, grid->column_labels[c]);
    x += width + l->gap;
  }
  for (int r = 0; grid->row_labels && r < grid->rows; r++) {
    double height = row_height(grid, r);
    canvas_text_upwards(cairo, l->left - l->line / 2, y + height / 2, l->font, height,
                        grid->row_labels[r]);
    y += height + l->gap + (grid->captions ? l->line : 0);
  }
}

static Status draw_row(cairo_t *cairo, const PictureGrid *grid, const Layout *l, int row,
                       double y) {
  double x = l->left, height = row_height(grid, row);
  for (int c = 0; c < grid->columns; c++) {
    double width = column_width(grid, c);
    const Image *panel = grid_panel(grid, row, c);
    if (panel) TRY(draw_panel(cairo, panel, x, y, width, height));
    if (grid->captions) {
      cairo_set_source_rgb(cairo, 0.25, 0.25, 0.25);
      canvas_text(cairo, x + width / 2, y + height + l->line / 2, 0.5, l->font, width,
                  grid->captions[row * grid->columns + c]);
    }
    x += width + l->gap;
  }
  return STATUS_OK;
}

static Status draw_grid(cairo_t *cairo, const PictureGrid *grid, const Layout *l) {
  draw_headings(cairo, grid, l);
  double y = l->top;
  for (int r = 0; r < grid->rows; r++) {
    TRY(draw_row(cairo, grid, l, r, y));
    y += row_height(grid, r) + l->gap + (grid->captions ? l->line : 0);
  }
  return STATUS_OK;
}

Status picture_grid(const char *path, const PictureGrid *grid) {
  Layout layout = grid_layout(grid);
  if (layout.width > LARGEST_SIDE || layout.height > LARGEST_SIDE) {
    return status_fail(STATUS_FAILED, "%s: %dx%d panels make too large a picture (%.0fx%.0f)", path,
                       grid->rows, grid->columns, layout.width, layout.height);
  }
  Canvas canvas;
  TRY(canvas_create(path, ceil(layout.width), ceil(layout.height), &canvas));
  Status status = draw_grid(canvas.cairo, grid, &layout);
  if (status != STATUS_OK) {
    status_prefix(status, "%s", path);
  } else {
    status = canvas_write(&canvas, path);
  }
  canvas_destroy(&canvas);
  return status;
}

double picture_grid_bytes(const PictureGrid *grid) {
  Layout layout = grid_layout(grid);
  return canvas_bytes(layout.width, layout.height);
}
