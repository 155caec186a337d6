#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/hdf5_pieces.h"
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

enum { ARRAY_NAME = 128 };
static void name_array(const StateArray *array, char name[ARRAY_NAME]) {
  snprintf(name, ARRAY_NAME, "/state/%s", array->name);
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
    char name[ARRAY_NAME];
    name_array(array, name);
    TRY(hdf5_lend(file, name, element(array->type).type, 1, &(int64_t){(int64_t)array->count},
                  array->data));
  }
  return STATUS_OK;
}

static Status write_sealed(FileStream *stream, int n, const FilePiece *pieces) {
  unsigned char seal[SEAL_BYTES];
  TRY(seal_make(seal, n, pieces));
  TRY(file_stream_write(stream, seal, sizeof seal));
  for (int i = 0; i < n; i++) TRY(file_stream_write(stream, pieces[i].data, pieces[i].length));
  return STATUS_OK;
}

static Status write_pieces(const char *path, const char *previous, Hdf5Pieces *pieces) {
  int n;
  const FilePiece *piece;
  FileStream *stream;
  TRY(hdf5_pieces_take(pieces, &n, &piece));
  /* A damaged newest one must not push out the generation that still is good. */
  bool intact = seal_check(path) == STATUS_OK;
  TRY(file_stream_open(path, &stream));
  Status status = write_sealed(stream, n, piece);
  return intact ? file_stream_rotate(stream, previous, status) : file_stream_close(stream, status);
}

Status checkpoint_write(const char *directory, const Checkpoint *checkpoint) {
  char *path = file_join(directory, NAMES[NEWEST]);
  char *previous = file_join(directory, NAMES[PREVIOUS]);
  Hdf5Pieces *pieces = NULL;
  Status status = hdf5_pieces_create(
      path, SEAL_BYTES, checkpoint_bytes(checkpoint, checkpoint->history->rows), &pieces);
  if (status == STATUS_OK) status = write_groups(hdf5_pieces_file(pieces), checkpoint);
  if (status == STATUS_OK) status = write_pieces(path, previous, pieces);
  hdf5_pieces_destroy(pieces);
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

static Status check_array(const Hdf5File *file, const StateArray *array) {
  Element wanted = element(array->type);
  char name[ARRAY_NAME];
  int rank;
  int64_t size[HDF5_MAX_RANK];
  name_array(array, name);
  TRY(hdf5_shape(file, name, &rank, size));
  if (rank != 1 || size[0] != (int64_t)array->count) {
    char there[160];
    return status_fail(STATUS_FAILED, "%s: %s is %s, this run needs %zu: remove the file",
                       file->path, name, hdf5_shape_text(rank, size, there), array->count);
  }
  if (hdf5_has_type(file, name, wanted.type)) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: %s is not %s: remove the file", file->path, name,
                     wanted.name);
}

static Status check_arrays(const Hdf5File *file, const Checkpoint *checkpoint) {
  Hdf5Names names;
  TRY(hdf5_members(file, "/state", &names));
  int found = names.n;
  hdf5_names_destroy(&names);
  if (found != checkpoint->n_arrays) {
    return status_fail(STATUS_FAILED,
                       "%s: /state has %d arrays, this run needs %d: remove the file", file->path,
                       found, checkpoint->n_arrays);
  }
  for (int i = 0; i < found; i++) TRY(check_array(file, &checkpoint->arrays[i]));
  return STATUS_OK;
}

/* What is small, apart from the caller's memory until all of the file has proved good. */
typedef struct {
  int64_t step;
  double seconds;
  History history;
} Progress;

/* Everything that there may be to refuse. */
static Status check(const Hdf5File *file, const Checkpoint *checkpoint, Progress *progress) {
  TRY(layout_check_version(file));
  TRY(layout_check_config(file, checkpoint->config, "Use another output= or remove it"));
  TRY(check_precision(file));
  TRY(hdf5_get_integer(file, "/", "step", &progress->step));
  TRY(hdf5_get_numbers(file, "/", "seconds", 1, &progress->seconds));
  if (checkpoint->model) TRY(layout_check_model(file, checkpoint->model));
  TRY(check_arrays(file, checkpoint));
  progress->history.n_columns = checkpoint->history->n_columns;
  progress->history.names = checkpoint->history->names;
  return layout_read_history(file, &progress->history);
}

/* Into the caller's memory. */
static Status load(const Hdf5File *file, Progress *progress, Checkpoint *checkpoint) {
  if (checkpoint->model) TRY(layout_read_model(file, checkpoint->model, checkpoint->theta));
  for (int i = 0; i < checkpoint->n_arrays; i++) {
    const StateArray *array = &checkpoint->arrays[i];
    char name[ARRAY_NAME];
    name_array(array, name);
    TRY(hdf5_read(file, name, element(array->type).type, array->data));
  }
  checkpoint->step = progress->step;
  checkpoint->seconds = progress->seconds;
  history_destroy(checkpoint->history);
  *checkpoint->history = progress->history;
  progress->history = (History){0};
  return STATUS_OK;
}

/* *damaged tells a file whose bytes cannot be trusted from one that says something unwanted. */
static Status read_generation(const char *path, Checkpoint *checkpoint, bool *damaged) {
  Hdf5File file;
  *damaged = true;
  TRY(hdf5_open_sealed(path, &file));
  *damaged = false;
  Progress progress = {0};
  Status status = check(&file, checkpoint, &progress);
  if (status == STATUS_OK) status = load(&file, &progress, checkpoint);
  hdf5_close(&file);
  history_destroy(&progress.history);
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
