#include "core/jet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/encoding.h"
#include "core/jet_kind.h"
#include "core/memory.h"

/* In the order of JetScheme, from JET_STREAMS on. Of equally cheap ones the first is taken. */
static const JetKind *const kinds[] = {&jet_streams_kind, &jet_adjoint_kind};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

int jet_streams(const JetSpec *spec, int in) {
  assert(spec->first || spec->n_second == 0);
  return 1 + (spec->first ? in : 0) + spec->n_second;
}

static const JetKind *choose(const Network *network, const JetSpec *spec) {
  if (spec->scheme != JET_CHEAPEST) {
    const JetKind *kind = kinds[spec->scheme - JET_STREAMS];
    assert(kind->passes(network, spec) > 0);
    return kind;
  }
  const JetKind *best = kinds[0];
  for (int i = 1; i < N_KINDS; i++) {
    int passes = kinds[i]->passes(network, spec);
    if (passes > 0 && passes < best->passes(network, spec)) best = kinds[i];
  }
  return best;
}

int jet_passes(const Network *network, const JetSpec *spec) {
  return choose(network, spec)->passes(network, spec);
}

size_t jet_bytes(const Network *network, const JetSpec *spec, int rows, bool reverse) {
  const JetKind *kind = choose(network, spec);
  Jet *jet = calloc(1, kind->size);
  if (!jet) return kind->size;
  *jet = (Jet){kind, network, *spec, rows, jet_streams(spec, network->spec.in), reverse, NULL};
  size_t bytes = kind->size + kind->place(jet, NULL) * sizeof(real);
  free(jet);
  return bytes;
}

Status jet_create(const Network *network, const JetSpec *spec, int rows, bool reverse, Jet **jet) {
  const JetKind *kind = choose(network, spec);
  Jet *made;
  TRY(memory_allocate(&made, 1, kind->size, "a jet"));
  *made = (Jet){kind, network, *spec, rows, jet_streams(spec, network->spec.in), reverse, NULL};
  Status status =
      memory_allocate(&made->memory, kind->place(made, NULL), sizeof(real), "a jet's streams");
  if (status != STATUS_OK) {
    free(made);
    return status;
  }
  kind->place(made, made->memory);
  *jet = made;
  return STATUS_OK;
}

void jet_destroy(Jet *jet) {
  if (!jet) return;
  free(jet->memory);
  free(jet);
}

const real *jet_forward(Jet *jet, const real *theta, const real *x, const real *weights) {
  return jet->kind->forward(jet, theta, x, weights);
}

void jet_reverse(Jet *jet, const real *theta, const real *x, const real *weights, const real *y_bar,
                 real *gradient, bool accumulate) {
  assert(jet->reverse);
  jet->kind->reverse(jet, theta, x, weights, y_bar, gradient, accumulate);
}

void jet_factors(Jet *jet, const real *theta, const real *weights, const real *y_bar,
                 real *const bar[NETWORK_MAX_LINEAR]) {
  assert(jet->reverse && jet->kind->factors);
  jet->kind->factors(jet, theta, weights, y_bar, bar);
}

const real *jet_input(const Jet *jet, int layer) {
  assert(jet->kind->input);
  return jet->kind->input(jet, layer);
}

double jet_flops(const Network *network, const JetSpec *spec) {
  double multiplications = 0;
  for (int l = 0; l < network->n_linear; l++) {
    multiplications += (double)network->linear[l].in * network->linear[l].out;
  }
  return 6 * multiplications * jet_passes(network, spec);
}

/* ---- Shared by the kinds ---- */

void jet_bias_gradient(const Linear *linear, const real *bias_bar, bool accumulate,
                       real *gradient) {
  real *target = gradient + linear->bias;
  for (int j = 0; j < linear->out; j++) {
    target[j] = (real)linear->omega * bias_bar[j] + (accumulate ? target[j] : 0);
  }
}

void jet_scaled_bias(const Linear *linear, const real *theta, real *bias) {
  for (int j = 0; j < linear->out; j++) {
    bias[j] = (real)linear->omega * theta[linear->bias + (size_t)j];
  }
}

static const Linear *output_layer(const Jet *jet) {
  return &jet->network->linear[jet->network->n_linear - 1];
}

void jet_output_bias(const Jet *jet, const real *theta, real *y) {
  const Linear *linear = output_layer(jet);
  for (int r = 0; r < jet->rows; r++) {
    for (int j = 0; j < linear->out; j++) {
      y[r * linear->out + j] += theta[linear->bias + (size_t)j];
    }
  }
}

void jet_output_bias_gradient(const Jet *jet, const real *y_bar, bool accumulate, real *gradient) {
  const Linear *linear = output_layer(jet);
  for (int j = 0; j < linear->out; j++) {
    real sum = 0;
    for (int r = 0; r < jet->rows; r++) sum += y_bar[r * linear->out + j];
    gradient[linear->bias + (size_t)j] =
        sum + (accumulate ? gradient[linear->bias + (size_t)j] : 0);
  }
}

void jet_encoding_gradient(const Jet *jet, const real *theta, const real *x, const real *weights,
                           const real *h_bar, bool accumulate, real *gradient) {
  const Network *network = jet->network;
  if (!accumulate) memset(gradient, 0, network->linear[0].weight * sizeof *gradient);
  network->spec.encoding->reverse(network, &jet->spec, jet->rows, theta, x, weights, h_bar,
                                  gradient);
}
