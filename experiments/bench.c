#include "experiments/bench.h"

#include <jansson.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/encoding.h"
#include "core/exact.h"
#include "core/linalg.h"
#include "core/loss.h"
#include "core/memory.h"
#include "core/optimizer.h"
#include "core/problem.h"
#include "experiments/progress.h"
#include "experiments/version.h"
#include "mpi/evaluate.h"

enum { IMAGE_SIDE = 256 };

/* Steps to measure. The paper's image at 256^2, and a part of it for the larger ones: the time is
 * proportional to the samples. */
static const struct {
  const char *name;
  int width, layers;
  bool laplacian;
  int64_t samples;
} steps[] = {
    {"image_256", 256, 3, false, IMAGE_SIDE *IMAGE_SIDE},
    {"image_1024", 1024, 3, false, 16384},
    {"laplacian_256", 256, 3, true, 16384},
};
enum { N_STEPS = sizeof steps / sizeof *steps };

/* What is timed for each of them, one after the other. */
typedef enum {
  SGEMM,       /* three parts by the BLAS: a layer's forward, input gradient, weight gradient */
  PRODUCT = 3, /* the same by core/product.h */
  EXACT_ADD = 6,
  STEP,
  N_PARTS
} Part;

typedef struct {
  const Comm *comm;
  int threads, number;
  Network network;
  Problem problem;
  Objective objective;
  Evaluation *evaluation;
  Optimizer *optimizer;
  Exact exact;
  real *theta;
  int rows;          /* of a layer's matrices: a block's rows, all streams */
  real **gemm;       /* [threads] a layer's input, weights and output, behind each other */
  int64_t **sums;    /* [threads] buffers of the exact sum */
  double evaluating; /* seconds of the last step less the optimiser */
  double *seconds[N_PARTS], *optimising; /* [rounds] */
} Case;

/* ---- The problem ---- */

static void draw_pattern(const void *source, uint64_t step, int64_t first, int rows, real *x,
                         real *data, real *weights) {
  (void)source, (void)step, (void)weights;
  for (int r = 0; r < rows; r++) {
    double row = (double)((first + r) / IMAGE_SIDE), column = (double)((first + r) % IMAGE_SIDE);
    x[2 * r] = (real)(2 * row / (IMAGE_SIDE - 1) - 1);
    x[2 * r + 1] = (real)(2 * column / (IMAGE_SIDE - 1) - 1);
    data[r] = ((first + r) / 16) % 2 ? REAL(0.5) : REAL(-0.5);
  }
}

static Status create_problem(Case *c) {
  NetworkSpec spec = {.in = 2,
                      .out = 1,
                      .width = steps[c->number].width,
                      .layers = steps[c->number].layers,
                      .activation = activation_find("sine"),
                      .encoding = encoding_find("none"),
                      .centres = 1,
                      .rbf_sigma = 1,
                      .omega_first = 30,
                      .omega_hidden = 30,
                      .weight_init = network_weight_inits[0],
                      .bias_init = network_bias_inits[0]};
  bool laplacian = steps[c->number].laplacian;
  Domain pixels = {.name = "pixels",
                   .samples = steps[c->number].samples,
                   .mean = true,
                   .data_width = 1,
                   .draw = draw_pattern,
                   .n_terms = 1,
                   .terms = {{"loss", 1, laplacian ? loss_second_mse : loss_value_mse, NULL}}};
  if (laplacian)
    pixels.jet = (JetSpec){.first = true, .n_second = 1, .second = {{JET_COLLAPSED, 0}}};
  TRY(network_create(&spec, &c->network));
  c->problem = (Problem){.network = &c->network, .n_domains = 1, .domains = {pixels}};
  c->rows = problem_block_rows(&c->network, &pixels.jet, problem_default_tile(&c->problem)) *
            jet_streams(&pixels.jet, 2);
  return problem_objective(&c->problem, &c->objective);
}

/* Elements of a layer's input (or output), and of all that gemm[thread] holds. */
static size_t layer_elements(const Case *c) {
  return (size_t)c->rows * (size_t)steps[c->number].width;
}

static size_t gemm_elements(const Case *c) {
  size_t width = (size_t)steps[c->number].width;
  return 2 * layer_elements(c) + width * width;
}

static Status create_buffers(Case *c, int rounds) {
  size_t threads = (size_t)c->threads;
  TRY(memory_allocate(&c->theta, c->network.n_parameters, sizeof(real), "weights"));
  TRY(memory_allocate(&c->gemm, threads, sizeof *c->gemm, "threads"));
  TRY(memory_allocate(&c->sums, threads, sizeof *c->sums, "threads"));
  for (size_t t = 0; t < threads; t++) {
    TRY(memory_allocate(&c->gemm[t], gemm_elements(c), sizeof(real), "matrices"));
    TRY(memory_allocate(&c->sums[t], c->exact.size, sizeof(int64_t), "an exact sum"));
    for (size_t i = 0; i < gemm_elements(c); i++) c->gemm[t][i] = (real)(i % 7) / 8;
  }
  for (Part part = 0; part < N_PARTS; part++) {
    TRY(memory_allocate(&c->seconds[part], (size_t)rounds, sizeof(double), "times"));
  }
  return memory_allocate(&c->optimising, (size_t)rounds, sizeof(double), "times");
}

/* Collective. */
static Status create_case(Case *c, int rounds) {
  OptimizerSettings settings = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  Status status = create_problem(c);
  if (status == STATUS_OK) status = exact_create(&c->objective, &c->exact);
  if (status == STATUS_OK) status = create_buffers(c, rounds);
  if (status == STATUS_OK) {
    status = optimizer_create("adam", &settings, c->network.n_parameters, &c->optimizer);
  }
  TRY(comm_agree(c->comm, status));
  network_init(&c->network, 0, c->theta);
  c->exact.tiles = c->objective.tiles(&c->objective, 0);
  return evaluation_create(c->comm, &c->objective, c->threads, &c->evaluation);
}

static void destroy_case(Case *c) {
  evaluation_destroy(c->evaluation);
  optimizer_destroy(c->optimizer);
  exact_destroy(&c->exact);
  for (int t = 0; t < c->threads; t++) {
    if (c->gemm) free(c->gemm[t]);
    if (c->sums) free(c->sums[t]);
  }
  free(c->gemm);
  free(c->sums);
  free(c->theta);
  for (Part part = 0; part < N_PARTS; part++) free(c->seconds[part]);
  free(c->optimising);
}

/* ---- Timing ---- */

static void product(const Case *c, Part part, real *memory) {
  int n = steps[c->number].width, m = c->rows;
  real *input = memory, *output = memory + layer_elements(c), *weight = output + layer_elements(c);
  switch ((int)part) {
    case SGEMM:
      linalg_blas_nt(m, n, n, 1, input, weight, output);
      break;
    case SGEMM + 1:
      linalg_blas_nn(m, n, n, 1, input, weight, output);
      break;
    case SGEMM + 2:
      linalg_blas_tn(n, n, m, 1, input, output, false, weight);
      break;
    case PRODUCT:
      linalg_nt(m, n, n, 1, input, weight, output);
      break;
    case PRODUCT + 1:
      linalg_nn(m, n, n, 1, input, weight, output);
      break;
    case PRODUCT + 2:
      linalg_tn(n, n, m, 1, input, output, false, weight);
      break;
  }
}

/* Repetitions of a product in one timing: about 4 GFLOP a thread. */
static int repetitions(const Case *c) {
  double n = steps[c->number].width;
  return (int)ceil(4e9 / (2 * n * n * c->rows));
}

/* All threads at once, each with its own matrices, as in a step. */
static double time_products(const Case *c, Part part) {
  int count = repetitions(c);
  double begin = progress_clock();
#pragma omp parallel num_threads(c->threads)
  for (int i = 0; i < count; i++) product(c, part, c->gemm[omp_get_thread_num()]);
  return (progress_clock() - begin) / count;
}

/* A step's tiles into every thread's sum, without their gradients: theta stands for one. */
static double time_exact_add(const Case *c) {
  double terms[1] = {1};
  int64_t workers = (int64_t)c->threads * comm_size(c->comm);
  int64_t count = (c->exact.tiles + workers - 1) / workers;
  double begin = progress_clock();
#pragma omp parallel num_threads(c->threads)
  for (int64_t i = 0; i < count; i++) {
    exact_add(&c->exact, c->theta, terms, c->sums[omp_get_thread_num()]);
  }
  return progress_clock() - begin;
}

static Status evaluate(void *context, const real *theta, double *loss, real *gradient) {
  Case *c = context;
  double begin = progress_clock();
  Status status = evaluation_run(c->evaluation, 0, theta, gradient, loss, NULL);
  c->evaluating = progress_clock() - begin;
  return status;
}

/* Collective. */
static Status time_part(Case *c, Part part, int round) {
  double times[2] = {0}, begin = progress_clock();
  comm_barrier(c->comm);
  if (part == STEP) {
    double loss;
    begin = progress_clock();
    TRY(optimizer_step(c->optimizer, 1e-4, c->theta, evaluate, c, &loss));
    times[0] = progress_clock() - begin;
    times[1] = times[0] - c->evaluating;
  } else {
    times[0] = part == EXACT_ADD ? time_exact_add(c) : time_products(c, part);
  }
  comm_max_double(c->comm, times, 2);
  c->seconds[part][round] = times[0];
  if (part == STEP) c->optimising[round] = times[1];
  return STATUS_OK;
}

/* Collective. One round that does not count warms caches, clocks and the exact sums' scales. */
static Status run_rounds(Case cases[N_STEPS], int rounds) {
  enum { N = N_STEPS * N_PARTS };
  for (int round = -1; round < rounds; round++) {
    for (int i = 0; i < N; i++) {
      int k = (i + (round > 0 ? round : 0)) % N;
      TRY(time_part(&cases[k / N_PARTS], (Part)(k % N_PARTS), round > 0 ? round : 0));
    }
  }
  return STATUS_OK;
}

/* ---- Results ---- */

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, compare_doubles);
  return n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

typedef struct {
  double gemm[6], sgemm, own; /* GFLOP/s of all threads and ranks: each part, a layer's three */
  double ms, gflops, of_gemm;
  double exact_share, optimiser_ms, workspace_mb;
} Figures;

/* Seconds a step spends on summing: adding tiles, then over threads and ranks, then decoding. */
static double exact_seconds(const Case *c, double add) {
  EvaluationTimes times = evaluation_times(c->evaluation);
  return add + (times.sum_threads + times.sum_ranks + times.decode) / (double)times.steps;
}

static Figures figures_of(Case *c, int rounds) {
  Figures f = {0};
  double n = steps[c->number].width, workers = (double)c->threads * comm_size(c->comm),
         all[2] = {0};
  double flops = 2e-9 * n * n * c->rows * workers;
  for (int i = 0; i < EXACT_ADD; i++) {
    double seconds = median(c->seconds[i], rounds);
    f.gemm[i] = flops / seconds;
    all[i / PRODUCT] += seconds;
  }
  double step = median(c->seconds[STEP], rounds);
  f.sgemm = 3 * flops / all[0];
  f.own = 3 * flops / all[1];
  f.ms = 1e3 * step;
  f.gflops = 1e-9 * problem_flops(&c->problem) / step;
  f.of_gemm = f.gflops / f.sgemm;
  f.exact_share = exact_seconds(c, median(c->seconds[EXACT_ADD], rounds)) / step;
  f.optimiser_ms = 1e3 * median(c->optimising, rounds);
  f.workspace_mb = 1e-6 * (double)(problem_workspace_bytes(&c->problem) * (size_t)c->threads);
  return f;
}

/* Collective. MB, of the largest rank. */
static double peak_memory(const Comm *comm) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double mb = 1e-6 * 1024 * (double)usage.ru_maxrss;
  comm_max_double(comm, &mb, 1);
  return mb;
}

static void print_table(const Case *cases, const Figures *figures, double memory, int rounds,
                        FILE *out) {
  fprintf(out,
          "%s on %s, %d rank(s) x %d thread(s), " REAL_NAME
          ", medians of %d rounds\n\n"
          "%-15s %8s %7s %7s %7s %9s %9s %7s %7s %9s\n",
          linalg_library(), comm_host(), comm_size(cases->comm), cases->threads, rounds, "GFLOP/s",
          "rows", "forward", "input", "weight", "sgemm", "forward", "input", "weight", "own");
  for (int i = 0; i < N_STEPS; i++) {
    const Figures *f = &figures[i];
    fprintf(out, "%-15s %8d %7.1f %7.1f %7.1f %9.1f %9.1f %7.1f %7.1f %9.1f\n", steps[i].name,
            cases[i].rows, f->gemm[0], f->gemm[1], f->gemm[2], f->sgemm, f->gemm[3], f->gemm[4],
            f->gemm[5], f->own);
  }
  fprintf(out, "\n%-15s %8s %10s %10s %10s %10s %10s %10s\n", "steps", "samples", "ms", "GFLOP/s",
          "of sgemm", "exact sum", "Adam ms", "work MB");
  for (int i = 0; i < N_STEPS; i++) {
    const Figures *f = &figures[i];
    fprintf(out, "%-15s %8lld %10.2f %10.1f %9.1f%% %9.2f%% %10.3f %10.1f\n", steps[i].name,
            (long long)steps[i].samples, f->ms, f->gflops, 100 * f->of_gemm, 100 * f->exact_share,
            f->optimiser_ms, f->workspace_mb);
  }
  fprintf(out, "\npeak memory of a rank: %.1f MB\n", memory);
}

static json_t *case_json(const Case *c, const Figures *f) {
  return json_pack("{s:s, s:I, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "name",
                   steps[c->number].name, "samples", (json_int_t)steps[c->number].samples,
                   "gemm_rows", c->rows, "sgemm_forward_gflops", f->gemm[0], "sgemm_input_gflops",
                   f->gemm[1], "sgemm_weight_gflops", f->gemm[2], "sgemm_gflops", f->sgemm,
                   "own_gflops", f->own, "step_ms", f->ms, "step_gflops", f->gflops,
                   "step_of_sgemm", f->of_gemm, "exact_sum_share", f->exact_share, "optimizer_ms",
                   f->optimiser_ms, "workspace_mb", f->workspace_mb);
}

static void print_json(const Case *cases, const Figures *figures, double memory, int rounds,
                       FILE *out) {
  json_t *list = json_array();
  for (int i = 0; i < N_STEPS; i++) json_array_append_new(list, case_json(&cases[i], &figures[i]));
  json_t *all =
      json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:f, s:o}", "blas", linalg_library(), "host",
                comm_host(), "arithmetic", REAL_NAME, "ranks", comm_size(cases->comm), "threads",
                cases->threads, "rounds", rounds, "peak_memory_mb", memory, "steps", list);
  json_dumpf(all, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
  fputc('\n', out);
  json_decref(all);
}

Status bench_run(const Comm *comm, const BenchSettings *settings, FILE *out) {
  Case cases[N_STEPS];
  Status status = STATUS_OK;
  memset(cases, 0, sizeof cases);
  for (int i = 0; i < N_STEPS; i++) {
    cases[i].comm = comm;
    cases[i].threads = settings->threads;
    cases[i].number = i;
    if (status == STATUS_OK) status = create_case(&cases[i], settings->rounds);
  }
  if (status == STATUS_OK) status = run_rounds(cases, settings->rounds);
  if (status == STATUS_OK) {
    Figures figures[N_STEPS];
    double memory = peak_memory(comm);
    for (int i = 0; i < N_STEPS; i++) figures[i] = figures_of(&cases[i], settings->rounds);
    (settings->json ? print_json : print_table)(cases, figures, memory, settings->rounds, out);
  }
  for (int i = 0; i < N_STEPS; i++) destroy_case(&cases[i]);
  return status;
}
