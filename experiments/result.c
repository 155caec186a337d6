#include "experiments/result.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/suite.h"
#include "io/file.h"
#include "mpi/gather.h"

/* Names and descriptions in the run file. */
static const struct {
  const char *name, *description;
} kinds[FIELD_COUNT] = {
    [FIELD_VALUE] = {"value", "the network's output Phi"},
    [FIELD_GRADIENT] = {"gradient",
                        "dPhi/dx in network coordinates; component i * channels + c is "
                        "d(channel c)/d(coordinate i)"},
    [FIELD_LAPLACIAN] = {"laplacian", "sum of d2Phi/dx_i^2 in network coordinates"},
};

Status result_metric(Result *result, const char *name, double value, const char *units) {
  assert(result->n_metrics < RESULT_MAX_METRICS);
  assert(!result->experiment || suite_has_metric(result->experiment, name));
  int i = result->n_metrics++;
  result->metrics[i].name = name;
  result->metrics[i].units = units;
  result->metrics[i].value = value;
  return runfile_metric(result->file, name, value, units);
}

static Field describe(const char *name, const char *description, const ResultFields *what,
                      int components) {
  Field field = {.name = name,
                 .description = description,
                 .units = "1",
                 .axes = what->axes,
                 .n_axes = what->grid.axes,
                 .components = components};
  for (int i = 0; i < field.n_axes; i++) {
    field.size[i] = what->grid.size[i];
    field.lower[i] = what->grid.lower[i];
    field.upper[i] = what->grid.upper[i];
  }
  return field;
}

/* One word of eval.fields, without the spaces around it. */
static Status want(const Config *config, const char *word, size_t length, ResultFields *what) {
  while (length && word[0] == ' ') word++, length--;
  while (length && word[length - 1] == ' ') length--;
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (strlen(kinds[kind].name) == length && !memcmp(kinds[kind].name, word, length)) {
      what->wanted[kind] = true;
      return STATUS_OK;
    }
  }
  return config_reject(config, "eval.fields",
                       "no field `%.*s`; there are value, gradient, laplacian", (int)length, word);
}

/* More points than can be counted safely, or stored. */
static Status check_size(const Config *config, const Grid *grid) {
  double points = 1;
  for (int i = 0; i < grid->axes; i++) points *= (double)grid->size[i];
  if (points <= 0x1p48) return STATUS_OK;
  return config_reject(config, "eval.size", "%.2g points are too many", points);
}

Status result_options(const Config *config, ResultFields *what) {
  TRY(check_size(config, &what->grid));
  what->keep = config_bool(config, "eval.pictures");
  for (int i = 0; i < what->grid.axes; i++) {
    what->grid.lower[i] = config_real(config, "eval.lower");
    what->grid.upper[i] = config_real(config, "eval.upper");
  }
  const char *word = config_text(config, "eval.fields");
  for (;;) {
    size_t length = strcspn(word, ",");
    TRY(want(config, word, length, what));
    if (!word[length]) return STATUS_OK;
    word += length + 1;
  }
}

typedef struct {
  Result *result;
  const Network *network;
  const ResultFields *what;
  WholeFields *whole;
  int64_t wave; /* first step of axis 0 that the next call brings, over all ranks */
} Sink;

/* Collective. A wave's steps to the file and, in rank order, behind the whole fields of rank 0. */
static Status store_wave(void *context, int64_t first, int64_t count,
                         const float *const fields[FIELD_COUNT]) {
  Sink *sink = context;
  int64_t line = grid_line(&sink->what->grid);
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (!fields[kind]) continue;
    TRY(runfile_slab(sink->result->file, kinds[kind].name, first, count, fields[kind]));
    if (!sink->what->keep) continue;
    int64_t step = line * evaluator_components(sink->network, kind);
    float *all = sink->whole->field[kind];
    comm_gather_float(sink->result->comm, fields[kind], (size_t)(count * step),
                      all ? all + sink->wave * step : NULL);
  }
  double last = (double)(first + count);
  comm_max_double(sink->result->comm, &last, 1);
  sink->wave = (int64_t)last;
  const ResultFields *what = sink->what;
  return what->also ? what->also(what->context, first, count, fields) : STATUS_OK;
}

static Status create_whole(const Sink *sink) {
  if (!sink->what->keep || comm_rank(sink->result->comm) > 0) return STATUS_OK;
  size_t points = (size_t)grid_points(&sink->what->grid);
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    if (!sink->what->wanted[kind]) continue;
    size_t components = (size_t)evaluator_components(sink->network, kind);
    TRY(memory_allocate(&sink->whole->field[kind], points * components, sizeof(float),
                        "whole fields for pictures"));
  }
  return STATUS_OK;
}

void whole_destroy(WholeFields *whole) {
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) {
    free(whole->field[kind]);
    whole->field[kind] = NULL;
  }
}

Status result_fields(Result *result, const Network *network, const real *theta,
                     const ResultFields *what, WholeFields *whole) {
  memset(whole, 0, sizeof *whole);
  Sink sink = {.result = result, .network = network, .what = what, .whole = whole};
  Status status = comm_agree(result->comm, create_whole(&sink));
  for (FieldKind kind = 0; status == STATUS_OK && kind < FIELD_COUNT; kind++) {
    if (!what->wanted[kind]) continue;
    int components = evaluator_components(network, kind);
    Field field = describe(kinds[kind].name, kinds[kind].description, what, components);
    status = runfile_field(result->file, &field);
  }
  if (status == STATUS_OK) {
    status = evaluator_run(result->comm, network, theta, &what->grid, what->wanted, result->threads,
                           store_wave, &sink);
  }
  if (status != STATUS_OK) whole_destroy(whole);
  return status;
}

/* HDF5 makes all compressed chunks of a call before it writes them. */
double result_writing_bytes(double bytes) {
  return bytes;
}

double result_whole_bytes(const Network *network, const ResultFields *what) {
  double components = 0;
  for (FieldKind kind = 0; what->keep && kind < FIELD_COUNT; kind++) {
    if (what->wanted[kind]) components += evaluator_components(network, kind);
  }
  return components * (double)grid_points(&what->grid) * sizeof(float);
}

double result_fields_bytes(const Network *network, const ResultFields *what, int threads,
                           const Comm *comm, int rank) {
  double largest,
      wave = evaluator_wave_bytes(network, &what->grid, what->wanted, comm_size(comm), &largest);
  return (rank == 0 ? result_whole_bytes(network, what) : 0) + wave +
         result_writing_bytes(largest) + evaluator_bytes(network, what->wanted, threads);
}

Status result_whole_field(Result *result, const char *name, const char *description,
                          const ResultFields *what, int components, const float *values) {
  Field field = describe(name, description, what, components);
  TRY(runfile_field(result->file, &field));
  return runfile_slab(result->file, name, 0, values ? field.size[0] : 0, values);
}

char *result_path(const Result *result, const char *name) {
  return file_join(result->directory, name);
}
