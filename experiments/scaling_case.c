#include "experiments/scaling_case.h"

#include <math.h>
#include <stdlib.h>

#include "core/encoding.h"
#include "core/exact.h"
#include "core/loss.h"
#include "core/memory.h"
#include "mpi/evaluate.h"

/* ---- The problem ---- */

/* DrawFunction. */
static void draw(const void *source, uint64_t step, int64_t first, int rows, real *x, real *data,
                 real *weights) {
  const NetworkSpec *spec = source;
  (void)step, (void)weights;
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < spec->in; i++) {
      double turn = (double)(first + r + 1) * (0.6180339887 + 0.1 * i);
      x[r * spec->in + i] = (real)(2 * (turn - floor(turn)) - 1);
    }
    for (int i = 0; i < spec->out; i++) data[r * spec->out + i] = x[r * spec->in];
  }
}

static Status create_problem(ScalingCase *c) {
  const ScalingNetwork *named = c->named;
  NetworkSpec spec = {.in = named->in,
                      .out = named->out,
                      .width = named->width,
                      .layers = named->layers,
                      .activation = activation_find("sine"),
                      .encoding = encoding_find("none"),
                      .centres = 1, /* of no use, but in range */
                      .rbf_sigma = 1,
                      .omega_first = 30,
                      .omega_hidden = 30,
                      .weight_init = network_weight_inits[0],
                      .bias_init = network_bias_inits[0]};
  TRY(network_create(&spec, &c->network));
  c->problem = (Problem){.network = &c->network, .tile = named->tile, .n_domains = 1};
  c->problem.domains[0] = (Domain){.name = "samples",
                                   .samples = named->samples,
                                   .mean = true,
                                   .data_width = named->out,
                                   .draw = draw,
                                   .source = &c->network.spec,
                                   .n_terms = 1,
                                   .terms = {{"value", 1, loss_value_mse, NULL}}};
  if (c->problem.tile == 0) c->problem.tile = problem_default_tile(&c->problem);
  return problem_objective(&c->problem, &c->objective);
}

/* ---- Its work ---- */

/* Makes it the problem's. */
static ScalingWork take_samples(ScalingCase *c, int64_t samples, const Exact *exact) {
  double n = (double)exact->n_parameters;
  c->problem.domains[0].samples = samples;
  int64_t tiles = c->objective.tiles(&c->objective, 0);
  return (ScalingWork){
      .tiles = tiles,
      .tile_flops = problem_flops(&c->problem) / (double)tiles,
      .parameters = n,
      .sum_bytes = (double)(exact->size * sizeof(int64_t)),
      .traffic = n * (sizeof(int64_t) + sizeof(real)),
      .counts = 2.0 * (double)(exact->size - exact_counts(exact)) * sizeof(int64_t)};
}

/* What the network stands in for has other numbers, and as many bytes for each parameter. */
static void replace(const ScalingNetwork *named, ScalingWork *whole) {
  if (named->parameters == 0) return;
  whole->sum_bytes *= named->parameters / whole->parameters;
  whole->traffic *= named->parameters / whole->parameters;
  whole->parameters = named->parameters;
  whole->tiles = named->tiles;
  whole->tile_flops = named->step_flops / (double)named->tiles;
}

static Status fill_work(ScalingCase *c, int64_t workers, ScalingStudy *study) {
  enum { LEAST_TILES = 4, MOST_TILES = 64 };
  const double step_flops = 1e11;
  Exact exact;
  TRY(exact_create(&c->objective, &exact));
  study->tile = c->problem.tile;
  study->whole = take_samples(c, c->named->samples, &exact);
  int64_t tiles = (int64_t)fmin(MOST_TILES, ceil(step_flops / study->whole.tile_flops));
  if (tiles < LEAST_TILES) tiles = LEAST_TILES;
  if (tiles < workers) tiles = workers;
  bool all = tiles >= study->whole.tiles;
  study->measured = take_samples(c, all ? c->named->samples : tiles * study->tile, &exact);
  exact_destroy(&exact);
  replace(c->named, &study->whole);
  return STATUS_OK;
}

/* ---- All of it ---- */

static Status check_memory(const ScalingCase *c, int threads, int ranks) {
  enum { VECTORS = 5 }; /* theta, its copy, Adam's */
  double bytes = evaluation_bytes(&c->objective, threads, ranks, 1) +
                 (double)VECTORS * (double)c->objective.n_parameters * sizeof(real);
  double available = memory_available();
  if (available == 0 || bytes * ranks < available) return STATUS_OK;
  return status_fail(STATUS_FAILED,
                     "out of memory: network %s takes %.1f MB on each of %d rank%s, and this node "
                     "has %.1f MB left; network= and width= choose smaller ones",
                     c->named->name, 1e-6 * bytes, ranks, ranks == 1 ? "" : "s", 1e-6 * available);
}

Status scaling_case_create(const ScalingNetwork *named, int64_t workers, int threads, int ranks,
                           ScalingCase *c, ScalingStudy *study) {
  *c = (ScalingCase){.named = named};
  study->network = named;
  OptimizerSettings settings = OPTIMIZER_DEFAULTS;
  TRY(create_problem(c));
  TRY(fill_work(c, workers, study));
  TRY(check_memory(c, threads, ranks));
  size_t n = c->network.n_parameters;
  TRY(memory_allocate(&c->theta, n, sizeof(real), "weights"));
  TRY(memory_allocate(&c->moved, n, sizeof(real), "weights"));
  TRY(optimizer_create("adam", &settings, n, &c->optimizer));
  network_init(&c->network, 0, c->theta);
  return STATUS_OK;
}

void scaling_case_destroy(ScalingCase *c) {
  optimizer_destroy(c->optimizer);
  free(c->theta);
  free(c->moved);
}
