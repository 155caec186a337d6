/* Damaged shapes: whatever the bytes, a sound shape or one line that names the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "io/shape.h"
#include "tests/sample_shape.h"

enum { MUTATIONS = 3000 };

static uint32_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (uint32_t)(*state >> 33);
}

static void assert_line(const char *text) {
  assert_int_equal(strncmp(text, "fuzzed: ", 8), 0);
  assert_true(strlen(text) > 12);
  for (const char *c = text; *c; c++) {
    if (*c < ' ' || *c > '~') fail_msg("\"%s\" is not plain", text);
  }
}

static void assert_sound(const Shape *shape) {
  assert_true(shape->n_points > 0);
  for (int64_t i = 0; i < 3 * shape->n_points; i++) {
    assert_true(isfinite(shape->points[i / 3][i % 3]));
  }
  for (int64_t i = 0; shape->normals && i < shape->n_points; i++) {
    const float *n = shape->normals[i];
    double length = sqrt((double)(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]));
    if (!(fabs(length - 1) < 1e-5)) fail_msg("a normal of length %g", length);
  }
  for (int64_t i = 0; i < shape->n_triangles; i++) {
    const int32_t *c = shape->triangles[i];
    for (int k = 0; k < 3; k++) assert_in_range(c[k], 0, shape->n_points - 1);
    assert_true(c[0] != c[1] && c[1] != c[2] && c[2] != c[0]);
  }
}

/* Decodes an exactly fitting copy, so that a sanitizer sees every byte read too far. */
static Status try_bytes(const unsigned char *data, size_t length) {
  unsigned char *copy = malloc(length ? length : 1);
  memcpy(copy, data, length);
  Shape shape = {0};
  char warning[512] = "?";
  Status status = shape_decode("fuzzed", copy, length, &shape, warning);
  free(copy);
  if (status != STATUS_OK) {
    assert_int_equal(status, STATUS_FAILED);
    assert_line(status_message());
    assert_null(shape.points);
    return status;
  }
  if (*warning) assert_line(warning);
  assert_sound(&shape);
  shape_destroy(&shape);
  return status;
}

static void mutate(Bytes file, uint64_t *random) {
  static const char marks[] = "0123456789 -.\n/enf";
  int count = 1 + (int)(next_random(random) % 4);
  for (int i = 0; i < count; i++) {
    size_t at = next_random(random) % file.length;
    switch (next_random(random) % 4) {
      case 0:
        file.data[at] ^= (unsigned char)(1u << next_random(random) % 8);
        break;
      case 1:
        file.data[at] = (unsigned char)next_random(random);
        break;
      case 2: /* what keeps a text a text */
        file.data[at] = (unsigned char)marks[next_random(random) % (sizeof marks - 1)];
        break;
      default:
        memmove(file.data + at, file.data + at / 2, file.length - at);
    }
  }
}

static void fuzz(Bytes file, int counted, uint64_t seed) {
  assert_int_equal(try_bytes(file.data, file.length), STATUS_OK);
  for (size_t length = 0; length < file.length; length++) {
    Status status = try_bytes(file.data, length);
    if (counted) assert_int_equal(status, STATUS_FAILED); /* no part is the whole */
  }
  Bytes copy = {malloc(file.length), file.length};
  int refused = 0;
  for (int i = 0; i < MUTATIONS; i++) {
    memcpy(copy.data, file.data, file.length);
    mutate(copy, &seed);
    size_t length = i % 5 ? copy.length : next_random(&seed) % copy.length;
    refused += try_bytes(copy.data, length) != STATUS_OK;
  }
  assert_in_range(refused, MUTATIONS / 20, MUTATIONS);
  free(copy.data);
  free(file.data);
}

static void damaged_files(void **state) {
  (void)state;
  for (int i = 0; i < SAMPLE_SHAPES; i++) {
    fuzz(sample_shapes[i].make(), sample_shapes[i].counted, (uint64_t)i);
  }
}

static void noise_behind_a_beginning(void **state) {
  (void)state;
  static const char *const beginnings[] = {
      "ply\nformat ascii 1.0\nelement vertex 9\nproperty float x\n",
      "OFF 3 1 0\n",
      "solid \n",
      "v 1 2 3\nf ",
      "\x1f\x8b\x08",
      ""};
  uint64_t random = 5;
  int refused = 0;
  for (int i = 0; i < MUTATIONS; i++) {
    unsigned char data[300];
    const char *beginning = beginnings[i % 6];
    for (size_t j = 0; j < sizeof data; j++) data[j] = (unsigned char)next_random(&random);
    memcpy(data, beginning, strlen(beginning));
    refused += try_bytes(data, next_random(&random) % sizeof data) != STATUS_OK;
  }
  assert_in_range(refused, MUTATIONS * 9 / 10, MUTATIONS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(damaged_files),
      cmocka_unit_test(noise_behind_a_beginning),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
