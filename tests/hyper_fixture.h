/* Small models of spaces of images from golden/hyper.h5, and their whole gradient. Included by one
 * file per program. */
#ifndef TESTS_HYPER_FIXTURE_H
#define TESTS_HYPER_FIXTURE_H

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/encoding.h"
#include "hyper/hyper.h"
#include "tests/golden_file.h"
#include "tests/network_fixture.h"

#define FILE_NAME TEST_DATA "/../golden/hyper.h5"

/* Largest difference over largest reference value of an array. NumPy in float32 is off by up to
 * 4.4e-6, in the gradient of case `set`, whose phases are rounded to 2e-6. */
static const double hyper_tolerance = REAL_IS_DOUBLE ? 1e-10 : 5e-6;

typedef struct {
  char name[64], tensors[2048]; /* those of theta, in the file's order */
  hid_t group, results;         /* of these, in this precision */
  Network hypo;
  HyperSpec spec;
  Hyper *hyper;
  size_t n; /* of theta */
  int pixels;
  real *theta, *image; /* [images][pixels][channels] */
  uint8_t *known;      /* [images][pixels] */
} HyperCase;

/* HyperDraw; every step sees the images of the case. */
static inline void hyper_case_draw(const void *source, uint64_t step, int64_t first, int count,
                                   real *pixels, uint8_t *known, int64_t *item) {
  (void)step;
  for (int i = 0; i < count; i++) item[i] = first + i;
  const HyperCase *c = source;
  size_t size = (size_t)c->pixels, channels = (size_t)c->spec.encoding.channels;
  memcpy(pixels, c->image + (size_t)first * size * channels,
         (size_t)count * size * channels * sizeof *pixels);
  memcpy(known, c->known + (size_t)first * size, (size_t)count * size);
}

/* ---- Cases ---- */

static inline int hyper_case_number(const HyperCase *c, const char *name) {
  return (int)golden_number(c->group, ".", name);
}

static inline void hyper_case_network(HyperCase *c) {
  char activation[32];
  golden_text(c->group, "network", "activation", activation, sizeof activation);
  NetworkSpec spec = fixture_spec(activation_find(activation), encoding_find("none"), 2,
                                  hyper_case_number(c, "channels"),
                                  (int)golden_number(c->group, "network", "width"),
                                  (int)golden_number(c->group, "network", "layers"));
  spec.omega_first = golden_number(c->group, "network", "omega_first");
  spec.omega_hidden = golden_number(c->group, "network", "omega_hidden");
  c->hypo = fixture_network(spec);
}

static inline void hyper_case_spec(HyperCase *c) {
  char encoder[32], generator[32];
  golden_text(c->group, ".", "encoder", encoder, sizeof encoder);
  golden_text(c->group, ".", "generator", generator, sizeof generator);
  c->spec = (HyperSpec){.encoder = encoder_find(encoder),
                        .generator = generator_find(generator),
                        .encoding = {.rows = hyper_case_number(c, "rows"),
                                     .columns = hyper_case_number(c, "columns"),
                                     .channels = hyper_case_number(c, "channels"),
                                     .width = hyper_case_number(c, "width"),
                                     .layers = hyper_case_number(c, "layers"),
                                     .code = hyper_case_number(c, "code")},
                        .generator_width = hyper_case_number(c, "generator_width"),
                        .generator_layers = hyper_case_number(c, "generator_layers"),
                        .hypo = &c->hypo,
                        .images = hyper_case_number(c, "images"),
                        .code_weight = golden_number(c->group, ".", "code_weight"),
                        .theta_weight = golden_number(c->group, ".", "weights_weight"),
                        .draw = hyper_case_draw,
                        .source = c};
  assert_non_null(c->spec.encoder);
  assert_non_null(c->spec.generator);
}

/* Where tensor `name` begins in the file's order. */
static inline size_t hyper_case_place(const HyperCase *c, const char *name) {
  const Parameters *parameters = hyper_parameters(c->hyper);
  char text[sizeof c->tensors];
  size_t at = 0;
  strcpy(text, c->tensors);
  for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
    if (!strcmp(word, name)) return at;
    for (int t = 0; t < parameters->n; t++) {
      if (!strcmp(parameters->tensors[t].name, word)) {
        at += golden_tensor_size(&parameters->tensors[t]);
      }
    }
  }
  fail_msg("%s: the file has no tensor %s", c->name, name);
  return 0;
}

static inline void hyper_case_theta(HyperCase *c) {
  const Parameters *parameters = hyper_parameters(c->hyper);
  c->n = parameters->size;
  double *values = golden_array(c->group, "theta", c->n);
  golden_text(c->group, "theta", "tensors", c->tensors, sizeof c->tensors);
  c->theta = malloc(c->n * sizeof *c->theta);
  for (int t = 0; t < parameters->n; t++) {
    const Tensor *tensor = &parameters->tensors[t];
    size_t from = hyper_case_place(c, tensor->name);
    for (size_t i = 0; i < golden_tensor_size(tensor); i++) {
      c->theta[tensor->offset + i] = (real)values[from + i];
    }
  }
  free(values);
}

static inline void hyper_case_load(hid_t cases, HyperCase *c) {
  c->group = H5Gopen2(cases, c->name, H5P_DEFAULT);
  c->results = H5Gopen2(c->group, REAL_IS_DOUBLE ? "double" : "float", H5P_DEFAULT);
  assert_true(c->group >= 0 && c->results >= 0);
  hyper_case_network(c);
  hyper_case_spec(c);
  c->pixels = c->spec.encoding.rows * c->spec.encoding.columns;
  size_t pixels = (size_t)c->spec.images * (size_t)c->pixels,
         numbers = pixels * (size_t)c->spec.encoding.channels;
  c->image = golden_real(golden_array(c->group, "pixels", numbers), numbers);
  double *known = golden_array(c->group, "known", pixels);
  c->known = malloc(pixels);
  for (size_t i = 0; i < pixels; i++) c->known[i] = known[i] != 0;
  free(known);
  assert_int_equal(hyper_create(&c->spec, &c->hyper), STATUS_OK);
  hyper_case_theta(c);
}

static inline void hyper_case_unload(HyperCase *c) {
  hyper_destroy(c->hyper);
  free(c->theta);
  free(c->image);
  free(c->known);
  H5Gclose(c->results);
  H5Gclose(c->group);
}

static inline void hyper_case_each(void (*check)(HyperCase *c)) {
  hid_t file = H5Fopen(FILE_NAME, H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t cases = H5Gopen2(file, "cases", H5P_DEFAULT);
  H5G_info_t info;
  assert_true(file >= 0 && cases >= 0 && H5Gget_info(cases, &info) >= 0);
  assert_true(info.nlinks >= 8);
  golden_worst = 0;
  for (hsize_t k = 0; k < info.nlinks; k++) {
    HyperCase c = {0};
    assert_true(H5Lget_name_by_idx(cases, ".", H5_INDEX_NAME, H5_ITER_INC, k, c.name, sizeof c.name,
                                   H5P_DEFAULT) > 0);
    hyper_case_load(cases, &c);
    check(&c);
    hyper_case_unload(&c);
  }
  if (golden_worst > 0) {
    print_message("%d cases, worst error %.1e of the tolerance: %s\n", (int)info.nlinks,
                  golden_worst, golden_worst_at);
  }
  H5Gclose(cases);
  H5Fclose(file);
}

static inline Context hyper_case_context(const HyperCase *c, int images, const real *image,
                                         const uint8_t *known) {
  return (Context){.images = images,
                   .rows = c->spec.encoding.rows,
                   .columns = c->spec.encoding.columns,
                   .channels = c->spec.encoding.channels,
                   .pixels = image,
                   .known = known};
}

/* ---- The objective ---- */

typedef struct {
  double terms[OBJECTIVE_MAX_TERMS];
  real *gradient; /* [n_parameters], outer tensors included */
} HyperSum;

/* All tiles, last ones first; terms alone have to be the same. */
static inline HyperSum hyper_case_evaluate(const Objective *o, const real *theta) {
  size_t n = o->n_parameters, dense = objective_dense(o);
  size_t items = o->outer.n_tensors ? (size_t)o->outer.items : 0;
  HyperSum sum = {.gradient = calloc(n, sizeof(real))};
  double *all = calloc(dense, sizeof *all);
  OuterFactors factors = {malloc(items * o->outer.u_size * sizeof(real) + 1),
                          malloc(items * o->outer.v_size * sizeof(real) + 1)};
  void *workspace;
  assert_int_equal(o->workspace_create(o, &workspace), STATUS_OK);
  for (int64_t k = o->tiles(o, 0) - 1; k >= 0; k--) {
    double terms[OBJECTIVE_MAX_TERMS], alone[OBJECTIVE_MAX_TERMS];
    for (size_t i = 0; i < dense; i++) sum.gradient[i] = (real)NAN;
    o->tile(o, 0, k, theta, sum.gradient, terms, items ? &factors : NULL, workspace);
    o->tile(o, 0, k, theta, NULL, alone, NULL, workspace);
    assert_memory_equal(terms, alone, (size_t)o->n_terms * sizeof *terms);
    for (int t = 0; t < o->n_terms; t++) sum.terms[t] += terms[t];
    for (size_t i = 0; i < dense; i++) all[i] += (double)sum.gradient[i];
  }
  o->workspace_destroy(workspace);
  for (size_t i = 0; i < dense; i++) sum.gradient[i] = (real)all[i];
  if (items) outer_gradient(&o->outer, &factors, dense, n - dense, 1, sum.gradient + dense);
  free(all);
  free(factors.u);
  free(factors.v);
  return sum;
}

#endif
