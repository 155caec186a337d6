/* The Helmholtz equation with an absorbing layer (Sitzmann et al. 2020, section 4.3 and suppl. 5;
 * paper.md 6.1 to 6.3): Phi: (x, y) -> complex u on [-1, 1]^2 with (experiments/pml.h)
 *
 *     H(m) u = d/dx((e_y/e_x) u_x) + d/dy((e_x/e_y) u_y) + e_x e_y m k^2 u = f,
 *
 *     L = sum over points x drawn anew in every step of lambda(x) |H(m) Phi(x) - f(x)|_1,
 *
 * lambda = N/1000 for N points where f is not 0, and 1 elsewhere; |.|_1 adds real and imaginary
 * part. Nothing but the equation is known: no boundary values. With helmholtz.loss=square, squares
 * take the absolute values' place, and residuals have the weights of experiments/wave_points.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/field_eval.h"
#include "experiments/helmholtz_report.h"
#include "experiments/medium.h"
#include "experiments/penalty.h"
#include "experiments/pml.h"
#include "experiments/suite.h"
#include "experiments/wave_points.h"

typedef struct {
  Pml pml;
  Medium medium;
  PmlSource source;
  uint64_t seed;
  int64_t samples, source_samples;
  WavePlan plan;
  double source_weight; /* of points where f is not 0 */
} Helmholtz;

/* A sample's data: the equation's coefficients, m, f, w. */
enum { SLOWNESS = PML_WIDTH, SOURCE, WEIGHT, WIDTH };

/* ---- The terms ---- */

/* Where a term applies, and what it makes of the residual. */
typedef struct {
  bool source; /* where f is not 0, or where it is */
  bool square; /* |r|^2 instead of |r|_1 */
} TermPlace;

static const TermPlace absolute[] = {{true, false}, {false, false}};
static const TermPlace squares[] = {{true, true}, {false, true}};

static double equation(const TermBlock *block, double factor, const void *settings) {
  const TermPlace *place = settings;
  double sum = 0, r[2], g[2];
  for (int row = 0; row < block->rows; row++) {
    const real *data = block->data + row * WIDTH;
    double f = (double)data[SOURCE], m = (double)data[SLOWNESS], w = (double)data[WEIGHT];
    if ((f != 0) != place->source) continue;
    pml_residual(block, row, 0, m, (const double[2]){f, f}, r);
    for (int i = 0; i < 2; i++) {
      double e = w * r[i];
      sum += penalty(place->square, e);
      g[i] = factor * w * penalty_slope(place->square, e);
    }
    if (block->value_bar) pml_adjoint(block, row, 0, m, g);
  }
  return sum;
}

/* The squares' residuals: real and imaginary part, times the root of their weight. */
static void residual(const TermBlock *block, int which, const void *settings, double *residual,
                     bool *active) {
  const Helmholtz *h = settings;
  for (int row = 0; row < block->rows; row++) {
    const real *data = block->data + row * WIDTH;
    double f = (double)data[SOURCE], m = (double)data[SLOWNESS], r[2], g[2] = {0, 0};
    double weight = (double)data[WEIGHT] * sqrt(f != 0 ? h->source_weight : 1);
    pml_residual(block, row, 0, m, (const double[2]){f, f}, r);
    g[which] = weight;
    pml_adjoint(block, row, 0, m, g);
    residual[row] = weight * r[which];
    active[row] = true;
  }
}

/* ---- The problem ---- */

/* Points of the square; the last ones of a step near the source. */
static void draw(const void *context, uint64_t step, int64_t first, int rows, real *x, real *data,
                 real *weights) {
  (void)weights;
  const Helmholtz *h = context;
  int64_t near = h->samples - h->source_samples;
  WaveUnits everywhere = {{h->seed, RANDOM_SPACE, step}, 2, h->plan.even};
  WaveFocus focus = {{h->source.x[0], h->source.x[1]}, h->plan.core, h->plan.radius};
  WaveUnits at_source = {{h->seed, RANDOM_SAMPLE, step}, 2, h->plan.even};
  for (int r = 0; r < rows; r++, x += 2, data += WIDTH) {
    int64_t i = first + r;
    double u[2];
    wave_unit(i < near ? &everywhere : &at_source, (uint64_t)i, u);
    if (i < near) {
      wave_point(u, h->plan.box_share, x);
    } else {
      wave_point_near(u, &focus, x);
    }
    double at[2] = {(double)x[0], (double)x[1]};
    pml_row(&h->pml, x, data);
    data[SLOWNESS] = (real)medium_slowness(&h->medium, at);
    data[SOURCE] = (real)pml_source(&h->source, at);
    data[WEIGHT] = (real)wave_weight(&h->plan, h->source.x, at);
  }
}

static Status make_problem(const Helmholtz *h, Setup *setup) {
  const Config *config = setup->config;
  bool square = !strcmp(config_text(config, "helmholtz.loss"), "square");
  const TermPlace *places = square ? squares : absolute;
  setup->problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(config, "train.tile"),
      .n_domains = 1,
      .domains = {{.name = "square",
                   .samples = h->samples,
                   .jet = PML_JET,
                   .data_width = WIDTH,
                   .draw = draw,
                   .source = h,
                   .n_terms = 2,
                   .terms = {{"source", h->source_weight, equation, &places[0]},
                             {"equation", 1, equation, &places[1]}},
                   .n_residuals = square ? 2 : 0,
                   .residuals = residual,
                   .residual_settings = h}},
  };
  return problem_objective(&setup->problem, &setup->objective);
}

/* ---- Setting up ---- */

static Status read_source(const Config *config, PmlSource *source) {
  static const char *const keys[2] = {"helmholtz.source_x", "helmholtz.source_y"};
  for (int i = 0; i < 2; i++) {
    source->x[i] = config_real(config, keys[i]);
    if (fabs(source->x[i]) <= PML_EDGE) continue;
    return config_reject(config, keys[i],
                         "the source lies in the absorbing layer, or beyond it; the box of waves "
                         "goes from -0.5 to 0.5");
  }
  return STATUS_OK;
}

static Status read_samples(const Config *config, Helmholtz *h) {
  h->samples = config_int(config, "train.samples");
  h->source_samples = config_int(config, "helmholtz.source_samples");
  TRY(wave_plan_read(config, "helmholtz", &h->plan));
  h->source_weight = config_real(config, "helmholtz.source_weight");
  if (h->source_weight == 0) h->source_weight = (double)h->samples / 1000;
  TRY(wave_points_check(config, h->samples));
  if (h->source_samples <= h->samples) return STATUS_OK;
  return config_reject(config, "helmholtz.source_samples",
                       "a step has only %lld points (train.samples)", (long long)h->samples);
}

static Status set_up_local(Setup *setup) {
  const Config *config = setup->config;
  Helmholtz *h;
  TRY(memory_allocate(&h, 1, sizeof *h, "the equation"));
  setup->own = h;
  h->seed = (uint64_t)config_int(config, "seed");
  h->pml.wavenumber = config_real(config, "helmholtz.wavenumber");
  h->pml.strength = config_real(config, "helmholtz.absorption");
  TRY(read_source(config, &h->source));
  TRY(read_samples(config, h));
  TRY(medium_create(config, "helmholtz", PML_EDGE, &h->medium));
  TRY(suite_network(config, 2, 2, WAVE_SIDE, &setup->network));
  return make_problem(h, setup);
}

static Status set_up(Setup *setup) {
  return comm_agree(setup->comm, set_up_local(setup));
}

static void destroy(Setup *setup) {
  Helmholtz *h = setup->own;
  if (h) medium_destroy(&h->medium);
  free(h);
}

static double residual_of_terms(const double *terms) {
  return terms[0] + terms[1];
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  const Helmholtz *h = setup->own;
  HelmholtzCase what = {&h->pml, &h->medium, &h->source};
  return helmholtz_report(setup, theta, &what, result);
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  return field_eval(setup, theta, result, WAVE_SIDE);
}

const ExperimentFunctions experiment_helmholtz = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .evaluation_bytes = helmholtz_report_bytes,
    .evaluation_flops = helmholtz_report_flops,
    .metrics = (const char *const[]){HELMHOLTZ_METRICS, NULL},
    .headline = {"residual", "1", residual_of_terms},
};
