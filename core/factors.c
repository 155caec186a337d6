#include "core/factors.h"

#include <assert.h>
#include <string.h>

#include "core/linalg.h"
#include "core/vector.h"

/* ---- Memory: a head, then aligned arrays of the room's size ---- */

typedef struct {
  int streams, points, rows;
} Head;

static size_t aligned(size_t bytes) {
  return (bytes + REAL_ALIGN - 1) / REAL_ALIGN * REAL_ALIGN;
}

/* Sets the tile's pointers into memory (NULL: only counts). */
static size_t place(const FactorRoom *room, char *memory, FactorTile *tile) {
  size_t used = aligned(sizeof(Head));
  size_t streams = (size_t)room->streams, points = (size_t)room->points, rows = (size_t)room->rows;
#define TAKE(pointer, bytes) \
  (pointer) = memory ? (void *)(memory + used) : NULL, used += aligned(bytes)
  TAKE(tile->point, rows * sizeof(int));
  TAKE(tile->residual, rows * sizeof(double));
  for (int l = 0; l < room->network->n_linear; l++) {
    const Linear *linear = &room->network->linear[l];
    TAKE(tile->input[l], streams * points * (size_t)linear->in * sizeof(real));
    TAKE(tile->bar[l], streams * rows * (size_t)linear->out * sizeof(real));
  }
#undef TAKE
  return used;
}

size_t factors_bytes(const FactorRoom *room) {
  FactorTile tile;
  return place(room, NULL, &tile);
}

void factors_clear(const FactorRoom *room, void *memory) {
  *(Head *)memory = (Head){room->streams, 0, 0};
}

FactorTile factors_view(const FactorRoom *room, void *memory) {
  const Head *head = memory;
  FactorTile tile = {.streams = head->streams, .points = head->points, .rows = head->rows};
  place(room, memory, &tile);
  return tile;
}

void factors_resize(void *memory, int points, int rows, const int *point) {
  Head *head = memory;
  head->points = points;
  head->rows = rows;
  memcpy((char *)memory + aligned(sizeof(Head)), point, (size_t)rows * sizeof *point);
}

size_t factors_scratch(const FactorRoom *rooms, int n) {
  size_t inputs = 0, bars = 0, rows = 0, wide = 0;
  for (int i = 0; i < n; i++) {
    size_t streams = (size_t)rooms[i].streams, points = streams * (size_t)rooms[i].points;
    size_t all = streams * (size_t)rooms[i].rows;
    size_t width = FACTORS_SLICE;
    for (int l = 0; l < rooms[i].network->n_linear; l++) {
      size_t out = (size_t)rooms[i].network->linear[l].out;
      width = out > width ? out : width;
    }
    inputs = points > inputs ? points : inputs;
    bars = all > bars ? all : bars;
    rows = (size_t)rooms[i].rows > rows ? (size_t)rooms[i].rows : rows;
    wide = points * width > wide ? points * width : wide;
  }
  size_t kernel = real_aligned(inputs * inputs) + real_aligned(bars * bars) + real_aligned(rows);
  return kernel > wide ? kernel : wide;
}

/* ---- J J^T ---- */

/* Adds to sum [b.rows] what one pair of streams brings to row i of a layer's part: the products of
 * bars times those of the inputs at the residuals' points. Points ascend in runs. */
static void add_pair(const FactorTile *b, const real *bars, const real *inputs, real *sum) {
  for (int j = 0; j < b->rows;) {
    int end = j + 1;
    while (end < b->rows && b->point[end] == b->point[end - 1] + 1) end++;
    const real *restrict u = bars + j, *restrict h = inputs + b->point[j];
    real *restrict s = sum + j;
#pragma omp simd
    for (int k = 0; k < end - j; k++) s[k] = fused(u[k], h[k], s[k]);
    j = end;
  }
}

static void layer_kernel(const Linear *linear, int l, const FactorTile *a, const FactorTile *b,
                         double *kernel, size_t stride, real *scratch) {
  int a_inputs = a->streams * a->points, b_inputs = b->streams * b->points;
  int a_bars = a->streams * a->rows, b_bars = b->streams * b->rows;
  real *inputs = scratch, *bars = inputs + real_aligned((size_t)a_inputs * (size_t)b_inputs);
  real *sum = bars + real_aligned((size_t)a_bars * (size_t)b_bars);
  linalg_nt(a_inputs, b_inputs, linear->in, 1, a->input[l], b->input[l], inputs);
  linalg_nt(a_bars, b_bars, linear->out, 1, a->bar[l], b->bar[l], bars);
  for (int i = 0; i < a->rows; i++) {
    memcpy(sum, bars + (size_t)i * (size_t)b_bars, (size_t)b->rows * sizeof *sum); /* the biases */
    for (int c = 0; c < a->streams; c++) {
      const real *u = bars + (size_t)(c * a->rows + i) * (size_t)b_bars;
      const real *h = inputs + (size_t)(c * a->points + a->point[i]) * (size_t)b_inputs;
      for (int d = 0; d < b->streams; d++) add_pair(b, u + d * b->rows, h + d * b->points, sum);
    }
    for (int j = 0; j < b->rows; j++) kernel[(size_t)i * stride + (size_t)j] += (double)sum[j];
  }
}

void factors_kernel(const Network *network, const FactorTile *a, const FactorTile *b,
                    double *kernel, size_t stride, real *scratch) {
  for (int i = 0; i < a->rows; i++) {
    memset(kernel + (size_t)i * stride, 0, (size_t)b->rows * sizeof *kernel);
  }
  if (a->rows == 0 || b->rows == 0) return;
  for (int l = 0; l < network->n_linear; l++) {
    layer_kernel(&network->linear[l], l, a, b, kernel, stride, scratch);
  }
}

/* ---- J v ---- */

void factors_product(const Network *network, const FactorTile *tile, const real *v, double *product,
                     real *scratch) {
  memset(product, 0, (size_t)tile->rows * sizeof *product);
  if (tile->rows == 0) return;
  for (int l = 0; l < network->n_linear; l++) {
    const Linear *linear = &network->linear[l];
    int out = linear->out;
    linalg_nt(tile->streams * tile->points, out, linear->in, 1, tile->input[l], v + linear->weight,
              scratch);
    for (int i = 0; i < tile->rows; i++) {
      product[i] += vector_dot_short(out, tile->bar[l] + (size_t)i * (size_t)out, v + linear->bias);
      for (int c = 0; c < tile->streams; c++) {
        const real *bar = tile->bar[l] + (size_t)(c * tile->rows + i) * (size_t)out;
        const real *change = scratch + (size_t)(c * tile->points + tile->point[i]) * (size_t)out;
        product[i] += vector_dot_short(out, bar, change);
      }
    }
  }
}

/* ---- J^T y ---- */

/* Bars of all residuals at a point, times y: [streams][points][count]. */
static void gather(const FactorTile *tile, const double *y, int out, const real *bar, int first,
                   int count, real *sum) {
  memset(sum, 0, (size_t)(tile->streams * tile->points * count) * sizeof *sum);
  for (int c = 0; c < tile->streams; c++) {
    for (int i = 0; i < tile->rows; i++) {
      const real *from = bar + (size_t)(c * tile->rows + i) * (size_t)out + first;
      real *to = sum + (size_t)(c * tile->points + tile->point[i]) * (size_t)count;
      real factor = (real)y[i];
#pragma omp simd
      for (int j = 0; j < count; j++) to[j] = fused(factor, from[j], to[j]);
    }
  }
}

void factors_transpose(const Network *network, const FactorTile *tile, const double *y, int layer,
                       int first, int count, real *sum, real *scratch) {
  assert(count <= FACTORS_SLICE);
  if (tile->rows == 0) return;
  const Linear *linear = &network->linear[layer];
  gather(tile, y, linear->out, tile->bar[layer], first, count, scratch);
  linalg_tn(count, linear->in, tile->streams * tile->points, 1, scratch, tile->input[layer], true,
            sum + linear->weight + (size_t)first * (size_t)linear->in);
  for (int p = 0; p < tile->points; p++) {
    for (int j = 0; j < count; j++) {
      sum[linear->bias + (size_t)(first + j)] += scratch[p * count + j];
    }
  }
}
