/* Inpainting one image (Sitzmann et al. 2020, suppl. 6; paper.md 8.6): of f only the pixels of a
 * mask M are known, and a prior R says what images are like,
 *
 *     L = sum over x in M of |Phi(x + e) - f(x)|^2 / (number of all pixels)
 *         + k * mean over y of R(Phi)(y),    y uniform in [-1, 1]^2, drawn anew in every step,
 *
 * R = total variation or the Hessian's norm, e = 0 or a random shift (kernel.h). Judged on the
 * pixels that were hidden. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/loss.h"
#include "core/memory.h"
#include "core/random.h"
#include "experiments/comparison.h"
#include "experiments/kernel.h"
#include "experiments/mask.h"
#include "experiments/metrics.h"
#include "experiments/pixels.h"
#include "experiments/prior.h"
#include "experiments/suite.h"
#include "io/picture.h"

typedef struct {
  Target target; /* f */
  Mask mask;
  Pixels pixels;        /* the known ones */
  const Kernel *kernel; /* NULL: none */
} Inpainting;

/* The random shift of a pixel in a step, in network coordinates. */
static void shift_pixel(const Inpainting *fit, uint64_t step, int64_t pixel, real x[2]) {
  RandomStream stream = {fit->pixels.seed, RANDOM_JITTER, step};
  const int sides[2] = {fit->target.height, fit->target.width};
  for (int i = 0; i < 2; i++) {
    double u = random_uniform(stream, (uint64_t)pixel, i);
    x[i] += (real)(fit->kernel->shift(u) / sides[i]);
  }
}

static void draw_known(const void *source, uint64_t step, int64_t first, int rows, real *x,
                       real *data, real *weights) {
  (void)weights;
  const Inpainting *fit = source;
  int channels = fit->target.channels;
  for (int r = 0; r < rows; r++) {
    int64_t pixel = pixels_draw(&fit->pixels, step, first + r);
    pixels_coordinates(&fit->pixels, pixel, x + 2 * r);
    if (fit->kernel) shift_pixel(fit, step, pixel, x + 2 * r);
    for (int c = 0; c < channels; c++) {
      data[r * channels + c] = fit->target.values[pixel * channels + c];
    }
  }
}

static void draw_anywhere(const void *source, uint64_t step, int64_t first, int rows, real *x,
                          real *data, real *weights) {
  (void)data, (void)weights;
  const Inpainting *fit = source;
  RandomStream stream = {fit->pixels.seed, RANDOM_SAMPLE, step};
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < 2; i++) {
      x[2 * r + i] = (real)(2 * random_uniform(stream, (uint64_t)(first + r), i) - 1);
    }
  }
}

static void add_prior(const Config *config, const Inpainting *fit, Problem *problem) {
  const Prior *prior = prior_find(config_text(config, "inpaint.prior"));
  if (!prior) return;
  int64_t samples = config_int(config, "inpaint.prior_samples");
  if (!samples) samples = fit->mask.pixels > 1 ? fit->mask.pixels / 2 : 1;
  problem->domains[problem->n_domains++] =
      (Domain){.name = "prior",
               .samples = samples,
               .mean = true,
               .jet = prior->jet,
               .draw = draw_anywhere,
               .source = fit,
               .n_terms = 1,
               .terms = {{prior->name, config_real(config, prior->weight_key), prior->term, NULL}}};
}

/* The mean over the known pixels, times their share, is the released code's mean over all. */
static Status make_problem(const Inpainting *fit, Setup *setup) {
  double share = (double)fit->mask.count / (double)fit->mask.pixels;
  setup->problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(setup->config, "train.tile"),
      .n_domains = 1,
      .domains = {{.name = "known",
                   .samples = fit->pixels.samples,
                   .mean = true,
                   .data_width = fit->target.channels,
                   .draw = draw_known,
                   .source = fit,
                   .n_terms = 2,
                   .terms = {{"image", share, loss_value_mse, NULL},
                             {"mse_clipped", 0, loss_value_mse_clipped, NULL}}}},
  };
  add_prior(setup->config, fit, &setup->problem);
  return problem_objective(&setup->problem, &setup->objective);
}

static Status set_up_local(Setup *setup) {
  const Config *config = setup->config;
  Inpainting *fit;
  TRY(memory_allocate(&fit, 1, sizeof *fit, "the image"));
  setup->own = fit;
  Target *target = &fit->target;
  TRY(target_read(config, config_text(config, "data.file"), target));
  TRY(mask_create(config, target, &fit->mask));
  TRY(pixels_create_part(config, target->height, target->width, fit->mask.list, fit->mask.count,
                         &fit->pixels));
  fit->kernel = kernel_find(config_text(config, "inpaint.kernel"));
  TRY(suite_network(config, 2, target->channels, target_side(target), &setup->network));
  return make_problem(fit, setup);
}

static Status set_up(Setup *setup) {
  return comm_agree(setup->comm, set_up_local(setup));
}

static void destroy(Setup *setup) {
  Inpainting *fit = setup->own;
  if (!fit) return;
  target_destroy(&fit->target);
  mask_destroy(&fit->mask);
  free(fit);
}

/* Of the known pixels: what is hidden cannot be watched. */
static double psnr_of_terms(const double *terms) {
  return 10 * log10(4 / terms[1]);
}

static double psnr_part(const Inpainting *fit, const Plane *truth, const Plane *phi, bool known) {
  return metric_psnr_part(phi->field[FIELD_VALUE], truth->field[FIELD_VALUE],
                          (size_t)fit->mask.pixels, truth->channels, fit->mask.known, known);
}

static double psnr_known(const void *context, const Plane *truth, const Plane *phi) {
  return psnr_part(context, truth, phi, true);
}

static double psnr_hidden(const void *context, const Plane *truth, const Plane *phi) {
  return psnr_part(context, truth, phi, false);
}

/* The known pixels, the hidden ones in mid grey. */
static Status draw_observed(const Inpainting *fit, Image *image) {
  const Target *target = &fit->target;
  TRY(picture_value(target->values, target->height, target->width, target->channels, image));
  for (int64_t i = 0; i < fit->mask.pixels * image->channels; i++) {
    if (!fit->mask.known[i / image->channels]) image->pixels[i] = 0.5f;
  }
  return STATUS_OK;
}

static Status draw_panels(const Inpainting *fit, const Plane *truth, const Plane *phi,
                          Image panels[3]) {
  TRY(draw_observed(fit, &panels[0]));
  TRY(picture_value(phi->field[FIELD_VALUE], phi->height, phi->width, phi->channels, &panels[1]));
  return picture_value(truth->field[FIELD_VALUE], truth->height, truth->width, truth->channels,
                       &panels[2]);
}

/* OUTPUT/inpaint.png. */
static Status draw(const void *context, const Result *result, const Plane *truth,
                   const Plane *phi) {
  const Inpainting *fit = context;
  char observed[64], hidden[64] = "";
  double share = (double)fit->mask.count / (double)fit->mask.pixels;
  snprintf(observed, sizeof observed, "%.3g %% of the pixels", 100 * share);
  if (share < 1)
    snprintf(hidden, sizeof hidden, "%.2f dB (hidden pixels)", psnr_hidden(fit, truth, phi));
  Image panels[3] = {{0}};
  PictureGrid grid = {
      .rows = 1,
      .columns = 3,
      .title = "Inpainting",
      .column_labels = (const char *const[]){"known", "fit", "ground truth"},
      .panels = (const Image *const[]){&panels[0], &panels[1], &panels[2]},
      .captions = (const char *const[]){observed, hidden, ""},
  };
  Status status = draw_panels(fit, truth, phi, panels);
  char *path = result_path(result, "inpaint.png");
  if (status == STATUS_OK) status = picture_grid(path, &grid);
  free(path);
  for (int i = 0; i < 3; i++) image_destroy(&panels[i]);
  return status;
}

/* Collective. */
static Status store_mask(const Inpainting *fit, Result *result) {
  ResultFields what = target_fields(&fit->target);
  float *values = NULL;
  Status status = STATUS_OK;
  if (comm_rank(result->comm) == 0) {
    status = memory_allocate(&values, (size_t)fit->mask.pixels, sizeof *values, "the mask");
    for (int64_t i = 0; values && i < fit->mask.pixels; i++) values[i] = fit->mask.known[i];
  }
  status = comm_agree(result->comm, status);
  if (status == STATUS_OK) {
    status =
        result_whole_field(result, "mask", "1 where the pixel was known, else 0", &what, 1, values);
  }
  free(values);
  return status;
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  const Inpainting *fit = setup->own;
  Comparison comparison = {
      .title = "Inpainting",
      .context = fit,
      .n_extra = fit->mask.count < fit->mask.pixels ? 2 : 1, /* no metric of no pixels */
      .extra = {{"psnr_known", "dB", psnr_known}, {"psnr_hidden", "dB", psnr_hidden}},
      .draw = draw,
  };
  TRY(comparison_run(setup, theta, &fit->target, &comparison, result));
  return store_mask(fit, result);
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  const Inpainting *fit = setup->own;
  return plane_eval(setup, theta, result, fit->target.height, fit->target.width);
}

static double evaluation_bytes(const Setup *setup, int rank) {
  const Inpainting *fit = setup->own;
  return comparison_bytes(setup, &fit->target, rank);
}

static double evaluation_flops(const Setup *setup) {
  const Inpainting *fit = setup->own;
  return comparison_flops(setup, &fit->target);
}

const ExperimentFunctions experiment_inpaint = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .evaluation_bytes = evaluation_bytes,
    .evaluation_flops = evaluation_flops,
    .metrics = (const char *const[]){COMPARISON_METRICS, "psnr_known", "psnr_hidden", NULL},
    .headline = {"psnr_known", "dB", psnr_of_terms},
};
