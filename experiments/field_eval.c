#include "experiments/field_eval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "experiments/plane.h"
#include "io/picture.h"

enum { MAX_CHANNELS = 16, COLUMNS = 4 };

ResultFields field_grid(int64_t side) {
  return (ResultFields){.grid = plane_grid(side, side), .axes = "x,y"};
}

static Status draw_channel(const Grid *grid, const float *value, int channels, int channel,
                           Image *image) {
  size_t n = (size_t)grid_points(grid);
  float *one;
  TRY(memory_allocate(&one, n, sizeof *one, "a picture"));
  for (size_t i = 0; i < n; i++) one[i] = value[i * (size_t)channels + (size_t)channel];
  Status status = picture_diverging(one, (int)grid->size[0], (int)grid->size[1], image);
  free(one);
  return status;
}

static Status write_channels(const Result *result, const Image *images, int shown) {
  const Image *panels[MAX_CHANNELS + COLUMNS] = {NULL};
  char captions[MAX_CHANNELS + COLUMNS][32] = {""};
  const char *texts[MAX_CHANNELS + COLUMNS];
  for (int i = 0; i < shown; i++) {
    panels[i] = &images[i];
    snprintf(captions[i], sizeof captions[i], "channel %d", i);
  }
  for (int i = 0; i < MAX_CHANNELS + COLUMNS; i++) texts[i] = captions[i];
  int columns = shown < COLUMNS ? shown : COLUMNS;
  char *path = result_path(result, "eval_value.png");
  Status status = picture_grid(path, &(PictureGrid){.rows = (shown + columns - 1) / columns,
                                                    .columns = columns,
                                                    .panels = panels,
                                                    .captions = texts});
  free(path);
  return status;
}

static Status draw(const Result *result, const Grid *grid, const float *value, int channels) {
  Image images[MAX_CHANNELS] = {{0}};
  int shown = channels < MAX_CHANNELS ? channels : MAX_CHANNELS;
  Status status = STATUS_OK;
  for (int i = 0; status == STATUS_OK && i < shown; i++) {
    status = draw_channel(grid, value, channels, i, &images[i]);
  }
  if (status == STATUS_OK) status = write_channels(result, images, shown);
  for (int i = 0; i < shown; i++) image_destroy(&images[i]);
  return status;
}

Status field_eval(const Setup *setup, const real *theta, Result *result, int side) {
  int64_t size = config_int(setup->config, "eval.size");
  ResultFields what = field_grid(size ? size : side);
  TRY(result_options(setup->config, &what));
  WholeFields whole;
  TRY(result_fields(result, &setup->network, theta, &what, &whole));
  Status status = STATUS_OK;
  if (whole.field[FIELD_VALUE]) {
    status = draw(result, &what.grid, whole.field[FIELD_VALUE], setup->network.spec.out);
  }
  whole_destroy(&whole);
  return comm_agree(setup->comm, status);
}
