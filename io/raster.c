#include "io/raster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

Status raster_create(int side, Raster *raster) {
  size_t n = (size_t)side * (size_t)side;
  raster->side = side;
  TRY(memory_allocate(&raster->samples, n, sizeof *raster->samples, "a picture of a shape"));
  for (size_t i = 0; i < n; i++) raster->samples[i].z = -INFINITY;
  return STATUS_OK;
}

void raster_destroy(Raster *raster) {
  free(raster->samples);
  memset(raster, 0, sizeof *raster);
}

/* The samples with centres in [low, high], limited to the square. */
static void sample_range(double low, double high, int side, int range[2]) {
  range[0] = (int)fmin(fmax(ceil(low - 0.5), 0), side);
  range[1] = (int)fmax(fmin(floor(high - 0.5), side - 1), -1);
}

static void put(RasterSample *sample, double z, const double normal[3], bool back) {
  double length = sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]);
  sample->z = (float)z;
  sample->back = back;
  for (int i = 0; i < 3; i++) sample->normal[i] = length > 0 ? (float)(normal[i] / length) : i == 2;
}

/* A triangle on its way: the plane functions whose values at a place are the corners' weights. */
typedef struct {
  double weight[3][3]; /* of a corner: at the origin, per x, per y */
  double z[3];
  double normals[3][3]; /* of the corners, turned to the viewer */
  bool back;
} Facet;

static double edge(const double a[3], const double b[3], double x, double y) {
  return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]);
}

/* The normal of the plane of three places, z > 0. */
static void facing_normal(const RasterPoint corners[3], double normal[3]) {
  double u[3], v[3];
  for (int i = 0; i < 3; i++) {
    u[i] = corners[1].place[i] - corners[0].place[i];
    v[i] = corners[2].place[i] - corners[0].place[i];
  }
  for (int i = 0; i < 3; i++) {
    normal[i] = u[(i + 1) % 3] * v[(i + 2) % 3] - u[(i + 2) % 3] * v[(i + 1) % 3];
  }
  for (int i = 0; normal[2] < 0 && i < 3; i++) normal[i] = -normal[i];
}

/* False when the triangle shows nothing but its edge. With y down, area is negative where corners
 * are counter-clockwise. */
static bool set_up(const RasterPoint corners[3], bool smooth, Facet *facet) {
  const double *a = corners[0].place;
  double area = edge(a, corners[1].place, corners[2].place[0], corners[2].place[1]), flat[3];
  if (!(fabs(area) > 0)) return false;
  facet->back = area > 0;
  facing_normal(corners, flat);
  for (int c = 0; c < 3; c++) {
    const double *p = corners[(c + 1) % 3].place, *q = corners[(c + 2) % 3].place;
    facet->weight[c][0] = edge(p, q, 0, 0) / area;
    facet->weight[c][1] = (p[1] - q[1]) / area;
    facet->weight[c][2] = (q[0] - p[0]) / area;
    facet->z[c] = corners[c].place[2];
    const double *own = smooth ? corners[c].normal : flat;
    double same = own[0] * flat[0] + own[1] * flat[1] + own[2] * flat[2];
    for (int i = 0; i < 3; i++) facet->normals[c][i] = same < 0 ? -own[i] : own[i];
  }
  return true;
}

static void fill_sample(RasterSample *sample, const Facet *facet, const double weight[3]) {
  double z = 0, normal[3] = {0};
  for (int c = 0; c < 3; c++) z += weight[c] * facet->z[c];
  if (!((float)z > sample->z)) return;
  for (int c = 0; c < 3; c++) {
    for (int i = 0; i < 3; i++) normal[i] += weight[c] * facet->normals[c][i];
  }
  put(sample, z, normal, facet->back);
}

void raster_triangle(Raster *raster, const RasterPoint corners[3], bool smooth, bool hide_backs) {
  Facet facet;
  int x_range[2], y_range[2];
  const double *a = corners[0].place, *b = corners[1].place, *c = corners[2].place;
  sample_range(fmin(a[0], fmin(b[0], c[0])), fmax(a[0], fmax(b[0], c[0])), raster->side, x_range);
  sample_range(fmin(a[1], fmin(b[1], c[1])), fmax(a[1], fmax(b[1], c[1])), raster->side, y_range);
  if (x_range[0] > x_range[1] || y_range[0] > y_range[1]) return;
  if (!set_up(corners, smooth, &facet) || (facet.back && hide_backs)) return;
  for (int y = y_range[0]; y <= y_range[1]; y++) {
    RasterSample *row = raster->samples + (size_t)y * (size_t)raster->side;
    for (int x = x_range[0]; x <= x_range[1]; x++) {
      double weight[3];
      for (int k = 0; k < 3; k++) {
        const double *w = facet.weight[k];
        weight[k] = w[0] + w[1] * (x + 0.5) + w[2] * (y + 0.5);
      }
      if (weight[0] >= 0 && weight[1] >= 0 && weight[2] >= 0) fill_sample(&row[x], &facet, weight);
    }
  }
}

void raster_disc(Raster *raster, const RasterPoint *point, double radius, bool hide_backs) {
  int x_range[2], y_range[2];
  const double *at = point->place;
  bool back = point->normal[2] < 0;
  double normal[3];
  for (int i = 0; i < 3; i++) normal[i] = back ? -point->normal[i] : point->normal[i];
  if (back && hide_backs) return;
  sample_range(at[0] - radius, at[0] + radius, raster->side, x_range);
  sample_range(at[1] - radius, at[1] + radius, raster->side, y_range);
  for (int y = y_range[0]; y <= y_range[1]; y++) {
    RasterSample *row = raster->samples + (size_t)y * (size_t)raster->side;
    for (int x = x_range[0]; x <= x_range[1]; x++) {
      double dx = x + 0.5 - at[0], dy = y + 0.5 - at[1];
      if (dx * dx + dy * dy > radius * radius || !((float)at[2] > row[x].z)) continue;
      put(&row[x], at[2], normal, back);
    }
  }
}
