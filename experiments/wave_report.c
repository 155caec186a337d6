#include "experiments/wave_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/cell_mean.h"
#include "experiments/plane.h"
#include "experiments/reference_wave.h"
#include "experiments/wave_pictures.h"

enum { SIDE = 257, SNAPSHOTS = WAVE_SNAPSHOTS };
enum { ERROR, FIRST_SNAPSHOT, SOLVER = FIRST_SNAPSHOT + SNAPSHOTS, ERROR_CLOSED, SOLVER_CLOSED };
enum { METRICS = SOLVER_CLOSED + 1 };
static const char *const names[METRICS] = {WAVE_METRICS};

/* On rank 0. */
typedef struct {
  const WaveCase *what;
  Grid grid; /* [frames][side][side] */
  int64_t snapshot[SNAPSHOTS];
  float *network; /* brought to the field's scale */
  float *reference, *velocity, *frame_error;
  double metrics[METRICS];
  bool closed;
} Report;

static size_t plane_points(const Report *report) {
  return (size_t)grid_line(&report->grid);
}

/* WaveProblem */
static void set_problem(int n, double *slowness2, double *u0, const void *context) {
  const WaveCase *what = context;
  double h = 2. / (n - 1);
  for (int i = 0; i < n * n; i++) {
    double x[2] = {-1 + h * (i / n), -1 + h * (i % n)};
    slowness2[i] = cell_mean(medium_slowness_at, what->medium, x[0], x[1], h);
    u0[i] = wave_pulse(what->pulse, x);
  }
}

static void snapshot_times(const Report *report, double times[SNAPSHOTS]) {
  for (int i = 0; i < SNAPSHOTS; i++) {
    times[i] = grid_coordinate(&report->grid, 0, report->snapshot[i]);
  }
}

/* ---- The solver's field ---- */

static Status solve_frames(Report *report, double *slowness2, double *u0, double *u) {
  int64_t frames = report->grid.size[0];
  size_t points = plane_points(report);
  double *times;
  TRY(memory_allocate(&times, (size_t)frames, sizeof *times, "times"));
  for (int64_t i = 0; i < frames; i++) times[i] = grid_coordinate(&report->grid, 0, i);
  int n = (int)report->grid.size[1];
  set_problem(n, slowness2, u0, report->what);
  WaveGrid grid = {.n = n, .slowness2 = slowness2, .u0 = u0};
  Status status = reference_wave(&grid, (int)frames, times, u);
  free(times);
  for (size_t i = 0; i < (size_t)frames * points; i++) report->reference[i] = (float)u[i];
  for (size_t i = 0; i < points; i++) report->velocity[i] = (float)(1 / sqrt(slowness2[i]));
  return status;
}

static Status solve(Report *report) {
  size_t points = plane_points(report), all = points * (size_t)report->grid.size[0];
  double *work, times[SNAPSHOTS];
  TRY(memory_allocate(&work, all + 2 * points, sizeof *work, "the solver's fields"));
  Status status = solve_frames(report, work, work + points, work + 2 * points);
  free(work);
  TRY(status);
  snapshot_times(report, times);
  return reference_wave_error((int)report->grid.size[1], SNAPSHOTS, times, set_problem,
                              report->what, &report->metrics[SOLVER]);
}

/* ---- Errors ---- */

/* Whether anything determines the field at a node at a time: waves of velocity 1 may have come from
 * beyond the square's border, of which nothing is known. */
static bool is_determined(const Report *report, size_t node, double time) {
  size_t n = (size_t)report->grid.size[1];
  double x = grid_coordinate(&report->grid, 1, (int64_t)(node / n));
  double y = grid_coordinate(&report->grid, 2, (int64_t)(node % n));
  return fmax(fabs(x), fabs(y)) <= 1 - time;
}

/* Adds a frame's squared error and size where it is determined. */
static void add_errors(const Report *report, int64_t frame, const float *phi, const float *u,
                       double *error, double *size) {
  double time = grid_coordinate(&report->grid, 0, frame);
  for (size_t i = 0; i < plane_points(report); i++) {
    if (!is_determined(report, i, time)) continue;
    double e = (double)phi[i] - (double)u[i];
    *error += e * e;
    *size += (double)u[i] * (double)u[i];
  }
}

/* Of all snapshots; truth [SNAPSHOTS][points], or the solver's frames. */
static double relative(const Report *report, const float *field, const float *truth,
                       bool truth_of_snapshots) {
  double error = 0, size = 0;
  size_t points = plane_points(report);
  for (int s = 0; s < SNAPSHOTS; s++) {
    size_t frame = (size_t)report->snapshot[s];
    const float *u = truth + (truth_of_snapshots ? (size_t)s : frame) * points;
    add_errors(report, report->snapshot[s], field + frame * points, u, &error, &size);
  }
  return sqrt(error / size);
}

static Status judge_closed(Report *report) {
  const WavePulse *pulse = report->what->pulse;
  size_t points = plane_points(report);
  report->closed = medium_is_uniform(report->what->medium) && pulse->x[0] == 0 && pulse->x[1] == 0;
  if (!report->closed) return STATUS_OK;
  double times[SNAPSHOTS], *exact = NULL;
  float *truth = NULL;
  Status status = memory_allocate(&exact, points, sizeof *exact, "the closed form");
  if (status == STATUS_OK) {
    status = memory_allocate(&truth, SNAPSHOTS * points, sizeof *truth, "the closed form");
  }
  snapshot_times(report, times);
  for (int s = 0; status == STATUS_OK && s < SNAPSHOTS; s++) {
    reference_wave_uniform_field(pulse->height, pulse->variance, times[s],
                                 (int)report->grid.size[1], exact);
    for (size_t i = 0; i < points; i++) truth[(size_t)s * points + i] = (float)exact[i];
  }
  if (status == STATUS_OK) {
    report->metrics[ERROR_CLOSED] = relative(report, report->network, truth, true);
    report->metrics[SOLVER_CLOSED] = relative(report, report->reference, truth, true);
  }
  free(exact);
  free(truth);
  return status;
}

static Status judge(Report *report) {
  TRY(solve(report));
  size_t points = plane_points(report);
  for (int64_t i = 0; i < report->grid.size[0]; i++) {
    size_t at = (size_t)i * points;
    double error = 0, size = 0;
    add_errors(report, i, report->network + at, report->reference + at, &error, &size);
    report->frame_error[i] = (float)sqrt(error / size);
  }
  report->metrics[ERROR] = relative(report, report->network, report->reference, false);
  for (int s = 0; s < SNAPSHOTS; s++) {
    report->metrics[FIRST_SNAPSHOT + s] = (double)report->frame_error[report->snapshot[s]];
  }
  return judge_closed(report);
}

/* ---- The report ---- */

static Status allocate(Report *report) {
  size_t points = plane_points(report), frames = (size_t)report->grid.size[0];
  TRY(memory_allocate(&report->reference, frames * points, sizeof(float), "the solver's fields"));
  TRY(memory_allocate(&report->velocity, points, sizeof(float), "a field"));
  return memory_allocate(&report->frame_error, frames, sizeof(float), "errors");
}

/* Local, on rank 0. */
static Status make(const Setup *setup, const Result *result, Report *report) {
  TRY(allocate(report));
  for (int64_t i = 0; i < grid_points(&report->grid); i++) {
    report->network[i] = (float)((double)report->network[i] / report->what->scale);
  }
  TRY(judge(report));
  WavePictures pictures = {.grid = report->grid,
                           .truth = report->reference,
                           .fit = report->network,
                           .frame_error = report->frame_error,
                           .limit = report->what->pulse->height / 10};
  memcpy(pictures.snapshot, report->snapshot, sizeof report->snapshot);
  return result->plain ? STATUS_OK : wave_pictures(setup, result, &pictures);
}

/* Collective. Frame by frame errors, and the medium. */
static Status store_small(Result *result, const ResultFields *fields, const Report *report) {
  ResultFields plane = {.grid = plane_grid(fields->grid.size[1], fields->grid.size[2]),
                        .axes = "x,y"};
  TRY(result_whole_field(result, "velocity", "of the medium", &plane, 1, report->velocity));
  ResultFields line = {.grid = {.axes = 1}, .axes = "t"};
  line.grid.size[0] = fields->grid.size[0];
  line.grid.upper[0] = fields->grid.upper[0];
  return result_whole_field(result, "frame_error", "relative L2 error of each frame", &line, 1,
                            report->frame_error);
}

/* Collective. */
static Status store(Result *result, const ResultFields *fields, Report *report) {
  comm_broadcast(result->comm, report->metrics, sizeof report->metrics);
  comm_broadcast(result->comm, &report->closed, sizeof report->closed);
  int count = report->closed ? METRICS : ERROR_CLOSED;
  for (int i = 0; i < count; i++) {
    if (!isfinite(report->metrics[i])) continue; /* late times, where nothing is determined */
    TRY(result_metric(result, names[i], report->metrics[i], "1"));
  }
  TRY(result_whole_field(result, "reference", "the solver's field", fields, 1, report->reference));
  return store_small(result, fields, report);
}

static ResultFields what_fields(const Setup *setup) {
  int64_t size = config_int(setup->config, "eval.size"), n = size ? size : SIDE;
  ResultFields fields = {.grid = {.axes = 3,
                                  .size = {config_int(setup->config, "wave.frames"), n, n},
                                  .lower = {0, -1, -1},
                                  .upper = {config_real(setup->config, "wave.end"), 1, 1}},
                         .axes = "t,x,y",
                         .keep = true};
  fields.wanted[FIELD_VALUE] = true;
  return fields;
}

Status wave_report(const Setup *setup, const real *theta, const WaveCase *what, Result *result) {
  ResultFields fields = what_fields(setup);
  WholeFields whole;
  TRY(result_fields(result, &setup->network, theta, &fields, &whole));
  Report report = {.what = what, .grid = fields.grid, .network = whole.field[FIELD_VALUE]};
  for (int s = 0; s < SNAPSHOTS; s++) {
    report.snapshot[s] = llround((double)(fields.grid.size[0] - 1) * s / (SNAPSHOTS - 1));
  }
  Status status = comm_rank(result->comm) == 0 ? make(setup, result, &report) : STATUS_OK;
  status = comm_agree(result->comm, status);
  if (status == STATUS_OK) status = store(result, &fields, &report);
  whole_destroy(&whole);
  free(report.reference);
  free(report.velocity);
  free(report.frame_error);
  return status;
}

Status wave_eval(const Setup *setup, const real *theta, Result *result) {
  ResultFields fields = what_fields(setup);
  Grid own = fields.grid;
  fields.wanted[FIELD_VALUE] = false;
  if (config_int(setup->config, "eval.size")) fields.grid.size[0] = own.size[1];
  TRY(result_options(setup->config, &fields));
  fields.grid.lower[0] = own.lower[0];
  fields.grid.upper[0] = own.upper[0];
  fields.keep = false;
  WholeFields none;
  return result_fields(result, &setup->network, theta, &fields, &none);
}

/* On rank 0: both fields, the solver's in double, and those of the grid of half the spacing. */
double wave_report_bytes(const Setup *setup, int rank) {
  ResultFields fields = what_fields(setup);
  double own = result_fields_bytes(&setup->network, &fields, setup->threads, setup->comm, rank);
  if (rank > 0) return own;
  double points = (double)grid_line(&fields.grid), all = (double)grid_points(&fields.grid);
  double solver = all * (sizeof(float) + sizeof(double));
  double finer = 4 * points * (SNAPSHOTS + 8) * sizeof(double);
  bool plain = !config_bool(setup->config, "eval.pictures");
  return own + solver + fmax(finer, plain ? 0 : wave_pictures_bytes(&fields.grid));
}

double wave_report_flops(const Setup *setup) {
  ResultFields fields = what_fields(setup);
  return (double)grid_points(&fields.grid) * evaluator_flops(&setup->network, fields.wanted);
}
