/* The convolutional encoder (paper.md 8.2): conv 3x3 to width/2, ReLU, conv 3x3 to width, ReLU,
 * residual blocks x + ReLU(conv 5x5(ReLU(conv 5x5(x)))), conv 1x1, ReLU, and one linear layer over
 * the pixels. The paper's ReLU behind a sum is left out: it has no negative terms. Images go
 * through one after the other. */
#include <stdlib.h>

#include "core/memory.h"
#include "hyper/convolution.h"

typedef struct {
  Plane plane;
  int channels, width, n; /* n: convolutions */
  size_t pool_weight, pool_bias;
  Convolution layers[]; /* two of the stem, two of every block, the head */
} Encoder;

static Status create(const EncoderSpec *spec, Parameters *parameters, void **self) {
  TRY(plane_check(spec));
  if (spec->width % 2) {
    return status_fail(STATUS_USAGE, "a convolutional encoder of width %d: it must be even",
                       spec->width);
  }
  Encoder *e;
  int n = 2 * spec->layers + 3;
  size_t size = sizeof *e + (size_t)n * sizeof *e->layers;
  TRY(memory_allocate(&e, 1, size, "the encoder"));
  *e = (Encoder){.plane = {spec->rows, spec->columns, 2},
                 .channels = spec->channels,
                 .width = spec->width,
                 .n = n};
  for (int l = 0; l < n; l++) {
    int kernel = l < 2 ? 3 : l < n - 1 ? 5 : 1;
    int in = l == 0 ? spec->channels : l == 1 ? spec->width / 2 : spec->width;
    int out = l == 0 ? spec->width / 2 : spec->width;
    e->layers[l] = convolution_create(kernel, in, out, true, "conv", l, parameters);
  }
  e->pool_weight = parameters_add(parameters, 1, spec->rows * spec->columns, "pool/weight");
  e->pool_bias = parameters_add(parameters, 1, 1, "pool/bias");
  *self = e;
  return STATUS_OK;
}

static void init(const void *self, uint64_t seed, real *theta) {
  const Encoder *e = self;
  for (int l = 0; l < e->n; l++) convolution_init(&e->layers[l], seed, theta);
  plane_pool_init(&e->plane, seed, e->pool_weight, e->pool_bias, theta);
}

/* ---- Scratch memory: of each image its input and all layers' results; of one, adjoints ---- */

typedef struct {
  const Encoder *encoder;
  real *scratch; /* [n + 1][images] */
  int images;
  real *bar[3];
} Memory;

static int channels_of(const Encoder *e, int layer) {
  return layer < e->n ? e->layers[layer].in : e->width;
}

static size_t room(const Encoder *e, int layers, int images) {
  size_t size = 0;
  for (int l = 0; l < layers; l++) size += plane_room(&e->plane, channels_of(e, l), images);
  return size;
}

static size_t scratch_size(const void *self, int images) {
  const Encoder *e = self;
  return room(e, e->n + 1, images) + 3 * plane_room(&e->plane, e->width, 1);
}

static Memory memory_of(const Encoder *e, int images, real *scratch) {
  Memory memory = {.encoder = e, .scratch = scratch, .images = images};
  real *next = scratch + room(e, e->n + 1, images);
  for (int i = 0; i < 3; i++) memory.bar[i] = plane_take(&e->plane, e->width, 1, &next);
  return memory;
}

/* What layer l reads, and layer l - 1 writes. */
static real *input_of(const Memory *m, int layer, int image) {
  const Encoder *e = m->encoder;
  int channels = channels_of(e, layer);
  real *next = m->scratch + room(e, layer, m->images);
  real *first = plane_take(&e->plane, channels, m->images, &next);
  return first + (size_t)image * plane_stride(&e->plane, channels);
}

/* ---- Forward ---- */

/* Of the second layer of a block: its result is added to what the first one reads. */
static bool closes_block(const Encoder *e, int layer) {
  return layer > 2 && layer < e->n - 1 && layer % 2 == 1;
}

/* A NaN stays one. */
static void rectify(size_t n, const real *add, real *restrict y) {
  if (add) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = add[i] + (y[i] < 0 ? 0 : y[i]);
  } else {
#pragma omp simd
    for (size_t i = 0; i < n; i++) y[i] = y[i] < 0 ? 0 : y[i];
  }
}

static size_t reals_of(const Encoder *e, int layer) {
  return (size_t)plane_span(&e->plane) * (size_t)channels_of(e, layer);
}

static void forward(const void *self, const real *theta, const Context *context, real *code,
                    real *scratch) {
  const Encoder *e = self;
  Memory m = memory_of(e, context->images, scratch);
  for (int image = 0; image < context->images; image++) {
    plane_load(&e->plane, context, image, input_of(&m, 0, image));
    for (int l = 0; l < e->n; l++) {
      real *y = input_of(&m, l + 1, image);
      const real *before = closes_block(e, l) ? input_of(&m, l - 1, image) : NULL;
      convolution_forward(&e->layers[l], &e->plane, theta, 1, input_of(&m, l, image), y);
      rectify(reals_of(e, l + 1), before, y);
    }
    plane_pool(&e->plane, e->width, theta + e->pool_weight, theta + e->pool_bias,
               input_of(&m, e->n, image), code + (size_t)image * (size_t)e->width);
  }
}

/* ---- Backward ---- */

/* The adjoint where a ReLU let through, which shows in what it wrote. Of a sum it shows in whether
 * the sum is more than the other term; of less than half a unit in its last place it does not. */
static void pass(size_t n, const real *y, const real *other, const real *bar, real *result) {
  if (other) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) result[i] = y[i] > other[i] ? bar[i] : 0;
  } else {
#pragma omp simd
    for (size_t i = 0; i < n; i++) result[i] = y[i] > 0 ? bar[i] : 0;
  }
}

/* A layer without a second way past it: u becomes its input's adjoint, with v as a help. */
static void reverse_layer(const Memory *m, const real *theta, int image, int l, real *gradient,
                          real **u, real **v) {
  const Encoder *e = m->encoder;
  pass(reals_of(e, l + 1), input_of(m, l + 1, image), NULL, *u, *u);
  convolution_gradient(&e->layers[l], &e->plane, 1, input_of(m, l, image), *u, gradient);
  if (l == 0) return;
  convolution_adjoint(&e->layers[l], &e->plane, theta, 1, *u, false, *v);
  real *swap = *u;
  *u = *v;
  *v = swap;
}

/* The block whose second layer is l: u, the adjoint of what it writes, becomes that of what it
 * reads. */
static void reverse_block(const Memory *m, const real *theta, int image, int l, real *gradient,
                          real *u, real *v, real *w) {
  const Encoder *e = m->encoder;
  const Convolution *first = &e->layers[l - 1], *second = &e->layers[l];
  const real *x = input_of(m, l - 1, image), *hidden = input_of(m, l, image);
  plane_clear(&e->plane, e->width, v);
  pass(reals_of(e, l + 1), input_of(m, l + 1, image), x, u, v);
  convolution_gradient(second, &e->plane, 1, hidden, v, gradient);
  convolution_adjoint(second, &e->plane, theta, 1, v, false, w);
  pass(reals_of(e, l), hidden, NULL, w, w);
  convolution_gradient(first, &e->plane, 1, x, w, gradient);
  convolution_adjoint(first, &e->plane, theta, 1, w, true, u);
}

static void backward(const void *self, const real *theta, const Context *context,
                     const real *code_bar, real *scratch, real *gradient) {
  const Encoder *e = self;
  Memory m = memory_of(e, context->images, scratch);
  for (int image = 0; image < context->images; image++) {
    real *u = m.bar[0], *v = m.bar[1];
    plane_unpool(&e->plane, e->width, theta + e->pool_weight, input_of(&m, e->n, image),
                 code_bar + (size_t)image * (size_t)e->width, u, gradient + e->pool_weight,
                 gradient + e->pool_bias);
    for (int l = e->n - 1; l >= 0; l--) {
      if (closes_block(e, l)) {
        reverse_block(&m, theta, image, l--, gradient, u, v, m.bar[2]);
      } else {
        reverse_layer(&m, theta, image, l, gradient, &u, &v);
      }
    }
  }
}

static double flops(const void *self, int known) {
  (void)known;
  const Encoder *e = self;
  double sum = 6.0 * e->plane.rows * e->plane.columns * e->width;
  for (int l = 0; l < e->n; l++) {
    sum += (l == 0 ? 2 : 3) * convolution_flops(&e->layers[l], &e->plane);
  }
  return sum;
}

const EncoderKind encoder_conv = {
    .name = "conv",
    .description = "convolutions in residual blocks, unknown pixels zero",
    .create = create,
    .destroy = free,
    .init = init,
    .scratch = scratch_size,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .layers = 4,
};
