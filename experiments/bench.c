#include "experiments/bench.h"

#include <jansson.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/linalg.h"
#include "core/memory.h"
#include "core/optimizer.h"
#include "core/problem.h"
#include "experiments/median.h"
#include "experiments/progress.h"
#include "experiments/suite.h"
#include "experiments/trainer.h"
#include "experiments/version.h"
#include "mpi/evaluate.h"

/* Steps to measure: experiments as users run them, at desk scale, with these overrides. A part of
 * the paper's samples where a step would take long: the time is proportional to them. */
enum { MAX_OVERRIDES = 4 };
typedef struct {
  const char *name, *experiment;
  const char *overrides[MAX_OVERRIDES]; /* NULL after the last */
  JetScheme scheme;                     /* of first derivatives, to compare the two */
  bool large;                           /* takes a gigabyte or minutes: only by name */
} StepRow;

static const StepRow steps[] = {
    {"image_256", "image", {NULL}, JET_CHEAPEST, false},
    {"image_1024", "image", {"network.width=1024", "train.samples=16384"}, JET_CHEAPEST, false},
    {"laplacian_256",
     "poisson",
     {"poisson.supervision=laplacian", "train.samples=16384"},
     JET_CHEAPEST,
     false},
    {"gradient_256", "poisson", {"train.samples=16384"}, JET_CHEAPEST, false},
    {"gradient_jets", "poisson", {"train.samples=16384"}, JET_STREAMS, false},
    {"sdf_256", "sdf", {"train.samples=10000"}, JET_CHEAPEST, false},
    {"sdf_jets", "sdf", {"train.samples=10000"}, JET_STREAMS, false},
    {"helmholtz_256", "helmholtz", {"scale=paper", "train.samples=13225"}, JET_CHEAPEST, false},
    {"wave_512", "wave", {"scale=paper", "train.samples=16384"}, JET_CHEAPEST, false},
    {"hyper_set", "celeba", {"scale=paper", "train.samples=25"}, JET_CHEAPEST, true},
    {"hyper_conv",
     "celeba",
     {"scale=paper", "variant=conv", "train.samples=8"},
     JET_CHEAPEST,
     true},
};
enum { N_STEPS = sizeof steps / sizeof *steps, HYPER_ROWS = 392 /* half an image */ };

/* What is timed for each of them, one after the other. */
typedef enum {
  SGEMM,       /* three parts by the BLAS: a layer's forward, input gradient, weight gradient */
  PRODUCT = 3, /* the same by core/product.h */
  STEP = 6,
  N_PARTS
} Part;

typedef struct {
  const Comm *comm;
  int threads;
  const StepRow *step;
  Config *config;
  Setup setup;
  Evaluation *evaluation;
  Optimizer *optimizer;
  real *theta;
  int rows;          /* of a layer's matrices: a block's rows, all streams */
  real **gemm;       /* [threads] a layer's input, weights and output, behind each other */
  double evaluating; /* seconds of the last step less the optimiser */
  double *seconds[N_PARTS], *summing, *optimising; /* [rounds] */
} Case;

/* ---- The problem ---- */

/* Local. */
static Status configure(Case *c) {
  const Experiment *experiment = suite_find(c->step->experiment);
  const char *overrides[1 + MAX_OVERRIDES] = {"scale=desk"};
  int n = 1;
  while (n <= MAX_OVERRIDES && c->step->overrides[n - 1]) {
    overrides[n] = c->step->overrides[n - 1];
    n++;
  }
  return config_parse(experiment->name, experiment->yaml, strlen(experiment->yaml), n, overrides,
                      &c->config);
}

/* Collective. */
static Status create_problem(Case *c) {
  TRY(comm_agree(c->comm, configure(c)));
  TRY(suite_setup(c->comm, c->config, c->threads, &c->setup));
  Problem *problem = &c->setup.problem;
  if (problem->n_domains == 0) {
    c->rows = HYPER_ROWS;
    return STATUS_OK;
  }
  for (int m = 0; m < problem->n_domains; m++) {
    if (c->step->scheme != JET_CHEAPEST) problem->domains[m].jet.scheme = c->step->scheme;
  }
  const JetSpec *jet = &problem->domains[0].jet;
  c->rows = problem_block_rows(&c->setup.network, jet, problem_default_tile(problem)) *
            jet_passes(&c->setup.network, jet);
  return comm_agree(c->comm, problem_objective(problem, &c->setup.objective));
}

/* Elements of a layer's input (or output), and of all that gemm[thread] holds. */
static size_t layer_elements(const Case *c) {
  return (size_t)c->rows * (size_t)c->setup.network.spec.width;
}

static size_t gemm_elements(const Case *c) {
  size_t width = (size_t)c->setup.network.spec.width;
  return 2 * layer_elements(c) + width * width;
}

static Status create_buffers(Case *c, int rounds) {
  size_t threads = (size_t)c->threads;
  TRY(memory_allocate(&c->theta, c->setup.objective.n_parameters, sizeof(real), "weights"));
  TRY(memory_allocate(&c->gemm, threads, sizeof *c->gemm, "threads"));
  for (size_t t = 0; t < threads; t++) {
    TRY(memory_allocate(&c->gemm[t], gemm_elements(c), sizeof(real), "matrices"));
    for (size_t i = 0; i < gemm_elements(c); i++) c->gemm[t][i] = (real)(i % 7) / 8;
  }
  for (Part part = 0; part < N_PARTS; part++) {
    TRY(memory_allocate(&c->seconds[part], (size_t)rounds, sizeof(double), "times"));
  }
  TRY(memory_allocate(&c->summing, (size_t)rounds, sizeof(double), "times"));
  return memory_allocate(&c->optimising, (size_t)rounds, sizeof(double), "times");
}

/* Collective. */
static Status create_case(Case *c, int rounds) {
  TRY(create_problem(c));
  Status status = create_buffers(c, rounds);
  if (status == STATUS_OK) status = trainer_optimizer(&c->setup, &c->optimizer);
  TRY(comm_agree(c->comm, status));
  TRY(trainer_weights(&c->setup, c->theta));
  TRY(evaluation_create(c->comm, &c->setup.objective, c->threads, &c->evaluation));
  evaluation_serve(c->evaluation, c->optimizer);
  return STATUS_OK;
}

static void destroy_case(Case *c) {
  evaluation_destroy(c->evaluation);
  optimizer_destroy(c->optimizer);
  for (int t = 0; t < c->threads; t++) {
    if (c->gemm) free(c->gemm[t]);
  }
  free(c->gemm);
  free(c->theta);
  for (Part part = 0; part < N_PARTS; part++) free(c->seconds[part]);
  free(c->summing);
  free(c->optimising);
  suite_destroy(&c->setup);
  config_destroy(c->config);
}

/* ---- Timing ---- */

static void product(const Case *c, Part part, real *memory) {
  int n = c->setup.network.spec.width, m = c->rows;
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
  double n = c->setup.network.spec.width;
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

static Status evaluate(void *context, const real *theta, double *loss, real *gradient) {
  Case *c = context;
  double begin = progress_clock();
  double terms[OBJECTIVE_MAX_TERMS];
  Status status = evaluation_run(c->evaluation, 0, theta, gradient, terms, NULL);
  if (status == STATUS_OK) *loss = objective_total(&c->setup.objective, terms);
  c->evaluating = progress_clock() - begin;
  return status;
}

/* Seconds spent so far on summing: adding tiles, then over threads and ranks, then decoding, and
 * bringing the ranks' parts together. */
static double summing(const Case *c) {
  EvaluationTimes times = evaluation_times(c->evaluation);
  return times.adding + times.sum_threads + times.sum_ranks + times.decode + times.share;
}

/* Collective. */
static Status time_part(Case *c, Part part, int round) {
  double times[3] = {0}, begin = progress_clock(), before = summing(c);
  comm_barrier(c->comm);
  if (part == STEP) {
    double loss;
    begin = progress_clock();
    TRY(optimizer_step(c->optimizer, 1e-4, c->theta, evaluate, c, &loss));
    times[1] = progress_clock() - begin - c->evaluating;
    evaluation_share(c->evaluation, c->theta);
    times[0] = progress_clock() - begin;
    times[2] = summing(c) - before;
  } else {
    times[0] = time_products(c, part);
  }
  comm_max_double(c->comm, times, 3);
  c->seconds[part][round] = times[0];
  if (part == STEP) {
    c->optimising[round] = times[1];
    c->summing[round] = times[2];
  }
  return STATUS_OK;
}

/* Collective. One round that does not count warms caches, clocks and the exact sums' scales. */
static Status run_rounds(Case *cases, int n, int rounds) {
  const int all = n * N_PARTS;
  for (int round = -1; round < rounds; round++) {
    for (int i = 0; i < all; i++) {
      int k = (i + (round > 0 ? round : 0)) % all;
      TRY(time_part(&cases[k / N_PARTS], (Part)(k % N_PARTS), round > 0 ? round : 0));
    }
  }
  return STATUS_OK;
}

/* ---- Results ---- */

static int64_t samples_of(const Case *c) {
  int64_t samples = 0;
  if (c->setup.problem.n_domains == 0) return config_int(c->config, "train.samples");
  for (int m = 0; m < c->setup.problem.n_domains; m++) {
    samples += c->setup.problem.domains[m].samples;
  }
  return samples;
}

typedef struct {
  double gemm[6], sgemm, own; /* GFLOP/s of all threads and ranks: each part, a layer's three */
  double ms, gflops, of_gemm;
  double exact_share, optimiser_ms, workspace_mb;
} Figures;

static double step_flops(const Case *c) {
  const ExperimentFunctions *functions = c->setup.experiment->functions;
  return functions->step_flops ? functions->step_flops(&c->setup)
                               : problem_flops(&c->setup.problem);
}

static Figures figures_of(Case *c, int rounds) {
  Figures f = {0};
  double n = c->setup.network.spec.width, workers = (double)c->threads * comm_size(c->comm),
         all[2] = {0};
  double flops = 2e-9 * n * n * c->rows * workers;
  for (int i = 0; i < STEP; i++) {
    double seconds = median_of(c->seconds[i], rounds);
    f.gemm[i] = flops / seconds;
    all[i / PRODUCT] += seconds;
  }
  double step = median_of(c->seconds[STEP], rounds);
  f.sgemm = 3 * flops / all[0];
  f.own = 3 * flops / all[1];
  f.ms = 1e3 * step;
  f.gflops = 1e-9 * step_flops(c) / step;
  f.of_gemm = f.gflops / f.sgemm;
  f.exact_share = median_of(c->summing, rounds) / step;
  f.optimiser_ms = 1e3 * median_of(c->optimising, rounds);
  const Objective *objective = &c->setup.objective;
  f.workspace_mb = 1e-6 * (double)(objective->workspace_bytes(objective) * (size_t)c->threads);
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

static void print_table(const Case *cases, const Figures *figures, int n, double memory, int rounds,
                        FILE *out) {
  fprintf(out,
          "%s on %s, %d rank(s) x %d thread(s), " REAL_NAME
          ", medians of %d rounds\n\n"
          "%-15s %8s %7s %7s %7s %9s %9s %7s %7s %9s\n",
          linalg_library(), comm_host(), comm_size(cases->comm), cases->threads, rounds, "GFLOP/s",
          "rows", "forward", "input", "weight", "sgemm", "forward", "input", "weight", "own");
  for (int i = 0; i < n; i++) {
    const Figures *f = &figures[i];
    fprintf(out, "%-15s %8d %7.1f %7.1f %7.1f %9.1f %9.1f %7.1f %7.1f %9.1f\n", cases[i].step->name,
            cases[i].rows, f->gemm[0], f->gemm[1], f->gemm[2], f->sgemm, f->gemm[3], f->gemm[4],
            f->gemm[5], f->own);
  }
  fprintf(out, "\n%-15s %8s %10s %10s %10s %10s %10s %10s\n", "steps", "samples", "ms", "GFLOP/s",
          "of sgemm", "exact sum", "Adam ms", "work MB");
  for (int i = 0; i < n; i++) {
    const Figures *f = &figures[i];
    fprintf(out, "%-15s %8lld %10.2f %10.1f %9.1f%% %9.2f%% %10.3f %10.1f\n", cases[i].step->name,
            (long long)samples_of(&cases[i]), f->ms, f->gflops, 100 * f->of_gemm,
            100 * f->exact_share, f->optimiser_ms, f->workspace_mb);
  }
  fprintf(out, "\npeak memory of a rank: %.1f MB\n", memory);
}

static json_t *case_json(const Case *c, const Figures *f) {
  return json_pack("{s:s, s:I, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "name",
                   c->step->name, "samples", (json_int_t)samples_of(c), "gemm_rows", c->rows,
                   "sgemm_forward_gflops", f->gemm[0], "sgemm_input_gflops", f->gemm[1],
                   "sgemm_weight_gflops", f->gemm[2], "sgemm_gflops", f->sgemm, "own_gflops",
                   f->own, "step_ms", f->ms, "step_gflops", f->gflops, "step_of_sgemm", f->of_gemm,
                   "exact_sum_share", f->exact_share, "optimizer_ms", f->optimiser_ms,
                   "workspace_mb", f->workspace_mb);
}

static void print_json(const Case *cases, const Figures *figures, int n, double memory, int rounds,
                       FILE *out) {
  json_t *list = json_array();
  for (int i = 0; i < n; i++) json_array_append_new(list, case_json(&cases[i], &figures[i]));
  json_t *all =
      json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:f, s:o}", "blas", linalg_library(), "host",
                comm_host(), "arithmetic", REAL_NAME, "ranks", comm_size(cases->comm), "threads",
                cases->threads, "rounds", rounds, "peak_memory_mb", memory, "steps", list);
  json_dumpf(all, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
  fputc('\n', out);
  json_decref(all);
}

/* The row of that name, or all that are not large; returns how many. */
static int choose(const char *name, const StepRow *chosen[N_STEPS]) {
  int n = 0;
  for (int i = 0; i < N_STEPS; i++) {
    if (name ? !strcmp(steps[i].name, name) : !steps[i].large) chosen[n++] = &steps[i];
  }
  return n;
}

static Status fail_name(const char *name) {
  char known[512] = "";
  for (int i = 0; i < N_STEPS; i++) {
    snprintf(known + strlen(known), sizeof known - strlen(known), " %s", steps[i].name);
  }
  return status_fail(STATUS_USAGE, "step=%s: there is no such step; known are:%s", name, known);
}

Status bench_run(const Comm *comm, const BenchSettings *settings, FILE *out) {
  Case cases[N_STEPS];
  const StepRow *chosen[N_STEPS];
  int n = choose(settings->step, chosen);
  if (n == 0) return fail_name(settings->step);
  Status status = STATUS_OK;
  memset(cases, 0, sizeof cases);
  for (int i = 0; i < n; i++) {
    cases[i].comm = comm;
    cases[i].threads = settings->threads;
    cases[i].step = chosen[i];
    if (status == STATUS_OK) status = create_case(&cases[i], settings->rounds);
  }
  if (status == STATUS_OK) status = run_rounds(cases, n, settings->rounds);
  if (status == STATUS_OK) {
    Figures figures[N_STEPS];
    double memory = peak_memory(comm);
    for (int i = 0; i < n; i++) figures[i] = figures_of(&cases[i], settings->rounds);
    (settings->json ? print_json : print_table)(cases, figures, n, memory, settings->rounds, out);
  }
  for (int i = 0; i < n; i++) destroy_case(&cases[i]);
  return status;
}
