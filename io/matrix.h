/* Matrices from files: named arrays of two axes, in MATLAB's files (io/matlab.h) or HDF5
 * (io/dataset.h). */
#ifndef IO_MATRIX_H
#define IO_MATRIX_H

#include <stdint.h>

#include "core/status.h"

typedef struct {
  int64_t rows, columns; /* >= 1 */
  int parts;             /* of an entry: 1; complex ones, or HDF5's [rows][columns][2], have 2 */
  double *values;        /* [rows][columns][parts] */
} Matrix;

/* Local. Array `name` ("": the only one that can be meant) of a file; `what` says in messages what
 * is looked for ("a grid of velocities"). Fails (STATUS_FAILED) as matlab_read and dataset_open do.
 * On failure *matrix is untouched; else it goes to matrix_destroy. */
Status matrix_read(const char *path, const char *name, const char *what, Matrix *matrix);
void matrix_destroy(Matrix *matrix); /* a zero one is allowed */

#endif
