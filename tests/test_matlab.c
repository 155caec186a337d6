/* Matrices from MAT-files of level 5: the numbers, the choice, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <unistd.h>

#include "io/file.h"
#include "io/matlab.h"
#include "tests/sample_matlab.h"

static Status decode(Bytes file, const char *name, MatlabArray *array) {
  return matlab_decode("a.mat", file.data, file.length, name, array);
}

static void assert_refused(Bytes file, const char *name, const char *message) {
  MatlabArray array = {.rows = 77};
  assert_int_equal(decode(file, name, &array), STATUS_FAILED);
  assert_string_equal(status_message(), message);
  assert_int_equal(array.rows, 77);
}

static void assert_sample(const MatlabArray *array, SampleArray sample) {
  assert_int_equal(array->rows, sample.rows);
  assert_int_equal(array->columns, sample.columns);
  assert_int_equal(!array->imaginary, !(sample.flags & MX_COMPLEX));
  for (int i = 0; i < sample.rows * sample.columns; i++) {
    int row = i / sample.columns, column = i % sample.columns;
    double real = sample_matlab_number(sample.type, row, column, 0);
    double imaginary = sample_matlab_number(sample.type, row, column, 1);
    if (array->real[i] != real) fail_msg("%g for %g at %d", array->real[i], real, i);
    if (array->imaginary && array->imaginary[i] != imaginary) {
      fail_msg("%g for %g at %d", array->imaginary[i], imaginary, i);
    }
  }
}

/* The sizes make parts of all lengths, with short tags and long ones, padded and not, and of more
 * bytes than are converted at once. */
static void all_numbers_all_ways(void **state) {
  (void)state;
  static const int sizes[][2] = {{1, 1}, {1, 2}, {3, 1}, {2, 2}, {3, 5}, {4, 2}, {131, 200}};
  int read = 0;
  for (int way = 0; way < 4; way++) {
    for (int type = MI_INT8; type <= MI_UINT64; type++) {
      if (!sample_type_size(type)) continue;
      for (int i = 0; i < 14; i++) {
        const int *size = sizes[i / 2];
        SampleArray sample = {
            i % 3 ? "x" : "velocity", MX_DOUBLE, i % 2 ? MX_COMPLEX : 0, type, size[0], size[1]};
        MatlabWay kind = {way & 1, way >> 1};
        Bytes file = sample_matlab_file(kind.big);
        put_matlab_array(&file, (SampleArray){"before", MX_UINT8, 0, MI_UINT8, 5, 1}, kind);
        put_matlab_array(&file, sample, kind);
        put_matlab_array(&file, (SampleArray){"after", MX_INT16, 0, MI_INT16, 1, 3}, kind);
        MatlabArray array;
        assert_int_equal(decode(file, sample.name, &array), STATUS_OK);
        assert_sample(&array, sample);
        matlab_destroy(&array);
        assert_null(array.real);
        free(file.data);
        read++;
      }
    }
  }
  assert_int_equal(read, 4 * 10 * 14);
}

/* As some programs write it. */
static void last_part_without_padding(void **state) {
  (void)state;
  SampleArray sample = {"x", MX_UINT8, 0, MI_UINT8, 3, 3};
  for (int way = 0; way < 4; way++) {
    MatlabWay kind = {way & 1, way >> 1};
    Bytes file = sample_matlab_file(kind.big), body = sample_matlab_body(sample, kind.big);
    body.length -= 16 - 9;
    put_matlab_element(&file, body, kind);
    MatlabArray array;
    assert_int_equal(decode(file, "", &array), STATUS_OK);
    assert_sample(&array, sample);
    matlab_destroy(&array);
    free(file.data);
  }
}

static double read_one(int type, unsigned long long bits) {
  Bytes file = sample_matlab_file(1), body = {0}, part = {0};
  put_matlab_beginning(&body, (SampleArray){"x", MX_DOUBLE, 0, type, 1, 1}, 2, (int[]){1, 1}, 1);
  put_bits(&part, bits, sample_type_size(type), 1);
  put_matlab_part(&body, type, part, 1);
  put_matlab_element(&file, body, (MatlabWay){1, 0});
  MatlabArray array;
  assert_int_equal(decode(file, "x", &array), STATUS_OK);
  double value = array.real[0];
  matlab_destroy(&array);
  free(file.data);
  return value;
}

static void ends_of_the_ranges(void **state) {
  (void)state;
  assert_true(read_one(MI_INT8, 0x80) == -128 && read_one(MI_INT8, 0x7f) == 127);
  assert_true(read_one(MI_UINT8, 0xff) == 255);
  assert_true(read_one(MI_INT16, 0x8000) == -32768 && read_one(MI_UINT16, 0xffff) == 65535);
  assert_true(read_one(MI_INT32, 0x80000000) == -2147483648.0);
  assert_true(read_one(MI_UINT32, 0xffffffff) == 4294967295.0);
  assert_true(read_one(MI_INT64, 1ULL << 63) == -9223372036854775808.0);
  assert_true(read_one(MI_INT64, (1ULL << 53) - 1) == 9007199254740991.0);
  assert_true(read_one(MI_UINT64, ~0ULL) == 18446744073709551616.0);
  assert_true(isnan(read_one(MI_DOUBLE, 0x7ff8000000000000)));
  assert_true(isinf(read_one(MI_SINGLE, 0x7f800000)));
  assert_true(signbit(read_one(MI_DOUBLE, 1ULL << 63)));
}

/* scipy.io.savemat, compressed. */
static void another_programs_file(void **state) {
  (void)state;
  static const double velocity[] = {1.5, 2, 3, 4, 5, -6}, turned[] = {4, 5, -6, 1.5, 2, 3};
  const char *path = TEST_DATA "/scipy.mat";
  char list[TEXT_LIST];
  MatlabArray array;
  assert_int_equal(matlab_read(path, "velocity", &array), STATUS_OK);
  assert_true(array.rows == 2 && array.columns == 3 && !array.imaginary);
  assert_memory_equal(array.real, velocity, sizeof velocity);
  matlab_destroy(&array);
  assert_int_equal(matlab_read(path, "field", &array), STATUS_OK);
  assert_memory_equal(array.real, velocity, sizeof velocity);
  assert_memory_equal(array.imaginary, turned, sizeof turned);
  matlab_destroy(&array);
  assert_int_equal(matlab_read(path, "counts", &array), STATUS_OK);
  assert_true(array.rows == 2 && array.columns == 1 && array.real[1] == 250);
  matlab_destroy(&array);
  assert_int_equal(matlab_read(path, "note", &array), STATUS_FAILED);
  assert_int_equal(matlab_list(path, list), STATUS_OK);
  assert_string_equal(list,
                      "velocity (2x3), field (2x3 complex), counts (2x1), depth (1x1), "
                      "note (1x4 text), cells (1x2 cell array)");
}

/* ---- The choice ---- */

static void choice_of_an_array(void **state) {
  (void)state;
  MatlabWay way = {0, 1};
  SampleArray first = {"first", MX_DOUBLE, 0, MI_INT16, 3, 4}, again = first;
  again.type = MI_DOUBLE;
  MatlabArray array;
  Bytes file = sample_matlab_file(0);
  assert_refused(file, "",
                 "a.mat: has no matrix of numbers of more than one row and column; it has "
                 "nothing");
  put_matlab_array(&file, (SampleArray){"x", MX_DOUBLE, 0, MI_INT8, 1, 9}, way);
  put_matlab_array(&file, (SampleArray){"", MX_UINT8, 0, MI_UINT8, 8, 8}, way); /* MATLAB's own */
  put_matlab_element(&file, (Bytes){0}, way);
  assert_refused(file, "",
                 "a.mat: has no matrix of numbers of more than one row and column; it has "
                 "x (1x9)");
  put_matlab_array(&file, first, way);
  assert_int_equal(decode(file, "", &array), STATUS_OK);
  assert_sample(&array, first);
  matlab_destroy(&array);
  put_matlab_array(&file, (SampleArray){"other", MX_UINT8, MX_LOGICAL, MI_UINT8, 2, 2}, way);
  assert_refused(file, "", "a.mat: say which array of it is meant: first (3x4), other (2x2)");
  assert_refused(file, "y\n", "a.mat: has no array y ; it has x (1x9), first (3x4), other (2x2)");
  put_matlab_array(&file, again, way);
  assert_int_equal(decode(file, "first", &array), STATUS_OK); /* the last one of that name */
  assert_sample(&array, again);
  matlab_destroy(&array);
  free(file.data);
}

static void many_arrays_are_listed_in_part(void **state) {
  (void)state;
  Bytes file = sample_matlab_file(0);
  for (int i = 0; i < 99; i++) {
    put_matlab_array(&file, (SampleArray){"some_array", MX_DOUBLE, 0, MI_INT8, 2, 2},
                     (MatlabWay){0, 0});
  }
  MatlabArray array;
  assert_int_equal(decode(file, "x", &array), STATUS_FAILED);
  size_t length = strlen(status_message());
  assert_in_range(length, 200, 400);
  assert_string_equal(status_message() + length - 4, " ...");
  free(file.data);
}

/* A file with array x of a class and a shape, and nothing behind its name. */
static Bytes unsuitable(int class, int n_axes, const int *size) {
  Bytes file = sample_matlab_file(0), body = {0};
  put_matlab_beginning(&body, (SampleArray){.name = "x", .class = class}, n_axes, size, 0);
  put_matlab_element(&file, body, (MatlabWay){0, 0});
  return file;
}

static void arrays_that_are_no_matrix(void **state) {
  (void)state;
  static const struct {
    int class, n_axes, size[10];
    const char *is;
  } cases[] = {{MX_CELL, 2, {1, 2}, "1x2 cell array"},
               {MX_STRUCT, 2, {1, 1}, "1x1 struct"},
               {MX_OBJECT, 2, {1, 1}, "1x1 object"},
               {MX_CHAR, 2, {1, 5}, "1x5 text"},
               {MX_OPAQUE, 0, {0}, "object"},
               {99, 2, {1, 1}, "1x1 of an unknown class"},
               {MX_DOUBLE, 2, {0, 5}, "0x5"},
               {MX_DOUBLE, 3, {4, 3, 2}, "4x3x2"},
               {MX_DOUBLE, 10, {1, 2, 3, 4, 5, 6, 7, 8, 9, 9}, "1x2x3x4x5x6x7x8"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char message[200];
    Bytes file = unsuitable(cases[i].class, cases[i].n_axes, cases[i].size);
    snprintf(message, sizeof message,
             "a.mat: x is %s; needed is a matrix of numbers that is not empty", cases[i].is);
    assert_refused(file, "x", message);
    free(file.data);
  }
  Bytes file = unsuitable(MX_SPARSE, 2, (int[]){5, 5});
  assert_refused(file, "x",
                 "a.mat: x is 5x5 sparse; needed is a matrix of numbers that is not "
                 "empty; full(...) makes one of it");
  free(file.data);
}

/* ---- Files ---- */

static void assert_file_refused(const void *bytes, size_t length, const char *part) {
  char path[] = "/tmp/siren_matlab_XXXXXX", list[TEXT_LIST];
  MatlabArray array;
  int fd = mkstemp(path);
  assert_int_equal(write(fd, bytes, length), length);
  close(fd);
  for (int i = 0; i < 2; i++) {
    Status status = i ? matlab_list(path, list) : matlab_read(path, "", &array);
    assert_int_equal(status, STATUS_FAILED);
    assert_int_equal(strncmp(status_message(), path, strlen(path)), 0);
    if (!strstr(status_message(), part)) fail_msg("%s: no word of %s", status_message(), part);
  }
  unlink(path);
}

static void files_of_other_kinds(void **state) {
  (void)state;
  char text[600];
  MatlabArray array;
  memset(text, 'x', sizeof text);
  assert_file_refused(text, sizeof text, "is no MAT-file of level 5");
  assert_file_refused("", 0, "is no MAT-file of level 5");
  assert_file_refused("MATLAB 5.0", 10, "save it with -v7");
  assert_file_refused("MATLAB 7.3 MAT-file", 19, "-v7");
  assert_file_refused("\x89HDF\r\n\x1a\n.....", 13, "convert the array into a plain HDF5 data set");
  Bytes file = sample_matlab_file(0);
  file.data[125] = 2; /* the version's upper byte */
  assert_file_refused(file.data, file.length, "is an HDF5 file");
  file.data[125] = 3;
  assert_file_refused(file.data, file.length, "is no MAT-file of level 5");
  free(file.data);
  assert_int_equal(matlab_read("/tmp", "", &array), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "/tmp: cannot read: "));
  assert_int_equal(matlab_read("/nowhere.mat", "", &array), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "/nowhere.mat: cannot open: "));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_numbers_all_ways),      cmocka_unit_test(last_part_without_padding),
      cmocka_unit_test(ends_of_the_ranges),        cmocka_unit_test(another_programs_file),
      cmocka_unit_test(choice_of_an_array),        cmocka_unit_test(many_arrays_are_listed_in_part),
      cmocka_unit_test(arrays_that_are_no_matrix), cmocka_unit_test(files_of_other_kinds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
