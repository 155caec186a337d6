#include "experiments/shape_metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/memory.h"
#include "experiments/surface.h"

static const double far = 0.02, least_component = 0.01; /* of the diagonal, of the area */

enum { TRUTH, FOUND };

/* From samples of one surface to the other. */
typedef struct {
  double distance, far, consistency, orientation;
} OneWay;

typedef struct {
  double distance, cosine;
} Pair;

static double cosine(const double a[3], const double b[3]) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void find_pairs(const SurfaceSamples *from, const Surface *to, Pair *pairs) {
  bool oriented = from->normals && to->normals;
#pragma omp parallel for schedule(static)
  for (int64_t s = 0; s < from->n; s++) {
    NearestHit hit = nearest_find(to->nearest, from->at[s]);
    pairs[s].distance = hit.distance;
    pairs[s].cosine = oriented ? cosine(from->normals[s], to->normals[hit.index]) : NAN;
  }
}

/* The sums have one order for any number of threads. */
static OneWay summarise(const Pair *pairs, int64_t n, double diagonal) {
  OneWay way = {0};
  for (int64_t s = 0; s < n; s++) {
    way.distance += pairs[s].distance / diagonal;
    way.far += pairs[s].distance > far * diagonal;
    way.consistency += fabs(pairs[s].cosine);
    way.orientation += isnan(pairs[s].cosine) ? NAN : pairs[s].cosine > 0;
  }
  way.distance /= (double)n;
  way.far /= (double)n;
  way.consistency /= (double)n;
  way.orientation /= (double)n;
  return way;
}

static Status measure_way(const SurfaceSamples *from, const Surface *to, double diagonal,
                          OneWay *way) {
  Pair *pairs;
  TRY(memory_allocate(&pairs, (size_t)from->n, sizeof *pairs, "distances of surfaces"));
  find_pairs(from, to, pairs);
  *way = summarise(pairs, from->n, diagonal);
  free(pairs);
  return STATUS_OK;
}

static Status measure_both(const Surface surfaces[2], int64_t count, uint64_t seed, double diagonal,
                           OneWay ways[2]) {
  for (int from = TRUTH; from <= FOUND; from++) {
    SurfaceSamples samples;
    TRY(surface_sample(&surfaces[from], count, seed, (uint64_t)from, &samples));
    Status status = measure_way(&samples, &surfaces[!from], diagonal, &ways[from]);
    surface_samples_destroy(&samples);
    TRY(status);
  }
  return STATUS_OK;
}

static Status measure(const Surface surfaces[2], int64_t count, uint64_t seed, double diagonal,
                      ShapeMetrics *metrics) {
  OneWay ways[2];
  TRY(surface_closed_share(surfaces[FOUND].shape, &metrics->watertight));
  TRY(surface_components(surfaces[FOUND].shape, least_component, &metrics->components));
  TRY(measure_both(surfaces, count, seed, diagonal, ways));
  metrics->truth_to_found = ways[TRUTH].distance;
  metrics->found_to_truth = ways[FOUND].distance;
  metrics->chamfer = (ways[TRUTH].distance + ways[FOUND].distance) / 2;
  metrics->normal_consistency = (ways[TRUTH].consistency + ways[FOUND].consistency) / 2;
  metrics->orientation = (ways[TRUTH].orientation + ways[FOUND].orientation) / 2;
  metrics->missing_area = ways[TRUTH].far;
  metrics->phantom_area = ways[FOUND].far;
  return STATUS_OK;
}

Status shape_metrics(const Shape *truth, const Shape *found, int64_t samples, uint64_t seed,
                     ShapeMetrics *metrics) {
  double diagonal = surface_diagonal(truth);
  Surface surfaces[2];
  TRY(surface_create(truth, &surfaces[TRUTH]));
  Status status = surface_create(found, &surfaces[FOUND]);
  if (status == STATUS_OK) {
    if (!(diagonal > 0) || surfaces[TRUTH].n == 0) {
      status = status_fail(STATUS_FAILED,
                           "the true shape has no surface to compare with: use a "
                           "mesh with area or a cloud of several points");
    } else if (found->n_triangles == 0 || surfaces[FOUND].n == 0) {
      *metrics =
          (ShapeMetrics){.chamfer = 1, .truth_to_found = 1, .found_to_truth = 1, .missing_area = 1};
    } else {
      status = measure(surfaces, samples, seed, diagonal, metrics);
    }
    surface_destroy(&surfaces[FOUND]);
  }
  surface_destroy(&surfaces[TRUTH]);
  return status;
}

/* Corners, normal and area of a triangle, and its place in the tree. */
static double surface_bytes(int64_t triangles, int64_t points) {
  int64_t n = triangles ? triangles : points;
  double each =
      triangles ? sizeof(int32_t[3]) + sizeof(double[3]) + sizeof(double) : sizeof(double[3]);
  return (double)n * each + nearest_bytes(n, triangles > 0);
}

double shape_metrics_bytes(int64_t truth_triangles, int64_t truth_points, int64_t found_triangles,
                           int64_t samples) {
  double sides = 2 * 3 * (double)found_triangles * sizeof(uint64_t); /* sorting takes a copy */
  double pairs = (double)samples * (sizeof(double[3][2]) + sizeof(Pair));
  return surface_bytes(truth_triangles, truth_points) + surface_bytes(found_triangles, 0) +
         fmax(sides, pairs);
}
