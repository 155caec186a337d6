#include "experiments/helmholtz_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "experiments/cell_mean.h"
#include "experiments/curve.h"
#include "experiments/cylinder.h"
#include "experiments/field_eval.h"
#include "experiments/field_figure.h"
#include "experiments/reference_helmholtz.h"

enum { ORDER = 4 };
static const double closed_distance = 0.07; /* from the source, where the closed form holds */

enum { METRICS = 7, CLOSED = 4 }; /* the closed ones come last */
static const char *const names[METRICS] = {HELMHOLTZ_METRICS};
enum { ERROR, ERROR_REAL, SOLVER, SOLVER_2, ERROR_CLOSED, SOLVER_CLOSED, SOLVER_CLOSED_2 };

/* On rank 0. Fields [n][n] of complex numbers. */
typedef struct {
  const HelmholtzCase *what;
  int n;
  double *slowness;
  double complex *network, *reference, *second;
  double metrics[METRICS];
  bool closed;
} Report;

static double at(const Report *report, int i) {
  return -1 + 2. * i / (report->n - 1);
}

/* HelmholtzProblem */
static void set_problem(int n, int n_sources, double *m, double complex *f, const void *context) {
  (void)n_sources;
  const HelmholtzCase *what = context;
  double h = 2. / (n - 1);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      double x[2] = {-1 + h * i, -1 + h * j}, g = pml_source(what->source, x);
      m[i * n + j] = cell_mean(medium_slowness_at, what->medium, x[0], x[1], h);
      f[i * n + j] = g + g * I;
    }
  }
}

static HelmholtzGrid grid_of(const Report *report) {
  return (HelmholtzGrid){.n = report->n,
                         .k = report->what->pml->wavenumber,
                         .stretch = pml_stretch_at,
                         .stretch_context = report->what->pml,
                         .m = report->slowness};
}

static Status solve(Report *report) {
  HelmholtzGrid grid = grid_of(report);
  set_problem(report->n, 1, report->slowness, report->reference, report->what);
  TRY(reference_helmholtz(&grid, 2, 1, report->reference, report->second, NULL));
  TRY(reference_helmholtz(&grid, ORDER, 1, report->reference, report->reference, NULL));
  grid.n = (report->n + 2) / 2;
  TRY(reference_helmholtz_error(&grid, ORDER, 1, set_problem, report->what,
                                &report->metrics[SOLVER]));
  report->metrics[SOLVER] /= 15; /* 2^4 - 1: what is left of it on the finer grid */
  return STATUS_OK;
}

/* ---- Errors ---- */

static bool in_box(const Report *report, int i, int j) {
  return fabs(at(report, i)) <= PML_EDGE && fabs(at(report, j)) <= PML_EDGE;
}

static double complex closed_form(const Report *report, const Cylinder *cylinder, double x,
                                  double y) {
  const double *source = report->what->source->x;
  if (cylinder->radius > 0) return cylinder_field(cylinder, source[0], source[1], x, y);
  return cylinder_free(cylinder->k, cylinder->s, hypot(x - source[0], y - source[1]));
}

/* Replaces `truth`: the closed form at the nodes where it holds; NaN elsewhere. */
static void fill_closed(const Report *report, const Cylinder *cylinder, double complex *truth) {
  const double *source = report->what->source->x;
  for (int i = 0; i < report->n; i++) {
    for (int j = 0; j < report->n; j++) {
      double x = at(report, i), y = at(report, j);
      bool holds = hypot(x - source[0], y - source[1]) > closed_distance &&
                   (cylinder->radius == 0 || hypot(x, y) > 1.2 * cylinder->radius);
      truth[i * report->n + j] = holds ? closed_form(report, cylinder, x, y) : NAN;
    }
  }
}

/* Relative L2 error in the box where the truth is a number; of the real part alone. */
static double relative(const Report *report, const double complex *field,
                       const double complex *truth, bool real_part) {
  double error = 0, size = 0;
  for (int i = 0; i < report->n; i++) {
    for (int j = 0; j < report->n; j++) {
      double complex u = truth[i * report->n + j], e = field[i * report->n + j] - u;
      if (!in_box(report, i, j) || isnan(creal(u))) continue;
      error += real_part ? creal(e) * creal(e) : creal(e * conj(e));
      size += real_part ? creal(u) * creal(u) : creal(u * conj(u));
    }
  }
  return sqrt(error / size);
}

static Status judge_closed(Report *report) {
  const Medium *medium = report->what->medium;
  double k = report->what->pml->wavenumber, radius = medium_disc(medium);
  const double *source = report->what->source->x;
  bool beside = radius > 0 && hypot(source[0], source[1]) > radius;
  report->closed = medium_is_uniform(medium) || beside;
  if (!report->closed) return STATUS_OK;
  Cylinder cylinder = {.k = k, .s = PML_SOURCE_VARIANCE};
  if (!medium_is_uniform(medium)) {
    cylinder_start(k, k / medium->velocity, radius, PML_SOURCE_VARIANCE, &cylinder);
  }
  double complex *truth;
  TRY(memory_allocate(&truth, (size_t)report->n * (size_t)report->n, sizeof *truth, "a field"));
  fill_closed(report, &cylinder, truth);
  report->metrics[ERROR_CLOSED] = relative(report, report->network, truth, false);
  report->metrics[SOLVER_CLOSED] = relative(report, report->reference, truth, false);
  report->metrics[SOLVER_CLOSED_2] = relative(report, report->second, truth, false);
  free(truth);
  return STATUS_OK;
}

static Status judge(Report *report) {
  TRY(solve(report));
  report->metrics[ERROR] = relative(report, report->network, report->reference, false);
  report->metrics[ERROR_REAL] = relative(report, report->network, report->reference, true);
  report->metrics[SOLVER_2] = relative(report, report->second, report->reference, false);
  return judge_closed(report);
}

/* ---- Pictures: the box ---- */

enum { REAL_PART, IMAGINARY_PART, MAGNITUDE, N_PARTS };
static const char *const part_labels[N_PARTS] = {"real part", "imaginary part", "magnitude"};

static double part_of(double complex u, int part) {
  return part == REAL_PART ? creal(u) : part == IMAGINARY_PART ? cimag(u) : cabs(u);
}

typedef struct {
  int first, side; /* nodes of the box */
  float *truth[N_PARTS], *fit[N_PARTS], *velocity;
  double size;      /* root of the mean square of |u| */
  double low, high; /* velocities */
} Panels;

static Status take_box(const Report *report, Panels *p) {
  while (at(report, p->first) < -PML_EDGE - 1e-9) p->first++;
  p->side = report->n - 2 * p->first;
  size_t n = (size_t)p->side * (size_t)p->side;
  for (int part = 0; part < N_PARTS; part++) {
    TRY(memory_allocate(&p->truth[part], n, sizeof(float), "a picture"));
    TRY(memory_allocate(&p->fit[part], n, sizeof(float), "a picture"));
  }
  TRY(memory_allocate(&p->velocity, n, sizeof(float), "a picture"));
  p->low = INFINITY;
  for (size_t i = 0; i < n; i++) {
    size_t node = (i / (size_t)p->side + (size_t)p->first) * (size_t)report->n +
                  i % (size_t)p->side + (size_t)p->first;
    for (int part = 0; part < N_PARTS; part++) {
      p->truth[part][i] = (float)part_of(report->reference[node], part);
      p->fit[part][i] = (float)part_of(report->network[node], part);
    }
    double c = 1 / sqrt(report->slowness[node]);
    p->velocity[i] = (float)c;
    p->size += pow(cabs(report->reference[node]), 2) / (double)n;
    p->low = fmin(p->low, c);
    p->high = fmax(p->high, c);
  }
  p->size = sqrt(p->size);
  return STATUS_OK;
}

static Status draw_box(const Result *result, const Report *report, const Panels *p) {
  char caption[64];
  snprintf(caption, sizeof caption, "relative error %.3g", report->metrics[ERROR]);
  FieldColumn columns[N_PARTS + 1];
  for (int part = 0; part < N_PARTS; part++) {
    columns[part] = (FieldColumn){.label = part_labels[part],
                                  .caption = part == REAL_PART ? caption : "",
                                  .truth = p->truth[part],
                                  .fit = p->fit[part],
                                  .sequential = part == MAGNITUDE,
                                  .low = part == MAGNITUDE ? 0 : -2.5 * p->size,
                                  .high = 2.5 * p->size};
  }
  double high = p->high > p->low ? p->high : p->low + 1;
  columns[N_PARTS] = (FieldColumn){
      .label = "velocity", .truth = p->velocity, .sequential = true, .low = p->low, .high = high};
  char *path = result_path(result, "figure.png");
  Status status = field_figure(path, &(FieldFigure){.title = "Helmholtz's equation",
                                                    .height = p->side,
                                                    .width = p->side,
                                                    .n_columns = N_PARTS + 1,
                                                    .columns = columns});
  free(path);
  return status;
}

static Status draw(const Setup *setup, const Result *result, const Report *report) {
  if (result->plain) return STATUS_OK;
  Panels panels = {0};
  Status status = take_box(report, &panels);
  if (status == STATUS_OK) status = draw_box(result, report, &panels);
  for (int part = 0; part < N_PARTS; part++) {
    free(panels.truth[part]);
    free(panels.fit[part]);
  }
  free(panels.velocity);
  TRY(status);
  return curve_headline(setup, result, "residual.png",
                        &(CurveStyle){"Helmholtz's equation", "residual", true});
}

/* ---- The report ---- */

static Status allocate(Report *report, const float *value) {
  size_t n = (size_t)report->n * (size_t)report->n;
  TRY(memory_allocate(&report->slowness, n, sizeof(double), "a medium"));
  TRY(memory_allocate(&report->network, n, sizeof(double complex), "a field"));
  TRY(memory_allocate(&report->reference, n, sizeof(double complex), "a field"));
  TRY(memory_allocate(&report->second, n, sizeof(double complex), "a field"));
  for (size_t i = 0; i < n; i++) {
    report->network[i] = (double)value[2 * i] + (double)value[2 * i + 1] * I;
  }
  return STATUS_OK;
}

static void release(Report *report) {
  free(report->slowness);
  free(report->network);
  free(report->reference);
  free(report->second);
}

/* Local, on rank 0. */
static Status make(const Setup *setup, const Result *result, const float *value, Report *report) {
  TRY(allocate(report, value));
  TRY(judge(report));
  return draw(setup, result, report);
}

/* Collective. reference and velocity; rank 0 brings them. */
static Status store_fields(Result *result, const ResultFields *fields, const Report *report) {
  bool root = comm_rank(result->comm) == 0;
  size_t n = (size_t)report->n * (size_t)report->n;
  float *reference = NULL, *velocity = NULL;
  Status status = STATUS_OK;
  if (root) status = memory_allocate(&reference, 2 * n, sizeof *reference, "a field");
  if (root && status == STATUS_OK) {
    status = memory_allocate(&velocity, n, sizeof *velocity, "a field");
  }
  for (size_t i = 0; root && status == STATUS_OK && i < n; i++) {
    reference[2 * i] = (float)creal(report->reference[i]);
    reference[2 * i + 1] = (float)cimag(report->reference[i]);
    velocity[i] = (float)(1 / sqrt(report->slowness[i]));
  }
  status = comm_agree(result->comm, status);
  if (status == STATUS_OK) {
    status = result_whole_field(result, "reference",
                                "the solver's field of 4th order: real and imaginary part", fields,
                                2, reference);
  }
  if (status == STATUS_OK) {
    status = result_whole_field(result, "velocity", "of the medium", fields, 1, velocity);
  }
  free(reference);
  free(velocity);
  return status;
}

/* Collective. */
static Status store(Result *result, const ResultFields *fields, Report *report) {
  comm_broadcast(result->comm, report->metrics, sizeof report->metrics);
  comm_broadcast(result->comm, &report->closed, sizeof report->closed);
  int count = report->closed ? METRICS : CLOSED;
  for (int i = 0; i < count; i++) TRY(result_metric(result, names[i], report->metrics[i], "1"));
  return store_fields(result, fields, report);
}

ResultFields helmholtz_fields(const Setup *setup) {
  int64_t size = config_int(setup->config, "eval.size");
  ResultFields fields = field_grid(size ? size : HELMHOLTZ_SIDE);
  fields.wanted[FIELD_VALUE] = true;
  fields.keep = true;
  return fields;
}

Status helmholtz_report(const Setup *setup, const real *theta, const HelmholtzCase *what,
                        Result *result) {
  ResultFields fields = helmholtz_fields(setup);
  WholeFields whole;
  TRY(result_fields(result, &setup->network, theta, &fields, &whole));
  Report report = {.what = what, .n = (int)fields.grid.size[0]};
  Status status = STATUS_OK;
  if (comm_rank(result->comm) == 0) {
    status = make(setup, result, whole.field[FIELD_VALUE], &report);
  }
  whole_destroy(&whole);
  status = comm_agree(result->comm, status);
  if (status == STATUS_OK) status = store(result, &fields, &report);
  release(&report);
  return status;
}

double helmholtz_solver_bytes(int n) {
  return (double)n * n * (180 + 1.35 * n) * 18;
}

double helmholtz_report_bytes(const Setup *setup, int rank) {
  ResultFields fields = helmholtz_fields(setup);
  double own = result_fields_bytes(&setup->network, &fields, setup->threads, setup->comm, rank);
  if (rank > 0) return own;
  double nodes = (double)grid_points(&fields.grid);
  int n = (int)fields.grid.size[0];
  bool plain = !config_bool(setup->config, "eval.pictures");
  double figure = plain ? 0 : field_figure_bytes(n / 2, n / 2, N_PARTS + 1);
  return own + nodes * (sizeof(double) + 3 * sizeof(double complex)) +
         fmax(helmholtz_solver_bytes(n), figure);
}

double helmholtz_report_flops(const Setup *setup) {
  ResultFields fields = helmholtz_fields(setup);
  return (double)grid_points(&fields.grid) * evaluator_flops(&setup->network, fields.wanted);
}
