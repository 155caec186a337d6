#include "core/jet_layer.h"

#include <string.h>

/* Rows are worked on in chunks of columns that stay in the first-level cache together with all
 * streams. */
enum { CHUNK = 512 };

#define EACH(j) _Pragma("omp simd") for (int j = 0; j < n; j++)

/* One chunk of one row: stream s of u, h and the adjoint is at pointer + s * stride. */
typedef struct {
  int n;
  size_t stride;
  const real *w; /* [in] of this row, or NULL */
  real *u, *h, *bar;
  const real *d1, *d2, *d3; /* sigma', sigma'', sigma''' */
} Chunk;

static real weight(const Chunk *c, int i) {
  return c->w ? c->w[i] : 1;
}

/* q = sum_i w_i u_i^2 of a collapsed operator, or u_i u_j. */
static void square(const Chunk *c, const JetLayer *layer, JetSecond second, real *restrict q) {
  int n = c->n;
  if (second.i != JET_COLLAPSED) {
    const real *restrict ui = c->u + (size_t)(1 + second.i) * c->stride;
    const real *restrict uj = c->u + (size_t)(1 + second.j) * c->stride;
    EACH(j) q[j] = ui[j] * uj[j];
    return;
  }
  for (int i = 0; i < layer->in; i++) {
    const real *restrict ui = c->u + (size_t)(1 + i) * c->stride;
    real w = weight(c, i);
    if (i == 0) {
      EACH(j) q[j] = w * ui[j] * ui[j];
    } else {
      EACH(j) q[j] = fused(w * ui[j], ui[j], q[j]);
    }
  }
}

static void forward_derivatives(const Chunk *c, const JetLayer *layer) {
  int n = c->n;
  const real *restrict d1 = c->d1, *restrict d2 = c->d2;
  for (int i = 0; i < layer->in; i++) {
    const real *restrict u = c->u + (size_t)(1 + i) * c->stride;
    real *restrict h = c->h + (size_t)(1 + i) * c->stride;
    EACH(j) h[j] = d1[j] * u[j];
  }
  real q[CHUNK];
  for (int s = 0; s < layer->spec->n_second; s++) {
    const real *restrict u = c->u + (size_t)(1 + layer->in + s) * c->stride;
    real *restrict h = c->h + (size_t)(1 + layer->in + s) * c->stride;
    square(c, layer, layer->spec->second[s], q);
    EACH(j) h[j] = fused(d1[j], u[j], d2[j] * q[j]);
  }
}

static Chunk chunk_at(const JetLayer *layer, int row, int column) {
  size_t at = (size_t)row * (size_t)layer->width + (size_t)column;
  int left = layer->width - column;
  return (Chunk){.n = left < CHUNK ? left : CHUNK,
                 .stride = (size_t)layer->rows * (size_t)layer->width,
                 .w = layer->weights ? layer->weights + row * layer->in : NULL,
                 .u = layer->before + at,
                 .h = layer->after + at};
}

void jet_layer_forward(const JetLayer *layer, const real *bias) {
  const Activation *activation = layer->activation;
  real u[CHUNK], buffer[2][CHUNK];
  for (int r = 0; r < layer->rows; r++) {
    for (int column = 0; column < layer->width; column += CHUNK) {
      Chunk c = chunk_at(layer, r, column);
      int n = c.n;
      const real *restrict b = bias + column;
      EACH(j) u[j] = c.u[j] + b[j];
      activation->forward((size_t)n, u, c.h, c.u);
      if (!layer->spec->first) continue;
      c.d1 = activation->first((size_t)n, c.h, c.u, buffer[0]);
      if (layer->spec->n_second) c.d2 = activation->second((size_t)n, c.h, c.u, buffer[1]);
      forward_derivatives(&c, layer);
    }
  }
}

/* The value stream's adjoint takes a share of every other stream's. */
static void reverse_value(const Chunk *c, const JetLayer *layer) {
  int n = c->n;
  const real *restrict d1 = c->d1, *restrict d2 = c->d2, *restrict d3 = c->d3;
  real *restrict value = c->bar;
  EACH(j) value[j] *= d1[j];
  for (int i = 0; layer->spec->first && i < layer->in; i++) {
    const real *restrict u = c->u + (size_t)(1 + i) * c->stride;
    const real *restrict bar = c->bar + (size_t)(1 + i) * c->stride;
    EACH(j) value[j] = fused(d2[j] * u[j], bar[j], value[j]);
  }
  real q[CHUNK];
  for (int s = 0; s < layer->spec->n_second; s++) {
    const real *restrict u = c->u + (size_t)(1 + layer->in + s) * c->stride;
    const real *restrict bar = c->bar + (size_t)(1 + layer->in + s) * c->stride;
    square(c, layer, layer->spec->second[s], q);
    EACH(j) value[j] = fused(fused(d2[j], u[j], d3[j] * q[j]), bar[j], value[j]);
  }
}

/* bar_i += factor d2 u_other bar_second */
static void add_product(const Chunk *c, int i, int other, int stream, real factor) {
  int n = c->n;
  const real *restrict d2 = c->d2;
  const real *restrict u = c->u + (size_t)(1 + other) * c->stride;
  const real *restrict second = c->bar + (size_t)stream * c->stride;
  real *restrict bar = c->bar + (size_t)(1 + i) * c->stride;
  EACH(j) bar[j] = fused(factor * d2[j] * u[j], second[j], bar[j]);
}

static void reverse_derivatives(const Chunk *c, const JetLayer *layer) {
  int n = c->n;
  const real *restrict d1 = c->d1;
  int streams = jet_streams(layer->spec, layer->in);
  for (int i = 0; i < layer->in; i++) {
    real *restrict bar = c->bar + (size_t)(1 + i) * c->stride;
    EACH(j) bar[j] *= d1[j];
  }
  for (int s = 0; s < layer->spec->n_second; s++) {
    JetSecond second = layer->spec->second[s];
    int stream = 1 + layer->in + s;
    if (second.i == JET_COLLAPSED) {
      for (int i = 0; i < layer->in; i++) add_product(c, i, i, stream, 2 * weight(c, i));
    } else {
      add_product(c, second.i, second.j, stream, 1);
      add_product(c, second.j, second.i, stream, 1);
    }
  }
  for (int s = 1 + layer->in; s < streams; s++) {
    real *restrict bar = c->bar + (size_t)s * c->stride;
    EACH(j) bar[j] *= d1[j];
  }
}

void jet_layer_reverse(const JetLayer *layer, real *bar, real *bias_bar) {
  const Activation *activation = layer->activation;
  real buffer[3][CHUNK];
  memset(bias_bar, 0, (size_t)layer->width * sizeof *bias_bar);
  for (int r = 0; r < layer->rows; r++) {
    for (int column = 0; column < layer->width; column += CHUNK) {
      Chunk c = chunk_at(layer, r, column);
      int n = c.n;
      c.bar = bar + (c.u - layer->before);
      c.d1 = activation->first((size_t)n, c.h, c.u, buffer[0]);
      if (layer->spec->first) c.d2 = activation->second((size_t)n, c.h, c.u, buffer[1]);
      if (layer->spec->n_second) c.d3 = activation->third((size_t)n, c.h, c.u, buffer[2]);
      reverse_value(&c, layer);
      if (layer->spec->first) reverse_derivatives(&c, layer);
      real *restrict sum = bias_bar + column;
      const real *restrict value = c.bar;
      EACH(j) sum[j] += value[j];
    }
  }
}
