#include "hyper/parameters.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/random.h"

size_t parameters_add(Parameters *parameters, int rows, int cols, const char *format, ...) {
  assert(parameters->n < PARAMETERS_MAX && rows > 0 && cols > 0);
  Tensor *tensor = &parameters->tensors[parameters->n++];
  *tensor = (Tensor){.offset = parameters->size, .rows = rows, .cols = cols};
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(tensor->name, sizeof tensor->name, format, arguments);
  va_end(arguments);
  assert(length > 0 && length < (int)sizeof tensor->name);
  (void)length;
  parameters->size += (size_t)rows * (size_t)cols;
  return tensor->offset;
}

void parameters_normal(uint64_t seed, size_t offset, size_t count, double deviation, real *values) {
  RandomStream stream = {seed, RANDOM_WEIGHT, offset};
#pragma omp parallel for schedule(static) if (count > 1 << 14)
  for (size_t i = 0; i < count; i++) values[i] = (real)(deviation * random_normal(stream, i, 0));
}

void parameters_uniform(uint64_t seed, size_t offset, size_t count, double bound, real *values) {
  RandomStream stream = {seed, RANDOM_BIAS, offset};
#pragma omp parallel for schedule(static) if (count > 1 << 14)
  for (size_t i = 0; i < count; i++) {
    values[i] = (real)(bound * (2 * random_uniform(stream, i, 0) - 1));
  }
}
