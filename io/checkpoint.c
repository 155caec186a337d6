#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/layout.h"
#include "io/seal.h"

/* The two generations, newest first. */
enum { NEWEST, PREVIOUS, GENERATIONS };
static const char *const NAMES[GENERATIONS] = {"checkpoint.h5", "checkpoint.previous.h5"};

typedef struct {
  hid_t type;
  size_t size;
  const char *name;
} Element;

static Element element(StateType type) {
  const Element elements[] = {
      [STATE_REAL] = {HDF5_REAL, sizeof(real), REAL_NAME},
      [STATE_DOUBLE] = {H5T_NATIVE_DOUBLE, sizeof(double), "float64"},
      [STATE_INT64] = {H5T_NATIVE_INT64, sizeof(int64_t), "int64"},
  };
  return elements[type];
}

/* ---- Writing ---- */

static Status write_groups(const Hdf5File *file, const Checkpoint *checkpoint) {
  TRY(layout_write_format(file, "siren checkpoint"));
  TRY(hdf5_set_text(file, "/", "precision", REAL_NAME));
  TRY(hdf5_set_integer(file, "/", "step", checkpoint->step));
  TRY(hdf5_set_numbers(file, "/", "seconds", 0, &checkpoint->seconds));
  TRY(layout_write_config(file, checkpoint->config));
  if (checkpoint->model) TRY(layout_write_model(file, checkpoint->model, checkpoint->theta));
  TRY(layout_write_history(file, checkpoint->history));
  TRY(hdf5_group(file, "/state"));
  for (int i = 0; i < checkpoint->n_arrays; i++) {
    const StateArray *array = &checkpoint->arrays[i];
    char name[128];
    snprintf(name, sizeof name, "/state/%s", array->name);
    TRY(hdf5_write(file, name, element(array->type).type, 1, &(int64_t){(int64_t)array->count},
                   array->data));
  }
  return STATUS_OK;
}

static Status build_image(const char *path, const Checkpoint *checkpoint, unsigned char **data,
                          size_t *length) {
  Hdf5File file;
  TRY(hdf5_create_image(path, SEAL_BYTES, &file));
  Status status = write_groups(&file, checkpoint);
  if (status == STATUS_OK) status = hdf5_take_image(&file, data, length);
  hdf5_close(&file);
  if (status == STATUS_OK) seal_write(*data, *length);
  return status;
}

static Status read_sealed(const char *path, unsigned char **data, size_t *length) {
  TRY(file_read(path, data, length));
  Status status = seal_check(path, *data, *length);
  if (status != STATUS_OK) free(*data);
  return status;
}

static bool is_intact(const char *path) {
  unsigned char *data;
  size_t length;
  if (read_sealed(path, &data, &length) != STATUS_OK) return false;
  free(data);
  return true;
}

Status checkpoint_write(const char *directory, const Checkpoint *checkpoint) {
  char *path = file_join(directory, NAMES[NEWEST]);
  char *previous = file_join(directory, NAMES[PREVIOUS]);
  unsigned char *data;
  size_t length;
  Status status = build_image(path, checkpoint, &data, &length);
  if (status == STATUS_OK) {
    /* A damaged newest one must not push out the generation that still is good. */
    status = is_intact(path) ? file_rotate(path, previous, data, length)
                             : file_replace(path, data, length);
    free(data);
  }
  free(previous);
  free(path);
  return status;
}

double checkpoint_bytes(const Checkpoint *checkpoint, int64_t rows) {
  enum { TEXTS = 24 << 10 }; /* the configuration, and what the file is made of */
  double bytes = TEXTS + 8.0 * (double)rows * (1 + checkpoint->history->n_columns);
  if (checkpoint->model) bytes += (double)checkpoint->model->n_parameters * sizeof(real);
  for (int i = 0; i < checkpoint->n_arrays; i++) {
    const StateArray *array = &checkpoint->arrays[i];
    bytes += (double)(array->count * element(array->type).size);
  }
  return bytes;
}

/* ---- Reading ---- */

/* What a generation holds, apart from the caller's memory until all of it has proved good. */
typedef struct {
  real *theta;
  int64_t step;
  double seconds;
  History history;
  int n_arrays;
  void **arrays;
} Loaded;

static void loaded_destroy(Loaded *loaded) {
  free(loaded->theta);
  history_destroy(&loaded->history);
  for (int i = 0; i < loaded->n_arrays; i++) free(loaded->arrays[i]);
  free(loaded->arrays);
}

static Status check_precision(const Hdf5File *file) {
  char *precision;
  TRY(hdf5_get_text(file, "/", "precision", &precision));
  Status status = STATUS_OK;
  if (strcmp(precision, REAL_NAME) != 0) {
    status = status_fail(STATUS_USAGE,
                         "%s was written by a run in %.20s, this one computes in " REAL_NAME
                         ": set precision to match it, use another output= or remove it",
                         file->path, precision);
  }
  free(precision);
  return status;
}

static Status read_array(const Hdf5File *file, const StateArray *array, void **data) {
  Element wanted = element(array->type);
  char name[128];
  int rank;
  int64_t size[HDF5_MAX_RANK];
  snprintf(name, sizeof name, "/state/%s", array->name);
  TRY(hdf5_shape(file, name, &rank, size));
  if (rank != 1 || size[0] != (int64_t)array->count) {
    char there[160];
    return status_fail(STATUS_FAILED, "%s: %s is %s, this run needs %zu: remove the file",
                       file->path, name, hdf5_shape_text(rank, size, there), array->count);
  }
  if (!hdf5_has_type(file, name, wanted.type)) {
    return status_fail(STATUS_FAILED, "%s: %s is not %s: remove the file", file->path, name,
                       wanted.name);
  }
  TRY(memory_allocate(data, array->count, wanted.size, name));
  return hdf5_read(file, name, wanted.type, *data);
}

static Status load_arrays(const Hdf5File *file, const Checkpoint *checkpoint, Loaded *loaded) {
  Hdf5Names names;
  TRY(hdf5_members(file, "/state", &names));
  int found = names.n;
  hdf5_names_destroy(&names);
  if (found != checkpoint->n_arrays) {
    return status_fail(STATUS_FAILED,
                       "%s: /state has %d arrays, this run needs %d: remove the file", file->path,
                       found, checkpoint->n_arrays);
  }
  TRY(memory_allocate(&loaded->arrays, (size_t)found, sizeof(void *), "the checkpoint's state"));
  for (; loaded->n_arrays < checkpoint->n_arrays; loaded->n_arrays++) {
    int i = loaded->n_arrays;
    TRY(read_array(file, &checkpoint->arrays[i], &loaded->arrays[i]));
  }
  return STATUS_OK;
}

static Status load_weights(const Hdf5File *file, const Model *model, real **theta) {
  TRY(memory_allocate(theta, model->n_parameters, sizeof **theta, "weights"));
  return layout_read_model(file, model, *theta);
}

static Status load(const Hdf5File *file, const Checkpoint *checkpoint, Loaded *loaded) {
  TRY(layout_check_version(file));
  TRY(layout_check_config(file, checkpoint->config, "Use another output= or remove it"));
  TRY(check_precision(file));
  TRY(hdf5_get_integer(file, "/", "step", &loaded->step));
  TRY(hdf5_get_numbers(file, "/", "seconds", 1, &loaded->seconds));
  if (checkpoint->model) TRY(load_weights(file, checkpoint->model, &loaded->theta));
  loaded->history.n_columns = checkpoint->history->n_columns;
  loaded->history.names = checkpoint->history->names;
  TRY(layout_read_history(file, &loaded->history));
  return load_arrays(file, checkpoint, loaded);
}

static void commit(Loaded *loaded, Checkpoint *checkpoint) {
  const Model *model = checkpoint->model;
  if (model) memcpy(checkpoint->theta, loaded->theta, model->n_parameters * sizeof(real));
  checkpoint->step = loaded->step;
  checkpoint->seconds = loaded->seconds;
  history_destroy(checkpoint->history);
  *checkpoint->history = loaded->history;
  loaded->history = (History){0};
  for (int i = 0; i < checkpoint->n_arrays; i++) {
    const StateArray *array = &checkpoint->arrays[i];
    memcpy(array->data, loaded->arrays[i], array->count * element(array->type).size);
  }
}

/* *damaged tells a file whose bytes cannot be trusted from one that says something unwanted. */
static Status read_generation(const char *path, Checkpoint *checkpoint, bool *damaged) {
  unsigned char *data;
  size_t length;
  Hdf5File file;
  *damaged = true;
  TRY(read_sealed(path, &data, &length));
  Status status = hdf5_open_image(path, data, length, &file);
  free(data);
  TRY(status);
  *damaged = false;
  Loaded loaded = {0};
  status = load(&file, checkpoint, &loaded);
  hdf5_close(&file);
  if (status == STATUS_OK) commit(&loaded, checkpoint);
  loaded_destroy(&loaded);
  return status;
}

static Status read_newest(char *const path[GENERATIONS], Checkpoint *checkpoint, bool *found,
                          char warning[512]) {
  char reasons[GENERATIONS][400] = {"", ""};
  for (int i = 0; i < GENERATIONS; i++) {
    bool damaged;
    if (!file_exists(path[i])) continue;
    Status status = read_generation(path[i], checkpoint, &damaged);
    *found = status == STATUS_OK;
    if (*found && reasons[NEWEST][0]) {
      snprintf(warning, 512, "%s; going on from step %" PRId64 " of %.80s", reasons[NEWEST],
               checkpoint->step, NAMES[i]);
    }
    if (!damaged) return status;
    snprintf(reasons[i], sizeof reasons[i], "%s", status_message());
  }
  if (!reasons[NEWEST][0] && !reasons[PREVIOUS][0]) return STATUS_OK;
  bool both = reasons[NEWEST][0] && reasons[PREVIOUS][0];
  return status_fail(STATUS_FAILED, "%s%s%s. No older checkpoint is left: remove %s to start anew",
                     reasons[NEWEST], both ? "; " : "", reasons[PREVIOUS],
                     both ? "both files" : "the file");
}

Status checkpoint_read(const char *directory, Checkpoint *checkpoint, bool *found,
                       char warning[512]) {
  char *path[GENERATIONS];
  *found = false;
  warning[0] = '\0';
  for (int i = 0; i < GENERATIONS; i++) path[i] = file_join(directory, NAMES[i]);
  Status status = read_newest(path, checkpoint, found, warning);
  for (int i = 0; i < GENERATIONS; i++) free(path[i]);
  return status;
}
