/* Poisson image editing (Sitzmann et al. 2020, Fig. 3 right; paper.md 2.2): Phi: (row, column) ->
 * grey or colour, supervised on gradients alone, those of two images blended (composite.h),
 *
 *     L = mean over pixels x of  sum over i, mean over channels of  (d_i Phi(x) - scale g_i(x))^2,
 *
 * and the edited image is Phi / scale + a constant a channel. Channels train jointly, with equal
 * weights. (The released code's colour mode pairs components in different orders and drops all but
 * one slice of them; paper.md 11. It is not followed.)
 *
 * g is no gradient of anything where the images disagree, so that the loss has a least value above
 * 0. The best function in the sense of least squares is known (potential.h) and is what the network
 * is compared with. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/loss.h"
#include "core/memory.h"
#include "experiments/comparison.h"
#include "experiments/composite.h"
#include "experiments/metrics.h"
#include "experiments/pixels.h"
#include "experiments/potential.h"
#include "experiments/suite.h"
#include "io/picture.h"

typedef struct {
  Composite composite;
  Pixels pixels;
} Edit;

/* ---- Training ---- */

static void draw_pixels(const void *source, uint64_t step, int64_t first, int rows, real *x,
                        real *data, real *weights) {
  (void)weights;
  const Edit *edit = source;
  int components = 2 * edit->composite.first.channels;
  for (int r = 0; r < rows; r++) {
    int64_t pixel = pixels_draw(&edit->pixels, step, first + r);
    pixels_coordinates(&edit->pixels, pixel, x + 2 * r);
    for (int c = 0; c < components; c++) {
      data[r * components + c] = (real)edit->composite.gradient[pixel * components + c];
    }
  }
}

static Status make_problem(const Edit *edit, Setup *setup) {
  setup->problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(setup->config, "train.tile"),
      .n_domains = 1,
      .domains = {{.name = "pixels",
                   .samples = edit->pixels.samples,
                   .mean = true,
                   .jet = {.first = true},
                   .data_width = 2 * edit->composite.first.channels,
                   .draw = draw_pixels,
                   .source = edit,
                   .n_terms = 1,
                   .terms = {{"gradient", 1, loss_gradient_mse, NULL}}}},
  };
  return problem_objective(&setup->problem, &setup->objective);
}

static Status set_up_local(Setup *setup) {
  Edit *edit;
  TRY(memory_allocate(&edit, 1, sizeof *edit, "the images"));
  setup->own = edit;
  TRY(composite_read(setup->config, &edit->composite));
  const Target *first = &edit->composite.first;
  TRY(pixels_create(setup->config, first->height, first->width, &edit->pixels));
  TRY(suite_network(setup->config, 2, first->channels, target_side(first), &setup->network));
  return make_problem(edit, setup);
}

static Status set_up(Setup *setup) {
  return comm_agree(setup->comm, set_up_local(setup));
}

static void destroy(Setup *setup) {
  Edit *edit = setup->own;
  if (edit) composite_destroy(&edit->composite);
  free(edit);
}

/* ---- Judgement ---- */

enum { PSNR, PSNR_GRADIENT, PSNR_BACKGROUND, LOSS_LEAST, N_METRICS };
static const struct {
  const char *name, *units;
} metrics[N_METRICS] = {
    [PSNR] = {"psnr", "dB"},
    [PSNR_GRADIENT] = {"psnr_gradient", "dB"},
    [PSNR_BACKGROUND] = {"psnr_background", "dB"},
    [LOSS_LEAST] = {"loss_least", "1"},
};

/* What rank 0 finds out. Images are [height][width][channels]; other ranks have none. */
typedef struct {
  float *result, *solution;
  struct {
    bool solved;
    double values[N_METRICS]; /* NaN: there is none */
    double constants[3];
  } shared; /* with all ranks */
} Judgement;

/* PSNR with values of range 2 after the means of each channel are made equal. */
static double psnr_but_constant(const float *a, const float *b, size_t pixels, size_t channels) {
  double squares = 0;
  for (size_t c = 0; c < channels; c++) {
    double sum = 0, sum_squares = 0, n = (double)pixels;
    for (size_t i = 0; i < pixels; i++) {
      sum += (double)a[i * channels + c] - b[i * channels + c];
    }
    for (size_t i = 0; i < pixels; i++) {
      double e = (double)a[i * channels + c] - b[i * channels + c] - sum / n;
      sum_squares += e * e;
    }
    squares += sum_squares / n / (double)channels;
  }
  return 10 * log10(4 / squares);
}

static Status solve(const Composite *c, Judgement *judgement) {
  const Target *f = &c->first;
  size_t pixels = (size_t)f->height * (size_t)f->width, channels = (size_t)f->channels;
  double constants[3];
  judgement->shared.solved = f->height <= POTENTIAL_LARGEST && f->width <= POTENTIAL_LARGEST;
  if (!judgement->shared.solved) return STATUS_OK;
  float *solution;
  TRY(memory_allocate(&solution, pixels * channels, sizeof *solution, "the best function"));
  judgement->solution = solution;
  TRY(potential_solve(c->gradient, f->height, f->width, f->channels, solution,
                      &judgement->shared.values[LOSS_LEAST]));
  composite_edited(c, solution, solution, constants);
  judgement->shared.values[PSNR] = psnr_but_constant(judgement->result, solution, pixels, channels);
  return STATUS_OK;
}

static Status judge(const Composite *c, const WholeFields *whole, Judgement *judgement) {
  const Target *f = &c->first;
  size_t n = (size_t)f->height * (size_t)f->width * (size_t)f->channels;
  double *values = judgement->shared.values;
  TRY(memory_allocate(&judgement->result, n, sizeof(float), "the result"));
  composite_edited(c, whole->field[FIELD_VALUE], judgement->result, judgement->shared.constants);
  values[PSNR_GRADIENT] = metric_psnr_range(whole->field[FIELD_GRADIENT], c->gradient, 2 * n);
  TRY(solve(c, judgement));
  return composite_background(c, judgement->result, &values[PSNR_BACKGROUND]);
}

/* ---- Pictures ---- */

enum { FIRST, SECOND, MASK, TARGET_GRADIENT, GRADIENT, RESULT, N_PANELS };
static const struct {
  const char *label, *file;
} pictures[N_PANELS] = {
    [FIRST] = {"first image", "first.png"},
    [SECOND] = {"second image", "second.png"},
    [MASK] = {"mask", "mask.png"},
    [TARGET_GRADIENT] = {"blended gradients", "target_gradient.png"},
    [GRADIENT] = {"gradient of the fit", "gradient.png"},
    [RESULT] = {"result", "result.png"},
};

/* The second image where it is, white around it. */
static void cut_out(const Composite *c, Image *second) {
  for (int row = 0; row < second->height; row++) {
    for (int column = 0; column < second->width; column++) {
      bool inside = row >= c->top && row < c->bottom && column >= c->left && column < c->right;
      float *pixel = second->pixels + ((size_t)row * (size_t)second->width + (size_t)column) *
                                          (size_t)second->channels;
      for (int k = 0; k < second->channels && !inside; k++) pixel[k] = 1;
    }
  }
}

static Status draw_panels(const Composite *c, const WholeFields *whole, const float *result,
                          Image panels[N_PANELS]) {
  int height = c->first.height, width = c->first.width, channels = c->first.channels;
  Plane target = {height, width, channels, {[FIELD_GRADIENT] = c->gradient}};
  Plane fit = {height, width, channels, {[FIELD_GRADIENT] = whole->field[FIELD_GRADIENT]}};
  TRY(picture_value(c->first.values, height, width, channels, &panels[FIRST]));
  TRY(picture_value(c->second.values, height, width, channels, &panels[SECOND]));
  cut_out(c, &panels[SECOND]);
  TRY(image_create(height, width, 1, &panels[MASK]));
  for (int64_t i = 0; i < (int64_t)height * width; i++) panels[MASK].pixels[i] = c->mask[i];
  TRY(plane_draw(&target, FIELD_GRADIENT, &panels[TARGET_GRADIENT]));
  TRY(plane_draw(&fit, FIELD_GRADIENT, &panels[GRADIENT]));
  return picture_value(result, height, width, channels, &panels[RESULT]);
}

static Status write_panels(const Result *result, const Image panels[N_PANELS],
                           const double values[N_METRICS]) {
  char captions[N_PANELS][64] = {{0}};
  const char *labels[N_PANELS], *texts[N_PANELS];
  const Image *pointers[N_PANELS];
  Status status = STATUS_OK;
  if (!isnan(values[PSNR_GRADIENT])) {
    snprintf(captions[GRADIENT], 64, "%.2f dB", values[PSNR_GRADIENT]);
  }
  for (int i = 0; status == STATUS_OK && i < N_PANELS; i++) {
    labels[i] = pictures[i].label;
    texts[i] = captions[i];
    pointers[i] = &panels[i];
    char *path = result_path(result, pictures[i].file);
    status = image_write_png(path, &panels[i]);
    free(path);
  }
  TRY(status);
  char *path = result_path(result, "figure.png");
  status = picture_grid(path, &(PictureGrid){.rows = 1,
                                             .columns = N_PANELS,
                                             .title = "Two images blended by their gradients",
                                             .column_labels = labels,
                                             .panels = pointers,
                                             .captions = texts});
  free(path);
  return status;
}

static Status draw(const Composite *c, const WholeFields *whole, const Judgement *judgement,
                   const Result *result) {
  if (result->plain) return STATUS_OK;
  Image panels[N_PANELS] = {{0}};
  Status status = draw_panels(c, whole, judgement->result, panels);
  if (status == STATUS_OK) status = write_panels(result, panels, judgement->shared.values);
  for (int i = 0; i < N_PANELS; i++) image_destroy(&panels[i]);
  return status;
}

/* ---- To the run file ---- */

/* Collective. */
static Status store(const Composite *c, const Judgement *judgement, const ResultFields *what,
                    Result *result) {
  int channels = c->first.channels;
  bool root = comm_rank(result->comm) == 0;
  const double *constants = judgement->shared.constants;
  char text[256];
  TRY(result_whole_field(result, "target_gradient",
                         "the blended gradients (Sobel, kernels divided by 8, borders reflected) "
                         "in network coordinates, times scale: what the network was fitted to",
                         what, 2 * channels, root ? c->gradient : NULL));
  snprintf(text, sizeof text, "the edited image on [-1, 1]: value / %.9g + (%.9g, %.9g, %.9g)",
           c->scale, constants[0], constants[channels > 1], constants[channels - 1]);
  TRY(result_whole_field(result, "result", text, what, channels, judgement->result));
  if (judgement->shared.solved) {
    TRY(result_whole_field(result, "solution",
                           "as result, of the best sum of cosines in the sense of least squares",
                           what, channels, judgement->solution));
  }
  for (int i = 0; i < N_METRICS; i++) {
    double value = judgement->shared.values[i];
    if (!isnan(value)) TRY(result_metric(result, metrics[i].name, value, metrics[i].units));
  }
  return STATUS_OK;
}

/* Collective. */
static Status conclude(const Composite *c, const WholeFields *whole, const ResultFields *what,
                       Judgement *judgement, Result *result) {
  Status status = STATUS_OK;
  for (int i = 0; i < N_METRICS; i++) judgement->shared.values[i] = NAN;
  if (comm_rank(result->comm) == 0) {
    status = judge(c, whole, judgement);
    if (status == STATUS_OK) status = draw(c, whole, judgement, result);
  }
  TRY(comm_agree(result->comm, status));
  comm_broadcast(result->comm, &judgement->shared, sizeof judgement->shared);
  return store(c, judgement, what, result);
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  const Edit *edit = setup->own;
  ResultFields what = target_fields(&edit->composite.first);
  WholeFields whole;
  Judgement judgement = {0};
  TRY(result_fields(result, &setup->network, theta, &what, &whole));
  Status status = conclude(&edit->composite, &whole, &what, &judgement, result);
  free(judgement.result);
  free(judgement.solution);
  whole_destroy(&whole);
  return status;
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  const Edit *edit = setup->own;
  return plane_eval(setup, theta, result, edit->composite.first.height,
                    edit->composite.first.width);
}

/* Rank 0 has whole fields, the result and the best function, then panels and their figure. */
static double evaluation_bytes(const Setup *setup, int rank) {
  const Target *f = &((const Edit *)setup->own)->composite.first;
  ResultFields what = target_fields(f);
  double fields = result_fields_bytes(&setup->network, &what, setup->threads, setup->comm, rank);
  if (rank > 0) return fields;
  double pixels = (double)f->height * f->width, values = pixels * f->channels * sizeof(float);
  const Image image = {.height = f->height, .width = f->width};
  const Image *panels[N_PANELS];
  for (int i = 0; i < N_PANELS; i++) panels[i] = &image;
  PictureGrid grid = {.rows = 1, .columns = N_PANELS, .title = "-", .panels = panels};
  double drawing = 3 * values + pixels * (2 * 3 + 1) * sizeof(float) + picture_grid_bytes(&grid);
  double solving = potential_bytes(f->height, f->width);
  return fmax(fields,
              result_whole_bytes(&setup->network, &what) + 2 * values + fmax(solving, drawing));
}

static double evaluation_flops(const Setup *setup) {
  return comparison_flops(setup, &((const Edit *)setup->own)->composite.first);
}

const ExperimentFunctions experiment_poisson_edit = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .evaluation_bytes = evaluation_bytes,
    .evaluation_flops = evaluation_flops,
    .metrics =
        (const char *const[]){"psnr", "psnr_gradient", "psnr_background", "loss_least", NULL},
};
