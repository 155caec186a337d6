/* Compressing a field of a simulation (beyond the paper; Lu et al. 2021 with the paper's network):
 * Phi: (z, y, x) or (time, z, y, x) -> scalar, each coordinate from -1 to 1, supervised on values
 * or on derivatives,
 *
 *     L = mean over samples x of (Phi(x) - f(x))^2      or of      |grad Phi(x) - grad f(x)|^2,
 *
 * where f is the field with its least and largest value mapped to -1 and 1. */
#include "experiments/volume.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/loss.h"
#include "core/memory.h"
#include "experiments/volume_report.h"

static Status make_problem(Setup *setup, Volume *volume) {
  Sampler *sampler = &volume->sampler;
  Problem *problem = &setup->problem;
  bool bricks = !volume->signal.shared;
  *problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(setup->config, "train.tile"),
      .n_domains = 1,
      .domains = {{.name = "samples",
                   .samples = sampler->samples,
                   .mean = true,
                   .jet = {.first = sampler->gradient},
                   .data_width = sampler_width(sampler),
                   .draw = sampler_draw,
                   .prepare = bricks ? sampler_prepare : NULL,
                   .source = sampler,
                   .n_terms = 1,
                   .terms = {{sampler->gradient ? "gradient" : "value", 1,
                              sampler->gradient ? loss_gradient_mse : loss_value_mse, NULL}}}},
  };
  if (!problem->tile) problem->tile = problem_default_tile(problem);
  if (bricks) TRY(sampler_cut(setup->config, sampler, problem->tile));
  return problem_objective(problem, &setup->objective);
}

static Status make_all(Setup *setup, Volume *volume) {
  const Config *config = setup->config;
  Sampler *sampler = &volume->sampler;
  int64_t side = volume->signal.size[0];
  for (int i = 1; i < volume->signal.axes; i++) {
    if (volume->signal.size[i] < side) side = volume->signal.size[i];
  }
  TRY(sampler_create(config, &volume->signal, config_int(config, "train.samples"), sampler));
  sampler->gradient = !strcmp(config_text(config, "volume.supervision"), "gradient");
  TRY(suite_network(config, volume->signal.axes, 1, side, &setup->network));
  return make_problem(setup, volume);
}

static Status set_up(Setup *setup) {
  Volume *volume = NULL;
  TRY(comm_agree(setup->comm, memory_allocate(&volume, 1, sizeof *volume, "the volume")));
  setup->own = volume;
  TRY(volume_read(setup->comm, setup->config, volume));
  return comm_agree(setup->comm, make_all(setup, volume));
}

static void destroy(Setup *setup) {
  Volume *volume = setup->own;
  if (volume) volume_destroy(volume);
  free(volume);
}

static double error_of_terms(const double *terms) {
  return sqrt(terms[0]);
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  return volume_report(setup, theta, setup->own, result);
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  return volume_eval(setup, theta, setup->own, result);
}

static double shared_data_bytes(const Setup *setup) {
  return signal_shared_bytes(&((const Volume *)setup->own)->signal);
}

static double training_bytes(const Setup *setup, int rank) {
  (void)rank;
  const Volume *volume = setup->own;
  const Bricks *bricks = volume->sampler.bricks;
  return bricks ? bricks_bytes_of_rank(bricks, comm_size(setup->comm)) : 0;
}

/* Bricks stay while the fit is judged. */
static double evaluation_bytes(const Setup *setup, int rank) {
  return training_bytes(setup, rank) + volume_report_bytes(setup, setup->own, rank);
}

static double evaluation_flops(const Setup *setup) {
  return volume_report_flops(setup, setup->own);
}

const ExperimentFunctions experiment_volume = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .shared_bytes = shared_data_bytes,
    .training_bytes = training_bytes,
    .evaluation_bytes = evaluation_bytes,
    .evaluation_flops = evaluation_flops,
    .metrics =
        (const char *const[]){"psnr", "mse", "error_rms", "error_largest", "error_largest_share",
                              "compression_ratio", "range_low", "range_high", NULL},
    .headline = {"rms", "1", error_of_terms},
    .bricks = true,
};
