/* Optimisers over one parameter vector, by name from a table, with a state that a checkpoint can
 * hold. */
#ifndef CORE_OPTIMIZER_H
#define CORE_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

#include "core/real.h"
#include "core/state.h"
#include "core/status.h"

/* Loss and gradient at theta. Collective where the caller's evaluation is; gives the same bits on
 * every rank. */
typedef Status (*OptimizerEvaluate)(void *context, const real *theta, double *loss, real *gradient);

typedef struct {
  double beta1, beta2, eps; /* Adam */
  int history;              /* L-BFGS: pairs kept */
  int max_evaluations;      /* L-BFGS: line search evaluations of one step */
} OptimizerSettings;

typedef struct Optimizer Optimizer;

/* Local. Names of the table, NULL-terminated, with a one-line description each. */
const char *const *optimizer_names(void);
const char *optimizer_description(const char *name);

/* Local. An optimiser for n parameters; owned by the caller. Fails (STATUS_USAGE) on an unknown
 * name. */
Status optimizer_create(const char *name, const OptimizerSettings *settings, size_t n,
                        Optimizer **optimizer);
void optimizer_destroy(Optimizer *optimizer);

/* Collective as `evaluate` is. One step: evaluates loss and gradient at theta (at least once; *loss
 * gets the value at the theta that came in), then changes theta [n]. Deterministic: the same bits
 * for the same inputs and state, whatever the number of threads. On failure theta and state are as
 * before the step. Adam works in place with `lr`; L-BFGS uses it as the first trial step of the
 * line search. Adam: Kingma & Ba 2015, as PyTorch's defaults. */
Status optimizer_step(Optimizer *optimizer, double lr, real *theta, OptimizerEvaluate evaluate,
                      void *context, double *loss);

/* Local. Fills arrays [STATE_MAX_ARRAYS] with the whole state; returns how many. */
int optimizer_state(Optimizer *optimizer, StateArray *arrays);

/* Local. Learning rate of a step: constant; cosine (to 0 at the last step); warmup (linear over
 * `warmup` steps, then constant); warmup_cosine. Names NULL-terminated. step counts from 0. */
extern const char *const schedule_names[];
double schedule_rate(const char *schedule, double lr, int64_t step, int64_t steps, int64_t warmup);

/* Local. Scales gradient [n] so that its L2 norm (in double, fixed order) is at most `bound` (> 0;
 * 0: no clipping). Returns the norm before. */
double gradient_clip(real *gradient, size_t n, double bound);

#endif
