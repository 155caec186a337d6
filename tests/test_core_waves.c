/* The equations of waves against an independent reference: golden/waves.h5 holds what
 * golden/waves.py computed in float64 from the paper's formulas (its layout is described there).
 * The experiments are set up as a run does it, with the options that stand in the file; their own
 * points, terms, residuals and objective are looked at. */
#include <math.h>
#include <string.h>

#include "core/problem_parts.h"
#include "experiments/suite.h"
#include "tests/golden_file.h"
#include "tests/mpi_check.h"
#include "tests/wave_fixture.h"

#define FILE_NAME TEST_DATA "/../golden/waves.h5"

/* Largest difference over largest reference value of an array. */
static const double tolerance = REAL_IS_DOUBLE ? 1e-10 : 1e-5;

typedef struct {
  char name[64];
  hid_t group, points; /* of these, in this precision */
  Config *config;
  Setup setup;
  const Domain *domain;
  real *theta;
  uint64_t step;
  size_t rows;
  DomainBuffers one; /* for blocks of one row */
} Case;

/* ---- Cases ---- */

static Config *configure(hid_t group) {
  char experiment[32], text[1024], options[2048];
  golden_text(group, ".", "experiment", experiment, sizeof experiment);
  golden_text(group, ".", "overrides", text, sizeof text);
  snprintf(options, sizeof options, "data.file=" FILE_NAME " %s", text);
  return wave_config(experiment, options);
}

static void load(hid_t cases, Case *c) {
  c->group = H5Gopen2(cases, c->name, H5P_DEFAULT);
  c->points = H5Gopen2(c->group, REAL_IS_DOUBLE ? "double" : "float", H5P_DEFAULT);
  assert_true(c->group >= 0 && c->points >= 0);
  c->config = configure(c->group);
  if (suite_setup(world, c->config, 1, &c->setup) != STATUS_OK) {
    fail_msg("%s: %s", c->name, status_message());
  }
  c->theta = golden_theta(c->group, &c->setup.network);
  c->step = (uint64_t)golden_number(c->group, ".", "step");
  c->rows = golden_rows(c->points, "x");
  c->domain = &c->setup.problem.domains[0];
  assert_int_equal(c->setup.problem.n_domains, 1);
  assert_int_equal(c->domain->samples, c->rows);
  Status status = buffers_create(&c->setup.problem, c->domain, &c->domain->jet, 1, &c->one);
  assert_int_equal(status, STATUS_OK);
}

static void unload(Case *c) {
  buffers_destroy(&c->one);
  free(c->theta);
  suite_destroy(&c->setup);
  config_destroy(c->config);
  H5Gclose(c->points);
  H5Gclose(c->group);
}

static void for_each_case(void (*check)(Case *c)) {
  hid_t file = H5Fopen(FILE_NAME, H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t cases = H5Gopen2(file, "cases", H5P_DEFAULT);
  H5G_info_t info;
  assert_true(file >= 0 && cases >= 0 && H5Gget_info(cases, &info) >= 0);
  assert_true(info.nlinks >= 10);
  golden_worst = 0;
  for (hsize_t k = 0; k < info.nlinks; k++) {
    Case c = {0};
    assert_true(H5Lget_name_by_idx(cases, ".", H5_INDEX_NAME, H5_ITER_INC, k, c.name, sizeof c.name,
                                   H5P_DEFAULT) > 0);
    load(cases, &c);
    check(&c);
    unload(&c);
  }
  print_message("%d cases, worst error %.1e of the tolerance: %s\n", (int)info.nlinks, golden_worst,
                golden_worst_at);
  H5Gclose(cases);
  H5Fclose(file);
}

/* Draws a row and evaluates the network there. */
static TermBlock block_of(Case *c, size_t row) {
  buffers_draw(&c->setup.problem, c->domain, &c->one, c->step, (int64_t)row, 1);
  const real *y = jet_forward(c->one.jet, c->theta, c->one.x, c->one.weights);
  buffers_clear(&c->setup.problem, c->domain, &c->one);
  return buffers_view(&c->setup.problem, c->domain, &c->one, 1, y, true);
}

/* ---- Points and losses ---- */

static void check_points(Case *c) {
  size_t in = (size_t)c->setup.network.spec.in;
  double *x = golden_array(c->points, "x", c->rows * in);
  for (size_t row = 0; row < c->rows; row++) {
    block_of(c, row);
    for (size_t i = 0; i < in; i++) {
      double got = (double)c->one.x[i], wanted = x[row * in + i];
      if (fabs(got - wanted) > (REAL_IS_DOUBLE ? 1e-13 : 0)) {
        fail_msg("%s: point %zu, coordinate %zu: %.17g is not %.17g", c->name, row, i, got, wanted);
      }
    }
  }
  free(x);
}

static void test_points(void **state) {
  (void)state;
  for_each_case(check_points);
}

/* What every point adds to every term: an array for each. */
static void check_row_terms(Case *c) {
  size_t terms = (size_t)c->domain->n_terms;
  double *wanted = golden_array(c->points, "row_terms", terms * c->rows);
  real *got = malloc(c->rows * sizeof *got);
  for (size_t t = 0; t < terms; t++) {
    const Term *term = &c->domain->terms[t];
    for (size_t row = 0; row < c->rows; row++) {
      TermBlock block = block_of(c, row);
      got[row] = (real)term->function(&block, term->weight, term->settings);
    }
    golden_check(c->name, term->name, c->rows, got, wanted + t * c->rows, tolerance);
  }
  free(got);
  free(wanted);
}

static void test_row_terms(void **state) {
  (void)state;
  for_each_case(check_row_terms);
}

/* The objective that is trained on, tile by tile. */
static void check_objective(Case *c) {
  const Objective *o = &c->setup.objective;
  size_t n = o->n_parameters;
  void *workspace;
  double loss = 0, terms[OBJECTIVE_MAX_TERMS], *sum = calloc(n, sizeof *sum);
  real *gradient = malloc(n * sizeof *gradient);
  assert_int_equal(o->workspace_create(o, &workspace), STATUS_OK);
  assert_true(o->tiles(o, c->step) > 1);
  for (int64_t k = 0; k < o->tiles(o, c->step); k++) {
    o->tile(o, c->step, k, c->theta, gradient, terms, NULL, workspace);
    loss += objective_total(o, terms);
    for (size_t i = 0; i < n; i++) sum[i] += (double)gradient[i];
  }
  for (size_t i = 0; i < n; i++) gradient[i] = (real)sum[i];
  double *wanted = golden_array(c->points, "gradient", n);
  double wanted_loss = golden_number(c->points, "gradient", "loss");
  if (!(fabs(loss - wanted_loss) <= tolerance * wanted_loss)) {
    fail_msg("%s: the loss is %.17g instead of %.17g", c->name, loss, wanted_loss);
  }
  golden_check_tensors(c->name, &c->setup.network, gradient, wanted, tolerance);
  o->workspace_destroy(workspace);
  free(wanted);
  free(gradient);
  free(sum);
}

static void test_objectives(void **state) {
  (void)state;
  for_each_case(check_objective);
}

/* ---- Residuals of sums of squares ---- */

typedef struct {
  double *wanted, *active, *coefficients; /* [residuals][rows], from the file */
  real *got, *mixed;
} Residuals;

/* One residual of one point; adds its derivative times its coefficient to `mixed`. */
static void take_residual(Case *c, int which, size_t row, Residuals *r) {
  const Domain *domain = c->domain;
  size_t at = (size_t)which * c->rows + row;
  TermBlock block = block_of(c, row);
  double value;
  bool active;
  domain->residuals(&block, which, domain->residual_settings, &value, &active);
  if (active != (r->active[at] != 0)) fail_msg("%s: residual %d, %zu", c->name, which, row);
  r->got[at] = (real)value;
  int streams = jet_streams(&domain->jet, c->setup.network.spec.in);
  for (int i = 0; i < streams * block.out; i++) {
    c->one.bar[i] = (real)((double)c->one.bar[i] * r->coefficients[at]);
  }
  jet_reverse(c->one.jet, c->theta, c->one.x, c->one.weights, c->one.bar, r->mixed, true);
}

static void check_residuals(Case *c) {
  size_t n = (size_t)c->domain->n_residuals * c->rows, parameters = c->setup.network.n_parameters;
  if (n == 0) return;
  Residuals r = {.wanted = golden_array(c->points, "residuals", n),
                 .active = golden_array(c->points, "active", n),
                 .coefficients = golden_array(c->points, "coefficients", n),
                 .got = malloc(n * sizeof(real)),
                 .mixed = calloc(parameters, sizeof(real))};
  double *mixed = golden_array(c->points, "mixed", parameters);
  for (int which = 0; which < c->domain->n_residuals; which++) {
    char what[32];
    for (size_t row = 0; row < c->rows; row++) take_residual(c, which, row, &r);
    snprintf(what, sizeof what, "residual %d", which);
    size_t first = (size_t)which * c->rows;
    golden_check(c->name, what, c->rows, r.got + first, r.wanted + first, tolerance);
  }
  golden_check_tensors(c->name, &c->setup.network, r.mixed, mixed, tolerance);
  free(mixed);
  free(r.wanted);
  free(r.active);
  free(r.coefficients);
  free(r.got);
  free(r.mixed);
}

static void test_residuals(void **state) {
  (void)state;
  for_each_case(check_residuals);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_points),
      cmocka_unit_test(test_row_terms),
      cmocka_unit_test(test_objectives),
      cmocka_unit_test(test_residuals),
  };
  mpi_check_main(argc, argv, tests);
}
