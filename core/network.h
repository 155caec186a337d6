/* A multilayer perceptron y = W_L h + b_L, h_i = sigma(omega_i (W_i h_{i-1} + b_i)), h_0 =
 * encoding(x), over ONE parameter vector theta that the caller owns and hands in (a hypernetwork
 * may supply it). Sitzmann et al. 2020, section 3; note that omega multiplies the bias, too
 * (paper.md 0.2). */
#ifndef CORE_NETWORK_H
#define CORE_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "core/activation.h"
#include "core/real.h"
#include "core/status.h"

enum {
  NETWORK_MAX_IN = 4,      /* coordinates */
  NETWORK_MAX_LINEAR = 64, /* linear layers: first + hidden + output */
  NETWORK_MAX_FREQUENCIES = 30,
  NETWORK_MAX_TENSORS = 2 * NETWORK_MAX_LINEAR + 2,
};

struct Encoding; /* core/encoding.h */

typedef struct {
  int in, out; /* coordinates 1..NETWORK_MAX_IN, channels >= 1 */
  int width;   /* units of a hidden layer >= 1 */
  int layers;  /* hidden layers after the first >= 0; the network has layers + 2 linear ones */
  const Activation *activation;     /* borrowed */
  const struct Encoding *encoding;  /* borrowed */
  int frequencies;                  /* positional encoding: L >= 0 */
  int centres;                      /* RBF encoding: number of radial functions */
  double rbf_sigma;                 /* RBF encoding: initial sigma */
  double omega_first, omega_hidden; /* > 0; only where the activation has omega */
  const char *weight_init;          /* network_weight_inits; borrowed */
  const char *bias_init;            /* network_bias_inits; borrowed */
} NetworkSpec;

/* A named window of theta, row-major [rows][cols]: "layer0/weight" [out][in], "layer0/bias"
 * [out][1], "encoding/centres" [k][in], "encoding/sigmas" [k][1]. */
typedef struct {
  char name[24];
  size_t offset;
  int rows, cols;
} Tensor;

typedef struct {
  int in, out;
  size_t weight, bias; /* offsets into theta */
  double omega;        /* 1 for the output layer and for activations without omega */
} Linear;

typedef struct {
  NetworkSpec spec;
  int features; /* width of h_0 = encoding(x) */
  int n_linear;
  Linear linear[NETWORK_MAX_LINEAR];
  int n_tensors; /* in the order of theta; together they cover it */
  Tensor tensors[NETWORK_MAX_TENSORS];
  size_t n_parameters;
} Network;

/* Names accepted by weight_init: official (first layer 1/n), paper (sqrt(6/n) in the first layer,
 * too); and by bias_init: torch (U(+-1/sqrt(n_in)), PyTorch's default), zero, weight (the bound of
 * the layer's weights). NULL-terminated. */
extern const char *const network_weight_inits[];
extern const char *const network_bias_inits[];

/* Local. Lays out the network. Fails (STATUS_USAGE) on a spec out of range; the message names the
 * key. */
Status network_create(const NetworkSpec *spec, Network *network);

/* Local. Draws theta [n_parameters] (official code's rules, paper.md 0.3), a pure function of the
 * seed. */
void network_init(const Network *network, uint64_t seed, real *theta);

#endif
