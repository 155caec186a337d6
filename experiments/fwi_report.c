#include "experiments/fwi_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "experiments/cell_mean.h"
#include "experiments/curve.h"
#include "experiments/disc_fit.h"
#include "experiments/field_eval.h"
#include "experiments/field_figure.h"
#include "experiments/helmholtz_report.h"
#include "experiments/reference_helmholtz.h"

enum { ORDER = 4 };
enum {
  MISFIT,
  DISC_X,
  DISC_Y,
  DISC_RADIUS,
  DISC_CONTRAST,
  CENTRE_ERROR,
  CONTRAST_ERROR,
  SLOWNESS_ERROR,
  FIELD_ERROR,
  SOLVER_MISFIT,
  METRICS
};
static const char *const names[METRICS] = {FWI_METRICS};

double fwi_slowness(const FwiData *data, double q, const double x[2]) {
  if (fabs(x[0]) > data->reach || fabs(x[1]) > data->reach) return 1;
  return 1 + fmax(data->scale * q, FWI_LEAST);
}

/* On rank 0. */
typedef struct {
  const FwiCase *what;
  int n;                     /* nodes a side */
  const float *value;        /* [n][n][2 sources + 1] */
  int first, side;           /* nodes of the box */
  double *slowness, *truth;  /* [n][n]; truth where the medium is known */
  double complex *reference; /* [sources][n][n], the same */
  double metrics[METRICS];
} Report;

static double at(const Report *report, int i) {
  return -1 + 2. * i / (report->n - 1);
}

static int channels(const Report *report) {
  return 2 * report->what->data->sources + 1;
}

static double complex network_field(const Report *report, int source, size_t node) {
  const float *value = report->value + node * (size_t)channels(report) + 2 * source;
  return (double)value[0] + (double)value[1] * I;
}

/* Node i of the box, row by row. */
static size_t box_node(const Report *report, size_t i) {
  size_t side = (size_t)report->side, first = (size_t)report->first;
  return (i / side + first) * (size_t)report->n + i % side + first;
}

/* ---- The true medium and its fields ---- */

static double true_slowness(double x, double y, const void *context) {
  const FwiDisc *disc = context;
  bool inside = hypot(x - disc->x[0], y - disc->x[1]) < disc->radius;
  return inside ? 1 / (disc->velocity * disc->velocity) : 1;
}

static void fill_sources(const Report *report) {
  size_t nodes = (size_t)report->n * (size_t)report->n;
  for (int s = 0; s < report->what->data->sources; s++) {
    for (size_t i = 0; i < nodes; i++) {
      double x[2] = {at(report, (int)i / report->n), at(report, (int)i % report->n)};
      double f = pml_source(&report->what->data->source[s], x);
      report->reference[(size_t)s * nodes + i] = f + f * I;
    }
  }
}

static Status solve(Report *report) {
  const FwiData *data = report->what->data;
  size_t nodes = (size_t)report->n * (size_t)report->n;
  TRY(memory_allocate(&report->truth, nodes, sizeof *report->truth, "a medium"));
  TRY(memory_allocate(&report->reference, (size_t)data->sources * nodes, sizeof(double complex),
                      "the solver's fields"));
  for (size_t i = 0; i < nodes; i++) {
    report->truth[i] = cell_mean(true_slowness, &data->disc, at(report, (int)i / report->n),
                                 at(report, (int)i % report->n), 2. / (report->n - 1));
  }
  fill_sources(report);
  HelmholtzGrid grid = {.n = report->n,
                        .k = report->what->pml->wavenumber,
                        .stretch = pml_stretch_at,
                        .stretch_context = report->what->pml,
                        .m = report->truth};
  return reference_helmholtz(&grid, ORDER, data->sources, report->reference, report->reference,
                             NULL);
}

/* ---- Numbers ---- */

/* A field between nodes, by two cubics (Lagrange's) along each axis. */
static double complex interpolate(const Report *report, const double complex *field,
                                  const double x[2]) {
  double weight[2][4];
  int first[2];
  for (int axis = 0; axis < 2; axis++) {
    double place = (x[axis] + 1) / 2 * (report->n - 1);
    first[axis] = (int)fmin(fmax(floor(place) - 1, 0), report->n - 4);
    for (int i = 0; i < 4; i++) {
      weight[axis][i] = 1;
      for (int j = 0; j < 4; j++) {
        if (j != i) weight[axis][i] *= (place - first[axis] - j) / (i - j);
      }
    }
  }
  double complex sum = 0;
  for (int i = 0; i < 16; i++) {
    sum += weight[0][i / 4] * weight[1][i % 4] *
           field[(first[0] + i / 4) * report->n + first[1] + i % 4];
  }
  return sum;
}

/* |field - received| / |received|, of fields at the receivers [receivers][sources]. */
static double misfit(const FwiData *data, const double complex *heard) {
  double error = 0, size = 0;
  for (int i = 0; i < data->receivers * data->sources; i++) {
    if (data->received[i] == 0) continue;
    error += pow(cabs(heard[i] - data->received[i]), 2);
    size += pow(cabs(data->received[i]), 2);
  }
  return sqrt(error / size);
}

static Status judge_solver(Report *report) {
  const FwiData *data = report->what->data;
  size_t nodes = (size_t)report->n * (size_t)report->n;
  double complex *heard;
  TRY(memory_allocate(&heard, (size_t)(data->receivers * data->sources), sizeof *heard, "fields"));
  for (int i = 0; i < data->receivers * data->sources; i++) {
    heard[i] = interpolate(report, report->reference + (size_t)(i % data->sources) * nodes,
                           data->receiver[i / data->sources]);
  }
  report->metrics[SOLVER_MISFIT] = misfit(data, heard);
  free(heard);
  return STATUS_OK;
}

static void judge_known(Report *report) {
  const FwiData *data = report->what->data;
  size_t nodes = (size_t)report->n * (size_t)report->n, box = (size_t)(report->side * report->side);
  double *m = report->metrics, error = 0, size = 0;
  for (size_t i = 0; i < box; i++) {
    size_t node = box_node(report, i);
    error += pow(report->slowness[node] - report->truth[node], 2);
    size += pow(report->truth[node] - 1, 2);
  }
  m[SLOWNESS_ERROR] = sqrt(error / size);
  error = size = 0;
  for (size_t i = 0; i < box * (size_t)data->sources; i++) {
    size_t node = box_node(report, i % box), source = i / box;
    double complex u = report->reference[source * nodes + node];
    error += pow(cabs(network_field(report, (int)source, node) - u), 2);
    size += pow(cabs(u), 2);
  }
  m[FIELD_ERROR] = sqrt(error / size);
  double contrast = 1 - 1 / (data->disc.velocity * data->disc.velocity);
  m[CENTRE_ERROR] = hypot(m[DISC_X] - data->disc.x[0], m[DISC_Y] - data->disc.x[1]);
  m[CONTRAST_ERROR] = fabs(m[DISC_CONTRAST] / contrast - 1);
}

static Status find_disc(Report *report) {
  size_t box = (size_t)(report->side * report->side);
  double *contrast;
  TRY(memory_allocate(&contrast, box, sizeof *contrast, "the medium"));
  for (size_t i = 0; i < box; i++) contrast[i] = 1 - report->slowness[box_node(report, i)];
  Disc disc = disc_fit(contrast, report->side, -at(report, report->first));
  free(contrast);
  report->metrics[DISC_X] = disc.x[0];
  report->metrics[DISC_Y] = disc.x[1];
  report->metrics[DISC_RADIUS] = disc.radius;
  report->metrics[DISC_CONTRAST] = disc.contrast;
  return STATUS_OK;
}

static Status take_slowness(Report *report) {
  size_t nodes = (size_t)report->n * (size_t)report->n;
  TRY(memory_allocate(&report->slowness, nodes, sizeof *report->slowness, "the medium"));
  for (size_t i = 0; i < nodes; i++) {
    double x[2] = {at(report, (int)i / report->n), at(report, (int)i % report->n)};
    double q = (double)report->value[(i + 1) * (size_t)channels(report) - 1];
    report->slowness[i] = fwi_slowness(report->what->data, q, x);
  }
  while (at(report, report->first) < -PML_EDGE - 1e-9) report->first++;
  report->side = report->n - 2 * report->first;
  return STATUS_OK;
}

static Status judge(Report *report) {
  TRY(take_slowness(report));
  TRY(find_disc(report));
  if (!report->what->data->known) return STATUS_OK;
  TRY(solve(report));
  TRY(judge_solver(report));
  judge_known(report);
  return STATUS_OK;
}

/* ---- Pictures ---- */

enum { SHOWN = 4 }; /* fields at most */

typedef struct {
  float *fit[SHOWN + 1], *truth[SHOWN + 1]; /* the medium, then real parts of fields */
  double size;                              /* root of the mean square of the fields */
  char labels[SHOWN + 1][32], captions[SHOWN + 1][64];
} Panels;

static Status take_panel(const Report *report, int panel, Panels *p) {
  size_t box = (size_t)(report->side * report->side), nodes = (size_t)(report->n * report->n);
  bool known = report->what->data->known;
  TRY(memory_allocate(&p->fit[panel], box, sizeof(float), "a picture"));
  if (known) TRY(memory_allocate(&p->truth[panel], box, sizeof(float), "a picture"));
  for (size_t i = 0; i < box; i++) {
    size_t node = box_node(report, i);
    if (panel == 0) {
      p->fit[0][i] = (float)report->slowness[node];
      if (known) p->truth[0][i] = (float)report->truth[node];
      continue;
    }
    double complex u = network_field(report, panel - 1, node);
    p->fit[panel][i] = (float)creal(u);
    p->size += creal(u) * creal(u) / (double)box;
    if (known) {
      p->truth[panel][i] = (float)creal(report->reference[(size_t)(panel - 1) * nodes + node]);
    }
  }
  return STATUS_OK;
}

static Status draw_panels(const Result *result, const Report *report, int shown, Panels *p) {
  FieldColumn columns[SHOWN + 1];
  for (int i = 0; i <= shown; i++) TRY(take_panel(report, i, p));
  double limit = 2.5 * sqrt(p->size / shown);
  snprintf(p->captions[0], sizeof p->captions[0], "misfit %.3g", report->metrics[MISFIT]);
  if (report->what->data->known) {
    snprintf(p->captions[1], sizeof p->captions[1], "relative error %.3g",
             report->metrics[FIELD_ERROR]);
  }
  for (int i = 0; i <= shown; i++) {
    snprintf(p->labels[i], sizeof p->labels[i], i ? "field %d" : "squared slowness", i);
    columns[i] = (FieldColumn){.label = p->labels[i],
                               .caption = p->captions[i],
                               .truth = p->truth[i],
                               .fit = p->fit[i],
                               .sequential = i == 0,
                               .low = i ? -limit : 0,
                               .high = i ? limit : 1.25};
  }
  char *path = result_path(result, "figure.png");
  Status status = field_figure(path, &(FieldFigure){.title = "Full-waveform inversion",
                                                    .height = report->side,
                                                    .width = report->side,
                                                    .n_columns = shown + 1,
                                                    .columns = columns});
  free(path);
  return status;
}

static Status draw(const Setup *setup, const Result *result, const Report *report) {
  if (result->plain) return STATUS_OK;
  Panels panels = {0};
  int sources = report->what->data->sources;
  Status status = draw_panels(result, report, sources < SHOWN ? sources : SHOWN, &panels);
  for (int i = 0; i <= SHOWN; i++) {
    free(panels.fit[i]);
    free(panels.truth[i]);
  }
  TRY(status);
  return curve_headline(setup, result, "received.png",
                        &(CurveStyle){"Full-waveform inversion", "misfit", true});
}

/* ---- The report ---- */

/* Local, on rank 0. The network at the receivers themselves, not between nodes. */
static Status judge_misfit(const Setup *setup, const real *theta, Report *report) {
  const FwiData *data = report->what->data;
  size_t receivers = (size_t)data->receivers, out = (size_t)channels(report);
  real *x = NULL;
  float *value = NULL;
  double complex *heard = NULL;
  Evaluator *evaluator = NULL;
  const bool wanted[FIELD_COUNT] = {[FIELD_VALUE] = true};
  Grid grid = field_grid(report->n).grid;
  Status status = evaluator_create(&setup->network, theta, &grid, wanted, 1, &evaluator);
  if (status == STATUS_OK) status = memory_allocate(&x, 2 * receivers, sizeof *x, "receivers");
  if (status == STATUS_OK) {
    status = memory_allocate(&value, receivers * out, sizeof *value, "receivers");
  }
  if (status == STATUS_OK) {
    status = memory_allocate(&heard, receivers * (size_t)data->sources, sizeof *heard, "fields");
  }
  if (status == STATUS_OK) {
    for (size_t i = 0; i < 2 * receivers; i++) x[i] = (real)data->receiver[i / 2][i % 2];
    evaluator_points(evaluator, data->receivers, x, (float *const[FIELD_COUNT]){value, NULL, NULL});
    for (size_t i = 0; i < receivers * (size_t)data->sources; i++) {
      const float *u = value + i / (size_t)data->sources * out + 2 * (i % (size_t)data->sources);
      heard[i] = (double)u[0] + (double)u[1] * I;
    }
    report->metrics[MISFIT] = misfit(data, heard);
  }
  evaluator_destroy(evaluator);
  free(x);
  free(value);
  free(heard);
  return status;
}

static Status make(const Setup *setup, const Result *result, const real *theta, Report *report) {
  TRY(judge_misfit(setup, theta, report));
  TRY(judge(report));
  return draw(setup, result, report);
}

/* Collective. A field that rank 0 has in double. */
static Status store_field(Result *result, const ResultFields *fields, const char *name,
                          const char *description, const double *values) {
  bool root = comm_rank(result->comm) == 0;
  size_t n = (size_t)grid_points(&fields->grid);
  float *copy = NULL;
  TRY(comm_agree(result->comm,
                 root ? memory_allocate(&copy, n, sizeof *copy, "a field") : STATUS_OK));
  for (size_t i = 0; root && i < n; i++) copy[i] = (float)values[i];
  Status status = result_whole_field(result, name, description, fields, 1, copy);
  free(copy);
  return status;
}

/* Collective. [n][n][2 sources] */
static Status store_reference(Result *result, const ResultFields *fields, const Report *report) {
  bool root = comm_rank(result->comm) == 0;
  size_t n = (size_t)grid_points(&fields->grid), sources = (size_t)report->what->data->sources;
  float *copy = NULL;
  TRY(comm_agree(result->comm, root
                                   ? memory_allocate(&copy, 2 * sources * n, sizeof *copy, "fields")
                                   : STATUS_OK));
  for (size_t i = 0; root && i < n * sources; i++) {
    double complex u = report->reference[i % sources * n + i / sources];
    copy[2 * i] = (float)creal(u);
    copy[2 * i + 1] = (float)cimag(u);
  }
  Status status = result_whole_field(result, "reference", "the solver's fields in the true medium",
                                     fields, 2 * report->what->data->sources, copy);
  free(copy);
  return status;
}

/* Collective. */
static Status store(Result *result, const ResultFields *fields, Report *report) {
  comm_broadcast(result->comm, report->metrics, sizeof report->metrics);
  bool known = report->what->data->known;
  int count = known ? METRICS : CENTRE_ERROR;
  for (int i = 0; i < count; i++) TRY(result_metric(result, names[i], report->metrics[i], "1"));
  TRY(store_field(result, fields, "slowness", "squared slowness m that was found",
                  report->slowness));
  if (!known) return STATUS_OK;
  TRY(store_field(result, fields, "true_slowness", "m of the disc", report->truth));
  return store_reference(result, fields, report);
}

Status fwi_report(const Setup *setup, const real *theta, const FwiCase *what, Result *result) {
  ResultFields fields = helmholtz_fields(setup);
  WholeFields whole;
  TRY(result_fields(result, &setup->network, theta, &fields, &whole));
  Report report = {.what = what, .n = (int)fields.grid.size[0], .value = whole.field[FIELD_VALUE]};
  bool root = comm_rank(result->comm) == 0;
  Status status = comm_agree(result->comm, root ? make(setup, result, theta, &report) : STATUS_OK);
  if (status == STATUS_OK) status = store(result, &fields, &report);
  whole_destroy(&whole);
  free(report.slowness);
  free(report.truth);
  free(report.reference);
  return status;
}

double fwi_report_bytes(const Setup *setup, int rank) {
  ResultFields fields = helmholtz_fields(setup);
  double own = result_fields_bytes(&setup->network, &fields, setup->threads, setup->comm, rank);
  if (rank > 0) return own;
  double nodes = (double)grid_points(&fields.grid), sources = setup->network.spec.out / 2;
  int n = (int)fields.grid.size[0], shown = sources < SHOWN ? (int)sources : SHOWN;
  bool plain = !config_bool(setup->config, "eval.pictures");
  double figure = plain ? 0 : field_figure_bytes(n / 2, n / 2, shown + 1);
  return own + nodes * (2 * sizeof(double) + 2 * sources * sizeof(double complex)) +
         fmax(helmholtz_solver_bytes(n), figure);
}
