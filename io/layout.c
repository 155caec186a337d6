#include "io/layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/encoding.h"
#include "core/memory.h"

enum { BLOCK = 128 << 10 /* weights that are checked at once */, MOST_AXES = 3 /* of a tensor */ };

Status layout_write_format(const Hdf5File *file, const char *format) {
  TRY(hdf5_set_text(file, "/", "format", format));
  return hdf5_set_integer(file, "/", "format_version", LAYOUT_VERSION);
}

Status layout_check_version(const Hdf5File *file) {
  int64_t version;
  if (!hdf5_has_attribute(file, "/", "format_version")) return STATUS_OK;
  TRY(hdf5_get_integer(file, "/", "format_version", &version));
  if (version <= LAYOUT_VERSION) return STATUS_OK;
  return status_fail(STATUS_FAILED,
                     "%s: has format version %" PRId64 ", this program knows %d: use a newer one",
                     file->path, version, LAYOUT_VERSION);
}

/* ---- /config ---- */

Status layout_write_config(const Hdf5File *file, const Config *config) {
  TRY(hdf5_group(file, "/config"));
  for (int i = 0; i < config_count(config); i++) {
    const char *key, *text;
    bool identity;
    config_item(config, i, &key, &text, &identity);
    TRY(hdf5_set_text(file, "/config", key, text));
  }
  return STATUS_OK;
}

/* Adds "; KEY is THERE there, HERE here" when an identity key differs. */
static Status compare_item(const Hdf5File *file, const Config *config, int i, FILE *list,
                           int *differing) {
  const char *key, *here;
  bool identity;
  config_item(config, i, &key, &here, &identity);
  if (!identity) return STATUS_OK;
  char *there = NULL;
  if (hdf5_has_attribute(file, "/config", key)) {
    TRY(hdf5_get_text(file, "/config", key, &there));
  }
  if (!there || strcmp(there, here) != 0) {
    fprintf(list, "%s%s is %s there, %s here", (*differing)++ ? "; " : "", key,
            there ? there : "not set", here);
  }
  free(there);
  return STATUS_OK;
}

Status layout_check_config(const Hdf5File *file, const Config *config, const char *remedy) {
  char *text = NULL;
  size_t length;
  FILE *list = open_memstream(&text, &length);
  if (!list) return status_fail(STATUS_FAILED, "out of memory");
  Status status = STATUS_OK;
  int differing = 0;
  for (int i = 0; status == STATUS_OK && i < config_count(config); i++) {
    status = compare_item(file, config, i, list, &differing);
  }
  fclose(list);
  if (status == STATUS_OK && differing > 0) {
    status = status_fail(STATUS_USAGE, "%s belongs to another configuration: %.1200s%s. %s",
                         file->path, text, length > 1200 ? " ..." : "", remedy);
  }
  free(text);
  return status;
}

/* ---- The model ---- */

Model model_of_network(const Network *network) {
  return (Model){.group = "/network",
                 .network = network,
                 .n_parameters = network->n_parameters,
                 .n_tensors = network->n_tensors,
                 .tensors = network->tensors};
}

static Status write_spec(const Hdf5File *file, const NetworkSpec *spec) {
  bool omega = spec->activation->has_omega;
  const char *encoding = spec->encoding->name;
  struct {
    const char *name;
    int value;
    bool used;
  } integers[] = {{"in", spec->in, true},
                  {"out", spec->out, true},
                  {"width", spec->width, true},
                  {"layers", spec->layers, true},
                  {"frequencies", spec->frequencies, strcmp(encoding, "positional") == 0},
                  {"centres", spec->centres, strcmp(encoding, "rbf") == 0}};
  struct {
    const char *name, *value;
  } texts[] = {{"activation", spec->activation->name},
               {"encoding", encoding},
               {"weight_init", spec->weight_init},
               {"bias_init", spec->bias_init}};
  struct {
    const char *name;
    double value;
  } numbers[] = {{"omega_first", omega ? spec->omega_first : 1},
                 {"omega_hidden", omega ? spec->omega_hidden : 1}};
  for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
    if (!integers[i].used) continue;
    TRY(hdf5_set_integer(file, "/network", integers[i].name, integers[i].value));
  }
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    if (!texts[i].value) continue;
    TRY(hdf5_set_text(file, "/network", texts[i].name, texts[i].value));
  }
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    TRY(hdf5_set_numbers(file, "/network", numbers[i].name, 0, &numbers[i].value));
  }
  return STATUS_OK;
}

/* Weights are matrices whatever their shape, other columns are vectors. */
static int matrix_shape(const Tensor *tensor, int64_t size[2]) {
  const char *last = strrchr(tensor->name, '/');
  size[0] = tensor->rows;
  size[1] = tensor->cols;
  return tensor->cols == 1 && !(last && strcmp(last, "/weight") == 0) ? 1 : 2;
}

/* A tensor's data set. */
static int tensor_shape(const Model *model, int i, int64_t size[MOST_AXES], char name[64]) {
  const Tensor *tensor = &model->tensors[i];
  snprintf(name, 64, "%s/%s", model->group, tensor->name);
  if (!model->each) return matrix_shape(tensor, size);
  size[0] = tensor->rows;
  return 1 + matrix_shape(&model->each[i], size + 1);
}

Status layout_make_groups(const Hdf5File *file, const char *name) {
  char group[160];
  for (const char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    snprintf(group, sizeof group, "%.*s", (int)(slash - name), name);
    if (!hdf5_has(file, group)) TRY(hdf5_group(file, group));
  }
  return STATUS_OK;
}

Status layout_write_model(const Hdf5File *file, const Model *model, const real *theta) {
  TRY(hdf5_group(file, model->group));
  if (model->network) TRY(write_spec(file, &model->network->spec));
  for (int i = 0; i < model->n_tensors; i++) {
    char name[64];
    int64_t size[MOST_AXES];
    int rank = tensor_shape(model, i, size, name);
    TRY(layout_make_groups(file, name));
    TRY(hdf5_lend(file, name, HDF5_REAL, rank, size, theta + model->tensors[i].offset));
  }
  return STATUS_OK;
}

static Status check_shape(const Hdf5File *file, const Model *model, int i) {
  char name[64], there[160], here[160];
  int64_t size[MOST_AXES], found[HDF5_MAX_RANK];
  int rank = tensor_shape(model, i, size, name), found_rank;
  TRY(hdf5_shape(file, name, &found_rank, found));
  if (found_rank != rank || memcmp(found, size, (size_t)rank * sizeof *size) != 0) {
    return status_fail(STATUS_FAILED,
                       "%s: %s is %s, the configuration needs %s: set %s to match, or use another "
                       "file",
                       file->path, name, hdf5_shape_text(found_rank, found, there),
                       hdf5_shape_text(rank, size, here),
                       model->network || model->each ? "network.width=... or network.encoding=..."
                                                     : "its options");
  }
  return STATUS_OK;
}

static Status check_finite(const Hdf5File *file, const char *name, int64_t n, const real *values) {
  for (int64_t i = 0; i < n; i++) {
    if (isfinite(values[i])) continue;
    return status_fail(STATUS_FAILED, "%s: %s in %s", file->path,
                       isnan(values[i]) ? "NaN" : "infinity", name);
  }
  return STATUS_OK;
}

static Status read_tensor(const Hdf5File *file, const Model *model, int i, real *theta) {
  const Tensor *tensor = &model->tensors[i];
  char name[64];
  int64_t size[MOST_AXES];
  tensor_shape(model, i, size, name);
  TRY(check_shape(file, model, i));
  TRY(hdf5_read(file, name, HDF5_REAL, theta + tensor->offset));
  return check_finite(file, name, (int64_t)tensor->rows * tensor->cols, theta + tensor->offset);
}

static int64_t at_most(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* Reads through a tensor, block by block. */
static Status check_tensor(const Hdf5File *file, const Model *model, int i, real *block) {
  char name[64];
  int64_t size[MOST_AXES] = {1, 1, 1}, step[MOST_AXES], at[MOST_AXES], n[MOST_AXES];
  int rank = tensor_shape(model, i, size, name);
  TRY(check_shape(file, model, i));
  for (int k = rank; k < MOST_AXES; k++) size[k] = 1;
  step[2] = at_most(size[2], BLOCK);
  step[1] = at_most(size[1], BLOCK / step[2]);
  step[0] = at_most(size[0], BLOCK / (step[1] * step[2]));
  for (at[0] = 0; at[0] < size[0]; at[0] += step[0]) {
    for (at[1] = 0; at[1] < size[1]; at[1] += step[1]) {
      for (at[2] = 0; at[2] < size[2]; at[2] += step[2]) {
        for (int k = 0; k < MOST_AXES; k++) n[k] = at_most(step[k], size[k] - at[k]);
        TRY(hdf5_read_box(file, name, HDF5_REAL, rank, at, n, block));
        TRY(check_finite(file, name, n[0] * n[1] * n[2], block));
      }
    }
  }
  return STATUS_OK;
}

static Status check_layers(const Hdf5File *file, const Network *network) {
  char name[64];
  int found = -1;
  do {
    snprintf(name, sizeof name, "/network/layer%d", ++found);
  } while (hdf5_has(file, name));
  if (found == network->n_linear) return STATUS_OK;
  return status_fail(STATUS_FAILED,
                     "%s: has %d linear layers, the configuration needs %d (network.layers=%d): "
                     "set it to match, or use another file",
                     file->path, found, network->n_linear, network->spec.layers);
}

static Status check_groups(const Hdf5File *file, const Model *model) {
  if (!hdf5_has(file, model->group)) {
    return status_fail(STATUS_FAILED, "%s: has no group %s", file->path, model->group);
  }
  return model->network ? check_layers(file, model->network) : STATUS_OK;
}

Status layout_read_model(const Hdf5File *file, const Model *model, real *theta) {
  TRY(check_groups(file, model));
  for (int i = 0; i < model->n_tensors; i++) {
    TRY(read_tensor(file, model, i, theta));
  }
  return STATUS_OK;
}

Status layout_check_model(const Hdf5File *file, const Model *model) {
  real *block;
  TRY(check_groups(file, model));
  TRY(memory_allocate(&block, BLOCK, sizeof *block, "weights"));
  Status status = STATUS_OK;
  for (int i = 0; status == STATUS_OK && i < model->n_tensors; i++) {
    status = check_tensor(file, model, i, block);
  }
  free(block);
  return status;
}
