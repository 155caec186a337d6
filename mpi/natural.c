#include "mpi/natural.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/linalg.h"
#include "core/memory.h"
#include "mpi/shared.h"

struct Natural {
  const Comm *comm;
  const Problem *problem;
  int threads;
  Comm *node;
  Shared *shared; /* factors of all tiles */
  int64_t tiles;
  size_t *offset;         /* [tiles + 1] where a tile's memory begins */
  int64_t *first;         /* [tiles + 1] number of its first residual in this step */
  int64_t most;           /* residuals that a step may have */
  LeastSquares **squares; /* [threads] */
  real **scratch;         /* [threads] */
  double *kernel;         /* [residuals][residuals], of which the lower triangle is made */
  double *rhs;            /* [most] */
  double *diagonal;       /* [most] of the kernel */
  int64_t *numbers;       /* the direction as whole numbers, for exact sums over the ranks */
};

static FactorRoom room_of(const Natural *n, int64_t tile) {
  return least_squares_room(n->problem, least_squares_domain(n->problem, tile));
}

static void *memory_of(const Natural *n, int64_t tile) {
  return (char *)shared_data(n->shared) + n->offset[tile];
}

static FactorTile view(const Natural *n, int64_t tile) {
  FactorRoom room = room_of(n, tile);
  return factors_view(&room, memory_of(n, tile));
}

static size_t number_count(const Problem *problem) {
  const size_t per = sizeof(int64_t) / sizeof(real);
  return real_aligned(problem->network->n_parameters) / per;
}

static size_t scratch_size(const Problem *problem) {
  FactorRoom rooms[PROBLEM_MAX_DOMAINS];
  for (int m = 0; m < problem->n_domains; m++) rooms[m] = least_squares_room(problem, m);
  return factors_scratch(rooms, problem->n_domains);
}

/* ---- Making one ---- */

static Status place_tiles(Natural *n) {
  TRY(memory_allocate(&n->offset, (size_t)n->tiles + 1, sizeof *n->offset, "tiles"));
  TRY(memory_allocate(&n->first, (size_t)n->tiles + 1, sizeof *n->first, "tiles"));
  for (int64_t t = 0; t < n->tiles; t++) {
    FactorRoom room = room_of(n, t);
    n->offset[t + 1] = n->offset[t] + factors_bytes(&room);
  }
  return STATUS_OK;
}

static Status allocate(Natural *n) {
  const char *what = "the kernel of the residuals";
  size_t most = (size_t)n->most, threads = (size_t)n->threads;
  TRY(memory_allocate(&n->kernel, most * most, sizeof *n->kernel, what));
  TRY(memory_allocate(&n->rhs, most, sizeof *n->rhs, what));
  TRY(memory_allocate(&n->diagonal, most, sizeof *n->diagonal, what));
  TRY(memory_allocate(&n->numbers, number_count(n->problem), sizeof *n->numbers, "a direction"));
  TRY(memory_allocate(&n->squares, threads, sizeof(void *), what));
  TRY(memory_allocate(&n->scratch, threads, sizeof(void *), what));
  for (int t = 0; t < n->threads; t++) {
    TRY(least_squares_create(n->problem, &n->squares[t]));
    TRY(memory_allocate(&n->scratch[t], scratch_size(n->problem), sizeof(real), what));
  }
  return STATUS_OK;
}

/* Collective. */
static Status create(Natural *n) {
  TRY(comm_agree(n->comm, place_tiles(n)));
  TRY(comm_split_node(n->comm, &n->node));
  TRY(shared_create(n->comm, n->offset[n->tiles], "the residuals' factors", &n->shared));
  return comm_agree(n->comm, allocate(n));
}

Status natural_create(const Comm *comm, const Problem *problem, int threads, Natural **natural) {
  Natural *n = NULL;
  TRY(comm_agree(comm, memory_allocate(&n, 1, sizeof *n, "the natural gradient")));
  *n = (Natural){.comm = comm,
                 .problem = problem,
                 .threads = threads,
                 .tiles = least_squares_tiles(problem),
                 .most = least_squares_rows(problem)};
  Status status = create(n);
  if (status != STATUS_OK) {
    natural_destroy(n);
    return status;
  }
  *natural = n;
  return STATUS_OK;
}

void natural_destroy(Natural *natural) {
  if (!natural) return;
  for (int t = 0; t < natural->threads; t++) {
    if (natural->squares) least_squares_destroy(natural->squares[t]);
    if (natural->scratch) free(natural->scratch[t]);
  }
  void *owned[] = {natural->squares,  natural->scratch, natural->kernel, natural->rhs,
                   natural->diagonal, natural->numbers, natural->offset, natural->first};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
  shared_destroy(natural->shared);
  comm_release(natural->node);
  free(natural);
}

/* ---- A direction ---- */

/* Every node makes all factors: they are little work and much memory. */
static void make_factors(Natural *n, uint64_t step, const real *theta) {
  int64_t ranks = comm_size(n->node), rank = comm_rank(n->node);
#pragma omp parallel for schedule(dynamic) num_threads(n->threads)
  for (int64_t t = rank; t < n->tiles; t += ranks) {
    LeastSquares *squares = n->squares[omp_get_thread_num()];
    least_squares_tile(squares, step, t, theta, memory_of(n, t));
  }
  shared_barrier(n->shared);
  for (int64_t t = 0; t < n->tiles; t++) n->first[t + 1] = n->first[t] + view(n, t).rows;
  assert(n->first[n->tiles] <= n->most);
}

/* Numbers of which every rank has made some, and has all others 0: their bits are added. */
static void share_doubles(const Natural *n, double *values, size_t count) {
  comm_sum_int64(n->comm, (int64_t *)values, count);
}

/* Block number `pair` of the lower triangle, by rows of blocks. */
static void block_place(int64_t pair, int64_t *row, int64_t *column) {
  int64_t r = (int64_t)((sqrt(8 * (double)pair + 1) - 1) / 2);
  while (r * (r + 1) / 2 > pair) r--;
  while ((r + 1) * (r + 2) / 2 <= pair) r++;
  *row = r;
  *column = pair - r * (r + 1) / 2;
}

static void make_kernel(Natural *n) {
  int64_t ranks = comm_size(n->comm), rank = comm_rank(n->comm);
  int64_t pairs = n->tiles * (n->tiles + 1) / 2;
  size_t size = (size_t)n->first[n->tiles];
  memset(n->kernel, 0, size * size * sizeof *n->kernel);
#pragma omp parallel for schedule(dynamic) num_threads(n->threads)
  for (int64_t pair = rank; pair < pairs; pair += ranks) {
    int64_t row, column;
    block_place(pair, &row, &column);
    FactorTile a = view(n, row), b = view(n, column);
    double *block = n->kernel + (size_t)n->first[row] * size + (size_t)n->first[column];
    factors_kernel(n->problem->network, &a, &b, block, size, n->scratch[omp_get_thread_num()]);
  }
  if (ranks > 1) share_doubles(n, n->kernel, size * size);
}

/* J before in n->rhs: each rank makes that of some tiles. */
static void make_product(Natural *n, const real *before) {
  int64_t ranks = comm_size(n->comm), rank = comm_rank(n->comm);
  size_t size = (size_t)n->first[n->tiles];
  memset(n->rhs, 0, size * sizeof *n->rhs);
#pragma omp parallel for schedule(dynamic) num_threads(n->threads)
  for (int64_t t = rank; t < n->tiles; t += ranks) {
    FactorTile tile = view(n, t);
    factors_product(n->problem->network, &tile, before, n->rhs + n->first[t],
                    n->scratch[omp_get_thread_num()]);
  }
  if (ranks > 1) share_doubles(n, n->rhs, size);
}

/* r - J before */
static void make_rhs(Natural *n, const real *before) {
  if (before) make_product(n, before);
  for (int64_t t = 0; t < n->tiles; t++) {
    FactorTile tile = view(n, t);
    double *rhs = n->rhs + n->first[t];
    for (int i = 0; i < tile.rows; i++) rhs[i] = tile.residual[i] - (before ? rhs[i] : 0);
  }
}

static Status check_finite(const Natural *n, uint64_t step) {
  for (int64_t i = 0; i < n->first[n->tiles]; i++) {
    size_t diagonal = (size_t)i * (size_t)n->first[n->tiles] + (size_t)i;
    if (isfinite(n->rhs[i]) && isfinite(n->kernel[diagonal])) continue;
    return status_fail(STATUS_FAILED, "step %llu: a residual or its derivative is not finite",
                       (unsigned long long)step);
  }
  return STATUS_OK;
}

/* On rank 0. The upper triangle keeps what the factorisation overwrites. */
static Status solve(Natural *n, uint64_t step, double damping) {
  size_t size = (size_t)n->first[n->tiles];
  double *k = n->kernel, mean = 0;
  TRY(check_finite(n, step));
  for (size_t i = 0; i < size; i++) {
    mean += k[i * size + i] / (double)size;
    for (size_t j = 0; j < i; j++) k[j * size + i] = k[i * size + j];
  }
  if (mean == 0) mean = 1; /* no residual depends on the parameters */
  double *diagonal = n->diagonal;
  for (size_t i = 0; i < size; i++) diagonal[i] = k[i * size + i];
  for (; damping < 1e9; damping *= 10) {
    for (size_t i = 0; i < size; i++) k[i * size + i] = diagonal[i] + damping * mean;
    if (linalg_cholesky((int)size, k, n->rhs, n->threads)) return STATUS_OK;
    for (size_t i = 0; i < size; i++) {
      for (size_t j = 0; j < i; j++) k[i * size + j] = k[j * size + i];
    }
  }
  return status_fail(STATUS_FAILED,
                     "step %llu: the kernel of the residuals is not positive definite with any "
                     "damping; raise train.damping",
                     (unsigned long long)step);
}

/* Slices of rows of the layers; each is one thread's. */
static void make_direction(Natural *n, real *direction) {
  const Network *network = n->problem->network;
  int64_t ranks = comm_size(n->comm), rank = comm_rank(n->comm), number = 0;
  memset(direction, 0, number_count(n->problem) * sizeof *n->numbers);
#pragma omp parallel num_threads(n->threads) firstprivate(number)
  for (int l = 0; l < network->n_linear; l++) {
    for (int first = 0; first < network->linear[l].out; first += FACTORS_SLICE, number++) {
      int thread = omp_get_thread_num(), left = network->linear[l].out - first;
      if (number % (ranks * n->threads) != rank * n->threads + thread) continue;
      for (int64_t t = 0; t < n->tiles; t++) {
        FactorTile tile = view(n, t);
        factors_transpose(network, &tile, n->rhs + n->first[t], l, first,
                          left < FACTORS_SLICE ? left : FACTORS_SLICE, direction,
                          n->scratch[thread]);
      }
    }
  }
}

Status natural_direction(Natural *natural, uint64_t step, const real *theta, double damping,
                         const real *before, real *direction) {
  Natural *n = natural;
  size_t parameters = n->problem->network->n_parameters;
  make_factors(n, step, theta);
  make_kernel(n);
  make_rhs(n, before);
  Status status = comm_rank(n->comm) == 0 ? solve(n, step, damping) : STATUS_OK;
  TRY(comm_agree(n->comm, status));
  comm_broadcast(n->comm, n->rhs, (size_t)n->first[n->tiles] * sizeof *n->rhs);
  make_direction(n, (real *)n->numbers);
  comm_sum_int64(n->comm, n->numbers, number_count(n->problem));
  memcpy(direction, n->numbers, parameters * sizeof *direction);
  for (size_t i = 0; before && i < parameters; i++) direction[i] += before[i];
  shared_barrier(n->shared); /* nobody reads factors any more */
  return STATUS_OK;
}

/* ---- What it costs ---- */

double natural_shared_bytes(const Problem *problem) {
  double bytes = 0;
  for (int64_t t = 0; t < least_squares_tiles(problem); t++) {
    FactorRoom room = least_squares_room(problem, least_squares_domain(problem, t));
    bytes += (double)factors_bytes(&room);
  }
  return bytes;
}

double natural_bytes(const Problem *problem, int threads) {
  double most = (double)least_squares_rows(problem),
         scratch = (double)scratch_size(problem) * sizeof(real);
  return 8 * most * most + 16 * most + 8 * (double)number_count(problem) +
         threads * (scratch + (double)least_squares_bytes(problem));
}

/* The kernel's products, half of them by symmetry, and the factorisation. */
double natural_flops(const Problem *problem) {
  double most = (double)least_squares_rows(problem), inputs = 0, bars = 0,
         flops = most * most * most / 3;
  for (int64_t t = 0; t < least_squares_tiles(problem); t++) {
    FactorRoom room = least_squares_room(problem, least_squares_domain(problem, t));
    inputs += (double)room.streams * room.points;
    bars = room.streams * most;
  }
  for (int l = 0; l < problem->network->n_linear; l++) {
    const Linear *linear = &problem->network->linear[l];
    flops += inputs * inputs * linear->in + bars * bars * linear->out;
  }
  return flops;
}
