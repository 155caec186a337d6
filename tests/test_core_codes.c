/* Codes that are parameters: a table of the training's images, and the search for those of others.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/encoding.h"
#include "hyper/hyper.h"

enum { ROWS = 5, COLUMNS = 4, PIXELS = ROWS * COLUMNS, IMAGES = 3, ITEMS = 7, CODE = 4 };

typedef struct {
  Network hypo;
  Hyper *hyper;
  real *theta;
} Fixture;

/* Items 5, 2 and 5. */
static const int64_t drawn[IMAGES] = {5, 2, 5};

static void draw(const void *source, uint64_t step, int64_t first, int count, real *pixels,
                 uint8_t *known, int64_t *item) {
  (void)source, (void)step;
  for (int i = 0; i < count; i++) item[i] = drawn[first + i];
  for (int i = 0; i < count * PIXELS; i++) {
    pixels[i] = (real)sin(0.3 * (i + (double)first));
    known[i] = 1;
  }
}

static Fixture create(void) {
  static Fixture f;
  NetworkSpec network = {.in = 2,
                         .out = 1,
                         .width = 8,
                         .layers = 1,
                         .activation = activation_find("sine"),
                         .encoding = encoding_find("none"),
                         .centres = 1,
                         .rbf_sigma = 1,
                         .omega_first = 3,
                         .omega_hidden = 3,
                         .weight_init = "official",
                         .bias_init = "torch"};
  assert_int_equal(network_create(&network, &f.hypo), STATUS_OK);
  HyperSpec spec = {.encoder = encoder_find("table"),
                    .generator = generator_find("hypernetwork"),
                    .encoding = {ROWS, COLUMNS, 1, 0, 0, CODE, ITEMS},
                    .generator_width = 8,
                    .generator_layers = 1,
                    .hypo = &f.hypo,
                    .images = IMAGES,
                    .tile = IMAGES,
                    .theta_weight = 0.1,
                    .draw = draw};
  assert_int_equal(hyper_create(&spec, &f.hyper), STATUS_OK);
  f.theta = calloc(hyper_parameters(f.hyper)->size, sizeof *f.theta);
  hyper_init(f.hyper, 1, f.theta);
  /* Codes that tell images apart, and weights that hear of them. */
  for (size_t i = 0; i < hyper_parameters(f.hyper)->size; i++) {
    f.theta[i] *= i < ITEMS * CODE ? 50 : 1;
  }
  return f;
}

static void destroy(Fixture *f) {
  hyper_destroy(f->hyper);
  free(f->theta);
}

/* Only codes of images that a step sees have a gradient, and an image that comes twice has both. */
static void test_gradient(void **state) {
  (void)state;
  Fixture f = create();
  Objective o;
  hyper_objective(f.hyper, &o);
  void *workspace = NULL;
  assert_int_equal(o.workspace_create(&o, &workspace), STATUS_OK);
  real *gradient = calloc(o.n_parameters, sizeof *gradient);
  OuterFactors outer = {calloc(IMAGES * o.outer.u_size, sizeof(real)),
                        calloc(IMAGES * o.outer.v_size, sizeof(real))};
  double terms[OBJECTIVE_MAX_TERMS], loss[2];
  o.tile(&o, 0, 0, f.theta, gradient, terms, &outer, workspace);
  for (int item = 0; item < ITEMS; item++) {
    double norm = 0;
    for (int j = 0; j < CODE; j++) norm += fabs((double)gradient[item * CODE + j]);
    assert_true((norm > 0) == (item == 2 || item == 5));
  }
  const double h = REAL_IS_DOUBLE ? 1e-6 : 3e-3;
  for (int k = 0; k < 2; k++) {
    f.theta[5 * CODE + 1] += (real)(k ? -2 * h : h);
    o.tile(&o, 0, 0, f.theta, NULL, terms, NULL, workspace);
    loss[k] = objective_total(&o, terms);
  }
  double slope = (loss[0] - loss[1]) / (2 * h), got = (double)gradient[5 * CODE + 1];
  assert_true(fabs(slope - got) < (REAL_IS_DOUBLE ? 1e-7 : 3e-2) * fabs(got));
  o.workspace_destroy(workspace);
  free(gradient);
  free(outer.u);
  free(outer.v);
  destroy(&f);
}

static double distance(const real *a, const real *b) {
  double sum = 0;
  for (int i = 0; i < PIXELS; i++) sum += pow((double)a[i] - (double)b[i], 2);
  return sqrt(sum / PIXELS);
}

/* An image that some code makes is found again, from half of its pixels. */
static void test_search(void **state) {
  (void)state;
  Fixture f = create();
  HyperUse *use;
  assert_int_equal(hyper_use_create(f.hyper, 1, &use), STATUS_OK);
  real *weights = calloc(hyper_stride(f.hyper), sizeof *weights);
  real code[CODE], grid[2 * PIXELS], truth[PIXELS], shown[PIXELS], found[PIXELS];
  uint8_t known[PIXELS];
  hyper_grid(ROWS, COLUMNS, 1, grid);
  hyper_generate(use, f.theta, 1, f.theta + 3 * CODE, weights);
  hyper_render(use, weights, PIXELS, grid, truth);
  for (int i = 0; i < PIXELS; i++) {
    known[i] = i % 2 == 0;
    shown[i] = known[i] ? truth[i] : (real)NAN; /* nobody looks there */
  }
  const Context context = {1, ROWS, COLUMNS, 1, shown, known, NULL};
  double error[2];
  for (int k = 0; k < 2; k++) {
    const HyperSearch search = {k ? 2000 : 1, 0.02};
    hyper_encode(use, f.theta, &context, &search, code);
    hyper_generate(use, f.theta, 1, code, weights);
    hyper_render(use, weights, PIXELS, grid, found);
    error[k] = distance(found, truth);
  }
  assert_true(error[1] < 0.1 * error[0]);
  hyper_use_destroy(use);
  free(weights);
  destroy(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradient),
      cmocka_unit_test(test_search),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
