#include "core/marching.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/marching_cases.h"
#include "core/memory.h"

/* MARKS_BEHIND: zeros after a row of marks, which is searched by words. */
enum { WITHIN_ROWS, WITHIN_COLUMNS, N_WITHIN, MARKS_BEHIND = 8 };

/* One of the two planes that are held. */
typedef struct {
  float *values;
  uint8_t *inside;             /* 0 or 1 */
  uint32_t *numbers[N_WITHIN]; /* of the vertices on edges from a sample along rows, columns; valid
                                  where the edge is crossed */
} Plane;

struct Marching {
  MarchingCases cases;
  size_t rows, columns, points;
  float level;
  int64_t index;     /* of the next plane in the grid */
  bool begun;        /* the next plane is a slab's first */
  uint32_t next;     /* number of the next vertex */
  Plane low, high;   /* the plane before, and the one that is being added */
  uint32_t *between; /* numbers of the vertices on edges from low to high */
  uint8_t *columns4; /* [columns] which of a cell edge's four samples are inside */
  uint8_t *marks;    /* [columns + MARKS_BEHIND] not 0: something happens at this column */
  size_t n_vertices, vertex_capacity, n_triangles, triangle_capacity;
  double (*vertices)[3];
  uint32_t (*triangles)[3];
};

/* ---- Memory ---- */

/* Numbers are written before they are read, and few of them: left as they come, most of their pages
 * never are. */
static Status create_numbers(size_t points, uint32_t **numbers) {
  size_t capacity = 0;
  return memory_grow(numbers, &capacity, points, sizeof **numbers, "numbers of vertices");
}

static Status create_plane(size_t points, Plane *plane) {
  TRY(memory_allocate(&plane->values, points, sizeof *plane->values, "a plane"));
  TRY(memory_allocate(&plane->inside, points, sizeof *plane->inside, "a plane"));
  for (int i = 0; i < N_WITHIN; i++) TRY(create_numbers(points, &plane->numbers[i]));
  return STATUS_OK;
}

static Status create_arrays(Marching *m) {
  TRY(create_plane(m->points, &m->low));
  TRY(create_plane(m->points, &m->high));
  TRY(create_numbers(m->points, &m->between));
  TRY(memory_allocate(&m->columns4, m->columns, 1, "a row"));
  return memory_allocate(&m->marks, m->columns + MARKS_BEHIND, 1, "a row");
}

Status marching_create(int64_t rows, int64_t columns, float level, Marching **marching) {
  Marching *m;
  TRY(memory_allocate(&m, 1, sizeof *m, "marching cubes"));
  m->rows = (size_t)rows;
  m->columns = (size_t)columns;
  m->points = m->rows * m->columns;
  m->level = level;
  marching_cases(&m->cases);
  Status status = create_arrays(m);
  if (status != STATUS_OK) {
    marching_destroy(m);
    return status;
  }
  *marching = m;
  return STATUS_OK;
}

static void destroy_plane(Plane *plane) {
  free(plane->values);
  free(plane->inside);
  for (int i = 0; i < N_WITHIN; i++) free(plane->numbers[i]);
}

void marching_destroy(Marching *m) {
  if (!m) return;
  destroy_plane(&m->low);
  destroy_plane(&m->high);
  free(m->between);
  free(m->columns4);
  free(m->marks);
  free(m->vertices);
  free(m->triangles);
  free(m);
}

/* ---- Vertices ---- */

static double crossing(float level, float a, float b) {
  const double margin = 1.0 / 1024;
  double t = ((double)level - (double)a) / ((double)b - (double)a);
  if (isnan(t)) return 0.5;
  return t < margin ? margin : t > 1 - margin ? 1 - margin : t;
}

/* On the edge along `axis` from the sample (plane, row, column); room is there. */
static uint32_t add_vertex(Marching *m, int axis, int64_t plane, size_t row, size_t column, float a,
                           float b) {
  double *vertex = m->vertices[m->n_vertices++];
  vertex[0] = (double)plane;
  vertex[1] = (double)row;
  vertex[2] = (double)column;
  vertex[axis] += crossing(m->level, a, b);
  return m->next++;
}

/* The first marked column from `column` on, or `count`. */
static size_t next_mark(const uint8_t *marks, size_t column, size_t count) {
  while (column < count && !marks[column]) {
    uint64_t word;
    memcpy(&word, marks + column, sizeof word);
    column += word ? 1 : sizeof word;
  }
  return column < count ? column : count;
}

static Status reserve_vertices(Marching *m) {
  size_t room = 2 * m->columns;
  if (m->next > UINT32_MAX - room) {
    return status_fail(STATUS_FAILED, "the surface has over 2^32 vertices: use a coarser grid");
  }
  return memory_grow(&m->vertices, &m->vertex_capacity, m->n_vertices + room, sizeof *m->vertices,
                     "vertices");
}

/* Bit 0: the edge to the next row is crossed; bit 1: to the next column. */
static void mark_within(Marching *m, const uint8_t *inside, bool last_row) {
  const uint8_t *below = last_row ? inside : inside + m->columns;
  size_t last = m->columns - 1;
#pragma omp simd
  for (size_t k = 0; k < last; k++) {
    m->marks[k] = (uint8_t)((inside[k] ^ below[k]) | (inside[k] ^ inside[k + 1]) << 1);
  }
  m->marks[last] = inside[last] ^ below[last];
}

/* Vertices within the high plane. */
static Status cross_within(Marching *m) {
  const Plane *plane = &m->high;
  for (size_t row = 0; row < m->rows; row++) {
    TRY(reserve_vertices(m));
    size_t first = row * m->columns;
    mark_within(m, plane->inside + first, row + 1 == m->rows);
    for (size_t k = 0; (k = next_mark(m->marks, k, m->columns)) < m->columns; k++) {
      const float *v = plane->values + first + k;
      if (m->marks[k] & 1) {
        plane->numbers[WITHIN_ROWS][first + k] =
            add_vertex(m, 1, m->index, row, k, v[0], v[m->columns]);
      }
      if (m->marks[k] & 2) {
        plane->numbers[WITHIN_COLUMNS][first + k] = add_vertex(m, 2, m->index, row, k, v[0], v[1]);
      }
    }
  }
  return STATUS_OK;
}

static Status cross_between(Marching *m) {
  for (size_t row = 0; row < m->rows; row++) {
    TRY(reserve_vertices(m));
    size_t first = row * m->columns;
    const uint8_t *low = m->low.inside + first, *high = m->high.inside + first;
#pragma omp simd
    for (size_t k = 0; k < m->columns; k++) m->marks[k] = low[k] ^ high[k];
    for (size_t k = 0; (k = next_mark(m->marks, k, m->columns)) < m->columns; k++) {
      size_t point = first + k;
      m->between[point] =
          add_vertex(m, 0, m->index - 1, row, k, m->low.values[point], m->high.values[point]);
    }
  }
  return STATUS_OK;
}

/* ---- Triangles ---- */

/* marks[k]: the case of the cell at (row, k); 0 also where all its corners are inside. */
static void mark_cells(Marching *m, size_t row) {
  const uint8_t *low = m->low.inside + row * m->columns;
  const uint8_t *high = m->high.inside + row * m->columns;
  size_t columns = m->columns;
  uint8_t *four = m->columns4;
#pragma omp simd
  for (size_t k = 0; k < columns; k++) {
    four[k] = (uint8_t)(low[k] | high[k] << 1 | low[columns + k] << 2 | high[columns + k] << 3);
  }
#pragma omp simd
  for (size_t k = 0; k < columns - 1; k++) {
    uint8_t which = (uint8_t)(four[k] | four[k + 1] << 4);
    m->marks[k] = which == MARCHING_CASES - 1 ? 0 : which;
  }
  m->marks[columns - 1] = 0;
}

/* For each edge of a cell: the number of its vertex is at [cell's first sample]. */
static void find_numbers(const Marching *m, const uint32_t *numbers[MARCHING_EDGES]) {
  for (int e = 0; e < MARCHING_EDGES; e++) {
    int axis = marching_edge_axis(e), corner = marching_edge_corner(e);
    const Plane *plane = corner & 1 ? &m->high : &m->low;
    const uint32_t *base = axis == 0 ? m->between : plane->numbers[axis - 1];
    numbers[e] = base + (corner >> 1 & 1) * m->columns + (corner >> 2 & 1);
  }
}

static Status add_triangles(Marching *m) {
  const uint32_t *numbers[MARCHING_EDGES];
  find_numbers(m, numbers);
  for (size_t row = 0; row + 1 < m->rows; row++) {
    mark_cells(m, row);
    TRY(memory_grow(&m->triangles, &m->triangle_capacity,
                    m->n_triangles + MARCHING_MAX_TRIANGLES * m->columns, sizeof *m->triangles,
                    "triangles"));
    for (size_t k = 0; (k = next_mark(m->marks, k, m->columns)) < m->columns; k++) {
      int which = m->marks[k];
      for (int t = 0; t < m->cases.count[which]; t++) {
        uint32_t *triangle = m->triangles[m->n_triangles++];
        for (int i = 0; i < 3; i++) {
          triangle[i] = numbers[m->cases.edges[which][t][i]][row * m->columns + k];
        }
      }
    }
  }
  return STATUS_OK;
}

/* ---- Planes ---- */

void marching_begin(Marching *m, int64_t plane) {
  m->index = plane;
  m->begun = true;
  m->next = 0;
}

static void take_values(Marching *m, const float *values) {
  Plane swap = m->low;
  m->low = m->high;
  m->high = swap;
  memcpy(m->high.values, values, m->points * sizeof *values);
  uint8_t *inside = m->high.inside;
#pragma omp simd
  for (size_t i = 0; i < m->points; i++) inside[i] = values[i] < m->level;
}

Status marching_plane(Marching *m, const float *values, MarchingLayer *layer) {
  take_values(m, values);
  m->n_vertices = m->n_triangles = 0;
  if (!m->begun) TRY(cross_between(m));
  size_t n_between = m->n_vertices;
  TRY(cross_within(m));
  if (!m->begun) TRY(add_triangles(m));
  m->begun = false;
  m->index++;
  *layer = (MarchingLayer){.n_between = n_between,
                           .n_vertices = m->n_vertices,
                           .vertices = (const double(*)[3])m->vertices,
                           .n_triangles = m->n_triangles,
                           .triangles = (const uint32_t(*)[3])m->triangles};
  return STATUS_OK;
}
