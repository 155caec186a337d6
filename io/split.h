/* Which images of a data set are for training, which for validation, which for the test: a pure
 * function of an image's pixels. So it is the same whatever the order of the files, and a duplicate
 * is never on both sides. */
#ifndef IO_SPLIT_H
#define IO_SPLIT_H

#include <stddef.h>
#include <stdint.h>

typedef enum { SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST, SPLITS } Split;

/* Local, pure. XXH3-64 of an image's bytes [rows][columns][channels]. */
uint64_t split_hash(const uint8_t *pixels, size_t bytes);

/* Local, pure. Train where the hash lies in the lowest 8/10 of the numbers below 2^64, validation
 * in the next 1/10, test in the last. */
Split split_of(uint64_t hash);

/* Local. "train", "validation", "test". */
const char *split_name(Split split);

#endif
