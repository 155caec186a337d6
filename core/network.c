#include "core/network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/encoding.h"
#include "core/random.h"

const char *const network_weight_inits[] = {"official", "paper", NULL};
const char *const network_bias_inits[] = {"torch", "zero", "weight", NULL};

static bool listed(const char *const *names, const char *name) {
  for (; *names; names++) {
    if (!strcmp(*names, name)) return true;
  }
  return false;
}

static Status check(const NetworkSpec *spec) {
  if (spec->in < 1 || spec->in > NETWORK_MAX_IN) {
    return status_fail(STATUS_USAGE, "a network of %d coordinates: 1 to %d are possible", spec->in,
                       NETWORK_MAX_IN);
  }
  if (spec->out < 1) {
    return status_fail(STATUS_USAGE, "a network of %d output channels: at least 1", spec->out);
  }
  if (spec->width < 1) {
    return status_fail(STATUS_USAGE, "network.width=%d: at least 1", spec->width);
  }
  if (spec->layers < 0 || spec->layers + 2 > NETWORK_MAX_LINEAR) {
    return status_fail(STATUS_USAGE, "network.layers=%d: 0 to %d are possible", spec->layers,
                       NETWORK_MAX_LINEAR - 2);
  }
  if (spec->frequencies < 0 || spec->frequencies > NETWORK_MAX_FREQUENCIES || spec->centres < 1) {
    return status_fail(STATUS_USAGE,
                       "network.frequencies=%d, network.rbf_centres=%d: 0 to %d, and at least 1",
                       spec->frequencies, spec->centres, NETWORK_MAX_FREQUENCIES);
  }
  if (!(spec->omega_first > 0) || !(spec->omega_hidden > 0)) {
    return status_fail(STATUS_USAGE,
                       "network.omega_first=%g, network.omega_hidden=%g: both must be positive",
                       spec->omega_first, spec->omega_hidden);
  }
  if (!listed(network_weight_inits, spec->weight_init)) {
    return status_fail(STATUS_USAGE, "network.weight_init=%s: official or paper",
                       spec->weight_init);
  }
  if (!listed(network_bias_inits, spec->bias_init)) {
    return status_fail(STATUS_USAGE, "network.bias_init=%s: torch, zero or weight",
                       spec->bias_init);
  }
  return STATUS_OK;
}

static size_t add_tensor(Network *network, int layer, const char *kind, int rows, int cols) {
  Tensor *tensor = &network->tensors[network->n_tensors++];
  snprintf(tensor->name, sizeof tensor->name, "layer%d/%s", layer, kind);
  tensor->offset = network->n_parameters;
  tensor->rows = rows;
  tensor->cols = cols;
  network->n_parameters += (size_t)rows * (size_t)cols;
  return tensor->offset;
}

Status network_create(const NetworkSpec *spec, Network *network) {
  TRY(check(spec));
  memset(network, 0, sizeof *network);
  network->spec = *spec;
  network->features = spec->encoding->features(spec);
  network->n_linear = spec->layers + 2;
  if (spec->encoding->layout) spec->encoding->layout(network);
  for (int l = 0; l < network->n_linear; l++) {
    Linear *linear = &network->linear[l];
    bool output = l == network->n_linear - 1;
    linear->in = l == 0 ? network->features : spec->width;
    linear->out = output ? spec->out : spec->width;
    linear->weight = add_tensor(network, l, "weight", linear->out, linear->in);
    linear->bias = add_tensor(network, l, "bias", linear->out, 1);
    bool scaled = spec->activation->has_omega && !output;
    linear->omega = !scaled ? 1 : l == 0 ? spec->omega_first : spec->omega_hidden;
  }
  return STATUS_OK;
}

/* A distribution of weights: uniform in +-scale, or normal with that standard deviation. */
typedef struct {
  bool normal;
  double scale;
} Draw;

static Draw weight_draw(const Network *network, int layer) {
  const NetworkSpec *spec = &network->spec;
  double n = network->linear[layer].in, m = network->linear[layer].out;
  switch (spec->activation->init) {
    case INIT_KAIMING_NORMAL:
      return (Draw){true, sqrt(2 / n)};
    case INIT_XAVIER_NORMAL:
      return (Draw){true, sqrt(2 / (n + m))};
    case INIT_SELU_NORMAL:
      return (Draw){true, 1 / sqrt(n)};
    case INIT_ELU_NORMAL:
      return (Draw){true, sqrt(1.5505188080679277 / n)};
    case INIT_SINE:
      break;
  }
  /* The first layer: the released code's 1/n is right for images, the paper's text gave sqrt(6/n)
   * (paper.md 0.3). */
  if (layer == 0) return (Draw){false, strcmp(spec->weight_init, "paper") ? 1 / n : sqrt(6 / n)};
  return (Draw){false, sqrt(6 / n) / spec->omega_hidden};
}

static double draw_bound(Draw draw) {
  return draw.normal ? sqrt(3) * draw.scale : draw.scale; /* a uniform of the same variance */
}

static void fill(RandomStream stream, Draw draw, size_t n, real *values) {
  for (size_t i = 0; i < n; i++) {
    double x = draw.normal ? random_normal(stream, i, 0) : 2 * random_uniform(stream, i, 0) - 1;
    values[i] = (real)(draw.scale * x);
  }
}

void network_init(const Network *network, uint64_t seed, real *theta) {
  const NetworkSpec *spec = &network->spec;
  if (spec->encoding->init) spec->encoding->init(network, seed, theta);
  for (int l = 0; l < network->n_linear; l++) {
    const Linear *linear = &network->linear[l];
    Draw weight = weight_draw(network, l);
    double bound = !strcmp(spec->bias_init, "zero")    ? 0
                   : !strcmp(spec->bias_init, "torch") ? 1 / sqrt(linear->in)
                                                       : draw_bound(weight);
    fill((RandomStream){seed, RANDOM_WEIGHT, (uint64_t)l}, weight,
         (size_t)linear->out * (size_t)linear->in, theta + linear->weight);
    fill((RandomStream){seed, RANDOM_BIAS, (uint64_t)l}, (Draw){false, bound}, (size_t)linear->out,
         theta + linear->bias);
  }
}
