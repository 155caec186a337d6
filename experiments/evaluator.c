#include "experiments/evaluator.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/jet.h"
#include "core/memory.h"

/* A block is what one jet evaluates at once; a chunk is a whole number of steps along axis 0, of at
 * least CHUNK_POINTS points if the grid has them, and starts a new block. */
enum { BLOCK_ROWS = 256, CHUNK_POINTS = 16 * BLOCK_ROWS, WAVE_BYTES = 64 << 20 };

int64_t grid_line(const Grid *grid) {
  int64_t points = 1;
  for (int i = 1; i < grid->axes; i++) points *= grid->size[i];
  return points;
}

int64_t grid_points(const Grid *grid) {
  return grid->size[0] * grid_line(grid);
}

double grid_coordinate(const Grid *grid, int axis, int64_t i) {
  double lower = grid->lower[axis], range = grid->upper[axis] - lower;
  return grid->size[axis] > 1 ? lower + range * (double)i / (double)(grid->size[axis] - 1) : lower;
}

int evaluator_components(const Network *network, FieldKind kind) {
  return kind == FIELD_GRADIENT ? network->spec.in * network->spec.out : network->spec.out;
}

typedef struct {
  const Network *network;
  const real *theta;
  const Grid *grid;
  JetSpec spec;
  int threads;
  Jet **jets;                 /* [threads] */
  float *fields[FIELD_COUNT]; /* of a wave: this rank's chunks; NULL: not wanted */
  int64_t chunk;              /* steps along axis 0 of a chunk */
  int64_t share;              /* chunks of one rank in a wave */
} Work;

static void point_coordinates(const Grid *grid, int64_t point, real *x) {
  for (int axis = grid->axes - 1; axis >= 0; axis--) {
    x[axis] = (real)grid_coordinate(grid, axis, point % grid->size[axis]);
    point /= grid->size[axis];
  }
}

/* Streams of y [streams][BLOCK_ROWS][out] become the fields' components at `place`. */
static void store_point(const Work *work, const real *y, int row, int64_t place) {
  int in = work->network->spec.in, out = work->network->spec.out;
  static const int first_stream[] = {[FIELD_VALUE] = 0, [FIELD_GRADIENT] = 1};
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (!work->fields[kind]) continue;
    int stream = kind == FIELD_LAPLACIAN ? 1 + in : first_stream[kind];
    int streams = kind == FIELD_GRADIENT ? in : 1;
    float *to = work->fields[kind] + place * streams * out;
    for (int s = 0; s < streams; s++) {
      const real *from = y + ((int64_t)(stream + s) * BLOCK_ROWS + row) * out;
      for (int c = 0; c < out; c++) to[s * out + c] = (float)from[c];
    }
  }
}

/* Points [first, end), fewer than BLOCK_ROWS at a chunk's end; the rest of the block repeats the
 * last one, so that every product has the same shape. `origin`: the point at the fields' start. */
static void evaluate_block(const Work *work, Jet *jet, int64_t first, int64_t end, int64_t origin) {
  real x[BLOCK_ROWS * NETWORK_MAX_IN] __attribute__((aligned(REAL_ALIGN)));
  int rows = end - first < BLOCK_ROWS ? (int)(end - first) : BLOCK_ROWS;
  for (int row = 0; row < BLOCK_ROWS; row++) {
    point_coordinates(work->grid, first + (row < rows ? row : rows - 1),
                      x + row * work->grid->axes);
  }
  const real *y = jet_forward(jet, work->theta, x, NULL);
  for (int row = 0; row < rows; row++) store_point(work, y, row, first + row - origin);
}

/* Steps [first, first + count) of axis 0, which are whole chunks but for the grid's end. */
static void evaluate_steps(const Work *work, int64_t first, int64_t count) {
  int64_t line = grid_line(work->grid), origin = first * line, end = (first + count) * line;
  int64_t points = work->chunk * line, blocks = (points + BLOCK_ROWS - 1) / BLOCK_ROWS;
  int64_t chunks = (count + work->chunk - 1) / work->chunk;
#pragma omp parallel for schedule(dynamic) num_threads(work->threads)
  for (int64_t b = 0; b < chunks * blocks; b++) {
    int64_t chunk_first = origin + b / blocks * points;
    int64_t chunk_end = chunk_first + points < end ? chunk_first + points : end;
    int64_t block_first = chunk_first + b % blocks * BLOCK_ROWS;
    if (block_first < chunk_end) {
      evaluate_block(work, work->jets[omp_get_thread_num()], block_first, chunk_end, origin);
    }
  }
}

static void destroy_work(Work *work) {
  for (int t = 0; work->jets && t < work->threads; t++) jet_destroy(work->jets[t]);
  free(work->jets);
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) free(work->fields[kind]);
}

/* Chunks and waves depend on the grid (and, for the share, on the number of ranks, which only moves
 * work around). */
static void plan_work(Work *work, const bool *wanted, int ranks) {
  int64_t line = grid_line(work->grid), per_point = 0;
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (wanted[kind])
      per_point += evaluator_components(work->network, kind) * (int64_t)sizeof(float);
  }
  work->chunk = line < CHUNK_POINTS ? (CHUNK_POINTS + line - 1) / line : 1;
  if (work->chunk > work->grid->size[0]) work->chunk = work->grid->size[0];
  int64_t chunks = (work->grid->size[0] + work->chunk - 1) / work->chunk;
  int64_t fair = (chunks + ranks - 1) / ranks;
  int64_t bounded = WAVE_BYTES / (work->chunk * line * per_point);
  work->share = bounded < 1 ? 1 : bounded < fair ? bounded : fair;
}

static Status create_work(Work *work, const bool *wanted) {
  size_t points = (size_t)(work->share * work->chunk * grid_line(work->grid));
  TRY(memory_allocate(&work->jets, (size_t)work->threads, sizeof *work->jets, "jets"));
  for (int t = 0; t < work->threads; t++) {
    TRY(jet_create(work->network, &work->spec, BLOCK_ROWS, false, &work->jets[t]));
  }
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (!wanted[kind]) continue;
    size_t components = (size_t)evaluator_components(work->network, kind);
    TRY(memory_allocate(&work->fields[kind], points * components, sizeof(float), "fields"));
  }
  return STATUS_OK;
}

static Status run_waves(const Comm *comm, const Work *work, EvaluatorSink sink, void *context) {
  int64_t size = work->grid->size[0], steps = work->share * work->chunk;
  for (int64_t wave = 0; wave < size; wave += steps * comm_size(comm)) {
    int64_t first = wave + steps * comm_rank(comm);
    if (first > size) first = size;
    int64_t count = first + steps < size ? steps : size - first;
    evaluate_steps(work, first, count);
    TRY(sink(context, first, count, (const float *const *)work->fields));
  }
  return STATUS_OK;
}

Status evaluator_run(const Comm *comm, const Network *network, const real *theta, const Grid *grid,
                     const bool wanted[FIELD_COUNT], int threads, EvaluatorSink sink,
                     void *context) {
  assert(grid->axes == network->spec.in);
  Work work = {.network = network, .theta = theta, .grid = grid, .threads = threads};
  work.spec.first = wanted[FIELD_GRADIENT] || wanted[FIELD_LAPLACIAN];
  work.spec.n_second = wanted[FIELD_LAPLACIAN];
  work.spec.second[0] = (JetSecond){JET_COLLAPSED, JET_COLLAPSED};
  plan_work(&work, wanted, comm_size(comm));
  Status status = comm_agree(comm, create_work(&work, wanted));
  if (status == STATUS_OK) status = run_waves(comm, &work, sink, context);
  destroy_work(&work);
  return status;
}
