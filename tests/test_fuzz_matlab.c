/* Damaged MAT-files: whatever the bytes, a matrix of as many numbers as the file can hold, or one
 * line that names the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "io/matlab.h"
#include "tests/sample_matlab.h"

enum { MUTATIONS = 3000, DEFLATE_MOST = 1032 /* bytes of each byte of its data */ };

static uint32_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (uint32_t)(*state >> 33);
}

/* Decodes an exactly fitting copy, so that a sanitizer sees every byte read too far. Nothing here
 * is a reason to run out of memory. */
static Status try_bytes(const unsigned char *data, size_t length, const char *name) {
  unsigned char *copy = malloc(length ? length : 1);
  memcpy(copy, data, length);
  MatlabArray array = {0};
  Status status = matlab_decode("fuzzed", copy, length, name, &array);
  free(copy);
  if (status != STATUS_OK) {
    assert_int_equal(status, STATUS_FAILED);
    assert_int_equal(strncmp(status_message(), "fuzzed: ", 8), 0);
    assert_true(strlen(status_message()) > 12);
    assert_null(strchr(status_message(), '\n'));
    assert_null(strstr(status_message(), "memory"));
    assert_null(array.real);
    return status;
  }
  assert_true(array.rows > 0 && array.columns > 0);
  size_t numbers = (size_t)(array.rows * array.columns);
  assert_in_range(numbers, 1, length * DEFLATE_MOST);
  size_t finite = 0; /* every number is looked at */
  for (size_t i = 0; i < numbers; i++) {
    finite += isfinite(array.real[i]) && (!array.imaginary || isfinite(array.imaginary[i]));
  }
  assert_in_range(finite, 0, numbers);
  matlab_destroy(&array);
  return status;
}

/* ---- Made damage ---- */

static void assert_damaged(Bytes file, const char *what) {
  assert_int_equal(try_bytes(file.data, file.length, "x"), STATUS_FAILED);
  if (!strstr(status_message(), what)) fail_msg("%s: no word of %s", status_message(), what);
  if (!strstr(status_message(), "copy the file again")) fail_msg("%s", status_message());
  free(file.data);
}

static const SampleArray small = {"x", MX_DOUBLE, MX_COMPLEX, MI_DOUBLE, 3, 2};

/* A file with array x, of whose bytes (behind its tag) a word is another one. */
static Bytes with_word(size_t at, uint32_t word, MatlabWay way) {
  Bytes file = sample_matlab_file(way.big), body = sample_matlab_body(small, way.big);
  for (int i = 0; i < 4; i++) {
    body.data[at + (size_t)i] = (unsigned char)(word >> 8 * (way.big ? 3 - i : i));
  }
  put_matlab_element(&file, body, way);
  return file;
}

/* The body: flags at 0, sizes at 16, name at 32, numbers at 40. */
static void wrong_words(void **state) {
  (void)state;
  for (int i = 0; i < 4; i++) {
    MatlabWay way = {i & 1, i >> 1};
    assert_damaged(with_word(0, MI_INT32, way), "has no flags");
    assert_damaged(with_word(4, 16, way), "has no flags");
    assert_damaged(with_word(4, 0xfffffff8, way), "has a part that is too long");
    assert_damaged(with_word(16, MI_DOUBLE, way), "has no shape");
    assert_damaged(with_word(20, 4, way), "has no shape");
    assert_damaged(with_word(24, 0xffffffff, way), "has an axis of negative size");
    assert_damaged(with_word(24, 0x7fffffff, way), "has not as many numbers as its shape says");
    assert_damaged(with_word(32, 1 << 16 | MI_DOUBLE, way), "has no name of an array");
    assert_damaged(with_word(32, 9 << 16 | MI_INT8, way), "has a part of an unknown type");
    assert_damaged(with_word(40, MI_MATRIX, way), "holds no numbers where they must be");
    assert_damaged(with_word(40, 8, way), "holds no numbers where they must be");
    assert_damaged(with_word(44, 40, way), "has not as many numbers as its shape says");
    assert_damaged(with_word(44, 0xfffffff8, way), "has a part that is too long");
  }
}

static void wrong_elements(void **state) {
  (void)state;
  for (int big = 0; big < 2; big++) {
    for (int compressed = 0; compressed < 2; compressed++) {
      MatlabWay way = {big, compressed};
      Bytes file = with_word(0, MI_UINT32, way);
      put_bits(&file, MI_DOUBLE, 4, big);
      put_bits(&file, 0, 4, big);
      assert_damaged(file, "is of a type that cannot stand there");
      file = with_word(0, MI_UINT32, way);
      put_bits(&file, (unsigned)(compressed ? MI_COMPRESSED : MI_MATRIX), 4, big);
      put_bits(&file, 0xffffffff, 4, big);
      assert_damaged(file, "goes beyond the end of the file");
      file = with_word(0, MI_UINT32, way);
      put(&file, "rest");
      assert_damaged(file, "ends within its first bytes");
    }
  }
}

/* A file with a compressed array that says it has `more` bytes more than there are; of its
 * compressed data, `cut` bytes less or `-cut` more are there, and the last but `flip` is flipped.
 */
static Bytes badly_packed(int more, int cut, size_t flip) {
  Bytes file = sample_matlab_file(0), body = sample_matlab_body(small, 0), element = {0};
  uLongf length = 4096;
  unsigned char packed[4096 + 8] = {0};
  put_bits(&element, MI_MATRIX, 4, 0);
  put_bits(&element, (unsigned)((int)body.length + more), 4, 0);
  put_bytes(&element, body.data, body.length);
  compress(packed, &length, element.data, element.length);
  if (flip) packed[length - flip] ^= 0x55;
  length -= (uLongf)cut;
  put_bits(&file, MI_COMPRESSED, 4, 0);
  put_bits(&file, length, 4, 0);
  put_bytes(&file, packed, length);
  free(body.data);
  free(element.data);
  return file;
}

static void wrong_packing(void **state) {
  (void)state;
  Bytes sound = badly_packed(0, 0, 0);
  assert_int_equal(try_bytes(sound.data, sound.length, "x"), STATUS_OK);
  free(sound.data);
  assert_damaged(badly_packed(1, 0, 0), "unpacks to less than it says");
  assert_damaged(badly_packed(0x7fffff00, 0, 0), "unpacks to less than it says");
  assert_damaged(badly_packed(-8, 0, 0), "unpacks to more than it says");
  assert_damaged(badly_packed(0, 1, 0), "has no end of its compressed data");
  assert_damaged(badly_packed(0, -3, 0), "has bytes behind its compressed data");
  assert_damaged(badly_packed(0, 0, 2), "does not unpack"); /* the checksum */
}

/* A kilobyte that unpacks to a megabyte, which is no reason to believe in more. */
static void packed_tightly(void **state) {
  (void)state;
  Bytes file = sample_matlab_file(0), body = {0}, zeros = {calloc(1 << 20, 1), 1 << 20};
  int size[2] = {1 << 10, 1 << 10};
  put_matlab_beginning(&body, (SampleArray){.name = "x", .class = MX_UINT8}, 2, size, 0);
  put_matlab_part(&body, MI_UINT8, zeros, 0);
  put_matlab_element(&file, body, (MatlabWay){0, 1});
  assert_in_range(file.length, 1000, 2000);
  assert_int_equal(try_bytes(file.data, file.length, ""), STATUS_OK);
  free(file.data);
}

/* ---- Any damage ---- */

static void mutate(Bytes bytes, size_t first, uint64_t *random) {
  int count = 1 + (int)(next_random(random) % 4);
  for (int i = 0; i < count; i++) {
    size_t at = first + next_random(random) % (bytes.length - first);
    switch (next_random(random) % 4) {
      case 0:
        bytes.data[at] ^= (unsigned char)(1u << next_random(random) % 8);
        break;
      case 1:
        bytes.data[at] = (unsigned char)next_random(random);
        break;
      case 2: /* types and lengths are small */
        bytes.data[at] = (unsigned char)(next_random(random) % 20);
        break;
      default:
        memmove(bytes.data + at, bytes.data + at / 2, bytes.length - at);
    }
  }
}

/* No part of a file whose only array is its last one is the whole. */
static void fuzz_file(SampleArray array, MatlabWay way, uint64_t seed) {
  Bytes file = sample_matlab_file(way.big);
  put_matlab_array(&file, (SampleArray){"note", MX_CHAR, 0, MI_UINT16, 1, 5}, way);
  put_matlab_array(&file, array, way);
  assert_int_equal(try_bytes(file.data, file.length, array.name), STATUS_OK);
  for (size_t length = 0; length < file.length; length++) {
    assert_int_equal(try_bytes(file.data, length, array.name), STATUS_FAILED);
  }
  Bytes copy = {malloc(file.length), file.length};
  int refused = 0;
  for (int i = 0; i < MUTATIONS; i++) {
    memcpy(copy.data, file.data, file.length);
    mutate(copy, i % 10 ? MATLAB_HEADER : 0, &seed);
    size_t length = i % 5 ? copy.length : next_random(&seed) % copy.length;
    refused += try_bytes(copy.data, length, i % 2 ? array.name : "") != STATUS_OK;
  }
  assert_in_range(refused, MUTATIONS / 20, MUTATIONS - 1);
  free(copy.data);
  free(file.data);
}

/* Checksums stop nearly every mutation of compressed data: here the damage was there before. */
static void fuzz_packed(SampleArray array, int big, uint64_t seed) {
  int refused = 0;
  for (int i = 0; i < MUTATIONS; i++) {
    Bytes file = sample_matlab_file(big), body = sample_matlab_body(array, big);
    mutate(body, 0, &seed);
    put_matlab_element(&file, body, (MatlabWay){big, 1});
    refused += try_bytes(file.data, file.length, i % 2 ? array.name : "") != STATUS_OK;
    free(file.data);
  }
  assert_in_range(refused, MUTATIONS / 20, MUTATIONS - 1);
}

static void damaged_files(void **state) {
  (void)state;
  static const SampleArray arrays[] = {{"x", MX_DOUBLE, 0, MI_DOUBLE, 4, 3},
                                       {"velocity", MX_DOUBLE, MX_COMPLEX, MI_INT16, 5, 2},
                                       {"map", MX_UINT8, 0, MI_UINT8, 2, 2}};
  for (int i = 0; i < 12; i++) {
    fuzz_file(arrays[i % 3], (MatlabWay){i / 3 & 1, i / 6}, (uint64_t)i);
  }
  for (int i = 0; i < 6; i++) fuzz_packed(arrays[i % 3], i / 3, (uint64_t)i);
}

static void noise_behind_a_header(void **state) {
  (void)state;
  uint64_t random = 5;
  for (int i = 0; i < MUTATIONS; i++) {
    Bytes file = sample_matlab_file(i & 1);
    put_bits(&file, (unsigned)(i & 2 ? MI_MATRIX : MI_COMPRESSED), 4, i & 1);
    put_bits(&file, 200, 4, i & 1);
    if (!(i & 2)) put(&file, "\x78\x9c");
    while (file.length < MATLAB_HEADER + 208) put_bits(&file, next_random(&random), 1, 0);
    assert_int_equal(try_bytes(file.data, file.length, ""), STATUS_FAILED);
    free(file.data);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_words),   cmocka_unit_test(wrong_elements),
      cmocka_unit_test(wrong_packing), cmocka_unit_test(packed_tightly),
      cmocka_unit_test(damaged_files), cmocka_unit_test(noise_behind_a_header),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
