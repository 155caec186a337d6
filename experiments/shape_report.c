#include "experiments/shape_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/mesher.h"
#include "experiments/shape_metrics.h"
#include "io/picture.h"
#include "io/picture_mesh.h"
#include "io/shape_write.h"
#include "mpi/gather.h"

enum {
  COARSE = 64,        /* samples a side of the fields in the run file, at most */
  SLICE = 512,        /* of a slice (paper.md 5.3), unless the mesh is a small one */
  SAMPLES = 200000,   /* of each surface for the metrics */
  PICTURE_SIDE = 768, /* pixels */
};

/* ---- Slices ---- */

typedef struct {
  const char *name, *label, *description;
  int axis;
  double at;
} Slice;

static const Slice slices[] = {
    {"slice_x", "x = 0", "Phi on the plane x = 0", 0, 0},
    {"slice_y", "y = 0", "Phi on the plane y = 0", 1, 0},
    {"slice_middle", "z = 0", "Phi on the plane z = 0", 2, 0},
    {"slice_z", "z = -0.75", "Phi on the plane z = -0.75", 2, -0.75},
};
enum { N_SLICES = sizeof slices / sizeof *slices };

static ResultFields slice_fields(const Slice *slice, int64_t size) {
  ResultFields what = {.grid = {.axes = 3}, .axes = "x,y,z"};
  for (int i = 0; i < 3; i++) {
    what.grid.size[i] = i == slice->axis ? 1 : size;
    what.grid.lower[i] = i == slice->axis ? slice->at : -1;
    what.grid.upper[i] = i == slice->axis ? slice->at : 1;
  }
  return what;
}

typedef struct {
  const Comm *comm;
  int64_t line, wave; /* points of a step along axis 0; first step of the next call */
  float *all;         /* [points] on rank 0 */
} Gather;

/* EvaluatorSink: the values whole on rank 0. */
static Status gather_values(void *context, int64_t first, int64_t count,
                            const float *const fields[FIELD_COUNT]) {
  Gather *gather = context;
  comm_gather_float(gather->comm, fields[FIELD_VALUE], (size_t)(count * gather->line),
                    gather->all ? gather->all + gather->wave * gather->line : NULL);
  double last = (double)(first + count);
  comm_max_double(gather->comm, &last, 1);
  gather->wave = (int64_t)last;
  return STATUS_OK;
}

/* Collective. One slice into the file; *values [size * size] on rank 0, owned by the caller. */
static Status evaluate_slice(const Setup *setup, const real *theta, const Slice *slice,
                             int64_t size, Result *result, float **values) {
  const Comm *comm = result->comm;
  ResultFields what = slice_fields(slice, size);
  Gather gather = {.comm = comm, .line = grid_line(&what.grid)};
  Status status = STATUS_OK;
  if (comm_rank(comm) == 0) {
    status = memory_allocate(values, (size_t)(size * size), sizeof **values, "a slice");
  }
  TRY(comm_agree(comm, status));
  gather.all = *values;
  TRY(evaluator_run(comm, &setup->network, theta, &what.grid, (const bool[FIELD_COUNT]){true},
                    result->threads, gather_values, &gather));
  return result_whole_field(result, slice->name, slice->description, &what, 1, *values);
}

/* ---- The mesh ---- */

static MesherJob mesher_job(const ZeroSet *set, const Grid *grid, int threads, const char *path) {
  MesherJob job = {.grid = *grid, .scale = set->unit, .threads = threads, .path = path};
  memcpy(job.offset, set->offset, sizeof job.offset);
  return job;
}

/* Local. The mesh as it was written, in the network's coordinates; without surface it is zero. */
static Status read_mesh(const char *path, const MesherSummary *summary, const ZeroSet *set,
                        Shape *mesh) {
  char warning[512];
  memset(mesh, 0, sizeof *mesh);
  if (summary->triangles == 0) return STATUS_OK;
  TRY(shape_read(path, mesh, warning));
  for (int64_t i = 0; i < mesh->n_points; i++) {
    for (int k = 0; k < 3; k++) {
      mesh->points[i][k] = (float)(((double)mesh->points[i][k] - set->offset[k]) / set->unit);
    }
  }
  return STATUS_OK;
}

/* Everything looks from the same place, so that pictures can be compared. */
static MeshView choose_view(const Config *config, const ZeroSet *set) {
  static const char *const axes[] = {"x", "y", "z"};
  int up = 0;
  while (strcmp(axes[up], config_text(config, "sdf.up"))) up++;
  MeshView view = mesh_view(&set->shape, up, 30, 20);
  view.hide_backs = config_bool(config, "sdf.inside");
  return view;
}

static Status write_picture(const Result *result, const char *name, const Image *image) {
  char *path = result_path(result, name);
  Status status = image_write_png(path, image);
  free(path);
  return status;
}

/* ---- Figures ---- */

enum { TRUTH, MESH, BACK, FIRST_SLICE, COLUMNS = 4, N_PANELS = 2 * COLUMNS };

typedef struct {
  Image images[N_PANELS];
  char captions[N_PANELS][64];
} Panels;

static Status draw_meshes(const Config *config, const ZeroSet *set, const Shape *mesh,
                          Panels *panels) {
  MeshView view = choose_view(config, set), back = view;
  back.azimuth += 180;
  TRY(picture_mesh(&set->shape, &view, PICTURE_SIDE, &panels->images[TRUTH]));
  TRY(picture_mesh(mesh, &view, PICTURE_SIDE, &panels->images[MESH]));
  return picture_mesh(mesh, &back, PICTURE_SIDE, &panels->images[BACK]);
}

static Status draw_slices(float *const values[N_SLICES], int size, Panels *panels) {
  for (int i = 0; i < N_SLICES; i++) {
    snprintf(panels->captions[COLUMNS + i], 64, "%s", slices[i].label);
    TRY(picture_contour(values[i], size, size, 1, &panels->images[COLUMNS + i]));
  }
  return STATUS_OK;
}

static Status write_figure(const Result *result, const Panels *panels) {
  const Image *images[N_PANELS];
  const char *captions[N_PANELS];
  for (int i = 0; i < N_PANELS; i++) {
    images[i] = panels->images[i].pixels ? &panels->images[i] : NULL;
    captions[i] = panels->captions[i];
  }
  PictureGrid grid = {.rows = 2,
                      .columns = COLUMNS,
                      .title = "A signed distance function",
                      .panels = images,
                      .captions = captions};
  char *path = result_path(result, "figure.png");
  Status status = picture_grid(path, &grid);
  free(path);
  return status;
}

static Status draw(const Setup *setup, const ZeroSet *set, const Shape *mesh,
                   const ShapeMetrics *metrics, float *const values[N_SLICES], int size,
                   const Result *result) {
  if (result->plain) return STATUS_OK;
  Panels panels = {0};
  snprintf(panels.captions[TRUTH], 64, "the shape");
  snprintf(panels.captions[MESH], 64, "chamfer %.3f %%", 100 * metrics->chamfer);
  snprintf(panels.captions[BACK], 64, "normals %.3f", metrics->normal_consistency);
  Status status = draw_meshes(setup->config, set, mesh, &panels);
  if (status == STATUS_OK) status = draw_slices(values, size, &panels);
  if (status == STATUS_OK) status = write_picture(result, "mesh.png", &panels.images[MESH]);
  if (status == STATUS_OK) status = write_figure(result, &panels);
  for (int i = 0; i < N_PANELS; i++) image_destroy(&panels.images[i]);
  return status;
}

/* ---- Metrics ---- */

/* Mean of ||g| - 1| over gradients [points][3]. */
static double mean_eikonal(const float *gradient, int64_t points) {
  double sum = 0;
  for (int64_t i = 0; i < points; i++) {
    double x = gradient[3 * i], y = gradient[3 * i + 1], z = gradient[3 * i + 2];
    sum += fabs(sqrt(x * x + y * y + z * z) - 1);
  }
  return sum / (double)points;
}

/* What rank 0 finds out and all ranks store. */
typedef struct {
  ShapeMetrics shape;
  double eikonal;
  MesherSummary mesh;
} Findings;

/* Collective. */
static Status store(Result *result, Findings *findings) {
  comm_broadcast(result->comm, findings, sizeof *findings);
  const ShapeMetrics *m = &findings->shape;
  const struct {
    const char *name;
    double value;
  } metrics[] = {
      {"chamfer", m->chamfer},
      {"truth_to_found", m->truth_to_found},
      {"found_to_truth", m->found_to_truth},
      {"normal_consistency", m->normal_consistency},
      {"orientation", m->orientation},
      {"watertight", m->watertight},
      {"phantom_area", m->phantom_area},
      {"missing_area", m->missing_area},
      {"components", (double)m->components},
      {"eikonal", findings->eikonal},
      {"vertices", (double)findings->mesh.vertices},
      {"triangles", (double)findings->mesh.triangles},
  };
  for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
    TRY(result_metric(result, metrics[i].name, metrics[i].value, "1"));
  }
  return STATUS_OK;
}

/* ---- The report ---- */

typedef struct {
  WholeFields coarse;
  float *slices[N_SLICES]; /* [size][size], on rank 0 */
  int slice_size;
  Grid coarse_grid;
  Findings findings;
} Report;

static Grid cube(int64_t size) {
  return (Grid){.axes = 3, .size = {size, size, size}, .lower = {-1, -1, -1}, .upper = {1, 1, 1}};
}

static ResultFields coarse_fields(const Config *config) {
  int64_t resolution = config_int(config, "sdf.resolution");
  return (ResultFields){.grid = cube(resolution < COARSE ? resolution : COARSE),
                        .wanted = {[FIELD_VALUE] = true, [FIELD_GRADIENT] = true},
                        .keep = true,
                        .axes = "x,y,z"};
}

static int slice_size(const Config *config) {
  int64_t resolution = config_int(config, "sdf.resolution");
  return resolution < COARSE ? (int)resolution : SLICE;
}

/* Collective. */
static Status evaluate(const Setup *setup, const real *theta, Result *result, Report *report) {
  ResultFields what = coarse_fields(setup->config);
  report->coarse_grid = what.grid;
  report->slice_size = slice_size(setup->config);
  TRY(result_fields(result, &setup->network, theta, &what, &report->coarse));
  for (int i = 0; i < N_SLICES; i++) {
    TRY(evaluate_slice(setup, theta, &slices[i], report->slice_size, result, &report->slices[i]));
  }
  return STATUS_OK;
}

/* Local, on rank 0. */
static Status judge(const Setup *setup, const ZeroSet *set, const char *path, const Result *result,
                    Report *report) {
  Findings *findings = &report->findings;
  Shape mesh;
  TRY(read_mesh(path, &findings->mesh, set, &mesh));
  findings->eikonal =
      mean_eikonal(report->coarse.field[FIELD_GRADIENT], grid_points(&report->coarse_grid));
  Status status = shape_metrics(&set->shape, &mesh, SAMPLES,
                                (uint64_t)config_int(setup->config, "seed"), &findings->shape);
  if (status == STATUS_OK) {
    status = draw(setup, set, &mesh, &findings->shape, report->slices, report->slice_size, result);
  }
  shape_destroy(&mesh);
  return status;
}

/* Collective. */
static Status make_report(const Setup *setup, const real *theta, const ZeroSet *set,
                          const char *path, Result *result, Report *report) {
  Grid grid = cube(config_int(setup->config, "sdf.resolution"));
  MesherJob job = mesher_job(set, &grid, result->threads, path);
  TRY(evaluate(setup, theta, result, report));
  TRY(mesher_run(result->comm, &setup->network, theta, &job, &report->findings.mesh));
  bool root = comm_rank(result->comm) == 0;
  TRY(comm_agree(result->comm, root ? judge(setup, set, path, result, report) : STATUS_OK));
  return store(result, &report->findings);
}

Status shape_report(const Setup *setup, const real *theta, const ZeroSet *set, Result *result) {
  Report report = {0};
  char *path = result_path(result, "mesh.ply");
  Status status = make_report(setup, theta, set, path, result, &report);
  free(path);
  whole_destroy(&report.coarse);
  for (int i = 0; i < N_SLICES; i++) free(report.slices[i]);
  return status;
}

/* Local, on rank 0. */
static Status draw_eval(const Setup *setup, const ZeroSet *set, const char *path,
                        const MesherSummary *summary, const Result *result) {
  Shape mesh;
  Image image = {0};
  TRY(read_mesh(path, summary, set, &mesh));
  MeshView view = choose_view(setup->config, set);
  Status status = picture_mesh(&mesh, &view, PICTURE_SIDE, &image);
  if (status == STATUS_OK) status = write_picture(result, "eval_mesh.png", &image);
  image_destroy(&image);
  shape_destroy(&mesh);
  return status;
}

/* Collective. */
static Status mesh_eval(const Setup *setup, const real *theta, const ZeroSet *set,
                        const ResultFields *what, const char *path, Result *result) {
  MesherJob job = mesher_job(set, &what->grid, result->threads, path);
  MesherSummary summary;
  TRY(mesher_run(result->comm, &setup->network, theta, &job, &summary));
  bool draws = comm_rank(result->comm) == 0 && config_bool(setup->config, "eval.pictures");
  Status status = STATUS_OK;
  if (draws) status = draw_eval(setup, set, path, &summary, result);
  return comm_agree(result->comm, status);
}

Status shape_eval(const Setup *setup, const real *theta, const ZeroSet *set, Result *result) {
  int64_t size = config_int(setup->config, "eval.size");
  ResultFields what = {.grid = cube(size ? size : config_int(setup->config, "sdf.resolution")),
                       .axes = "x,y,z"};
  TRY(result_options(setup->config, &what));
  what.keep = false;
  WholeFields none;
  TRY(result_fields(result, &setup->network, theta, &what, &none));
  char *path = result_path(result, "eval_mesh.ply");
  Status status = mesh_eval(setup, theta, set, &what, path, result);
  free(path);
  return status;
}

/* ---- Forecasts ---- */

/* A surface crosses 3/2 edges of a grid per area of a cell's face, in the mean over directions. Of
 * a cloud the area is unknown: that of the box around it. */
static double mesh_vertices(const ZeroSet *set, int64_t resolution) {
  int64_t n = set->shape.n_triangles;
  double side[3], spacing = 2 / (double)(resolution - 1);
  for (int k = 0; k < 3; k++) side[k] = set->upper[k] - set->lower[k];
  double box = 2 * (side[0] * side[1] + side[1] * side[2] + side[2] * side[0]);
  return 1.5 * (n ? set->area_until[n - 1] : box) / (spacing * spacing);
}

static double figure_bytes(int size) {
  const Image mesh = {.height = PICTURE_SIDE, .width = PICTURE_SIDE};
  const Image slice = {.height = size, .width = size};
  const Image *images[N_PANELS] = {&mesh, &mesh, &mesh};
  for (int i = FIRST_SLICE; i < N_PANELS; i++) images[i] = i < COLUMNS ? NULL : &slice;
  PictureGrid grid = {.rows = 2, .columns = COLUMNS, .title = "-", .panels = images};
  double pixels = 3.0 * PICTURE_SIDE * PICTURE_SIDE + (double)N_SLICES * size * size;
  return 3 * sizeof(float) * pixels + picture_grid_bytes(&grid);
}

double shape_report_bytes(const Setup *setup, const ZeroSet *set, int rank) {
  ResultFields what = coarse_fields(setup->config);
  int64_t resolution = config_int(setup->config, "sdf.resolution");
  int size = slice_size(setup->config), ranks = comm_size(setup->comm);
  Grid grid = cube(resolution);
  double vertices = mesh_vertices(set, resolution);
  double fields = result_fields_bytes(&setup->network, &what, setup->threads, setup->comm, rank);
  double meshing = mesher_bytes(&setup->network, &grid, setup->threads, ranks, vertices);
  if (rank > 0) return fmax(fields, meshing);
  double kept = result_whole_bytes(&setup->network, &what) + (double)N_SLICES * size * size * 4;
  double mesh = vertices * (sizeof(float[3]) * 2 + sizeof(int32_t[3]) * 2);
  double file = vertices * (SHAPE_POINT_BYTES + SHAPE_NORMAL_BYTES + 2 * SHAPE_TRIANGLE_BYTES);
  double measuring = shape_metrics_bytes(set->shape.n_triangles, set->shape.n_points,
                                         (int64_t)(2 * vertices), SAMPLES);
  double judging = mesh + fmax(file + mesh / 2, fmax(measuring, figure_bytes(size)));
  return fmax(fields, kept + fmax(meshing, judging));
}

double shape_report_flops(const Setup *setup) {
  ResultFields what = coarse_fields(setup->config);
  const bool value[FIELD_COUNT] = {[FIELD_VALUE] = true};
  double resolution = (double)config_int(setup->config, "sdf.resolution");
  double size = slice_size(setup->config);
  return (double)grid_points(&what.grid) * evaluator_flops(&setup->network, what.wanted) +
         (pow(resolution, 3) + N_SLICES * size * size) * evaluator_flops(&setup->network, value);
}
