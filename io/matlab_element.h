/* The bytes of a level-5 MAT-file: elements, compressed or not, and the parts they are made of. For
 * io/matlab.c alone. */
#ifndef IO_MATLAB_ELEMENT_H
#define IO_MATLAB_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "core/status.h"

enum { MATLAB_HEADER = 128 }; /* bytes before the first element */

/* Types of elements and parts. */
enum {
  MI_INT8 = 1,
  MI_UINT8,
  MI_INT16,
  MI_UINT16,
  MI_INT32,
  MI_UINT32,
  MI_SINGLE,
  MI_DOUBLE = 9,
  MI_INT64 = 12,
  MI_UINT64,
  MI_MATRIX,
  MI_COMPRESSED,
  MI_UTF8,
};

typedef struct {
  const char *path;
  const unsigned char *data; /* borrowed */
  size_t length;
  bool big; /* the byte order */
} MatlabFile;

/* An array of the file, from which bytes are taken one after another. */
typedef struct {
  const MatlabFile *file;
  size_t begin, end; /* in the file */
  bool compressed;
  const unsigned char *at; /* not compressed: the next byte */
  z_stream stream;         /* compressed */
  size_t left;             /* bytes still to come, as the element says */
} MatlabElement;

/* A part of an element: so many bytes of numbers of one type. */
typedef struct {
  uint32_t type;
  size_t length, padding; /* bytes, and those behind them */
} MatlabPart;

/* All functions are Local. */

/* The number whose `size` bytes (1, 2, 4, 8) these are, as bits. */
uint64_t matlab_bits(const unsigned char *bytes, int size, bool big);

/* Opens the element that begins at a byte of the file, MATLAB_HEADER or another's end. It goes to
 * element_close also on failure. */
Status element_open(MatlabElement *element, const MatlabFile *file, size_t begin);
void element_close(MatlabElement *element);

/* Inflates a compressed element, just opened, from its beginning to its end into nothing: whether
 * it is whole and as long as it says. Opens it anew. */
Status element_verify(MatlabElement *element);

/* The next bytes. */
Status element_take(MatlabElement *element, void *bytes, size_t count);

/* Begins the next part, whose bytes are then taken, and ends it. */
Status element_begin_part(MatlabElement *element, MatlabPart *part);
Status element_end_part(MatlabElement *element, const MatlabPart *part);

/* STATUS_FAILED: the file, where in it, what is wrong, what to do. */
Status element_fail(const MatlabElement *element, const char *what);

#endif
