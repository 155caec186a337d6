#include "experiments/reference_wave.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* h^2 d2/dx2 = sum of weight[i] (u(i) + u(-i)), weight[0] counted once. */
enum { REACH = 4 };
static const double weight[REACH + 1] = {-205. / 72, 8. / 5, -1. / 5, 8. / 315, -1. / 560};

/* Of -sum at the shortest wave that a grid holds, (-1)^i: 205/72 + 2 (8/5 + ...). */
static const double stencil_norm = 6.501588;

enum { LARGE = 128 }; /* smaller grids are not worth the start of several threads */

/* Fields have a margin of REACH zeros on each side. */
typedef struct {
  int n;
  size_t stride;
  double radius;      /* R */
  double *scale;      /* [n][n] 2 c^2 / (R^2 h^2) */
  double *last, *now; /* T_(k-1) u0 and T_k u0 */
} Polynomials;

static size_t place(const Polynomials *p, int row, int column) {
  return (size_t)(row + REACH) * p->stride + (size_t)(column + REACH);
}

static Status check_numbers(const WaveGrid *grid, int n_times, const double *times) {
  int nodes = grid->n * grid->n;
  for (int i = 0; i < nodes; i++) {
    if (grid->slowness2[i] > 0 && isfinite(grid->slowness2[i]) && isfinite(grid->u0[i])) continue;
    return status_fail(STATUS_FAILED,
                       "wave equation: at node (%d, %d) of %d x %d the squared slowness is %g and "
                       "the field %g",
                       i / grid->n, i % grid->n, grid->n, grid->n, grid->slowness2[i], grid->u0[i]);
  }
  for (int i = 0; i < n_times; i++) {
    if (times[i] >= 0 && isfinite(times[i])) continue;
    return status_fail(STATUS_FAILED, "wave equation: time %d is %g, not 0 or later", i, times[i]);
  }
  return STATUS_OK;
}

static Status create_polynomials(const WaveGrid *grid, Polynomials *p) {
  size_t n = (size_t)grid->n;
  *p = (Polynomials){.n = grid->n, .stride = n + 2 * REACH};
  TRY(memory_allocate(&p->scale, n * n, sizeof(double), "the wave equation"));
  TRY(memory_allocate(&p->last, p->stride * p->stride, sizeof(double), "the wave equation"));
  TRY(memory_allocate(&p->now, p->stride * p->stride, sizeof(double), "the wave equation"));
  double least = grid->slowness2[0], density = 0.5 * (grid->n - 1); /* nodes per unit */
  for (size_t i = 0; i < n * n; i++) least = fmin(least, grid->slowness2[i]);
  p->radius = density * sqrt(2 * stencil_norm / least);
  for (size_t i = 0; i < n * n; i++) p->scale[i] = least / (stencil_norm * grid->slowness2[i]);
  for (int row = 0; row < grid->n; row++) {
    for (int column = 0; column < grid->n; column++) {
      p->now[place(p, row, column)] = grid->u0[(size_t)row * n + (size_t)column];
    }
  }
  return STATUS_OK;
}

static void destroy_polynomials(Polynomials *p) {
  free(p->scale);
  free(p->last);
  free(p->now);
}

/* One row of the next polynomial, over the last one. The first is X T_0, later ones are
 * 2 X T_k - T_(k-1), with X = 1 + 2 L / R^2. */
static void advance_row(const Polynomials *p, int row, bool first) {
  const double *now = p->now + place(p, row, 0);
  const double *scale = p->scale + (size_t)row * (size_t)p->n;
  double *last = p->last + place(p, row, 0);
  ptrdiff_t stride = (ptrdiff_t)p->stride;
  double factor = first ? 1 : 2, old = first ? 0 : 1;
  for (int j = 0; j < p->n; j++) {
    double sum = 2 * weight[0] * now[j];
    for (int s = 1; s <= REACH; s++) {
      sum += weight[s] * ((now[j + s] + now[j - s]) + (now[j + s * stride] + now[j - s * stride]));
    }
    last[j] = factor * (now[j] + scale[j] * sum) - old * last[j];
  }
}

/* J_2k(z) is below rounding from here on. */
static int count_terms(double z) {
  return (int)(0.5 * z + 8 * cbrt(z) + 12);
}

/* What the polynomial of degree k adds to each time; zeros where J_2k is below rounding. */
static void set_factors(int k, double radius, int n_times, const double *times, double *factors) {
  for (int t = 0; t < n_times; t++) {
    double z = times[t] * radius;
    factors[t] = k <= count_terms(z) ? (k ? 2 : 1) * jn(2 * k, z) : 0;
  }
}

static void add_row(const Polynomials *p, const double *values, int row, int n_times,
                    const double *factors, double *u) {
  const double *from = values + place(p, row, 0);
  for (int t = 0; t < n_times; t++) {
    if (factors[t] == 0) continue;
    double *to = u + ((size_t)t * (size_t)p->n + (size_t)row) * (size_t)p->n;
    for (int j = 0; j < p->n; j++) to[j] += factors[t] * from[j];
  }
}

/* Makes the polynomial of degree k from those before it, unless it is u0 itself, and adds it. */
static void do_term(Polynomials *p, int k, int n_times, const double *factors, double *u) {
#pragma omp parallel for if (p->n >= LARGE)
  for (int row = 0; row < p->n; row++) {
    if (k) advance_row(p, row, k == 1);
    add_row(p, k ? p->last : p->now, row, n_times, factors, u);
  }
  if (!k) return;
  double *next = p->last;
  p->last = p->now;
  p->now = next;
}

static Status solve(Polynomials *p, int n_times, const double *times, double *u) {
  double longest = 0, *factors = NULL;
  for (int t = 0; t < n_times; t++) longest = fmax(longest, times[t]);
  if (longest * p->radius > 1e7) {
    return status_fail(STATUS_FAILED, "wave equation: time %g would take %.0f terms", longest,
                       0.5 * longest * p->radius);
  }
  int n_terms = count_terms(longest * p->radius);
  TRY(memory_allocate(&factors, (size_t)n_times, sizeof *factors, "the wave equation"));
  memset(u, 0, (size_t)n_times * (size_t)p->n * (size_t)p->n * sizeof *u);
  for (int k = 0; k <= n_terms; k++) {
    set_factors(k, p->radius, n_times, times, factors);
    do_term(p, k, n_times, factors, u);
  }
  free(factors);
  return STATUS_OK;
}

Status reference_wave(const WaveGrid *grid, int n_times, const double *times, double *u) {
  assert(grid->n >= 2 && n_times >= 0);
  TRY(check_numbers(grid, n_times, times));
  Polynomials p;
  Status status = create_polynomials(grid, &p);
  if (status == STATUS_OK) status = solve(&p, n_times, times, u);
  destroy_polynomials(&p);
  return status;
}

/* ---- Its own error ---- */

typedef struct {
  int n;
  double *slowness2, *u0, *u;
} Solution;

static Status solve_problem(int n_times, const double *times, WaveProblem problem,
                            const void *context, Solution *s) {
  size_t nodes = (size_t)s->n * (size_t)s->n;
  TRY(memory_allocate(&s->slowness2, nodes, sizeof(double), "a medium"));
  TRY(memory_allocate(&s->u0, nodes, sizeof(double), "a field"));
  TRY(memory_allocate(&s->u, (size_t)n_times * nodes, sizeof(double), "fields"));
  problem(s->n, s->slowness2, s->u0, context);
  WaveGrid grid = {.n = s->n, .slowness2 = s->slowness2, .u0 = s->u0};
  return reference_wave(&grid, n_times, times, s->u);
}

static void destroy_solution(Solution *s) {
  free(s->slowness2);
  free(s->u0);
  free(s->u);
}

static double compare(int n_times, const Solution *coarse, const Solution *fine) {
  int n = coarse->n;
  double difference = 0, size = 0;
  for (int row = 0; row < n_times * n; row++) {
    size_t of_fine = (size_t)(row / n) * (size_t)fine->n + (size_t)(2 * (row % n));
    for (int j = 0; j < n; j++) {
      double true_value = fine->u[of_fine * (size_t)fine->n + (size_t)(2 * j)];
      double gap = coarse->u[(size_t)row * (size_t)n + (size_t)j] - true_value;
      difference += gap * gap;
      size += true_value * true_value;
    }
  }
  return sqrt(difference / size);
}

Status reference_wave_error(int n, int n_times, const double *times, WaveProblem problem,
                            const void *context, double *error) {
  Solution coarse = {.n = n}, fine = {.n = 2 * n - 1};
  Status status = solve_problem(n_times, times, problem, context, &coarse);
  if (status == STATUS_OK) status = solve_problem(n_times, times, problem, context, &fine);
  if (status == STATUS_OK) *error = compare(n_times, &coarse, &fine);
  destroy_solution(&coarse);
  destroy_solution(&fine);
  return status;
}

/* ---- Closed form ---- */

/* Gauss-Legendre on [-1, 1], ten points. */
enum { GAUSS_PAIRS = 5 };
static const double gauss[GAUSS_PAIRS][2] = {
    {0.1488743389816312, 0.2955242247147529}, {0.4333953941292472, 0.2692667193099964},
    {0.6794095682990244, 0.2190863625159820}, {0.8650633666889845, 0.1494513491505806},
    {0.9739065285171717, 0.0666713443086881},
};

static double transformed(double variance, double r, double t, double q) {
  return variance * exp(-0.5 * q * q * variance) * cos(q * t) * j0(q * r) * q;
}

double reference_wave_uniform(double peak, double variance, double r, double t) {
  if (r > t + 9.5 * sqrt(variance)) return 0; /* below 1e-19 of the peak */
  double end = sqrt(83 / variance);           /* where the Gaussian is below 1e-18 */
  int panels = 8 + (int)(end * (t + r) / M_PI);
  double half = 0.5 * end / panels, sum = 0;
  for (int panel = 0; panel < panels; panel++) {
    double centre = half * (2 * panel + 1);
    for (int i = 0; i < GAUSS_PAIRS; i++) {
      sum += half * gauss[i][1] *
             (transformed(variance, r, t, centre - half * gauss[i][0]) +
              transformed(variance, r, t, centre + half * gauss[i][0]));
    }
  }
  return peak * sum;
}

void reference_wave_uniform_field(double peak, double variance, double t, int n, double *u) {
  double step = 2. / (n - 1);
  int half = (n + 1) / 2; /* the rest mirrors it */
#pragma omp parallel for schedule(dynamic)
  for (int i = 0; i < half; i++) {
    for (int j = 0; j <= i; j++) {
      double r = hypot(-1 + step * i, -1 + step * j);
      double value = reference_wave_uniform(peak, variance, r, t);
      int rows[2] = {i, n - 1 - i}, columns[2] = {j, n - 1 - j};
      for (int c = 0; c < 4; c++) {
        size_t row = (size_t)rows[c / 2], column = (size_t)columns[c % 2];
        u[row * (size_t)n + column] = u[column * (size_t)n + row] = value;
      }
    }
  }
}
