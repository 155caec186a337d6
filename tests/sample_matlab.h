/* MAT-files of level 5 in memory, byte by byte, for the tests of their reader and of what reads
 * them. */
#ifndef TESTS_SAMPLE_MATLAB_H
#define TESTS_SAMPLE_MATLAB_H

#include <zlib.h>

#include "io/matlab_element.h"
#include "tests/sample_shape.h"

/* Classes of arrays, as MATLAB numbers them. */
enum { MX_CELL = 1, MX_STRUCT, MX_OBJECT, MX_CHAR, MX_SPARSE, MX_DOUBLE, MX_UINT8 = 9, MX_INT16 };
enum { MX_OPAQUE = 17, MX_COMPLEX = 0x800, MX_LOGICAL = 0x200 };

/* How a file is written. */
typedef struct {
  int big, compressed;
} MatlabWay;

typedef struct {
  const char *name;
  int class, flags, type; /* flags: MX_COMPLEX, MX_LOGICAL; type: in which it is stored */
  int rows, columns;
} SampleArray;

static inline int sample_type_size(int type) {
  static const int sizes[] = {
      [MI_INT8] = 1,   [MI_UINT8] = 1,  [MI_INT16] = 2,  [MI_UINT16] = 2, [MI_INT32] = 4,
      [MI_UINT32] = 4, [MI_SINGLE] = 4, [MI_DOUBLE] = 8, [MI_INT64] = 8,  [MI_UINT64] = 8};
  return sizes[type];
}

/* The number at (row, column): one that its type has exactly. */
static inline double sample_matlab_number(int type, int row, int column, int imaginary) {
  int whole = (row * 31 + column * 7 + imaginary * 100) % 200;
  if (type == MI_SINGLE || type == MI_DOUBLE) return (whole - 100) / 8.0;
  int is_unsigned = type == MI_UINT8 || type == MI_UINT16 || type == MI_UINT32 || type == MI_UINT64;
  return is_unsigned ? whole + 56 : whole - 128 + 56;
}

/* The bits of a number in a type. */
static inline unsigned long long sample_matlab_bits(double value, int type) {
  unsigned long long bits = (unsigned long long)(long long)value;
  float single = (float)value;
  unsigned half;
  memcpy(&half, &single, sizeof half);
  if (type == MI_SINGLE) bits = half;
  if (type == MI_DOUBLE) memcpy(&bits, &value, sizeof value);
  return bits;
}

/* A part; of at most four bytes, in the short form. */
static inline void put_matlab_part(Bytes *to, int type, Bytes part, int big) {
  size_t unit = part.length && part.length <= 4 ? 4 : 8;
  if (unit == 4) {
    put_bits(to, part.length << 16 | (unsigned)type, 4, big);
  } else {
    put_bits(to, (unsigned)type, 4, big);
    put_bits(to, part.length, 4, big);
  }
  if (part.length) put_bytes(to, part.data, part.length);
  for (size_t i = part.length; i % unit; i++) put_bytes(to, "", 1);
  free(part.data);
}

/* Flags, shape and name. */
static inline void put_matlab_beginning(Bytes *to, SampleArray array, int n_axes, const int *size,
                                        int big) {
  Bytes flags = {0}, sizes = {0}, name = {0};
  put_bits(&flags, (unsigned)(array.class | array.flags), 4, big);
  put_bits(&flags, 0, 4, big);
  put_matlab_part(to, MI_UINT32, flags, big);
  for (int i = 0; i < n_axes; i++) put_bits(&sizes, (unsigned)size[i], 4, big);
  if (n_axes) put_matlab_part(to, MI_INT32, sizes, big);
  put_bytes(&name, array.name, strlen(array.name));
  put_matlab_part(to, MI_INT8, name, big);
}

static inline void put_matlab_numbers(Bytes *to, SampleArray array, int imaginary, int big) {
  int size = sample_type_size(array.type);
  Bytes part = {malloc((size_t)(array.rows * array.columns * size) + 1), 0};
  for (int i = 0; i < array.rows * array.columns; i++) {
    int row = i % array.rows, column = i / array.rows;
    double value = sample_matlab_number(array.type, row, column, imaginary);
    unsigned long long bits = sample_matlab_bits(value, array.type);
    for (int k = 0; k < size; k++) {
      part.data[part.length++] = (unsigned char)(bits >> 8 * (big ? size - 1 - k : k));
    }
  }
  put_matlab_part(to, array.type, part, big);
}

/* All of an array behind its tag. */
static inline Bytes sample_matlab_body(SampleArray array, int big) {
  Bytes body = {0};
  put_matlab_beginning(&body, array, 2, (int[]){array.rows, array.columns}, big);
  put_matlab_numbers(&body, array, 0, big);
  if (array.flags & MX_COMPLEX) put_matlab_numbers(&body, array, 1, big);
  return body;
}

/* Adds an element of these bytes (and frees them). */
static inline void put_matlab_element(Bytes *file, Bytes body, MatlabWay way) {
  Bytes element = {0};
  put_bits(&element, MI_MATRIX, 4, way.big);
  put_bits(&element, body.length, 4, way.big);
  if (body.length) put_bytes(&element, body.data, body.length);
  free(body.data);
  if (way.compressed) {
    uLongf length = compressBound(element.length);
    unsigned char *packed = malloc(length);
    compress(packed, &length, element.data, element.length);
    put_bits(file, MI_COMPRESSED, 4, way.big);
    put_bits(file, length, 4, way.big);
    put_bytes(file, packed, length);
    free(packed);
  } else {
    put_bytes(file, element.data, element.length);
  }
  free(element.data);
}

static inline void put_matlab_array(Bytes *file, SampleArray array, MatlabWay way) {
  put_matlab_element(file, sample_matlab_body(array, way.big), way);
}

/* The header of a file, which arrays follow. */
static inline Bytes sample_matlab_file(int big) {
  Bytes file = {0};
  put(&file, "%-116s", "MATLAB 5.0 MAT-file, by a test");
  put_bits(&file, 0, 8, big);
  put_bits(&file, 0x0100, 2, big);
  put(&file, "%s", big ? "MI" : "IM");
  return file;
}

#endif
