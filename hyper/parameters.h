/* The tensors of a model that is made of several parts, one after the other in theta. */
#ifndef HYPER_PARAMETERS_H
#define HYPER_PARAMETERS_H

#include "core/network.h"

enum { PARAMETERS_MAX = 512 };

typedef struct {
  int n;
  size_t size; /* of theta so far */
  Tensor tensors[PARAMETERS_MAX];
} Parameters;

/* Local. Adds a tensor [rows][cols] with a name of at most 23 characters, printf's format, e.g.
 * "conv%d/weight"; returns its offset in theta. At most PARAMETERS_MAX. */
size_t parameters_add(Parameters *parameters, int rows, int cols, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Local. Draws count numbers from `values` on, a pure function of (seed, offset): normal with this
 * standard deviation, or uniform in +-bound. `offset` is the tensor's in theta. */
void parameters_normal(uint64_t seed, size_t offset, size_t count, double deviation, real *values);
void parameters_uniform(uint64_t seed, size_t offset, size_t count, double bound, real *values);

#endif
