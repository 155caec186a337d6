/* Optimisers over one parameter vector, by name from a table, with a state that a checkpoint can
 * hold. A new optimiser is one file and one row of the table in optimizer.c. */
#ifndef CORE_OPTIMIZER_H
#define CORE_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/real.h"
#include "core/state.h"
#include "core/status.h"
#include "core/vector.h"

/* Loss and gradient [n, or settings.stored] (NULL: the loss alone) at theta, of one and the same
 * function in all calls of one optimizer_step. Collective where the caller's evaluation is; gives
 * the same bits on every rank. */
typedef Status (*OptimizerEvaluate)(void *context, const real *theta, double *loss, real *gradient);

/* The step of Gauss and Newton, damped as Levenberg and Marquardt do it: direction [n] = before +
 * J^T (J J^T + damping D)^-1 (r - J before) for the residuals r, whose squares are the loss, J =
 * dr/dtheta, D the mean of J J^T's diagonal; before [n] is NULL for 0. Collective as the above; in
 * the same step, for the same function. */
typedef Status (*OptimizerDirection)(void *context, const real *theta, double damping,
                                     const real *before, real *direction);

/* Elements first ... first + count - 1, at most OPTIMIZER_CHUNK, of the gradient that the last
 * evaluation did not store. Local, thread-safe. */
enum { OPTIMIZER_CHUNK = 1 << 14 };
typedef void (*OptimizerRest)(void *context, size_t first, size_t count, real *gradient);

#define OPTIMIZER_STORES_NONE SIZE_MAX

typedef struct {
  double beta1, beta2, eps; /* Adam: [0, 1), [0, 1), > 0 */
  int history;              /* L-BFGS: pairs kept, >= 1 */
  int max_evaluations;      /* L-BFGS, Gauss-Newton: evaluations of one line search, >= 1 */
  /* L-BFGS: every step has the same objective (no random samples), so that the accepted trial of
   * one step is the start of the next and is not evaluated twice. */
  bool fixed_objective;
  double damping, least_damping; /* Gauss-Newton: > 0 */
  double momentum;               /* Gauss-Newton: [0, 1) */
  OptimizerDirection direction;  /* Gauss-Newton; else not looked at */
  /* Adam: so much of the gradient is stored (0: all; OPTIMIZER_STORES_NONE), and optimizer_rest
   * tells the rest. */
  size_t stored;
} OptimizerSettings;

/* Adam as the paper's code has it, L-BFGS as PyTorch's default history and line search. */
#define OPTIMIZER_DEFAULTS                    \
  ((OptimizerSettings){.beta1 = 0.9,          \
                       .beta2 = 0.999,        \
                       .eps = 1e-8,           \
                       .history = 100,        \
                       .max_evaluations = 25, \
                       .damping = 1e-3,       \
                       .least_damping = 1e-3})

typedef struct Optimizer Optimizer;

/* Local. Names of the table, NULL-terminated, with a one-line description each (NULL: unknown). */
const char *const *optimizer_names(void);
const char *optimizer_description(const char *name);

/* Local. An optimiser for n >= 1 parameters; owned by the caller. Fails (STATUS_USAGE) on an
 * unknown name or a setting out of range. */
Status optimizer_create(const char *name, const OptimizerSettings *settings, size_t n,
                        Optimizer **optimizer);
void optimizer_destroy(Optimizer *optimizer);

/* Collective as `evaluate` is. One step: evaluates loss and gradient (*loss gets the value at the
 * theta that came in), then changes theta [n]. Deterministic: the same bits for the same inputs and
 * state, whatever the number of threads. On failure theta and state are as before the step.
 *
 * Adam (Kingma & Ba 2015, as PyTorch): one evaluation, at theta; rate `lr`.
 *
 * L-BFGS (Nocedal & Wright, algorithms 7.4, 3.5 and 3.6; constants as PyTorch's strong_wolfe): one
 * accepted iteration. `lr` is the first trial step of the line search, times min(1, 1/|g|_1) as
 * long as there is no curvature pair. Trials are evaluated at other vectors than theta; a trial
 * with a loss that is not finite counts as too long a step. When no step lowers the loss, the
 * history is dropped and steepest descent tried once; when that finds nothing either, theta stays
 * and optimizer_converged says so: with a fixed objective further steps change nothing and evaluate
 * nothing. With fixed_objective, theta must be what the last step left.
 *
 * Gauss-Newton in the space of the residuals (methods section 4: ENGD-W, Jnini et al. 2024): theta
 * -= t direction, t the first of lr, lr/2, lr/4, ... that lowers the loss, on the step's own
 * samples; when none of max_evaluations does, theta stays. The damping begins with `damping`; it is
 * halved, down to least_damping, after a step of lr, and doubled, up to 1/2, after one of lr/4 or
 * less. With momentum the direction begins with so much of the last step (SPRING, Goldshlager et
 * al. 2024), which keeps in what this step's samples do not say what earlier ones did. */
Status optimizer_step(Optimizer *optimizer, double lr, real *theta, OptimizerEvaluate evaluate,
                      void *context, double *loss);

/* Local. Who tells the part of the gradient that is not stored; before the first step, where
 * settings.stored is less than n. */
void optimizer_rest(Optimizer *optimizer, OptimizerRest rest, void *context);

/* Local. From now on steps need the gradient in these ranges only (one or two, in order) and change
 * theta and their state there alone: other ranks do the rest. False where the optimiser cannot, as
 * it needs all of the gradient; nothing has changed then. */
enum { OPTIMIZER_RANGES = 2 };
bool optimizer_shard(Optimizer *optimizer, const VectorRange *ranges, int n);

/* Local. True when the last step found no way down at the precision of the loss: a run with a fixed
 * objective is finished. Always false for Adam. Part of the state. */
bool optimizer_converged(const Optimizer *optimizer);

/* Local. Whether it asks for directions instead of gradients. */
bool optimizer_takes_directions(const Optimizer *optimizer);

/* Local. Bytes of memory that it occupies, the gradient included. */
size_t optimizer_bytes(const Optimizer *optimizer);

/* Local. Fills arrays [STATE_MAX_ARRAYS] with the whole state; returns how many. */
int optimizer_state(Optimizer *optimizer, StateArray *arrays);

/* Local. Learning rate of a step in [0, steps): constant; cosine, lr/2 (1 + cos(pi step/steps));
 * warmup, linear up to lr in the first `warmup` (>= 0) steps, then constant; warmup_cosine, the
 * cosine over the steps after the warm-up. 0 where a cosine has ended. Names NULL-terminated. */
extern const char *const schedule_names[];
double schedule_rate(const char *schedule, double lr, int64_t step, int64_t steps, int64_t warmup);

/* Local. Scales gradient [n] by min(1, bound / (norm + 1e-6)), the L2 norm in double and in a fixed
 * order, as torch.nn.utils.clip_grad_norm_ (bound > 0; 0: no clipping). Returns the norm before. */
double gradient_clip(real *gradient, size_t n, double bound);

/* Local. The scaling alone, of any part of a gradient with this norm; its factor, at most 1. */
double gradient_factor(double norm, double bound);
void gradient_scale(real *gradient, size_t n, double norm, double bound);

#endif
