#include "core/encoding.h"

#include <math.h>
#include <string.h>

#include "core/encoding_rbf.h"
#include "core/vecmath.h"

/* none: h_0 = x */

static int none_features(const NetworkSpec *spec) {
  return spec->in;
}

static void none_forward(const Network *network, const JetSpec *jet, int rows, const real *theta,
                         const real *x, const real *weights, real *h) {
  (void)theta, (void)weights;
  int in = network->spec.in;
  size_t stride = (size_t)rows * (size_t)in;
  memcpy(h, x, stride * sizeof *h);
  memset(h + stride, 0, (size_t)(jet_streams(jet, in) - 1) * stride * sizeof *h);
  for (int i = 0; jet->first && i < in; i++) {
    for (int r = 0; r < rows; r++) h[(size_t)(1 + i) * stride + (size_t)(r * in + i)] = 1;
  }
}

/* positional (NeRF): [x, then for l = 0..L-1, for every coordinate j: sin(2^l pi x_j), cos(2^l pi
 * x_j)] */

static int positional_features(const NetworkSpec *spec) {
  return spec->in * (1 + 2 * spec->frequencies);
}

/* One row's features of one coordinate: value, first and second derivative along it. */
static void positional_row(int in, int frequencies, int j, real x, real *value, real *first,
                           real *second) {
  value[j] = x;
  if (first) first[j] = 1;
  if (second) second[j] = 0;
  for (int l = 0; l < frequencies; l++) {
    /* The phase in double: 2^l pi x has l fewer correct bits in float. */
    double k = ldexp(M_PI, l);
    double s = sin(k * (double)x), c = cos(k * (double)x);
    int at = in + 2 * (l * in + j);
    value[at] = (real)s;
    value[at + 1] = (real)c;
    if (first) first[at] = (real)(k * c), first[at + 1] = (real)(-k * s);
    if (second) second[at] = (real)(-k * k * s), second[at + 1] = (real)(-k * k * c);
  }
}

static void positional_forward(const Network *network, const JetSpec *jet, int rows,
                               const real *theta, const real *x, const real *weights, real *h) {
  (void)theta;
  const NetworkSpec *spec = &network->spec;
  int in = spec->in, features = network->features;
  size_t stride = (size_t)rows * (size_t)features;
  memset(h, 0, (size_t)jet_streams(jet, in) * stride * sizeof *h);
  real second[NETWORK_MAX_IN * (1 + 2 * NETWORK_MAX_FREQUENCIES)];
  for (int r = 0; r < rows; r++) {
    real *value = h + (size_t)r * (size_t)features;
    for (int j = 0; j < in; j++) {
      memset(second, 0, (size_t)features * sizeof *second);
      positional_row(in, spec->frequencies, j, x[r * in + j], value,
                     jet->first ? value + (size_t)(1 + j) * stride : NULL,
                     jet->n_second ? second : NULL);
      for (int s = 0; s < jet->n_second; s++) {
        /* Features depend on one coordinate each, so mixed derivatives vanish. */
        bool collapsed = jet->second[s].i == JET_COLLAPSED;
        if (!collapsed && (jet->second[s].i != j || jet->second[s].j != j)) continue;
        real w = collapsed && weights ? weights[r * in + j] : 1;
        real *row = value + (size_t)(1 + in + s) * stride;
        for (int f = 0; f < features; f++) row[f] += w * second[f];
      }
    }
  }
}

static const Encoding table[] = {
    {"none", "the coordinates as they are", none_features, NULL, NULL, none_forward, NULL},
    {"positional", "NeRF's sines and cosines of network.frequencies octaves", positional_features,
     NULL, NULL, positional_forward, NULL},
    {"rbf", "network.rbf_centres radial functions with trainable centres and widths",
     encoding_rbf_features, encoding_rbf_layout, encoding_rbf_init, encoding_rbf_forward,
     encoding_rbf_reverse},
};

const Encoding *encoding_table(int *count) {
  *count = (int)(sizeof table / sizeof *table);
  return table;
}

const Encoding *encoding_find(const char *name) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    if (!strcmp(table[i].name, name)) return &table[i];
  }
  return NULL;
}

int encoding_frequencies(int in, int64_t side) {
  if (in == 3) return 10;
  int frequencies = 0;
  while (side >> (frequencies + 3) > 0) frequencies++;
  return frequencies;
}
