/* The narrow waist between an experiment and everything that trains it: so many parameters, so many
 * tiles of work in a step, and a function that computes one tile's share of the loss and of its
 * gradient. Optimisers, the exact sum over ranks and threads, checkpoints, logs and most tests know
 * only this. */
#ifndef CORE_OBJECTIVE_H
#define CORE_OBJECTIVE_H

#include <stdint.h>

#include "core/network.h"
#include "core/outer.h"
#include "core/real.h"
#include "core/status.h"

enum { OBJECTIVE_MAX_TERMS = 16 };

typedef struct {
  const char *name; /* [a-z0-9_]+; borrowed */
  double weight; /* total = sum of weight * term; 0: a monitor that is logged and not trained on */
} ObjectiveTerm;

typedef struct Objective Objective;
struct Objective {
  size_t n_parameters;
  int n_tensors;         /* in the order of theta; the exact sum keeps one scale for each */
  const Tensor *tensors; /* which cover theta, but for outer's; borrowed */
  Outer outer;           /* tensors at the end of theta whose gradient is a sum of outer products */
  int n_terms;
  ObjectiveTerm terms[OBJECTIVE_MAX_TERMS];
  const void *context; /* of the functions below; borrowed */

  /* Local. Number of tiles of a step, >= 1, the same on every rank. */
  int64_t (*tiles)(const Objective *self, uint64_t step);

  /* Local, by one thread, before this rank's tiles first ... end - 1 of a step are computed: reads
   * what they need from files. May be called again for the same step. NULL: nothing to do. */
  Status (*prepare)(const Objective *self, uint64_t step, int64_t first, int64_t end);

  /* Local. Per-thread scratch memory, released with workspace_destroy. */
  Status (*workspace_create)(const Objective *self, void **workspace);
  void (*workspace_destroy)(void *workspace);

  /* Local. Bytes of memory that it occupies; NULL: unknown. */
  size_t (*workspace_bytes)(const Objective *self);

  /* Local, thread-safe with one workspace per thread. Stores in terms [n_terms] the tile's share of
   * every term, not weighted, and in gradient [objective_dense] its share of d(total)/d(theta),
   * weights included; gradient NULL: terms only. Where the objective has outer tensors, it also
   * stores the factors of the tile's items in outer, which is every tile's. A pure function of
   * (theta, step, tile): never of rank, thread or time. */
  void (*tile)(const Objective *self, uint64_t step, int64_t tile, const real *theta,
               real *gradient, double *terms, const OuterFactors *outer, void *workspace);
};

/* Local. Parameters before the outer tensors: those whose gradient is summed number by number. */
size_t objective_dense(const Objective *objective);

/* Local. sum of weight * term; monitors (weight 0) are left out, whatever they hold. */
double objective_total(const Objective *objective, const double *terms);

#endif
