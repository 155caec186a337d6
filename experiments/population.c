/* Many small SIRENs, each fitted to an image of a set, all at once, and what can be learned from
 * the distribution of their weights: the idea behind the paper's section 4.4, without its
 * hypernetwork. The objective is hyper/bundle.h's; here is which network gets which image. */
#include "experiments/population.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "experiments/plane.h"
#include "hyper/hyper.h"

static Split split_of_member(const Population *p, int64_t member, int64_t *index) {
  bool held = member >= p->networks;
  *index = held ? member - p->networks : member;
  return held ? SPLIT_TEST : SPLIT_TRAIN;
}

void population_image(const void *source, int64_t member, real *pixels) {
  const Population *p = source;
  int64_t index;
  Split split = split_of_member(p, member, &index);
  image_set_values(&p->set, split, index, pixels);
}

void population_pixels(const Population *p, int64_t member, float *pixels) {
  int64_t index;
  Split split = split_of_member(p, member, &index);
  const uint8_t *bytes = image_set_image(&p->set, split, index);
  for (size_t i = 0; i < population_numbers(p); i++) {
    pixels[i] = (float)image_set_brightness(bytes[i]);
  }
}

/* ---- Setting up ---- */

static Status check_images(const Config *config, const Population *p) {
  if (p->networks > p->set.n[SPLIT_TRAIN]) {
    return config_reject(config, "population.networks",
                         "the set has %lld images for training, at most so many networks",
                         (long long)p->set.n[SPLIT_TRAIN]);
  }
  if (p->held > p->set.n[SPLIT_TEST]) {
    return config_reject(config, "population.held_out",
                         "the set has %lld images for the test, at most so many networks",
                         (long long)p->set.n[SPLIT_TEST]);
  }
  if (p->shown < population_members(p)) return STATUS_OK;
  return config_reject(config, "population.eval_network", "there are %lld networks, 0 to %lld",
                       (long long)population_members(p), (long long)population_members(p) - 1);
}

static Status check_training(const Config *config) {
  TRY(image_set_as_is(config));
  if (config_int(config, "train.samples") == 0) return STATUS_OK;
  return config_reject(config, "train.samples",
                       "every step has all pixels of all images; leave it");
}

static Status make_bundle(Setup *setup, Population *p) {
  size_t pixels = (size_t)(p->set.rows * p->set.columns);
  TRY(memory_allocate(&p->x, 2 * pixels, sizeof(real), "pixels"));
  hyper_grid(p->set.rows, p->set.columns, 1, p->x);
  return bundle_create(&(BundleSpec){.network = &setup->network,
                                     .members = population_members(p),
                                     .points = (int)pixels,
                                     .x = p->x,
                                     .tile = config_int(setup->config, "train.tile"),
                                     .target = population_image,
                                     .source = p},
                       &p->bundle);
}

static Status set_up_local(Setup *setup, Population *p) {
  const Config *config = setup->config;
  int side = p->set.rows < p->set.columns ? p->set.rows : p->set.columns;
  TRY(check_images(config, p));
  TRY(check_training(config));
  TRY(suite_network(config, 2, p->set.channels, side, &setup->network));
  TRY(make_bundle(setup, p));
  TRY(population_begin(setup, p));
  bundle_objective(p->bundle, &setup->objective);
  setup->model = (Model){.group = "/population",
                         .n_parameters = bundle_parameters(p->bundle),
                         .n_tensors = setup->network.n_tensors,
                         .tensors = bundle_tensors(p->bundle),
                         .each = setup->network.tensors};
  return STATUS_OK;
}

/* Collective. */
static Status set_up(Setup *setup) {
  const Config *config = setup->config;
  Population *p = NULL;
  TRY(comm_agree(setup->comm, memory_allocate(&p, 1, sizeof *p, "the images")));
  setup->own = p;
  p->seed = (uint64_t)config_int(config, "seed");
  p->networks = config_int(config, "population.networks");
  p->held = config_int(config, "population.held_out");
  p->components = (int)config_int(config, "population.components");
  p->shown = config_int(config, "population.eval_network");
  TRY(image_set_create(setup->comm, config_text(config, "data.file"),
                       config_text(config, "population.dataset"),
                       p->networks > p->held ? p->networks : p->held, &p->set));
  return comm_agree(setup->comm, set_up_local(setup, p));
}

static void destroy(Setup *setup) {
  Population *p = setup->own;
  if (p) {
    bundle_destroy(p->bundle);
    free(p->x);
    free(p->common);
    image_set_destroy(&p->set);
  }
  free(p);
}

static void init(const Setup *setup, uint64_t seed, real *theta) {
  const Population *p = setup->own;
  bundle_init(p->bundle, seed, p->common, theta);
}

/* ---- Afterwards ---- */

/* Collective. One network on any grid. */
static Status eval(const Setup *setup, const real *theta, Result *result) {
  const Population *p = setup->own;
  real *weights = NULL;
  Status status =
      memory_allocate(&weights, setup->network.n_parameters, sizeof *weights, "a network");
  TRY(comm_agree(setup->comm, status));
  bundle_get(p->bundle, theta, p->shown, weights);
  status = plane_eval(setup, weights, result, p->set.rows, p->set.columns);
  free(weights);
  return status;
}

static double psnr_of_terms(const double *terms) {
  return 10 * log10(4 / terms[0]); /* range 1 where values have range 2 */
}

static double set_bytes(const Setup *setup) {
  const Population *p = setup->own;
  return image_set_all_bytes(&p->set);
}

static double step_flops(const Setup *setup) {
  const Population *p = setup->own;
  return bundle_flops(p->bundle);
}

const ExperimentFunctions experiment_population = {
    .setup = set_up,
    .destroy = destroy,
    .init = init,
    .evaluate = population_report,
    .eval = eval,
    .shared_bytes = set_bytes,
    .evaluation_bytes = population_report_bytes,
    .evaluation_flops = population_report_flops,
    .step_flops = step_flops,
    .metrics = (const char *const[]){POPULATION_METRICS, NULL},
    .headline = {"psnr", "dB", psnr_of_terms},
};
