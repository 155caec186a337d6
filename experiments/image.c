/* Fitting an image (Sitzmann et al. 2020, Fig. 1; paper.md section 1): Phi: (row, column) -> grey
 * or colour, supervised on the values alone,
 *
 *     L = mean over pixels x of |Phi(x) - f(x)|^2,
 *
 * and judged by its gradient and Laplacian as well. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/loss.h"
#include "core/memory.h"
#include "core/random.h"
#include "experiments/metrics.h"
#include "experiments/plane.h"
#include "experiments/stencil.h"
#include "experiments/suite.h"
#include "io/image.h"
#include "io/picture.h"

/* The target f on [-1, 1]. */
typedef struct {
  int height, width, channels;
  float *values; /* [height][width][channels] */
  uint64_t seed;
  bool all; /* every pixel in every step, else a random part */
} Target;

/* ---- The problem ---- */

static real pixel_coordinate(int64_t i, int n) {
  return (real)(n > 1 ? 2.0 * (double)i / (n - 1) - 1 : 0);
}

static void draw_pixels(const void *source, uint64_t step, int64_t first, int rows, real *x,
                        real *data, real *weights) {
  (void)weights;
  const Target *target = source;
  RandomStream stream = {target->seed, RANDOM_SAMPLE, step};
  uint64_t pixels = (uint64_t)target->height * (uint64_t)target->width;
  for (int r = 0; r < rows; r++) {
    uint64_t sample = (uint64_t)(first + r);
    uint64_t pixel = target->all ? sample : random_permute(stream, sample, pixels);
    x[2 * r] = pixel_coordinate((int64_t)pixel / target->width, target->height);
    x[2 * r + 1] = pixel_coordinate((int64_t)pixel % target->width, target->width);
    for (int c = 0; c < target->channels; c++) {
      data[r * target->channels + c] =
          target->values[pixel * (uint64_t)target->channels + (uint64_t)c];
    }
  }
}

static Status make_problem(const Config *config, Target *target, Setup *setup) {
  int64_t pixels = (int64_t)target->height * target->width;
  int64_t samples = config_int(config, "train.samples");
  if (samples > pixels) {
    return config_reject(config, "train.samples", "the image has %lld pixels", (long long)pixels);
  }
  target->all = samples == 0 || samples == pixels;
  setup->problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(config, "train.tile"),
      .n_domains = 1,
      .domains = {{.name = "pixels",
                   .samples = target->all ? pixels : samples,
                   .mean = true,
                   .data_width = target->channels,
                   .draw = draw_pixels,
                   .source = target,
                   .n_terms = 2,
                   .terms = {{"image", 1, loss_value_mse, NULL},
                             {"mse_clipped", 0, loss_value_mse_clipped, NULL}}}},
  };
  return problem_objective(&setup->problem, &setup->objective);
}

/* ---- The data ---- */

static Status crop_square(Image *image) {
  int side = image->height < image->width ? image->height : image->width;
  int top = (image->height - side) / 2, left = (image->width - side) / 2;
  Image square;
  TRY(image_create(side, side, image->channels, &square));
  square.levels = image->levels;
  for (int row = 0; row < side; row++) {
    size_t line = (size_t)side * (size_t)image->channels;
    size_t from =
        ((size_t)(top + row) * (size_t)image->width + (size_t)left) * (size_t)image->channels;
    memcpy(square.pixels + (size_t)row * line, image->pixels + from, line * sizeof *image->pixels);
  }
  image_destroy(image);
  *image = square;
  return STATUS_OK;
}

static Status convert(const Config *config, Image *image) {
  const char *colour = config_text(config, "data.colour");
  if (!strcmp(colour, "grey")) TRY(image_to_grey(image));
  if (!strcmp(colour, "rgb")) TRY(image_to_rgb(image));
  if (config_bool(config, "image.crop")) TRY(crop_square(image));
  int size = (int)config_int(config, "data.size");
  if (!size) return STATUS_OK;
  Image resized;
  TRY(image_resize(image, size, size, &resized));
  image_destroy(image);
  *image = resized;
  return STATUS_OK;
}

static Status fill_target(const Image *image, Target *target) {
  size_t n = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
  TRY(memory_allocate(&target->values, n, sizeof *target->values, "the image"));
  target->height = image->height;
  target->width = image->width;
  target->channels = image->channels;
  for (size_t i = 0; i < n; i++) target->values[i] = (image->pixels[i] - 0.5f) / 0.5f;
  return STATUS_OK;
}

static Status read_target(const Config *config, Target *target) {
  Image image;
  TRY(image_read(config_text(config, "data.file"), &image));
  Status status = convert(config, &image);
  if (status == STATUS_OK) status = fill_target(&image, target);
  image_destroy(&image);
  return status;
}

static Status set_up_local(Setup *setup) {
  Target *target;
  TRY(memory_allocate(&target, 1, sizeof *target, "the image"));
  setup->own = target;
  target->seed = (uint64_t)config_int(setup->config, "seed");
  TRY(read_target(setup->config, target));
  int side = target->height < target->width ? target->height : target->width;
  TRY(suite_network(setup->config, 2, target->channels, side, &setup->network));
  return make_problem(setup->config, target, setup);
}

static Status set_up(Setup *setup) {
  return comm_agree(setup->comm, set_up_local(setup));
}

static void destroy(Setup *setup) {
  Target *target = setup->own;
  if (target) free(target->values);
  free(target);
}

/* ---- What came out ---- */

static double psnr_of_terms(const double *terms) {
  return 10 * log10(4 / terms[1]); /* range 1 where values have range 2 (paper.md 0.5) */
}

/* Rank 0: the target with its derivatives by finite differences; owns those. */
static Status differentiate(const Target *target, Plane *truth) {
  size_t pixels = (size_t)target->height * (size_t)target->width;
  size_t values = pixels * (size_t)target->channels;
  float *gradient = NULL, *laplacian = NULL;
  *truth = (Plane){target->height, target->width, target->channels, {target->values}};
  TRY(memory_allocate(&gradient, 2 * values, sizeof *gradient, "the target's gradient"));
  truth->field[FIELD_GRADIENT] = gradient;
  TRY(memory_allocate(&laplacian, values, sizeof *laplacian, "the target's Laplacian"));
  truth->field[FIELD_LAPLACIAN] = laplacian;
  stencil_gradient(target->values, target->height, target->width, target->channels, gradient);
  stencil_laplacian(target->values, target->height, target->width, target->channels, laplacian);
  return STATUS_OK;
}

enum { PSNR, SSIM, MSE, PSNR_GRADIENT, PSNR_LAPLACIAN, N_METRICS };
static const struct {
  const char *name, *units;
} metrics[N_METRICS] = {
    [PSNR] = {"psnr", "dB"},
    [SSIM] = {"ssim", "1"},
    [MSE] = {"mse", "1"},
    [PSNR_GRADIENT] = {"psnr_gradient", "dB"},
    [PSNR_LAPLACIAN] = {"psnr_laplacian", "dB"},
};

/* The PSNR of derivatives is taken on the range of the truth (metric_psnr_range): they have no
 * natural one, and the paper states none. */
static void measure(const Plane *truth, const Plane *fit, double values[N_METRICS]) {
  size_t n = (size_t)truth->height * (size_t)truth->width * (size_t)truth->channels;
  const float *const *f = truth->field, *const *phi = fit->field;
  values[PSNR] = metric_psnr(phi[FIELD_VALUE], f[FIELD_VALUE], n);
  values[SSIM] =
      metric_ssim(phi[FIELD_VALUE], f[FIELD_VALUE], truth->height, truth->width, truth->channels);
  values[MSE] = metric_mse(phi[FIELD_VALUE], f[FIELD_VALUE], n);
  values[PSNR_GRADIENT] = metric_psnr_range(phi[FIELD_GRADIENT], f[FIELD_GRADIENT], 2 * n);
  values[PSNR_LAPLACIAN] = metric_psnr_range(phi[FIELD_LAPLACIAN], f[FIELD_LAPLACIAN], n);
}

static Status plot_psnr(const Result *result) {
  const History *history = result->history;
  double *x = NULL, *y = NULL;
  Status status = memory_allocate(&x, (size_t)history->rows, sizeof *x, "a curve");
  if (status == STATUS_OK)
    status = memory_allocate(&y, (size_t)history->rows, sizeof *y, "a curve");
  for (int64_t i = 0; status == STATUS_OK && i < history->rows; i++) {
    x[i] = (double)history->step[i];
    y[i] = psnr_of_terms(history->values + i * history->n_columns + 1);
  }
  char *path = result_path(result, "psnr.png");
  if (status == STATUS_OK) {
    Curve curve = {"PSNR", history->rows, x, y};
    status = picture_plot(path, &(Plot){"Fit of the image", "step", "PSNR (dB)", false, 1, &curve});
  }
  free(path);
  free(x);
  free(y);
  return status;
}

static Status draw(const Result *result, const Plane *truth, const Plane *fit,
                   const double values[N_METRICS]) {
  char captions[FIELD_COUNT][64];
  snprintf(captions[FIELD_VALUE], 64, "%.2f dB, SSIM %.3f", values[PSNR], values[SSIM]);
  snprintf(captions[FIELD_GRADIENT], 64, "%.2f dB", values[PSNR_GRADIENT]);
  snprintf(captions[FIELD_LAPLACIAN], 64, "%.2f dB", values[PSNR_LAPLACIAN]);
  TRY(plane_pictures(result, fit,
                     (const char *const[]){"fit.png", "gradient.png", "laplacian.png"}));
  TRY(plane_pictures(
      result, truth,
      (const char *const[]){"target.png", "target_gradient.png", "target_laplacian.png"}));
  TRY(plane_figure(result, "figure.png", "An image and its derivatives", truth, fit, captions));
  return plot_psnr(result);
}

static Status store_truth(Result *result, const ResultFields *what, const Plane *truth) {
  static const struct {
    const char *name, *description;
  } fields[FIELD_COUNT] = {
      [FIELD_VALUE] = {"target_value", "the image f on [-1, 1]"},
      [FIELD_GRADIENT] = {"target_gradient",
                          "Sobel differences of f (kernels divided by 8, borders reflected) in "
                          "network coordinates, where a pixel is 2/(n-1)"},
      [FIELD_LAPLACIAN] = {"target_laplacian",
                           "5-point differences of f (borders reflected) in network coordinates, "
                           "where a pixel is 2/(n-1)"},
  };
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    int components = (kind == FIELD_GRADIENT ? 2 : 1) * truth->channels;
    TRY(result_whole_field(result, fields[kind].name, fields[kind].description, what, components,
                           truth->field[kind]));
  }
  return STATUS_OK;
}

/* Collective. With the fit's whole fields on rank 0. */
static Status judge(Result *result, const Target *target, const ResultFields *what,
                    const WholeFields *whole, Plane *truth) {
  bool root = comm_rank(result->comm) == 0;
  Plane fit = {target->height, target->width, target->channels, {0}};
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) fit.field[kind] = whole->field[kind];
  truth->channels = target->channels;
  TRY(comm_agree(result->comm, root ? differentiate(target, truth) : STATUS_OK));
  TRY(store_truth(result, what, truth));
  double values[N_METRICS];
  if (root) measure(truth, &fit, values);
  comm_broadcast(result->comm, values, sizeof values);
  for (int i = 0; i < N_METRICS; i++) {
    TRY(result_metric(result, metrics[i].name, values[i], metrics[i].units));
  }
  return comm_agree(result->comm, root ? draw(result, truth, &fit, values) : STATUS_OK);
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  const Target *target = setup->own;
  ResultFields what = {.grid = plane_grid(target->height, target->width),
                       .wanted = {true, true, true},
                       .keep = true,
                       .axes = "row,column"};
  for (int i = 0; i < 2; i++) { /* a side of one pixel lies at 0 */
    if (what.grid.size[i] == 1) what.grid.lower[i] = what.grid.upper[i] = 0;
  }
  WholeFields whole;
  TRY(result_fields(result, &setup->network, theta, &what, &whole));
  Plane truth = {0};
  Status status = judge(result, target, &what, &whole, &truth);
  free((float *)truth.field[FIELD_GRADIENT]);
  free((float *)truth.field[FIELD_LAPLACIAN]);
  whole_destroy(&whole);
  return status;
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  const Target *target = setup->own;
  return plane_eval(setup, theta, result, target->height, target->width);
}

const ExperimentFunctions experiment_image = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .headline = {"psnr", "dB", psnr_of_terms},
};
