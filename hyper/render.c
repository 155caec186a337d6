#include "hyper/render.h"

#include <stdlib.h>
#include <string.h>

#include "core/jet.h"
#include "core/memory.h"

static const JetSpec values_only = {.scheme = JET_STREAMS};

struct Render {
  const Network *network;
  int rows; /* of a block */
  Jet *jet;
  real *x, *bar; /* [rows][in], of a block that is not full; [rows][out] */
};

static int64_t ceil_divide(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

static int block_rows(int64_t points, int most) {
  return (int)ceil_divide(points, ceil_divide(points, most));
}

static size_t in_of(const Render *render) {
  return (size_t)render->network->spec.in;
}

static size_t out_of(const Render *render) {
  return (size_t)render->network->spec.out;
}

static Status allocate(Render *render, bool reverse) {
  const char *what = "a network's points";
  size_t rows = (size_t)render->rows;
  TRY(jet_create(render->network, &values_only, render->rows, reverse, &render->jet));
  TRY(memory_allocate(&render->x, rows * in_of(render), sizeof(real), what));
  return memory_allocate(&render->bar, rows * out_of(render), sizeof(real), what);
}

Status render_create(const Network *network, int64_t points, int most, bool reverse,
                     Render **result) {
  Render *render;
  TRY(memory_allocate(&render, 1, sizeof *render, "a network's points"));
  *render = (Render){.network = network, .rows = block_rows(points, most)};
  Status status = allocate(render, reverse);
  if (status == STATUS_OK) {
    *result = render;
  } else {
    render_destroy(render);
  }
  return status;
}

void render_destroy(Render *render) {
  if (!render) return;
  jet_destroy(render->jet);
  free(render->x);
  free(render->bar);
  free(render);
}

size_t render_bytes(const Network *network, int64_t points, int most, bool reverse) {
  int rows = block_rows(points, most);
  size_t reals = (size_t)rows * (size_t)(network->spec.in + network->spec.out);
  return jet_bytes(network, &values_only, rows, reverse) + memory_footprint(reals * sizeof(real));
}

double render_flops(const Network *network) {
  return jet_flops(network, &values_only);
}

/* ---- Blocks ---- */

static int count_rows(const Render *render, int64_t left) {
  return left < render->rows ? (int)left : render->rows;
}

/* The block's points; zeros behind fewer than it has rows. */
static const real *fill_block(Render *render, int count, const real *x) {
  size_t used = (size_t)count * in_of(render), all = (size_t)render->rows * in_of(render);
  if (used == all) return x;
  memcpy(render->x, x, used * sizeof *x);
  memset(render->x + used, 0, (all - used) * sizeof *x);
  return render->x;
}

void render_values(Render *render, const real *weights, int64_t n, const real *x, real *values) {
  for (int64_t first = 0; first < n; first += render->rows) {
    int count = count_rows(render, n - first);
    const real *block = fill_block(render, count, x + (size_t)first * in_of(render));
    const real *y = jet_forward(render->jet, weights, block, NULL);
    memcpy(values + (size_t)first * out_of(render), y,
           (size_t)count * out_of(render) * sizeof *values);
  }
}

/* Squares of a block's differences, and factor times half their derivative; none of the rows behind
 * its points. */
static double compare_block(Render *render, int count, const real *y, const real *target,
                            double factor) {
  size_t n = (size_t)count * out_of(render), all = (size_t)render->rows * out_of(render);
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double difference = (double)y[i] - (double)target[i];
    sum += difference * difference;
    render->bar[i] = (real)(factor * difference);
  }
  memset(render->bar + n, 0, (all - n) * sizeof *render->bar);
  return sum;
}

double render_compare(Render *render, const real *weights, int64_t n, const real *x,
                      const real *target, double factor, real *weights_bar) {
  double sum = 0;
  for (int64_t first = 0; first < n; first += render->rows) {
    int count = count_rows(render, n - first);
    const real *block = fill_block(render, count, x + (size_t)first * in_of(render));
    const real *y = jet_forward(render->jet, weights, block, NULL);
    sum += compare_block(render, count, y, target + (size_t)first * out_of(render), factor);
    if (weights_bar) {
      jet_reverse(render->jet, weights, block, NULL, render->bar, weights_bar, first > 0);
    }
  }
  return sum;
}
