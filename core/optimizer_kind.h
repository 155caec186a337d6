/* What a row of the optimiser table is made of; internal to optimizer.c and the optimisers. */
#ifndef CORE_OPTIMIZER_KIND_H
#define CORE_OPTIMIZER_KIND_H

#include "core/optimizer.h"

typedef struct {
  const char *description;
  /* Stores an instance in *self, also on failure where destroy then cleans up. */
  Status (*create)(const OptimizerSettings *settings, size_t n, void **self);
  void (*destroy)(void *self);
  Status (*step)(void *self, double lr, real *theta, OptimizerEvaluate evaluate, void *context,
                 double *loss);
  int (*state)(void *self, StateArray *arrays);
  size_t (*bytes)(const void *self);
  void (*shard)(void *self, const VectorRange *ranges, int n); /* NULL: needs all of the gradient */
  void (*rest)(void *self, OptimizerRest rest, void *context); /* NULL: wants all of it stored */
  bool (*converged)(const void *self);                         /* NULL: never */
  bool directions;                                             /* asks for OptimizerDirection */
} OptimizerKind;

extern const OptimizerKind adam_kind, lbfgs_kind, gauss_newton_kind;

#endif
