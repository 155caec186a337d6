/* The wave equation (Sitzmann et al. 2020, suppl. 5.3; paper.md section 7): Phi: (t, x, y) -> u,
 *
 *     u_tt = c(x)^2 (u_xx + u_yy),   u(0, x) = p(x),  u_t(0, x) = 0,
 *     p(x) = 1/50 exp(-|x - s|^2 / (2 5e-4)), and 0 below 1e-5,
 *
 *     L = sum over points (t, x) drawn anew in every step of |u_tt - c^2 Lap u|
 *       + sum over those of them with t = 0 of  N/10 |u - p| + N/100 |u_t|,
 *
 * for N points in [0, T] x [-1, 1]^2, where T grows with the steps. Nothing is asked for at the
 * square's border. With wave.loss=square, squares take the absolute values' place. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/medium.h"
#include "experiments/penalty.h"
#include "experiments/suite.h"
#include "experiments/wave_points.h"
#include "experiments/wave_report.h"

typedef struct {
  Medium medium;
  WavePulse pulse;
  uint64_t seed;
  int64_t samples, near_samples, initial_samples;
  bool even, near_front;
  WaveFocus focus;
  double scale;   /* the network learns this times u */
  double horizon; /* T at the end */
  double growth_steps, pretrain_steps;
  double weight_displacement, weight_velocity;
} Wave;

/* In the first steps, where wave.pretrain_steps asks for them, times are within +- this. */
static const double pretrain_time = 0.001;

/* A sample's data: p; 1 where the initial condition is asked for; 1 where the equation is. */
enum { PULSE, INITIAL, EQUATION, WIDTH };

/* ---- The terms ---- */

typedef struct {
  int place; /* INITIAL or EQUATION: where the term applies */
  bool square;
} TermPlace;

/* Sum over the rows of |r| or r^2, r = stream - target, and its adjoint. */
static double penalise(const TermBlock *block, double factor, const TermPlace *place,
                       const real *stream, real *bar, bool less_pulse) {
  double sum = 0;
  for (int row = 0; row < block->rows; row++) {
    const real *data = block->data + row * WIDTH;
    if (data[place->place] == 0) continue;
    double r = (double)stream[row] - (less_pulse ? (double)data[PULSE] : 0);
    sum += penalty(place->square, r);
    if (bar) bar[row] += (real)(factor * penalty_slope(place->square, r));
  }
  return sum;
}

static double displacement(const TermBlock *block, double factor, const void *settings) {
  return penalise(block, factor, settings, block->value, block->value_bar, true);
}

static double velocity(const TermBlock *block, double factor, const void *settings) {
  return penalise(block, factor, settings, block->first[0], block->first_bar[0], false);
}

static double equation(const TermBlock *block, double factor, const void *settings) {
  return penalise(block, factor, settings, block->second[0], block->second_bar[0], false);
}

static const TermPlace absolute[] = {{INITIAL, false}, {EQUATION, false}};
static const TermPlace squares[] = {{INITIAL, true}, {EQUATION, true}};

/* The squares' residuals, times the root of their weight. */
static void residual(const TermBlock *block, int which, const void *settings, double *residual,
                     bool *active) {
  const Wave *wave = settings;
  const struct {
    int place;
    double weight;
    const real *stream;
    real *bar;
  } rows[] = {{INITIAL, wave->weight_displacement, block->value, block->value_bar},
              {INITIAL, wave->weight_velocity, block->first[0], block->first_bar[0]},
              {EQUATION, 1, block->second[0], block->second_bar[0]}};
  double root = sqrt(rows[which].weight);
  for (int row = 0; row < block->rows; row++) {
    const real *data = block->data + row * WIDTH;
    active[row] = data[rows[which].place] != 0;
    residual[row] = 0;
    if (!active[row]) continue;
    residual[row] =
        root * ((double)rows[which].stream[row] - (which == 0 ? (double)data[PULSE] : 0));
    rows[which].bar[row] += (real)root;
  }
}

/* ---- The problem ---- */

static double horizon(const Wave *wave, double step) {
  double grown = step - wave->pretrain_steps;
  if (grown >= wave->growth_steps) return wave->horizon;
  return wave->horizon * grown / wave->growth_steps;
}

/* The last ones of a step, as in the released code; of an even sequence as many, but any. */
static bool is_near(const Wave *wave, int64_t i, double unit) {
  int64_t others = wave->samples - wave->near_samples;
  return wave->even ? unit * (double)wave->samples >= (double)others : i >= others;
}

/* Where all points are initial ones, the released code does not ask for the equation. */
static void set_time(const Wave *wave, uint64_t step, int64_t i, double share, real *t,
                     real *data) {
  bool pretrain = (double)step < wave->pretrain_steps;
  double end = pretrain ? 0 : horizon(wave, (double)step);
  bool initial = end == 0 || i >= wave->samples - wave->initial_samples;
  *t = (real)(pretrain ? pretrain_time * (2 * share - 1) : initial ? 0 : end * share);
  data[INITIAL] = initial;
  data[EQUATION] = end > 0;
}

/* Where the pulse is at a time, in a medium of velocity 1: a circle. */
static void near_front(const Wave *wave, double time, const double u[2], real x[2]) {
  double width = wave->focus.radius, inner = fmax(time - width, 0);
  WaveFocus ring = {.x = {wave->pulse.x[0], wave->pulse.x[1]}};
  ring.radius = inner + (time + width - inner) * u[0];
  wave_point_near((const double[2]){1, u[1]}, &ring, x);
}

static void draw_place(const Wave *wave, int64_t i, const double u[4], double time, real x[2]) {
  if (!is_near(wave, i, u[3])) {
    wave_point(u, 0.5, x);
  } else if (wave->near_front) {
    near_front(wave, fabs(time), u, x);
  } else {
    wave_point_near(u, &wave->focus, x);
  }
}

static void draw(const void *context, uint64_t step, int64_t first, int rows, real *x, real *data,
                 real *weights) {
  const Wave *wave = context;
  WaveUnits units = {{wave->seed, RANDOM_SPACE, step}, 4, wave->even};
  for (int r = 0; r < rows; r++, x += 3, data += WIDTH, weights += 3) {
    double u[4];
    wave_unit(&units, (uint64_t)(first + r), u);
    set_time(wave, step, first + r, u[2], x, data);
    draw_place(wave, first + r, u, (double)x[0], x + 1);
    double at[2] = {(double)x[1], (double)x[2]};
    data[PULSE] = (real)(wave->scale * wave_pulse(&wave->pulse, at));
    weights[0] = 1;
    weights[1] = weights[2] = (real)(-1 / medium_slowness(&wave->medium, at));
  }
}

/* Residuals of a step, at most: initial points have three, all others one, and as long as there is
 * no time to look at, all have two. */
static int64_t all_residuals(const Wave *wave) {
  int64_t usual = wave->samples + 2 * wave->initial_samples, begin = 2 * wave->samples;
  bool begins = wave->pretrain_steps > 0 || wave->growth_steps > 0;
  return begins && begin > usual ? begin : usual;
}

static Status make_problem(const Wave *wave, Setup *setup) {
  const Config *config = setup->config;
  bool square = !strcmp(config_text(config, "wave.loss"), "square");
  const TermPlace *places = square ? squares : absolute;
  setup->problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(config, "train.tile"),
      .n_domains = 1,
      .domains =
          {{.name = "space_time",
            .samples = wave->samples,
            .jet = {.first = true, .n_second = 1, .second = {{JET_COLLAPSED, JET_COLLAPSED}}},
            .data_width = WIDTH,
            .operator_weights = true,
            .draw = draw,
            .source = wave,
            .n_terms = 3,
            .terms = {{"displacement", wave->weight_displacement, displacement, &places[0]},
                      {"velocity", wave->weight_velocity, velocity, &places[0]},
                      {"equation", 1, equation, &places[1]}},
            .n_residuals = square ? 3 : 0,
            .all_residuals = all_residuals(wave),
            .residuals = residual,
            .residual_settings = wave}},
  };
  return problem_objective(&setup->problem, &setup->objective);
}

/* ---- Setting up ---- */

static Status read_pulse(const Config *config, WavePulse *pulse) {
  static const char *const keys[2] = {"wave.source_x", "wave.source_y"};
  for (int i = 0; i < 2; i++) {
    pulse->x[i] = config_real(config, keys[i]);
    if (fabs(pulse->x[i]) <= 1) continue;
    return config_reject(config, keys[i], "the pulse begins outside the square from -1 to 1");
  }
  pulse->height = config_real(config, "wave.pulse_height");
  pulse->variance = config_real(config, "wave.pulse_variance");
  return STATUS_OK;
}

/* A share of a step's points that an option asks for. */
static Status read_part(const Config *config, const char *key, int64_t samples, int64_t *part) {
  *part = config_int(config, key);
  if (*part <= samples) return STATUS_OK;
  return config_reject(config, key, "a step has only %lld points (train.samples)",
                       (long long)samples);
}

static Status read_points(const Config *config, Wave *wave) {
  wave->samples = config_int(config, "train.samples");
  TRY(wave_points_check(config, wave->samples));
  TRY(read_part(config, "wave.near_samples", wave->samples, &wave->near_samples));
  TRY(read_part(config, "wave.initial_samples", wave->samples, &wave->initial_samples));
  wave->even = !strcmp(config_text(config, "wave.points"), "even");
  wave->focus.radius = config_real(config, "wave.near_radius");
  wave->near_front = !strcmp(config_text(config, "wave.near"), "front");
  memcpy(wave->focus.x, wave->pulse.x, sizeof wave->focus.x);
  wave->scale = config_real(config, "wave.scale");
  wave->horizon = config_real(config, "wave.horizon");
  wave->pretrain_steps = (double)config_int(config, "wave.pretrain_steps");
  wave->weight_displacement = config_real(config, "wave.weight_displacement");
  wave->weight_velocity = config_real(config, "wave.weight_velocity");
  if (wave->weight_displacement == 0) wave->weight_displacement = (double)wave->samples / 10;
  if (wave->weight_velocity == 0) wave->weight_velocity = (double)wave->samples / 100;
  double steps = (double)config_int(config, "train.steps");
  wave->growth_steps = config_real(config, "wave.growth") * (steps - wave->pretrain_steps);
  return STATUS_OK;
}

static Status set_up_local(Setup *setup) {
  const Config *config = setup->config;
  Wave *wave;
  TRY(memory_allocate(&wave, 1, sizeof *wave, "the equation"));
  setup->own = wave;
  wave->seed = (uint64_t)config_int(config, "seed");
  TRY(read_pulse(config, &wave->pulse));
  TRY(read_points(config, wave));
  TRY(medium_create(config, "wave", 1, &wave->medium));
  TRY(suite_network(config, 3, 1, WAVE_SIDE, &setup->network));
  return make_problem(wave, setup);
}

static Status set_up(Setup *setup) {
  return comm_agree(setup->comm, set_up_local(setup));
}

static void destroy(Setup *setup) {
  Wave *wave = setup->own;
  if (wave) medium_destroy(&wave->medium);
  free(wave);
}

static double equation_of_terms(const double *terms) {
  return terms[2];
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  const Wave *wave = setup->own;
  WaveCase what = {&wave->medium, &wave->pulse, wave->scale};
  return wave_report(setup, theta, &what, result);
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  return wave_eval(setup, theta, result);
}

const ExperimentFunctions experiment_wave = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .evaluation_bytes = wave_report_bytes,
    .evaluation_flops = wave_report_flops,
    .metrics = (const char *const[]){WAVE_METRICS, NULL},
    .headline = {"equation", "1", equation_of_terms},
};
