/* The loss of inpainting, put together from its tiles, against the released code's formula over all
 * pixels; its prior against differences of the network. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/mask.h"
#include "experiments/suite.h"
#include "tests/mpi_check.h"

enum { SIZE = 12, CHANNELS = 3, MAX_WIDTH = 16 };

/* Phi(x) by plain loops: a sine layer and a linear one. */
static void plain(const Network *network, const real *theta, const double x[2],
                  double y[CHANNELS]) {
  double h[MAX_WIDTH];
  const Linear *first = &network->linear[0], *last = &network->linear[1];
  for (int o = 0; o < first->out; o++) {
    double u = (double)theta[first->bias + (size_t)o];
    for (int i = 0; i < 2; i++) u += (double)theta[first->weight + (size_t)(2 * o + i)] * x[i];
    h[o] = sin(first->omega * u);
  }
  for (int c = 0; c < CHANNELS; c++) {
    y[c] = (double)theta[last->bias + (size_t)c];
    for (int i = 0; i < last->in; i++) {
      y[c] += (double)theta[last->weight + (size_t)(c * last->in + i)] * h[i];
    }
  }
}

static Config *configure(const char *more, const char *prior) {
  const char *const overrides[] = {"experiment=inpaint",
                                   "data.size=12",
                                   "data.colour=rgb",
                                   "network.layers=0",
                                   "network.width=16",
                                   "network.omega_first=10",
                                   "train.tile=64",
                                   "inpaint.tv_weight=0.5",
                                   "inpaint.share=0.25",
                                   "inpaint.hessian_weight=0.25",
                                   more,
                                   prior};
  Config *config = NULL;
  Status status =
      config_parse("a test", "{}", 2, sizeof overrides / sizeof *overrides, overrides, &config);
  assert_all(status == STATUS_OK);
  return config;
}

/* The objective's total at theta, every tile on this rank. */
static double total(const Setup *setup, uint64_t step, const real *theta) {
  const Objective *objective = &setup->objective;
  double sums[OBJECTIVE_MAX_TERMS] = {0}, terms[OBJECTIVE_MAX_TERMS];
  void *workspace = NULL;
  Status status = objective->workspace_create(objective, &workspace);
  assert_all(status == STATUS_OK);
  for (int64_t tile = 0; tile < objective->tiles(objective, step); tile++) {
    objective->tile(objective, step, tile, theta, NULL, terms, NULL, workspace);
    for (int t = 0; t < objective->n_terms; t++) sums[t] += terms[t];
  }
  objective->workspace_destroy(workspace);
  return objective_total(objective, sums);
}

/* mean over all pixels and channels of mask * (Phi - f)^2 */
static double masked_mean(const Setup *setup, const real *theta) {
  Target target;
  Mask mask;
  assert_all(target_read(setup->config, "", &target) == STATUS_OK);
  assert_all(mask_create(setup->config, &target, &mask) == STATUS_OK);
  double sum = 0;
  for (int p = 0; p < SIZE * SIZE; p++) {
    const double x[2] = {2.0 * (p / SIZE) / (SIZE - 1) - 1, 2.0 * (p % SIZE) / (SIZE - 1) - 1};
    double y[CHANNELS];
    plain(&setup->network, theta, x, y);
    for (int c = 0; c < CHANNELS; c++) {
      double e = y[c] - (double)target.values[p * CHANNELS + c];
      sum += mask.known[p] * e * e;
    }
  }
  mask_destroy(&mask);
  target_destroy(&target);
  return sum / (SIZE * SIZE * CHANNELS);
}

/* The prior's integrands at x by central differences. */
static double variation_at(const Network *network, const real *theta, const double x[2]) {
  const double h = 1e-5;
  double sum = 0;
  for (int j = 0; j < 2; j++) {
    double ahead[CHANNELS], behind[CHANNELS], slope = 0, y[2] = {x[0], x[1]};
    y[j] = x[j] + h, plain(network, theta, y, ahead);
    y[j] = x[j] - h, plain(network, theta, y, behind);
    for (int c = 0; c < CHANNELS; c++) slope += (ahead[c] - behind[c]) / (2 * h);
    sum += fabs(slope) / 2;
  }
  return sum;
}

static double hessian_at(const Network *network, const real *theta, const double x[2]) {
  const double h = 1e-4;
  double squares = 0, corner[4][CHANNELS];
  for (int i = 0; i < 2; i++) {
    for (int j = 0; j < 2; j++) {
      for (int k = 0; k < 4; k++) {
        double y[2] = {x[0], x[1]};
        y[i] += k & 1 ? h : -h;
        y[j] += k & 2 ? h : -h;
        plain(network, theta, y, corner[k]);
      }
      for (int c = 0; c < CHANNELS; c++) {
        double d = (corner[3][c] - corner[1][c] - corner[2][c] + corner[0][c]) / (4 * h * h);
        squares += d * d;
      }
    }
  }
  return sqrt(squares);
}

typedef double (*Integrand)(const Network *network, const real *theta, const double x[2]);

/* Its mean over the points of a step; they lie in [-1, 1]^2, around 0. */
static double mean_prior(const Setup *setup, uint64_t step, const real *theta,
                         Integrand integrand) {
  const Domain *domain = &setup->problem.domains[1];
  double sum = 0, centre[2] = {0};
  bool inside = true;
  for (int64_t i = 0; i < domain->samples; i++) {
    real drawn[2];
    domain->draw(domain->source, step, i, 1, drawn, NULL, NULL);
    const double x[2] = {(double)drawn[0], (double)drawn[1]};
    inside &= fabs(x[0]) <= 1 && fabs(x[1]) <= 1;
    for (int k = 0; k < 2; k++) centre[k] += x[k] / (double)domain->samples;
    sum += integrand(&setup->network, theta, x) / (double)domain->samples;
  }
  assert_all(inside && fabs(centre[0]) < 0.3 && fabs(centre[1]) < 0.3);
  return sum;
}

static void check_loss(const char *prior, double weight, Integrand integrand) {
  Config *config = configure("inpaint.kernel=none", prior);
  Setup setup;
  assert_all(suite_setup(world, config, 1, &setup) == STATUS_OK);
  real *theta = NULL;
  assert_all(memory_allocate(&theta, setup.network.n_parameters, sizeof *theta, "a test") ==
             STATUS_OK);
  network_init(&setup.network, 5, theta);
  double values = masked_mean(&setup, theta), before = 0;
  for (uint64_t step = 0; step < 2; step++) {
    double expected = values, got = total(&setup, step, theta);
    if (integrand) expected += weight * mean_prior(&setup, step, theta, integrand);
    assert_all(fabs(got - expected) < 2e-5 * expected);
    assert_all(step == 0 || (got == before) == !integrand); /* new points in every step */
    before = got;
  }
  if (integrand) assert_all(setup.problem.domains[1].samples == SIZE * SIZE / 2);
  free(theta);
  suite_destroy(&setup);
  config_destroy(config);
}

static void test_loss_is_the_formula(void **state) {
  (void)state;
  check_loss("inpaint.prior=none", 0, NULL);
  check_loss("inpaint.prior=tv", 0.5, variation_at);
  check_loss("inpaint.prior=hessian", 0.25, hessian_at);
}

/* Shifted coordinates: by less than 1/side, in every step another way, on average not at all. */
static void test_shifts(void **state) {
  (void)state;
  Config *configs[2] = {configure("inpaint.kernel=none", "inpaint.prior=none"),
                        configure("inpaint.kernel=triangle", "inpaint.prior=none")};
  Setup setups[2];
  for (int i = 0; i < 2; i++) {
    assert_all(suite_setup(world, configs[i], 1, &setups[i]) == STATUS_OK);
  }
  enum { STEPS = 400, N = SIZE * SIZE / 4 };
  real fixed[2 * N], shifted[2 * N], data[CHANNELS * N];
  double mean = 0, square = 0, largest = 0;
  const Domain *a = &setups[0].problem.domains[0], *b = &setups[1].problem.domains[0];
  assert_all(a->samples == N && b->samples == N);
  a->draw(a->source, 0, 0, N, fixed, data, NULL);
  for (uint64_t step = 0; step < STEPS; step++) {
    b->draw(b->source, step, 0, N, shifted, data, NULL);
    for (int i = 0; i < 2 * N; i++) {
      double d = ((double)shifted[i] - (double)fixed[i]) * SIZE;
      mean += d / (2 * N * STEPS);
      square += d * d / (2 * N * STEPS);
      largest = fmax(largest, fabs(d));
    }
  }
  assert_all(largest < 1 + 1e-5 && largest > 0.95);
  assert_all(fabs(mean) < 0.01 && fabs(square - 1. / 6) < 0.005);
  for (int i = 0; i < 2; i++) {
    suite_destroy(&setups[i]);
    config_destroy(configs[i]);
  }
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_loss_is_the_formula),
      cmocka_unit_test(test_shifts),
  };
  mpi_check_main(argc, argv, tests);
}
