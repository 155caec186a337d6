/* The hypernetwork of the paper (paper.md 8.2): for each parameter tensor of the generated network,
 * a ReLU network of its own from the code to all of its numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/product.h"
#include "hyper/dense.h"
#include "hyper/generator.h"

enum { MAX_LAYERS = 8, DEPTH = 256, PAD = 8 };

/* The network that makes one tensor. */
typedef struct {
  const Tensor *target;
  Dense hidden[MAX_LAYERS];
  size_t numbers;      /* of the target */
  size_t weight, bias; /* of the last layer in theta: [numbers][width], [numbers] */
} Part;

typedef struct {
  GeneratorSpec spec;
  int n_parts;
  Part *parts;
  OuterTensor *outer; /* [n_parts] */
} Hypernetwork;

static void destroy(void *self) {
  Hypernetwork *hyper = self;
  if (!hyper) return;
  free(hyper->parts);
  free(hyper->outer);
  free(hyper);
}

static void create_part(const Hypernetwork *hyper, Parameters *parameters, int number) {
  const Activation *relu = activation_find("relu");
  Part *part = &hyper->parts[number];
  int in = hyper->spec.code;
  part->target = &hyper->spec.hypo->tensors[number];
  part->numbers = (size_t)part->target->rows * (size_t)part->target->cols;
  for (int l = 0; l < hyper->spec.layers; l++) {
    char name[32];
    snprintf(name, sizeof name, "hyper%d/layer%d", number, l);
    part->hidden[l] = dense_create(parameters, name, in, hyper->spec.width, relu, 1);
    in = hyper->spec.width;
  }
  part->bias = parameters_add(parameters, (int)part->numbers, 1, "hyper%d/last/bias", number);
}

static Status allocate(Hypernetwork *hyper) {
  size_t n = (size_t)hyper->n_parts;
  TRY(memory_allocate(&hyper->parts, n, sizeof *hyper->parts, "a hypernetwork"));
  return memory_allocate(&hyper->outer, n, sizeof *hyper->outer, "a hypernetwork");
}

static Status create(const GeneratorSpec *spec, Parameters *parameters, void **self) {
  if (spec->layers < 1 || spec->layers > MAX_LAYERS || spec->width > OUTER_MAX_COLS) {
    return status_fail(STATUS_USAGE,
                       "a hypernetwork has 1 to %d hidden layers of at most %d units, not %d of %d",
                       MAX_LAYERS, OUTER_MAX_COLS, spec->layers, spec->width);
  }
  int tensors = parameters->n + spec->hypo->n_tensors * (2 * spec->layers + 2);
  if (tensors > PARAMETERS_MAX) {
    return status_fail(STATUS_USAGE,
                       "networks for each of a network's %d tensors have %d tensors with the "
                       "encoder's, at most %d are possible; take fewer layers",
                       spec->hypo->n_tensors, tensors, PARAMETERS_MAX);
  }
  Hypernetwork *hyper;
  TRY(memory_allocate(&hyper, 1, sizeof *hyper, "a hypernetwork"));
  *hyper = (Hypernetwork){.spec = *spec, .n_parts = spec->hypo->n_tensors};
  Status status = allocate(hyper);
  if (status != STATUS_OK) {
    destroy(hyper);
    return status;
  }
  for (int i = 0; i < hyper->n_parts; i++) create_part(hyper, parameters, i);
  *self = hyper;
  return STATUS_OK;
}

static void add_outer(void *self, size_t stride, Parameters *parameters, Outer *outer) {
  Hypernetwork *hyper = self;
  int width = hyper->spec.width;
  for (int i = 0; i < hyper->n_parts; i++) {
    Part *part = &hyper->parts[i];
    part->weight = parameters_add(parameters, (int)part->numbers, width, "hyper%d/last/weight", i);
    hyper->outer[i] = (OuterTensor){.name = parameters->tensors[parameters->n - 1].name,
                                    .offset = part->weight,
                                    .rows = (int)part->numbers,
                                    .cols = width,
                                    .u = part->target->offset,
                                    .v = (size_t)i * (size_t)width};
  }
  outer->n_tensors = hyper->n_parts;
  outer->tensors = hyper->outer;
  outer->u_size = stride;
  outer->v_size = (size_t)hyper->n_parts * (size_t)width;
}

/* The last layer begins at about U(+-1/n) for weights with n inputs and for biases of layers with n
 * units, whatever the code. */
static void init(const void *self, uint64_t seed, real *theta) {
  const Hypernetwork *hyper = self;
  double width = hyper->spec.width;
  for (int i = 0; i < hyper->n_parts; i++) {
    const Part *part = &hyper->parts[i];
    bool bias = part->target->cols == 1 && strstr(part->target->name, "bias");
    double inputs = bias ? hyper->spec.hypo->spec.width : part->target->cols;
    for (int l = 0; l < hyper->spec.layers; l++) dense_init(&part->hidden[l], seed, theta);
    parameters_normal(seed, part->weight, part->numbers * (size_t)width, sqrt(2 / width) / 100,
                      theta + part->weight);
    parameters_uniform(seed, part->bias, part->numbers, 1 / inputs, theta + part->bias);
  }
}

/* ---- Scratch memory: of every part, h and aux of each layer; bars and a buffer ---- */

/* Rows of the last hidden layer are padded, as products like whole tiles of them. */
static size_t padded(int images) {
  return (size_t)(images + PAD - 1) / PAD * PAD;
}

typedef struct {
  size_t layer; /* reals of a layer's h or aux */
  real *layers; /* [parts][layers][2][layer] */
  real *bar[2], *buffer;
  double *sum; /* [layer] */
} Memory;

static size_t place(const Hypernetwork *hyper, int images, real *scratch, Memory *memory) {
  size_t parts = (size_t)hyper->n_parts, layers = (size_t)hyper->spec.layers, used = 0;
  int wide = hyper->spec.code > hyper->spec.width ? hyper->spec.code : hyper->spec.width;
  memory->layer = real_aligned(padded(images) * (size_t)wide);
#define TAKE(pointer, type, count) \
  (pointer) = scratch ? (type *)(scratch + used) : NULL, used += (count)
  TAKE(memory->layers, real, parts * layers * 2 * memory->layer);
  TAKE(memory->bar[0], real, memory->layer);
  TAKE(memory->bar[1], real, memory->layer);
  TAKE(memory->buffer, real, memory->layer);
  TAKE(memory->sum, double, memory->layer * sizeof(double) / sizeof(real));
#undef TAKE
  return used;
}

static size_t scratch_reals(const void *self, int images) {
  Memory memory;
  return place(self, images, NULL, &memory);
}

static real *layer_of(const Hypernetwork *hyper, const Memory *memory, int part, int l, bool aux) {
  size_t layers = (size_t)hyper->spec.layers;
  return memory->layers + (((size_t)part * layers + (size_t)l) * 2 + aux) * memory->layer;
}

static real *last_hidden(const Hypernetwork *hyper, const Memory *memory, int part) {
  return layer_of(hyper, memory, part, hyper->spec.layers - 1, false);
}

/* ---- Forward ---- */

static void forward_hidden(const Hypernetwork *hyper, const real *theta, int images,
                           const real *code, const Memory *memory, int number) {
  const Part *part = &hyper->parts[number];
  const real *x = code;
  size_t width = (size_t)hyper->spec.width;
  for (int l = 0; l < hyper->spec.layers; l++) {
    real *h = layer_of(hyper, memory, number, l, false);
    dense_forward(&part->hidden[l], theta, images, x, h, layer_of(hyper, memory, number, l, true));
    memset(h + (size_t)images * width, 0, (padded(images) - (size_t)images) * width * sizeof *h);
    x = h;
  }
}

static void copy_rows(int images, size_t count, const real *from, const real *bias, size_t stride,
                      real *to) {
  for (int i = 0; i < images; i++, from += count, to += stride) {
#pragma omp simd
    for (size_t j = 0; j < count; j++) to[j] = from[j] + bias[j];
  }
}

/* Numbers of the target by blocks: W is read once, and products are written where they stay in the
 * cache. */
static void forward_last(const Hypernetwork *hyper, const real *theta, int images,
                         const Memory *memory, int number, size_t stride, real *thetas) {
  enum { COLUMNS = 512, MAX_ROWS = 64 };
  const Part *part = &hyper->parts[number];
  const real *h = last_hidden(hyper, memory, number);
  size_t width = (size_t)hyper->spec.width;
  real block[MAX_ROWS * COLUMNS];
  for (size_t first = 0; first < part->numbers; first += COLUMNS) {
    size_t count = part->numbers - first < COLUMNS ? part->numbers - first : COLUMNS;
    for (int image = 0; image < images; image += MAX_ROWS) {
      int left = images - image, rows = left < MAX_ROWS ? left : MAX_ROWS;
      product_run(&(Product){.m = (int)padded(rows),
                             .n = (int)count,
                             .k = (int)width,
                             .alpha = 1,
                             .a = h + (size_t)image * width,
                             .a_row = width,
                             .a_depth = 1,
                             .b = theta + part->weight + first * width,
                             .b_depth = 1,
                             .b_column = width,
                             .c = block,
                             .c_row = count});
      copy_rows(rows, count, block, theta + part->bias + first, stride,
                thetas + (size_t)image * stride + part->target->offset + first);
    }
  }
}

static void forward(const void *self, const real *theta, int images, const real *code,
                    size_t stride, real *thetas, real *scratch) {
  const Hypernetwork *hyper = self;
  Memory memory;
  place(hyper, images, scratch, &memory);
  for (int i = 0; i < hyper->n_parts; i++) {
    forward_hidden(hyper, theta, images, code, &memory, i);
    forward_last(hyper, theta, images, &memory, i, stride, thetas);
  }
}

/* ---- Backward ---- */

/* bar [images][width] = thetas_bar W, summed in double over blocks of the target's numbers: a
 * single chain over all of them would lose digits. */
static void backward_last(const Hypernetwork *hyper, const real *theta, int images,
                          const Memory *memory, int number, size_t stride, const real *thetas_bar) {
  const Part *part = &hyper->parts[number];
  size_t width = (size_t)hyper->spec.width, count = (size_t)images * width;
  memset(memory->sum, 0, count * sizeof *memory->sum);
  for (size_t first = 0; first < part->numbers; first += DEPTH) {
    size_t left = part->numbers - first;
    product_run(&(Product){.m = images,
                           .n = (int)width,
                           .k = (int)(left < DEPTH ? left : DEPTH),
                           .alpha = 1,
                           .a = thetas_bar + part->target->offset + first,
                           .a_row = stride,
                           .a_depth = 1,
                           .b = theta + part->weight + first * width,
                           .b_depth = width,
                           .b_column = 1,
                           .c = memory->buffer,
                           .c_row = width});
    for (size_t i = 0; i < count; i++) memory->sum[i] += (double)memory->buffer[i];
  }
  for (size_t i = 0; i < count; i++) memory->bar[0][i] = (real)memory->sum[i];
}

static void backward_bias(const Part *part, int images, size_t stride, const real *thetas_bar,
                          real *gradient) {
  real *sum = gradient + part->bias;
  for (int i = 0; i < images; i++) {
    const real *bar = thetas_bar + (size_t)i * stride + part->target->offset;
#pragma omp simd
    for (size_t j = 0; j < part->numbers; j++) sum[j] += bar[j];
  }
}

/* Adds to code_bar. */
static void backward_hidden(const Hypernetwork *hyper, const real *theta, int images,
                            const real *code, const Memory *memory, int number, real *code_bar,
                            real *gradient) {
  const Part *part = &hyper->parts[number];
  int layers = hyper->spec.layers;
  for (int l = layers - 1; l >= 0; l--) {
    const real *x = l ? layer_of(hyper, memory, number, l - 1, false) : code;
    real *bar = memory->bar[(layers - 1 - l) % 2], *x_bar = memory->bar[(layers - l) % 2];
    dense_backward(&part->hidden[l], theta, images, x, layer_of(hyper, memory, number, l, false),
                   layer_of(hyper, memory, number, l, true), bar, memory->buffer, x_bar, gradient);
  }
  const real *last = memory->bar[layers % 2];
  for (size_t i = 0; i < (size_t)images * (size_t)hyper->spec.code; i++) code_bar[i] += last[i];
}

static void store_v(const Hypernetwork *hyper, int images, const Memory *memory, real *v) {
  size_t width = (size_t)hyper->spec.width;
  for (int i = 0; i < images; i++) {
    for (int part = 0; part < hyper->n_parts; part++, v += width) {
      memcpy(v, last_hidden(hyper, memory, part) + (size_t)i * width, width * sizeof *v);
    }
  }
}

static void backward(const void *self, const real *theta, int images, const real *code,
                     size_t stride, const real *thetas_bar, real *scratch, real *code_bar,
                     real *gradient, real *v) {
  const Hypernetwork *hyper = self;
  Memory memory;
  place(hyper, images, scratch, &memory);
  memset(code_bar, 0, (size_t)images * (size_t)hyper->spec.code * sizeof *code_bar);
  if (v) store_v(hyper, images, &memory, v);
  for (int i = 0; i < hyper->n_parts; i++) {
    backward_last(hyper, theta, images, &memory, i, stride, thetas_bar);
    if (gradient) backward_bias(&hyper->parts[i], images, stride, thetas_bar, gradient);
    backward_hidden(hyper, theta, images, code, &memory, i, code_bar, gradient);
  }
}

static double flops(const void *self) {
  const Hypernetwork *hyper = self;
  double sum = 0;
  for (int i = 0; i < hyper->n_parts; i++) {
    const Part *part = &hyper->parts[i];
    for (int l = 0; l < hyper->spec.layers; l++) sum += dense_flops(&part->hidden[l]);
    sum += 6. * (double)part->numbers * hyper->spec.width;
  }
  return sum;
}

const GeneratorKind generator_hypernetwork = {
    .name = "hypernetwork",
    .description = "a network for each tensor of the SIREN",
    .create = create,
    .destroy = destroy,
    .outer = add_outer,
    .init = init,
    .scratch = scratch_reals,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};
