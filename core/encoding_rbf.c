#include "core/encoding_rbf.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/random.h"
#include "core/vecmath.h"

/* With d = x - c, q = |d|^2 and g(q) = exp(-sigma^2 q^2): phi = g, phi_i = 2 g' d_i,
 * phi_ij = 4 g'' d_i d_j + 2 g' delta_ij, where with A = sigma^2:
 *   g' = -2 A q g,   g'' = (4 A^2 q^2 - 2 A) g,   g''' = (12 A^2 q - 8 A^3 q^3) g.
 * Derivatives along sigma use dg/dA = -q^2 g and the same for g', g''; dA/dsigma = 2 sigma. */

/* The tensors are the first two of the network: centres [k][in], sigmas [k]. */
enum { CENTRES, SIGMAS };

int encoding_rbf_features(const NetworkSpec *spec) {
  return spec->centres;
}

static void add_tensor(Network *network, const char *name, int rows, int cols) {
  Tensor *tensor = &network->tensors[network->n_tensors++];
  snprintf(tensor->name, sizeof tensor->name, "encoding/%s", name);
  tensor->offset = network->n_parameters;
  tensor->rows = rows;
  tensor->cols = cols;
  network->n_parameters += (size_t)rows * (size_t)cols;
}

void encoding_rbf_layout(Network *network) {
  add_tensor(network, "centres", network->spec.centres, network->spec.in);
  add_tensor(network, "sigmas", network->spec.centres, 1);
}

void encoding_rbf_init(const Network *network, uint64_t seed, real *theta) {
  RandomStream stream = {seed, RANDOM_CENTRE, 0};
  const Tensor *centres = &network->tensors[CENTRES];
  size_t n = (size_t)centres->rows * (size_t)centres->cols;
  for (size_t i = 0; i < n; i++) {
    theta[centres->offset + i] = (real)(2 * random_uniform(stream, i, 0) - 1);
  }
  for (int k = 0; k < centres->rows; k++) {
    theta[network->tensors[SIGMAS].offset + (size_t)k] = (real)network->spec.rbf_sigma;
  }
}

/* g and its derivatives along q for one centre and row. */
typedef struct {
  real g, g1, g2, g3;
} Radial;

static inline Radial radial(real a, real q) {
  real g = vec_exp(-a * q * q);
  return (Radial){g, -2 * a * q * g, (4 * a * a * q * q - 2 * a) * g,
                  (12 * a * a * q - 8 * a * a * a * q * q * q) * g};
}

void encoding_rbf_forward(const Network *network, const JetSpec *jet, int rows, const real *theta,
                          const real *x, const real *weights, real *h) {
  int in = network->spec.in, n = network->spec.centres;
  const real *c = theta + network->tensors[CENTRES].offset;
  const real *sigma = theta + network->tensors[SIGMAS].offset;
  size_t stride = (size_t)rows * (size_t)n;
  for (int r = 0; r < rows; r++) {
    real *row = h + (size_t)r * (size_t)n;
    const real *w = weights ? weights + r * in : NULL;
#pragma omp simd
    for (int k = 0; k < n; k++) {
      real d[NETWORK_MAX_IN] = {0}, q = 0, wq = 0, w_sum = 0;
      for (int i = 0; i < in; i++) {
        d[i] = x[r * in + i] - c[k * in + i];
        q += d[i] * d[i];
        wq += (w ? w[i] : 1) * d[i] * d[i];
        w_sum += w ? w[i] : 1;
      }
      Radial f = radial(sigma[k] * sigma[k], q);
      row[k] = f.g;
      for (int i = 0; jet->first && i < in; i++)
        row[(size_t)(1 + i) * stride + (size_t)k] = 2 * f.g1 * d[i];
      for (int s = 0; s < jet->n_second; s++) {
        int i = jet->second[s].i, j = jet->second[s].j;
        real second = i == JET_COLLAPSED ? 4 * f.g2 * wq + 2 * f.g1 * w_sum
                                         : 4 * f.g2 * d[i] * d[j] + (i == j ? 2 * f.g1 : 0);
        row[(size_t)(1 + in + s) * stride + (size_t)k] = second;
      }
    }
  }
}

/* What all streams' adjoints amount to for one row and centre: along d directly, and along g, g',
 * g''. */
typedef struct {
  real d[NETWORK_MAX_IN], g, g1, g2;
} Adjoint;

static inline Adjoint gather(const JetSpec *jet, int in, size_t stride, const real *w,
                             const real *d, const Radial *f, const real *h_bar) {
  Adjoint bar = {{0}, h_bar[0], 0, 0};
  for (int i = 0; jet->first && i < in; i++) {
    real b = h_bar[(size_t)(1 + i) * stride];
    bar.g1 += 2 * b * d[i];
    bar.d[i] += 2 * b * f->g1;
  }
  for (int s = 0; s < jet->n_second; s++) {
    real b = h_bar[(size_t)(1 + in + s) * stride];
    int i = jet->second[s].i, j = jet->second[s].j;
    if (i == JET_COLLAPSED) {
      for (int m = 0; m < in; m++) {
        real wb = (w ? w[m] : 1) * b;
        bar.g2 += 4 * wb * d[m] * d[m];
        bar.g1 += 2 * wb;
        bar.d[m] += 8 * wb * f->g2 * d[m];
      }
      continue;
    }
    bar.g2 += 4 * b * d[i] * d[j];
    if (i == j) bar.g1 += 2 * b;
    bar.d[i] += 4 * b * f->g2 * d[j];
    bar.d[j] += 4 * b * f->g2 * d[i];
  }
  return bar;
}

void encoding_rbf_reverse(const Network *network, const JetSpec *jet, int rows, const real *theta,
                          const real *x, const real *weights, const real *h_bar, real *gradient) {
  int in = network->spec.in, n = network->spec.centres;
  const real *c = theta + network->tensors[CENTRES].offset;
  const real *sigma = theta + network->tensors[SIGMAS].offset;
  real *c_bar = gradient + network->tensors[CENTRES].offset;
  real *sigma_bar = gradient + network->tensors[SIGMAS].offset;
  size_t stride = (size_t)rows * (size_t)n;
  for (int r = 0; r < rows; r++) {
    const real *bar_row = h_bar + (size_t)r * (size_t)n;
    const real *w = weights ? weights + r * in : NULL;
#pragma omp simd
    for (int k = 0; k < n; k++) {
      real d[NETWORK_MAX_IN] = {0}, q = 0;
      for (int i = 0; i < in; i++) {
        d[i] = x[r * in + i] - c[k * in + i];
        q += d[i] * d[i];
      }
      real a = sigma[k] * sigma[k];
      Radial f = radial(a, q);
      Adjoint bar = gather(jet, in, stride, w, d, &f, bar_row + k);
      real q_bar = bar.g * f.g1 + bar.g1 * f.g2 + bar.g2 * f.g3;
      for (int i = 0; i < in; i++) c_bar[k * in + i] -= bar.d[i] + 2 * q_bar * d[i];
      /* d/dA of g, g', g'' at fixed q. */
      real q2 = q * q;
      real g_a = -q2 * f.g;
      real g1_a = (-2 * q + 2 * a * q * q2) * f.g;
      real g2_a = (8 * a * q2 - 2) * f.g + (4 * a * a * q2 - 2 * a) * g_a;
      sigma_bar[k] += 2 * sigma[k] * (bar.g * g_a + bar.g1 * g1_a + bar.g2 * g2_a);
    }
  }
}
