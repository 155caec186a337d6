/* What the networks of a population begin with. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/optimizer.h"
#include "experiments/population.h"

static const double rate = 1e-3; /* of the fit to the mean image */

/* One network and the mean of the training images. */
typedef struct {
  const Population *population;
  double *mean; /* [numbers] */
  real *image;  /* [numbers] */
  Objective objective;
  void *workspace;
  real *factors; /* the gradient */
} Mean;

/* BundleTarget. */
static void mean_image(const void *source, int64_t member, real *values) {
  (void)member;
  const Mean *m = source;
  size_t n = population_numbers(m->population);
  for (size_t i = 0; i < n; i++) values[i] = (real)m->mean[i];
}

static void find_mean(Mean *m) {
  const Population *p = m->population;
  size_t n = population_numbers(p);
  for (int64_t k = 0; k < p->networks; k++) {
    population_image(p, k, m->image);
    for (size_t i = 0; i < n; i++) m->mean[i] += (double)m->image[i];
  }
  for (size_t i = 0; i < n; i++) m->mean[i] /= (double)p->networks;
}

/* OptimizerEvaluate: the bundle's one tile. */
static Status evaluate(void *context, const real *theta, double *loss, real *gradient) {
  Mean *m = context;
  const Objective *objective = &m->objective;
  const OuterFactors factors = {.u = m->factors};
  objective->tile(objective, 0, 0, theta, gradient, loss, &factors, m->workspace);
  memcpy(gradient, m->factors, objective->n_parameters * sizeof *gradient);
  return STATUS_OK;
}

static Status train(Mean *m, int64_t steps, real *theta) {
  Optimizer *optimizer;
  OptimizerSettings settings = OPTIMIZER_DEFAULTS;
  TRY(optimizer_create("adam", &settings, m->objective.n_parameters, &optimizer));
  Status status = STATUS_OK;
  for (int64_t step = 0; status == STATUS_OK && step < steps; step++) {
    double loss;
    status = optimizer_step(optimizer, schedule_rate("cosine", rate, step, steps, 0), theta,
                            evaluate, m, &loss);
  }
  optimizer_destroy(optimizer);
  return status;
}

static Status fit(const Setup *setup, Mean *m, const Bundle *one, real *theta) {
  size_t n = population_numbers(m->population);
  bundle_objective(one, &m->objective);
  TRY(memory_allocate(&m->mean, n, sizeof *m->mean, "the mean image"));
  TRY(memory_allocate(&m->image, n, sizeof *m->image, "the mean image"));
  TRY(memory_allocate(&m->factors, m->objective.outer.u_size, sizeof(real), "a gradient"));
  TRY(m->objective.workspace_create(&m->objective, &m->workspace));
  find_mean(m);
  Status status = train(m, config_int(setup->config, "population.mean_steps"), theta);
  m->objective.workspace_destroy(m->workspace);
  return status;
}

static Status fit_mean(const Setup *setup, const Population *p, real *theta) {
  Mean mean = {.population = p};
  Bundle *one;
  TRY(bundle_create(&(BundleSpec){.network = &setup->network,
                                  .members = 1,
                                  .points = p->set.rows * p->set.columns,
                                  .x = p->x,
                                  .target = mean_image,
                                  .source = &mean},
                    &one));
  Status status = fit(setup, &mean, one, theta);
  bundle_destroy(one);
  free(mean.mean);
  free(mean.image);
  free(mean.factors);
  return status;
}

Status population_begin(const Setup *setup, Population *population) {
  const char *init = config_text(setup->config, "population.init");
  if (!strcmp(init, "each")) return STATUS_OK;
  TRY(memory_allocate(&population->common, setup->network.n_parameters, sizeof(real),
                      "the first weights"));
  network_init(&setup->network, population->seed, population->common);
  if (!strcmp(init, "same")) return STATUS_OK;
  return fit_mean(setup, population, population->common);
}
