#include "io/seal.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <xxhash.h>

static const char MAGIC[SEAL_MAGIC_BYTES + 1] = "SIRENCK1";
enum { LENGTH_AT = SEAL_MAGIC_BYTES, HASH_AT = LENGTH_AT + 8 };

bool seal_present(const unsigned char *data, size_t length) {
  return length >= SEAL_MAGIC_BYTES && memcmp(data, MAGIC, SEAL_MAGIC_BYTES) == 0;
}

static XXH128_canonical_t hash(const unsigned char *data, size_t length) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits(data + SEAL_BYTES, length - SEAL_BYTES));
  return bytes;
}

void seal_write(unsigned char *data, size_t length) {
  assert(length >= SEAL_BYTES);
  memset(data, 0, SEAL_BYTES);
  memcpy(data, MAGIC, SEAL_MAGIC_BYTES);
  for (int i = 0; i < 8; i++) data[LENGTH_AT + i] = (unsigned char)((uint64_t)length >> 8 * i);
  XXH128_canonical_t bytes = hash(data, length);
  memcpy(data + HASH_AT, &bytes, sizeof bytes);
}

Status seal_check(const char *path, const unsigned char *data, size_t length) {
  if (length == 0) return status_fail(STATUS_FAILED, "%s: is empty", path);
  if (!seal_present(data, length)) {
    return status_fail(STATUS_FAILED, "%s: is not a checkpoint of this program", path);
  }
  uint64_t expected = 0;
  for (int i = 0; length >= SEAL_BYTES && i < 8; i++) {
    expected |= (uint64_t)data[LENGTH_AT + i] << 8 * i;
  }
  if (length < SEAL_BYTES || length != expected) {
    return status_fail(STATUS_FAILED, "%s: has %zu bytes where %llu were written", path, length,
                       (unsigned long long)expected);
  }
  XXH128_canonical_t bytes = hash(data, length);
  if (memcmp(data + HASH_AT, &bytes, sizeof bytes) != 0) {
    return status_fail(STATUS_FAILED, "%s: is damaged: its checksum does not match", path);
  }
  return STATUS_OK;
}
