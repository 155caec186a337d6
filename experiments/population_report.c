#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/distribution.h"
#include "experiments/image_show.h"
#include "experiments/population_learn.h"

enum { STORED = 16 }; /* images whose fits are fields */

typedef struct {
  const Setup *setup;
  const Population *population;
  const real *theta;
  int threads;
  Painter *painters;
  int64_t members;
  double *psnr, *sorted; /* [members] */
  float *value, *truth;  /* [STORED][rows][columns][channels], on rank 0 */
} Report;

/* ---- Memory ---- */

static Status create(Report *r, bool root) {
  const char *what = "the evaluation of networks";
  size_t members = (size_t)r->members, numbers = population_numbers(r->population);
  TRY(memory_allocate(&r->psnr, members, sizeof(double), what));
  TRY(memory_allocate(&r->sorted, members, sizeof(double), what));
  TRY(memory_allocate(&r->painters, (size_t)r->threads, sizeof *r->painters, what));
  for (int t = 0; t < r->threads; t++) TRY(painter_create(r->setup, 0, &r->painters[t]));
  if (!root) return STATUS_OK;
  TRY(memory_allocate(&r->value, STORED * numbers, sizeof(float), what));
  return memory_allocate(&r->truth, STORED * numbers, sizeof(float), what);
}

static void destroy(Report *r) {
  for (int t = 0; r->painters && t < r->threads; t++) painter_destroy(&r->painters[t]);
  void *owned[] = {r->painters, r->psnr, r->sorted, r->value, r->truth};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
}

/* ---- How well each network has its image ---- */

static void judge(Report *r, int64_t member, Painter *painter) {
  size_t n = population_numbers(r->population);
  painter_fit(painter, r->theta, member);
  r->psnr[member] = painter_psnr(painter, member);
  if (member >= STORED || !r->value) return;
  memcpy(r->value + (size_t)member * n, painter->scratch, n * sizeof(float));
  memcpy(r->truth + (size_t)member * n, painter->scratch + n, n * sizeof(float));
}

/* Collective. The first ones are rank 0's, which stores them; what is found is shared as bits. */
static void judge_all(Report *r, const Comm *comm) {
  int ranks = comm_size(comm), me = comm_rank(comm);
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
  for (int64_t i = 0; i < r->members; i++) {
    int owner = i < STORED ? 0 : (int)(i % ranks);
    if (owner == me) judge(r, i, &r->painters[omp_get_thread_num()]);
  }
  comm_sum_int64(comm, (int64_t *)r->psnr, (size_t)r->members);
}

static double mean_of(const double *values, int64_t first, int64_t end) {
  double sum = 0;
  for (int64_t i = first; i < end; i++) sum += values[i];
  return sum / (double)(end - first);
}

static Status write_metrics(Report *r, Result *result) {
  const Population *p = r->population;
  size_t n = (size_t)r->members;
  memcpy(r->sorted, r->psnr, n * sizeof *r->sorted);
  distribution_sort(n, r->sorted);
  const struct {
    const char *name;
    double value;
  } metrics[] = {{"psnr", mean_of(r->psnr, 0, r->members)},
                 {"psnr_least", r->sorted[0]},
                 {"psnr_5", distribution_percentile(n, r->sorted, 5)},
                 {"psnr_median", distribution_percentile(n, r->sorted, 50)},
                 {"psnr_95", distribution_percentile(n, r->sorted, 95)},
                 {"psnr_held", mean_of(r->psnr, p->networks, r->members)}};
  for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
    TRY(result_metric(result, metrics[i].name, metrics[i].value, "dB"));
  }
  TRY(result_metric(result, "networks", (double)r->members, "1"));
  return runfile_array(result->file, &(RunArray){.name = "/statistics/psnr",
                                                 .description = "of each network against its image",
                                                 .units = "dB",
                                                 .n_axes = 1,
                                                 .size = {r->members},
                                                 .values = r->psnr});
}

/* ---- Fields and weights ---- */

static Status write_field(const Report *r, Result *result, const char *name, const char *text,
                          const float *values) {
  int64_t images = r->members < STORED ? r->members : STORED;
  return image_show_field(result, &r->population->set, name, text, images, values);
}

/* Collective. One of the networks, as any program can read it; and what all of them began with. */
static Status write_weights(const Setup *setup, const real *theta, Result *result) {
  const Population *p = setup->own;
  Model model = model_of_network(&setup->network);
  real *weights = NULL;
  Status status =
      memory_allocate(&weights, setup->network.n_parameters, sizeof *weights, "a network");
  TRY(comm_agree(setup->comm, status));
  bundle_get(p->bundle, theta, p->shown, weights);
  status = runfile_model(result->file, &model, weights);
  if (status == STATUS_OK && p->common) {
    model.group = "/population/initial";
    model.network = NULL;
    status = runfile_model(result->file, &model, p->common);
  }
  free(weights);
  return status;
}

/* ---- All of it ---- */

/* Collective. */
static Status run(Report *r, const Setup *setup, Result *result) {
  TRY(comm_agree(setup->comm, create(r, comm_rank(setup->comm) == 0)));
  judge_all(r, setup->comm);
  TRY(write_metrics(r, result));
  TRY(write_field(r, result, "value", "what the first networks render", r->value));
  return write_field(r, result, "truth", "their images, values -1 to 1", r->truth);
}

Status population_report(const Setup *setup, const real *theta, Result *result) {
  const Population *p = setup->own;
  Report report = {.setup = setup,
                   .population = p,
                   .theta = theta,
                   .threads = setup->threads,
                   .members = population_members(p)};
  Status status = run(&report, setup, result);
  destroy(&report);
  TRY(status);
  TRY(write_weights(setup, theta, result));
  TRY(population_statistics(setup, theta, result));
  return population_learn(setup, theta, result);
}

/* Rank 0's statistics of the largest tensor, or its principal components: rows and their like
 * centred, a Gram matrix, and what LAPACK needs beside it. */
double population_report_bytes(const Setup *setup, int rank) {
  const Population *p = setup->own;
  double members = (double)population_members(p), networks = (double)p->networks,
         weights = (double)setup->network.n_parameters, n = fmin(networks, weights),
         numbers = (double)population_numbers(p), painter = painter_bytes(setup, p->components);
  if (rank > 0) return setup->threads * painter + 16 * members;
  double components = fmin(p->components, n);
  double learned = 8 * ((2 * networks + components) * weights + 4 * n * n);
  double drawn = config_bool(setup->config, "eval.pictures") ? learned_pictures_bytes(setup) : 0;
  return 2 * setup->threads * painter + 8 * STORED * numbers + fmax(learned, drawn);
}

/* A third of a training step, and the held-out networks about ten times more. */
double population_report_flops(const Setup *setup) {
  const Population *p = setup->own;
  double third = bundle_flops(p->bundle) / 3;
  return third * (1 + 10 * (double)p->held / (double)population_members(p));
}
