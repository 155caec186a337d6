/* Encoders of partial convolutions (Liu et al., ECCV 2018): a residual network (basic blocks of He
 * et al. 2016) whose layers are told which pixels are known,
 *
 *   y = W * (m x) 9 / sum m   where the sum of m over 3 x 3 pixels is not 0, else y = 0,
 *
 * m: 1 for known pixels, 0 for others and outside; behind a layer it is 1 where that sum is not 0.
 * There is no bias, since batch norm follows: over all pixels of the images handed in together (a
 * tile; Hoffer et al. 2017 call it ghost batch norm), in training and evaluation alike, so that a
 * code depends on the images beside its own: evaluate as many together as in training. At the end
 * is one linear layer over the pixels (paper.md 8.2).
 *
 * The released code differs: it takes pixels of red <= 0 for unknown (paper.md 11), and whatever
 * the first layer wrote for known. That is the row "partial_conv_official". */
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "hyper/convolution.h"
#include "hyper/norm.h"

typedef struct {
  Convolution convolution;
  Norm norm;
} Layer;

typedef struct {
  bool official;
  Plane plane;
  int channels, width, n; /* n: layers */
  size_t pool_weight, pool_bias;
  Layer layers[]; /* the first, then two of every block */
} Encoder;

static Status create(bool official, const EncoderSpec *spec, Parameters *parameters, void **self) {
  TRY(plane_check(spec));
  Encoder *e;
  int n = 2 * spec->layers + 1;
  size_t size = sizeof *e + (size_t)n * sizeof *e->layers;
  TRY(memory_allocate(&e, 1, size, "the encoder"));
  *e = (Encoder){.official = official,
                 .plane = {spec->rows, spec->columns, 1},
                 .channels = spec->channels,
                 .width = spec->width,
                 .n = n};
  for (int l = 0; l < n; l++) {
    Layer *layer = &e->layers[l];
    int in = l == 0 ? spec->channels : spec->width;
    layer->convolution = convolution_create(3, in, spec->width, false, "conv", l, parameters);
    layer->norm = norm_create(spec->width, l, parameters);
  }
  e->pool_weight = parameters_add(parameters, 1, spec->rows * spec->columns, "pool/weight");
  e->pool_bias = parameters_add(parameters, 1, 1, "pool/bias");
  *self = e;
  return STATUS_OK;
}

static Status create_right(const EncoderSpec *spec, Parameters *parameters, void **self) {
  return create(false, spec, parameters, self);
}

static Status create_official(const EncoderSpec *spec, Parameters *parameters, void **self) {
  return create(true, spec, parameters, self);
}

/* Normal weights of variance 2 / (9 width) (Kaiming, by the outputs), as the released code has. */
static void init(const void *self, uint64_t seed, real *theta) {
  const Encoder *e = self;
  for (int l = 0; l < e->n; l++) {
    const Layer *layer = &e->layers[l];
    size_t count = convolution_fan_in(&layer->convolution) * (size_t)e->width;
    size_t weight = layer->convolution.weight;
    parameters_normal(seed, weight, count, sqrt(2 / (9.0 * e->width)), theta + weight);
    norm_init(&layer->norm, theta);
  }
  plane_pool_init(&e->plane, seed, e->pool_weight, e->pool_bias, theta);
}

/* ---- Scratch memory ---- */

/* Of all images, what layers read (and the last one writes), their convolutions' results, their
 * masks [n + 1][images][pixels], and three adjoints; the mean and 1 / deviation of every channel
 * [n][2][width]; of one image, what is known of a layer's input, and factors of pixels. */
typedef struct {
  const Encoder *encoder;
  int images, pixels;
  real *input, *values, *raw, *mask, *moments, *bar[3], *known, *factor;
} Memory;

static size_t masks(const Encoder *e, int images) {
  return (size_t)(e->n + 1) * (size_t)images * (size_t)(e->plane.rows * e->plane.columns);
}

static size_t scratch_size(const void *self, int images) {
  const Encoder *e = self;
  int larger = e->channels > e->width ? e->channels : e->width;
  return plane_room(&e->plane, e->channels, images) +
         (size_t)(2 * e->n + 3) * plane_room(&e->plane, e->width, images) +
         plane_room(&e->plane, larger, 1) + real_aligned(masks(e, images)) +
         real_aligned((size_t)(2 * e->n * e->width)) +
         real_aligned((size_t)(e->plane.rows * e->plane.columns));
}

static real *take(size_t count, real **next) {
  real *start = *next;
  *next += real_aligned(count);
  return start;
}

static Memory memory_of(const Encoder *e, int images, real *scratch) {
  int larger = e->channels > e->width ? e->channels : e->width;
  size_t room = plane_room(&e->plane, e->width, images);
  real *next = scratch;
  Memory m = {.encoder = e, .images = images, .pixels = e->plane.rows * e->plane.columns};
  m.input = plane_take(&e->plane, e->channels, images, &next);
  m.values = next, next += (size_t)e->n * room;
  m.raw = next, next += (size_t)e->n * room;
  for (int i = 0; i < 3; i++) m.bar[i] = plane_take(&e->plane, e->width, images, &next);
  m.known = plane_take(&e->plane, larger, 1, &next);
  m.mask = take(masks(e, images), &next);
  m.moments = take((size_t)(2 * e->n * e->width), &next);
  m.factor = take((size_t)m.pixels, &next);
  return m;
}

/* One of n arrays of all images, or the last's. */
static real *layer_of(const Memory *m, real *arrays, int layer) {
  const Encoder *e = m->encoder;
  real *next = arrays + (size_t)layer * plane_room(&e->plane, e->width, m->images);
  return plane_take(&e->plane, e->width, m->images, &next);
}

/* What layer l reads. */
static real *input_of(const Memory *m, int layer) {
  return layer == 0 ? m->input : layer_of(m, m->values, layer - 1);
}

static real *mask_of(const Memory *m, int layer, int image) {
  return m->mask + ((size_t)layer * (size_t)m->images + (size_t)image) * (size_t)m->pixels;
}

/* ---- Masks ---- */

static int known_around(const Plane *plane, const real *mask, int row, int column) {
  int sum = 0;
  for (int i = row - 1; i <= row + 1; i++) {
    for (int j = column - 1; j <= column + 1; j++) {
      bool inside = i >= 0 && i < plane->rows && j >= 0 && j < plane->columns;
      if (inside) sum += mask[i * plane->columns + j] > 0;
    }
  }
  return sum;
}

/* factor = 9 / sum m, or 0. */
static void renormalise(const Memory *m, const real *mask) {
  const Plane *plane = &m->encoder->plane;
  for (int i = 0; i < m->pixels; i++) {
    int sum = known_around(plane, mask, i / plane->columns, i % plane->columns);
    m->factor[i] = sum ? 9 / (real)sum : 0;
  }
}

static void first_mask(const Memory *m, const Context *context, int image) {
  real *mask = mask_of(m, 0, image);
  size_t first = (size_t)image * (size_t)m->pixels;
  for (int i = 0; i < m->pixels; i++) {
    bool known = context->known[first + (size_t)i];
    real red = context->pixels[(first + (size_t)i) * (size_t)context->channels];
    mask[i] = known && (!m->encoder->official || red > 0);
  }
}

static void next_mask(const Memory *m, int layer, int image) {
  const real *mask = mask_of(m, layer, image);
  real *next = mask_of(m, layer + 1, image);
  const Plane *plane = &m->encoder->plane;
  for (int i = 0; i < m->pixels; i++) {
    next[i] = m->encoder->official ||
              known_around(plane, mask, i / plane->columns, i % plane->columns) > 0;
  }
}

/* ---- Forward ---- */

static real *moments_of(const Memory *m, int layer) {
  return m->moments + (size_t)(2 * layer * m->encoder->width);
}

/* Of the second layer of a block: what the first one reads is added to its result. */
static bool closes_block(int layer) {
  return layer > 0 && layer % 2 == 0;
}

/* Of one image: what is known of what a layer reads. */
static real *known_of(const Memory *m, int layer, int image) {
  const Encoder *e = m->encoder;
  int in = e->layers[layer].convolution.in;
  const real *x = input_of(m, layer) + (size_t)image * plane_stride(&e->plane, in);
  plane_scale(&e->plane, in, mask_of(m, layer, image), x, m->known);
  return m->known;
}

static void forward_layer(const Memory *m, const real *theta, int l) {
  const Encoder *e = m->encoder;
  const Layer *layer = &e->layers[l];
  real *raw = layer_of(m, m->raw, l);
  for (int image = 0; image < m->images; image++) {
    real *to = raw + (size_t)image * plane_stride(&e->plane, e->width);
    convolution_forward(&layer->convolution, &e->plane, theta, 1, known_of(m, l, image), to);
    renormalise(m, mask_of(m, l, image));
    plane_scale(&e->plane, e->width, m->factor, to, to);
    next_mask(m, l, image);
  }
  norm_forward(&layer->norm, &e->plane, theta, m->images, raw,
               closes_block(l) ? input_of(m, l - 1) : NULL, moments_of(m, l),
               layer_of(m, m->values, l));
}

static void forward(const void *self, const real *theta, const Context *context, real *code,
                    real *scratch) {
  const Encoder *e = self;
  Memory m = memory_of(e, context->images, scratch);
  for (int image = 0; image < m.images; image++) {
    plane_load(&e->plane, context, image,
               m.input + (size_t)image * plane_stride(&e->plane, e->channels));
    first_mask(&m, context, image);
  }
  for (int l = 0; l < e->n; l++) forward_layer(&m, theta, l);
  const real *last = input_of(&m, e->n);
  for (int image = 0; image < m.images; image++) {
    plane_pool(&e->plane, e->width, theta + e->pool_weight, theta + e->pool_bias,
               last + (size_t)image * plane_stride(&e->plane, e->width),
               code + (size_t)image * (size_t)e->width);
  }
}

/* ---- Backward ---- */

/* The adjoint where a layer's ReLU let through. */
static void pass(const Memory *m, int l, real *bar) {
  const Encoder *e = m->encoder;
  norm_pass(&e->plane, e->width, m->images, input_of(m, l + 1), bar);
}

/* x_bar [images] (NULL: not wanted) of the known part of what layer l reads, from bar of what its
 * norm writes, with `between` for what lies between. */
static void reverse_layer(const Memory *m, const real *theta, int l, const real *bar, real *between,
                          real *x_bar, real *gradient) {
  const Encoder *e = m->encoder;
  const Layer *layer = &e->layers[l];
  norm_backward(&layer->norm, &e->plane, theta, m->images, layer_of(m, m->raw, l), moments_of(m, l),
                bar, between, gradient);
  for (int image = 0; image < m->images; image++) {
    size_t at = (size_t)image * plane_stride(&e->plane, e->width);
    renormalise(m, mask_of(m, l, image));
    plane_scale(&e->plane, e->width, m->factor, between + at, between + at);
    convolution_gradient(&layer->convolution, &e->plane, 1, known_of(m, l, image), between + at,
                         gradient);
    if (!x_bar) continue;
    convolution_adjoint(&layer->convolution, &e->plane, theta, 1, between + at, false, x_bar + at);
    plane_scale(&e->plane, e->width, mask_of(m, l, image), x_bar + at, x_bar + at);
  }
}

static void add(const Memory *m, const real *x, real *y) {
  const Encoder *e = m->encoder;
  size_t n = (size_t)m->images * plane_stride(&e->plane, e->width);
#pragma omp simd
  for (size_t i = 0; i < n; i++) y[i] += x[i];
}

static void backward(const void *self, const real *theta, const Context *context,
                     const real *code_bar, real *scratch, real *gradient) {
  const Encoder *e = self;
  Memory m = memory_of(e, context->images, scratch);
  real *u = m.bar[0], *v = m.bar[1], *w = m.bar[2];
  for (int image = 0; image < m.images; image++) {
    size_t at = (size_t)image * plane_stride(&e->plane, e->width);
    plane_unpool(&e->plane, e->width, theta + e->pool_weight, input_of(&m, e->n) + at,
                 code_bar + (size_t)image * (size_t)e->width, u + at, gradient + e->pool_weight,
                 gradient + e->pool_bias);
  }
  for (int l = e->n - 1; l > 0; l -= 2) { /* a block, whose second layer is l */
    pass(&m, l, u);
    reverse_layer(&m, theta, l, u, v, w, gradient);
    pass(&m, l - 1, w);
    reverse_layer(&m, theta, l - 1, w, v, w, gradient);
    add(&m, w, u);
  }
  pass(&m, 0, u);
  reverse_layer(&m, theta, 0, u, v, NULL, gradient);
}

static double flops(const void *self, int known) {
  (void)known;
  const Encoder *e = self;
  double sum = 6.0 * e->plane.rows * e->plane.columns * e->width;
  for (int l = 0; l < e->n; l++) {
    sum += (l == 0 ? 2 : 3) * convolution_flops(&e->layers[l].convolution, &e->plane);
  }
  return sum;
}

#define KIND(names, description_, create_)                                                        \
  {                                                                                               \
    .name = names, .description = description_, .create = create_, .destroy = free, .init = init, \
    .scratch = scratch_size, .forward = forward, .backward = backward, .flops = flops,            \
    .layers = 4, .together = true                                                                 \
  }
const EncoderKind encoder_partial_conv =
    KIND("partial_conv", "partial convolutions and batch norm in residual blocks", create_right);
const EncoderKind encoder_partial_conv_official =
    KIND("partial_conv_official",
         "the same as released: pixels of red <= 0 unknown, layers after the first without a mask",
         create_official);
