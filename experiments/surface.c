#include "experiments/surface.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"

/* A triangle's unit normal; returns its area. The normal is zero where there is no area. */
static double triangle_area(const Shape *mesh, const int32_t corners[3], double normal[3]) {
  double side[2][3], length = 0;
  for (int s = 0; s < 2; s++) {
    for (int i = 0; i < 3; i++) {
      side[s][i] = (double)mesh->points[corners[s + 1]][i] - mesh->points[corners[0]][i];
    }
  }
  for (int i = 0; i < 3; i++) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    normal[i] = side[0][j] * side[1][k] - side[0][k] * side[1][j];
    length += normal[i] * normal[i];
  }
  length = sqrt(length);
  for (int i = 0; i < 3; i++) normal[i] = length > 0 ? normal[i] / length : 0;
  return length / 2;
}

/* ---- The surface ---- */

static Status create_mesh(const Shape *shape, Surface *surface) {
  const char *what = "a mesh to measure";
  size_t n = (size_t)shape->n_triangles;
  double area = 0;
  TRY(memory_allocate(&surface->triangles, n, sizeof *surface->triangles, what));
  TRY(memory_allocate(&surface->normals, n, sizeof *surface->normals, what));
  TRY(memory_allocate(&surface->area_until, n, sizeof *surface->area_until, what));
  for (int64_t t = 0; t < shape->n_triangles; t++) {
    int64_t to = surface->n;
    double own = triangle_area(shape, shape->triangles[t], surface->normals[to]);
    if (!(own > 0)) continue;
    area += own;
    memcpy(surface->triangles[to], shape->triangles[t], sizeof *shape->triangles);
    surface->area_until[to] = area;
    surface->n++;
  }
  return nearest_create((const float(*)[3])shape->points, (const int32_t(*)[3])surface->triangles,
                        surface->n, &surface->nearest);
}

static Status create_cloud(const Shape *shape, Surface *surface) {
  surface->n = shape->n_points;
  if (shape->normals) {
    TRY(memory_allocate(&surface->normals, (size_t)shape->n_points, sizeof *surface->normals,
                        "a cloud to measure"));
    for (int64_t p = 0; p < shape->n_points; p++) {
      for (int i = 0; i < 3; i++) surface->normals[p][i] = shape->normals[p][i];
    }
  }
  return nearest_create((const float(*)[3])shape->points, NULL, surface->n, &surface->nearest);
}

Status surface_create(const Shape *shape, Surface *surface) {
  *surface = (Surface){.shape = shape};
  Status status = shape->n_triangles ? create_mesh(shape, surface) : create_cloud(shape, surface);
  if (status != STATUS_OK) surface_destroy(surface);
  return status;
}

void surface_destroy(Surface *surface) {
  free(surface->triangles);
  free(surface->normals);
  free(surface->area_until);
  nearest_destroy(surface->nearest);
  memset(surface, 0, sizeof *surface);
}

double surface_diagonal(const Shape *shape) {
  double squares = 0;
  for (int i = 0; i < 3; i++) {
    double low = INFINITY, high = -INFINITY;
    for (int64_t p = 0; p < shape->n_points; p++) {
      low = fmin(low, shape->points[p][i]);
      high = fmax(high, shape->points[p][i]);
    }
    squares += shape->n_points ? (high - low) * (high - low) : 0;
  }
  return sqrt(squares);
}

/* ---- Samples ---- */

/* The first triangle up to which there is more than `area`. */
static int64_t triangle_at(const Surface *surface, double area) {
  int64_t lo = 0, hi = surface->n - 1;
  while (lo < hi) {
    int64_t middle = lo + (hi - lo) / 2;
    if (surface->area_until[middle] > area) {
      hi = middle;
    } else {
      lo = middle + 1;
    }
  }
  return lo;
}

static void sample_mesh(const Surface *surface, RandomStream stream, SurfaceSamples *samples) {
  double area = surface->area_until[surface->n - 1];
  for (int64_t s = 0; s < samples->n; s++) {
    double within = random_uniform(stream, (uint64_t)s, 0);
    int64_t t = triangle_at(surface, area * ((double)s + within) / (double)samples->n);
    double u = random_uniform(stream, (uint64_t)s, 1), v = random_uniform(stream, (uint64_t)s, 2);
    if (u + v > 1) { /* the other half of the parallelogram */
      u = 1 - u;
      v = 1 - v;
    }
    const int32_t *corners = surface->triangles[t];
    const float(*points)[3] = (const float(*)[3])surface->shape->points;
    for (int i = 0; i < 3; i++) {
      double a = points[corners[0]][i], b = points[corners[1]][i], c = points[corners[2]][i];
      samples->at[s][i] = a + u * (b - a) + v * (c - a);
    }
    memcpy(samples->normals[s], surface->normals[t], sizeof *samples->normals);
  }
}

static void sample_cloud(const Surface *surface, RandomStream stream, SurfaceSamples *samples) {
  uint64_t n = (uint64_t)surface->n;
  bool all = samples->n == surface->n;
  for (int64_t s = 0; s < samples->n; s++) {
    uint64_t point = all ? (uint64_t)s : random_permute(stream, (uint64_t)s, n);
    for (int i = 0; i < 3; i++) samples->at[s][i] = surface->shape->points[point][i];
    if (samples->normals) {
      memcpy(samples->normals[s], surface->normals[point], sizeof *samples->normals);
    }
  }
}

Status surface_sample(const Surface *surface, int64_t count, uint64_t seed, uint64_t stream,
                      SurfaceSamples *samples) {
  bool mesh = surface->triangles != NULL;
  *samples = (SurfaceSamples){.n = mesh || count < surface->n ? count : surface->n};
  if (surface->n == 0) samples->n = 0;
  size_t n = (size_t)samples->n;
  Status status = memory_allocate(&samples->at, n, sizeof *samples->at, "samples of a surface");
  if (status == STATUS_OK && surface->normals) {
    status =
        memory_allocate(&samples->normals, n, sizeof *samples->normals, "samples of a surface");
  }
  RandomStream random = {seed, RANDOM_CHECK, stream};
  if (status != STATUS_OK) {
    surface_samples_destroy(samples);
  } else if (samples->n > 0 && mesh) {
    sample_mesh(surface, random, samples);
  } else {
    sample_cloud(surface, random, samples);
  }
  return status;
}

void surface_samples_destroy(SurfaceSamples *samples) {
  free(samples->at);
  free(samples->normals);
  memset(samples, 0, sizeof *samples);
}

/* ---- Topology ---- */

static int compare_words(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static bool has_three_corners(const int32_t corners[3]) {
  return corners[0] != corners[1] && corners[1] != corners[2] && corners[2] != corners[0];
}

/* All sides of triangles: the edge in the upper bits, the direction in the lowest. */
static size_t list_sides(const Shape *mesh, uint64_t *sides) {
  size_t n = 0;
  for (int64_t t = 0; t < mesh->n_triangles; t++) {
    const int32_t *corners = mesh->triangles[t];
    for (int side = 0; has_three_corners(corners) && side < 3; side++) {
      uint64_t from = (uint64_t)corners[side], to = (uint64_t)corners[(side + 1) % 3];
      sides[n++] = from < to ? from << 32 | to << 1 : to << 32 | from << 1 | 1;
    }
  }
  qsort(sides, n, sizeof *sides, compare_words);
  return n;
}

Status surface_closed_share(const Shape *mesh, double *share) {
  uint64_t *sides;
  int64_t edges = 0, closed = 0;
  TRY(memory_allocate(&sides, 3 * (size_t)mesh->n_triangles, sizeof *sides, "a mesh's edges"));
  size_t n = list_sides(mesh, sides);
  for (size_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && sides[end] >> 1 == sides[i] >> 1;) end++;
    edges++;
    closed += end - i == 2 && sides[i] != sides[i + 1];
  }
  free(sides);
  *share = edges ? (double)closed / (double)edges : 0;
  return STATUS_OK;
}

/* The representative of a point's set; halves the way to it. */
static int32_t find_root(int32_t *parent, int32_t point) {
  while (parent[point] != point) {
    parent[point] = parent[parent[point]];
    point = parent[point];
  }
  return point;
}

static void join(const Shape *mesh, int32_t *parent) {
  for (int64_t p = 0; p < mesh->n_points; p++) parent[p] = (int32_t)p;
  for (int64_t t = 0; t < mesh->n_triangles; t++) {
    for (int c = 1; c < 3; c++) {
      int32_t a = find_root(parent, mesh->triangles[t][0]);
      int32_t b = find_root(parent, mesh->triangles[t][c]);
      parent[a < b ? b : a] = a < b ? a : b;
    }
  }
}

static void sum_areas(const Shape *mesh, int32_t *parent, double least, double *areas,
                      int64_t *components) {
  double normal[3], total = 0;
  for (int64_t t = 0; t < mesh->n_triangles; t++) {
    double area = triangle_area(mesh, mesh->triangles[t], normal);
    areas[find_root(parent, mesh->triangles[t][0])] += area;
    total += area;
  }
  *components = 0;
  for (int64_t p = 0; p < mesh->n_points; p++) *components += areas[p] > least * total;
}

Status surface_components(const Shape *mesh, double least, int64_t *components) {
  int32_t *parent = NULL;
  double *areas = NULL;
  size_t n = (size_t)mesh->n_points;
  Status status = memory_allocate(&parent, n, sizeof *parent, "a mesh's components");
  if (status == STATUS_OK) {
    status = memory_allocate(&areas, n, sizeof *areas, "a mesh's components");
  }
  if (status == STATUS_OK) {
    join(mesh, parent);
    sum_areas(mesh, parent, least, areas, components);
  }
  free(parent);
  free(areas);
  return status;
}
