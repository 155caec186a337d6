/* What encoders and generators promise: codes and networks that depend on nothing but their image,
 * random numbers of the paper's distributions that are used once, and what is refused. */
#include "core/random.h"
#include "tests/hyper_fixture.h"

/* ---- An image's code ---- */

/* Images in another order, and each alone: the same bits. */
static void check_neighbours(HyperCase *c) {
  int images = (int)c->spec.images;
  size_t n = (size_t)c->spec.encoding.code, pixels = (size_t)c->pixels,
         numbers = pixels * (size_t)c->spec.encoding.channels, all = (size_t)images;
  real *code = malloc(all * n * sizeof *code), *other = malloc(all * n * sizeof *other),
       *image = malloc(all * numbers * sizeof *image);
  uint8_t *known = malloc(all * pixels);
  HyperUse *use;
  assert_int_equal(hyper_use_create(c->hyper, images, &use), STATUS_OK);
  Context context = hyper_case_context(c, images, c->image, c->known);
  hyper_encode(use, c->theta, &context, NULL, code);
  for (size_t i = 0; i < all; i++) {
    size_t from = (i + 2) % all;
    memcpy(image + i * numbers, c->image + from * numbers, numbers * sizeof *image);
    memcpy(known + i * pixels, c->known + from * pixels, pixels);
  }
  context = hyper_case_context(c, images, image, known);
  hyper_encode(use, c->theta, &context, NULL, other);
  for (size_t i = 0; i < all; i++) {
    assert_memory_equal(other + i * n, code + (i + 2) % all * n, n * sizeof *code);
    context = hyper_case_context(c, 1, c->image + i * numbers, c->known + i * pixels);
    hyper_encode(use, c->theta, &context, NULL, image);
    assert_memory_equal(image, code + i * n, n * sizeof *code);
  }
  hyper_use_destroy(use);
  free(code);
  free(other);
  free(image);
  free(known);
}

static void test_neighbours(void **state) {
  (void)state;
  hyper_case_each(check_neighbours);
}

/* What is not known is not looked at; where nothing is, sets have the code 0 and no gradient. */
static void check_unknown(HyperCase *c) {
  size_t n = (size_t)c->spec.encoding.code, pixels = (size_t)c->pixels,
         channels = (size_t)c->spec.encoding.channels, images = (size_t)c->spec.images;
  real *code = malloc(images * n * sizeof *code), *other = malloc(images * n * sizeof *other);
  HyperUse *use;
  if (strncmp(c->spec.encoder->name, "set", 3) != 0) return;
  assert_int_equal(hyper_use_create(c->hyper, (int)images, &use), STATUS_OK);
  Context context = hyper_case_context(c, (int)images, c->image, c->known);
  hyper_encode(use, c->theta, &context, NULL, code);
  for (size_t i = 0; i < images * pixels; i++) {
    if (!c->known[i]) c->image[i * channels] = (real)NAN;
  }
  hyper_encode(use, c->theta, &context, NULL, other);
  assert_memory_equal(code, other, images * n * sizeof *code);
  for (size_t i = 0; i < images * pixels; i++) c->image[i * channels] = 0;
  memset(c->known + pixels, 0, pixels);
  hyper_encode(use, c->theta, &context, NULL, other);
  for (size_t i = 0; i < n; i++) assert_true(other[n + i] == 0);
  memset(c->known, 0, images * pixels);
  Objective o;
  hyper_objective(c->hyper, &o);
  HyperSum sum = hyper_case_evaluate(&o, c->theta);
  assert_true(sum.terms[1] == 0);
  for (int t = 0; t < o.n_tensors; t++) {
    const Tensor *tensor = &o.tensors[t];
    if (strncmp(tensor->name, "encoder/", 8) != 0) continue;
    for (size_t i = 0; i < golden_tensor_size(tensor); i++) {
      assert_true(sum.gradient[tensor->offset + i] == 0);
    }
  }
  hyper_use_destroy(use);
  free(sum.gradient);
  free(code);
  free(other);
}

static void test_unknown_pixels(void **state) {
  (void)state;
  hyper_case_each(check_unknown);
}

/* An image's network does not depend on the other images of its group either, however many. */
static void check_generated(HyperCase *c) {
  enum { MOST = 70 };
  size_t n = (size_t)c->spec.encoding.code, stride = hyper_stride(c->hyper);
  real *code = malloc(MOST * n * sizeof *code), *all = calloc(MOST * stride, sizeof *all),
       *alone = calloc(stride, sizeof *alone);
  RandomStream stream = {1, RANDOM_CHECK, 0};
  HyperUse *use;
  for (size_t i = 0; i < MOST * n; i++) code[i] = (real)(random_uniform(stream, i, 0) - 0.5);
  assert_int_equal(hyper_use_create(c->hyper, MOST, &use), STATUS_OK);
  hyper_generate(use, c->theta, MOST, code, all);
  for (size_t i = 0; i < MOST; i++) {
    hyper_generate(use, c->theta, 1, code + i * n, alone);
    assert_memory_equal(alone, all + i * stride, c->hypo.n_parameters * sizeof *alone);
  }
  hyper_use_destroy(use);
  free(code);
  free(all);
  free(alone);
}

static void test_generated(void **state) {
  (void)state;
  hyper_case_each(check_generated);
}

/* ---- To begin with ---- */

/* |correlation| of the first numbers of two tensors. */
static double likeness(const real *a, const real *b, size_t n) {
  double aa = 0, bb = 0, ab = 0;
  for (size_t i = 0; i < n; i++) {
    aa += (double)a[i] * (double)a[i];
    bb += (double)b[i] * (double)b[i];
    ab += (double)a[i] * (double)b[i];
  }
  return fabs(ab) / sqrt(aa * bb);
}

/* No two tensors are made of the same random numbers. */
static void check_init(HyperCase *c) {
  enum { FEW = 12 };
  const Parameters *parameters = hyper_parameters(c->hyper);
  real *theta = malloc(c->n * sizeof *theta), *again = malloc(c->n * sizeof *again);
  for (size_t i = 0; i < c->n; i++) theta[i] = again[i] = (real)NAN;
  hyper_init(c->hyper, 3, theta);
  hyper_init(c->hyper, 3, again);
  assert_memory_equal(theta, again, c->n * sizeof *theta);
  for (size_t i = 0; i < c->n; i++) assert_true(isfinite(theta[i]));
  hyper_init(c->hyper, 4, again);
  for (int t = 0; t < parameters->n; t++) {
    const Tensor *tensor = &parameters->tensors[t];
    if (golden_tensor_size(tensor) < FEW) continue;
    assert_true(likeness(theta + tensor->offset, again + tensor->offset, FEW) < 0.99);
    for (int s = 0; s < t; s++) {
      const Tensor *other = &parameters->tensors[s];
      if (golden_tensor_size(other) < FEW) continue;
      if (likeness(theta + tensor->offset, theta + other->offset, FEW) > 0.99) {
        fail_msg("%s: %s and %s begin alike", c->name, tensor->name, other->name);
      }
    }
  }
  free(theta);
  free(again);
}

static void test_init(void **state) {
  (void)state;
  hyper_case_each(check_init);
}

/* Largest and root mean square of a tensor, by name. */
typedef struct {
  double most, rms;
} Spread;

static Spread spread_of(const Hyper *hyper, const real *theta, const char *name) {
  const Parameters *parameters = hyper_parameters(hyper);
  Spread spread = {0};
  for (int t = 0; t < parameters->n; t++) {
    const Tensor *tensor = &parameters->tensors[t];
    size_t n = golden_tensor_size(tensor);
    if (strcmp(tensor->name, name) != 0) continue;
    for (size_t i = 0; i < n; i++) {
      double value = fabs((double)theta[tensor->offset + i]);
      spread.most = fmax(spread.most, value);
      spread.rms += value * value / (double)n;
    }
    spread.rms = sqrt(spread.rms);
    return spread;
  }
  fail_msg("no tensor %s", name);
  return spread;
}

static void check_uniform(const Hyper *hyper, const real *theta, const char *name, double bound) {
  Spread spread = spread_of(hyper, theta, name);
  bool good = spread.most <= bound && spread.most > 0.9 * bound &&
              fabs(spread.rms / bound * sqrt(3) - 1) < 0.1;
  if (!good) fail_msg("%s: %g, %g of %g", name, spread.most, spread.rms, bound);
}

static void check_normal(const Hyper *hyper, const real *theta, const char *name,
                         double deviation) {
  Spread spread = spread_of(hyper, theta, name);
  bool good = spread.most > 2.5 * deviation && fabs(spread.rms / deviation - 1) < 0.05;
  if (!good) fail_msg("%s: %g, %g of %g", name, spread.most, spread.rms, deviation);
}

/* paper.md 8.2. */
static void check_spreads(const EncoderKind *encoder, const GeneratorKind *generator) {
  enum { WIDTH = 64, CODE = 256, MADE = 128 };
  Network hypo =
      fixture_network(fixture_spec(activation_find("sine"), encoding_find("none"), 2, 3, WIDTH, 1));
  HyperSpec spec = {.encoder = encoder,
                    .generator = generator,
                    .encoding = {4, 4, 3, 96, 1, CODE, 0},
                    .generator_width = MADE,
                    .generator_layers = 2,
                    .hypo = &hypo,
                    .images = 1,
                    .draw = hyper_case_draw};
  Hyper *hyper;
  assert_int_equal(hyper_create(&spec, &hyper), STATUS_OK);
  real *theta = calloc(hyper_parameters(hyper)->size, sizeof *theta);
  hyper_init(hyper, 0, theta);
  if (encoder == &encoder_set_sine) {
    check_uniform(hyper, theta, "encoder/layer0/weight", sqrt(6. / 5) / 30);
    check_uniform(hyper, theta, "encoder/layer2/weight", sqrt(6. / 96) / 30);
  } else {
    check_normal(hyper, theta, "encoder/layer1/weight", sqrt(2. / 96));
  }
  check_uniform(hyper, theta, "encoder/layer2/bias", sqrt(1. / 96));
  if (generator == &generator_hypernetwork) {
    check_normal(hyper, theta, "hyper2/layer0/weight", sqrt(2. / CODE));
    check_normal(hyper, theta, "hyper2/layer1/weight", sqrt(2. / MADE));
    check_normal(hyper, theta, "hyper2/last/weight", sqrt(2. / MADE) / 100);
    check_uniform(hyper, theta, "hyper0/last/bias", 1. / 2);
    check_uniform(hyper, theta, "hyper1/last/bias", 1. / WIDTH);
    check_uniform(hyper, theta, "hyper2/last/bias", 1. / WIDTH);
  }
  hyper_destroy(hyper);
  free(theta);
}

static void test_spreads(void **state) {
  (void)state;
  check_spreads(&encoder_set_sine, &generator_hypernetwork);
  check_spreads(&encoder_set_relu, &generator_cnp);
}

/* ---- What cannot be ---- */

static void refuse(const HyperSpec *spec, const char *reason) {
  Hyper *hyper = NULL;
  assert_int_equal(hyper_create(spec, &hyper), STATUS_USAGE);
  if (!strstr(status_message(), reason)) fail_msg("'%s' has no '%s'", status_message(), reason);
  assert_null(hyper);
}

static void check_refused(HyperCase *c) {
  HyperSpec spec = c->spec;
  if (spec.generator != &generator_hypernetwork) return;
  spec.encoding.channels++;
  refuse(&spec, "renders no image");
  spec = c->spec;
  spec.encoding.layers = 99;
  refuse(&spec, "hidden layers, not 99");
  spec = c->spec;
  spec.generator_layers = 9;
  refuse(&spec, "not 9 of");
  NetworkSpec network = c->hypo.spec;
  network.layers = NETWORK_MAX_LINEAR - 2;
  const Network deep = fixture_network(network);
  spec = c->spec;
  spec.hypo = &deep;
  spec.generator_layers = 8;
  refuse(&spec, "tensors");
}

static void test_refused(void **state) {
  (void)state;
  hyper_case_each(check_refused);
}

static void test_tables(void **state) {
  (void)state;
  int n;
  const EncoderKind *const *encoders = encoder_table(&n);
  for (int i = 0; i < n; i++) {
    assert_ptr_equal(encoder_find(encoders[i]->name), encoders[i]);
    assert_true(strlen(encoders[i]->description) > 10);
  }
  assert_null(encoder_find("sets"));
  const GeneratorKind *const *generators = generator_table(&n);
  for (int i = 0; i < n; i++) {
    assert_ptr_equal(generator_find(generators[i]->name), generators[i]);
    assert_true(strlen(generators[i]->description) > 10);
  }
  assert_null(generator_find("hyper"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tables),         cmocka_unit_test(test_neighbours),
      cmocka_unit_test(test_unknown_pixels), cmocka_unit_test(test_generated),
      cmocka_unit_test(test_init),           cmocka_unit_test(test_spreads),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
