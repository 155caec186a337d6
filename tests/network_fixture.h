/* Small networks with random parameters for the tests of core/, and a plain evaluation of them. */
#ifndef TESTS_NETWORK_FIXTURE_H
#define TESTS_NETWORK_FIXTURE_H

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/encoding.h"
#include "core/network.h"
#include "core/random.h"

/* Moderate omegas, so that differences of the network converge fast. */
static inline NetworkSpec fixture_spec(const Activation *activation, const Encoding *encoding,
                                       int in, int out, int width, int layers) {
  return (NetworkSpec){.in = in,
                       .out = out,
                       .width = width,
                       .layers = layers,
                       .activation = activation,
                       .encoding = encoding,
                       .frequencies = 2,
                       .centres = 6,
                       .rbf_sigma = 1.25,
                       .omega_first = 2.5,
                       .omega_hidden = 1.5,
                       .weight_init = "official",
                       .bias_init = "torch"};
}

static inline Network fixture_network(NetworkSpec spec) {
  Network network;
  Status status = network_create(&spec, &network);
  assert(status == STATUS_OK);
  (void)status;
  return network;
}

static inline real *fixture_theta(const Network *network, uint64_t seed) {
  real *theta = malloc(network->n_parameters * sizeof *theta);
  assert(theta);
  network_init(network, seed, theta);
  return theta;
}

/* n uniform numbers in (-1, 1) */
static inline real *fixture_random(size_t n, uint64_t seed) {
  real *x = malloc(n * sizeof *x);
  assert(x);
  RandomStream stream = {seed, RANDOM_CHECK, 0};
  for (size_t i = 0; i < n; i++) x[i] = (real)(2 * random_uniform(stream, i, 0) - 1);
  return x;
}

/* One row through the network by plain loops in double: y [out]. Returns the smallest
 * |pre-activation|. The activation itself is the table's. */
static inline double fixture_plain(const Network *network, const real *theta, const real *x,
                                   double *y) {
  const JetSpec value = {0};
  real *h = calloc((size_t)network->features, sizeof *h);
  assert(h);
  network->spec.encoding->forward(network, &value, 1, theta, x, NULL, h);
  double nearest = DBL_MAX;
  for (int l = 0; l < network->n_linear; l++) {
    const Linear *linear = &network->linear[l];
    real *next = calloc((size_t)linear->out, sizeof *next);
    assert(next);
    for (int i = 0; i < linear->out; i++) {
      double sum = (double)theta[linear->bias + (size_t)i];
      for (int j = 0; j < linear->in; j++) {
        sum += (double)theta[linear->weight + (size_t)(i * linear->in + j)] * (double)h[j];
      }
      real u = (real)(linear->omega * sum), aux;
      if (l == network->n_linear - 1) {
        y[i] = sum;
      } else {
        nearest = fmin(nearest, fabs((double)u));
        network->spec.activation->forward(1, &u, &next[i], &aux);
      }
    }
    free(h);
    h = next;
  }
  free(h);
  return nearest;
}

/* Random points of [-1, 1]^in, none of which lies near a kink of an activation such as relu; the
 * more units there are, the nearer it must be allowed. */
static inline real *fixture_points(const Network *network, const real *theta, int rows,
                                   uint64_t seed) {
  double margin = 0.2 / (network->spec.width * (network->spec.layers + 1));
  int in = network->spec.in;
  real *x = fixture_random((size_t)(rows * in), seed);
  double *y = malloc((size_t)network->spec.out * sizeof *y);
  assert(y);
  for (int r = 0; r < rows; r++) {
    for (uint64_t draw = 0; fixture_plain(network, theta, x + r * in, y) < margin; draw++) {
      RandomStream stream = {seed, RANDOM_CHECK, 1 + draw};
      for (int i = 0; i < in; i++) {
        x[r * in + i] = (real)(2 * random_uniform(stream, (uint64_t)(r * in + i), 0) - 1);
      }
    }
  }
  free(y);
  return x;
}

#endif
