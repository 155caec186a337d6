/* Fitting a video (Sitzmann et al. 2020, Fig. 2 and suppl. 7; paper.md section 3): Phi: (time, row,
 * column) -> RGB, every coordinate from -1 to 1, supervised on random pixels of all frames,
 *
 *     L = mean over pixels x drawn uniformly with replacement of |Phi(x) - f(x)|^2,
 *
 * and judged frame by frame. */
#include <math.h>
#include <stdlib.h>

#include "core/loss.h"
#include "core/memory.h"
#include "experiments/film.h"
#include "experiments/sampler.h"
#include "experiments/suite.h"
#include "experiments/video_report.h"

typedef struct {
  Film film; /* f */
  Sampler sampler;
} Video;

static Status make_problem(const Sampler *sampler, Setup *setup) {
  setup->problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(setup->config, "train.tile"),
      .n_domains = 1,
      .domains = {{.name = "pixels",
                   .samples = sampler->samples,
                   .mean = true,
                   .data_width = sampler_width(sampler),
                   .draw = sampler_draw,
                   .source = sampler,
                   .n_terms = 2,
                   .terms = {{"video", 1, loss_value_mse, NULL},
                             {"mse_clipped", 0, loss_value_mse_clipped, NULL}}}},
  };
  return problem_objective(&setup->problem, &setup->objective);
}

/* How many pixels a step draws; 0: it takes all in their order. */
static int64_t choose_samples(const Config *config, const Signal *signal) {
  int64_t samples = config_int(config, "train.samples");
  double share = config_real(config, "video.share");
  if (samples || share == 1) return samples;
  samples = (int64_t)(share * (double)signal_points(signal));
  return samples > 1 ? samples : 1;
}

static Status set_up_local(Setup *setup) {
  const Config *config = setup->config;
  Video *video = setup->own;
  const Signal *signal = &video->film.signal;
  int64_t side = signal->size[1] < signal->size[2] ? signal->size[1] : signal->size[2];
  TRY(sampler_create(config, signal, choose_samples(config, signal), &video->sampler));
  TRY(suite_network(config, 3, signal->components, side, &setup->network));
  return make_problem(&video->sampler, setup);
}

static Status set_up(Setup *setup) {
  Video *video = NULL;
  TRY(comm_agree(setup->comm, memory_allocate(&video, 1, sizeof *video, "the video")));
  setup->own = video;
  TRY(film_read(setup->comm, setup->config, &video->film));
  return comm_agree(setup->comm, set_up_local(setup));
}

static void destroy(Setup *setup) {
  Video *video = setup->own;
  if (!video) return;
  sampler_destroy(&video->sampler);
  film_destroy(&video->film);
  free(video);
}

static double psnr_of_terms(const double *terms) {
  return 10 * log10(4 / terms[1]); /* range 1 where values have range 2 (paper.md 0.5) */
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  const Video *video = setup->own;
  return video_report(setup, theta, &video->film, result);
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  const Video *video = setup->own;
  return video_eval(setup, theta, &video->film, result);
}

static double shared_data_bytes(const Setup *setup) {
  return signal_shared_bytes(&((const Video *)setup->own)->film.signal);
}

static double evaluation_bytes(const Setup *setup, int rank) {
  const Video *video = setup->own;
  return video_report_bytes(setup, &video->film, rank);
}

static double evaluation_flops(const Setup *setup) {
  const Video *video = setup->own;
  return video_report_flops(setup, &video->film);
}

const ExperimentFunctions experiment_video = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .shared_bytes = shared_data_bytes,
    .evaluation_bytes = evaluation_bytes,
    .evaluation_flops = evaluation_flops,
    .metrics = (const char *const[]){"psnr", "psnr_deviation", "psnr_worst", "psnr_best",
                                     "psnr_all", "mse", NULL},
    .headline = {"psnr", "dB", psnr_of_terms},
};
