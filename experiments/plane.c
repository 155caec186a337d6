#include "experiments/plane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/picture.h"

/* Above this, rank 0 would need gigabytes for pictures that nobody can look at. */
static const int64_t max_picture_points = (int64_t)1 << 26;

Grid plane_grid(int64_t height, int64_t width) {
  return (Grid){.axes = 2, .size = {height, width}, .lower = {-1, -1}, .upper = {1, 1}};
}

void plane_release(Plane *plane) {
  free((float *)plane->field[FIELD_GRADIENT]);
  free((float *)plane->field[FIELD_LAPLACIAN]);
  memset(plane, 0, sizeof *plane);
}

/* Mean over the channels of [pixels][group * channels], where components of a group are
 * `channels` apart: [pixels][group]. */
static Status mean_channels(const Plane *plane, FieldKind kind, int group, float **mean) {
  size_t pixels = (size_t)plane->height * (size_t)plane->width, n = (size_t)plane->channels;
  size_t groups = pixels * (size_t)group;
  TRY(memory_allocate(mean, groups, sizeof **mean, "a picture"));
  for (size_t i = 0; i < groups; i++) {
    double sum = 0;
    for (size_t c = 0; c < n; c++) sum += (double)plane->field[kind][i * n + c];
    (*mean)[i] = (float)(sum / (double)n);
  }
  return STATUS_OK;
}

static Status draw_value(const Plane *plane, Image *image) {
  return picture_value(plane->field[FIELD_VALUE], plane->height, plane->width, plane->channels,
                       image);
}

static Status draw_gradient(const Plane *plane, Image *image) {
  float *mean;
  TRY(mean_channels(plane, FIELD_GRADIENT, 2, &mean));
  Status status = picture_gradient(mean, plane->height, plane->width, image);
  free(mean);
  return status;
}

static Status draw_laplacian(const Plane *plane, Image *image) {
  float *mean;
  TRY(mean_channels(plane, FIELD_LAPLACIAN, 1, &mean));
  Status status = picture_diverging(mean, plane->height, plane->width, image);
  free(mean);
  return status;
}

static const struct {
  const char *label;
  Status (*draw)(const Plane *plane, Image *image);
} drawings[FIELD_COUNT] = {
    [FIELD_VALUE] = {"image", draw_value},
    [FIELD_GRADIENT] = {"gradient", draw_gradient},
    [FIELD_LAPLACIAN] = {"Laplacian", draw_laplacian},
};

Status plane_draw(const Plane *plane, FieldKind kind, Image *image) {
  return drawings[kind].draw(plane, image);
}

static Status write_picture(const Result *result, const Plane *plane, FieldKind kind,
                            const char *name) {
  Image image = {0};
  TRY(drawings[kind].draw(plane, &image));
  char *path = result_path(result, name);
  Status status = image_write_png(path, &image);
  free(path);
  image_destroy(&image);
  return status;
}

Status plane_pictures(const Result *result, const Plane *plane, const char *const names[]) {
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (plane->field[kind]) TRY(write_picture(result, plane, kind, names[kind]));
  }
  return STATUS_OK;
}

static Status draw_panels(const Plane *const columns[2], Image panels[2 * FIELD_COUNT]) {
  for (int i = 0; i < 2 * FIELD_COUNT; i++) TRY(drawings[i / 2].draw(columns[i % 2], &panels[i]));
  return STATUS_OK;
}

Status plane_figure(const Result *result, const char *name, const char *title, const Plane *truth,
                    const Plane *fit, const char captions[FIELD_COUNT][64]) {
  Image panels[2 * FIELD_COUNT] = {{0}};
  const Image *pointers[2 * FIELD_COUNT];
  const char *texts[2 * FIELD_COUNT], *rows[FIELD_COUNT];
  for (int i = 0; i < 2 * FIELD_COUNT; i++) {
    pointers[i] = &panels[i];
    texts[i] = i % 2 ? captions[i / 2] : "";
    rows[i / 2] = drawings[i / 2].label;
  }
  PictureGrid grid = {.rows = FIELD_COUNT,
                      .columns = 2,
                      .title = title,
                      .column_labels = (const char *const[]){"ground truth", "fit"},
                      .row_labels = rows,
                      .panels = pointers,
                      .captions = texts};
  Status status = draw_panels((const Plane *const[]){truth, fit}, panels);
  char *path = result_path(result, name);
  if (status == STATUS_OK) status = picture_grid(path, &grid);
  free(path);
  for (int i = 0; i < 2 * FIELD_COUNT; i++) image_destroy(&panels[i]);
  return status;
}

double plane_figure_bytes(int height, int width, int channels) {
  Image value = {.height = height, .width = width, .channels = channels}, colours = value;
  const Image *panels[2 * FIELD_COUNT] = {&value, &value, &colours, &colours, &colours, &colours};
  double pixels = (double)height * width, mean = 2 * pixels * sizeof(float);
  double canvas = picture_grid_bytes(
      &(PictureGrid){.rows = FIELD_COUNT,
                     .columns = 2,
                     .title = "-",
                     .panels = panels,
                     .column_labels = (const char *const[]){"-", "-"},
                     .row_labels = (const char *const[FIELD_COUNT]){"-", "-", "-"},
                     .captions = (const char *const[2 * FIELD_COUNT]){"-"}});
  return pixels * (2 * channels + 4 * 3) * sizeof(float) + (canvas > mean ? canvas : mean);
}

Status plane_eval(const Setup *setup, const real *theta, Result *result, int height, int width) {
  const Config *config = setup->config;
  int64_t size = config_int(config, "eval.size");
  ResultFields what = {.grid = plane_grid(size ? size : height, size ? size : width),
                       .axes = "row,column"};
  TRY(result_options(config, &what));
  if (what.keep && grid_points(&what.grid) > max_picture_points) {
    what.keep = false;
    if (comm_rank(setup->comm) == 0) {
      fprintf(stderr, "siren: no pictures of a grid of more than %lld points\n",
              (long long)max_picture_points);
    }
  }
  WholeFields whole;
  TRY(result_fields(result, &setup->network, theta, &what, &whole));
  Status status = STATUS_OK;
  if (what.keep && comm_rank(setup->comm) == 0) {
    Plane plane = {(int)what.grid.size[0], (int)what.grid.size[1], setup->network.spec.out, {0}};
    for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) plane.field[kind] = whole.field[kind];
    status = plane_pictures(
        result, &plane,
        (const char *const[]){"eval_value.png", "eval_gradient.png", "eval_laplacian.png"});
  }
  whole_destroy(&whole);
  return comm_agree(setup->comm, status);
}
