/* The decoder of a conditional neural process (Garnelo et al. 2018) as a generator: ONE network of
 * (x, z), whose first layer's part for the code z makes another bias for each image,
 *
 *     W (x, z) + b = W_x x + (b + W_z z),
 *
 * so that images differ in this bias and in nothing else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/linalg.h"
#include "core/memory.h"
#include "core/random.h"
#include "hyper/generator.h"

typedef struct {
  GeneratorSpec spec;
  size_t decoder; /* where the network's theta begins */
  size_t weight;  /* W_z [units][code] */
} Cnp;

static const Linear *first_layer(const Cnp *cnp) {
  return &cnp->spec.hypo->linear[0];
}

static Status create(const GeneratorSpec *spec, Parameters *parameters, void **self) {
  Cnp *cnp;
  TRY(memory_allocate(&cnp, 1, sizeof *cnp, "a decoder"));
  cnp->spec = *spec;
  cnp->decoder = parameters->size;
  for (int i = 0; i < spec->hypo->n_tensors; i++) {
    const Tensor *tensor = &spec->hypo->tensors[i];
    parameters_add(parameters, tensor->rows, tensor->cols, "decoder/%.14s", tensor->name);
  }
  cnp->weight =
      parameters_add(parameters, first_layer(cnp)->out, spec->code, "decoder/code/weight");
  *self = cnp;
  return STATUS_OK;
}

/* The network's streams have the numbers of its layers, those of other tensors their offsets: under
 * one seed they would meet. */
static uint64_t own_seed(const Cnp *cnp, uint64_t seed) {
  uint64_t words[4];
  random_words((RandomStream){seed, RANDOM_WEIGHT, cnp->decoder}, 0, 0, words);
  return words[0];
}

static void init(const void *self, uint64_t seed, real *theta) {
  const Cnp *cnp = self;
  const Linear *first = first_layer(cnp);
  network_init(cnp->spec.hypo, own_seed(cnp, seed), theta + cnp->decoder);
  parameters_normal(seed, cnp->weight, (size_t)first->out * (size_t)cnp->spec.code,
                    sqrt(2. / (first->in + cnp->spec.code)), theta + cnp->weight);
}

/* The bias's part of each image, or its derivative: [images][units]. */
static size_t scratch_reals(const void *self, int images) {
  const Cnp *cnp = self;
  return real_aligned((size_t)images * (size_t)first_layer(cnp)->out);
}

static void forward(const void *self, const real *theta, int images, const real *code,
                    size_t stride, real *thetas, real *scratch) {
  const Cnp *cnp = self;
  const Linear *first = first_layer(cnp);
  linalg_nt(images, first->out, cnp->spec.code, 1, code, theta + cnp->weight, scratch);
  for (int i = 0; i < images; i++, thetas += stride, scratch += first->out) {
    memcpy(thetas, theta + cnp->decoder, cnp->spec.hypo->n_parameters * sizeof *thetas);
    for (int j = 0; j < first->out; j++) thetas[first->bias + (size_t)j] += scratch[j];
  }
}

/* Adds what the decoder's own parameters get. */
static void add_decoder(const Cnp *cnp, int images, size_t stride, const real *thetas_bar,
                        real *decoder) {
  for (int i = 0; i < images; i++) {
    const real *bar = thetas_bar + (size_t)i * stride;
#pragma omp simd
    for (size_t j = 0; j < cnp->spec.hypo->n_parameters; j++) decoder[j] += bar[j];
  }
}

static void backward(const void *self, const real *theta, int images, const real *code,
                     size_t stride, const real *thetas_bar, real *scratch, real *code_bar,
                     real *gradient, real *v) {
  (void)v;
  const Cnp *cnp = self;
  const Linear *first = first_layer(cnp);
  size_t units = (size_t)first->out;
  for (size_t i = 0; i < (size_t)images; i++) {
    memcpy(scratch + i * units, thetas_bar + i * stride + first->bias, units * sizeof *scratch);
  }
  linalg_nn(images, cnp->spec.code, first->out, 1, scratch, theta + cnp->weight, code_bar);
  if (!gradient) return;
  add_decoder(cnp, images, stride, thetas_bar, gradient + cnp->decoder);
  linalg_tn(first->out, cnp->spec.code, images, 1, scratch, code, true, gradient + cnp->weight);
}

static double flops(const void *self) {
  const Cnp *cnp = self;
  return 6. * first_layer(cnp)->out * cnp->spec.code;
}

const GeneratorKind generator_cnp = {
    .name = "cnp",
    .description = "one network of coordinates and code, as conditional neural processes have",
    .create = create,
    .destroy = free,
    .init = init,
    .scratch = scratch_reals,
    .forward = forward,
    .backward = backward,
    .flops = flops,
};
