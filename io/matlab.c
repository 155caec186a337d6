#include "io/matlab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/hdf5.h"
#include "io/matlab_element.h"
#include "io/utf8.h"

enum { NAME = 256, PIECE = 1 << 16 };

/* ---- Classes and types ---- */

enum { CLASS_SPARSE = 5, CLASS_OPAQUE = 17, FLAG_COMPLEX = 0x800 };

/* What is made of no numbers, by its class; between 6 and 15 are the numeric ones. */
static const char *class_name(uint32_t class) {
  static const char *const names[] = {
      [1] = "cell array", [2] = "struct",    [3] = "object", [4] = "text",
      [5] = "sparse",     [16] = "function", [17] = "object"};
  if (class < 1 || class >= sizeof names / sizeof *names) return "of an unknown class";
  return names[class];
}

typedef enum { NO_NUMBER, SIGNED, UNSIGNED, FLOATING } Kind;

typedef struct {
  int size; /* bytes */
  Kind kind;
} Number;

static Number number_of(uint32_t type) {
  static const Number numbers[] = {
      [MI_INT8] = {1, SIGNED},     [MI_UINT8] = {1, UNSIGNED},  [MI_INT16] = {2, SIGNED},
      [MI_UINT16] = {2, UNSIGNED}, [MI_INT32] = {4, SIGNED},    [MI_UINT32] = {4, UNSIGNED},
      [MI_SINGLE] = {4, FLOATING}, [MI_DOUBLE] = {8, FLOATING}, [MI_INT64] = {8, SIGNED},
      [MI_UINT64] = {8, UNSIGNED}};
  return type < sizeof numbers / sizeof *numbers ? numbers[type] : (Number){0};
}

static double to_double(uint64_t bits, Number number) {
  double value;
  float single;
  uint32_t half = (uint32_t)bits;
  int unused = 64 - 8 * number.size;
  if (number.kind == SIGNED) return (double)((int64_t)(bits << unused) >> unused);
  if (number.kind == UNSIGNED) return (double)bits;
  memcpy(&single, &half, sizeof single);
  if (number.size == 4) return (double)single;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* ---- What an array says about itself ---- */

typedef struct {
  char name[NAME]; /* "": one of MATLAB's own */
  uint32_t class;
  bool complex;
  int rank;
  int64_t size[HDF5_MAX_RANK]; /* of the first axes */
} Header;

static Status read_word(MatlabElement *element, uint32_t *word) {
  unsigned char bytes[4];
  TRY(element_take(element, bytes, sizeof bytes));
  *word = (uint32_t)matlab_bits(bytes, sizeof bytes, element->file->big);
  return STATUS_OK;
}

static Status read_flags(MatlabElement *element, Header *header) {
  MatlabPart part;
  uint32_t flags, nonzeros;
  TRY(element_begin_part(element, &part));
  if (part.type != MI_UINT32 || part.length != 8) return element_fail(element, "has no flags");
  TRY(read_word(element, &flags));
  TRY(read_word(element, &nonzeros));
  header->class = flags & 0xff;
  header->complex = flags & FLAG_COMPLEX;
  return STATUS_OK;
}

static Status read_sizes(MatlabElement *element, Header *header) {
  MatlabPart part;
  TRY(element_begin_part(element, &part));
  bool fits = part.type == MI_INT32 || part.type == MI_UINT32;
  if (!fits || part.length % 4 || part.length < 8) return element_fail(element, "has no shape");
  for (size_t i = 0; i < part.length / 4; i++) {
    uint32_t size;
    TRY(read_word(element, &size));
    if (size > INT32_MAX) return element_fail(element, "has an axis of negative size");
    if (i < HDF5_MAX_RANK) header->size[i] = size;
  }
  header->rank = part.length / 4 < HDF5_MAX_RANK ? (int)part.length / 4 : HDF5_MAX_RANK;
  return element_end_part(element, &part);
}

static Status read_name(MatlabElement *element, Header *header) {
  MatlabPart part;
  TRY(element_begin_part(element, &part));
  bool fits = part.type == MI_INT8 || part.type == MI_UINT8 || part.type == MI_UTF8;
  if (!fits || part.length >= NAME) return element_fail(element, "has no name of an array");
  TRY(element_take(element, header->name, part.length));
  return element_end_part(element, &part);
}

static Status read_header(MatlabElement *element, Header *header) {
  *header = (Header){0};
  if (!element->left) return STATUS_OK; /* an array that was never filled */
  TRY(read_flags(element, header));
  if (header->class != CLASS_OPAQUE) TRY(read_sizes(element, header));
  return read_name(element, header);
}

static bool is_numeric_matrix(const Header *header) {
  return !class_name(header->class) && header->rank == 2 && header->size[0] && header->size[1];
}

/* "301x941 complex" */
static const char *shape_text(const Header *header, char text[200]) {
  char sizes[160] = "";
  const char *what = class_name(header->class);
  if (!what && header->complex) what = "complex";
  if (header->rank) hdf5_shape_text(header->rank, header->size, sizes);
  snprintf(text, 200, "%s%s%s", sizes, *sizes && what ? " " : "", what ? what : "");
  return text;
}

static Status check_suits(const MatlabFile *file, const Header *header) {
  char name[NAME], shape[200];
  const char *hint = header->class == CLASS_SPARSE ? "; full(...) makes one of it" : "";
  if (is_numeric_matrix(header)) return STATUS_OK;
  utf8_clean(header->name, name, sizeof name);
  return status_fail(STATUS_FAILED,
                     "%s: %s is %s; needed is a matrix of numbers that is not empty%s", file->path,
                     name, shape_text(header, shape), hint);
}

/* ---- Which array is meant ---- */

typedef struct {
  int named, suitable; /* arrays of that name; without a name: all, and those of many rows */
  size_t begin;        /* of the last of them */
  Header header;
  char list[2][TEXT_LIST]; /* all arrays, and the suitable ones */
} Search;

static void note(Search *search, const Header *header, size_t begin, const char *wanted) {
  char name[61], shape[200]; /* so much of a name is listed */
  if (!*header->name) return;
  utf8_clean(header->name, name, sizeof name);
  text_list(search->list[0], name, shape_text(header, shape));
  bool suits = is_numeric_matrix(header) && header->size[0] > 1 && header->size[1] > 1;
  if (suits) text_list(search->list[1], name, shape_text(header, shape));
  if (*wanted ? strcmp(header->name, wanted) != 0 : !suits) return;
  search->suitable++;
  search->begin = begin;
  search->header = *header;
}

/* Goes through the whole file, so that a truncated one never passes for one with less in it. */
static Status search_file(const MatlabFile *file, const char *wanted, Search *search) {
  MatlabElement element;
  *search = (Search){0};
  for (size_t begin = MATLAB_HEADER; begin < file->length; begin = element.end) {
    Header header;
    Status status = element_open(&element, file, begin);
    if (status == STATUS_OK) status = read_header(&element, &header);
    element_close(&element);
    if (status != STATUS_OK) return status;
    note(search, &header, begin, wanted);
  }
  return STATUS_OK;
}

static Status choose(const MatlabFile *file, const char *wanted, Search *search) {
  char name[NAME];
  TRY(search_file(file, wanted, search));
  const char *all = *search->list[0] ? search->list[0] : "nothing";
  if (*wanted && search->suitable) return check_suits(file, &search->header);
  if (*wanted) {
    utf8_clean(wanted, name, sizeof name);
    return status_fail(STATUS_FAILED, "%s: has no array %s; it has %s", file->path, name, all);
  }
  if (search->suitable == 1) return STATUS_OK;
  if (search->suitable) {
    return status_fail(STATUS_FAILED, "%s: say which array of it is meant: %s", file->path,
                       search->list[1]);
  }
  return status_fail(STATUS_FAILED,
                     "%s: has no matrix of numbers of more than one row and column; it has %s",
                     file->path, all);
}

/* ---- Numbers ---- */

/* A part [columns][rows] to doubles [rows][columns]. */
static Status turn_numbers(MatlabElement *element, Number number, const Header *header,
                           double *values) {
  unsigned char piece[PIECE];
  int64_t rows = header->size[0], columns = header->size[1], row = 0, column = 0;
  int64_t left = rows * columns;
  while (left) {
    int64_t count = left < PIECE / number.size ? left : PIECE / number.size;
    TRY(element_take(element, piece, (size_t)(count * number.size)));
    for (int64_t i = 0; i < count; i++) {
      uint64_t bits = matlab_bits(piece + i * number.size, number.size, element->file->big);
      values[row * columns + column] = to_double(bits, number);
      if (++row == rows) row = 0, column++;
    }
    left -= count;
  }
  return STATUS_OK;
}

/* The next part into *values (free(), also on failure). */
static Status read_numbers(MatlabElement *element, const Header *header, double **values) {
  MatlabPart part;
  TRY(element_begin_part(element, &part));
  Number number = number_of(part.type);
  if (!number.size) return element_fail(element, "holds no numbers where they must be");
  int64_t count = header->size[0] * header->size[1]; /* at most 2^62 */
  if (part.length % (size_t)number.size || (int64_t)part.length / number.size != count) {
    return element_fail(element, "has not as many numbers as its shape says");
  }
  Status status = memory_allocate(values, (size_t)count, sizeof **values, "a MATLAB array");
  if (status != STATUS_OK) return status_prefix(status, "%s", element->file->path);
  TRY(turn_numbers(element, number, header, *values));
  return element_end_part(element, &part);
}

static Status read_array(MatlabElement *element, MatlabArray *array) {
  Header header;
  TRY(element_verify(element));
  TRY(read_header(element, &header));
  TRY(read_numbers(element, &header, &array->real));
  if (header.complex) TRY(read_numbers(element, &header, &array->imaginary));
  array->rows = header.size[0];
  array->columns = header.size[1];
  return STATUS_OK;
}

/* ---- Files ---- */

static Status fail_hdf5(const char *path) {
  return status_fail(
      STATUS_FAILED,
      "%s: is an HDF5 file, as MATLAB's version 7.3 writes them, not one of level 5: "
      "save it with -v7, or convert the array into a plain HDF5 data set",
      path);
}

/* The header is text; version and byte order are at its end. */
static Status check_file(MatlabFile *file) {
  if (file->length >= MATLAB_HEADER) {
    const unsigned char *end = file->data + MATLAB_HEADER;
    file->big = !memcmp(end - 2, "MI", 2);
    uint64_t version = matlab_bits(end - 4, 2, file->big) >> 8;
    bool marked = file->big || !memcmp(end - 2, "IM", 2);
    if (marked && version == 2) return fail_hdf5(file->path);
    if (marked && version == 1) return STATUS_OK;
  }
  return status_fail(STATUS_FAILED,
                     "%s: is no MAT-file of level 5 (no version and byte order behind a header of "
                     "%d bytes): save it with -v7",
                     file->path, MATLAB_HEADER);
}

Status matlab_decode(const char *path, const unsigned char *data, size_t length, const char *name,
                     MatlabArray *array) {
  MatlabFile file = {.path = path, .data = data, .length = length};
  MatlabElement element;
  MatlabArray made = {0};
  Search search;
  TRY(check_file(&file));
  TRY(choose(&file, name, &search));
  Status status = element_open(&element, &file, search.begin);
  if (status == STATUS_OK) status = read_array(&element, &made);
  element_close(&element);
  if (status == STATUS_OK) {
    *array = made;
  } else {
    matlab_destroy(&made);
  }
  return status;
}

/* Files of version 7.3 are told by their beginning: they may be larger than memory. */
static Status read_file(const char *path, unsigned char **data, size_t *length) {
  if (file_begins(path, "MATLAB 7.3", 10) || file_begins(path, "\x89HDF\r\n\x1a\n", 8)) {
    return fail_hdf5(path);
  }
  return file_read(path, data, length);
}

Status matlab_read(const char *path, const char *name, MatlabArray *array) {
  unsigned char *data;
  size_t length;
  TRY(read_file(path, &data, &length));
  Status status = matlab_decode(path, data, length, name, array);
  free(data);
  return status;
}

Status matlab_list(const char *path, char list[TEXT_LIST]) {
  MatlabFile file = {.path = path};
  unsigned char *data;
  Search search;
  TRY(read_file(path, &data, &file.length));
  file.data = data;
  Status status = check_file(&file);
  if (status == STATUS_OK) status = search_file(&file, "", &search);
  if (status == STATUS_OK) memcpy(list, search.list[0], TEXT_LIST);
  free(data);
  return status;
}

void matlab_destroy(MatlabArray *array) {
  free(array->real);
  free(array->imaginary);
  *array = (MatlabArray){0};
}
