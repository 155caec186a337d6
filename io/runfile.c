/* Writing the run file: what goes where. How all ranks write one file: io/hdf5_parallel.h. */
#include "io/runfile.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_parallel.h"
#include "io/layout.h"

struct RunFile {
  ParallelFile *parallel;
  const Hdf5File *hdf5; /* of the same file */
};

enum { FIELD_PATH = 160 };
static void field_path(const char *name, char path[FIELD_PATH]) {
  snprintf(path, FIELD_PATH, "/fields/%s", name);
}

static Status agree(RunFile *file, Status status) {
  return parallel_agree(file->parallel, status);
}

static Status reserve(RunFile *file, double bytes) {
  return parallel_reserve(file->parallel, bytes);
}

/* ---- Creation and end ---- */

static Status write_skeleton(const Hdf5File *hdf5) {
  TRY(layout_write_format(hdf5, "siren run"));
  TRY(hdf5_group(hdf5, "/metrics"));
  return hdf5_group(hdf5, "/fields");
}

Status runfile_create(const Comm *comm, const char *path, RunFile **result) {
  RunFile *file = calloc(1, sizeof *file);
  assert(file);
  Status status = parallel_create(comm, path, &file->parallel);
  if (status != STATUS_OK) {
    free(file);
    return status;
  }
  file->hdf5 = parallel_hdf5(file->parallel);
  status = agree(file, write_skeleton(file->hdf5));
  if (status == STATUS_OK) {
    *result = file;
  } else {
    runfile_close(file, false);
  }
  return status;
}

Status runfile_close(RunFile *file, bool complete) {
  Status status = STATUS_OK;
  if (complete) status = reserve(file, 0);
  if (complete && status == STATUS_OK) {
    status = agree(file, hdf5_set_integer(file->hdf5, "/", "complete", 1));
  }
  Status closed = parallel_close(file->parallel, complete);
  free(file);
  return status == STATUS_OK ? closed : status;
}

/* ---- Contents ---- */

Status runfile_config(RunFile *file, const Config *config) {
  TRY(reserve(file, 0));
  return agree(file, layout_write_config(file->hdf5, config));
}

/* Collective. Rank 0's text in a new string, since ranks may differ in it (their host's name). */
static char *shared_text(const Comm *comm, const char *text) {
  size_t bytes = strlen(text) + 1;
  comm_broadcast(comm, &bytes, sizeof bytes);
  char *copy = calloc(1, bytes);
  assert(copy);
  if (comm_rank(comm) == 0) memcpy(copy, text, bytes);
  comm_broadcast(comm, copy, bytes);
  return copy;
}

static Status set_shared_text(RunFile *file, const char *object, const char *name,
                              const char *text) {
  char *copy = shared_text(parallel_comm(file->parallel), text);
  Status status = hdf5_set_text(file->hdf5, object, name, copy);
  free(copy);
  return agree(file, status);
}

Status runfile_provenance(RunFile *file, int n, const TextAttribute *attributes) {
  TRY(reserve(file, 0));
  TRY(agree(file, hdf5_group(file->hdf5, "/provenance")));
  for (int i = 0; i < n; i++) {
    TRY(set_shared_text(file, "/provenance", attributes[i].name, attributes[i].value));
  }
  return STATUS_OK;
}

Status runfile_model(RunFile *file, const Model *model, const real *theta) {
  TRY(reserve(file, (double)model->n_parameters * sizeof(real)));
  return agree(file, layout_write_model(file->hdf5, model, theta));
}

Status runfile_history(RunFile *file, const History *history) {
  TRY(reserve(file, (double)history->rows * 8 * (history->n_columns + 1)));
  return agree(file, layout_write_history(file->hdf5, history));
}

Status runfile_metric(RunFile *file, const char *name, double value, const char *units) {
  char units_name[128];
  snprintf(units_name, sizeof units_name, "%s_units", name);
  TRY(reserve(file, 0));
  comm_broadcast(parallel_comm(file->parallel), &value, sizeof value);
  TRY(agree(file, hdf5_set_numbers(file->hdf5, "/metrics", name, 0, &value)));
  return set_shared_text(file, "/metrics", units_name, units);
}

static Status write_array(const Hdf5File *hdf5, const RunArray *array) {
  TRY(layout_make_groups(hdf5, array->name));
  TRY(hdf5_write(hdf5, array->name, H5T_NATIVE_DOUBLE, array->n_axes, array->size, array->values));
  TRY(hdf5_set_text(hdf5, array->name, "description", array->description));
  return hdf5_set_text(hdf5, array->name, "units", array->units);
}

Status runfile_array(RunFile *file, const RunArray *array) {
  double bytes = sizeof(double);
  for (int i = 0; i < array->n_axes; i++) bytes *= (double)array->size[i];
  TRY(reserve(file, bytes));
  return agree(file, write_array(file->hdf5, array));
}

/* ---- Fields ---- */

static Status describe_field(const Hdf5File *hdf5, const Field *field, const char *path) {
  TRY(hdf5_set_text(hdf5, path, "description", field->description));
  TRY(hdf5_set_text(hdf5, path, "units", field->units));
  TRY(hdf5_set_text(hdf5, path, "axes", field->axes));
  TRY(hdf5_set_numbers(hdf5, path, "lower", field->n_axes, field->lower));
  return hdf5_set_numbers(hdf5, path, "upper", field->n_axes, field->upper);
}

Status runfile_field(RunFile *file, const Field *field) {
  char path[FIELD_PATH];
  int64_t size[PARALLEL_MAX_RANK];
  int rank = field->n_axes;
  assert(rank >= 1 && rank <= 4 && field->components >= 1);
  for (int i = 0; i < rank; i++) size[i] = field->size[i];
  if (field->components > 1) size[rank++] = field->components;
  field_path(field->name, path);
  TRY(parallel_field(file->parallel, path, rank, size));
  return agree(file, describe_field(file->hdf5, field, path));
}

Status runfile_slab(RunFile *file, const char *name, int64_t first, int64_t count,
                    const float *values) {
  char path[FIELD_PATH];
  field_path(name, path);
  return parallel_slab(file->parallel, path, first, count, values);
}
