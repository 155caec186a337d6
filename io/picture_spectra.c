#include <math.h>
#include <stdio.h>

#include "io/canvas.h"
#include "io/colour_map.h"
#include "io/panel.h"
#include "io/picture_sound.h"

/* In pixels; drawn at twice the usual density. */
enum { WIDTH = 1600, PANEL = 340, BAR = 36, BAR_ROOM = 170, MARGIN = 32, GAP = 28 };
static const double FONT = 26, TITLE_FONT = 34;

/* The largest level of the cells that pixel `i` of `n` covers, of `cells` ones: first to last. */
typedef struct {
  int first, last;
} Span;

static Span span_of(int i, int n, int cells) {
  int first = (int)((int64_t)i * cells / n), end = (int)((int64_t)(i + 1) * cells / n);
  return (Span){first, end > first ? end - 1 : first};
}

static float largest_level(const SoundSpectra *all, const float *level, Span columns, Span bins) {
  float largest = -INFINITY;
  for (int column = columns.first; column <= columns.last; column++) {
    for (int bin = bins.first; bin <= bins.last; bin++) {
      largest = fmaxf(largest, level[(int64_t)column * all->bins + bin]);
    }
  }
  return largest;
}

static void colour(const SoundSpectra *all, const float *level, Image *image) {
  for (int y = 0; y < image->height; y++) {
    Span bins = span_of(image->height - 1 - y, image->height, all->bins);
    for (int x = 0; x < image->width; x++) {
      Span columns = span_of(x, image->width, all->columns);
      double shown = (double)largest_level(all, level, columns, bins);
      colour_map(COLOUR_MAGMA, (float)((shown - all->low) / (all->high - all->low)),
                 image->pixels + 3 * ((int64_t)y * image->width + x));
    }
  }
}

/* An image of a panel's size, drawn into it. */
static Status draw_levels(cairo_t *cairo, const Panel *panel, const SoundSpectra *all,
                          const float *level) {
  Image image;
  TRY(image_create((int)(panel->bottom - panel->top), (int)(panel->right - panel->left), 3,
                   &image));
  colour(all, level, &image);
  Status status = canvas_image(cairo, panel->left, panel->top, 1, &image);
  image_destroy(&image);
  return status;
}

static Axis exact_axis(double low, double high, int most) {
  Axis axis = axis_create(false);
  axis_include(&axis, low);
  axis_include(&axis, high);
  axis_finish(&axis, 0);
  axis.low = low; /* the picture fills the panel */
  axis.high = high;
  axis_set_ticks(&axis, most);
  return axis;
}

/* The colours and what they mean, at the right of all panels. */
static Status draw_bar(cairo_t *cairo, const SoundSpectra *all, double left, double top,
                       double bottom) {
  enum { LEVELS = 256 };
  float level[LEVELS];
  Panel bar = {.x = exact_axis(0, 1, 2),
               .y = exact_axis(all->low, all->high, 8),
               .left = left,
               .right = left + BAR,
               .top = top,
               .bottom = bottom};
  for (int i = 0; i < LEVELS; i++) {
    level[i] = (float)(all->low + (all->high - all->low) * i / (LEVELS - 1));
  }
  SoundSpectra scale = {.columns = 1, .bins = LEVELS, .low = all->low, .high = all->high};
  bar.x.ticks = 0;
  panel_ticks(cairo, &bar, FONT, BAR_ROOM, false);
  TRY(draw_levels(cairo, &bar, &scale, level));
  panel_frame(cairo, &bar);
  panel_ink(cairo, 0.1);
  canvas_text(cairo, left + BAR, top - FONT, 1, FONT, BAR_ROOM, "dB");
  return STATUS_OK;
}

static Status draw_panels(cairo_t *cairo, const SoundSpectra *all, double top) {
  Panel panel = {.x = exact_axis(all->start, all->end, 8),
                 .y = exact_axis(0, all->top, 5),
                 .left = MARGIN + 7.5 * FONT,
                 .right = WIDTH - MARGIN - BAR - BAR_ROOM};
  for (int i = 0; i < all->n_spectra; i++) {
    panel.top = top + i * (PANEL + GAP);
    panel.bottom = panel.top + PANEL;
    panel_ticks(cairo, &panel, FONT, 4 * FONT, i == all->n_spectra - 1);
    TRY(draw_levels(cairo, &panel, all, all->spectra[i].level));
    panel_frame(cairo, &panel);
    panel_ink(cairo, 0.1);
    double middle = (panel.top + panel.bottom) / 2;
    canvas_text_upwards(cairo, MARGIN + FONT / 2, middle, FONT, PANEL, all->spectra[i].label);
    canvas_text_upwards(cairo, MARGIN + 2.2 * FONT, middle, FONT, PANEL, all->y_label);
  }
  canvas_text(cairo, (panel.left + panel.right) / 2, panel.bottom + 2.5 * FONT, 0.5, FONT, WIDTH,
              all->x_label);
  return draw_bar(cairo, all, WIDTH - MARGIN - BAR, top, panel.bottom);
}

/* Of the whole picture; *top: where the panels begin. */
static double picture_height(int spectra, double *top) {
  *top = round(MARGIN + 2.2 * TITLE_FONT); /* images keep to whole pixels */
  return *top + spectra * (PANEL + GAP) + 3.2 * FONT;
}

double picture_spectra_bytes(int spectra) {
  double top;
  return canvas_bytes(WIDTH, picture_height(spectra, &top));
}

Status picture_spectra(const char *path, const SoundSpectra *spectra) {
  double top, height = picture_height(spectra->n_spectra, &top);
  Canvas canvas;
  TRY(canvas_create(path, WIDTH, height, &canvas));
  panel_ink(canvas.cairo, 0.1);
  canvas_text(canvas.cairo, WIDTH / 2., MARGIN + TITLE_FONT / 2, 0.5, TITLE_FONT,
              WIDTH - 2 * MARGIN, spectra->title);
  Status status = draw_panels(canvas.cairo, spectra, top);
  if (status == STATUS_OK) status = canvas_write(&canvas, path);
  canvas_destroy(&canvas);
  return status;
}
