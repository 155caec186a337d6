#include "core/product.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

/* A vector, and the tile of results that stays in registers: TALL rows of two vectors. */
#ifdef __AVX512F__
enum { BYTES = 64, TALL = 8 };
#else
enum { BYTES = 32, TALL = 6 };
#endif
enum {
  LANES = BYTES / (int)sizeof(real),
  WIDE = 2 * LANES,
  LINE = 64 / (int)sizeof(real),
  DEPTH = 256,           /* a panel of b, DEPTH x WIDE, stays in the first-level cache */
  GROUP = 512,           /* rows of a that share a packed panel of b */
  COPY_ROW = DEPTH + 16, /* of a copied row of a */
  COPY_FROM = 512,       /* columns of c from which copying a pays */
  BLOCK = 8,             /* square blocks in which a panel is transposed */
};
typedef real Vector __attribute__((vector_size(BYTES)));
typedef real Unaligned __attribute__((vector_size(BYTES), aligned(sizeof(real))));
typedef real Row __attribute__((vector_size(BLOCK * sizeof(real))));
typedef real UnalignedRow __attribute__((vector_size(BLOCK * sizeof(real)), aligned(sizeof(real))));

/* Compiled with contraction on, as vector types have no portable fused multiply-add: the two sums
 * of a tile below. */

/* ---- One tile: c [rows][WIDE] (+)= sum_p a(i, p) panel[p] ---- */

static inline __attribute__((always_inline)) void tile(int rows, int depth, const real *a,
                                                       size_t a_row, size_t a_depth,
                                                       const real *panel, bool add, real *c,
                                                       size_t c_row) {
  Vector sum[TALL][2];
  for (int i = 0; i < rows; i++) {
    const Unaligned *before = (const Unaligned *)(c + (size_t)i * c_row);
    sum[i][0] = add ? (Vector)before[0] : (Vector){0};
    sum[i][1] = add ? (Vector)before[1] : (Vector){0};
    __builtin_prefetch(before, 1);
    __builtin_prefetch(before + 1, 1);
  }
  for (int p = 0; p < depth; p++) {
    Vector left = *(const Vector *)(panel + p * WIDE);
    Vector right = *(const Vector *)(panel + p * WIDE + LANES);
#pragma GCC unroll 8
    for (int i = 0; i < rows; i++) {
      real x = a[(size_t)i * a_row + (size_t)p * a_depth];
      sum[i][0] += x * left;
      sum[i][1] += x * right;
    }
  }
  for (int i = 0; i < rows; i++) {
    Unaligned *after = (Unaligned *)(c + (size_t)i * c_row);
    after[0] = sum[i][0];
    after[1] = sum[i][1];
  }
}

/* The two layouts of a and the heights, those of the last rows of a group included, are constants
 * of the inlined tile. */
#define TILE(name, rows, a_row, a_depth)                                                           \
  static __attribute__((noinline)) void name(int depth, const real *a, size_t stride,              \
                                             const real *panel, bool add, real *c, size_t c_row) { \
    (void)stride;                                                                                  \
    tile(rows, depth, a, a_row, a_depth, panel, add, c, c_row);                                    \
  }
#define TILES(rows)                       \
  TILE(tile_rows_##rows, rows, stride, 1) \
  TILE(tile_packed_##rows, rows, 1, rows)
TILES(1)
TILES(2)
TILES(3)
TILES(4)
TILES(5)
TILES(6)
#ifdef __AVX512F__
TILES(7)
TILES(8)
#define LIST(name) \
  { NULL, name##_1, name##_2, name##_3, name##_4, name##_5, name##_6, name##_7, name##_8 }
#else
#define LIST(name) \
  { NULL, name##_1, name##_2, name##_3, name##_4, name##_5, name##_6 }
#endif
typedef void TileFunction(int depth, const real *a, size_t stride, const real *panel, bool add,
                          real *c, size_t c_row);
static TileFunction *const tiles_rows[TALL + 1] = LIST(tile_rows);
static TileFunction *const tiles_packed[TALL + 1] = LIST(tile_packed);

/* ---- Steps from row to row, some of which jump ---- */

typedef struct {
  size_t stride, jump;
  int run, left; /* left: steps until the next jump */
} Steps;

static Steps steps_from(size_t stride, int run, size_t jump, int index) {
  return (Steps){stride, jump, run, run ? run - index % run : INT_MAX};
}

/* The way from the first to this row. */
static size_t way_to(size_t stride, int run, size_t jump, int index) {
  return (size_t)index * stride + (run ? (size_t)(index / run) * jump : 0);
}

static inline size_t step(Steps *steps, int count) {
  size_t way = (size_t)count * steps->stride;
  steps->left -= count;
  if (steps->left > 0) return way;
  steps->left = steps->run;
  return way + steps->jump;
}

/* ---- Packing ---- */

/* panel [depth][WIDE] = alpha * rows of b; columns beyond n are zero. */
static void pack_rows(real alpha, const real *from, Steps steps, int depth, int n, real *panel) {
  for (int p = 0; p < depth; p++, from += step(&steps, 1)) {
    real *to = panel + p * WIDE;
    if (n == WIDE) {
      *(Vector *)to = alpha * *(const Unaligned *)from;
      *(Vector *)(to + LANES) = alpha * *(const Unaligned *)(from + LANES);
    } else {
      for (int j = 0; j < WIDE; j++) to[j] = j < n ? alpha * from[j] : 0;
    }
  }
}

/* Transposes 8 x 8 and scales: three rounds of exchanges between rows 1, 2 and 4 apart. */
static void transpose_block(real alpha, const real *from, size_t stride, real *to,
                            size_t to_stride) {
  Row r[BLOCK], s[BLOCK];
  for (int i = 0; i < BLOCK; i++) r[i] = alpha * *(const UnalignedRow *)(from + (size_t)i * stride);
  for (int i = 0; i < BLOCK; i += 2) {
    s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < BLOCK; i++) {
    if (i & 2) continue;
    r[i] = __builtin_shufflevector(s[i], s[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    r[i + 2] = __builtin_shufflevector(s[i], s[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
  }
  for (int i = 0; i < BLOCK / 2; i++) {
    s[i] = __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    s[i + 4] = __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
  for (int i = 0; i < BLOCK; i++) *(UnalignedRow *)(to + (size_t)i * to_stride) = s[i];
}

/* panel [depth][WIDE] = alpha * columns of b, that is, b's rows lie along depth. */
static void pack_columns(real alpha, const real *b, size_t stride, int depth, int n, real *panel) {
  int whole_n = n / BLOCK * BLOCK, whole_depth = depth / BLOCK * BLOCK;
  for (int j = 0; j < whole_n; j += BLOCK) {
    for (int p = 0; p < whole_depth; p += BLOCK) {
      transpose_block(alpha, b + (size_t)j * stride + (size_t)p, stride, panel + p * WIDE + j,
                      WIDE);
    }
  }
  for (int p = 0; p < depth; p++) {
    int begin = p < whole_depth ? whole_n : 0;
    for (int j = begin; j < WIDE; j++) {
      panel[p * WIDE + j] = j < n ? alpha * b[(size_t)j * stride + (size_t)p] : 0;
    }
  }
}

/* packed [rows / TALL][depth][TALL] = columns of a, whose rows lie along depth; the last rows, if
 * they are fewer, follow as [depth][rest]. */
static void pack_group(const real *a, Steps along, int depth, int rows, real *packed) {
  for (int i = 0; i < rows; i += TALL) {
    int height = rows - i < TALL ? rows - i : TALL;
    const real *from = a + i;
    Steps steps = along;
    for (int p = 0; p < depth; p++, from += step(&steps, 1), packed += height) {
      if (height == TALL) {
        memcpy(packed, from, TALL * sizeof *packed);
      } else {
        memcpy(packed, from, (size_t)height * sizeof *packed);
      }
    }
  }
}

/* rows [rows][COPY_ROW] = rows of a: rows whose distance is a power of two would fall into the same
 * few sets of the cache. */
static void copy_group(const real *a, Steps steps, int depth, int rows, real *copy) {
  for (int i = 0; i < rows; i++, a += step(&steps, 1)) {
    memcpy(copy + i * COPY_ROW, a, (size_t)depth * sizeof *copy);
  }
}

/* ---- The loops around a tile ---- */

/* The part of b that the next panel is packed from: fetched while this one is at work, a little
 * with every tile. */
typedef struct {
  const real *b;
  size_t stride;
  int rows, row_lines; /* lines of the cache */
  int share;           /* lines with every tile */
} Ahead;

static Ahead ahead_of(const Product *q, const real *b, int depth, int j0, int tiles) {
  if (j0 + 2 * WIDE > q->n) return (Ahead){0};
  bool rows_along_depth = q->b_column == 1;
  int row = rows_along_depth ? WIDE : depth;
  Ahead ahead = {.b = b + WIDE * q->b_column,
                 .stride = rows_along_depth ? q->b_depth : q->b_column,
                 .rows = rows_along_depth ? depth : WIDE,
                 .row_lines = row / LINE};
  ahead.share = tiles ? (ahead.rows * ahead.row_lines + tiles - 1) / tiles : 0;
  return ahead;
}

static inline void ahead_fetch(const Ahead *ahead, int tile_index) {
  int end = (tile_index + 1) * ahead->share;
  if (end > ahead->rows * ahead->row_lines) end = ahead->rows * ahead->row_lines;
  for (int line = tile_index * ahead->share; line < end; line++) {
    const real *row = ahead->b + (size_t)(line / ahead->row_lines) * ahead->stride;
    __builtin_prefetch(row + line % ahead->row_lines * LINE, 0, 2);
  }
}

/* A group of rows of a over one panel. */
typedef struct {
  int rows, depth, columns;
  bool add;
  const real *panel;
  Ahead ahead;
  const real *a; /* the group: rows a_steps apart, or packed */
  Steps a_steps, c_steps;
  bool packed;
} Strip;

/* Rows of the next tile out of so many in one run: those of a run are shared out evenly. */
static int height_of(int rows, bool run) {
  int tiles = (rows + TALL - 1) / TALL;
  return tiles == 1 ? rows : run ? (rows + tiles - 1) / tiles : TALL;
}

static void strip_run(const Strip *s, Steps c_steps, real *c) {
  const real *a = s->a;
  Steps a_steps = s->a_steps;
  TileFunction *const *tiles = s->packed ? tiles_packed : tiles_rows;
  for (int i = 0, index = 0, height; i < s->rows; i += height, index++) {
    int most = s->rows - i < c_steps.left ? s->rows - i : c_steps.left;
    most = most < a_steps.left ? most : a_steps.left;
    height = height_of(most, c_steps.run > 0);
    ahead_fetch(&s->ahead, index);
    tiles[height](s->depth, a, a_steps.stride, s->panel, s->add, c, c_steps.stride);
    a += step(&a_steps, height);
    c += step(&c_steps, height);
  }
}

/* The last columns of c, where a vector would reach beyond the row. */
static void strip_run_narrow(const Strip *s, Steps c_steps, real *c) {
  real wide[GROUP][WIDE], *to = c;
  Steps steps = c_steps;
  for (int i = 0; i < s->rows; i++, to += step(&steps, 1)) {
    for (int j = 0; j < WIDE; j++) wide[i][j] = j < s->columns ? to[j] : 0;
  }
  strip_run(s, steps_from(WIDE, 0, 0, 0), wide[0]);
  for (int i = 0; i < s->rows; i++, c += step(&c_steps, 1)) {
    memcpy(c, wide[i], (size_t)s->columns * sizeof *c);
  }
}

/* The group's rows of a for these depths, as tiles want them. */
static Strip group_rows(const Product *q, int i0, int rows, int p0, int depth, real *own) {
  const real *a = q->a + way_to(q->a_row, q->row_run, q->a_jump, i0) +
                  way_to(q->a_depth, q->depth_run, q->a_jump, p0);
  Strip strip = {.rows = rows,
                 .depth = depth,
                 .add = q->accumulate || p0 > 0,
                 .a = own,
                 .c_steps = steps_from(q->c_row, q->row_run, q->c_jump, i0)};
  if (q->a_depth != 1 || q->depth_run) {
    pack_group(a, steps_from(q->a_depth, q->depth_run, q->a_jump, p0), depth, rows, own);
    strip.packed = true;
    strip.a_steps = steps_from((size_t)depth, 0, 0, 0);
    return strip;
  }
  Steps steps = steps_from(q->a_row, q->row_run, q->a_jump, i0);
  if (q->n >= COPY_FROM) {
    copy_group(a, steps, depth, rows, own);
    strip.a_steps = steps_from(COPY_ROW, 0, 0, 0);
  } else {
    strip.a = a;
    strip.a_steps = steps;
  }
  return strip;
}

static void group_run(const Product *q, int i0, int rows, int p0, int depth) {
  real panel[DEPTH * WIDE] __attribute__((aligned(REAL_ALIGN)));
  real own[GROUP * COPY_ROW] __attribute__((aligned(REAL_ALIGN)));
  Strip strip = group_rows(q, i0, rows, p0, depth, own);
  strip.panel = panel;
  for (int j0 = 0; j0 < q->n; j0 += WIDE) {
    strip.columns = q->n - j0 < WIDE ? q->n - j0 : WIDE;
    const real *b =
        q->b + way_to(q->b_depth, q->depth_run, q->b_jump, p0) + (size_t)j0 * q->b_column;
    if (q->b_column == 1) {
      Steps steps = steps_from(q->b_depth, q->depth_run, q->b_jump, p0);
      pack_rows(q->alpha, b, steps, depth, strip.columns, panel);
    } else {
      pack_columns(q->alpha, b, q->b_column, depth, strip.columns, panel);
    }
    strip.ahead = ahead_of(q, b, depth, j0, (rows + TALL - 1) / TALL);
    real *c = q->c + way_to(q->c_row, q->row_run, q->c_jump, i0) + (size_t)j0;
    (strip.columns == WIDE ? strip_run : strip_run_narrow)(&strip, strip.c_steps, c);
  }
}

void product_run(const Product *q) {
  assert(q->c_row >= (size_t)q->n);
  assert(!q->depth_run || (q->a_row == 1 && q->b_column == 1 && !q->row_run));
  for (int i0 = 0; i0 < q->m; i0 += GROUP) {
    int rows = q->m - i0 < GROUP ? q->m - i0 : GROUP;
    for (int p0 = 0; p0 < q->k; p0 += DEPTH) {
      int depth = q->k - p0 < DEPTH ? q->k - p0 : DEPTH;
      group_run(q, i0, rows, p0, depth);
    }
  }
}
