/* Samples as files and memory hold them: what a data set's numbers take and mean. */
#ifndef IO_SAMPLE_H
#define IO_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

/* Unsigned integers are shares of their largest value: 0 to 255 and 0 to 65535 stand for [0, 1]. */
typedef enum { SAMPLE_U8, SAMPLE_U16, SAMPLE_F32, SAMPLE_TYPES } SampleType;

static inline size_t sample_bytes(SampleType type) {
  static const size_t bytes[SAMPLE_TYPES] = {1, 2, 4};
  return bytes[type];
}

/* The value of sample i as it is stored: an integer's own, not yet a share. */
static inline float sample_get(SampleType type, const void *samples, int64_t i) {
  return type == SAMPLE_U8    ? (float)((const uint8_t *)samples)[i]
         : type == SAMPLE_U16 ? (float)((const uint16_t *)samples)[i]
                              : ((const float *)samples)[i];
}

/* The stored value that stands for 1. */
static inline double sample_one(SampleType type) {
  return type == SAMPLE_U8 ? 255 : type == SAMPLE_U16 ? 65535 : 1;
}

#endif
