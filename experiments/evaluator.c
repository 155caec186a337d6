#include "experiments/evaluator.h"

#include <assert.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/jet.h"
#include "core/memory.h"
#include "experiments/stop.h"

/* A block is what one jet evaluates at once; a chunk is a whole number of steps along axis 0, of at
 * least CHUNK_POINTS points if the grid has them, and starts a new block. */
enum { BLOCK_ROWS = 256, CHUNK_POINTS = 16 * BLOCK_ROWS, WAVE_BYTES = 64 << 20 };
static const double wave_flops = 1e12;

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

struct Evaluator {
  const Network *network;
  const real *theta;
  Grid grid;
  bool wanted[FIELD_COUNT];
  int threads;
  Jet **jets;                        /* [threads] */
  real *coordinates[NETWORK_MAX_IN]; /* [grid.size[axis]] of the samples along each axis */
  int64_t chunk;
};

static JetSpec jet_of(const bool wanted[FIELD_COUNT]) {
  return (JetSpec){.first = wanted[FIELD_GRADIENT] || wanted[FIELD_LAPLACIAN],
                   .n_second = wanted[FIELD_LAPLACIAN],
                   .second = {{JET_COLLAPSED, JET_COLLAPSED}}};
}

static int64_t chunk_of(const Grid *grid) {
  int64_t line = grid_line(grid);
  int64_t chunk = line < CHUNK_POINTS ? (CHUNK_POINTS + line - 1) / line : 1;
  return chunk < grid->size[0] ? chunk : grid->size[0];
}

/* ---- Blocks ---- */

/* Coordinates of `rows` points from `point` on. */
static void fill_coordinates(const Evaluator *e, int64_t point, int rows, real *x) {
  int axes = e->grid.axes;
  int64_t at[NETWORK_MAX_IN] = {0};
  for (int axis = axes - 1; axis >= 0; axis--) {
    at[axis] = point % e->grid.size[axis];
    point /= e->grid.size[axis];
  }
  for (int row = 0; row < rows; row++) {
    for (int axis = 0; axis < axes; axis++) x[row * axes + axis] = e->coordinates[axis][at[axis]];
    for (int axis = axes - 1; axis >= 0 && ++at[axis] == e->grid.size[axis]; axis--) at[axis] = 0;
  }
}

/* Streams of y [streams][BLOCK_ROWS][out] become the fields' components of points from `place` on.
 */
static void store_rows(const Evaluator *e, const real *y, int rows, int64_t place,
                       float *const fields[FIELD_COUNT]) {
  int in = e->network->spec.in, out = e->network->spec.out;
  const int first_stream[] = {[FIELD_VALUE] = 0, [FIELD_GRADIENT] = 1, [FIELD_LAPLACIAN] = 1 + in};
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (!e->wanted[kind]) continue;
    int streams = kind == FIELD_GRADIENT ? in : 1;
    for (int s = 0; s < streams; s++) {
      const real *from = y + (int64_t)(first_stream[kind] + s) * BLOCK_ROWS * out;
      float *to = fields[kind] + place * streams * out + s * out;
      for (int row = 0; row < rows; row++) {
        for (int c = 0; c < out; c++) to[row * streams * out + c] = (float)from[row * out + c];
      }
    }
  }
}

/* x [BLOCK_ROWS][in], of which `rows` are filled; the rest of the block repeats the last one, so
 * that every product has the same shape. */
static void evaluate_block(const Evaluator *e, real *x, int rows, int64_t place,
                           float *const fields[FIELD_COUNT]) {
  size_t in = (size_t)e->network->spec.in;
  for (size_t row = (size_t)rows; row < BLOCK_ROWS; row++) {
    memcpy(x + row * in, x + ((size_t)rows - 1) * in, in * sizeof *x);
  }
  const real *y = jet_forward(e->jets[omp_get_thread_num()], e->theta, x, NULL);
  store_rows(e, y, rows, place, fields);
}

static int rows_until(int64_t first, int64_t end) {
  return end - first < BLOCK_ROWS ? (int)(end - first) : BLOCK_ROWS;
}

void evaluator_steps(const Evaluator *e, int64_t first, int64_t count,
                     float *const fields[FIELD_COUNT]) {
  assert(first % e->chunk == 0);
  int64_t line = grid_line(&e->grid), origin = first * line, end = (first + count) * line;
  int64_t points = e->chunk * line, blocks = (points + BLOCK_ROWS - 1) / BLOCK_ROWS;
  int64_t chunks = (count + e->chunk - 1) / e->chunk;
#pragma omp parallel for schedule(dynamic) num_threads(e->threads)
  for (int64_t b = 0; b < chunks * blocks; b++) {
    int64_t chunk_first = origin + b / blocks * points;
    int64_t chunk_end = chunk_first + points < end ? chunk_first + points : end;
    int64_t block_first = chunk_first + b % blocks * BLOCK_ROWS;
    if (block_first >= chunk_end) continue;
    real x[BLOCK_ROWS * NETWORK_MAX_IN] __attribute__((aligned(REAL_ALIGN)));
    int rows = rows_until(block_first, chunk_end);
    fill_coordinates(e, block_first, rows, x);
    evaluate_block(e, x, rows, block_first - origin, fields);
  }
}

void evaluator_points(const Evaluator *e, int64_t count, const real *points,
                      float *const fields[FIELD_COUNT]) {
  int in = e->network->spec.in;
#pragma omp parallel for schedule(dynamic) num_threads(e->threads)
  for (int64_t first = 0; first < count; first += BLOCK_ROWS) {
    real x[BLOCK_ROWS * NETWORK_MAX_IN] __attribute__((aligned(REAL_ALIGN)));
    int rows = rows_until(first, count);
    memcpy(x, points + first * in, (size_t)(rows * in) * sizeof *x);
    evaluate_block(e, x, rows, first, fields);
  }
}

/* ---- Life ---- */

static Status create_jets(Evaluator *e) {
  JetSpec spec = jet_of(e->wanted);
  TRY(memory_allocate(&e->jets, (size_t)e->threads, sizeof *e->jets, "jets"));
  for (int t = 0; t < e->threads; t++) {
    TRY(jet_create(e->network, &spec, BLOCK_ROWS, false, &e->jets[t]));
  }
  return STATUS_OK;
}

static Status create_coordinates(Evaluator *e) {
  for (int axis = 0; axis < e->grid.axes; axis++) {
    int64_t size = e->grid.size[axis];
    TRY(memory_allocate(&e->coordinates[axis], (size_t)size, sizeof(real), "coordinates"));
    for (int64_t i = 0; i < size; i++) {
      e->coordinates[axis][i] = (real)grid_coordinate(&e->grid, axis, i);
    }
  }
  return STATUS_OK;
}

Status evaluator_create(const Network *network, const real *theta, const Grid *grid,
                        const bool wanted[FIELD_COUNT], int threads, Evaluator **evaluator) {
  assert(grid->axes == network->spec.in);
  Evaluator *e;
  TRY(memory_allocate(&e, 1, sizeof *e, "an evaluator"));
  *e = (Evaluator){.network = network, .theta = theta, .grid = *grid, .threads = threads};
  memcpy(e->wanted, wanted, sizeof e->wanted);
  e->chunk = chunk_of(grid);
  Status status = create_jets(e);
  if (status == STATUS_OK) status = create_coordinates(e);
  if (status != STATUS_OK) {
    evaluator_destroy(e);
    return status;
  }
  *evaluator = e;
  return STATUS_OK;
}

void evaluator_destroy(Evaluator *e) {
  if (!e) return;
  for (int t = 0; e->jets && t < e->threads; t++) jet_destroy(e->jets[t]);
  free(e->jets);
  for (int axis = 0; axis < e->grid.axes; axis++) free(e->coordinates[axis]);
  free(e);
}

int64_t evaluator_chunk(const Evaluator *evaluator) {
  return evaluator->chunk;
}

/* ---- A whole grid ---- */

/* A wave: `steps` steps along axis 0 for each rank. */
typedef struct {
  Evaluator *evaluator;
  int64_t steps;
  float *fields[FIELD_COUNT];
} Work;

/* Steps of a rank: bounded memory, and some seconds until a request to stop is seen. Waves depend
 * on the number of ranks, which only moves work around. */
static int64_t wave_steps(const Network *network, const Grid *grid, const bool wanted[FIELD_COUNT],
                          int ranks) {
  int64_t per_point = 0, chunk = chunk_of(grid);
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (wanted[kind]) per_point += evaluator_components(network, kind) * (int)sizeof(float);
  }
  int64_t chunks = (grid->size[0] + chunk - 1) / chunk;
  int64_t fair = (chunks + ranks - 1) / ranks;
  int64_t points = chunk * grid_line(grid), bounded = WAVE_BYTES / (points * per_point);
  int64_t short_enough =
      (int64_t)(wave_flops / (evaluator_flops(network, wanted) * (double)points));
  if (short_enough < bounded) bounded = short_enough;
  return chunk * (bounded < 1 ? 1 : bounded < fair ? bounded : fair);
}

/* ---- What it costs ---- */

double evaluator_bytes(const Network *network, const bool wanted[FIELD_COUNT], int threads) {
  JetSpec spec = jet_of(wanted);
  return threads * (double)memory_footprint(jet_bytes(network, &spec, BLOCK_ROWS, false));
}

double evaluator_wave_bytes(const Network *network, const Grid *grid,
                            const bool wanted[FIELD_COUNT], int ranks, double *largest) {
  double points = (double)(wave_steps(network, grid, wanted, ranks) * grid_line(grid)), all = 0;
  *largest = 0;
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (!wanted[kind]) continue;
    double bytes = points * evaluator_components(network, kind) * sizeof(float);
    *largest = bytes > *largest ? bytes : *largest;
    all += bytes;
  }
  return all;
}

double evaluator_flops(const Network *network, const bool wanted[FIELD_COUNT]) {
  JetSpec spec = jet_of(wanted);
  return jet_flops(network, &spec) / 3; /* the forward part */
}

static Status create_fields(Work *work) {
  const Evaluator *e = work->evaluator;
  size_t points = (size_t)(work->steps * grid_line(&e->grid));
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (!e->wanted[kind]) continue;
    size_t components = (size_t)evaluator_components(e->network, kind);
    TRY(memory_allocate(&work->fields[kind], points * components, sizeof(float), "fields"));
  }
  return STATUS_OK;
}

/* Collective. An evaluation of hours must not outlive the request to stop. */
static Status look_for_stop(const Comm *comm) {
  double wish = stop_requested();
  comm_max_double(comm, &wish, 1);
  if (wish == 0) return STATUS_OK;
  return status_fail(STATUS_STOPPED, "stopped while fields were evaluated; start again to go on");
}

static Status run_waves(const Comm *comm, const Work *work, EvaluatorSink sink, void *context) {
  int64_t size = work->evaluator->grid.size[0], steps = work->steps;
  for (int64_t wave = 0; wave < size; wave += steps * comm_size(comm)) {
    int64_t first = wave + steps * comm_rank(comm);
    int64_t count = first + steps < size ? steps : first < size ? size - first : 0;
    if (count) evaluator_steps(work->evaluator, first, count, work->fields);
    TRY(sink(context, count ? first : size, count, (const float *const *)work->fields));
    if (wave + steps * comm_size(comm) < size) TRY(look_for_stop(comm));
  }
  return STATUS_OK;
}

Status evaluator_run(const Comm *comm, const Network *network, const real *theta, const Grid *grid,
                     const bool wanted[FIELD_COUNT], int threads, EvaluatorSink sink,
                     void *context) {
  Work work = {0};
  Status status = evaluator_create(network, theta, grid, wanted, threads, &work.evaluator);
  if (status == STATUS_OK) {
    work.steps = wave_steps(network, grid, wanted, comm_size(comm));
    status = create_fields(&work);
  }
  status = comm_agree(comm, status);
  if (status == STATUS_OK) status = run_waves(comm, &work, sink, context);
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) free(work.fields[kind]);
  evaluator_destroy(work.evaluator);
  return status;
}
