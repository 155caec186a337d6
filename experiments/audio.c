/* A sound as a function of time (Sitzmann et al. 2020, supplement 8; paper.md section 4):
 * Phi: t -> amplitude, supervised on the waveform f, whose largest magnitude is 1,
 *
 *     L = mean over samples t of (Phi(t) - f(t))^2.
 *
 * Time runs over [-audio.extent, audio.extent]: 100 with omega 30, as in the released code, lets
 * the first layer oscillate as fast as extent 1 with omega 3000. */
#include <stdlib.h>

#include "core/loss.h"
#include "core/memory.h"
#include "experiments/audio_report.h"
#include "experiments/clip.h"
#include "experiments/sampler.h"
#include "experiments/suite.h"

typedef struct {
  Clip clip; /* f */
  Sampler sampler;
} Audio;

static Status make_problem(Audio *audio, Setup *setup) {
  const Config *config = setup->config;
  const Signal *signal = &audio->clip.signal;
  TRY(sampler_create(config, signal, config_int(config, "train.samples"), &audio->sampler));
  TRY(suite_network(config, 1, 1, signal_points(signal), &setup->network));
  setup->problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(config, "train.tile"),
      .n_domains = 1,
      .domains = {{.name = "samples",
                   .samples = audio->sampler.samples,
                   .mean = true,
                   .data_width = 1,
                   .draw = sampler_draw,
                   .source = &audio->sampler,
                   .n_terms = 1,
                   .terms = {{"audio", 1, loss_value_mse, NULL}}}},
  };
  return problem_objective(&setup->problem, &setup->objective);
}

static Status set_up(Setup *setup) {
  Audio *audio = NULL;
  TRY(comm_agree(setup->comm, memory_allocate(&audio, 1, sizeof *audio, "the sound")));
  setup->own = audio;
  TRY(clip_read(setup->comm, setup->config, &audio->clip));
  return comm_agree(setup->comm, make_problem(audio, setup));
}

static void destroy(Setup *setup) {
  Audio *audio = setup->own;
  if (audio) sampler_destroy(&audio->sampler);
  if (audio) clip_destroy(&audio->clip);
  free(audio);
}

static double mse_of_terms(const double *terms) {
  return terms[0];
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  const Audio *audio = setup->own;
  return audio_report(setup, theta, &audio->clip, result);
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  const Audio *audio = setup->own;
  return audio_eval(setup, theta, &audio->clip, result);
}

static double shared_data_bytes(const Setup *setup) {
  return signal_shared_bytes(&((const Audio *)setup->own)->clip.signal);
}

static double evaluation_bytes(const Setup *setup, int rank) {
  const Audio *audio = setup->own;
  return audio_report_bytes(setup, &audio->clip, rank);
}

static double evaluation_flops(const Setup *setup) {
  const Audio *audio = setup->own;
  return audio_report_flops(setup, &audio->clip);
}

const ExperimentFunctions experiment_audio = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .shared_bytes = shared_data_bytes,
    .evaluation_bytes = evaluation_bytes,
    .evaluation_flops = evaluation_flops,
    .metrics = (const char *const[]){"mse", "mse_silence", "mse_share", "snr", "error_max", NULL},
    .headline = {"mse", "1", mse_of_terms},
};
