#include "experiments/volume_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/volume_slices.h"
#include "io/vtk.h"
#include "io/xdmf.h"

/* What was found in each step along axis 0, by the rank that had it; together they are the same on
 * every number of ranks. */
typedef struct {
  double *sum, *squares; /* of fit - truth, as the network has them; offset by no more than SHIFT */
  double *largest, *least; /* of fit - truth: maxima of the error and of minus the error */
  int64_t steps;
  double *memory;
} Errors;

typedef struct {
  const Volume *volume;
  Result *result;
  VtkFile *vtk; /* NULL: none */
  bool store;   /* into the run file */
  int64_t stride, line;
  double shift; /* to be taken from the fit */
  Errors errors;
  int64_t capacity; /* of the arrays below, in steps */
  float *truth, *fit, *error;
} Judge;

static Status errors_create(int64_t steps, Errors *errors) {
  size_t n = (size_t)steps;
  TRY(memory_allocate(&errors->memory, 4 * n, sizeof *errors->memory, "errors"));
  errors->steps = steps;
  errors->sum = errors->memory;
  errors->squares = errors->memory + n;
  errors->largest = errors->memory + 2 * n;
  errors->least = errors->memory + 3 * n;
  for (size_t i = 0; i < 4 * n; i++) errors->memory[i] = -INFINITY;
  return STATUS_OK;
}

/* ---- A wave of steps ---- */

static Status judge_reserve(Judge *judge, int64_t count) {
  if (count <= judge->capacity) return STATUS_OK;
  float **arrays[] = {&judge->truth, &judge->fit, &judge->error};
  for (int i = 0; i < 3; i++) {
    free(*arrays[i]);
    *arrays[i] = NULL;
    TRY(memory_allocate(arrays[i], (size_t)(count * judge->line), sizeof(float), "slabs"));
  }
  judge->capacity = count;
  return STATUS_OK;
}

static void judge_step(Judge *judge, int64_t step, const float *truth, const float *fit) {
  double sum = 0, squares = 0, largest = -INFINITY, least = -INFINITY;
  for (int64_t i = 0; i < judge->line; i++) {
    double error = (double)fit[i] - judge->shift - (double)truth[i];
    sum += error;
    squares += error * error;
    largest = fmax(largest, error);
    least = fmax(least, -error);
  }
  judge->errors.sum[step] = sum;
  judge->errors.squares[step] = squares;
  judge->errors.largest[step] = largest;
  judge->errors.least[step] = least;
}

/* From the network's scale to the field's units. */
static void convert_slab(Judge *judge, int64_t n, const float *fit) {
  const Volume *volume = judge->volume;
  for (int64_t i = 0; i < n; i++) {
    double value = volume_value(volume, (double)fit[i] - judge->shift);
    judge->fit[i] = (float)value;
    judge->error[i] = (float)(value - volume_value(volume, (double)judge->truth[i]));
  }
}

static Status judge_slab(Judge *judge, int64_t first, int64_t count, const float *fit) {
  TRY(judge_reserve(judge, count));
  TRY(signal_read(&judge->volume->signal, first * judge->stride, count, judge->stride,
                  judge->truth));
  for (int64_t i = 0; i < count; i++) {
    judge_step(judge, first + i, judge->truth + i * judge->line, fit + i * judge->line);
  }
  convert_slab(judge, count * judge->line, fit);
  return STATUS_OK;
}

/* EvaluatorSink. */
static Status take_wave(void *context, int64_t first, int64_t count,
                        const float *const fields[FIELD_COUNT]) {
  Judge *judge = context;
  const float *fit = fields[FIELD_VALUE];
  Status status = count ? judge_slab(judge, first, count, fit) : STATUS_OK;
  TRY(comm_agree(judge->result->comm, status));
  if (judge->store) TRY(runfile_slab(judge->result->file, "value", first, count, fit));
  if (!judge->vtk) return STATUS_OK;
  TRY(vtk_slab(judge->vtk, judge->volume->name, first, count, judge->fit));
  return vtk_slab(judge->vtk, "error", first, count, judge->error);
}

/* Collective. One pass over the grid. */
static Status judge_all(const Setup *setup, const real *theta, Judge *judge, const Grid *grid) {
  TRY(comm_agree(setup->comm, errors_create(grid->size[0], &judge->errors)));
  bool wanted[FIELD_COUNT] = {[FIELD_VALUE] = true};
  TRY(evaluator_run(setup->comm, &setup->network, theta, grid, wanted, setup->threads, take_wave,
                    judge));
  comm_max_double(setup->comm, judge->errors.memory, 4 * (size_t)grid->size[0]);
  return STATUS_OK;
}

static double total(const double *values, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += values[i];
  return sum;
}

/* ---- Files ---- */

static bool fits_vtk(const Grid *grid) {
  bool fits = grid->axes == 3;
  for (int i = 0; i < grid->axes; i++) fits = fits && grid->size[i] >= 2;
  return fits;
}

/* The place of a grid's sample in the file's own coordinates. */
static double own_coordinate(const Volume *volume, int axis, double x) {
  double low = volume->signal.lower[axis], range = volume->signal.upper[axis] - low;
  double samples = (double)volume->signal.size[axis] - 1;
  return volume->origin[axis] + (x - low) / range * samples * volume->spacing[axis];
}

/* Collective. Begins volume.vtkhdf. */
static Status open_vtk(Judge *judge, const Grid *grid) {
  VtkGrid place;
  for (int i = 0; i < 3; i++) {
    place.size[i] = grid->size[i];
    place.lower[i] = own_coordinate(judge->volume, i, grid->lower[i]);
    place.upper[i] = own_coordinate(judge->volume, i, grid->upper[i]);
  }
  char *path = result_path(judge->result, "volume.vtkhdf");
  Status status = vtk_create(judge->result->comm, path, &place, &judge->vtk);
  free(path);
  TRY(status);
  status = vtk_field(judge->vtk, judge->volume->name);
  return status == STATUS_OK ? vtk_field(judge->vtk, "error") : status;
}

static Field describe(const char *name, const Volume *volume, const Grid *grid) {
  Field field = {.name = name, .axes = volume->axes, .n_axes = grid->axes, .components = 1};
  memcpy(field.size, grid->size, sizeof field.size);
  memcpy(field.lower, grid->lower, sizeof field.lower);
  memcpy(field.upper, grid->upper, sizeof field.upper);
  return field;
}

/* Local. NAME.xdmf for fields of FILE.h5 beside it. */
static Status write_xdmf(const Result *result, const char *name, const char *file,
                         const Volume *volume, int n_fields, Field *fields) {
  for (int f = 0; f < n_fields; f++) {
    for (int i = 0; i < fields[f].n_axes; i++) {
      fields[f].lower[i] = own_coordinate(volume, i, fields[f].lower[i]);
      fields[f].upper[i] = own_coordinate(volume, i, fields[f].upper[i]);
    }
  }
  char *path = result_path(result, name);
  Status status = xdmf_write(path, file, n_fields, fields);
  free(path);
  return status;
}

/* Collective. The files of a finished run beside the run file. */
static Status write_files(const Setup *setup, const real *theta, Judge *judge, const Grid *grid) {
  if (judge->vtk) {
    VtkFile *vtk = judge->vtk;
    judge->vtk = NULL;
    TRY(vtk_close(vtk, true));
  }
  Status status = STATUS_OK;
  if (comm_rank(setup->comm) == 0) {
    Field value = describe("value", judge->volume, grid);
    status = write_xdmf(judge->result, "volume.xdmf", "run.h5", judge->volume, 1, &value);
    if (status == STATUS_OK && config_bool(setup->config, "eval.pictures")) {
      status = volume_slices(setup, theta, judge->volume, judge->shift, judge->result);
    }
  }
  return comm_agree(setup->comm, status);
}

/* ---- Metrics ---- */

static Status write_metrics(const Setup *setup, const Judge *judge, const Grid *grid) {
  const Volume *volume = judge->volume;
  const Errors *errors = &judge->errors;
  Result *result = judge->result;
  double range = volume->high - volume->low, unit = range / 2, largest = 0;
  double mse = total(errors->squares, errors->steps) / (double)grid_points(grid);
  for (int64_t i = 0; i < errors->steps; i++) {
    largest = fmax(largest, fmax(errors->largest[i], errors->least[i]));
  }
  double weights = (double)setup->network.n_parameters * sizeof(float);
  TRY(result_metric(result, "psnr", 10 * log10(4 / mse), "dB"));
  TRY(result_metric(result, "mse", mse, "1"));
  TRY(result_metric(result, "error_rms", sqrt(mse) * unit, volume->units));
  TRY(result_metric(result, "error_largest", largest * unit, volume->units));
  TRY(result_metric(result, "error_largest_share", largest / 2, "1"));
  TRY(result_metric(result, "compression_ratio", (double)volume->stored_bytes / weights, "1"));
  TRY(result_metric(result, "range_low", volume->low, volume->units));
  return result_metric(result, "range_high", volume->high, volume->units);
}

/* Collective. The pass that finds the constant which derivatives leave free. */
static Status find_shift(const Setup *setup, const real *theta, Judge *judge, const Grid *grid) {
  if (!judge->volume->sampler.gradient) return STATUS_OK;
  TRY(judge_all(setup, theta, judge, grid));
  judge->shift = total(judge->errors.sum, judge->errors.steps) / (double)grid_points(grid);
  free(judge->errors.memory);
  judge->errors.memory = NULL;
  return STATUS_OK;
}

static Status report(const Setup *setup, const real *theta, Judge *judge, const Grid *grid) {
  Field field = describe("value", judge->volume, grid);
  field.description = "the network's output Phi, where the field has the range [-1, 1]";
  field.units = "1";
  TRY(find_shift(setup, theta, judge, grid));
  TRY(runfile_field(judge->result->file, &field));
  if (fits_vtk(grid)) TRY(open_vtk(judge, grid));
  judge->store = true;
  TRY(judge_all(setup, theta, judge, grid));
  TRY(write_metrics(setup, judge, grid));
  return write_files(setup, theta, judge, grid);
}

Status volume_report(const Setup *setup, const real *theta, const Volume *volume, Result *result) {
  Grid grid = signal_grid(&volume->signal, config_int(setup->config, "volume.stride"));
  Judge judge = {.volume = volume,
                 .result = result,
                 .stride = config_int(setup->config, "volume.stride"),
                 .line = grid_line(&grid)};
  Status status = report(setup, theta, &judge, &grid);
  if (judge.vtk) vtk_close(judge.vtk, false);
  free(judge.errors.memory);
  free(judge.truth);
  free(judge.fit);
  free(judge.error);
  return status;
}

/* ---- siren eval ---- */

Status volume_eval(const Setup *setup, const real *theta, const Volume *volume, Result *result) {
  const Config *config = setup->config;
  int64_t size = config_int(config, "eval.size");
  ResultFields what = {.grid = signal_grid(&volume->signal, config_int(config, "volume.stride")),
                       .axes = volume->axes};
  for (int i = 0; size && i < what.grid.axes; i++) what.grid.size[i] = size;
  TRY(result_options(config, &what));
  what.keep = false; /* fields of any size */
  WholeFields whole;
  TRY(result_fields(result, &setup->network, theta, &what, &whole));
  Field fields[2];
  int n = 0;
  if (what.wanted[FIELD_VALUE]) fields[n++] = describe("value", volume, &what.grid);
  if (what.wanted[FIELD_LAPLACIAN]) fields[n++] = describe("laplacian", volume, &what.grid);
  Status status = STATUS_OK;
  if (comm_rank(setup->comm) == 0 && n > 0) {
    status = write_xdmf(result, "eval.xdmf", "eval.h5", volume, n, fields);
  }
  return comm_agree(setup->comm, status);
}

/* ---- Forecasts ---- */

/* A wave of the fit, of the truth, of fit and error in the field's units; one of them on its way to
 * the file. */
double volume_report_bytes(const Setup *setup, const Volume *volume, int rank) {
  const bool wanted[FIELD_COUNT] = {[FIELD_VALUE] = true};
  Grid grid = signal_grid(&volume->signal, config_int(setup->config, "volume.stride"));
  double largest,
      wave = evaluator_wave_bytes(&setup->network, &grid, wanted, comm_size(setup->comm), &largest);
  double judging = evaluator_bytes(&setup->network, wanted, setup->threads) + 4 * wave +
                   result_writing_bytes(largest);
  bool draws = rank == 0 && config_bool(setup->config, "eval.pictures");
  return draws ? fmax(judging, 3 * wave + volume_slices_bytes(volume)) : judging;
}

double volume_report_flops(const Setup *setup, const Volume *volume) {
  const bool wanted[FIELD_COUNT] = {[FIELD_VALUE] = true};
  Grid grid = signal_grid(&volume->signal, config_int(setup->config, "volume.stride"));
  int passes = volume->sampler.gradient ? 2 : 1;
  return passes * (double)grid_points(&grid) * evaluator_flops(&setup->network, wanted);
}
