/* The reading half of runfile.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/layout.h"

static Status open_file(const char *path, Hdf5File *file) {
  TRY(hdf5_open(path, file));
  Status status = layout_check_version(file);
  if (status != STATUS_OK) hdf5_close(file);
  return status;
}

Status runfile_is_complete(const char *path, bool *complete) {
  Hdf5File file;
  *complete = false;
  if (!file_exists(path)) return STATUS_OK;
  TRY(open_file(path, &file));
  *complete = hdf5_has_attribute(&file, "/", "complete");
  hdf5_close(&file);
  return STATUS_OK;
}

Status runfile_same_config(const char *path, const Config *config) {
  Hdf5File file;
  TRY(open_file(path, &file));
  Status status = layout_check_config(&file, config, "Use another output= or remove it");
  hdf5_close(&file);
  return status;
}

Status runfile_read_model(const char *path, const Model *model, real *theta) {
  Hdf5File file;
  TRY(open_file(path, &file));
  Status status = layout_read_model(&file, model, theta);
  hdf5_close(&file);
  return status;
}

Status runfile_read_network(const char *path, const Network *network, real *theta) {
  Model model = model_of_network(network);
  return runfile_read_model(path, &model, theta);
}

/* ---- /config ---- */

static Status read_override(const Hdf5File *file, const char *key, char **override) {
  char *text;
  TRY(hdf5_get_text(file, "/config", key, &text));
  size_t bytes = strlen(key) + strlen(text) + 2;
  *override = malloc(bytes);
  if (*override) snprintf(*override, bytes, "%s=%s", key, text);
  free(text);
  return *override ? STATUS_OK : status_fail(STATUS_FAILED, "out of memory");
}

static Status read_overrides(const Hdf5File *file, const Hdf5Names *names, char ***overrides) {
  char **list = calloc((size_t)names->n + 1, sizeof *list);
  if (!list) return status_fail(STATUS_FAILED, "out of memory");
  Status status = STATUS_OK;
  for (int i = 0; status == STATUS_OK && i < names->n; i++) {
    status = read_override(file, names->name[i], &list[i]);
  }
  *overrides = list;
  if (status == STATUS_OK) return STATUS_OK;
  for (int i = 0; i < names->n; i++) free(list[i]);
  free(list);
  return status;
}

Status runfile_read_config(const char *path, int *n, char ***overrides) {
  Hdf5File file;
  Hdf5Names names;
  TRY(open_file(path, &file));
  Status status = hdf5_attributes(&file, "/config", &names);
  if (status == STATUS_OK) {
    status = read_overrides(&file, &names, overrides);
    *n = names.n;
    hdf5_names_destroy(&names);
  }
  hdf5_close(&file);
  return status;
}

Status runfile_read_history(const char *path, History *history) {
  Hdf5File file;
  TRY(open_file(path, &file));
  Status status = layout_read_whole_history(&file, history);
  hdf5_close(&file);
  return status;
}

/* ---- /fields ---- */

/* Texts of a field that may be missing in files of other programs. */
enum { NAME, DESCRIPTION, UNITS, AXES, N_TEXTS };
static const char *const TEXTS[N_TEXTS] = {"name", "description", "units", "axes"};

static Status read_shape(const Hdf5File *file, const char *path, Field *field) {
  int rank;
  int64_t size[HDF5_MAX_RANK];
  TRY(hdf5_shape(file, path, &rank, size));
  /* lower has one number per axis; a dimension more holds the components. */
  field->n_axes = rank > 1 && !hdf5_has_numbers(file, path, "lower", rank) ? rank - 1 : rank;
  if (field->n_axes < 1 || field->n_axes > 4) {
    return status_fail(STATUS_FAILED, "%s: %s has %d dimensions", file->path, path, rank);
  }
  memcpy(field->size, size, (size_t)field->n_axes * sizeof *size);
  field->components = field->n_axes < rank ? (int)size[rank - 1] : 1;
  TRY(hdf5_get_numbers(file, path, "lower", field->n_axes, field->lower));
  return hdf5_get_numbers(file, path, "upper", field->n_axes, field->upper);
}

/* Values and texts in one block. */
static Status read_block(const Hdf5File *file, const char *path, char *const texts[N_TEXTS],
                         Field *field, float **values) {
  size_t count = (size_t)field->components, bytes = 0;
  for (int i = 0; i < field->n_axes; i++) count *= (size_t)field->size[i];
  for (int i = 0; i < N_TEXTS; i++) bytes += strlen(texts[i]) + 1;
  float *block = malloc(count * sizeof *block + bytes);
  if (!block) return status_fail(STATUS_FAILED, "%s: out of memory for %s", file->path, path);
  char *place = (char *)(block + count);
  const char **targets[N_TEXTS] = {&field->name, &field->description, &field->units, &field->axes};
  for (int i = 0; i < N_TEXTS; i++) {
    *targets[i] = strcpy(place, texts[i]);
    place += strlen(texts[i]) + 1;
  }
  Status status = hdf5_read(file, path, H5T_NATIVE_FLOAT, block);
  if (status != STATUS_OK) {
    free(block);
    return status;
  }
  *values = block;
  return STATUS_OK;
}

static Status read_texts(const Hdf5File *file, const char *path, char *texts[N_TEXTS]) {
  for (int i = DESCRIPTION; i < N_TEXTS; i++) {
    if (hdf5_has_attribute(file, path, TEXTS[i])) {
      TRY(hdf5_get_text(file, path, TEXTS[i], &texts[i]));
    } else if (!(texts[i] = strdup(""))) {
      return status_fail(STATUS_FAILED, "out of memory");
    }
  }
  return STATUS_OK;
}

Status runfile_read_field(const char *path, const char *name, Field *field, float **values) {
  Hdf5File file;
  char set[160], *texts[N_TEXTS] = {strdup(name)};
  snprintf(set, sizeof set, "/fields/%s", name);
  *field = (Field){0};
  Status status =
      texts[NAME] ? open_file(path, &file) : status_fail(STATUS_FAILED, "out of memory");
  if (status == STATUS_OK) {
    status = read_shape(&file, set, field);
    if (status == STATUS_OK) status = read_texts(&file, set, texts);
    if (status == STATUS_OK) status = read_block(&file, set, texts, field, values);
    hdf5_close(&file);
  }
  for (int i = 0; i < N_TEXTS; i++) free(texts[i]);
  return status;
}
