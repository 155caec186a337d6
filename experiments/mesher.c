#include "experiments/mesher.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/marching.h"
#include "core/memory.h"
#include "experiments/progress.h"
#include "io/file.h"
#include "io/shape_write.h"
#include "mpi/gather.h"

/* A window is what is evaluated at once. A rank's share of the grid is cut into SHARE_PIECES
 * pieces, dealt out in turn so that every rank gets its part of the surface wherever that lies; but
 * the plane after a piece is evaluated twice, so pieces have at least PIECE_STEPS planes if they
 * can. */
enum {
  WINDOW_BYTES = 8 << 20,
  SHARE_PIECES = 4,
  PIECE_STEPS = 32,
  BUFFER_BYTES = 1 << 20,
  POINT_BYTES = SHAPE_POINT_BYTES + SHAPE_NORMAL_BYTES
};

/* The mesh of a slab, with corners counted from the slab's first vertex. */
typedef struct {
  size_t n_vertices, n_triangles, point_capacity, normal_capacity, triangle_capacity;
  float (*points)[3], (*normals)[3];
  uint32_t (*triangles)[3];
} Piece;

/* Of a piece, known to all ranks. */
enum { VERTICES, TRIANGLES, N_COUNTS };

typedef struct {
  const Comm *comm;
  const Network *network;
  const MesherJob *job;
  Evaluator *values, *gradients;
  Marching *marching;
  int64_t steps;               /* planes of a piece */
  int64_t rounds;              /* pieces of a rank; piece p is rank p % ranks's number p / ranks */
  int64_t window;              /* planes */
  float *field;                /* [window][rows][columns] */
  Piece *pieces;               /* [rounds] */
  int64_t (*counts)[N_COUNTS]; /* [rounds * ranks] */
  size_t x_capacity, gradient_capacity;
  real *x;         /* [..][3] vertices in network coordinates */
  float *gradient; /* [..][3] */
} Mesher;

/* ---- Plan ---- */

static int64_t divide_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/* Pieces and windows are whole chunks of the evaluator. */
static void plan(Mesher *m) {
  int64_t planes = m->job->grid.size[0], chunk = evaluator_chunk(m->values);
  int64_t ranks = comm_size(m->comm), share = divide_up(planes, ranks);
  int64_t steps = ranks > 1 ? divide_up(share, SHARE_PIECES) : share;
  if (steps < PIECE_STEPS) steps = share < PIECE_STEPS ? share : PIECE_STEPS;
  m->steps = divide_up(steps, chunk) * chunk;
  m->rounds = divide_up(planes, m->steps * ranks);
  int64_t window = WINDOW_BYTES / (grid_line(&m->job->grid) * (int64_t)sizeof *m->field);
  m->window = window < chunk ? chunk : window / chunk * chunk;
}

static Status create(Mesher *m, const real *theta) {
  const MesherJob *job = m->job;
  const bool value[FIELD_COUNT] = {[FIELD_VALUE] = true};
  const bool gradient[FIELD_COUNT] = {[FIELD_GRADIENT] = true};
  int threads = job->threads;
  TRY(evaluator_create(m->network, theta, &job->grid, value, threads, &m->values));
  TRY(evaluator_create(m->network, theta, &job->grid, gradient, threads, &m->gradients));
  TRY(marching_create(job->grid.size[1], job->grid.size[2], (float)job->level, &m->marching));
  plan(m);
  size_t points = (size_t)(m->window * grid_line(&job->grid));
  TRY(memory_allocate(&m->field, points, sizeof *m->field, "a part of the grid"));
  TRY(memory_allocate(&m->pieces, (size_t)m->rounds, sizeof *m->pieces, "a mesh"));
  size_t pieces = (size_t)(m->rounds * comm_size(m->comm));
  return memory_allocate(&m->counts, pieces, sizeof *m->counts, "a mesh");
}

static void destroy(Mesher *m) {
  for (int64_t round = 0; m->pieces && round < m->rounds; round++) {
    free(m->pieces[round].points);
    free(m->pieces[round].normals);
    free(m->pieces[round].triangles);
  }
  free(m->pieces);
  free(m->counts);
  free(m->field);
  free(m->x);
  free(m->gradient);
  marching_destroy(m->marching);
  evaluator_destroy(m->gradients);
  evaluator_destroy(m->values);
}

/* ---- A piece ---- */

static Status reserve(Mesher *m, Piece *piece, size_t vertices) {
  size_t all = piece->n_vertices + vertices;
  TRY(memory_grow(&piece->points, &piece->point_capacity, all, sizeof *piece->points, "a mesh"));
  TRY(memory_grow(&piece->normals, &piece->normal_capacity, all, sizeof *piece->normals, "a mesh"));
  TRY(memory_grow(&m->x, &m->x_capacity, 3 * vertices, sizeof *m->x, "vertices"));
  return memory_grow(&m->gradient, &m->gradient_capacity, 3 * vertices, sizeof *m->gradient,
                     "normals");
}

static double coordinate(const Grid *grid, int axis, double step) {
  double range = grid->upper[axis] - grid->lower[axis];
  return grid->lower[axis] + range * step / (double)(grid->size[axis] - 1);
}

static void place_vertices(const Mesher *m, size_t n, const double (*vertices)[3],
                           float (*points)[3]) {
  for (size_t i = 0; i < n; i++) {
    for (int axis = 0; axis < 3; axis++) {
      double x = coordinate(&m->job->grid, axis, vertices[i][axis]);
      m->x[3 * i + (size_t)axis] = (real)x;
      points[i][axis] = (float)(m->job->scale * x + m->job->offset[axis]);
    }
  }
}

static void normalise(size_t n, const float *gradient, float (*normals)[3]) {
  for (size_t i = 0; i < n; i++) {
    const float *g = gradient + 3 * i;
    double x = (double)g[0], y = (double)g[1], z = (double)g[2];
    double length = sqrt(x * x + y * y + z * z);
    double factor = length > 0 && isfinite(length) ? 1 / length : 0;
    for (int axis = 0; axis < 3; axis++) {
      normals[i][axis] = factor > 0 ? (float)((double)g[axis] * factor) : 0;
    }
  }
}

/* Vertices that begin a block of the evaluator in every division of the grid. */
static Status add_vertices(Mesher *m, Piece *piece, size_t n, const double (*vertices)[3]) {
  if (n == 0) return STATUS_OK;
  TRY(reserve(m, piece, n));
  place_vertices(m, n, vertices, piece->points + piece->n_vertices);
  float *const fields[FIELD_COUNT] = {[FIELD_GRADIENT] = m->gradient};
  evaluator_points(m->gradients, (int64_t)n, m->x, fields);
  normalise(n, m->gradient, piece->normals + piece->n_vertices);
  piece->n_vertices += n;
  return STATUS_OK;
}

static Status add_triangles(Piece *piece, const MarchingLayer *layer) {
  if (layer->n_triangles == 0) return STATUS_OK;
  TRY(memory_grow(&piece->triangles, &piece->triangle_capacity,
                  piece->n_triangles + layer->n_triangles, sizeof *piece->triangles, "a mesh"));
  memcpy(piece->triangles + piece->n_triangles, layer->triangles,
         layer->n_triangles * sizeof *layer->triangles);
  piece->n_triangles += layer->n_triangles;
  return STATUS_OK;
}

/* `owned`: the plane is the piece's own, not the next one's. */
static Status add_plane(Mesher *m, Piece *piece, const float *values, bool owned) {
  MarchingLayer layer;
  TRY(marching_plane(m->marching, values, &layer));
  size_t between = layer.n_between, within = layer.n_vertices - between;
  TRY(add_vertices(m, piece, between, layer.vertices));
  if (owned) TRY(add_vertices(m, piece, within, layer.vertices + between));
  return add_triangles(piece, &layer);
}

/* Local. Planes [first, end), and the one after them for the cells in between. */
static Status mesh_piece(Mesher *m, Piece *piece, int64_t first, int64_t end) {
  int64_t line = grid_line(&m->job->grid), planes = m->job->grid.size[0];
  int64_t last = end < planes ? end + 1 : end;
  float *const fields[FIELD_COUNT] = {[FIELD_VALUE] = m->field};
  marching_begin(m->marching, first);
  for (int64_t window = first; window < last; window += m->window) {
    int64_t count = last - window < m->window ? last - window : m->window;
    evaluator_steps(m->values, window, count, fields);
    for (int64_t i = 0; i < count; i++) {
      TRY(add_plane(m, piece, m->field + i * line, window + i < end));
    }
  }
  return STATUS_OK;
}

static int64_t piece_index(const Mesher *m, int64_t round) {
  return round * comm_size(m->comm) + comm_rank(m->comm);
}

/* Collective. */
static Status mesh_pieces(Mesher *m) {
  int64_t planes = m->job->grid.size[0];
  for (int64_t round = 0; round < m->rounds; round++) {
    int64_t first = piece_index(m, round) * m->steps;
    int64_t end = planes - first < m->steps ? planes : first + m->steps;
    Piece *piece = &m->pieces[round];
    Status status = first < planes ? mesh_piece(m, piece, first, end) : STATUS_OK;
    TRY(comm_agree(m->comm, status));
    int64_t *count = m->counts[piece_index(m, round)];
    count[VERTICES] = (int64_t)piece->n_vertices;
    count[TRIANGLES] = (int64_t)piece->n_triangles;
  }
  comm_sum_int64(m->comm, m->counts[0], N_COUNTS * (size_t)(m->rounds * comm_size(m->comm)));
  return STATUS_OK;
}

/* ---- The file ---- */

/* One round's vertices or triangles on their way to rank 0. */
typedef struct {
  const Piece *piece;
  uint32_t offset; /* of the piece's vertices in the file */
  size_t done;
  FileStream *file; /* on rank 0 */
} Transfer;

static size_t batch(size_t capacity, size_t bytes, size_t left) {
  return capacity / bytes < left ? capacity / bytes : left;
}

static size_t produce_vertices(void *context, unsigned char *buffer, size_t capacity) {
  Transfer *t = context;
  size_t n = batch(capacity, POINT_BYTES, t->piece->n_vertices - t->done);
  if (n == 0) return 0; /* an empty piece has no arrays */
  shape_ply_points(n, (const float(*)[3])t->piece->points + t->done,
                   (const float(*)[3])t->piece->normals + t->done, buffer);
  t->done += n;
  return n * POINT_BYTES;
}

static size_t produce_triangles(void *context, unsigned char *buffer, size_t capacity) {
  Transfer *t = context;
  size_t n = batch(capacity, SHAPE_TRIANGLE_BYTES, t->piece->n_triangles - t->done);
  if (n == 0) return 0;
  shape_ply_triangles(n, (const uint32_t(*)[3])t->piece->triangles + t->done, t->offset, buffer);
  t->done += n;
  return n * SHAPE_TRIANGLE_BYTES;
}

static Status consume(void *context, const unsigned char *data, size_t length) {
  const Transfer *t = context;
  return file_stream_write(t->file, data, length);
}

static int64_t count_before(const Mesher *m, int64_t piece, int which) {
  int64_t sum = 0;
  for (int64_t p = 0; p < piece; p++) sum += m->counts[p][which];
  return sum;
}

/* Collective. */
static Status write_body(const Mesher *m, FileStream *file) {
  size_t (*const produce[])(void *, unsigned char *, size_t) = {produce_vertices,
                                                                produce_triangles};
  for (int pass = 0; pass < 2; pass++) {
    for (int64_t round = 0; round < m->rounds; round++) {
      Transfer transfer = {.piece = &m->pieces[round],
                           .offset = (uint32_t)count_before(m, piece_index(m, round), VERTICES),
                           .file = file};
      CommStream stream = {produce[pass], consume, &transfer};
      TRY(comm_stream(m->comm, &stream, BUFFER_BYTES));
    }
  }
  return STATUS_OK;
}

/* Rank 0. */
static Status begin_file(const char *path, const ShapeCounts *counts, FileStream **file) {
  char header[SHAPE_HEADER_BYTES];
  size_t length;
  TRY(shape_ply_header(counts, header, &length));
  TRY(file_stream_open(path, file));
  return file_stream_write(*file, header, length);
}

/* Collective. */
static Status write_file(const Mesher *m, const MesherSummary *summary) {
  ShapeCounts counts = {summary->vertices, summary->triangles, true};
  FileStream *file = NULL;
  bool writer = comm_rank(m->comm) == 0;
  Status status = writer ? begin_file(m->job->path, &counts, &file) : STATUS_OK;
  status = comm_agree(m->comm, status);
  if (status == STATUS_OK) status = write_body(m, file);
  Status closed = file_stream_close(file, status);
  return status == STATUS_OK ? comm_agree(m->comm, closed) : status;
}

/* Collective. */
static Status mesh_and_write(Mesher *m, MesherSummary *summary) {
  double begin = progress_clock();
  TRY(mesh_pieces(m));
  int64_t pieces = m->rounds * comm_size(m->comm);
  double meshed = progress_clock();
  *summary = (MesherSummary){.vertices = count_before(m, pieces, VERTICES),
                             .triangles = count_before(m, pieces, TRIANGLES)};
  TRY(write_file(m, summary));
  summary->meshing = meshed - begin;
  summary->writing = progress_clock() - meshed;
  return STATUS_OK;
}

Status mesher_run(const Comm *comm, const Network *network, const real *theta, const MesherJob *job,
                  MesherSummary *summary) {
  assert(network->spec.in == 3 && network->spec.out == 1 && job->scale > 0);
  for (int axis = 0; axis < 3; axis++) {
    assert(job->grid.size[axis] >= 2 && job->grid.lower[axis] < job->grid.upper[axis]);
  }
  Mesher m = {.comm = comm, .network = network, .job = job};
  Status status = comm_agree(comm, create(&m, theta));
  if (status == STATUS_OK) status = mesh_and_write(&m, summary);
  destroy(&m);
  return status;
}

/* A vertex comes with two triangles; arrays that grow have room to spare. The slab is in planes of
 * values, of which the marching keeps two with its marks. */
double mesher_bytes(const Network *network, const Grid *grid, int threads, int ranks,
                    double vertices) {
  const bool value[FIELD_COUNT] = {[FIELD_VALUE] = true};
  const bool gradient[FIELD_COUNT] = {[FIELD_GRADIENT] = true};
  double plane = (double)grid_line(grid) * sizeof(float), window = fmax(plane, WINDOW_BYTES);
  double vertex = 2 * sizeof(float[3]) + 2 * sizeof(uint32_t[3]);
  return evaluator_bytes(network, value, threads) + evaluator_bytes(network, gradient, threads) +
         window + 3 * plane + BUFFER_BYTES + 1.25 * vertex * vertices / ranks;
}
