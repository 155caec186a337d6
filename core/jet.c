#include "core/jet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/encoding.h"
#include "core/jet_layer.h"
#include "core/linalg.h"
#include "core/memory.h"

/* Memory of one hidden layer, all streams of a block: before[l] = u = omega (W h + b) (its value
 * rows hold the activation's aux after the forward), after[l] = h of the next layer. */
struct Jet {
  const Network *network;
  JetSpec spec;
  int rows, streams;
  bool reverse;
  real *memory;                     /* everything below */
  real *input;                      /* [streams][rows][features] */
  real *before[NETWORK_MAX_LINEAR]; /* [streams][rows][width] */
  real *after[NETWORK_MAX_LINEAR];  /* [streams][rows][width] */
  real *output;                     /* [streams][rows][out] */
  real *adjoint[2];                 /* [streams][rows][max(width, features)], in turn */
  real *bias;                       /* [width] gradient of a bias, omega b */
};

int jet_streams(const JetSpec *spec, int in) {
  assert(spec->first || spec->n_second == 0);
  return 1 + (spec->first ? in : 0) + spec->n_second;
}

/* Rounds up so that every array starts on the same boundary. */
static size_t aligned(size_t count) {
  const size_t unit = REAL_ALIGN / sizeof(real);
  return (count + unit - 1) / unit * unit;
}

/* Places all arrays after `memory`; NULL only counts. Returns the number of reals. Where nothing is
 * differentiated, two pairs of layer buffers serve all layers in turn. */
static size_t place(Jet *jet, real *memory) {
  const Network *network = jet->network;
  size_t block = (size_t)jet->rows * (size_t)jet->streams;
  size_t width = aligned(block * (size_t)network->spec.width), used = 0;
  int hidden = network->n_linear - 1, own = jet->reverse || hidden < 2 ? hidden : 2;
  size_t widest =
      (size_t)(network->features > network->spec.width ? network->features : network->spec.width);
#define TAKE(pointer, count) (pointer) = memory ? memory + used : NULL, used += aligned(count)
  TAKE(jet->input, block * (size_t)network->features);
  for (int l = 0; l < own; l++) {
    TAKE(jet->before[l], width);
    TAKE(jet->after[l], width);
  }
  for (int l = own; l < hidden; l++) {
    jet->before[l] = jet->before[l % 2];
    jet->after[l] = jet->after[l % 2];
  }
  TAKE(jet->output, block * (size_t)network->spec.out);
  for (int i = 0; i < 2 && jet->reverse; i++) TAKE(jet->adjoint[i], block * widest);
  TAKE(jet->bias, (size_t)network->spec.width);
#undef TAKE
  return used;
}

size_t jet_bytes(const Network *network, const JetSpec *spec, int rows, bool reverse) {
  Jet jet = {.network = network,
             .rows = rows,
             .reverse = reverse,
             .streams = jet_streams(spec, network->spec.in)};
  return sizeof jet + place(&jet, NULL) * sizeof(real);
}

Status jet_create(const Network *network, const JetSpec *spec, int rows, bool reverse, Jet **jet) {
  Jet *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a jet"));
  *made = (Jet){.network = network,
                .spec = *spec,
                .rows = rows,
                .reverse = reverse,
                .streams = jet_streams(spec, network->spec.in)};
  Status status = memory_allocate(&made->memory, place(made, NULL), sizeof(real), "a jet");
  if (status != STATUS_OK) {
    free(made);
    return status;
  }
  place(made, made->memory);
  *jet = made;
  return STATUS_OK;
}

void jet_destroy(Jet *jet) {
  if (!jet) return;
  free(jet->memory);
  free(jet);
}

/* The matrix that enters linear layer l. */
static const real *layer_input(const Jet *jet, int l) {
  return l == 0 ? jet->input : jet->after[l - 1];
}

static JetLayer layer_view(const Jet *jet, int l, const real *weights) {
  return (JetLayer){.activation = jet->network->spec.activation,
                    .spec = &jet->spec,
                    .in = jet->network->spec.in,
                    .rows = jet->rows,
                    .width = jet->network->linear[l].out,
                    .weights = weights,
                    .before = jet->before[l],
                    .after = jet->after[l]};
}

const real *jet_forward(Jet *jet, const real *theta, const real *x, const real *weights) {
  const Network *network = jet->network;
  int block = jet->rows * jet->streams, last = network->n_linear - 1;
  network->spec.encoding->forward(network, &jet->spec, jet->rows, theta, x, weights, jet->input);
  for (int l = 0; l < last; l++) {
    const Linear *linear = &network->linear[l];
    linalg_nt(block, linear->out, linear->in, (real)linear->omega, layer_input(jet, l),
              theta + linear->weight, jet->before[l]);
    for (int j = 0; j < linear->out; j++) {
      jet->bias[j] = (real)linear->omega * theta[linear->bias + (size_t)j];
    }
    JetLayer layer = layer_view(jet, l, weights);
    jet_layer_forward(&layer, jet->bias);
  }
  const Linear *linear = &network->linear[last];
  linalg_nt(block, linear->out, linear->in, 1, layer_input(jet, last), theta + linear->weight,
            jet->output);
  for (int r = 0; r < jet->rows; r++) {
    for (int j = 0; j < linear->out; j++) {
      jet->output[r * linear->out + j] += theta[linear->bias + (size_t)j];
    }
  }
  return jet->output;
}

/* Parameter gradient of one linear layer from the adjoint u_bar [streams][rows][out] of its output.
 */
static void linear_gradient(const Jet *jet, int l, const real *u_bar, const real *bias_bar,
                            bool accumulate, real *gradient) {
  const Linear *linear = &jet->network->linear[l];
  linalg_tn(linear->out, linear->in, jet->rows * jet->streams, (real)linear->omega, u_bar,
            layer_input(jet, l), accumulate, gradient + linear->weight);
  real *target = gradient + linear->bias;
  for (int j = 0; j < linear->out; j++) {
    target[j] = (real)linear->omega * bias_bar[j] + (accumulate ? target[j] : 0);
  }
}

static void encoding_gradient(const Jet *jet, const real *theta, const real *x, const real *weights,
                              const real *h_bar, bool accumulate, real *gradient) {
  const Network *network = jet->network;
  if (!accumulate) memset(gradient, 0, network->linear[0].weight * sizeof *gradient);
  network->spec.encoding->reverse(network, &jet->spec, jet->rows, theta, x, weights, h_bar,
                                  gradient);
}

void jet_reverse(Jet *jet, const real *theta, const real *x, const real *weights, const real *y_bar,
                 real *gradient, bool accumulate) {
  assert(jet->reverse);
  const Network *network = jet->network;
  int block = jet->rows * jet->streams, last = network->n_linear - 1;
  const Linear *output = &network->linear[last];
  real output_bias[output->out];
  memset(output_bias, 0, sizeof output_bias);
  for (int r = 0; r < jet->rows; r++) {
    for (int j = 0; j < output->out; j++) output_bias[j] += y_bar[r * output->out + j];
  }
  linear_gradient(jet, last, y_bar, output_bias, accumulate, gradient);
  real *bar = jet->adjoint[0], *next = jet->adjoint[1];
  linalg_nn(block, output->in, output->out, 1, y_bar, theta + output->weight, bar);
  for (int l = last - 1; l >= 0; l--) {
    const Linear *linear = &network->linear[l];
    JetLayer layer = layer_view(jet, l, weights);
    jet_layer_reverse(&layer, bar, jet->bias);
    linear_gradient(jet, l, bar, jet->bias, accumulate, gradient);
    if (l == 0 && !network->spec.encoding->reverse) return;
    linalg_nn(block, linear->in, linear->out, (real)linear->omega, bar, theta + linear->weight,
              next);
    real *swap = bar;
    bar = next;
    next = swap;
  }
  encoding_gradient(jet, theta, x, weights, bar, accumulate, gradient);
}

double jet_flops(const Network *network, const JetSpec *spec) {
  double multiplications = 0;
  for (int l = 0; l < network->n_linear; l++) {
    multiplications += (double)network->linear[l].in * network->linear[l].out;
  }
  return 6 * multiplications * jet_streams(spec, network->spec.in);
}
