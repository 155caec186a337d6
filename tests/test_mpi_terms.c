/* What experiments supervise derivatives with: loss terms, weights and targets of `sdf` and
 * `poisson`, against values worked by hand from paper.md 2.1 and 5.1. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "experiments/suite.h"
#include "experiments/target.h"
#include "tests/mpi_check.h"

typedef struct {
  Config *config;
  Setup setup;
} Made;

static void make(Made *made, const char *experiment, const char *extra) {
  char name[64];
  snprintf(name, sizeof name, "experiment=%s", experiment);
  const char *overrides[] = {name, "network.width=8", "network.layers=1", extra};
  assert_all(config_parse("test", "{}", 2, 4, overrides, &made->config) == STATUS_OK);
  assert_all(suite_setup(world, made->config, 1, &made->setup) == STATUS_OK);
}

static void unmake(Made *made) {
  suite_destroy(&made->setup);
  config_destroy(made->config);
}

static const Term *find_term(const Problem *problem, const char *name) {
  for (int m = 0; m < problem->n_domains; m++) {
    for (int t = 0; t < problem->domains[m].n_terms; t++) {
      const Term *term = &problem->domains[m].terms[t];
      if (!strcmp(term->name, name)) return term;
    }
  }
  return NULL;
}

static bool near(double a, double b) {
  return fabs(a - b) <= 1e-5 * fmax(1, fabs(b));
}

/* ---- Signed distances ---- */

/* Gradients (3, 4, 0), (0, 0, 1), (0, 0, 0) with the normals (0, 0, 1), (0, 0, 1), (1, 0, 0). */
static real value[] = {REAL(0.5), REAL(-0.01), 0};
static real slope[3][3] = {{3, 0, 0}, {4, 0, 0}, {0, 1, 0}};
static const real normals[] = {0, 0, 1, 0, 0, 1, 1, 0, 0};

static TermBlock surface_block(void) {
  TermBlock block = {
      .rows = 3, .in = 3, .out = 1, .data_width = 3, .data = normals, .value = value};
  for (int i = 0; i < 3; i++) block.first[i] = slope[i];
  return block;
}

static void test_terms_of_signed_distances(void **state) {
  (void)state;
  Made made = {0};
  make(&made, "sdf", "train.samples=100");
  TermBlock block = surface_block();
  const struct {
    const char *name;
    double weight, sum; /* half of the paper's weight: half of the points have the term */
  } terms[] = {
      {"sdf", 3000 / 2, 0.5 + 0.01 + 0},          {"normal", 100 / 2, 1 + 0 + 1},
      {"eikonal_on", 50 / 2, 4 + 0 + 1},          {"eikonal_off", 50 / 2, 4 + 0 + 1},
      {"inter", 100 / 2, exp(-50) + exp(-1) + 1},
  };
  for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
    const Term *term = find_term(&made.setup.problem, terms[i].name);
    assert_all(term != NULL);
    assert_all(near(term->weight, terms[i].weight));
    assert_all(near(term->function(&block, 1, term->settings), terms[i].sum));
  }
  unmake(&made);
}

static void test_weights_follow_the_numbers_of_points(void **state) {
  (void)state;
  Made made = {0};
  make(&made, "sdf", "sdf.space_samples=61440");
  const Problem *problem = &made.setup.problem;
  double on = (double)problem->domains[0].samples, off = (double)problem->domains[1].samples;
  assert_all(off == 61440);
  assert_all(near(find_term(problem, "sdf")->weight, 3000 * on / (on + off)));
  assert_all(near(find_term(problem, "inter")->weight, 100 * off / (on + off)));
  unmake(&made);
}

static void test_product_of_the_paper(void **state) {
  (void)state;
  Made made = {0};
  make(&made, "sdf", "sdf.normal_term=product");
  TermBlock block = surface_block();
  const Term *term = find_term(&made.setup.problem, "normal");
  assert_all(near(term->function(&block, 1, term->settings), 1 + 0 + 1));
  slope[2][0] = 7; /* the cosine would be 7 / sqrt(74) */
  assert_all(near(term->function(&block, 1, term->settings), -6 + 0 + 1));
  slope[2][0] = 0;
  unmake(&made);
}

/* ---- Images from derivatives ---- */

enum { SIDE = 12 };

static double pixel(const Target *f, int row, int column) {
  return (double)f->values[row * f->width + column];
}

/* One inner pixel's data: derivatives, then the image. */
static void draw_pixel(const Made *made, int row, int column, real data[3]) {
  const Domain *domain = &made->setup.problem.domains[0];
  real x[2];
  domain->draw(domain->source, 0, row * SIDE + column, 1, x, data, NULL);
  assert_all(near((double)x[0], 2.0 * row / (SIDE - 1) - 1));
  assert_all(near((double)x[1], 2.0 * column / (SIDE - 1) - 1));
}

static void read_image(const Made *made, Target *f) {
  assert_all(target_read(made->config, "", f) == STATUS_OK);
  assert_all(f->height == SIDE && f->width == SIDE && f->channels == 1);
}

/* The released code: Sobel with a smoothing factor of 4 too many, of ten times the image. */
static void test_gradients_have_the_released_factor(void **state) {
  (void)state;
  Made made = {0};
  Target f;
  make(&made, "poisson", "data.size=12");
  read_image(&made, &f);
  for (int row = 1; row < SIDE - 1; row++) {
    for (int column = 1; column < SIDE - 1; column++) {
      double down = 0, right = 0;
      for (int k = -1; k <= 1; k++) {
        double smooth = 10 * 4 * (2 - abs(k));
        down += smooth * (pixel(&f, row + 1, column + k) - pixel(&f, row - 1, column + k));
        right += smooth * (pixel(&f, row + k, column + 1) - pixel(&f, row + k, column - 1));
      }
      real data[3];
      draw_pixel(&made, row, column, data);
      assert_all(near((double)data[0], down) && near((double)data[1], right));
      assert_all(near((double)data[2], pixel(&f, row, column)));
    }
  }
  target_destroy(&f);
  unmake(&made);
}

static void test_laplacian_has_the_released_factor(void **state) {
  (void)state;
  Made made = {0};
  Target f;
  const char *overrides[] = {"experiment=poisson", "data.size=12", "network.width=8",
                             "poisson.supervision=laplacian"};
  assert_all(config_parse("test", "{}", 2, 4, overrides, &made.config) == STATUS_OK);
  assert_all(suite_setup(world, made.config, 1, &made.setup) == STATUS_OK);
  read_image(&made, &f);
  for (int row = 1; row < SIDE - 1; row++) {
    int column = SIDE - 1 - row;
    double sum = pixel(&f, row + 1, column) + pixel(&f, row - 1, column) +
                 pixel(&f, row, column + 1) + pixel(&f, row, column - 1) -
                 4 * pixel(&f, row, column);
    real data[3];
    draw_pixel(&made, row, column, data);
    assert_all(fabs((double)data[0] - 1e4 * sum) < 0.05); /* float differences of order 1 */
  }
  target_destroy(&f);
  unmake(&made);
}

static void test_norm_of_the_paper(void **state) {
  (void)state;
  Made made = {0};
  make(&made, "poisson", "poisson.loss=norm");
  const real zero[] = {0, 0, 0, 0, 0, 0, 0, 0, 0};
  TermBlock block = {.rows = 2, .in = 2, .out = 1, .data_width = 3, .data = zero, .value = value};
  for (int i = 0; i < 2; i++) block.first[i] = slope[i];
  const Term *term = find_term(&made.setup.problem, "gradient");
  assert_all(near(term->function(&block, 1, term->settings), 5));
  unmake(&made);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_terms_of_signed_distances),
      cmocka_unit_test(test_weights_follow_the_numbers_of_points),
      cmocka_unit_test(test_product_of_the_paper),
      cmocka_unit_test(test_gradients_have_the_released_factor),
      cmocka_unit_test(test_laplacian_has_the_released_factor),
      cmocka_unit_test(test_norm_of_the_paper),
  };
  mpi_check_main(argc, argv, tests);
}
