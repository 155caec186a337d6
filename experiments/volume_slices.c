#include "experiments/volume_slices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/volume_figure.h"
#include "io/picture.h"

enum { SLICES = 3, LONGEST = 1024 };

typedef struct {
  char label[96];
  float *truth, *fit;
} Slice;

/* The grid of a slice: one sample along `axis`, the middle one; along the others every stride-th;
 * of four axes one sample of the first. `first` is its first sample in the signal. */
static Grid slice_grid(const Signal *signal, int axis, int64_t stride, int64_t *first) {
  Grid grid = signal_grid(signal, stride);
  for (int i = 0; i < signal->axes; i++) {
    first[i] = 0;
    if (i != axis && !(signal->axes == 4 && i == 0)) continue;
    first[i] = (signal->size[i] - 1) / 2;
    grid.size[i] = 1;
    grid.lower[i] = grid.upper[i] = (double)signal_coordinate(signal, i, first[i]);
  }
  return grid;
}

static Status evaluate_slice(const Setup *setup, const real *theta, const Grid *grid, float *fit) {
  Evaluator *evaluator = NULL;
  bool wanted[FIELD_COUNT] = {[FIELD_VALUE] = true};
  float *fields[FIELD_COUNT] = {[FIELD_VALUE] = fit};
  TRY(evaluator_create(&setup->network, theta, grid, wanted, setup->threads, &evaluator));
  evaluator_steps(evaluator, 0, grid->size[0], fields);
  evaluator_destroy(evaluator);
  return STATUS_OK;
}

/* "z = 0.5", from the names of the axes. */
static void label_slice(const Volume *volume, int axis, int64_t at, char label[96]) {
  const char *name = volume->axes;
  for (int i = 0; i < axis && *name; i++) name += strcspn(name, ",") + (strchr(name, ',') != NULL);
  snprintf(label, 96, "%.*s = %.4g", (int)strcspn(name, ","), name,
           volume->origin[axis] + (double)at * volume->spacing[axis]);
}

static Status make_slice(const Setup *setup, const real *theta, const Volume *volume, double shift,
                         int axis, int64_t stride, Slice *slice, VolumeSlice *view) {
  int64_t first[NETWORK_MAX_IN];
  Grid grid = slice_grid(&volume->signal, axis, stride, first);
  size_t n = (size_t)grid_points(&grid);
  TRY(memory_allocate(&slice->truth, n, sizeof(float), "a slice"));
  TRY(memory_allocate(&slice->fit, n, sizeof(float), "a slice"));
  TRY(signal_box(&volume->signal, first, grid.size, stride, slice->truth));
  TRY(evaluate_slice(setup, theta, &grid, slice->fit));
  for (size_t i = 0; i < n; i++) {
    slice->truth[i] = (float)volume_value(volume, (double)slice->truth[i]);
    slice->fit[i] = (float)volume_value(volume, (double)slice->fit[i] - shift);
  }
  label_slice(volume, axis, first[axis], slice->label);
  int last = volume->signal.axes - 1;
  int rows = axis == last - 2 ? last - 1 : last - 2, columns = axis == last ? last - 1 : last;
  *view = (VolumeSlice){slice->label, (int)grid.size[rows], (int)grid.size[columns], slice->truth,
                        slice->fit};
  return STATUS_OK;
}

/* Long axes are thinned out: nobody sees more. */
static int64_t slice_stride(const Signal *signal) {
  int64_t longest = 1;
  for (int i = signal->axes - 3; i < signal->axes; i++) {
    if (signal->size[i] > longest) longest = signal->size[i];
  }
  return (longest + LONGEST - 1) / LONGEST;
}

Status volume_slices(const Setup *setup, const real *theta, const Volume *volume, double shift,
                     const Result *result) {
  if (result->plain) return STATUS_OK;
  Slice slices[SLICES] = {{{0}, NULL, NULL}};
  VolumeSlice views[SLICES];
  int64_t stride = slice_stride(&volume->signal);
  Status status = STATUS_OK;
  for (int i = 0; i < SLICES && status == STATUS_OK; i++) {
    status = make_slice(setup, theta, volume, shift, volume->signal.axes - SLICES + i, stride,
                        &slices[i], &views[i]);
  }
  if (status == STATUS_OK) {
    char *path = result_path(result, "slices.png");
    VolumeFigure figure = {.title = "A volume and its fit",
                           .units = volume->units,
                           .low = volume->low,
                           .high = volume->high,
                           .n_slices = SLICES,
                           .slices = views};
    status = volume_figure(path, &figure);
    free(path);
  }
  for (int i = 0; i < SLICES; i++) {
    free(slices[i].truth);
    free(slices[i].fit);
  }
  return status;
}

/* Truth, fit and error of all slices, nine panels in colour, and their figure. */
double volume_slices_bytes(const Volume *volume) {
  int64_t first[NETWORK_MAX_IN], stride = slice_stride(&volume->signal);
  Image images[SLICES] = {{0}};
  const Image *panels[3 * SLICES];
  double points = 0;
  for (int i = 0; i < SLICES; i++) {
    int last = volume->signal.axes - 1, axis = last + 1 - SLICES + i;
    Grid grid = slice_grid(&volume->signal, axis, stride, first);
    images[i].height = (int)grid.size[axis == last - 2 ? last - 1 : last - 2];
    images[i].width = (int)grid.size[axis == last ? last - 1 : last];
    points += (double)grid_points(&grid);
    for (int row = 0; row < 3; row++) panels[row * SLICES + i] = &images[i];
  }
  PictureGrid grid = {.rows = 3, .columns = SLICES, .title = "-", .panels = panels};
  return points * (3 + 3 * 3) * sizeof(float) + picture_grid_bytes(&grid);
}
