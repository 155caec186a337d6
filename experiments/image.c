/* Fitting an image (Sitzmann et al. 2020, Fig. 1; paper.md section 1): Phi: (row, column) -> grey
 * or colour, supervised on the values alone,
 *
 *     L = mean over pixels x of |Phi(x) - f(x)|^2,
 *
 * and judged by its gradient and Laplacian as well. */
#include <math.h>
#include <stdlib.h>

#include "core/loss.h"
#include "core/memory.h"
#include "experiments/comparison.h"
#include "experiments/pixels.h"
#include "experiments/suite.h"

typedef struct {
  Target target; /* f */
  Pixels pixels;
} ImageFit;

static void draw_pixels(const void *source, uint64_t step, int64_t first, int rows, real *x,
                        real *data, real *weights) {
  (void)weights;
  const ImageFit *fit = source;
  int channels = fit->target.channels;
  for (int r = 0; r < rows; r++) {
    int64_t pixel = pixels_draw(&fit->pixels, step, first + r);
    pixels_coordinates(&fit->pixels, pixel, x + 2 * r);
    for (int c = 0; c < channels; c++) {
      data[r * channels + c] = fit->target.values[pixel * channels + c];
    }
  }
}

static Status make_problem(const ImageFit *fit, Setup *setup) {
  setup->problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(setup->config, "train.tile"),
      .n_domains = 1,
      .domains = {{.name = "pixels",
                   .samples = fit->pixels.samples,
                   .mean = true,
                   .data_width = fit->target.channels,
                   .draw = draw_pixels,
                   .source = fit,
                   .n_terms = 2,
                   .terms = {{"image", 1, loss_value_mse, NULL},
                             {"mse_clipped", 0, loss_value_mse_clipped, NULL}}}},
  };
  return problem_objective(&setup->problem, &setup->objective);
}

static Status set_up_local(Setup *setup) {
  ImageFit *fit;
  TRY(memory_allocate(&fit, 1, sizeof *fit, "the image"));
  setup->own = fit;
  Target *target = &fit->target;
  TRY(target_read(setup->config, config_text(setup->config, "data.file"), target));
  TRY(pixels_create(setup->config, target->height, target->width, &fit->pixels));
  TRY(suite_network(setup->config, 2, target->channels, target_side(target), &setup->network));
  return make_problem(fit, setup);
}

static Status set_up(Setup *setup) {
  return comm_agree(setup->comm, set_up_local(setup));
}

static void destroy(Setup *setup) {
  ImageFit *fit = setup->own;
  if (fit) target_destroy(&fit->target);
  free(fit);
}

static double psnr_of_terms(const double *terms) {
  return 10 * log10(4 / terms[1]); /* range 1 where values have range 2 (paper.md 0.5) */
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  const ImageFit *fit = setup->own;
  return comparison_run(setup, theta, &fit->target,
                        &(Comparison){.title = "An image and its derivatives"}, result);
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  const ImageFit *fit = setup->own;
  return plane_eval(setup, theta, result, fit->target.height, fit->target.width);
}

static double evaluation_bytes(const Setup *setup, int rank) {
  const ImageFit *fit = setup->own;
  return comparison_bytes(setup, &fit->target, rank);
}

static double evaluation_flops(const Setup *setup) {
  const ImageFit *fit = setup->own;
  return comparison_flops(setup, &fit->target);
}

const ExperimentFunctions experiment_image = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .evaluation_bytes = evaluation_bytes,
    .evaluation_flops = evaluation_flops,
    .metrics = (const char *const[]){COMPARISON_METRICS, NULL},
    .headline = {"psnr", "dB", psnr_of_terms},
};
