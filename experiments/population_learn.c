#include "experiments/population_learn.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"

static const Population *population_of(const Learned *l) {
  return l->setup->own;
}

/* ---- Components of the training networks ---- */

typedef void Take(const Learned *l, Painter *painter, int64_t member);

static void take_weights(const Learned *l, Painter *painter, int64_t member) {
  painter_take_weights(painter, l->theta, member);
}

static void take_pixels(const Learned *l, Painter *painter, int64_t member) {
  (void)l;
  painter_take_pixels(painter, member);
}

static Status find_components(const Learned *l, Take *take, size_t columns, Painter *painter,
                              Principal *principal) {
  const Population *p = population_of(l);
  size_t rows = (size_t)p->networks;
  double *data;
  TRY(memory_allocate(&data, rows * columns, sizeof *data, "the weights of all networks"));
  for (size_t i = 0; i < rows; i++) {
    take(l, painter, (int64_t)i);
    memcpy(data + i * columns, painter->row, columns * sizeof *data);
  }
  Status status = principal_create((int)rows, (int)columns, data, p->components, principal);
  free(data);
  return status;
}

static void choose_counts(Learned *l) {
  int most = l->weights.n < l->pixels.n ? l->weights.n : l->pixels.n;
  l->counts[l->n_counts++] = 0;
  for (int q = 1; q < most; q *= 2) l->counts[l->n_counts++] = q;
  if (most > 0) l->counts[l->n_counts++] = most;
}

/* ---- Held-out networks ---- */

/* Of one network. */
typedef struct {
  double weights[LEARNED_COUNTS], pixels[LEARNED_COUNTS], fit;
  double square, explained; /* of its weights about the mean */
} Trial;

static void try_weights(const Learned *l, int64_t member, Painter *painter, Trial *trial) {
  painter_fit(painter, l->theta, member);
  trial->fit = painter_psnr(painter, member);
  painter_take_weights(painter, l->theta, member);
  for (int i = 0; i < l->weights.columns; i++) {
    double d = painter->row[i] - l->weights.mean[i];
    trial->square += d * d;
  }
  principal_project(&l->weights, painter->row, painter->coefficients);
  for (int i = 0; i < l->weights.n; i++) {
    trial->explained += painter->coefficients[i] * painter->coefficients[i];
  }
  for (int k = 0; k < l->n_counts; k++) {
    painter_restore_weights(painter, &l->weights, (int)l->counts[k]);
    trial->weights[k] = painter_psnr(painter, member);
  }
}

static void try_pixels(const Learned *l, int64_t member, Painter *painter, Trial *trial) {
  painter_take_pixels(painter, member);
  principal_project(&l->pixels, painter->row, painter->coefficients);
  for (int k = 0; k < l->n_counts; k++) {
    painter_restore_pixels(painter, &l->pixels, (int)l->counts[k]);
    trial->pixels[k] = painter_psnr(painter, member);
  }
}

static void average(Learned *l, const Trial *trials, int64_t n) {
  double square = 0, explained = 0;
  for (int64_t i = 0; i < n; i++) {
    const Trial *trial = &trials[i];
    square += trial->square;
    explained += trial->explained;
    l->by_fit += trial->fit / (double)n;
    for (int k = 0; k < l->n_counts; k++) {
      l->by_weights[k] += trial->weights[k] / (double)n;
      l->by_pixels[k] += trial->pixels[k] / (double)n;
    }
  }
  l->explained = square > 0 ? explained / square : 0;
}

static Status try_all(Learned *l, Painter *painters) {
  const Population *p = population_of(l);
  Trial *trials;
  TRY(memory_allocate(&trials, (size_t)p->held, sizeof *trials, "held-out networks"));
#pragma omp parallel for schedule(dynamic) num_threads(l->setup->threads)
  for (int64_t i = 0; i < p->held; i++) {
    Painter *painter = &painters[omp_get_thread_num()];
    try_weights(l, p->networks + i, painter, &trials[i]);
    try_pixels(l, p->networks + i, painter, &trials[i]);
  }
  average(l, trials, p->held);
  free(trials);
  return STATUS_OK;
}

/* ---- Networks that nobody fitted ---- */

void learned_draw(const Learned *l, const Principal *principal, int64_t number, Painter *painter) {
  RandomStream stream = {population_of(l)->seed, RANDOM_MEMBER, 1};
  for (int i = 0; i < principal->n; i++) {
    painter->coefficients[i] =
        sqrt(principal->variance[i]) * random_normal(stream, (uint64_t)number, i);
  }
}

/* ---- Into the file ---- */

/* Collective. Of rank 0; the others need the sizes. */
static Status write_arrays(const Comm *comm, const Learned *l, Result *result) {
  int64_t size[2] = {l->n_counts, l->weights.n};
  comm_broadcast(comm, size, sizeof size);
  const RunArray arrays[] = {
      {"/statistics/learned/components",
       "how many principal components",
       "1",
       1,
       {size[0]},
       l->counts},
      {"/statistics/learned/psnr_weights",
       "held-out networks from so many components of the training networks' weights, rendered",
       "dB",
       1,
       {size[0]},
       l->by_weights},
      {"/statistics/learned/psnr_pixels",
       "held-out images from so many components of the training images' pixels",
       "dB",
       1,
       {size[0]},
       l->by_pixels},
      {"/statistics/learned/variance",
       "of the training networks' coefficients",
       "1",
       1,
       {size[1]},
       l->weights.variance},
  };
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
    TRY(runfile_array(result->file, &arrays[i]));
  }
  return STATUS_OK;
}

/* Collective. */
static Status write_metrics(const Learned *l, Result *result) {
  int last = l->n_counts - 1;
  TRY(result_metric(result, "psnr_learned", l->by_weights[last], "dB"));
  TRY(result_metric(result, "psnr_pixels", l->by_pixels[last], "dB"));
  TRY(result_metric(result, "explained", l->explained, "1"));
  TRY(result_metric(result, "effective_rank", principal_rank(l->weights.n, l->weights.variance),
                    "1"));
  return result_metric(result, "components", l->counts[last], "1");
}

/* ---- All of it ---- */

static Status learn(Learned *l, Painter *painters) {
  const Setup *setup = l->setup;
  for (int t = 0; t < setup->threads; t++) {
    TRY(painter_create(setup, population_of(l)->components, &painters[t]));
  }
  TRY(find_components(l, take_weights, setup->network.n_parameters, painters, &l->weights));
  TRY(find_components(l, take_pixels, population_numbers(setup->own), painters, &l->pixels));
  choose_counts(l);
  return try_all(l, painters);
}

static Status learn_alone(Learned *l) {
  Painter *painters;
  size_t threads = (size_t)l->setup->threads;
  TRY(memory_allocate(&painters, threads, sizeof *painters, "the rendering of networks"));
  Status status = learn(l, painters);
  for (size_t t = 0; t < threads; t++) painter_destroy(&painters[t]);
  free(painters);
  return status;
}

/* Collective. */
static Status run(Learned *l, Result *result) {
  const Comm *comm = l->setup->comm;
  bool root = comm_rank(comm) == 0;
  TRY(comm_agree(comm, root ? learn_alone(l) : STATUS_OK));
  comm_broadcast(comm, &l->n_counts, sizeof l->n_counts);
  TRY(write_arrays(comm, l, result));
  TRY(write_metrics(l, result));
  return comm_agree(comm, root && !result->plain ? learned_pictures(l, result) : STATUS_OK);
}

Status population_learn(const Setup *setup, const real *theta, Result *result) {
  Learned learned = {.setup = setup, .theta = theta};
  Status status = run(&learned, result);
  principal_destroy(&learned.weights);
  principal_destroy(&learned.pixels);
  return status;
}
