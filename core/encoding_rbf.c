#include "core/encoding_rbf.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/random.h"
#include "core/vecmath.h"

/* With d = x - c, q = |d|^2 and g(q) = exp(-sigma^2 q^2): phi = g, phi_i = 2 g' d_i,
 * phi_ij = 4 g'' d_i d_j + 2 g' delta_ij, where with A = sigma^2:
 *   g' = -2 A q g,   g'' = (4 A^2 q^2 - 2 A) g,   g''' = (12 A^2 q - 8 A^3 q^3) g.
 * Derivatives along sigma use dg/dA = -q^2 g and the same for g', g''. */

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

/* Centres are worked on in blocks whose arrays stay in the first-level cache. */
enum { BLOCK = 256 };

#define EACH(k) _Pragma("omp simd") for (int k = 0; k < b->n; k++)

/* One block of centres and what belongs to it and the row at hand. */
typedef struct {
  int in, n, first; /* coordinates; centres, and the number of the first one */
  size_t stride;    /* from one stream of h to the next */
  const JetSpec *jet;
  const real *w;                 /* [in] of this row, or NULL */
  real c[NETWORK_MAX_IN][BLOCK]; /* the centres */
  real a[BLOCK];                 /* A */
  real d[NETWORK_MAX_IN][BLOCK], q[BLOCK];
  real g[BLOCK], g1[BLOCK], g2[BLOCK], g3[BLOCK];
} Block;

static void start_block(const Network *network, const JetSpec *jet, int rows, const real *theta,
                        int first, Block *b) {
  int in = network->spec.in, left = network->spec.centres - first;
  const real *c = theta + network->tensors[CENTRES].offset + (size_t)first * (size_t)in;
  const real *sigma = theta + network->tensors[SIGMAS].offset + first;
  b->in = in;
  b->n = left < BLOCK ? left : BLOCK;
  b->first = first;
  b->stride = (size_t)rows * (size_t)network->spec.centres;
  b->jet = jet;
  for (int i = 0; i < in; i++) {
    EACH(k) b->c[i][k] = c[k * in + i];
  }
  EACH(k) b->a[k] = sigma[k] * sigma[k];
}

static void start_row(Block *b, const real *x, const real *w) {
  b->w = w;
  EACH(k) {
    b->d[0][k] = x[0] - b->c[0][k];
    b->q[k] = b->d[0][k] * b->d[0][k];
  }
  for (int i = 1; i < b->in; i++) {
    EACH(k) {
      b->d[i][k] = x[i] - b->c[i][k];
      b->q[k] = fused(b->d[i][k], b->d[i][k], b->q[k]);
    }
  }
}

/* g and its derivatives along q up to `order`. */
static void radial(Block *b, int order) {
  EACH(k) b->g[k] = vec_exp(-b->a[k] * b->q[k] * b->q[k]);
  if (order >= 1) EACH(k) b->g1[k] = -2 * b->a[k] * b->q[k] * b->g[k];
  if (order >= 2) {
    EACH(k) {
      real a = b->a[k], aq = a * b->q[k];
      b->g2[k] = fused(4 * aq, aq, -2 * a) * b->g[k];
    }
  }
  if (order >= 3) {
    EACH(k) {
      real a = b->a[k], aq = a * b->q[k];
      b->g3[k] = aq * fused(-8 * aq, aq, 12 * a) * b->g[k];
    }
  }
}

static real weight(const Block *b, int i) {
  return b->w ? b->w[i] : 1;
}

static void forward_second(const Block *b, JetSecond second, real *restrict h) {
  if (second.i != JET_COLLAPSED) {
    const real *di = b->d[second.i], *dj = b->d[second.j];
    real same = second.i == second.j ? 2 : 0;
    EACH(k) h[k] = fused(4 * b->g2[k] * di[k], dj[k], same * b->g1[k]);
    return;
  }
  real sum = 0;
  EACH(k) h[k] = 0;
  for (int i = 0; i < b->in; i++) {
    real w = weight(b, i);
    const real *d = b->d[i];
    sum += w;
    EACH(k) h[k] = fused(w * d[k], d[k], h[k]);
  }
  EACH(k) h[k] = fused(4 * b->g2[k], h[k], 2 * sum * b->g1[k]);
}

static void forward_row(Block *b, const real *x, const real *w, real *restrict h) {
  const JetSpec *jet = b->jet;
  start_row(b, x, w);
  radial(b, jet->n_second ? 2 : jet->first ? 1 : 0);
  EACH(k) h[k] = b->g[k];
  for (int i = 0; jet->first && i < b->in; i++) {
    real *restrict first = h + (size_t)(1 + i) * b->stride;
    EACH(k) first[k] = 2 * b->g1[k] * b->d[i][k];
  }
  for (int s = 0; s < jet->n_second; s++) {
    forward_second(b, jet->second[s], h + (size_t)(1 + b->in + s) * b->stride);
  }
}

void encoding_rbf_forward(const Network *network, const JetSpec *jet, int rows, const real *theta,
                          const real *x, const real *weights, real *h) {
  int in = network->spec.in, n = network->spec.centres;
  Block b;
  for (int first = 0; first < n; first += BLOCK) {
    start_block(network, jet, rows, theta, first, &b);
    for (int r = 0; r < rows; r++) {
      forward_row(&b, x + r * in, weights ? weights + r * in : NULL,
                  h + (size_t)r * (size_t)n + first);
    }
  }
}

/* What the adjoints of a row's streams amount to: along d directly, and along g' and g''; and the
 * sums over rows of the adjoints of centres and A. */
typedef struct {
  real d[NETWORK_MAX_IN][BLOCK], g1[BLOCK], g2[BLOCK], q[BLOCK];
  real c[NETWORK_MAX_IN][BLOCK], a[BLOCK];
} Adjoint;

static void gather_first(const Block *b, const real *h_bar, Adjoint *bar) {
  EACH(k) bar->g1[k] = bar->g2[k] = 0;
  for (int i = 0; i < b->in; i++) {
    const real *restrict first = h_bar + (size_t)(1 + i) * b->stride;
    EACH(k) {
      bar->g1[k] = fused(2 * first[k], b->d[i][k], bar->g1[k]);
      bar->d[i][k] = 2 * first[k] * b->g1[k];
    }
  }
}

static void gather_second(const Block *b, JetSecond second, const real *restrict h_bar,
                          Adjoint *bar) {
  bool collapsed = second.i == JET_COLLAPSED;
  for (int m = 0; collapsed && m < b->in; m++) {
    real w = weight(b, m);
    EACH(k) {
      real wb = w * h_bar[k], wd = 4 * wb * b->d[m][k];
      bar->g2[k] = fused(wd, b->d[m][k], bar->g2[k]);
      bar->g1[k] = fused(2, wb, bar->g1[k]);
      bar->d[m][k] = fused(2 * wd, b->g2[k], bar->d[m][k]);
    }
  }
  if (collapsed) return;
  int i = second.i, j = second.j;
  real same = i == j ? 2 : 0;
  EACH(k) {
    real di = 4 * h_bar[k] * b->d[i][k], dj = 4 * h_bar[k] * b->d[j][k];
    bar->g2[k] = fused(di, b->d[j][k], bar->g2[k]);
    bar->g1[k] = fused(same, h_bar[k], bar->g1[k]);
    bar->d[i][k] = fused(dj, b->g2[k], bar->d[i][k]);
    bar->d[j][k] = fused(di, b->g2[k], bar->d[j][k]);
  }
}

/* Along q and A where there are values only. */
static void reverse_value(const Block *b, const real *restrict h_bar, Adjoint *bar) {
  EACH(k) {
    real q = b->q[k];
    bar->q[k] = h_bar[k] * b->g1[k];
    bar->a[k] = fused(-q * q * b->g[k], h_bar[k], bar->a[k]);
  }
}

/* The same and what g' and g'' add; dg'/dA and dg''/dA at fixed q. */
static void reverse_derivatives(const Block *b, const real *h_bar, Adjoint *bar) {
  gather_first(b, h_bar, bar);
  for (int s = 0; s < b->jet->n_second; s++) {
    gather_second(b, b->jet->second[s], h_bar + (size_t)(1 + b->in + s) * b->stride, bar);
  }
  EACH(k) {
    real a = b->a[k], q = b->q[k], q2 = q * q, g = b->g[k], g_a = -q2 * g;
    real g1_a = 2 * q * fused(a, q2, -1) * g;
    real g2_a = fused(fused(8 * a, q2, -2), g, 2 * a * fused(2 * a, q2, -1) * g_a);
    bar->q[k] = fused(bar->g1[k], b->g2[k], fused(bar->g2[k], b->g3[k], bar->q[k]));
    bar->a[k] = fused(bar->g1[k], g1_a, fused(bar->g2[k], g2_a, bar->a[k]));
  }
  for (int i = 0; i < b->in; i++) {
    EACH(k) bar->c[i][k] -= bar->d[i][k];
  }
}

static void reverse_row(Block *b, const real *x, const real *w, const real *h_bar, Adjoint *bar) {
  start_row(b, x, w);
  radial(b, b->jet->first ? 3 : 1);
  reverse_value(b, h_bar, bar);
  if (b->jet->first) reverse_derivatives(b, h_bar, bar);
  for (int i = 0; i < b->in; i++) {
    EACH(k) bar->c[i][k] = fused(-2 * bar->q[k], b->d[i][k], bar->c[i][k]);
  }
}

/* dA/dsigma = 2 sigma. */
static void add_block(const Network *network, const Block *b, const real *theta, const Adjoint *bar,
                      real *gradient) {
  size_t at = network->tensors[SIGMAS].offset + (size_t)b->first;
  real *c_bar = gradient + network->tensors[CENTRES].offset + (size_t)b->first * (size_t)b->in;
  EACH(k)
  gradient[at + (size_t)k] = fused(2 * theta[at + (size_t)k], bar->a[k], gradient[at + (size_t)k]);
  for (int i = 0; i < b->in; i++) {
    EACH(k) c_bar[k * b->in + i] += bar->c[i][k];
  }
}

void encoding_rbf_reverse(const Network *network, const JetSpec *jet, int rows, const real *theta,
                          const real *x, const real *weights, const real *h_bar, real *gradient) {
  int in = network->spec.in, n = network->spec.centres;
  Block b;
  Adjoint bar;
  for (int first = 0; first < n; first += BLOCK) {
    start_block(network, jet, rows, theta, first, &b);
    memset(bar.c, 0, sizeof bar.c);
    memset(bar.a, 0, sizeof bar.a);
    for (int r = 0; r < rows; r++) {
      reverse_row(&b, x + r * in, weights ? weights + r * in : NULL,
                  h_bar + (size_t)r * (size_t)n + first, &bar);
    }
    add_block(network, &b, theta, &bar, gradient);
  }
}
