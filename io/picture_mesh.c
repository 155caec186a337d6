#include "io/picture_mesh.h"

#include <math.h>
#include <string.h>

#include "io/raster.h"

enum { FINE = 2 }; /* samples to a pixel's side */

static const float background[3] = {0.96f, 0.96f, 0.97f};

/* ---- The view ---- */

/* The viewer's right, down and forward (out of the picture) in the shape's coordinates. */
typedef struct {
  double axes[3][3];
} Camera;

static Camera camera_of(const MeshView *view) {
  double azimuth = view->azimuth * M_PI / 180, elevation = view->elevation * M_PI / 180;
  int up = view->up, front = (up + 1) % 3, side = (up + 2) % 3;
  Camera camera = {{{0}}};
  camera.axes[0][front] = -sin(azimuth);
  camera.axes[0][side] = cos(azimuth);
  camera.axes[1][front] = sin(elevation) * cos(azimuth);
  camera.axes[1][side] = sin(elevation) * sin(azimuth);
  camera.axes[1][up] = -cos(elevation);
  camera.axes[2][front] = cos(elevation) * cos(azimuth);
  camera.axes[2][side] = cos(elevation) * sin(azimuth);
  camera.axes[2][up] = sin(elevation);
  return camera;
}

static void turn(const Camera *camera, const double vector[3], double turned[3]) {
  for (int i = 0; i < 3; i++) {
    const double *axis = camera->axes[i];
    turned[i] = axis[0] * vector[0] + axis[1] * vector[1] + axis[2] * vector[2];
  }
}

MeshView mesh_view(const Shape *shape, int up, double azimuth, double elevation) {
  const double margin = 1.05;
  MeshView view = {.up = up, .azimuth = azimuth, .elevation = elevation, .half_side = 1};
  Camera camera = camera_of(&view);
  double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
  for (int64_t p = 0; p < shape->n_points; p++) {
    const float *point = shape->points[p];
    double turned[3];
    turn(&camera, (double[3]){point[0], point[1], point[2]}, turned);
    for (int i = 0; i < 3; i++) {
      low[i] = fmin(low[i], turned[i]);
      high[i] = fmax(high[i], turned[i]);
    }
  }
  if (shape->n_points == 0) return view;
  for (int i = 0; i < 3; i++) {
    for (int axis = 0; axis < 3; axis++) {
      view.centre[i] += camera.axes[axis][i] * (low[axis] + high[axis]) / 2;
    }
  }
  double longer = fmax(high[0] - low[0], high[1] - low[1]);
  if (longer > 0) view.half_side = margin * longer / 2;
  return view;
}

/* ---- What is seen ---- */

static void project(const Shape *shape, int64_t p, const MeshView *view, const Camera *camera,
                    int side, RasterPoint *point) {
  double offset[3], turned[3], normal[3] = {0}, scale = side / (2 * view->half_side);
  for (int i = 0; i < 3; i++) offset[i] = shape->points[p][i] - view->centre[i];
  turn(camera, offset, turned);
  for (int i = 0; i < 3; i++) point->place[i] = turned[i] * scale + (i < 2 ? side / 2.0 : 0);
  for (int i = 0; i < 3; i++) {
    normal[i] = shape->normals ? shape->normals[p][i] : camera->axes[2][i];
  }
  turn(camera, normal, point->normal);
}

/* Discs that about cover a surface which fills the picture. */
static double disc_radius(int64_t n, int side) {
  return fmin(fmax(1.5 * side / sqrt((double)n), FINE), side / 50.0);
}

static void draw(const Shape *shape, const MeshView *view, Raster *raster) {
  Camera camera = camera_of(view);
  RasterPoint corners[3];
  for (int64_t t = 0; t < shape->n_triangles; t++) {
    for (int c = 0; c < 3; c++) {
      project(shape, shape->triangles[t][c], view, &camera, raster->side, &corners[c]);
    }
    raster_triangle(raster, corners, shape->normals, view->hide_backs);
  }
  if (shape->n_triangles) return;
  double radius = disc_radius(shape->n_points, raster->side);
  for (int64_t p = 0; p < shape->n_points; p++) {
    project(shape, p, view, &camera, raster->side, &corners[0]);
    raster_disc(raster, &corners[0], radius, view->hide_backs);
  }
}

/* ---- Light ---- */

enum { NEIGHBOURS = 32 };

typedef struct {
  int dx, dy;
} Offset;

/* A spiral of places around a sample, out to a share of the picture's side. */
static void spiral(int side, Offset offsets[NEIGHBOURS]) {
  const double golden = 2.399963229728653, reach = 0.05 * side;
  for (int i = 0; i < NEIGHBOURS; i++) {
    double radius = reach * (i + 0.5) / NEIGHBOURS + 1;
    offsets[i] =
        (Offset){(int)lrint(radius * cos(golden * i)), (int)lrint(radius * sin(golden * i))};
  }
}

/* How open the place is, 0 to 1: neighbours that rise above its tangent plane shade it, near ones
 * more (McGuire et al. 2011, "The Alchemy screen-space ambient obscurance algorithm"). */
static float openness(const Raster *raster, int x, int y, const Offset offsets[NEIGHBOURS]) {
  const RasterSample *here = &raster->samples[(size_t)y * (size_t)raster->side + (size_t)x];
  float reach = 0.05f * (float)raster->side, shade = 0;
  for (int i = 0; i < NEIGHBOURS; i++) {
    int at_x = x + offsets[i].dx, at_y = y + offsets[i].dy;
    if (at_x < 0 || at_x >= raster->side || at_y < 0 || at_y >= raster->side) continue;
    const RasterSample *there =
        &raster->samples[(size_t)at_y * (size_t)raster->side + (size_t)at_x];
    if (!isfinite(there->z)) continue;
    float d[3] = {(float)offsets[i].dx, (float)offsets[i].dy, there->z - here->z};
    float square = d[0] * d[0] + d[1] * d[1] + d[2] * d[2], length = sqrtf(square);
    const float *n = here->normal;
    float rise = (n[0] * d[0] + n[1] * d[1] + n[2] * d[2]) / length - 0.08f;
    if (rise > 0) shade += rise / (1 + square / (reach * reach));
  }
  return fmaxf(1 - 2.6f * shade / NEIGHBOURS, 0);
}

static float towards(const float normal[3], const float light[3]) {
  return fmaxf(normal[0] * light[0] + normal[1] * light[1] + normal[2] * light[2], 0);
}

/* A bright light from the upper left, a weak one from the right, the sky above and the ground
 * below, a faint gloss. Sums of light are linear, the picture's values are not. */
static void shade(const RasterSample *sample, float open, float rgb[3]) {
  static const float key[3] = {-0.49f, -0.62f, 0.61f}, fill[3] = {0.81f, 0.09f, 0.58f};
  static const float gloss[3] = {-0.273f, -0.346f, 0.898f}; /* half way from key to the viewer */
  static const float paint[2][3] = {{0.52f, 0.56f, 0.63f}, {0.85f, 0.30f, 0.08f}};
  const float *n = sample->normal;
  float sky = 0.5f - 0.5f * n[1];
  float light = open * (0.05f + 0.17f * sky + 0.16f * towards(n, fill)) +
                (0.3f + 0.7f * open) * 0.85f * towards(n, key);
  float shine = 0.07f * open * powf(towards(n, gloss), 40);
  for (int c = 0; c < 3; c++) {
    rgb[c] = powf(fminf(paint[sample->back][c] * light + shine, 1), 1 / 2.2f);
  }
}

static void shade_pixel(const Raster *raster, int x, int y, const Offset offsets[NEIGHBOURS],
                        float pixel[3]) {
  float sum[3] = {0};
  for (int part = 0; part < FINE * FINE; part++) {
    int fine_x = FINE * x + part % FINE, fine_y = FINE * y + part / FINE;
    const RasterSample *sample =
        &raster->samples[(size_t)fine_y * (size_t)raster->side + (size_t)fine_x];
    float rgb[3];
    memcpy(rgb, background, sizeof rgb);
    if (isfinite(sample->z)) shade(sample, openness(raster, fine_x, fine_y, offsets), rgb);
    for (int c = 0; c < 3; c++) sum[c] += rgb[c];
  }
  for (int c = 0; c < 3; c++) pixel[c] = sum[c] / (FINE * FINE);
}

Status picture_mesh(const Shape *shape, const MeshView *view, int size, Image *image) {
  Raster raster;
  Offset offsets[NEIGHBOURS];
  TRY(raster_create(FINE * size, &raster));
  Status status = image_create(size, size, 3, image);
  if (status == STATUS_OK) {
    draw(shape, view, &raster);
    spiral(raster.side, offsets);
#pragma omp parallel for schedule(dynamic, 8)
    for (int y = 0; y < size; y++) {
      for (int x = 0; x < size; x++) {
        shade_pixel(&raster, x, y, offsets,
                    image->pixels + 3 * ((size_t)y * (size_t)size + (size_t)x));
      }
    }
  }
  raster_destroy(&raster);
  return status;
}
