/* Configurations, and files of numbers as other programs write them, for the tests of the
 * experiments with waves. */
#ifndef TESTS_WAVE_FIXTURE_H
#define TESTS_WAVE_FIXTURE_H

#include <dirent.h>
#include <hdf5.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "io/config.h"
#include "tests/sample_matlab.h"

/* Options of an experiment, "key=value" separated by spaces; goes to config_destroy. */
static inline Config *wave_config(const char *experiment, const char *options) {
  enum { MAX = 40 };
  char text[2048], first[48];
  const char *overrides[MAX] = {first};
  int n = 1;
  Config *config = NULL;
  snprintf(text, sizeof text, "%s", options);
  snprintf(first, sizeof first, "experiment=%s", experiment);
  for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
    assert_true(n < MAX);
    overrides[n++] = word;
  }
  if (config_parse("test", "{}", 2, n, overrides, &config) != STATUS_OK) {
    fail_msg("%s: %s", options, status_message());
  }
  return config;
}

/* A directory that does not stay, as the working directory: names in messages are short. */
static inline int wave_enter_directory(void **state) {
  static char directory[] = "/tmp/siren-test-XXXXXX";
  *state = mkdtemp(directory);
  return *state ? chdir(directory) : 1;
}

static inline int wave_leave_directory(void **state) {
  DIR *directory = opendir(*state);
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    if (entry->d_name[0] != '.') unlink(entry->d_name);
  }
  if (directory) closedir(directory);
  return chdir("/") || rmdir(*state);
}

/* A new HDF5 file, or one more data set in it (`more`), of doubles. */
static inline void wave_write_hdf5(const char *path, bool more, const char *name, int n_axes,
                                   const hsize_t *size, const double *values) {
  hid_t file = more ? H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT)
                    : H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  hid_t space = H5Screate_simple(n_axes, size, NULL);
  hid_t set = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(set >= 0);
  assert_true(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose(set);
  H5Sclose(space);
  H5Fclose(file);
}

/* Numbers [rows][columns]; of complex ones in pairs. */
typedef struct {
  const char *name;
  int rows, columns;
  const double *values;
  bool is_complex;
} WaveTable;

static inline void wave_put_matlab(Bytes *to, const WaveTable *table) {
  int parts = table->is_complex ? 2 : 1;
  Bytes body = {0};
  SampleArray array = {table->name, MX_DOUBLE,   table->is_complex ? MX_COMPLEX : 0,
                       MI_DOUBLE,   table->rows, table->columns};
  put_matlab_beginning(&body, array, 2, (int[]){table->rows, table->columns}, 0);
  for (int part = 0; part < parts; part++) {
    Bytes numbers = {0};
    for (int i = 0; i < table->rows * table->columns; i++) {
      int row = i % table->rows, column = i / table->rows;
      double value = table->values[(row * table->columns + column) * parts + part];
      unsigned long long bits;
      memcpy(&bits, &value, sizeof bits);
      put_bits(&numbers, bits, 8, 0);
    }
    put_matlab_part(&body, MI_DOUBLE, numbers, 0);
  }
  put_matlab_element(to, body, (MatlabWay){0, 0});
}

/* A MATLAB file of these tables. */
static inline void wave_write_matlab(const char *path, int n, const WaveTable *tables) {
  Bytes bytes = sample_matlab_file(0);
  for (int i = 0; i < n; i++) wave_put_matlab(&bytes, &tables[i]);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes.data, 1, bytes.length, file), bytes.length);
  fclose(file);
  free(bytes.data);
}

#endif
