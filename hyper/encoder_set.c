/* Set encoders (paper.md 8.2, after conditional neural processes): a network of every known pixel's
 * place and value, and the mean of its outputs over the pixels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "hyper/dense.h"
#include "hyper/encoder.h"

enum { MAX_LAYERS = 16 };

typedef struct {
  EncoderSpec spec;
  int n_layers;
  Dense layers[MAX_LAYERS];
} SetEncoder;

static Status create(const EncoderSpec *spec, const Activation *activation, double omega,
                     Parameters *parameters, void **self) {
  SetEncoder *encoder;
  if (spec->layers + 2 > MAX_LAYERS) {
    return status_fail(STATUS_USAGE, "a set encoder has at most %d hidden layers, not %d",
                       MAX_LAYERS - 2, spec->layers);
  }
  TRY(memory_allocate(&encoder, 1, sizeof *encoder, "an encoder"));
  encoder->spec = *spec;
  encoder->n_layers = spec->layers + 2;
  int in = 2 + spec->channels;
  for (int l = 0; l < encoder->n_layers; l++) {
    char name[32];
    int out = l < encoder->n_layers - 1 ? spec->width : spec->code;
    snprintf(name, sizeof name, "encoder/layer%d", l);
    encoder->layers[l] = dense_create(parameters, name, in, out, activation, omega);
    in = out;
  }
  *self = encoder;
  return STATUS_OK;
}

static Status create_sine(const EncoderSpec *spec, Parameters *parameters, void **self) {
  return create(spec, activation_find("sine"), 30, parameters, self);
}

static Status create_relu(const EncoderSpec *spec, Parameters *parameters, void **self) {
  return create(spec, activation_find("relu"), 1, parameters, self);
}

static void init(const void *self, uint64_t seed, real *theta) {
  const SetEncoder *encoder = self;
  for (int l = 0; l < encoder->n_layers; l++) dense_init(&encoder->layers[l], seed, theta);
}

/* ---- Scratch memory: inputs, then h and aux of every layer; two bars and a buffer ---- */

typedef struct {
  real *input, *h[MAX_LAYERS], *aux[MAX_LAYERS], *bar[2], *buffer;
} Memory;

static int widest(const SetEncoder *encoder) {
  int width = 0;
  for (int l = 0; l < encoder->n_layers; l++) {
    width = encoder->layers[l].out > width ? encoder->layers[l].out : width;
  }
  return width;
}

/* Of so many pixels: small contexts touch the first part of the memory only. */
static size_t place(const SetEncoder *encoder, size_t pixels, real *scratch, Memory *memory) {
  size_t used = 0, wide = real_aligned(pixels * (size_t)widest(encoder));
#define TAKE(pointer, count) \
  (pointer) = scratch ? scratch + used : NULL, used += real_aligned(count)
  TAKE(memory->input, pixels * (size_t)encoder->layers[0].in);
  for (int l = 0; l < encoder->n_layers; l++) {
    TAKE(memory->h[l], pixels * (size_t)encoder->layers[l].out);
    TAKE(memory->aux[l], pixels * (size_t)encoder->layers[l].out);
  }
  TAKE(memory->bar[0], wide);
  TAKE(memory->bar[1], wide);
  TAKE(memory->buffer, wide);
#undef TAKE
  return used;
}

static size_t scratch_reals(const void *self, int images) {
  const SetEncoder *encoder = self;
  Memory memory;
  size_t pixels = (size_t)images * (size_t)(encoder->spec.rows * encoder->spec.columns);
  return place(encoder, pixels, NULL, &memory);
}

/* ---- Forward and backward ---- */

static int count_known(const Context *context, int image) {
  int n = 0, pixels = context->rows * context->columns;
  const uint8_t *known = context->known + (size_t)image * (size_t)pixels;
  for (int i = 0; i < pixels; i++) n += known[i] != 0;
  return n;
}

static int count_all(const Context *context) {
  int n = 0;
  for (int i = 0; i < context->images; i++) n += count_known(context, i);
  return n;
}

/* From -1 to 1, as the coordinates of the images are. */
static real place_of(int i, int n) {
  return n > 1 ? (real)(-1 + 2. * i / (n - 1)) : 0;
}

/* input [known pixels][2 + channels]: row, column, value. */
static void gather(const Context *context, real *input) {
  int pixels = context->rows * context->columns, channels = context->channels;
  for (size_t i = 0; i < (size_t)(context->images * pixels); i++) {
    if (!context->known[i]) continue;
    int pixel = (int)(i % (size_t)pixels);
    *input++ = place_of(pixel / context->columns, context->rows);
    *input++ = place_of(pixel % context->columns, context->columns);
    memcpy(input, context->pixels + i * (size_t)channels, (size_t)channels * sizeof *input);
    input += channels;
  }
}

/* An image without a known pixel has the code 0. */
static void average(const Context *context, int width, const real *h, real *code) {
  for (int i = 0; i < context->images; i++) {
    real *mean = code + (size_t)i * (size_t)width;
    int n = count_known(context, i);
    memset(mean, 0, (size_t)width * sizeof *mean);
    for (int k = 0; k < n; k++, h += width) {
#pragma omp simd
      for (int j = 0; j < width; j++) mean[j] += h[j];
    }
    const real share = n ? (real)(1. / n) : 0;
#pragma omp simd
    for (int j = 0; j < width; j++) mean[j] *= share;
  }
}

static void forward(const void *self, const real *theta, const Context *context, real *code,
                    real *scratch) {
  const SetEncoder *encoder = self;
  Memory memory;
  int n = count_all(context), last = encoder->n_layers - 1;
  place(encoder, (size_t)n, scratch, &memory);
  gather(context, memory.input);
  const real *x = memory.input;
  for (int l = 0; l <= last; l++) {
    dense_forward(&encoder->layers[l], theta, n, x, memory.h[l], memory.aux[l]);
    x = memory.h[l];
  }
  average(context, encoder->spec.code, x, code);
}

static void spread(const Context *context, int width, const real *code_bar, real *bar) {
  for (int i = 0; i < context->images; i++) {
    const real *mean = code_bar + (size_t)i * (size_t)width;
    int n = count_known(context, i);
    const real share = n ? (real)(1. / n) : 0;
    for (int k = 0; k < n; k++, bar += width) {
#pragma omp simd
      for (int j = 0; j < width; j++) bar[j] = share * mean[j];
    }
  }
}

static void backward(const void *self, const real *theta, const Context *context,
                     const real *code_bar, real *scratch, real *gradient) {
  const SetEncoder *encoder = self;
  Memory memory;
  int n = count_all(context);
  place(encoder, (size_t)n, scratch, &memory);
  spread(context, encoder->spec.code, code_bar, memory.bar[0]);
  for (int l = encoder->n_layers - 1; l >= 0; l--) {
    real *bar = memory.bar[(encoder->n_layers - 1 - l) % 2];
    real *x_bar = memory.bar[(encoder->n_layers - l) % 2];
    dense_backward(&encoder->layers[l], theta, n, l ? memory.h[l - 1] : memory.input, memory.h[l],
                   memory.aux[l], bar, memory.buffer, l ? x_bar : NULL, gradient);
  }
}

static double flops(const void *self, int known) {
  const SetEncoder *encoder = self;
  double sum = 0;
  for (int l = 0; l < encoder->n_layers; l++) sum += dense_flops(&encoder->layers[l]);
  return known * sum;
}

#define KIND(NAME, DESCRIPTION, CREATE)                                                        \
  {                                                                                            \
    .name = NAME, .description = DESCRIPTION, .create = CREATE, .destroy = free, .init = init, \
    .scratch = scratch_reals, .forward = forward, .backward = backward, .flops = flops,        \
    .layers = 2                                                                                \
  }

const EncoderKind encoder_set_sine =
    KIND("set", "mean over a sine network of each known pixel", create_sine);
const EncoderKind encoder_set_relu =
    KIND("set_relu", "mean over a ReLU network of each known pixel", create_relu);
