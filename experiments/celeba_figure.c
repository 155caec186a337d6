/* Pictures of a space of images, as the paper shows it (paper.md 8.4). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/celeba.h"
#include "experiments/image_show.h"

enum { SHOWN = 6, BETWEEN = 8, PAIRS = 3, EXTENT = 5 };

typedef struct {
  const Celeba *celeba;
  const real *theta;
  HyperUse *use;
  real *pixels, *code, *weights, *grid, *values; /* of two images; the grid EXTENT times as wide */
  uint8_t *known;
  float *floats; /* [numbers of the wide grid] RGB */
} Drawing;

static size_t pixels_of(const Celeba *celeba) {
  return (size_t)(celeba->set.rows * celeba->set.columns);
}

static Status create(Drawing *d) {
  const Celeba *celeba = d->celeba;
  const char *what = "pictures of images";
  size_t pixels = pixels_of(celeba), channels = (size_t)celeba->set.channels,
         wide = EXTENT * EXTENT * pixels;
  TRY(hyper_use_create(celeba->hyper, 2, &d->use));
  TRY(memory_allocate(&d->pixels, 2 * pixels * channels, sizeof(real), what));
  TRY(memory_allocate(&d->known, 2 * pixels, 1, what));
  TRY(memory_allocate(&d->code, 3 * (size_t)celeba->encoding.code, sizeof(real), what));
  TRY(memory_allocate(&d->weights, 2 * hyper_stride(celeba->hyper), sizeof(real), what));
  TRY(memory_allocate(&d->grid, 2 * wide, sizeof(real), what));
  TRY(memory_allocate(&d->values, wide * channels, sizeof(real), what));
  return memory_allocate(&d->floats, 3 * wide, sizeof(float), what);
}

static void destroy(Drawing *d) {
  hyper_use_destroy(d->use);
  void *owned[] = {d->pixels, d->known, d->code, d->weights, d->grid, d->values, d->floats};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
}

/* ---- Panels ---- */

/* Values [pixels][channels] in colour; what is not known is pale blue. */
static Status draw_values(Drawing *d, int rows, int columns, const real *values,
                          const uint8_t *known, Image *image) {
  static const float unknown[3] = {0.4f, 0.7f, 1};
  int channels = d->celeba->set.channels;
  for (int i = 0; i < rows * columns; i++) {
    for (int c = 0; c < 3; c++) {
      double value = (double)values[i * channels + (channels == 3 ? c : 0)];
      d->floats[3 * i + c] = known && !known[i] ? unknown[c] : (float)value;
    }
  }
  return picture_value(d->floats, rows, columns, 3, image);
}

/* The network of `weights` on a grid `extent` times as wide. */
static Status draw_network(Drawing *d, const real *weights, int extent, Image *image) {
  const ImageSet *set = &d->celeba->set;
  int rows = extent * set->rows, columns = extent * set->columns;
  hyper_grid(rows, columns, extent, d->grid);
  hyper_render(d->use, weights, (int64_t)rows * columns, d->grid, d->values);
  return draw_values(d, rows, columns, d->values, NULL, image);
}

/* Codes of images a and b from all pixels, behind each other. */
static void encode_pair(Drawing *d, int64_t a, int64_t b) {
  const Celeba *celeba = d->celeba;
  size_t numbers = (size_t)image_set_bytes(&celeba->set);
  celeba_test_image(celeba, KNOWN_ALL, a, d->pixels, d->known);
  celeba_test_image(celeba, KNOWN_ALL, b, d->pixels + numbers, d->known + pixels_of(celeba));
  const Context context = celeba_context(celeba, 2, d->pixels, d->known);
  hyper_encode(d->use, d->theta, &context, &celeba->search, d->code);
}

/* ---- figure.png: a row for each image; context and result for each kind; the truth ---- */

static Status fill_row(Drawing *d, int64_t image, Image *row) {
  const Celeba *celeba = d->celeba;
  const ImageSet *set = &celeba->set;
  for (int what = 0; what < KNOWN_KINDS; what++) {
    if (!celeba_has(celeba, (Known)what)) continue;
    celeba_test_image(celeba, (Known)what, image, d->pixels, d->known);
    const Context context = celeba_context(celeba, 1, d->pixels, d->known);
    hyper_encode(d->use, d->theta, &context, &celeba->search, d->code);
    hyper_generate(d->use, d->theta, 1, d->code, d->weights);
    TRY(draw_values(d, set->rows, set->columns, d->pixels, d->known, row++));
    TRY(draw_network(d, d->weights, 1, row++));
  }
  return draw_values(d, set->rows, set->columns, d->pixels, NULL, row);
}

static Status draw_contexts(Drawing *d, const Result *result) {
  char texts[KNOWN_KINDS][32];
  const char *labels[2 * KNOWN_KINDS + 1];
  int columns = 0;
  for (int what = 0; what < KNOWN_KINDS; what++) {
    if (!celeba_has(d->celeba, (Known)what)) continue;
    snprintf(texts[what], sizeof texts[what], "known: %s", known_name((Known)what));
    labels[columns++] = texts[what];
    labels[columns++] = "SIREN";
  }
  labels[columns++] = "truth";
  int64_t images = d->celeba->test_images;
  Sheet sheet;
  Status status = sheet_create(images < SHOWN ? (int)images : SHOWN, columns, false, &sheet);
  for (int i = 0; status == STATUS_OK && i < sheet.rows; i++) {
    status = fill_row(d, i, sheet.images + i * columns);
  }
  if (status == STATUS_OK) {
    status = sheet_write(
        &sheet, result, "figure.png",
        &(PictureGrid){.title = "Images of the test from some pixels", .column_labels = labels});
  }
  sheet_destroy(&sheet);
  return status;
}

/* ---- interpolation.png: BETWEEN steps from one image's code to another's ---- */

static Status fill_between(Drawing *d, int64_t a, int64_t b, Image *row) {
  size_t n = (size_t)d->celeba->encoding.code;
  encode_pair(d, a, b);
  real *between = d->code + 2 * n;
  for (int k = 0; k < BETWEEN; k++) {
    const real share = (real)k / (BETWEEN - 1);
    for (size_t i = 0; i < n; i++) between[i] = d->code[i] + share * (d->code[n + i] - d->code[i]);
    hyper_generate(d->use, d->theta, 1, between, d->weights);
    TRY(draw_network(d, d->weights, 1, &row[k]));
  }
  return STATUS_OK;
}

static Status draw_interpolation(Drawing *d, const Result *result) {
  Sheet sheet;
  int64_t images = d->celeba->test_images;
  Status status = sheet_create(PAIRS, BETWEEN, false, &sheet);
  for (int i = 0; status == STATUS_OK && i < PAIRS; i++) {
    status = fill_between(d, 2 * i % images, (2 * i + 1) % images, sheet.images + i * BETWEEN);
  }
  if (status == STATUS_OK) {
    status = sheet_write(
        &sheet, result, "interpolation.png",
        &(PictureGrid){.title = "From one image's code to another's, in a straight line"});
  }
  sheet_destroy(&sheet);
  return status;
}

/* ---- extended.png ---- */

static Status draw_extended(Drawing *d, const Result *result) {
  Sheet sheet;
  int64_t images = d->celeba->test_images;
  Status status = sheet_create(1, PAIRS, false, &sheet);
  for (int i = 0; status == STATUS_OK && i < PAIRS; i++) {
    encode_pair(d, i % images, i % images);
    hyper_generate(d->use, d->theta, 1, d->code, d->weights);
    status = draw_network(d, d->weights, EXTENT, &sheet.images[i]);
  }
  if (status == STATUS_OK) {
    status = sheet_write(
        &sheet, result, "extended.png",
        &(PictureGrid){.title = "Coordinates from -5 to 5; images have those from -1 to 1"});
  }
  sheet_destroy(&sheet);
  return status;
}

Status celeba_figure(const Celeba *celeba, const real *theta, const Result *result) {
  Drawing drawing = {.celeba = celeba, .theta = theta};
  Status status = create(&drawing);
  if (status == STATUS_OK) status = draw_contexts(&drawing, result);
  if (status == STATUS_OK) status = draw_interpolation(&drawing, result);
  if (status == STATUS_OK) status = draw_extended(&drawing, result);
  destroy(&drawing);
  return status;
}

/* Of the largest sheet, figure.png, with its panels. */
double celeba_figure_bytes(const Celeba *celeba) {
  int columns = 1;
  for (int what = 0; what < KNOWN_KINDS; what++) columns += 2 * celeba_has(celeba, (Known)what);
  double numbers = 3. * (double)pixels_of(celeba) * SHOWN * columns;
  return sheet_bytes(&celeba->set, SHOWN, columns, 3, "known: 1000", NULL) +
         numbers * sizeof(float);
}
