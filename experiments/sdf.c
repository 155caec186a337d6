/* A signed distance function from oriented points (Sitzmann et al. 2020, section 4.3, Fig. 4;
 * paper.md section 5): Phi: (x, y, z) -> distance, negative inside. With N_on points of the surface
 * and N_off points of the box [-1, 1]^3, drawn anew in every step,
 *
 *     L = 1 / (N_on + N_off) * (   3e3 sum_on  |Phi|
 *                                + 1e2 sum_off exp(-100 |Phi|)
 *                                + 1e2 sum_on  (1 - <grad Phi, n> / |grad Phi|)
 *                                + 5e1 sum_all | |grad Phi| - 1 | ).
 *
 * The terms are logged as means over the points that have them. No point knows whether it is inside
 * or outside: the sign comes from the normals n. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "experiments/shape_report.h"
#include "experiments/suite.h"
#include "experiments/zero_set.h"

typedef struct {
  ZeroSet set;
  uint64_t seed;
  double sharpness; /* alpha of exp(-alpha |Phi|) */
} Sdf;

/* ---- The terms ---- */

static double sign(double x) {
  return (x > 0) - (x < 0);
}

/* |Phi| */
static double distance(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  double sum = 0;
  for (int r = 0; r < block->rows; r++) {
    double phi = (double)block->value[r];
    sum += fabs(phi);
    if (block->value_bar) block->value_bar[r] += (real)(factor * sign(phi));
  }
  return sum;
}

/* exp(-alpha |Phi|) */
static double nearness(const TermBlock *block, double factor, const void *settings) {
  double alpha = *(const double *)settings, sum = 0;
  for (int r = 0; r < block->rows; r++) {
    double phi = (double)block->value[r], e = exp(-alpha * fabs(phi));
    sum += e;
    if (block->value_bar) block->value_bar[r] += (real)(-factor * alpha * sign(phi) * e);
  }
  return sum;
}

static double norm(const TermBlock *block, int row, double g[3]) {
  for (int i = 0; i < 3; i++) g[i] = (double)block->first[i][row];
  return sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
}

static double dot(const double g[3], const real *n) {
  return g[0] * (double)n[0] + g[1] * (double)n[1] + g[2] * (double)n[2];
}

/* 1 - cos(grad Phi, n), with the released code's guard against gradients of no length. */
static double normal_cosine(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  double sum = 0, g[3];
  for (int r = 0; r < block->rows; r++) {
    const real *n = block->data + 3 * r;
    double length = fmax(norm(block, r, g), 1e-8), cosine = dot(g, n) / length;
    sum += 1 - cosine;
    for (int i = 0; i < 3 && block->first_bar[i]; i++) {
      block->first_bar[i][r] -= (real)(factor * ((double)n[i] - cosine * g[i] / length) / length);
    }
  }
  return sum;
}

/* 1 - <grad Phi, n>, as the paper writes it. */
static double normal_product(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  double sum = 0, g[3];
  for (int r = 0; r < block->rows; r++) {
    const real *n = block->data + 3 * r;
    norm(block, r, g);
    sum += 1 - dot(g, n);
    for (int i = 0; i < 3 && block->first_bar[i]; i++) {
      block->first_bar[i][r] -= (real)(factor * (double)n[i]);
    }
  }
  return sum;
}

/* | |grad Phi| - 1 | */
static double eikonal(const TermBlock *block, double factor, const void *settings) {
  (void)settings;
  double sum = 0, g[3];
  for (int r = 0; r < block->rows; r++) {
    double length = norm(block, r, g);
    sum += fabs(length - 1);
    if (length == 0) continue; /* no direction to grow in */
    for (int i = 0; i < 3 && block->first_bar[i]; i++) {
      block->first_bar[i][r] += (real)(factor * sign(length - 1) * g[i] / length);
    }
  }
  return sum;
}

static const struct {
  const char *name; /* word of sdf.normal_term */
  TermFunction term;
} normal_terms[] = {{"cosine", normal_cosine}, {"product", normal_product}};

static TermFunction normal_term(const Config *config) {
  const char *name = config_text(config, "sdf.normal_term");
  int i = 0;
  while (strcmp(normal_terms[i].name, name)) i++;
  return normal_terms[i].term;
}

/* ---- The problem ---- */

/* Points of the surface, with the normals as data. */
static void draw_surface(const void *source, uint64_t step, int64_t first, int rows, real *x,
                         real *data, real *weights) {
  (void)weights;
  const Sdf *sdf = source;
  RandomStream stream = {sdf->seed, RANDOM_SAMPLE, step};
  for (int r = 0; r < rows; r++) {
    zero_set_draw(&sdf->set, stream, (uint64_t)(first + r), x + 3 * r, data + 3 * r);
  }
}

/* Points of the box [-1, 1]^3. */
static void draw_space(const void *source, uint64_t step, int64_t first, int rows, real *x,
                       real *data, real *weights) {
  (void)data, (void)weights;
  const Sdf *sdf = source;
  RandomStream stream = {sdf->seed, RANDOM_SPACE, step};
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < 3; i++) {
      x[3 * r + i] = (real)(2 * random_uniform(stream, (uint64_t)(first + r), i) - 1);
    }
  }
}

static Status make_problem(const Sdf *sdf, Setup *setup) {
  const Config *config = setup->config;
  int64_t on = config_int(config, "train.samples"), off = config_int(config, "sdf.space_samples");
  if (on == 0) on = sdf->set.shape.n_points;
  if (off == 0) off = on;
  double share_on = (double)on / (double)(on + off), share_off = 1 - share_on;
  double eikonal_weight = config_real(config, "sdf.weight_eikonal");
  setup->problem = (Problem){
      .network = &setup->network,
      .tile = (int)config_int(config, "train.tile"),
      .n_domains = 2,
      .domains = {{.name = "surface",
                   .samples = on,
                   .mean = true,
                   .jet = {.first = true},
                   .data_width = 3,
                   .draw = draw_surface,
                   .source = sdf,
                   .n_terms = 3,
                   .terms = {{"sdf", share_on * config_real(config, "sdf.weight_sdf"), distance,
                              NULL},
                             {"normal", share_on * config_real(config, "sdf.weight_normal"),
                              normal_term(config), NULL},
                             {"eikonal_on", share_on * eikonal_weight, eikonal, NULL}}},
                  {.name = "space",
                   .samples = off,
                   .mean = true,
                   .jet = {.first = true},
                   .draw = draw_space,
                   .source = sdf,
                   .n_terms = 2,
                   .terms = {{"inter", share_off * config_real(config, "sdf.weight_inter"),
                              nearness, &sdf->sharpness},
                             {"eikonal_off", share_off * eikonal_weight, eikonal, NULL}}}},
  };
  return problem_objective(&setup->problem, &setup->objective);
}

/* ---- Setting up ---- */

static Status read_surface(const Setup *setup, ZeroSet *set) {
  const char *file = config_text(setup->config, "data.file");
  Shape shape = {0};
  char warning[512] = "";
  TRY(*file ? shape_read(file, &shape, warning) : shape_sample(&shape));
  if (*warning && comm_rank(setup->comm) == 0) fprintf(stderr, "siren: warning: %s\n", warning);
  return zero_set_create(&shape, *file ? file : "the built-in shape",
                         config_real(setup->config, "sdf.fill"), set);
}

static Status set_up_local(Setup *setup) {
  const Config *config = setup->config;
  Sdf *sdf;
  TRY(memory_allocate(&sdf, 1, sizeof *sdf, "the shape"));
  setup->own = sdf;
  sdf->seed = (uint64_t)config_int(config, "seed");
  sdf->sharpness = config_real(config, "sdf.sharpness");
  TRY(read_surface(setup, &sdf->set));
  TRY(suite_network(config, 3, 1, sdf->set.shape.n_points, &setup->network));
  return make_problem(sdf, setup);
}

static Status set_up(Setup *setup) {
  return comm_agree(setup->comm, set_up_local(setup));
}

static void destroy(Setup *setup) {
  Sdf *sdf = setup->own;
  if (sdf) zero_set_destroy(&sdf->set);
  free(sdf);
}

static double distance_of_terms(const double *terms) {
  return terms[0];
}

static Status evaluate(const Setup *setup, const real *theta, Result *result) {
  const Sdf *sdf = setup->own;
  return shape_report(setup, theta, &sdf->set, result);
}

static Status eval(const Setup *setup, const real *theta, Result *result) {
  const Sdf *sdf = setup->own;
  return shape_eval(setup, theta, &sdf->set, result);
}

static double evaluation_bytes(const Setup *setup, int rank) {
  const Sdf *sdf = setup->own;
  return shape_report_bytes(setup, &sdf->set, rank);
}

const ExperimentFunctions experiment_sdf = {
    .setup = set_up,
    .destroy = destroy,
    .evaluate = evaluate,
    .eval = eval,
    .evaluation_bytes = evaluation_bytes,
    .evaluation_flops = shape_report_flops,
    .metrics =
        (const char *const[]){"chamfer", "truth_to_found", "found_to_truth", "normal_consistency",
                              "orientation", "watertight", "phantom_area", "missing_area",
                              "components", "eikonal", "vertices", "triangles", NULL},
    .headline = {"distance", "1", distance_of_terms},
};
