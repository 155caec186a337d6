/* Full-waveform inversion (Sitzmann et al. 2020, section 4.3 and suppl. 5.2; paper.md 6.4): ONE
 * network Phi: (x, y) -> the complex fields u_i of all sources f_i, and q, which tells the squared
 * slowness m of the medium that they run through, as (experiments/pml.h)
 *
 *     H(m) u_i = f_i,     u_i(x_r) = what receiver r received;
 *
 * q is fwi.scale (1) times the last channel. In the first fwi.pretrain_steps steps the medium is
 * to be uniform, m = 1 + q,
 *
 *     L = sum over points x of sum_i lambda_i(x) |H(m) Phi_i(x) - f_i(x)|_1 + N/scale |m(x) - 1|,
 *
 * then m = 1 + max(q, -0.999), and m = 1 where |x| or |y| is over fwi.reach (3/4),
 *
 *     L = the same sum + N sum over receivers r of sum_i |Phi_i(x_r) - received_ir|_1,
 *
 * lambda_i = N/1000 for N points where f_i is not 0, and 1 elsewhere. With fwi.loss=square, squares
 * take the absolute values' place; with fwi.fields=one each point asks for one source's equation,
 * in the first stage with m = 1 itself, so that the medium cannot take what the field should. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/field_eval.h"
#include "experiments/fwi_data.h"
#include "experiments/fwi_report.h"
#include "experiments/helmholtz_report.h"
#include "experiments/penalty.h"
#include "experiments/suite.h"
#include "experiments/wave_points.h"

typedef struct {
  const struct Fwi *fwi;
  bool source; /* where f_i is not 0, or where it is */
  bool square; /* r^2 instead of |r| */
} TermPlace;

typedef struct Fwi {
  Pml pml;
  FwiData data;
  uint64_t seed;
  int64_t samples, source_samples; /* in a step; of these near each source */
  uint64_t pretrain_steps;
  WavePlan plan;
  bool one_field; /* a point asks for the equation of one source only */
  double source_weight, data_weight;
  TermPlace places[2];
} Fwi;

/* How m follows from q. */
enum { FREE, BOUNDED, ONE };

/* A sample's data: the equation's coefficients, one of the above, 1 where m shall be 1, the source
 * whose equation is asked for (-1: all), then f_i [sources] and what was received [sources][2]. */
enum { MEDIUM = PML_WIDTH, UNIFORM, CHOSEN, SOURCES };

static int data_width(const FwiData *data) {
  return SOURCES + 3 * data->sources;
}

static int fields_of(const TermBlock *block) {
  return (block->out - 1) / 2;
}

static const real *data_of(const TermBlock *block, int row) {
  return block->data + (size_t)row * (size_t)block->data_width;
}

/* The last channel at a row, and its adjoint. */
static double last(const TermBlock *block, int row) {
  return (double)block->value[row * block->out + block->out - 1];
}

static void add_last_bar(const TermBlock *block, int row, double bar) {
  block->value_bar[row * block->out + block->out - 1] += (real)bar;
}

/* m at a row; *slope gets its derivative by the last channel. */
static double slowness(const Fwi *fwi, const TermBlock *block, int row, double *slope) {
  int kind = (int)data_of(block, row)[MEDIUM];
  double q = fwi->data.scale * last(block, row);
  bool moves = kind == FREE || (kind == BOUNDED && q > FWI_LEAST);
  *slope = moves ? fwi->data.scale : 0;
  return kind == ONE ? 1 : 1 + (moves ? q : FWI_LEAST);
}

static bool is_asked(const real *data, int field) {
  int chosen = (int)data[CHOSEN];
  return chosen < 0 || chosen == field;
}

/* ---- The terms ---- */

static double weight_of(const Fwi *fwi, const TermBlock *block, int row, int field) {
  const real *x = block->x + 2 * row;
  double at[2] = {(double)x[0], (double)x[1]};
  return wave_weight(&fwi->plan, fwi->data.source[field].x, at);
}

/* The equation of one field, weighed: w (H(m) u_i - f_i). */
static void field_residual(const Fwi *fwi, const TermBlock *block, int row, int field, double m,
                           double *weight, double r[2]) {
  double f = (double)data_of(block, row)[SOURCES + field];
  pml_residual(block, row, field, m, (const double[2]){f, f}, r);
  *weight = weight_of(fwi, block, row, field);
  for (int k = 0; k < 2; k++) r[k] *= *weight;
}

static double equation(const TermBlock *block, double factor, const void *settings) {
  const TermPlace *place = settings;
  double sum = 0, r[2], g[2], slope, weight;
  for (int row = 0; row < block->rows; row++) {
    const real *data = data_of(block, row);
    double m = slowness(place->fwi, block, row, &slope), m_bar = 0;
    for (int i = 0; i < fields_of(block); i++) {
      if ((data[SOURCES + i] != 0) != place->source || !is_asked(data, i)) continue;
      field_residual(place->fwi, block, row, i, m, &weight, r);
      for (int k = 0; k < 2; k++) {
        sum += penalty(place->square, r[k]);
        g[k] = factor * weight * penalty_slope(place->square, r[k]);
      }
      if (block->value_bar) m_bar += pml_adjoint(block, row, i, m, g);
    }
    if (block->value_bar) add_last_bar(block, row, slope * m_bar);
  }
  return sum;
}

/* |m - 1| / scale in the first stage. */
static double uniform(const TermBlock *block, double factor, const void *settings) {
  const TermPlace *place = settings;
  double sum = 0;
  for (int row = 0; row < block->rows; row++) {
    if (data_of(block, row)[UNIFORM] == 0) continue;
    double r = last(block, row);
    sum += penalty(place->square, r);
    if (block->value_bar) add_last_bar(block, row, factor * penalty_slope(place->square, r));
  }
  return sum;
}

/* Received numbers that are exactly 0 are not looked at, as in the released code. */
static double reception(const TermBlock *block, double factor, const void *settings) {
  const TermPlace *place = settings;
  double sum = 0;
  int n = 2 * fields_of(block);
  for (int row = 0; row < block->rows; row++) {
    const real *received = data_of(block, row) + SOURCES + n / 2;
    for (int i = 0; i < n; i++) {
      if (received[i] == 0) continue;
      double r = (double)block->value[row * block->out + i] - (double)received[i];
      sum += penalty(place->square, r);
      if (block->value_bar) {
        block->value_bar[row * block->out + i] += (real)(factor * penalty_slope(place->square, r));
      }
    }
  }
  return sum;
}

/* ---- The squares' residuals, times the root of their weight ---- */

static void equation_residual(const Fwi *fwi, const TermBlock *block, int which, double *residual,
                              bool *active) {
  int field = which / 2, part = which % 2;
  for (int row = 0; row < block->rows; row++) {
    const real *data = data_of(block, row);
    active[row] = is_asked(data, field);
    residual[row] = 0;
    if (!active[row]) continue;
    double slope, weight, r[2], g[2] = {0, 0}, m = slowness(fwi, block, row, &slope);
    double root = sqrt(data[SOURCES + field] != 0 ? fwi->source_weight : 1);
    field_residual(fwi, block, row, field, m, &weight, r);
    residual[row] = root * r[part];
    g[part] = root * weight;
    add_last_bar(block, row, slope * pml_adjoint(block, row, field, m, g));
  }
}

static void reception_residual(const Fwi *fwi, const TermBlock *block, int which, double *residual,
                               bool *active) {
  double root = sqrt(fwi->data_weight);
  for (int row = 0; row < block->rows; row++) {
    double received = (double)data_of(block, row)[SOURCES + fields_of(block) + which];
    int at = row * block->out + which;
    active[row] = received != 0;
    residual[row] = active[row] ? root * ((double)block->value[at] - received) : 0;
    if (active[row]) block->value_bar[at] += (real)root;
  }
}

static void uniform_residual(const Fwi *fwi, const TermBlock *block, double *residual,
                             bool *active) {
  double root = sqrt(fwi->data_weight);
  for (int row = 0; row < block->rows; row++) {
    active[row] = data_of(block, row)[UNIFORM] != 0;
    residual[row] = active[row] ? root * last(block, row) : 0;
    if (active[row]) add_last_bar(block, row, root);
  }
}

static void residual(const TermBlock *block, int which, const void *settings, double *residual,
                     bool *active) {
  const Fwi *fwi = settings;
  int fields = 2 * fields_of(block);
  if (which < fields) {
    equation_residual(fwi, block, which, residual, active);
  } else if (which < 2 * fields) {
    reception_residual(fwi, block, which - fields, residual, active);
  } else {
    uniform_residual(fwi, block, residual, active);
  }
}

/* ---- The problem ---- */

/* Whose equation a point near a source asks for: half of them for that source's, the others in turn
 * for the rest, as what the layers make of a source is sharp in all fields. */
static int near_group(const Fwi *fwi, int source, int64_t i) {
  int64_t own = (fwi->source_samples + 1) / 2, others = fwi->source_samples - own;
  if (i < own) return source;
  return (int)((source + 1 + (i - own) * (fwi->data.sources - 1) / others) % fwi->data.sources);
}

/* The receivers, then points of the square, then points near each source; whose equation a point
 * asks for: a source's points follow each other, as only a sequence without gaps is even. */
static int draw_place(const Fwi *fwi, uint64_t step, int64_t i, real x[2]) {
  int64_t near = fwi->samples - fwi->source_samples * fwi->data.sources;
  int64_t receivers = fwi->data.receivers;
  int group = (int)(i % fwi->data.sources);
  double u[2];
  if (i < receivers) {
    for (int k = 0; k < 2; k++) x[k] = (real)fwi->data.receiver[i][k];
  } else if (i < near) {
    group = (int)((i - receivers) * fwi->data.sources / (near - receivers));
    WaveUnits units = {{fwi->seed, RANDOM_SPACE, step}, 2, fwi->plan.even};
    wave_unit(&units, (uint64_t)i, u);
    wave_point(u, fwi->plan.box_share, x);
  } else {
    int which = (int)((i - near) / fwi->source_samples);
    const double *source = fwi->data.source[which].x;
    group = near_group(fwi, which, (i - near) % fwi->source_samples);
    WaveUnits units = {{fwi->seed, RANDOM_SAMPLE, step}, 2, fwi->plan.even};
    WaveFocus focus = {{source[0], source[1]}, fwi->plan.core, fwi->plan.radius};
    wave_unit(&units, (uint64_t)i, u);
    wave_point_near(u, &focus, x);
  }
  return fwi->one_field ? group : -1;
}

/* Of points that ask for one source's equation, those of the first source say what the medium is:
 * it is one field, and a residual costs the more the more there are. */
static void fill_data(const Fwi *fwi, bool pretrain, int64_t i, const real x[2], real *data) {
  int n = fwi->data.sources;
  double at[2] = {(double)x[0], (double)x[1]};
  bool beyond = fabs(at[0]) > fwi->data.reach || fabs(at[1]) > fwi->data.reach;
  pml_row(&fwi->pml, x, data);
  data[MEDIUM] = pretrain ? (fwi->one_field ? ONE : FREE) : beyond ? ONE : BOUNDED;
  data[UNIFORM] = pretrain && data[CHOSEN] <= 0;
  for (int k = 0; k < n; k++) {
    data[SOURCES + k] = (real)pml_source(&fwi->data.source[k], at);
    bool receives = !pretrain && i < fwi->data.receivers;
    double complex value = receives ? fwi->data.received[i * n + k] : 0;
    data[SOURCES + n + 2 * k] = (real)creal(value);
    data[SOURCES + n + 2 * k + 1] = (real)cimag(value);
  }
}

static void draw(const void *context, uint64_t step, int64_t first, int rows, real *x, real *data,
                 real *weights) {
  (void)weights;
  const Fwi *fwi = context;
  for (int r = 0; r < rows; r++, x += 2, data += data_width(&fwi->data)) {
    data[CHOSEN] = (real)draw_place(fwi, step, first + r, x);
    fill_data(fwi, step < fwi->pretrain_steps, first + r, x, data);
  }
}

/* Of a step in the first stage, at most. */
static int64_t uniform_points(const Fwi *fwi) {
  int64_t sources = fwi->data.sources, even = fwi->samples - fwi->source_samples * sources;
  if (!fwi->one_field) return fwi->samples;
  return even / sources + fwi->data.receivers + 1 + fwi->source_samples;
}

static Status make_problem(Fwi *fwi, Setup *setup) {
  bool square = !strcmp(config_text(setup->config, "fwi.loss"), "square");
  fwi->places[0] = (TermPlace){fwi, true, square};
  fwi->places[1] = (TermPlace){fwi, false, square};
  const TermPlace *places = fwi->places;
  int equations = 2 * (fwi->one_field ? 1 : fwi->data.sources), heard = 2 * fwi->data.sources;
  int64_t received = (int64_t)heard * fwi->data.receivers, uniform_rows = uniform_points(fwi);
  setup->problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(setup->config, "train.tile"),
      .n_domains = 1,
      .domains = {{.name = "square",
                   .samples = fwi->samples,
                   .jet = PML_JET,
                   .data_width = data_width(&fwi->data),
                   .draw = draw,
                   .source = fwi,
                   .n_terms = 4,
                   .terms = {{"source", fwi->source_weight, equation, &places[0]},
                             {"equation", 1, equation, &places[1]},
                             {"uniform", fwi->data_weight, uniform, &places[1]},
                             {"received", fwi->data_weight, reception, &places[1]}},
                   .n_residuals = square ? 4 * fwi->data.sources + 1 : 0,
                   .most_residuals = equations + heard,
                   .all_residuals = equations * fwi->samples +
                                    (received > uniform_rows ? received : uniform_rows),
                   .residuals = residual,
                   .residual_settings = fwi}},
  };
  return problem_objective(&setup->problem, &setup->objective);
}

/* ---- Setting up ---- */

static Status read_samples(const Config *config, Fwi *fwi) {
  fwi->samples = config_int(config, "train.samples");
  fwi->source_samples = config_int(config, "fwi.source_samples");
  fwi->one_field = !strcmp(config_text(config, "fwi.fields"), "one");
  fwi->source_weight = config_real(config, "fwi.source_weight");
  fwi->data_weight = config_real(config, "fwi.data_weight");
  if (fwi->source_weight == 0) fwi->source_weight = (double)fwi->samples / 1000;
  if (fwi->data_weight == 0) fwi->data_weight = (double)fwi->samples;
  TRY(wave_plan_read(config, "fwi", &fwi->plan));
  TRY(wave_points_check(config, fwi->samples));
  int64_t needed = fwi->data.receivers + fwi->source_samples * fwi->data.sources;
  if (needed <= fwi->samples) return STATUS_OK;
  return config_reject(config, "train.samples",
                       "%d receivers and %lld points near each of %d sources need %lld samples",
                       fwi->data.receivers, (long long)fwi->source_samples, fwi->data.sources,
                       (long long)needed);
}

static Status set_up_local(Setup *setup) {
  const Config *config = setup->config;
  Fwi *fwi;
  TRY(memory_allocate(&fwi, 1, sizeof *fwi, "the equation"));
  setup->own = fwi;
  fwi->seed = (uint64_t)config_int(config, "seed");
  fwi->pretrain_steps = (uint64_t)config_int(config, "fwi.pretrain_steps");
  fwi->pml.wavenumber = config_real(config, "fwi.wavenumber");
  fwi->pml.strength = config_real(config, "fwi.absorption");
  TRY(fwi_data_create(config, &fwi->pml, &fwi->data));
  TRY(read_samples(config, fwi));
  TRY(suite_network(config, 2, 2 * fwi->data.sources + 1, WAVE_SIDE, &setup->network));
  return make_problem(fwi, setup);
}

static Status set_up(Setup *setup) {
  return comm_agree(setup->comm, set_up_local(setup));
}

static void destroy(Setup *setup) {
  Fwi *fwi = setup->own;
  if (fwi) fwi_data_destroy(&fwi->data);
  free(fwi);
}

static double misfit_of_terms(const double *terms) {
  return terms[3];
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  const Fwi *fwi = setup->own;
  FwiCase what = {&fwi->pml, &fwi->data};
  return fwi_report(setup, theta, &what, result);
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  return field_eval(setup, theta, result, WAVE_SIDE);
}

const ExperimentFunctions experiment_fwi = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .evaluation_bytes = fwi_report_bytes,
    .evaluation_flops = helmholtz_report_flops,
    .metrics = (const char *const[]){FWI_METRICS, NULL},
    .headline = {"received", "1", misfit_of_terms},
};
