/* Jets by streams: value, first and second derivatives go through the layers together
 * (methods 2.2, 2.3). */
#include "core/encoding.h"
#include "core/jet_kind.h"
#include "core/jet_layer.h"
#include "core/linalg.h"

/* Memory of one hidden layer, all streams of a block: before[l] = u = omega (W h + b) (its value
 * rows hold the activation's aux after the forward), after[l] = h of the next layer. */
typedef struct {
  Jet head;
  real *input;                      /* [streams][rows][features] */
  real *before[NETWORK_MAX_LINEAR]; /* [streams][rows][width] */
  real *after[NETWORK_MAX_LINEAR];  /* [streams][rows][width] */
  real *output;                     /* [streams][rows][out] */
  real *adjoint[2];                 /* [streams][rows][max(width, features)], in turn */
  real *bias;                       /* [width] omega b, or the gradient of a bias */
} Streams;

static int passes(const Network *network, const JetSpec *spec) {
  return jet_streams(spec, network->spec.in);
}

/* Where nothing is differentiated, two pairs of layer buffers serve all layers in turn. */
static size_t place(Jet *head, real *memory) {
  Streams *jet = (Streams *)head;
  const Network *network = head->network;
  size_t block = (size_t)head->rows * (size_t)head->streams;
  size_t width = block * (size_t)network->spec.width, used = 0;
  int hidden = network->n_linear - 1, own = head->reverse || hidden < 2 ? hidden : 2;
  size_t widest =
      (size_t)(network->features > network->spec.width ? network->features : network->spec.width);
#define TAKE(pointer, count) (pointer) = memory ? memory + used : NULL, used += real_aligned(count)
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
  for (int i = 0; i < 2 && head->reverse; i++) TAKE(jet->adjoint[i], block * widest);
  TAKE(jet->bias, (size_t)network->spec.width);
#undef TAKE
  return used;
}

/* The matrix that enters linear layer l. */
static const real *layer_input(const Streams *jet, int l) {
  return l == 0 ? jet->input : jet->after[l - 1];
}

static JetLayer layer_view(const Streams *jet, int l, const real *weights) {
  const Network *network = jet->head.network;
  return (JetLayer){.activation = network->spec.activation,
                    .spec = &jet->head.spec,
                    .in = network->spec.in,
                    .rows = jet->head.rows,
                    .width = network->linear[l].out,
                    .weights = weights,
                    .before = jet->before[l],
                    .after = jet->after[l]};
}

static const real *forward(Jet *head, const real *theta, const real *x, const real *weights) {
  Streams *jet = (Streams *)head;
  const Network *network = head->network;
  int block = head->rows * head->streams, last = network->n_linear - 1;
  network->spec.encoding->forward(network, &head->spec, head->rows, theta, x, weights, jet->input);
  for (int l = 0; l < last; l++) {
    const Linear *linear = &network->linear[l];
    linalg_nt(block, linear->out, linear->in, (real)linear->omega, layer_input(jet, l),
              theta + linear->weight, jet->before[l]);
    jet_scaled_bias(linear, theta, jet->bias);
    JetLayer layer = layer_view(jet, l, weights);
    jet_layer_forward(&layer, jet->bias);
  }
  const Linear *linear = &network->linear[last];
  linalg_nt(block, linear->out, linear->in, 1, layer_input(jet, last), theta + linear->weight,
            jet->output);
  jet_output_bias(head, theta, jet->output);
  return jet->output;
}

/* Weight gradient of one linear layer from the adjoint u_bar [streams][rows][out] of its output. */
static void weight_gradient(const Streams *jet, int l, const real *u_bar, bool accumulate,
                            real *gradient) {
  const Linear *linear = &jet->head.network->linear[l];
  linalg_tn(linear->out, linear->in, jet->head.rows * jet->head.streams, (real)linear->omega, u_bar,
            layer_input(jet, l), accumulate, gradient + linear->weight);
}

/* What becomes of a layer's adjoint on the way back: its weight and bias gradient, or a copy. */
typedef struct {
  real *gradient;
  bool accumulate;
  real *const *bar; /* not NULL: copies, times omega */
} Backward;

static void take_layer(Streams *jet, int l, const real *u_bar, const Backward *backward) {
  const Linear *linear = &jet->head.network->linear[l];
  if (!backward->bar) {
    weight_gradient(jet, l, u_bar, backward->accumulate, backward->gradient);
    if (l == jet->head.network->n_linear - 1) {
      jet_output_bias_gradient(&jet->head, u_bar, backward->accumulate, backward->gradient);
    } else {
      jet_bias_gradient(linear, jet->bias, backward->accumulate, backward->gradient);
    }
    return;
  }
  size_t n = (size_t)jet->head.rows * (size_t)jet->head.streams * (size_t)linear->out;
  for (size_t i = 0; i < n; i++) backward->bar[l][i] = (real)linear->omega * u_bar[i];
}

/* Returns the adjoint of the first layer's input, NULL where nobody needs it. */
static const real *sweep(Streams *jet, const real *theta, const real *weights, const real *y_bar,
                         const Backward *backward) {
  const Network *network = jet->head.network;
  int block = jet->head.rows * jet->head.streams, last = network->n_linear - 1;
  const Linear *output = &network->linear[last];
  take_layer(jet, last, y_bar, backward);
  real *bar = jet->adjoint[0], *next = jet->adjoint[1];
  linalg_nn(block, output->in, output->out, 1, y_bar, theta + output->weight, bar);
  for (int l = last - 1; l >= 0; l--) {
    const Linear *linear = &network->linear[l];
    JetLayer layer = layer_view(jet, l, weights);
    jet_layer_reverse(&layer, bar, jet->bias);
    take_layer(jet, l, bar, backward);
    if (l == 0 && (backward->bar || !network->spec.encoding->reverse)) return NULL;
    linalg_nn(block, linear->in, linear->out, (real)linear->omega, bar, theta + linear->weight,
              next);
    real *swap = bar;
    bar = next;
    next = swap;
  }
  return bar;
}

static void reverse(Jet *head, const real *theta, const real *x, const real *weights,
                    const real *y_bar, real *gradient, bool accumulate) {
  Backward backward = {gradient, accumulate, NULL};
  const real *h_bar = sweep((Streams *)head, theta, weights, y_bar, &backward);
  if (h_bar) jet_encoding_gradient(head, theta, x, weights, h_bar, accumulate, gradient);
}

static void factors(Jet *head, const real *theta, const real *weights, const real *y_bar,
                    real *const *bar) {
  Backward backward = {.bar = bar};
  sweep((Streams *)head, theta, weights, y_bar, &backward);
}

static const real *input(const Jet *head, int layer) {
  return layer_input((const Streams *)head, layer);
}

const JetKind jet_streams_kind = {passes, sizeof(Streams), place, forward, reverse, factors, input};
