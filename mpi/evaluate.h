/* Evaluates an objective on all ranks and threads: tiles are shared out, each tile runs on one
 * thread, their results are summed exactly with one reduction per step. The bits do not depend on
 * ranks, threads or MPI's algorithm. */
#ifndef MPI_EVALUATE_H
#define MPI_EVALUATE_H

#include "core/exact.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "core/state.h"
#include "mpi/comm.h"

typedef struct Evaluation Evaluation;

/* Seconds spent, summed since creation: for `siren bench` and logs. */
typedef struct {
  double tiles;       /* the objective's work and the exact sum within a thread */
  double busy;        /* of these: mean over the threads; the rest waits for the slowest thread */
  double adding;      /* of these: the exact sum within a thread; mean over the threads */
  double sum_threads; /* over the threads of a rank */
  double sum_ranks;   /* over the ranks, with the wait for the slowest of them */
  double decode;
  double share;          /* parts of gradients or weights to all ranks */
  int64_t steps, redone; /* evaluations; passes done again with better scales */
} EvaluationTimes;

/* Collective. `threads` >= 1 OpenMP threads on this rank. Borrows comm and objective. */
Status evaluation_create(const Comm *comm, const Objective *objective, int threads,
                         Evaluation **evaluation);
void evaluation_destroy(Evaluation *evaluation);

/* Local. Bytes of memory that it occupies on a rank of so many threads: their workspaces, gradients
 * and exact sums, and what sums over so many ranks and nodes take. */
double evaluation_bytes(const Objective *objective, int threads, int ranks, int nodes);

/* Local. Bytes that the ranks of a node have in common. */
double evaluation_node_bytes(const Objective *objective);

/* Collective. No allocation. Terms [n_terms] (not weighted) and gradient [objective_dense] (NULL:
 * terms only; of outer tensors evaluation_rest tells it) at theta, which must be equal on all
 * ranks. *stop (may be NULL) brings this rank's wish to stop and leaves with true if any rank has
 * it. Fails (STATUS_FAILED, on all ranks alike) when a tile is not finite: the message names step
 * and term or tensor; and when the objective cannot prepare the step on some rank. Gradient and
 * terms are then as they were; where a factor of outer tensors is not finite, they are of no use.
 */
Status evaluation_run(Evaluation *evaluation, uint64_t step, const real *theta, real *gradient,
                      double *terms, bool *stop);

/* Collective. To be called for the optimiser whose steps this evaluation serves, before the first:
 * it learns who tells the gradient of outer tensors (evaluation_rest), and where there are several
 * ranks and it can do it (optimizer_shard), each rank from now on does a part of its work:
 * evaluation_run gives the gradient in this rank's part only, and evaluation_share has to follow
 * every step. That is half the traffic. */
void evaluation_serve(Evaluation *evaluation, Optimizer *optimizer);

/* Collective. gradient_clip of what evaluation_run gave, outer tensors included. */
double evaluation_clip(Evaluation *evaluation, real *gradient, double bound);

/* Local, thread-safe. OptimizerRest of the outer tensors' gradient of the last evaluation_run with
 * a gradient; context: the evaluation. */
void evaluation_rest(void *context, size_t first, size_t count, real *gradient);

/* Collective. values [n_parameters] in place: theta after a step, of which every rank gets the
 * others' parts; an array of the optimiser's state before a checkpoint, of which rank 0 does, and
 * after one was read, of which every rank gets its part from rank 0. Nothing where every rank does
 * all of the work. */
void evaluation_share(Evaluation *evaluation, real *values);
void evaluation_collect(Evaluation *evaluation, real *values);
void evaluation_deal(Evaluation *evaluation, real *values);

/* Local. The scales, for checkpoints: they are part of the bits. Returns the number of arrays
 * filled. */
int evaluation_state(Evaluation *evaluation, StateArray *arrays);

/* Local. */
EvaluationTimes evaluation_times(const Evaluation *evaluation);

#endif
