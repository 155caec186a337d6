#include "experiments/reference_helmholtz.h"

#include <assert.h>
#include <complex.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { MAX_HALF = 3, MAX_REACH = 2 * MAX_HALF - 1, MAX_BAND = 2 * MAX_REACH + 1 };

/* h du/dx between two nodes = sum of weight[i] (u(i + 1/2) - u(-i - 1/2)), in steps of the grid. */
static const struct Staggered {
  int order, half; /* half: weights */
  double weight[MAX_HALF];
} staggered[] = {
    {2, 1, {1}},
    {4, 2, {27. / 24, -1. / 24}},
    {6, 3, {75. / 64, -25. / 384, 3. / 640}},
};

static const struct Staggered *find_order(int order) {
  for (size_t i = 0; i < sizeof staggered / sizeof *staggered; i++) {
    if (staggered[i].order == order) return &staggered[i];
  }
  assert(!"order 2, 4 or 6");
  return NULL;
}

/* Weight of the node `offset` after the one before the half node. */
static double weight_at(const struct Staggered *s, int offset) {
  return offset > 0 ? s->weight[offset - 1] : -s->weight[-offset];
}

/* One axis: e at the nodes, and d/dx(1/e d/dx) as a symmetric band, row i [2 reach + 1]. */
typedef struct {
  int n, reach;
  double _Complex *e, (*band)[MAX_BAND];
} Axis;

/* Adds what the half node after node p (p may lie beyond the ends) does to the band. */
static void add_half_node(const struct Staggered *s, int p, double _Complex factor, Axis *axis) {
  for (int a = 1 - s->half; a <= s->half; a++) {
    for (int b = 1 - s->half; b <= s->half; b++) {
      int i = p + a, j = p + b;
      if (i < 0 || i >= axis->n || j < 0 || j >= axis->n) continue;
      axis->band[i][j - i + axis->reach] -= factor * weight_at(s, a) * weight_at(s, b);
    }
  }
}

static Status create_axis(const HelmholtzGrid *grid, int order, Axis *axis) {
  const struct Staggered *s = find_order(order);
  int n = grid->n;
  double h = 2. / (n - 1);
  *axis = (Axis){.n = n, .reach = 2 * s->half - 1};
  TRY(memory_allocate(&axis->e, (size_t)n, sizeof *axis->e, "an axis"));
  TRY(memory_allocate(&axis->band, (size_t)n, sizeof *axis->band, "an axis"));
  for (int i = 0; i < n; i++) axis->e[i] = grid->stretch(grid->stretch_context, -1 + h * i);
  for (int p = -s->half; p < n + s->half; p++) {
    double _Complex e = grid->stretch(grid->stretch_context, -1 + h * (p + 0.5));
    add_half_node(s, p, 1 / (h * h * e), axis);
  }
  return STATUS_OK;
}

static void destroy_axis(Axis *axis) {
  free(axis->e);
  free(axis->band);
}

static void put(SparseMatrix *a, int *count, int row, double _Complex value) {
  a->row[*count] = row;
  a->value[(*count)++] = value;
}

/* The matrix is symmetric: column (i, j) is row (i, j). Both axes are the same. */
static void fill_column(const HelmholtzGrid *grid, const Axis *axis, int i, int j, int *count,
                        SparseMatrix *a) {
  int n = grid->n, reach = axis->reach;
  double _Complex along_x = axis->e[j], along_y = axis->e[i];
  for (int s = -reach; s <= reach; s++) {
    if (s && i + s >= 0 && i + s < n) {
      put(a, count, (i + s) * n + j, along_x * axis->band[i][s + reach]);
    }
    if (s && j + s >= 0 && j + s < n) {
      put(a, count, i * n + j + s, along_y * axis->band[j][s + reach]);
    }
  }
  double mass = grid->k * grid->k * grid->m[(size_t)i * (size_t)n + (size_t)j];
  put(a, count, i * n + j,
      along_x * axis->band[i][reach] + along_y * axis->band[j][reach] + mass * along_x * along_y);
}

static Status create_matrix(const HelmholtzGrid *grid, const Axis *axis, SparseMatrix *a) {
  int n = grid->n, count = 0;
  int64_t nodes = (int64_t)n * n;
  TRY(sparse_create(nodes, nodes * (4 * axis->reach + 1), a));
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) {
      fill_column(grid, axis, i, j, &count, a);
      a->start[i * n + j + 1] = count;
    }
  }
  return STATUS_OK;
}

Status reference_helmholtz(const HelmholtzGrid *grid, int order, int n_sources,
                           const double _Complex *f, double _Complex *u, SparseUse *use) {
  assert(grid->n >= 8 && n_sources >= 1);
  Axis axis;
  SparseMatrix matrix = {0};
  Status status = create_axis(grid, order, &axis);
  if (status == STATUS_OK) status = create_matrix(grid, &axis, &matrix);
  destroy_axis(&axis);
  if (status == STATUS_OK) {
    size_t nodes = (size_t)grid->n * (size_t)grid->n;
    memmove(u, f, (size_t)n_sources * nodes * sizeof *u);
    status = sparse_solve(&matrix, n_sources, u, 0, use);
  }
  sparse_destroy(&matrix);
  if (status == STATUS_OK) return STATUS_OK;
  return status_prefix(status, "finite differences on %d x %d nodes", grid->n, grid->n);
}

/* ---- Its own error ---- */

typedef struct {
  int n, n_sources;
  double *m;
  double _Complex *u;
} Solution;

static Status solve_problem(const HelmholtzGrid *like, int order, HelmholtzProblem problem,
                            const void *context, Solution *s) {
  size_t nodes = (size_t)s->n * (size_t)s->n;
  TRY(memory_allocate(&s->m, nodes, sizeof *s->m, "a medium"));
  TRY(memory_allocate(&s->u, (size_t)s->n_sources * nodes, sizeof *s->u, "fields"));
  problem(s->n, s->n_sources, s->m, s->u, context);
  HelmholtzGrid grid = *like;
  grid.n = s->n;
  grid.m = s->m;
  return reference_helmholtz(&grid, order, s->n_sources, s->u, s->u, NULL);
}

static double compare(const Solution *coarse, const Solution *fine) {
  int n = coarse->n;
  double difference = 0, size = 0;
  for (int source = 0; source < coarse->n_sources; source++) {
    const double _Complex *of_coarse = coarse->u + (size_t)source * (size_t)n * (size_t)n;
    const double _Complex *of_fine = fine->u + (size_t)source * (size_t)fine->n * (size_t)fine->n;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        /* |-1 + 2 i / (n - 1)| > 1/2, in integers */
        if (abs(4 * i - 2 * (n - 1)) > n - 1 || abs(4 * j - 2 * (n - 1)) > n - 1) continue;
        double _Complex true_value = of_fine[(size_t)(2 * i) * (size_t)fine->n + (size_t)(2 * j)];
        double gap = cabs(of_coarse[(size_t)i * (size_t)n + (size_t)j] - true_value);
        difference += gap * gap;
        size += creal(true_value * conj(true_value));
      }
    }
  }
  return sqrt(difference / size);
}

Status reference_helmholtz_error(const HelmholtzGrid *grid, int order, int n_sources,
                                 HelmholtzProblem problem, const void *context, double *error) {
  Solution coarse = {.n = grid->n, .n_sources = n_sources};
  Solution fine = {.n = 2 * grid->n - 1, .n_sources = n_sources};
  Status status = solve_problem(grid, order, problem, context, &coarse);
  if (status == STATUS_OK) status = solve_problem(grid, order, problem, context, &fine);
  if (status == STATUS_OK) *error = compare(&coarse, &fine);
  free(coarse.m);
  free(coarse.u);
  free(fine.m);
  free(fine.u);
  return status;
}
