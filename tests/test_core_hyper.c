/* Hypernetworks against an independent reference: golden/hyper.h5 holds what golden/hyper.py
 * computed in float64 from the paper's formulas (its layout is described there). */
#include "tests/hyper_fixture.h"

/* ---- Tensors ---- */

static void check_tensors(HyperCase *c) {
  const Parameters *parameters = hyper_parameters(c->hyper);
  Objective o;
  hyper_objective(c->hyper, &o);
  size_t at = 0;
  for (int t = 0; t < parameters->n; t++) {
    const Tensor *tensor = &parameters->tensors[t];
    assert_int_equal(tensor->offset, at);
    for (int s = 0; s < t; s++) assert_string_not_equal(tensor->name, parameters->tensors[s].name);
    if (t == o.n_tensors) assert_int_equal(at, objective_dense(&o));
    at += golden_tensor_size(tensor);
  }
  assert_int_equal(at, o.n_parameters);
  bool outer = c->spec.generator == &generator_hypernetwork;
  assert_int_equal(o.outer.n_tensors, outer ? c->hypo.n_tensors : 0);
  assert_int_equal(o.n_tensors + o.outer.n_tensors, parameters->n);
  for (int t = 0; t < o.outer.n_tensors; t++) {
    const Tensor *tensor = &parameters->tensors[o.n_tensors + t];
    assert_int_equal(o.outer.tensors[t].offset, tensor->offset);
    assert_int_equal(o.outer.tensors[t].rows, tensor->rows);
    assert_int_equal(o.outer.tensors[t].cols, tensor->cols);
  }
}

static void test_tensors(void **state) {
  (void)state;
  hyper_case_each(check_tensors);
}

/* ---- What is made of images ---- */

static void check_values(HyperCase *c) {
  size_t images = (size_t)c->spec.images, codes = images * (size_t)c->spec.encoding.code,
         stride = hyper_stride(c->hyper), n = c->hypo.n_parameters,
         numbers = (size_t)c->pixels * (size_t)c->spec.encoding.channels;
  real *code = malloc(codes * sizeof *code), *values = malloc(numbers * sizeof *values),
       *weights = calloc(images * stride, sizeof *weights),
       *grid = malloc(2 * (size_t)c->pixels * sizeof *grid);
  double *wanted_code = golden_array(c->results, "code", codes),
         *wanted_weights = golden_array(c->results, "weights", images * n),
         *wanted_values = golden_array(c->results, "values", images * numbers);
  HyperUse *use;
  assert_int_equal(hyper_use_create(c->hyper, (int)images, &use), STATUS_OK);
  Context context = hyper_case_context(c, (int)images, c->image, c->known);
  hyper_encode(use, c->theta, &context, NULL, code);
  hyper_generate(use, c->theta, (int)images, code, weights);
  hyper_grid(c->spec.encoding.rows, c->spec.encoding.columns, 1, grid);
  golden_check(c->name, "codes", codes, code, wanted_code, hyper_tolerance);
  for (size_t i = 0; i < images; i++) {
    hyper_render(use, weights + i * stride, c->pixels, grid, values);
    golden_check_tensors(c->name, &c->hypo, weights + i * stride, wanted_weights + i * n,
                         hyper_tolerance);
    golden_check(c->name, "values", numbers, values, wanted_values + i * numbers, hyper_tolerance);
  }
  hyper_use_destroy(use);
  void *owned[] = {code, values, weights, grid, wanted_code, wanted_weights, wanted_values};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
}

static void test_values(void **state) {
  (void)state;
  hyper_case_each(check_values);
}

/* ---- The objective ---- */

static void check_terms(const HyperCase *c, const Objective *o, const double *got) {
  static const char *const names[] = {"pixels", "code", "weights"};
  double *wanted = golden_array(c->results, "terms", 3);
  const double weights[] = {1, c->spec.code_weight, c->spec.theta_weight};
  assert_int_equal(o->n_terms, 3);
  for (int t = 0; t < 3; t++) {
    assert_string_equal(o->terms[t].name, names[t]);
    assert_true(o->terms[t].weight == weights[t]);
    if (!(fabs(got[t] - wanted[t]) <= hyper_tolerance * wanted[t])) {
      fail_msg("%s: %s is %.17g instead of %.17g", c->name, names[t], got[t], wanted[t]);
    }
  }
  free(wanted);
}

/* In tiles of one image, of about two, and of all. */
static void check_objective(HyperCase *c) {
  double *wanted = golden_array(c->results, "gradient", c->n);
  for (int tile = 0; tile <= 3; tile++) {
    const Parameters *parameters;
    HyperSpec spec = c->spec;
    Hyper *hyper;
    Objective o;
    spec.tile = tile == 3 ? (int)spec.images : tile;
    assert_int_equal(hyper_create(&spec, &hyper), STATUS_OK);
    parameters = hyper_parameters(hyper);
    hyper_objective(hyper, &o);
    if (tile) assert_int_equal(o.tiles(&o, 0), (spec.images + spec.tile / 2) / spec.tile);
    HyperSum sum = hyper_case_evaluate(&o, c->theta);
    check_terms(c, &o, sum.terms);
    for (int t = 0; t < parameters->n; t++) {
      const Tensor *tensor = &parameters->tensors[t];
      golden_check(c->name, tensor->name, golden_tensor_size(tensor), sum.gradient + tensor->offset,
                   wanted + hyper_case_place(c, tensor->name), hyper_tolerance);
    }
    free(sum.gradient);
    hyper_destroy(hyper);
  }
  free(wanted);
}

static void test_objective(void **state) {
  (void)state;
  hyper_case_each(check_objective);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tensors),
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_objective),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
