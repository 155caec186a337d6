#include "core/least_squares.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/encoding.h"
#include "core/memory.h"
#include "core/problem_parts.h"

/* Points of a tile: enough for products at speed; the kernel of two tiles with five streams and two
 * residuals a point then fits the second-level cache. Part of the bits. */
enum { POINTS = 64 };

Status least_squares_check(const Problem *problem) {
  if (problem->network->spec.encoding->reverse) {
    return status_fail(STATUS_USAGE,
                       "the encoding's parameters are not those of a linear layer; "
                       "choose another encoding, or adam");
  }
  for (int m = 0; m < problem->n_domains; m++) {
    if (problem->domains[m].n_residuals > 0) continue;
    return status_fail(STATUS_USAGE,
                       "the loss on `%s` is not a sum of squares; choose one, where the experiment "
                       "has an option for it (loss=square), or adam",
                       problem->domains[m].name);
  }
  return STATUS_OK;
}

static int64_t domain_tiles(const Domain *domain) {
  return (domain->samples + POINTS - 1) / POINTS;
}

int64_t least_squares_tiles(const Problem *problem) {
  int64_t tiles = 0;
  for (int m = 0; m < problem->n_domains; m++) tiles += domain_tiles(&problem->domains[m]);
  return tiles;
}

/* The domain of a tile, whose number becomes the one in the domain. */
static int find_domain(const Problem *problem, int64_t *tile) {
  int m = 0;
  while (*tile >= domain_tiles(&problem->domains[m])) *tile -= domain_tiles(&problem->domains[m++]);
  return m;
}

int least_squares_domain(const Problem *problem, int64_t tile) {
  return find_domain(problem, &tile);
}

/* That a sample has at once. */
static int at_once(const Domain *domain) {
  return domain->most_residuals ? domain->most_residuals : domain->n_residuals;
}

int64_t least_squares_rows(const Problem *problem) {
  int64_t rows = 0;
  for (int m = 0; m < problem->n_domains; m++) {
    const Domain *domain = &problem->domains[m];
    rows += domain->all_residuals ? domain->all_residuals : at_once(domain) * domain->samples;
  }
  return rows;
}

FactorRoom least_squares_room(const Problem *problem, int domain) {
  const Domain *d = &problem->domains[domain];
  return (FactorRoom){.network = problem->network,
                      .streams = jet_streams(&d->jet, problem->network->spec.in),
                      .points = POINTS,
                      .rows = POINTS * at_once(d)};
}

/* ---- Scratch ---- */

struct LeastSquares {
  const Problem *problem;
  DomainBuffers domains[PROBLEM_MAX_DOMAINS];
  real *bar;        /* of one residual at all points of a tile, all layers one after the other */
  double *residual; /* [most residuals][POINTS] */
  bool *active;     /* the same */
  int *point;       /* the same */
};

static JetSpec by_streams(const Domain *domain) {
  JetSpec jet = domain->jet;
  jet.scheme = JET_STREAMS;
  return jet;
}

static int most_residuals(const Problem *problem) {
  int most = 0;
  for (int m = 0; m < problem->n_domains; m++) {
    int n = problem->domains[m].n_residuals;
    most = n > most ? n : most;
  }
  return most;
}

/* Places of the layers' bars in scratch memory; returns their number of reals. */
static size_t place_bars(const Network *network, int streams, real *memory,
                         real *bar[NETWORK_MAX_LINEAR]) {
  size_t used = 0;
  for (int l = 0; l < network->n_linear; l++) {
    bar[l] = memory ? memory + used : NULL;
    used += real_aligned((size_t)(streams * POINTS) * (size_t)network->linear[l].out);
  }
  return used;
}

static size_t bar_size(const Problem *problem) {
  real *bar[NETWORK_MAX_LINEAR];
  size_t most = 0;
  for (int m = 0; m < problem->n_domains; m++) {
    int streams = least_squares_room(problem, m).streams;
    size_t size = place_bars(problem->network, streams, NULL, bar);
    most = size > most ? size : most;
  }
  return most;
}

static Status allocate(const Problem *problem, LeastSquares *s) {
  size_t n = (size_t)(most_residuals(problem) * POINTS);
  for (int m = 0; m < problem->n_domains; m++) {
    JetSpec jet = by_streams(&problem->domains[m]);
    TRY(buffers_create(problem, &problem->domains[m], &jet, POINTS, &s->domains[m]));
  }
  TRY(memory_allocate(&s->bar, bar_size(problem), sizeof(real), "residuals"));
  TRY(memory_allocate(&s->residual, n, sizeof *s->residual, "residuals"));
  TRY(memory_allocate(&s->active, n, sizeof *s->active, "residuals"));
  return memory_allocate(&s->point, n, sizeof *s->point, "residuals");
}

Status least_squares_create(const Problem *problem, LeastSquares **squares) {
  LeastSquares *s;
  TRY(memory_allocate(&s, 1, sizeof *s, "residuals"));
  s->problem = problem;
  Status status = allocate(problem, s);
  if (status != STATUS_OK) {
    least_squares_destroy(s);
    return status;
  }
  *squares = s;
  return STATUS_OK;
}

void least_squares_destroy(LeastSquares *squares) {
  if (!squares) return;
  for (int m = 0; m < squares->problem->n_domains; m++) buffers_destroy(&squares->domains[m]);
  free(squares->bar);
  free(squares->residual);
  free(squares->active);
  free(squares->point);
  free(squares);
}

size_t least_squares_bytes(const Problem *problem) {
  size_t bytes = sizeof(LeastSquares) + memory_footprint(bar_size(problem) * sizeof(real));
  for (int m = 0; m < problem->n_domains; m++) {
    JetSpec jet = by_streams(&problem->domains[m]);
    bytes += buffers_bytes(problem, &problem->domains[m], &jet, POINTS);
  }
  return bytes;
}

/* ---- A tile ---- */

/* Finds out which residuals there are: their adjoints are computed and dropped. */
static void find_rows(LeastSquares *s, const Domain *domain, DomainBuffers *buffers, int rows,
                      const real *y, void *memory) {
  double ignored[POINTS];
  int n = 0;
  TermBlock block = buffers_view(s->problem, domain, buffers, rows, y, true);
  for (int k = 0; k < domain->n_residuals; k++) {
    bool *active = s->active + k * POINTS;
    buffers_clear(s->problem, domain, buffers);
    domain->residuals(&block, k, domain->residual_settings, ignored, active);
    for (int r = 0; r < rows; r++) {
      if (active[r]) s->point[n++] = r;
    }
  }
  assert(n <= POINTS * at_once(domain));
  factors_resize(memory, rows, n, s->point);
}

/* Rows of the active ones behind each other, at row `first` of the tile. */
static void store_bars(const LeastSquares *s, const FactorTile *tile, const bool *active, int rows,
                       double scale, real *const bar[NETWORK_MAX_LINEAR], int first) {
  for (int l = 0; l < s->problem->network->n_linear; l++) {
    size_t out = (size_t)s->problem->network->linear[l].out;
    for (int c = 0; c < tile->streams; c++) {
      real *to = tile->bar[l] + (size_t)(c * tile->rows + first) * out;
      for (int r = 0; r < rows; r++) {
        if (!active[r]) continue;
        const real *from = bar[l] + (size_t)(c * POINTS + r) * out;
        for (size_t j = 0; j < out; j++) to[j] = (real)scale * from[j];
        to += out;
      }
    }
  }
}

static void store_inputs(const LeastSquares *s, const Jet *jet, const FactorTile *tile) {
  for (int l = 0; l < s->problem->network->n_linear; l++) {
    size_t in = (size_t)s->problem->network->linear[l].in, rows = (size_t)tile->points;
    for (int c = 0; c < tile->streams; c++) {
      memcpy(tile->input[l] + (size_t)c * rows * in, jet_input(jet, l) + (size_t)c * POINTS * in,
             rows * in * sizeof(real));
    }
  }
}

static bool any(const bool *active, int rows) {
  for (int r = 0; r < rows; r++) {
    if (active[r]) return true;
  }
  return false;
}

static void fill(LeastSquares *s, const Domain *domain, DomainBuffers *buffers, int rows,
                 const real *y, const real *theta, FactorTile *tile) {
  double scale = domain->mean ? sqrt(1 / (double)domain->samples) : 1;
  real *bar[NETWORK_MAX_LINEAR];
  place_bars(s->problem->network, tile->streams, s->bar, bar);
  TermBlock block = buffers_view(s->problem, domain, buffers, rows, y, true);
  store_inputs(s, buffers->jet, tile);
  int first = 0;
  for (int k = 0; k < domain->n_residuals; k++) {
    double residual[POINTS];
    bool *active = s->active + k * POINTS;
    buffers_clear(s->problem, domain, buffers);
    domain->residuals(&block, k, domain->residual_settings, residual, active);
    if (!any(active, rows)) continue;
    jet_factors(buffers->jet, theta, buffers->weights, buffers->bar, bar);
    store_bars(s, tile, active, rows, scale, bar, first);
    for (int r = 0; r < rows; r++) {
      if (active[r]) tile->residual[first++] = scale * residual[r];
    }
  }
}

void least_squares_tile(LeastSquares *squares, uint64_t step, int64_t tile, const real *theta,
                        void *memory) {
  const Problem *problem = squares->problem;
  int m = find_domain(problem, &tile);
  const Domain *domain = &problem->domains[m];
  DomainBuffers *buffers = &squares->domains[m];
  FactorRoom room = least_squares_room(problem, m);
  int64_t first = tile * POINTS, left = domain->samples - first;
  int rows = left < POINTS ? (int)left : POINTS;
  buffers_draw(problem, domain, buffers, step, first, rows);
  const real *y = jet_forward(buffers->jet, theta, buffers->x, buffers->weights);
  factors_clear(&room, memory);
  find_rows(squares, domain, buffers, rows, y, memory);
  FactorTile view = factors_view(&room, memory);
  fill(squares, domain, buffers, rows, y, theta, &view);
}
