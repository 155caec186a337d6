/* /loss of run files and checkpoints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/layout.h"

static Status write_column(const Hdf5File *file, const History *history, int column) {
  char name[128];
  snprintf(name, sizeof name, "/loss/%s", history->names[column]);
  double *values;
  TRY(memory_allocate(&values, (size_t)history->rows, sizeof *values, name));
  for (int64_t row = 0; row < history->rows; row++) {
    values[row] = history->values[row * history->n_columns + column];
  }
  Status status = hdf5_write(file, name, H5T_NATIVE_DOUBLE, 1, &history->rows, values);
  free(values);
  return status;
}

/* "total,value,gradient": the order of the columns, which HDF5 does not keep. */
static Status write_columns_attribute(const Hdf5File *file, const History *history) {
  char *text = NULL;
  size_t length;
  FILE *list = open_memstream(&text, &length);
  if (!list) return status_fail(STATUS_FAILED, "out of memory");
  for (int i = 0; i < history->n_columns; i++) {
    fprintf(list, "%s%s", i ? "," : "", history->names[i]);
  }
  fclose(list);
  Status status = hdf5_set_text(file, "/loss", "columns", text);
  free(text);
  return status;
}

Status layout_write_history(const Hdf5File *file, const History *history) {
  TRY(hdf5_group(file, "/loss"));
  TRY(write_columns_attribute(file, history));
  TRY(hdf5_write(file, "/loss/step", H5T_NATIVE_INT64, 1, &history->rows, history->step));
  for (int i = 0; i < history->n_columns; i++) TRY(write_column(file, history, i));
  return STATUS_OK;
}

static Status check_length(const Hdf5File *file, const char *name, int64_t rows) {
  int rank;
  int64_t size[HDF5_MAX_RANK];
  TRY(hdf5_shape(file, name, &rank, size));
  if (rank == 1 && (rows < 0 || size[0] == rows)) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: %s does not have the length of /loss/step", file->path,
                     name);
}

static Status read_rows(const Hdf5File *file, History *history) {
  int rank;
  int64_t size[HDF5_MAX_RANK];
  TRY(check_length(file, "/loss/step", -1));
  TRY(hdf5_shape(file, "/loss/step", &rank, size));
  double *column;
  TRY(memory_allocate(&column, (size_t)size[0], sizeof *column, "the loss history"));
  int64_t *step = NULL;
  Status status = memory_allocate(&step, (size_t)size[0], sizeof *step, "the loss history");
  if (status == STATUS_OK) status = hdf5_read(file, "/loss/step", H5T_NATIVE_INT64, step);
  double *row = calloc((size_t)history->n_columns + 1, sizeof *row);
  for (int64_t i = 0; status == STATUS_OK && i < size[0]; i++) {
    status = history_append(history, step[i], row);
  }
  for (int i = 0; status == STATUS_OK && i < history->n_columns; i++) {
    char name[128];
    snprintf(name, sizeof name, "/loss/%s", history->names[i]);
    status = check_length(file, name, size[0]);
    if (status == STATUS_OK) status = hdf5_read(file, name, H5T_NATIVE_DOUBLE, column);
    for (int64_t j = 0; status == STATUS_OK && j < size[0]; j++) {
      history->values[j * history->n_columns + i] = column[j];
    }
  }
  free(row);
  free(step);
  free(column);
  return status;
}

Status layout_read_history(const Hdf5File *file, History *history) {
  Status status = read_rows(file, history);
  if (status != STATUS_OK) history_destroy(history);
  return status;
}

/* Fills names from "a,b,c": pointers and text in one block that the history owns. */
static Status take_names(History *history, const char *columns) {
  int n = 1;
  for (const char *c = columns; *c; c++) n += *c == ',';
  const char **names = malloc((size_t)n * sizeof *names + strlen(columns) + 1);
  if (!names) return status_fail(STATUS_FAILED, "out of memory");
  char *text = strcpy((char *)(names + n), columns);
  for (int i = 0; i < n; i++) names[i] = strsep(&text, ",");
  history->owned = names;
  history->names = names;
  history->n_columns = n;
  return STATUS_OK;
}

/* Files of other programs may not tell the order of their columns: then it is that of the names. */
static Status find_columns(const Hdf5File *file, char **columns) {
  if (hdf5_has_attribute(file, "/loss", "columns")) {
    return hdf5_get_text(file, "/loss", "columns", columns);
  }
  Hdf5Names names;
  TRY(hdf5_members(file, "/loss", &names));
  size_t length, used = 0;
  FILE *list = open_memstream(columns, &length);
  for (int i = 0; list && i < names.n; i++) {
    if (strcmp(names.name[i], "step") != 0) {
      fprintf(list, "%s%s", used++ ? "," : "", names.name[i]);
    }
  }
  hdf5_names_destroy(&names);
  if (!list || fclose(list) != 0) return status_fail(STATUS_FAILED, "out of memory");
  return STATUS_OK;
}

Status layout_read_whole_history(const Hdf5File *file, History *history) {
  char *columns = NULL;
  *history = (History){0};
  Status status = find_columns(file, &columns);
  if (status == STATUS_OK) status = take_names(history, columns);
  if (status == STATUS_OK) status = layout_read_history(file, history);
  free(columns);
  return status;
}
