/* An encoder with all that it needs, on random images. Included by one file per program, after
 * cmocka.h. */
#ifndef TESTS_ENCODER_FIXTURE_H
#define TESTS_ENCODER_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "hyper/encoder.h"

typedef struct {
  const EncoderKind *kind;
  EncoderSpec spec;
  Parameters parameters;
  void *self;
  Context context;
  real *pixels, *theta, *scratch, *code, *code_bar, *gradient;
  uint8_t *known;
} Encoding;

static inline real *encoding_reals(size_t count) {
  real *values;
  assert_int_equal(memory_allocate(&values, count, sizeof(real), "a test"), STATUS_OK);
  return values;
}

static inline void encoding_random(uint64_t step, size_t count, real *values) {
  RandomStream stream = {11, RANDOM_CHECK, step};
  for (size_t i = 0; i < count; i++) values[i] = (real)(2 * random_uniform(stream, i, 0) - 1);
}

static inline size_t encoding_scratch(const Encoding *e) {
  return e->kind->scratch(e->self, e->context.images);
}

/* Pixels are known with this probability. What scratch memory holds before must not matter. */
static inline Encoding *encoding_create(const EncoderKind *kind, EncoderSpec spec, int images,
                                        double share) {
  Encoding *e = calloc(1, sizeof *e);
  e->kind = kind;
  e->spec = spec;
  Status status = kind->create(&spec, &e->parameters, &e->self);
  if (status != STATUS_OK) fail_msg("%s: %s", kind->name, status_message());
  size_t pixels = (size_t)images * (size_t)(spec.rows * spec.columns);
  e->context = (Context){images, spec.rows, spec.columns, spec.channels, NULL, NULL, NULL};
  e->context.pixels = e->pixels = encoding_reals(pixels * (size_t)spec.channels);
  e->context.known = e->known = calloc(pixels, 1);
  encoding_random(1, pixels * (size_t)spec.channels, e->pixels);
  for (size_t i = 0; i < pixels; i++) {
    e->known[i] = random_uniform((RandomStream){11, RANDOM_MASK, 0}, i, 0) < share;
  }
  e->theta = encoding_reals(e->parameters.size);
  e->gradient = encoding_reals(e->parameters.size);
  kind->init(e->self, 5, e->theta);
  e->code = encoding_reals((size_t)images * (size_t)spec.code);
  e->code_bar = encoding_reals((size_t)images * (size_t)spec.code);
  encoding_random(2, (size_t)images * (size_t)spec.code, e->code_bar);
  e->scratch = encoding_reals(encoding_scratch(e));
  memset(e->scratch, 0xff, encoding_scratch(e) * sizeof(real)); /* NaN */
  return e;
}

static inline void encoding_destroy(Encoding *e) {
  e->kind->destroy(e->self);
  free(e->pixels), free(e->known), free(e->theta), free(e->scratch);
  free(e->code), free(e->code_bar), free(e->gradient), free(e);
}

static inline void encoding_forward(Encoding *e) {
  e->kind->forward(e->self, e->theta, &e->context, e->code, e->scratch);
}

static inline void encoding_backward(Encoding *e) {
  e->kind->backward(e->self, e->theta, &e->context, e->code_bar, e->scratch, e->gradient);
}

/* sum code_bar . code */
static inline double encoding_loss(Encoding *e) {
  double sum = 0;
  encoding_forward(e);
  for (int i = 0; i < e->context.images * e->spec.code; i++) {
    sum += (double)e->code_bar[i] * (double)e->code[i];
  }
  return sum;
}

#endif
