#include "io/split.h"

#include <xxhash.h>

uint64_t split_hash(const uint8_t *pixels, size_t bytes) {
  return XXH3_64bits(pixels, bytes);
}

Split split_of(uint64_t hash) {
  uint64_t tenth = ((hash >> 32) * 10) >> 32;
  return tenth < 8 ? SPLIT_TRAIN : tenth < 9 ? SPLIT_VALIDATION : SPLIT_TEST;
}

const char *split_name(Split split) {
  static const char *const names[SPLITS] = {"train", "validation", "test"};
  return names[split];
}
