/* Pictures of what is learned from a population's weights. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "experiments/image_show.h"
#include "experiments/population_learn.h"

enum { SHOWN = 5, SAMPLES = 7, STEPS = 3, TEXT = SHEET_TEXT, MOST = 2 + 2 * STEPS };

typedef struct {
  const Learned *learned;
  const Population *population;
  Painter painter;
  float *floats; /* [numbers] */
} Drawing;

/* ---- Panels ---- */

/* The painter's values as a panel; `member` >= 0: with their PSNR. */
static Status put(Drawing *d, Sheet *sheet, int row, int column, int64_t member) {
  const ImageSet *set = &d->population->set;
  size_t n = population_numbers(d->population);
  int i = row * sheet->columns + column;
  if (member >= 0) {
    snprintf(sheet->captions[i], TEXT, "%.1f dB", painter_psnr(&d->painter, member));
  }
  for (size_t k = 0; k < n; k++) d->floats[k] = (float)d->painter.values[k];
  return picture_value(d->floats, set->rows, set->columns, set->channels, &sheet->images[i]);
}

/* ---- Numbers of components that are shown: all, an eighth, a 64th ---- */

static int shown_count(const Learned *l, int step) {
  int all = (int)l->counts[l->n_counts - 1], part = all >> (3 * (STEPS - 1 - step));
  return part ? part : (all ? 1 : 0);
}

/* ---- figure.png ---- */

static Status fill_row(Drawing *d, Sheet *sheet, int row) {
  const Learned *l = d->learned;
  int64_t member = d->population->networks + row;
  Painter *painter = &d->painter;
  population_image(d->population, member, painter->values);
  TRY(put(d, sheet, row, 0, -1));
  painter_fit(painter, l->theta, member);
  TRY(put(d, sheet, row, 1, member));
  painter_take_weights(painter, l->theta, member);
  principal_project(&l->weights, painter->row, painter->coefficients);
  for (int step = 0; step < STEPS; step++) {
    painter_restore_weights(painter, &l->weights, shown_count(l, step));
    TRY(put(d, sheet, row, 2 + step, member));
  }
  painter_take_pixels(painter, member);
  principal_project(&l->pixels, painter->row, painter->coefficients);
  for (int step = 0; step < STEPS; step++) {
    painter_restore_pixels(painter, &l->pixels, shown_count(l, step));
    TRY(put(d, sheet, row, 2 + STEPS + step, member));
  }
  return STATUS_OK;
}

static Status draw_reconstructions(Drawing *d, const Result *result) {
  char texts[2 * STEPS][TEXT];
  const char *labels[2 + 2 * STEPS] = {"truth", "its SIREN"};
  for (int i = 0; i < 2 * STEPS; i++) {
    snprintf(texts[i], TEXT, "%d of %s", shown_count(d->learned, i % STEPS),
             i < STEPS ? "weights" : "pixels");
    labels[2 + i] = texts[i];
  }
  int64_t held = d->population->held;
  Sheet sheet;
  Status status = sheet_create(held < SHOWN ? (int)held : SHOWN, 2 + 2 * STEPS, true, &sheet);
  for (int row = 0; status == STATUS_OK && row < sheet.rows; row++) {
    status = fill_row(d, &sheet, row);
  }
  if (status == STATUS_OK) {
    status = sheet_write(&sheet, result, "figure.png",
                         &(PictureGrid){.title = "Held-out networks from principal components",
                                        .column_labels = labels});
  }
  sheet_destroy(&sheet);
  return status;
}

/* ---- samples.png ---- */

static Status draw_samples(Drawing *d, const Result *result) {
  const Learned *l = d->learned;
  char texts[2 * STEPS][TEXT];
  const char *labels[2 * STEPS];
  Sheet sheet;
  Status status = sheet_create(2 * STEPS, SAMPLES, true, &sheet);
  for (int i = 0; status == STATUS_OK && i < 2 * STEPS * SAMPLES; i++) {
    int row = i / SAMPLES, count = shown_count(l, row % STEPS);
    bool weights = row < STEPS;
    learned_draw(l, weights ? &l->weights : &l->pixels, i % SAMPLES, &d->painter);
    if (weights) {
      painter_restore_weights(&d->painter, &l->weights, count);
    } else {
      painter_restore_pixels(&d->painter, &l->pixels, count);
    }
    snprintf(texts[row], TEXT, "%d of %s", count, weights ? "weights" : "pixels");
    labels[row] = texts[row];
    status = put(d, &sheet, row, i % SAMPLES, -1);
  }
  if (status == STATUS_OK) {
    status = sheet_write(
        &sheet, result, "samples.png",
        &(PictureGrid){.title = "Drawn from a Gaussian over components", .row_labels = labels});
  }
  sheet_destroy(&sheet);
  return status;
}

/* ---- learned.png ---- */

static Status draw_curves(const Learned *l, const Result *result) {
  double x[LEARNED_COUNTS], fit[LEARNED_COUNTS];
  for (int k = 0; k < l->n_counts; k++) {
    x[k] = log2(1 + l->counts[k]);
    fit[k] = l->by_fit;
  }
  const Curve curves[] = {{.label = "weights", .n = l->n_counts, .x = x, .y = l->by_weights},
                          {.label = "pixels", .n = l->n_counts, .x = x, .y = l->by_pixels},
                          {.label = "fitted networks", .n = l->n_counts, .x = x, .y = fit}};
  char *path = result_path(result, "learned.png");
  Status status = picture_plot(path, &(Plot){.title = "Held-out images from principal components",
                                             .x_label = "log2(1 + components)",
                                             .y_label = "PSNR in dB",
                                             .n_curves = sizeof curves / sizeof *curves,
                                             .curves = curves});
  free(path);
  return status;
}

/* ---- All of it ---- */

static Status draw(Drawing *d, const Result *result) {
  TRY(painter_create(d->learned->setup, d->population->components, &d->painter));
  TRY(memory_allocate(&d->floats, population_numbers(d->population), sizeof(float), "pictures"));
  TRY(draw_curves(d->learned, result));
  TRY(draw_reconstructions(d, result));
  return draw_samples(d, result);
}

Status learned_pictures(const Learned *learned, const Result *result) {
  Drawing drawing = {.learned = learned, .population = learned->setup->own};
  Status status = draw(&drawing, result);
  painter_destroy(&drawing.painter);
  free(drawing.floats);
  return status;
}

/* The sheets have nearly the same size. */
double learned_pictures_bytes(const Setup *setup) {
  const Population *p = setup->own;
  return sheet_bytes(&p->set, SHOWN, MOST, 1, "10.0 dB", "10.0 dB");
}
