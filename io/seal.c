#include "io/seal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/memory.h"

static const char MAGIC[SEAL_MAGIC_BYTES + 1] = "SIRENCK1";
enum { LENGTH_AT = SEAL_MAGIC_BYTES, HASH_AT = LENGTH_AT + 8 };

enum { BUFFER = 256 << 10 };

bool seal_present(const unsigned char *data, size_t length) {
  return length >= SEAL_MAGIC_BYTES && memcmp(data, MAGIC, SEAL_MAGIC_BYTES) == 0;
}

static Status start_hash(XXH3_state_t **state) {
  *state = XXH3_createState();
  if (!*state) return status_fail(STATUS_FAILED, "out of memory for a checksum");
  XXH3_128bits_reset(*state);
  return STATUS_OK;
}

static XXH128_canonical_t end_hash(XXH3_state_t *state) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(state));
  XXH3_freeState(state);
  return bytes;
}

Status seal_make(unsigned char seal[SEAL_BYTES], int n, const FilePiece *pieces) {
  XXH3_state_t *state;
  uint64_t length = SEAL_BYTES;
  TRY(start_hash(&state));
  for (int i = 0; i < n; i++) {
    XXH3_128bits_update(state, pieces[i].data, pieces[i].length);
    length += pieces[i].length;
  }
  XXH128_canonical_t bytes = end_hash(state);
  memset(seal, 0, SEAL_BYTES);
  memcpy(seal, MAGIC, SEAL_MAGIC_BYTES);
  for (int i = 0; i < 8; i++) seal[LENGTH_AT + i] = (unsigned char)(length >> 8 * i);
  memcpy(seal + HASH_AT, &bytes, sizeof bytes);
  return STATUS_OK;
}

/* Of the next `length` bytes. */
static Status hash_rest(int fd, const char *path, int64_t length, XXH3_state_t *state) {
  unsigned char *buffer;
  TRY(memory_allocate(&buffer, BUFFER, 1, "a checksum"));
  Status status = STATUS_OK;
  while (status == STATUS_OK && length > 0) {
    size_t part = length < BUFFER ? (size_t)length : BUFFER;
    status = file_read_next(fd, path, buffer, part);
    if (status == STATUS_OK) XXH3_128bits_update(state, buffer, part);
    length -= (int64_t)part;
  }
  free(buffer);
  return status;
}

static Status check_hash(int fd, const char *path, int64_t length, const unsigned char *expected) {
  XXH3_state_t *state;
  TRY(start_hash(&state));
  Status status = hash_rest(fd, path, length, state);
  XXH128_canonical_t bytes = end_hash(state);
  TRY(status);
  if (memcmp(expected, &bytes, sizeof bytes) == 0) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: is damaged: its checksum does not match", path);
}

static Status check(int fd, const char *path, int64_t length) {
  unsigned char seal[SEAL_BYTES] = {0};
  size_t head = length < SEAL_BYTES ? (size_t)length : SEAL_BYTES;
  TRY(file_read_next(fd, path, seal, head));
  if (!seal_present(seal, head)) {
    return status_fail(STATUS_FAILED, "%s: is not a checkpoint of this program", path);
  }
  uint64_t expected = 0;
  for (int i = 0; i < 8; i++) expected |= (uint64_t)seal[LENGTH_AT + i] << 8 * i;
  if (length < SEAL_BYTES || (uint64_t)length != expected) {
    return status_fail(STATUS_FAILED, "%s: has %lld bytes where %llu were written", path,
                       (long long)length, (unsigned long long)expected);
  }
  return check_hash(fd, path, length - SEAL_BYTES, seal + HASH_AT);
}

Status seal_check(const char *path) {
  int fd;
  int64_t length;
  TRY(file_open(path, &fd, &length));
  Status status = check(fd, path, length);
  close(fd);
  return status;
}
