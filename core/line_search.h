/* A step length that satisfies the strong Wolfe conditions along a descent direction. */
#ifndef CORE_LINE_SEARCH_H
#define CORE_LINE_SEARCH_H

#include "core/status.h"

/* phi(step) and phi'(step) of phi(step) = L(theta + step d). */
typedef struct {
  double step, loss, slope;
} LinePoint;

typedef struct {
  /* Fills loss and slope at point->step; a loss that is not finite counts as infinite. */
  Status (*probe)(void *context, LinePoint *point);
  /* The point of the last probe is the lowest so far. */
  void (*keep)(void *context);
  void *context;
  int max_evaluations; /* probes */
  double tolerance;    /* a bracket not longer than this is given up */
} LineSearch;

/* Collective as `probe` is. From `start` (step 0, finite loss, slope < 0) with `first` > 0 as the
 * first trial: stores in *best a point that satisfies the strong Wolfe conditions with c1 = 1e-4
 * and c2 = 0.9 or, where evaluations or bracket ran out, the lowest point found that satisfies the
 * first; `start` if there is none. Nocedal & Wright 2006, algorithms 3.5 and 3.6, with cubic
 * interpolation. */
Status line_search(const LineSearch *search, LinePoint start, double first, LinePoint *best);

#endif
