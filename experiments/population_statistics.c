/* Statistics of the weights, tensor by tensor. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/principal.h"
#include "experiments/distribution.h"
#include "experiments/population.h"
#include "io/picture.h"

/* What is looked at: the weights, how far training has moved them, and where it found them. */
enum { WEIGHTS, CHANGE, INITIAL, SETS, BINS = 128, MOMENTS = 4, SHOWN = 200 };
static const char *const sets[SETS] = {"fitted", "change", "initial"};

typedef struct {
  const Setup *setup;
  const Population *population;
  const real *theta;
  Result *result;
  bool root;
  real *network;      /* [n_parameters] */
  double *data[SETS]; /* [members][cols] of the tensor that is looked at, on rank 0 */
  double *matrix;     /* one of its matrices' singular values, [cols] */
} Statistics;

/* Of one tensor. */
typedef struct {
  const Tensor *tensor, *all; /* of one network, of all */
  int members, cols;
  int n_spectrum, n_singular;
  double limit;
  double edges[BINS + 1], counts[SETS][BINS], moments[SETS][MOMENTS];
  double *spectrum; /* [2][n_spectrum] of weights and change */
  double rank[2];   /* of these */
  double *singular; /* [SETS][n_singular]: mean and deviation over the networks; initial mean */
} Summary;

/* ---- The data ---- */

static Status allocate_data(Statistics *s, const Summary *sum) {
  size_t n = (size_t)sum->members * (size_t)sum->cols;
  for (int k = 0; k < SETS; k++) {
    TRY(memory_allocate(&s->data[k], n, sizeof(double), "statistics of weights"));
  }
  return STATUS_OK;
}

static void release_data(Statistics *s) {
  for (int k = 0; k < SETS; k++) {
    free(s->data[k]);
    s->data[k] = NULL;
  }
}

static void fill_data(Statistics *s, const Summary *sum) {
  const Population *p = s->population;
  size_t cols = (size_t)sum->cols;
  const real *fitted = s->theta + sum->all->offset;
  for (int i = 0; i < sum->members; i++) {
    bundle_member_init(p->bundle, p->seed, p->common, i, s->network);
    for (size_t c = 0; c < cols; c++) {
      size_t k = (size_t)i * cols + c;
      s->data[WEIGHTS][k] = (double)fitted[k];
      s->data[INITIAL][k] = (double)s->network[sum->tensor->offset + c];
      s->data[CHANGE][k] = s->data[WEIGHTS][k] - s->data[INITIAL][k];
    }
  }
}

/* ---- What is found ---- */

static void count(const Statistics *s, Summary *sum) {
  size_t n = (size_t)sum->members * (size_t)sum->cols;
  for (int k = 0; k < SETS; k++) {
    for (size_t i = 0; i < n; i++) sum->limit = fmax(sum->limit, fabs(s->data[k][i]));
  }
  for (int b = 0; b <= BINS; b++) sum->edges[b] = sum->limit * (2. * b / BINS - 1);
  for (int k = 0; k < SETS; k++) {
    Moments m = distribution_moments(n, s->data[k]);
    memcpy(sum->moments[k], (double[]){m.mean, m.deviation, m.skewness, m.kurtosis},
           sizeof sum->moments[k]);
    distribution_histogram(n, s->data[k], sum->limit, BINS, sum->counts[k]);
  }
}

static Status find_spectra(const Statistics *s, Summary *sum) {
  for (int k = WEIGHTS; k <= CHANGE; k++) {
    double *values = sum->spectrum + k * sum->n_spectrum;
    TRY(principal_spectrum(sum->members, sum->cols, s->data[k], values));
    sum->rank[k] = principal_rank(sum->n_spectrum, values);
  }
  return STATUS_OK;
}

/* Singular values of all networks: their mean, mean square and, of the initial ones, mean. */
static Status find_singular(const Statistics *s, Summary *sum) {
  const int kinds[] = {WEIGHTS, INITIAL};
  int n = sum->n_singular;
  double *mean = sum->singular, *deviation = mean + n, *initial = deviation + n;
  for (int i = 0; n > 0 && i < sum->members; i++) {
    for (int k = 0; k < 2; k++) {
      TRY(distribution_singular(sum->tensor->rows, sum->tensor->cols,
                                s->data[kinds[k]] + (size_t)i * (size_t)sum->cols, s->matrix));
      for (int j = 0; j < n; j++) {
        double value = s->matrix[j];
        (k ? initial : mean)[j] += value / sum->members;
        if (k == 0) deviation[j] += value * value / sum->members;
      }
    }
  }
  for (int j = 0; j < n; j++) deviation[j] = sqrt(fmax(0, deviation[j] - mean[j] * mean[j]));
  return STATUS_OK;
}

static Status summarise(Statistics *s, Summary *sum) {
  Status status = allocate_data(s, sum);
  if (status == STATUS_OK) {
    fill_data(s, sum);
    count(s, sum);
    status = find_spectra(s, sum);
  }
  if (status == STATUS_OK) status = find_singular(s, sum);
  release_data(s);
  return status;
}

/* ---- Into the file ---- */

/* Collective. /statistics/TENSOR/NAME. */
static Status write_array(const Statistics *s, const Summary *sum, const char *name,
                          const char *text, int rows, int columns, const double *values) {
  char path[96];
  snprintf(path, sizeof path, "/statistics/%s/%s", sum->tensor->name, name);
  RunArray array = {.name = path, .description = text, .units = "1", .values = values};
  if (rows > 1) array.size[array.n_axes++] = rows;
  array.size[array.n_axes++] = columns;
  return runfile_array(s->result->file, &array);
}

static Status write_summary(const Statistics *s, const Summary *sum) {
  TRY(write_array(s, sum, "moments",
                  "of fitted weights, their change since the beginning, initial weights: mean, "
                  "standard deviation, skewness, excess kurtosis",
                  SETS, MOMENTS, sum->moments[0]));
  TRY(write_array(s, sum, "edges", "of the histograms' bins", 1, BINS + 1, sum->edges));
  TRY(write_array(s, sum, "counts", "histograms: fitted, change, initial", SETS, BINS,
                  sum->counts[0]));
  TRY(write_array(s, sum, "spectrum",
                  "eigenvalues of the covariance over the networks: of fitted weights, of their "
                  "change",
                  2, sum->n_spectrum, sum->spectrum));
  TRY(write_array(s, sum, "effective_rank", "participation ratios of these spectra", 1, 2,
                  sum->rank));
  if (sum->n_singular == 0) return STATUS_OK;
  return write_array(s, sum, "singular",
                     "singular values of the matrices: mean and standard deviation over the "
                     "networks, mean of the initial ones",
                     SETS, sum->n_singular, sum->singular);
}

/* ---- Pictures ---- */

static Status draw_histogram(const Statistics *s, const Summary *sum) {
  double x[BINS], y[SETS][BINS];
  Curve curves[SETS];
  double all = (double)sum->members * sum->cols, width = sum->edges[1] - sum->edges[0];
  for (int k = 0; k < SETS; k++) {
    for (int b = 0; b < BINS; b++) {
      x[b] = (sum->edges[b] + sum->edges[b + 1]) / 2;
      y[k][b] = width > 0 ? sum->counts[k][b] / (all * width) : 0;
    }
    curves[k] = (Curve){.label = sets[k], .n = BINS, .x = x, .y = y[k]};
  }
  char name[64], title[96];
  int layer = (int)strcspn(sum->tensor->name, "/");
  snprintf(name, sizeof name, "histogram_%.*s.png", layer, sum->tensor->name);
  snprintf(title, sizeof title, "%s of %d networks", sum->tensor->name, sum->members);
  char *path = result_path(s->result, name);
  Status status = picture_plot(path, &(Plot){.title = title,
                                             .x_label = "value",
                                             .y_label = "density",
                                             .log_y = true,
                                             .n_curves = SETS,
                                             .curves = curves});
  free(path);
  return status;
}

static bool is_weight(const Summary *sum) {
  const char *last = strrchr(sum->tensor->name, '/');
  return last && !strcmp(last, "/weight");
}

/* The covariances' eigenvalues as shares of their sum. */
static Status draw_spectra(const Statistics *s, const Summary *sums, int n, double *shares) {
  Curve curves[NETWORK_MAX_TENSORS];
  const double *const x = shares;
  int n_curves = 0;
  for (int i = 0; i < SHOWN; i++) *shares++ = i + 1;
  for (int t = 0; t < n; t++) {
    const Summary *sum = &sums[t];
    int shown = sum->n_spectrum < SHOWN ? sum->n_spectrum : SHOWN;
    double total = 0;
    if (!is_weight(sum)) continue;
    for (int i = 0; i < sum->n_spectrum; i++) total += sum->spectrum[i];
    for (int i = 0; i < shown; i++) shares[i] = sum->spectrum[i] / total;
    curves[n_curves++] = (Curve){.label = sum->tensor->name, .n = shown, .x = x, .y = shares};
    shares += SHOWN;
  }
  char *path = result_path(s->result, "spectra.png");
  Status status =
      picture_plot(path, &(Plot){.title = "Principal components of each layer's weights",
                                 .x_label = "component",
                                 .y_label = "share of the variance",
                                 .log_y = true,
                                 .n_curves = n_curves,
                                 .curves = curves});
  free(path);
  return status;
}

static Status draw(const Statistics *s, const Summary *sums, int n) {
  double *shares;
  for (int t = 0; t < n; t++) {
    if (is_weight(&sums[t])) TRY(draw_histogram(s, &sums[t]));
  }
  TRY(memory_allocate(&shares, (size_t)(n + 1) * SHOWN, sizeof *shares, "a picture"));
  Status status = draw_spectra(s, sums, n, shares);
  free(shares);
  return status;
}

/* ---- All of it ---- */

static int least(int a, int b) {
  return a < b ? a : b;
}

static Status create_summary(const Setup *setup, int t, Summary *sum) {
  const Population *p = setup->own;
  const Tensor *tensor = &setup->network.tensors[t];
  *sum = (Summary){.tensor = tensor,
                   .all = &bundle_tensors(p->bundle)[t],
                   .members = (int)population_members(p),
                   .cols = tensor->rows * tensor->cols};
  sum->n_spectrum = least(sum->members, sum->cols);
  sum->n_singular = tensor->rows > 1 && tensor->cols > 1 ? least(tensor->rows, tensor->cols) : 0;
  TRY(memory_allocate(&sum->spectrum, 2 * (size_t)sum->n_spectrum, sizeof(double), "a spectrum"));
  return memory_allocate(&sum->singular, SETS * (size_t)sum->n_singular, sizeof(double),
                         "singular values");
}

static Status prepare(Statistics *s, Summary *sums) {
  const Network *network = &s->setup->network;
  int largest = 1;
  for (int t = 0; t < network->n_tensors; t++) {
    TRY(create_summary(s->setup, t, &sums[t]));
    if (sums[t].cols > largest) largest = sums[t].cols;
  }
  TRY(memory_allocate(&s->network, network->n_parameters, sizeof(real), "a network"));
  TRY(memory_allocate(&s->matrix, (size_t)largest, sizeof(double), "a matrix"));
  for (int t = 0; s->root && t < network->n_tensors; t++) TRY(summarise(s, &sums[t]));
  return STATUS_OK;
}

/* Collective. */
static Status run(Statistics *s, Summary *sums) {
  const Comm *comm = s->setup->comm;
  int n = s->setup->network.n_tensors;
  TRY(comm_agree(comm, prepare(s, sums)));
  for (int t = 0; t < n; t++) TRY(write_summary(s, &sums[t]));
  return comm_agree(comm, s->root && !s->result->plain ? draw(s, sums, n) : STATUS_OK);
}

Status population_statistics(const Setup *setup, const real *theta, Result *result) {
  Statistics s = {.setup = setup,
                  .population = setup->own,
                  .theta = theta,
                  .result = result,
                  .root = comm_rank(setup->comm) == 0};
  Summary *sums = NULL;
  int n = setup->network.n_tensors;
  TRY(comm_agree(setup->comm,
                 memory_allocate(&sums, (size_t)n, sizeof *sums, "statistics of weights")));
  Status status = run(&s, sums);
  for (int t = 0; t < n; t++) {
    free(sums[t].spectrum);
    free(sums[t].singular);
  }
  free(sums);
  free(s.network);
  free(s.matrix);
  return status;
}
