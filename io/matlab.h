/* Matrices from MATLAB's level-5 files (.mat as MATLAB's -v6 and -v7, Octave and SciPy write them):
 * named arrays of numbers, compressed or not, of either byte order, real or complex, of every
 * numeric class (logical values are numbers, too), stored in whatever type of number the writer
 * found short enough. Files of version 7.3 are HDF5 and are refused with what to do.
 *
 * Not by the library matio: it brings the serial HDF5 into the program, whose symbols clash with
 * those of the parallel one.
 *
 * All functions are Local. Every failure is STATUS_FAILED with one line that names the file: no
 * file, no MAT-file of level 5, one that is truncated or damaged anywhere on the way through its
 * arrays, out of memory. Memory is taken for what the file holds, not for what it says it holds:
 * its bytes, and 8 (complex: 16) bytes for each number that is really there. */
#ifndef IO_MATLAB_H
#define IO_MATLAB_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "io/text.h"

/* Numbers as doubles, whole ones beyond 2^53 rounded; not-a-number and infinity as they are.
 * MATLAB's order, column by column, is turned. */
typedef struct {
  int64_t rows, columns;    /* >= 1 */
  double *real, *imaginary; /* [rows][columns]; imaginary is NULL where all is real */
} MatlabArray;

/* Reads array `name`; "" means the only matrix of more than one row and more than one column. Of
 * several arrays of one name the last counts, as in MATLAB. Fails also where there is none or are
 * several to choose from (listed), on an empty array, one of more than two axes, a sparse one, and
 * on what is made of no numbers (text, cells, structs, objects). On failure *array is untouched;
 * else it goes to matlab_destroy. */
Status matlab_read(const char *path, const char *name, MatlabArray *array);
void matlab_destroy(MatlabArray *array);

/* The same of a file in memory; `path` is for messages. */
Status matlab_decode(const char *path, const unsigned char *data, size_t length, const char *name,
                     MatlabArray *array);

/* What a file holds, for messages: "vel (301x941), field (30x5 complex), note (1x4 text)", cut
 * short where there is much of it; "" where there is nothing. */
Status matlab_list(const char *path, char list[TEXT_LIST]);

#endif
