/* Reading the files of golden/, and comparing with them. Included by one file per program. */
#ifndef TESTS_GOLDEN_FILE_H
#define TESTS_GOLDEN_FILE_H

#include <hdf5.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "core/network.h"

/* ---- Reading the file ---- */

static inline double *golden_array(hid_t group, const char *path, size_t expected) {
  hid_t set = H5Dopen2(group, path, H5P_DEFAULT);
  if (set < 0) fail_msg("no data set %s", path);
  hid_t space = H5Dget_space(set);
  size_t count = (size_t)H5Sget_simple_extent_npoints(space);
  if (count != expected) fail_msg("%s has %zu elements instead of %zu", path, count, expected);
  double *values = malloc(count * sizeof *values);
  assert_non_null(values);
  assert_true(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Sclose(space);
  H5Dclose(set);
  return values;
}

static inline size_t golden_rows(hid_t group, const char *path) {
  hid_t set = H5Dopen2(group, path, H5P_DEFAULT);
  assert_true(set >= 0);
  hid_t space = H5Dget_space(set);
  hsize_t sizes[H5S_MAX_RANK];
  assert_true(H5Sget_simple_extent_dims(space, sizes, NULL) >= 1);
  H5Sclose(space);
  H5Dclose(set);
  return (size_t)sizes[0];
}

static inline double golden_number(hid_t group, const char *object, const char *name) {
  double value;
  hid_t attribute = H5Aopen_by_name(group, object, name, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) fail_msg("%s has no attribute %s", object, name);
  assert_true(H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) >= 0);
  H5Aclose(attribute);
  return value;
}

static inline void golden_text(hid_t group, const char *object, const char *name, char *text,
                               size_t size) {
  hid_t attribute = H5Aopen_by_name(group, object, name, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) fail_msg("%s has no attribute %s", object, name);
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size);
  assert_true(H5Aread(attribute, type, text) >= 0);
  H5Tclose(type);
  H5Aclose(attribute);
}

static inline real *golden_real(double *values, size_t count) {
  real *copy = malloc(count * sizeof *copy);
  assert_non_null(copy);
  for (size_t i = 0; i < count; i++) copy[i] = (real)values[i];
  free(values);
  return copy;
}

static inline size_t golden_tensor_size(const Tensor *tensor) {
  return (size_t)tensor->rows * (size_t)tensor->cols;
}

static inline real *golden_theta(hid_t group, const Network *network) {
  real *theta = malloc(network->n_parameters * sizeof *theta);
  assert_non_null(theta);
  for (int t = 0; t < network->n_tensors; t++) {
    const Tensor *tensor = &network->tensors[t];
    char path[48];
    snprintf(path, sizeof path, "network/%s", tensor->name);
    size_t n = golden_tensor_size(tensor);
    real *values = golden_real(golden_array(group, path, n), n);
    memcpy(theta + tensor->offset, values, n * sizeof *values);
    free(values);
  }
  return theta;
}

/* ---- Comparing ---- */

static double golden_worst; /* error over tolerance, of the running test */
static char golden_worst_at[128];

static inline void golden_check(const char *what, const char *part, size_t n, const real *got,
                                const double *wanted, double tolerance) {
  double error = 0, scale = 0;
  for (size_t i = 0; i < n; i++) {
    if (!isfinite((double)got[i])) fail_msg("%s, %s: not finite", what, part);
    error = fmax(error, fabs((double)got[i] - wanted[i]));
    scale = fmax(scale, fabs(wanted[i]));
  }
  if (error > tolerance * scale) {
    fail_msg("%s, %s: off by %.2g of %.2g, relative %.2g > %.2g", what, part, error, scale,
             error / scale, tolerance);
  }
  if (scale > 0 && error / (tolerance * scale) > golden_worst) {
    golden_worst = error / (tolerance * scale);
    snprintf(golden_worst_at, sizeof golden_worst_at, "%s, %s", what, part);
  }
}

/* The file keeps the encoding's tensors behind all layers; theta's order is core's affair. */
static inline void golden_check_tensors(const char *what, const Network *network, const real *got,
                                        const double *wanted, double tolerance) {
  size_t at = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int t = 0; t < network->n_tensors; t++) {
      const Tensor *tensor = &network->tensors[t];
      bool encoding = !strncmp(tensor->name, "encoding/", 9);
      if (encoding != (pass == 1)) continue;
      golden_check(what, tensor->name, golden_tensor_size(tensor), got + tensor->offset,
                   wanted + at, tolerance);
      at += golden_tensor_size(tensor);
    }
  }
  assert_int_equal(at, network->n_parameters);
}

#endif
