#include "io/matrix.h"

#include <stdlib.h>

#include "core/memory.h"
#include "io/dataset.h"
#include "io/file.h"
#include "io/matlab.h"

/* `m` with memory for its values. */
static Status make(Matrix m, const char *what, Matrix *matrix) {
  size_t n = (size_t)m.rows * (size_t)m.columns * (size_t)m.parts;
  TRY(memory_allocate(&m.values, n, sizeof *m.values, what));
  *matrix = m;
  return STATUS_OK;
}

static Status read_matlab(const char *path, const char *name, const char *what, Matrix *matrix) {
  MatlabArray array = {0};
  TRY(matlab_read(path, name, &array));
  int parts = array.imaginary ? 2 : 1;
  Status status = make((Matrix){array.rows, array.columns, parts, NULL}, what, matrix);
  int64_t entries = status == STATUS_OK ? array.rows * array.columns : 0;
  for (int64_t i = 0; i < entries; i++) {
    matrix->values[i * parts] = array.real[i];
    if (parts == 2) matrix->values[2 * i + 1] = array.imaginary[i];
  }
  matlab_destroy(&array);
  return status;
}

static Status copy(Dataset *dataset, Matrix *matrix) {
  const DatasetInfo *info = dataset_info(dataset);
  int64_t n = matrix->rows * matrix->columns * matrix->parts;
  void *samples;
  TRY(memory_allocate(&samples, (size_t)n, sample_bytes(info->type), "a matrix"));
  Status status = dataset_read(dataset, (const int64_t[2]){0, 0}, info->size, NULL, samples);
  for (int64_t i = 0; status == STATUS_OK && i < n; i++) {
    matrix->values[i] = (double)sample_get(info->type, samples, i);
  }
  free(samples);
  return status;
}

static Status read_hdf5(const char *path, const char *name, const char *what, Matrix *matrix) {
  DatasetWish wish = {2, 2, what};
  Dataset *dataset;
  TRY(dataset_open(path, name, &wish, &dataset));
  const DatasetInfo *info = dataset_info(dataset);
  Matrix made = {0};
  Status status = make((Matrix){info->size[0], info->size[1], info->components, NULL}, what, &made);
  if (status == STATUS_OK) status = copy(dataset, &made);
  dataset_close(dataset);
  if (status != STATUS_OK) {
    matrix_destroy(&made);
    return status;
  }
  *matrix = made;
  return STATUS_OK;
}

Status matrix_read(const char *path, const char *name, const char *what, Matrix *matrix) {
  bool matlab = file_begins(path, "MATLAB", 6);
  return (matlab ? read_matlab : read_hdf5)(path, name, what, matrix);
}

void matrix_destroy(Matrix *matrix) {
  free(matrix->values);
  *matrix = (Matrix){0};
}
