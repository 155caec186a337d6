/* Value and gradient of few outputs by a reverse sweep (methods 2.4), in 1 + k passes for k
 * outputs, whatever the number of coordinates. Per output, with g the derivative of the output with
 * respect to a layer's h, p = sigma' g: adjoint   g(l-1) = omega p(l) W(l); grad y = g(0), through
 * the encoding's streams tangent   pi(l) = omega gamma(l-1) W(l)^T, gamma(l) = sigma' pi, z(l) +=
 * sigma'' g pi;   gamma(0) = dL/d(grad y) reverse   u_bar = sigma' h_bar + z,  W_bar += omega (p^T
 * gamma + u_bar^T h): one product over both. */
#include <string.h>

#include "core/encoding.h"
#include "core/jet_kind.h"
#include "core/jet_layer.h"
#include "core/linalg.h"

/* Slot 0 of left and right belongs to the value, slot 1 + c to output c; a layer's weight gradient
 * is left^T right of the layer before. */
typedef struct {
  Jet head;
  real *input;                     /* [1 + in][rows][features] of the encoding */
  real *aux[NETWORK_MAX_LINEAR];   /* [rows][width] */
  real *left[NETWORK_MAX_LINEAR];  /* [1 + out][rows][width]: u_bar, then p */
  real *right[NETWORK_MAX_LINEAR]; /* [1 + out][rows][width]: h, then gamma */
  real *g[NETWORK_MAX_LINEAR];     /* [out][rows][width] */
  real *z[NETWORK_MAX_LINEAR];     /* [rows][width] */
  real *right_input;               /* [1 + out][rows][features]: encoded x, then gamma(0) */
  real *g_input;                   /* [out][rows][features]: g(0) */
  real *h_bar_input;               /* [1 + in][rows][features]: adjoint of the encoding's streams */
  real *product;                   /* [rows][width] pi or h_bar */
  real *output;                    /* [1 + in][rows][out] */
  real *bias;                      /* [width] */
} Adjoint;

static int passes(const Network *network, const JetSpec *spec) {
  return spec->first && spec->n_second == 0 ? 1 + network->spec.out : 0;
}

static size_t layer_size(const Adjoint *jet) {
  return (size_t)jet->head.rows * (size_t)jet->head.network->spec.width;
}

static size_t input_size(const Adjoint *jet) {
  return (size_t)jet->head.rows * (size_t)jet->head.network->features;
}

static size_t place(Jet *head, real *memory) {
  Adjoint *jet = (Adjoint *)head;
  const Network *network = head->network;
  size_t layer = layer_size(jet), input = input_size(jet), used = 0;
  size_t in = (size_t)network->spec.in, out = (size_t)network->spec.out;
#define TAKE(pointer, count) (pointer) = memory ? memory + used : NULL, used += real_aligned(count)
  TAKE(jet->input, (1 + in) * input);
  for (int l = 0; l < network->n_linear - 1; l++) {
    TAKE(jet->aux[l], layer);
    TAKE(jet->left[l], (1 + out) * layer);
    TAKE(jet->right[l], (1 + out) * layer);
    TAKE(jet->g[l], out * layer);
    TAKE(jet->z[l], layer);
  }
  TAKE(jet->right_input, (1 + out) * input);
  TAKE(jet->g_input, out * input);
  TAKE(jet->h_bar_input, (1 + in) * input);
  TAKE(jet->product, layer);
  TAKE(jet->output, (1 + in) * (size_t)head->rows * out);
  TAKE(jet->bias, (size_t)network->spec.width);
#undef TAKE
  return used;
}

/* ---- Elementwise parts, in chunks for the activation's buffers ---- */

enum { CHUNK = 512 };
#define EACH(j) _Pragma("omp simd") for (size_t j = 0; j < n; j++)

static size_t chunk_length(size_t all, size_t at) {
  return all - at < CHUNK ? all - at : CHUNK;
}

/* p = sigma' g */
static void times_first(const Adjoint *jet, int l, const real *g_all, real *p_all) {
  const Activation *activation = jet->head.network->spec.activation;
  real buffer[CHUNK];
  for (size_t at = 0; at < layer_size(jet); at += CHUNK) {
    size_t n = chunk_length(layer_size(jet), at);
    const real *d1 = activation->first(n, jet->right[l] + at, jet->aux[l] + at, buffer);
    const real *g = g_all + at;
    real *p = p_all + at;
    EACH(j) p[j] = d1[j] * g[j];
  }
}

/* gamma = sigma' pi, z += sigma'' g pi */
static void tangent_layer(const Adjoint *jet, int l, int c) {
  const Activation *activation = jet->head.network->spec.activation;
  size_t layer = layer_size(jet);
  real buffer[2][CHUNK];
  for (size_t at = 0; at < layer; at += CHUNK) {
    size_t n = chunk_length(layer, at);
    const real *h = jet->right[l] + at, *aux = jet->aux[l] + at;
    const real *d1 = activation->first(n, h, aux, buffer[0]);
    const real *d2 = activation->second(n, h, aux, buffer[1]);
    const real *pi = jet->product + at, *g = jet->g[l] + (size_t)c * layer + at;
    real *gamma = jet->right[l] + (size_t)(1 + c) * layer + at, *z = jet->z[l] + at;
    EACH(j) gamma[j] = d1[j] * pi[j];
    EACH(j) z[j] = fused(d2[j] * g[j], pi[j], z[j]);
  }
}

/* u_bar = sigma' h_bar + z; bias_bar [width] = sum of its rows */
static void reverse_layer(const Adjoint *jet, int l) {
  const size_t n = (size_t)jet->head.network->spec.width;
  real *u_bar = jet->left[l];
  times_first(jet, l, jet->product, u_bar);
  memset(jet->bias, 0, n * sizeof *jet->bias);
  for (int r = 0; r < jet->head.rows; r++) {
    real *row = u_bar + (size_t)r * n;
    const real *z = jet->z[l] + (size_t)r * n;
    EACH(j) {
      row[j] += z[j];
      jet->bias[j] += row[j];
    }
  }
}

/* ---- Forward ---- */

static const real *value_input(const Adjoint *jet, int l) {
  return l == 0 ? jet->right_input : jet->right[l - 1];
}

static void value_sweep(Adjoint *jet, const real *theta) {
  const Network *network = jet->head.network;
  const JetSpec value_only = {0};
  int last = network->n_linear - 1;
  for (int l = 0; l < last; l++) {
    const Linear *linear = &network->linear[l];
    linalg_nt(jet->head.rows, linear->out, linear->in, (real)linear->omega, value_input(jet, l),
              theta + linear->weight, jet->aux[l]);
    jet_scaled_bias(linear, theta, jet->bias);
    JetLayer layer = {.activation = network->spec.activation,
                      .spec = &value_only,
                      .in = network->spec.in,
                      .rows = jet->head.rows,
                      .width = linear->out,
                      .before = jet->aux[l],
                      .after = jet->right[l]};
    jet_layer_forward(&layer, jet->bias);
  }
  const Linear *linear = &network->linear[last];
  linalg_nt(jet->head.rows, linear->out, linear->in, 1, value_input(jet, last),
            theta + linear->weight, jet->output);
  jet_output_bias(&jet->head, theta, jet->output);
}

/* g(0) of output c. */
static void adjoint_sweep(Adjoint *jet, const real *theta, int c) {
  const Network *network = jet->head.network;
  int last = network->n_linear - 1, width = network->spec.width, rows = jet->head.rows;
  size_t layer = layer_size(jet);
  const real *w = theta + network->linear[last].weight + (size_t)c * (size_t)width;
  real *top = jet->g[last - 1] + (size_t)c * layer;
  for (int r = 0; r < rows; r++) memcpy(top + r * width, w, (size_t)width * sizeof *top);
  for (int l = last - 1; l >= 0; l--) {
    const Linear *linear = &network->linear[l];
    real *p = jet->left[l] + (size_t)(1 + c) * layer;
    times_first(jet, l, jet->g[l] + (size_t)c * layer, p);
    real *below =
        l > 0 ? jet->g[l - 1] + (size_t)c * layer : jet->g_input + (size_t)c * input_size(jet);
    linalg_nn(rows, linear->in, linear->out, (real)linear->omega, p, theta + linear->weight, below);
  }
}

/* dy_c/dx_i = sum over features of g(0) dh_0/dx_i, row by row. */
static void gradient_output(Adjoint *jet, int c) {
  const NetworkSpec *spec = &jet->head.network->spec;
  int features = jet->head.network->features, rows = jet->head.rows;
  const real *g = jet->g_input + (size_t)c * input_size(jet);
  for (int i = 0; i < spec->in; i++) {
    const real *h = jet->input + (size_t)(1 + i) * input_size(jet);
    real *y = jet->output + (size_t)(1 + i) * (size_t)(rows * spec->out);
    for (int r = 0; r < rows; r++) {
      real sum = 0;
      for (int f = 0; f < features; f++) sum = fused(g[r * features + f], h[r * features + f], sum);
      y[r * spec->out + c] = sum;
    }
  }
}

static const real *forward(Jet *head, const real *theta, const real *x, const real *weights) {
  Adjoint *jet = (Adjoint *)head;
  const Network *network = head->network;
  network->spec.encoding->forward(network, &head->spec, head->rows, theta, x, weights, jet->input);
  memcpy(jet->right_input, jet->input, input_size(jet) * sizeof(real));
  value_sweep(jet, theta);
  for (int c = 0; c < network->spec.out; c++) {
    adjoint_sweep(jet, theta, c);
    gradient_output(jet, c);
  }
  return jet->output;
}

/* ---- Reverse ---- */

/* gamma(0) = sum_i dL/d(dy_c/dx_i) dh_0/dx_i, then upwards; the output's weights take gamma of the
 * last layer. */
static void tangent_sweep(Adjoint *jet, const real *theta, const real *y_bar, int c) {
  const Network *network = jet->head.network;
  int rows = jet->head.rows, features = network->features, out = network->spec.out;
  size_t layer = layer_size(jet), input = input_size(jet);
  real *gamma = jet->right_input + (size_t)(1 + c) * input;
  memset(gamma, 0, input * sizeof *gamma);
  for (int i = 0; i < network->spec.in; i++) {
    const real *h = jet->input + (size_t)(1 + i) * input;
    const real *seed = y_bar + (size_t)(1 + i) * (size_t)(rows * out);
    for (int r = 0; r < rows; r++) {
      for (int f = 0; f < features; f++) {
        size_t at = (size_t)(r * features + f);
        gamma[at] = fused(seed[r * out + c], h[at], gamma[at]);
      }
    }
  }
  for (int l = 0; l < network->n_linear - 1; l++) {
    const Linear *linear = &network->linear[l];
    linalg_nt(rows, linear->out, linear->in, (real)linear->omega, gamma, theta + linear->weight,
              jet->product);
    tangent_layer(jet, l, c);
    gamma = jet->right[l] + (size_t)(1 + c) * layer;
  }
}

static void output_gradient(Adjoint *jet, const real *y_bar, bool accumulate, real *gradient) {
  const Network *network = jet->head.network;
  const Linear *output = &network->linear[network->n_linear - 1];
  const real *right = jet->right[network->n_linear - 2];
  real *w_bar = gradient + output->weight;
  linalg_tn(output->out, output->in, jet->head.rows, 1, y_bar, right, accumulate, w_bar);
  jet_output_bias_gradient(&jet->head, y_bar, accumulate, gradient);
  for (int c = 0; c < output->out; c++) {
    const real *gamma = right + (size_t)(1 + c) * layer_size(jet);
    for (int r = 0; r < jet->head.rows; r++) {
      for (int j = 0; j < output->in; j++) w_bar[c * output->in + j] += gamma[r * output->in + j];
    }
  }
}

/* The adjoint of the encoding's streams: dh_0/dx_i enters dy_c/dx_i with g(0). */
static void input_adjoint(Adjoint *jet, const real *theta, const real *y_bar) {
  const Network *network = jet->head.network;
  const Linear *linear = &network->linear[0];
  int rows = jet->head.rows, features = network->features, out = network->spec.out;
  size_t input = input_size(jet);
  linalg_nn(rows, linear->in, linear->out, (real)linear->omega, jet->left[0],
            theta + linear->weight, jet->h_bar_input);
  memset(jet->h_bar_input + input, 0, (size_t)network->spec.in * input * sizeof(real));
  for (int i = 0; i < network->spec.in; i++) {
    real *bar = jet->h_bar_input + (size_t)(1 + i) * input;
    const real *seed = y_bar + (size_t)(1 + i) * (size_t)(rows * out);
    for (int c = 0; c < out; c++) {
      const real *g = jet->g_input + (size_t)c * input;
      for (int r = 0; r < rows; r++) {
        for (int f = 0; f < features; f++) {
          size_t at = (size_t)(r * features + f);
          bar[at] = fused(seed[r * out + c], g[at], bar[at]);
        }
      }
    }
  }
}

static void reverse(Jet *head, const real *theta, const real *x, const real *weights,
                    const real *y_bar, real *gradient, bool accumulate) {
  Adjoint *jet = (Adjoint *)head;
  const Network *network = head->network;
  int last = network->n_linear - 1, slots = 1 + network->spec.out;
  const Linear *output = &network->linear[last];
  for (int l = 0; l < last; l++) memset(jet->z[l], 0, layer_size(jet) * sizeof(real));
  for (int c = 0; c < network->spec.out; c++) tangent_sweep(jet, theta, y_bar, c);
  output_gradient(jet, y_bar, accumulate, gradient);
  linalg_nn(head->rows, output->in, output->out, 1, y_bar, theta + output->weight, jet->product);
  for (int l = last - 1; l >= 0; l--) {
    const Linear *linear = &network->linear[l];
    reverse_layer(jet, l);
    linalg_tn(linear->out, linear->in, head->rows * slots, (real)linear->omega, jet->left[l],
              value_input(jet, l), accumulate, gradient + linear->weight);
    jet_bias_gradient(linear, jet->bias, accumulate, gradient);
    if (l == 0) break;
    linalg_nn(head->rows, linear->in, linear->out, (real)linear->omega, jet->left[l],
              theta + linear->weight, jet->product);
  }
  if (!network->spec.encoding->reverse) return;
  input_adjoint(jet, theta, y_bar);
  jet_encoding_gradient(head, theta, x, weights, jet->h_bar_input, accumulate, gradient);
}

const JetKind jet_adjoint_kind = {passes, sizeof(Adjoint), place, forward, reverse, NULL, NULL};
