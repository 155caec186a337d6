/* siren info: what a run file, a checkpoint or any file of this layout holds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/layout.h"
#include "io/split.h"

static Status show_attribute(const Hdf5File *file, const char *object, const char *name,
                             FILE *out) {
  char *text, *units = NULL, units_name[160];
  TRY(hdf5_show_attribute(file, object, name, 10, &text));
  snprintf(units_name, sizeof units_name, "%s_units", name);
  if (hdf5_has_attribute(file, object, units_name)) {
    hdf5_show_attribute(file, object, units_name, 10, &units);
  }
  fprintf(out, "  %-24s %s%s%s\n", name, text, units && units[0] ? " " : "", units ? units : "");
  free(units);
  free(text);
  return STATUS_OK;
}

static bool is_units(const char *name) {
  size_t length = strlen(name);
  return length > 6 && strcmp(name + length - 6, "_units") == 0;
}

static Status show_attributes(const Hdf5File *file, const char *object, FILE *out) {
  Hdf5Names names;
  TRY(hdf5_attributes(file, object, &names));
  Status status = STATUS_OK;
  for (int i = 0; status == STATUS_OK && i < names.n; i++) {
    if (!is_units(names.name[i])) status = show_attribute(file, object, names.name[i], out);
  }
  hdf5_names_destroy(&names);
  return status;
}

static Status show_set(const Hdf5File *file, const char *path, const char *label, FILE *out) {
  static const char *const DETAILS[] = {"units", "axes", "rate", "lower", "upper", "description"};
  int rank;
  int64_t size[HDF5_MAX_RANK];
  char shape[160];
  TRY(hdf5_shape(file, path, &rank, size));
  fprintf(out, "  %-24s %s", label, hdf5_shape_text(rank, size, shape));
  for (size_t i = 0; i < sizeof DETAILS / sizeof *DETAILS; i++) {
    char *text;
    if (!hdf5_has_attribute(file, path, DETAILS[i])) continue;
    TRY(hdf5_show_attribute(file, path, DETAILS[i], 6, &text));
    if (text[0]) fprintf(out, "  %s: %s", DETAILS[i], text);
    free(text);
  }
  fprintf(out, "\n");
  return STATUS_OK;
}

/* Lists the data sets below a group; groups inside it one level deeper. */
static Status show_sets(const Hdf5File *file, const char *group, const char *prefix, FILE *out) {
  Hdf5Names names;
  TRY(hdf5_members(file, group, &names));
  Status status = STATUS_OK;
  for (int i = 0; status == STATUS_OK && i < names.n; i++) {
    char path[512], label[512];
    H5O_info_t info;
    snprintf(path, sizeof path, "%.300s/%.200s", group, names.name[i]);
    snprintf(label, sizeof label, "%.300s%.200s", prefix, names.name[i]);
    if (H5Oget_info_by_name(file->file, path, &info, H5P_DEFAULT) < 0) {
      status = hdf5_fail(file->path, "look at %s", path);
    } else if (info.type == H5O_TYPE_DATASET) {
      status = show_set(file, path, label, out);
    } else if (!prefix[0]) {
      strcat(label, "/");
      status = show_sets(file, path, label, out);
    }
  }
  hdf5_names_destroy(&names);
  return status;
}

/* Last values and the number of steps say more than shapes. */
static Status show_loss(const Hdf5File *file, FILE *out) {
  History history;
  TRY(layout_read_whole_history(file, &history));
  if (history.rows == 0) fprintf(out, "  nothing logged\n");
  for (int i = 0; history.rows > 0 && i < history.n_columns; i++) {
    int64_t last = history.rows - 1;
    fprintf(out, "  %-24s %.6g at step %" PRId64 ", %.6g at step %" PRId64 " (%" PRId64 " rows)\n",
            history.names[i], history.values[i], history.step[0],
            history.values[last * history.n_columns + i], history.step[last], history.rows);
  }
  history_destroy(&history);
  return STATUS_OK;
}

static const char *const GROUPS[] = {"/metrics", "/network", "/loss",      "/fields",
                                     "/state",   "/config",  "/provenance"};

static bool in_groups(const char *path) {
  for (size_t i = 0; i < sizeof GROUPS / sizeof *GROUPS; i++) {
    size_t length = strlen(GROUPS[i]);
    if (!strncmp(path, GROUPS[i], length) && path[length] == '/') return true;
  }
  return false;
}

/* Data sets as io/dataset.h has them, and other programs'. */
static Status show_other_sets(const Hdf5File *file, FILE *out) {
  Hdf5Names names;
  TRY(hdf5_datasets(file, &names));
  Status status = STATUS_OK;
  for (int i = 0, shown = 0; status == STATUS_OK && i < names.n; i++) {
    if (in_groups(names.name[i])) continue;
    if (!shown++) fprintf(out, "data sets\n");
    status = show_set(file, names.name[i], names.name[i], out);
  }
  hdf5_names_destroy(&names);
  return status;
}

/* "train 8, validation 1, test 1": what the hashes of a set of images say. */
static Status show_splits(const Hdf5File *file, FILE *out) {
  int rank;
  int64_t size[HDF5_MAX_RANK], count[SPLITS] = {0};
  uint64_t *hashes;
  if (!hdf5_has(file, "/data") || !hdf5_has(file, "/hash")) return STATUS_OK;
  TRY(hdf5_shape(file, "/hash", &rank, size));
  if (rank != 1) return STATUS_OK;
  TRY(memory_allocate(&hashes, (size_t)size[0], sizeof *hashes, "hashes"));
  Status status = hdf5_read(file, "/hash", H5T_NATIVE_UINT64, hashes);
  for (int64_t i = 0; status == STATUS_OK && i < size[0]; i++) count[split_of(hashes[i])]++;
  free(hashes);
  for (int i = 0; status == STATUS_OK && i < SPLITS; i++) {
    if (i == 0) fprintf(out, "  %-24s ", "images for");
    fprintf(out, "%s%s %" PRId64, i ? ", " : "", split_name((Split)i), count[i]);
  }
  if (status == STATUS_OK) fprintf(out, "\n");
  return status;
}

static Status describe(const Hdf5File *file, const char *path, FILE *out) {
  fprintf(out, "%s\n", path);
  TRY(show_attributes(file, "/", out));
  for (size_t i = 0; i < sizeof GROUPS / sizeof *GROUPS; i++) {
    if (!hdf5_has(file, GROUPS[i])) continue;
    fprintf(out, "%s\n", GROUPS[i] + 1);
    if (strcmp(GROUPS[i], "/loss") == 0) {
      TRY(show_loss(file, out));
      continue;
    }
    TRY(show_attributes(file, GROUPS[i], out));
    TRY(show_sets(file, GROUPS[i], "", out));
  }
  TRY(show_other_sets(file, out));
  return show_splits(file, out);
}

Status runfile_describe(const char *path, char **text) {
  Hdf5File file;
  size_t length;
  TRY(hdf5_open(path, &file));
  *text = NULL;
  FILE *out = open_memstream(text, &length);
  Status status = out ? describe(&file, path, out) : status_fail(STATUS_FAILED, "out of memory");
  if (out) fclose(out);
  if (status != STATUS_OK) {
    free(*text);
    *text = NULL;
  }
  hdf5_close(&file);
  return status;
}
