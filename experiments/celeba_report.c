#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/celeba.h"
#include "experiments/image_show.h"
#include "experiments/plane.h"

enum { GROUP = 8, STORED = 16 }; /* images at once; images whose fields are stored */

/* What one thread needs for a group of images. */
typedef struct {
  HyperUse *use;
  real *grid, *pixels, *code, *weights, *values;
  uint8_t *known;
} Worker;

typedef struct {
  const Celeba *celeba;
  const real *theta;
  int threads;
  Worker *workers;
  int64_t images;
  double *error; /* [KNOWN_KINDS + 1][images] mean square of each; the last: of the mean image */
  double *mean;  /* [pixels * channels] of the training images */
  float
      *stored[KNOWN_KINDS + 1]; /* [STORED][rows][columns][channels], on rank 0; the last: truth */
} Report;

static size_t pixels_of(const Celeba *celeba) {
  return (size_t)(celeba->set.rows * celeba->set.columns);
}

static size_t numbers_of(const Celeba *celeba) {
  return (size_t)image_set_bytes(&celeba->set);
}

/* ---- Memory ---- */

static Status create_worker(const Celeba *celeba, Worker *w) {
  const char *what = "the evaluation of images";
  size_t pixels = pixels_of(celeba), numbers = numbers_of(celeba);
  TRY(hyper_use_create(celeba->hyper, GROUP, &w->use));
  TRY(memory_allocate(&w->grid, 2 * pixels, sizeof(real), what));
  TRY(memory_allocate(&w->pixels, GROUP * numbers, sizeof(real), what));
  TRY(memory_allocate(&w->known, GROUP * pixels, 1, what));
  TRY(memory_allocate(&w->code, GROUP * (size_t)celeba->encoding.code, sizeof(real), what));
  TRY(memory_allocate(&w->weights, GROUP * hyper_stride(celeba->hyper), sizeof(real), what));
  TRY(memory_allocate(&w->values, numbers, sizeof(real), what));
  hyper_grid(celeba->set.rows, celeba->set.columns, 1, w->grid);
  return STATUS_OK;
}

static void destroy_worker(Worker *w) {
  hyper_use_destroy(w->use);
  void *owned[] = {w->grid, w->pixels, w->known, w->code, w->weights, w->values};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
}

static Status create(Report *r, bool root) {
  const char *what = "the evaluation of images";
  size_t images = (size_t)r->images, numbers = numbers_of(r->celeba);
  TRY(memory_allocate(&r->error, (KNOWN_KINDS + 1) * images, sizeof *r->error, what));
  TRY(memory_allocate(&r->mean, numbers, sizeof *r->mean, what));
  TRY(memory_allocate(&r->workers, (size_t)r->threads, sizeof *r->workers, what));
  for (int t = 0; t < r->threads; t++) TRY(create_worker(r->celeba, &r->workers[t]));
  for (int k = 0; root && k <= KNOWN_KINDS; k++) {
    TRY(memory_allocate(&r->stored[k], STORED * numbers, sizeof(float), what));
  }
  return STATUS_OK;
}

static void destroy(Report *r) {
  for (int t = 0; r->workers && t < r->threads; t++) destroy_worker(&r->workers[t]);
  for (int k = 0; k <= KNOWN_KINDS; k++) free(r->stored[k]);
  free(r->workers);
  free(r->mean);
  free(r->error);
}

/* ---- Errors, with values from 0 to 1 ---- */

static double shown(double value) {
  return fmin(fmax((value + 1) / 2, 0), 1);
}

static double mean_square(size_t n, const real *values, const real *truth) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double difference = shown((double)values[i]) - shown((double)truth[i]);
    sum += difference * difference;
  }
  return sum / (double)n;
}

static double square_to_mean(const Report *r, const real *truth) {
  double sum = 0;
  size_t n = numbers_of(r->celeba);
  for (size_t i = 0; i < n; i++) {
    double difference = r->mean[i] - shown((double)truth[i]);
    sum += difference * difference;
  }
  return sum / (double)n;
}

/* Collective. Sums of bytes are exact. */
static Status find_mean(Report *r, const Comm *comm) {
  const ImageSet *set = &r->celeba->set;
  size_t numbers = numbers_of(r->celeba);
  int64_t *sum = NULL, n = set->n[SPLIT_TRAIN];
  TRY(comm_agree(comm, memory_allocate(&sum, numbers, sizeof *sum, "the mean image")));
  for (int64_t i = comm_rank(comm); i < n; i += comm_size(comm)) {
    const uint8_t *image = image_set_image(set, SPLIT_TRAIN, i);
    for (size_t k = 0; k < numbers; k++) sum[k] += image[k];
  }
  comm_sum_int64(comm, sum, numbers);
  for (size_t k = 0; k < numbers; k++) r->mean[k] = (double)sum[k] / (255 * (double)n);
  free(sum);
  return STATUS_OK;
}

static void store(Report *r, int what, int64_t image, const real *values) {
  size_t n = numbers_of(r->celeba);
  if (image >= STORED || !r->stored[what]) return;
  for (size_t i = 0; i < n; i++) r->stored[what][(size_t)image * n + i] = (float)values[i];
}

/* A group of images with one kind of context. */
static void run_group(Report *r, Known what, int64_t first, int count, Worker *w) {
  const Celeba *celeba = r->celeba;
  size_t pixels = pixels_of(celeba), numbers = numbers_of(celeba);
  for (int i = 0; i < count; i++) {
    celeba_test_image(celeba, what, first + i, w->pixels + (size_t)i * numbers,
                      w->known + (size_t)i * pixels);
  }
  const Context context = celeba_context(celeba, count, w->pixels, w->known);
  hyper_encode(w->use, r->theta, &context, &celeba->search, w->code);
  hyper_generate(w->use, r->theta, count, w->code, w->weights);
  for (int i = 0; i < count; i++) {
    const real *truth = w->pixels + (size_t)i * numbers;
    hyper_render(w->use, w->weights + (size_t)i * hyper_stride(celeba->hyper), (int64_t)pixels,
                 w->grid, w->values);
    r->error[what * r->images + first + i] = mean_square(numbers, w->values, truth);
    store(r, (int)what, first + i, w->values);
    if (what != KNOWN_ALL) continue;
    r->error[KNOWN_KINDS * r->images + first + i] = square_to_mean(r, truth);
    store(r, KNOWN_KINDS, first + i, truth);
  }
}

/* Collective. The first groups are rank 0's, which stores them; errors are shared as bits. */
static void run_groups(Report *r, const Comm *comm) {
  int64_t groups = (r->images + GROUP - 1) / GROUP;
#pragma omp parallel for schedule(dynamic) num_threads(r->threads)
  for (int64_t group = 0; group < groups; group++) {
    int owner = group * GROUP < STORED ? 0 : (int)(group % comm_size(comm));
    if (owner != comm_rank(comm)) continue;
    int64_t first = group * GROUP, left = r->images - first;
    for (int what = 0; what < KNOWN_KINDS; what++) {
      if (!celeba_has(r->celeba, (Known)what)) continue;
      run_group(r, (Known)what, first, left < GROUP ? (int)left : GROUP,
                &r->workers[omp_get_thread_num()]);
    }
  }
  comm_sum_int64(comm, (int64_t *)r->error, (size_t)((KNOWN_KINDS + 1) * r->images));
}

/* ---- Metrics and fields ---- */

static double mean_error(const Report *r, int what) {
  double sum = 0;
  for (int64_t i = 0; i < r->images; i++) sum += r->error[what * r->images + i];
  return sum / (double)r->images;
}

static Status write_metrics(const Report *r, Result *result) {
  static const char *const names[] = {CELEBA_METRICS};
  for (int what = 0; what <= KNOWN_KINDS; what++) {
    if (what < KNOWN_KINDS && !celeba_has(r->celeba, (Known)what)) continue;
    TRY(result_metric(result, names[what], mean_error(r, what), "1"));
  }
  return result_metric(result, names[KNOWN_KINDS + 1], (double)r->images, "1");
}

static Status write_field(const Report *r, Result *result, int what) {
  int64_t images = r->images < STORED ? r->images : STORED;
  char name[32] = "truth", text[96] = "images of the test, values -1 to 1";
  if (what < KNOWN_KINDS) {
    const char *known = known_name((Known)what);
    snprintf(name, sizeof name, "from_%s", known);
    snprintf(text, sizeof text, "images of the test, made from known pixels: %s", known);
  }
  return image_show_field(result, &r->celeba->set, name, text, images, r->stored[what]);
}

static Status write_fields(const Report *r, Result *result) {
  for (int what = 0; what <= KNOWN_KINDS; what++) {
    if (what < KNOWN_KINDS && !celeba_has(r->celeba, (Known)what)) continue;
    TRY(write_field(r, result, what));
  }
  return STATUS_OK;
}

/* ---- One image's SIREN ---- */

static Status make_siren(const Celeba *celeba, const real *theta, real *weights) {
  Worker w = {0};
  Status status = create_worker(celeba, &w);
  if (status == STATUS_OK) {
    celeba_test_image(celeba, KNOWN_ALL, celeba->shown, w.pixels, w.known);
    const Context context = celeba_context(celeba, 1, w.pixels, w.known);
    hyper_encode(w.use, theta, &context, &celeba->search, w.code);
    hyper_generate(w.use, theta, 1, w.code, weights);
  }
  destroy_worker(&w);
  return status;
}

Status celeba_siren(const Setup *setup, const real *theta, real *weights) {
  return comm_agree(setup->comm, make_siren(setup->own, theta, weights));
}

/* Collective. The image that it renders. */
static Status store_value(const Setup *setup, const real *weights, Result *result) {
  const Celeba *celeba = setup->own;
  WholeFields none;
  const ResultFields what = {.grid = plane_grid(celeba->set.rows, celeba->set.columns),
                             .axes = "row,column",
                             .wanted = {[FIELD_VALUE] = true}};
  return result_fields(result, &setup->network, weights, &what, &none);
}

/* Collective. */
static Status store_siren(const Setup *setup, const real *theta, Result *result) {
  const Celeba *celeba = setup->own;
  const Model model = model_of_network(&setup->network);
  real *weights = NULL;
  Status status =
      memory_allocate(&weights, hyper_stride(celeba->hyper), sizeof *weights, "a SIREN");
  TRY(comm_agree(setup->comm, status));
  status = celeba_siren(setup, theta, weights);
  if (status == STATUS_OK) status = runfile_model(result->file, &model, weights);
  if (status == STATUS_OK) status = store_value(setup, weights, result);
  free(weights);
  return status;
}

/* ---- All of it ---- */

/* Collective. */
static Status run(Report *r, const Setup *setup, Result *result) {
  bool root = comm_rank(setup->comm) == 0;
  TRY(comm_agree(setup->comm, create(r, root)));
  TRY(find_mean(r, setup->comm));
  run_groups(r, setup->comm);
  TRY(write_metrics(r, result));
  TRY(write_fields(r, result));
  TRY(store_siren(setup, r->theta, result));
  Status status = STATUS_OK;
  if (root && !result->plain) status = celeba_figure(r->celeba, r->theta, result);
  return comm_agree(setup->comm, status);
}

Status celeba_report(const Setup *setup, const real *theta, Result *result) {
  const Celeba *celeba = setup->own;
  Report report = {
      .celeba = celeba, .theta = theta, .threads = setup->threads, .images = celeba->test_images};
  Status status = run(&report, setup, result);
  destroy(&report);
  return status;
}

double celeba_report_bytes(const Setup *setup, int rank) {
  const Celeba *celeba = setup->own;
  double numbers = (double)numbers_of(celeba),
         worker = (double)hyper_use_bytes(celeba->hyper, GROUP) +
                  sizeof(real) * GROUP *
                      (numbers + (double)hyper_stride(celeba->hyper) + celeba->encoding.code),
         stored = rank == 0 ? (KNOWN_KINDS + 1.) * STORED * numbers * sizeof(float) : 0;
  bool draws = rank == 0 && config_bool(setup->config, "eval.pictures");
  return setup->threads * worker + stored + (draws ? celeba_figure_bytes(celeba) : 0) +
         8. * (KNOWN_KINDS + 1) * (double)celeba->test_images;
}

/* A third of a training step's work an image; all of it in every step of a search. */
double celeba_report_flops(const Setup *setup) {
  const Celeba *celeba = setup->own;
  bool search = !strcmp(config_text(setup->config, "celeba.encoder"), "table");
  double image = hyper_flops(celeba->hyper) / (double)celeba->images;
  double times = 1. / 3 + (search ? celeba->search.steps : 0);
  return KNOWN_KINDS * (double)celeba->test_images * image * times;
}
