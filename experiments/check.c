#include "experiments/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "experiments/threads.h"
#include "experiments/trainer.h"
#include "mpi/evaluate.h"

/* Differences are tried with a few steps, largest first, until one agrees: curvature spoils long
 * steps, rounding short ones, and kinks (ReLU) those that cross them, which no step quite avoids. A
 * wrong gradient agrees with none. */
static const double first_step = 1.6e-2, enough = 1e-7, tolerance = 1e-5;
enum { N_STEPS = 10, STEP_RATIO = 4, SINGLES = 3 };

/* What rounding of the loss may do to a slope is not an error, as long as it is small: a loss of
 * millions with slopes of order one (the Laplacian's, before the network has learned anything). */
static const double rounding = 1024 * 0x1p-52, small = 1e-3;

typedef struct {
  const Setup *setup;
  Evaluation *evaluation;
  real *theta, *gradient, *direction, *moved; /* [n_parameters] */
  FILE *out;
  int failures;
} Check;

/* Collective. The loss at theta + distance * direction, on the samples of step 0. */
static Status loss_at(const Check *check, double distance, double *loss) {
  const Objective *objective = &check->setup->objective;
  double terms[OBJECTIVE_MAX_TERMS];
  for (size_t i = 0; i < objective->n_parameters; i++) {
    check->moved[i] = (real)(check->theta[i] + distance * check->direction[i]);
  }
  TRY(evaluation_run(check->evaluation, 0, check->moved, NULL, terms, NULL));
  *loss = objective_total(objective, terms);
  return STATUS_OK;
}

/* Collective. Central difference of fourth order; *noise: what rounding may change in it. */
static Status difference(const Check *check, double h, double *slope, double *noise) {
  double loss[4];
  static const int places[4] = {1, -1, 2, -2};
  for (int i = 0; i < 4; i++) TRY(loss_at(check, h * places[i], &loss[i]));
  *slope = (8 * (loss[0] - loss[1]) - (loss[2] - loss[3])) / (12 * h);
  *noise = rounding * fabs(loss[0]) / h;
  return STATUS_OK;
}

/* Collective. Relative difference of slope and gradient along `direction`; `typical` is the size of
 * a slope below which differences do not count as large. */
static Status compare(const Check *check, double h, double typical, double *error) {
  double expected = 0;
  for (size_t i = 0; i < check->setup->objective.n_parameters; i++) {
    expected += (double)check->gradient[i] * (double)check->direction[i];
  }
  *error = INFINITY;
  for (int i = 0; i < N_STEPS; i++, h /= STEP_RATIO) {
    double slope, noise;
    if (*error <= enough) break;
    TRY(difference(check, h, &slope, &noise));
    double scale = fmax(typical, fmax(fabs(slope), fabs(expected)));
    if (noise > small * scale) noise = 0;
    double this_error = scale > 0 ? fmax(0, fabs(slope - expected) - noise) / scale : 0;
    if (this_error < *error) *error = this_error;
  }
  return STATUS_OK;
}

static size_t tensor_size(const Tensor *tensor) {
  return (size_t)tensor->rows * (size_t)tensor->cols;
}

/* A random unit vector in the tensor's parameters. */
static void point_along_tensor(const Check *check, const Tensor *tensor, uint64_t number) {
  RandomStream stream = {(uint64_t)config_int(check->setup->config, "seed"), RANDOM_CHECK, number};
  size_t n = tensor_size(tensor);
  double norm = 0;
  memset(check->direction, 0, check->setup->objective.n_parameters * sizeof(real));
  for (size_t i = 0; i < n; i++) {
    double value = random_normal(stream, i, 0);
    check->direction[tensor->offset + i] = (real)value;
    norm += value * value;
  }
  for (size_t i = 0; i < n; i++) {
    check->direction[tensor->offset + i] /= (real)sqrt(norm);
  }
}

static void point_along_parameter(const Check *check, const Tensor *tensor, uint64_t number,
                                  int which) {
  RandomStream stream = {(uint64_t)config_int(check->setup->config, "seed"), RANDOM_CHECK,
                         number + (1 << 20)};
  memset(check->direction, 0, check->setup->objective.n_parameters * sizeof(real));
  size_t i = random_below(stream, (uint64_t)which, 0, tensor_size(tensor));
  check->direction[tensor->offset + i] = 1;
}

/* Root mean square of the tensor's gradient: the typical slope along unit vectors. */
static double typical_slope(const Check *check, const Tensor *tensor) {
  double sum = 0;
  size_t n = tensor_size(tensor);
  for (size_t i = 0; i < n; i++) {
    double g = (double)check->gradient[tensor->offset + i];
    sum += g * g;
  }
  return sqrt(sum / (double)n);
}

/* Long steps for slow layers: the phase that a step makes should not depend on omega. */
static double step_of(const Model *model, const Tensor *tensor) {
  const Network *network = model->network;
  for (int l = 0; network && l < network->n_linear; l++) {
    const Linear *linear = &network->linear[l];
    if (tensor->offset == linear->weight || tensor->offset == linear->bias) {
      return first_step / fmax(1, linear->omega);
    }
  }
  return first_step;
}

/* Collective. One row of the table. */
static Status check_tensor(Check *check, int number) {
  const Tensor *tensor = &check->setup->model.tensors[number];
  double typical = typical_slope(check, tensor), h = step_of(&check->setup->model, tensor);
  double along, single = 0;
  point_along_tensor(check, tensor, (uint64_t)number);
  TRY(compare(check, h, typical, &along));
  for (int i = 0; i < SINGLES; i++) {
    double error;
    point_along_parameter(check, tensor, (uint64_t)number, i);
    TRY(compare(check, h, typical, &error));
    single = fmax(single, error);
  }
  bool good = along <= tolerance && single <= tolerance;
  check->failures += !good;
  fprintf(check->out, "%-20s %12zu %14.3e %14.3e %14.3e  %s\n", tensor->name, tensor_size(tensor),
          typical, along, single, good ? "ok" : "WRONG");
  fflush(check->out);
  return STATUS_OK;
}

/* Of the outer tensors. */
static void complete_gradient(const Check *check) {
  const Objective *objective = &check->setup->objective;
  for (size_t i = objective_dense(objective); i < objective->n_parameters; i += OPTIMIZER_CHUNK) {
    size_t left = objective->n_parameters - i;
    evaluation_rest(check->evaluation, i, left < OPTIMIZER_CHUNK ? left : OPTIMIZER_CHUNK,
                    check->gradient + i);
  }
}

/* Collective. */
static Status check_all(Check *check) {
  const Setup *setup = check->setup;
  double terms[OBJECTIVE_MAX_TERMS];
  TRY(trainer_weights(setup, check->theta));
  TRY(evaluation_run(check->evaluation, 0, check->theta, check->gradient, terms, NULL));
  complete_gradient(check);
  fprintf(check->out, "%-20s %12s %14s %14s %14s  verdict (relative errors up to %.0e)\n", "tensor",
          "parameters", "gradient rms", "direction", "parameter", tolerance);
  for (int i = 0; i < setup->model.n_tensors; i++) TRY(check_tensor(check, i));
  if (!check->failures) return STATUS_OK;
  return status_fail(STATUS_FAILED, "the gradient of %d of %d tensors differs from differences",
                     check->failures, setup->model.n_tensors);
}

/* Collective. */
static Status create(Check *check, const Comm *comm) {
  size_t n = check->setup->objective.n_parameters;
  real **arrays[] = {&check->theta, &check->gradient, &check->direction, &check->moved};
  Status status = STATUS_OK;
  for (int i = 0; i < 4 && status == STATUS_OK; i++) {
    status = memory_allocate(arrays[i], n, sizeof(real), "parameters");
  }
  TRY(comm_agree(comm, status));
  return evaluation_create(comm, &check->setup->objective, check->setup->threads,
                           &check->evaluation);
}

Status check_gradient(const Comm *comm, const Config *config, FILE *out) {
  int threads;
  Setup setup;
  TRY(threads_choose(comm, config_int(config, "threads"), &threads));
  TRY(suite_setup(comm, config, threads, &setup));
  Check check = {.setup = &setup, .out = out};
  Status status = create(&check, comm);
  if (status == STATUS_OK) status = check_all(&check);
  evaluation_destroy(check.evaluation);
  free(check.theta);
  free(check.gradient);
  free(check.direction);
  free(check.moved);
  suite_destroy(&setup);
  return status;
}
