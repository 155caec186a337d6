/* Damaged images: whatever the bytes, an image in range or one line that names the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/image.h"
#include "tests/sample_image.h"

enum { MUTATIONS = 3000 };

static uint32_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (uint32_t)(*state >> 33);
}

/* Decodes an exactly fitting copy, so that a sanitizer sees every byte read too far. */
static Status try_bytes(const unsigned char *data, size_t length) {
  unsigned char *copy = malloc(length ? length : 1);
  memcpy(copy, data, length);
  Image image = {0};
  Status status = image_decode("fuzzed", copy, length, &image);
  free(copy);
  if (status != STATUS_OK) {
    assert_int_equal(status, STATUS_FAILED);
    assert_int_equal(strncmp(status_message(), "fuzzed: ", 8), 0);
    assert_true(strlen(status_message()) > 12);
    assert_null(strchr(status_message(), '\n'));
    assert_null(image.pixels);
    return status;
  }
  assert_true(image.height > 0 && image.width > 0);
  for (long i = 0; i < (long)image.height * image.width * image.channels; i++) {
    if (!(image.pixels[i] >= 0 && image.pixels[i] <= 1)) fail_msg("%g", (double)image.pixels[i]);
  }
  image_destroy(&image);
  return status;
}

static void mutate(Bytes file, uint64_t *random) {
  int count = 1 + (int)(next_random(random) % 4);
  for (int i = 0; i < count; i++) {
    size_t at = next_random(random) % file.length;
    switch (next_random(random) % 3) {
      case 0:
        file.data[at] ^= (unsigned char)(1u << next_random(random) % 8);
        break;
      case 1:
        file.data[at] = (unsigned char)next_random(random);
        break;
      default:
        memmove(file.data + at, file.data + at / 2, file.length - at);
    }
  }
}

/* PNG guards its chunks by checksums, which would stop nearly every mutation at the door. */
static void repair_checksums(Bytes file) {
  for (size_t at = 8; at + 12 <= file.length;) {
    size_t size = png_get_uint_32(file.data + at);
    if (size > file.length - at - 12) return;
    png_save_uint_32(file.data + at + 8 + size, sample_crc(file.data + at + 4, size + 4));
    at += size + 12;
  }
}

static void fuzz(Bytes file, int is_png, uint64_t seed) {
  assert_int_equal(try_bytes(file.data, file.length), STATUS_OK);
  for (size_t length = 0; length < file.length; length++) {
    assert_int_equal(try_bytes(file.data, length), STATUS_FAILED); /* no part is the whole */
  }
  Bytes copy = {malloc(file.length), file.length};
  int refused = 0;
  for (int i = 0; i < MUTATIONS; i++) {
    memcpy(copy.data, file.data, file.length);
    mutate(copy, &seed);
    if (is_png && i % 2) repair_checksums(copy);
    size_t length = i % 5 ? copy.length : next_random(&seed) % copy.length;
    refused += try_bytes(copy.data, length) != STATUS_OK;
  }
  assert_in_range(refused, MUTATIONS / 20, MUTATIONS);
  free(copy.data);
  free(file.data);
}

static void damaged_png(void **state) {
  (void)state;
  static const PngKind kinds[] = {{PNG_COLOR_TYPE_GRAY, 8, 0, 0},
                                  {PNG_COLOR_TYPE_RGB_ALPHA, 16, 1, 0},
                                  {PNG_COLOR_TYPE_PALETTE, 4, 1, 1},
                                  {PNG_COLOR_TYPE_GRAY, 1, 0, 1}};
  for (int i = 0; i < 4; i++) fuzz(sample_png(kinds[i], 9, 7), 1, (uint64_t)i);
}

static void damaged_jpeg(void **state) {
  (void)state;
  fuzz(sample_jpeg(TJPF_GRAY, 0, 12, 20), 0, 11);
  fuzz(sample_jpeg(TJPF_RGB, 0, 12, 20), 0, 12);
  fuzz(sample_jpeg(TJPF_RGB, TJFLAG_PROGRESSIVE, 12, 20), 0, 13);
}

static void noise_behind_a_magic(void **state) {
  (void)state;
  static const char *const magics[] = {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "\xff\xd8\xff", ""};
  static const size_t lengths[] = {16, 3, 0};
  uint64_t random = 5;
  for (int i = 0; i < MUTATIONS; i++) {
    unsigned char data[300];
    for (size_t j = 0; j < sizeof data; j++) data[j] = (unsigned char)next_random(&random);
    memcpy(data, magics[i % 3], lengths[i % 3]);
    assert_int_equal(try_bytes(data, next_random(&random) % sizeof data), STATUS_FAILED);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(damaged_png),
      cmocka_unit_test(damaged_jpeg),
      cmocka_unit_test(noise_behind_a_magic),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
