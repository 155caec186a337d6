#include "experiments/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/optimizer.h"
#include "experiments/journal.h"
#include "experiments/progress.h"
#include "experiments/stop.h"
#include "mpi/evaluate.h"
#include "mpi/natural.h"

typedef struct {
  const Setup *setup;
  const char *directory;
  real *theta;
  History *history;
  Evaluation *evaluation;
  Natural *natural; /* NULL: the optimiser does not ask for it */
  Optimizer *optimizer;
  int n_arrays;
  StateArray arrays[2 * STATE_MAX_ARRAYS]; /* what a checkpoint holds beside theta */
  bool root;                               /* rank 0, which owns the files */
  Journal *journal;
  Progress progress;

  int64_t step, steps;    /* done; to do in all */
  int64_t redraw;         /* steps that have the same samples */
  double clip;            /* bound of the gradient's norm, 0: none */
  double earlier;         /* seconds of training before this process */
  double started, until;  /* clock: when training began; when it has to end */
  double longest, saving; /* seconds of the longest step and of the last checkpoint */
  double saved;           /* clock: last checkpoint */
  int64_t saved_step;
  bool evaluated; /* in this step: the terms at the theta it began with are known */
  bool attention; /* some rank wants to stop, to save, or has failed */
  double first_loss;
  double total, terms[OBJECTIVE_MAX_TERMS];
  Status trouble; /* of this rank, not yet agreed on */
} Trainer;

/* ---- Checkpoints ---- */

static Checkpoint make_checkpoint(Trainer *trainer) {
  return (Checkpoint){.config = trainer->setup->config,
                      .model = &trainer->setup->model,
                      .theta = trainer->theta,
                      .step = trainer->step,
                      .seconds = trainer->earlier + progress_clock() - trainer->started,
                      .history = trainer->history,
                      .n_arrays = trainer->n_arrays,
                      .arrays = trainer->arrays};
}

static Status check_finite(const Trainer *trainer) {
  for (size_t i = 0; i < trainer->setup->objective.n_parameters; i++) {
    if (!isfinite(trainer->theta[i])) {
      return status_fail(STATUS_FAILED, "step %" PRId64 " made weight %zu infinite or NaN",
                         trainer->step - 1, i);
    }
  }
  return STATUS_OK;
}

static Status write_checkpoint(Trainer *trainer) {
  TRY(check_finite(trainer));
  Checkpoint checkpoint = make_checkpoint(trainer);
  return checkpoint_write(trainer->directory, &checkpoint);
}

/* Collective. */
static Status save(Trainer *trainer) {
  double begin = progress_clock();
  for (int i = 0; i < trainer->n_arrays; i++) {
    StateArray *array = &trainer->arrays[i];
    if (array->sharded) evaluation_collect(trainer->evaluation, array->data);
  }
  Status status = trainer->root ? write_checkpoint(trainer) : STATUS_OK;
  TRY(comm_agree(trainer->setup->comm, status));
  trainer->saved = progress_clock();
  trainer->saved_step = trainer->step;
  trainer->saving = trainer->saved - begin;
  return STATUS_OK;
}

static Status read_checkpoint(Trainer *trainer, bool *found) {
  Checkpoint checkpoint = make_checkpoint(trainer);
  char warning[512] = "";
  TRY(checkpoint_read(trainer->directory, &checkpoint, found, warning));
  if (*warning) fprintf(stderr, "siren: warning: %s\n", warning);
  if (*found) {
    trainer->step = checkpoint.step;
    trainer->earlier = checkpoint.seconds;
  }
  return STATUS_OK;
}

static size_t array_bytes(const StateArray *array) {
  static const size_t sizes[] = {sizeof(real), sizeof(double), sizeof(int64_t)};
  return array->count * sizes[array->type];
}

/* Collective. The history of rank 0 to all, which logs go on with. */
static Status share_history(Trainer *trainer) {
  const Comm *comm = trainer->setup->comm;
  History *history = trainer->history;
  int64_t rows = history->rows;
  comm_broadcast(comm, &rows, sizeof rows);
  double none[1 + OBJECTIVE_MAX_TERMS] = {0};
  Status status = STATUS_OK;
  while (status == STATUS_OK && history->rows < rows) status = history_append(history, 0, none);
  TRY(comm_agree(comm, status));
  comm_broadcast(comm, history->step, (size_t)rows * sizeof *history->step);
  comm_broadcast(comm, history->values,
                 (size_t)(rows * history->n_columns) * sizeof *history->values);
  return STATUS_OK;
}

/* Collective. What rank 0 has read to all ranks; of an optimiser's shards, to their owners. */
static Status share_state(Trainer *trainer) {
  const Comm *comm = trainer->setup->comm;
  comm_broadcast(comm, &trainer->step, sizeof trainer->step);
  comm_broadcast(comm, &trainer->earlier, sizeof trainer->earlier);
  comm_broadcast(comm, trainer->theta, trainer->setup->objective.n_parameters * sizeof(real));
  for (int i = 0; i < trainer->n_arrays; i++) {
    const StateArray *array = &trainer->arrays[i];
    if (array->sharded) {
      evaluation_deal(trainer->evaluation, array->data);
    } else {
      comm_broadcast(comm, array->data, array_bytes(array));
    }
  }
  return share_history(trainer);
}

/* ---- Beginning ---- */

static void draw_weights(const Setup *setup, real *theta) {
  const ExperimentFunctions *functions = setup->experiment->functions;
  uint64_t seed = (uint64_t)config_int(setup->config, "seed");
  if (functions->init) {
    functions->init(setup, seed, theta);
  } else {
    network_init(&setup->network, seed, theta);
  }
}

Status trainer_weights(const Setup *setup, real *theta) {
  const char *init = config_text(setup->config, "init");
  if (!*init) {
    draw_weights(setup, theta);
    return STATUS_OK;
  }
  Status status = STATUS_OK;
  if (comm_rank(setup->comm) == 0) status = runfile_read_model(init, &setup->model, theta);
  TRY(comm_agree(setup->comm, status));
  comm_broadcast(setup->comm, theta, setup->objective.n_parameters * sizeof(real));
  return STATUS_OK;
}

/* Collective. Resumes, or initialises. */
static Status begin(Trainer *trainer) {
  const Comm *comm = trainer->setup->comm;
  bool found = false;
  Status status = trainer->root ? read_checkpoint(trainer, &found) : STATUS_OK;
  TRY(comm_agree(comm, status));
  comm_broadcast(comm, &found, sizeof found);
  TRY(found ? share_state(trainer) : trainer_weights(trainer->setup, trainer->theta));
  trainer->saved_step = found ? trainer->step : -1;
  if (trainer->history->rows > 0) trainer->first_loss = trainer->history->values[0];
  if (trainer->root && found && !trainer->setup->quiet) {
    fprintf(stderr, "siren: resuming at step %" PRId64 " of %" PRId64 "\n", trainer->step,
            trainer->steps);
  }
  status = trainer->root ? journal_open(trainer->directory, trainer->step, &trainer->journal)
                         : STATUS_OK;
  TRY(comm_agree(comm, status));
  return found ? STATUS_OK : save(trainer); /* a disk that is too small shows at once */
}

static Status natural(void *context, const real *theta, double damping, const real *before,
                      real *direction);

Status trainer_optimizer(const Setup *setup, Optimizer **optimizer) {
  const Config *config = setup->config;
  size_t dense = objective_dense(&setup->objective);
  OptimizerSettings settings = {
      .stored = dense ? dense : OPTIMIZER_STORES_NONE,
      .beta1 = config_real(config, "train.beta1"),
      .beta2 = config_real(config, "train.beta2"),
      .eps = config_real(config, "train.eps"),
      .history = (int)config_int(config, "train.lbfgs_history"),
      .max_evaluations = (int)config_int(config, "train.lbfgs_evaluations"),
  };
  const char *name = config_text(config, "train.optimizer");
  if (!strcmp(name, "gauss_newton")) {
    settings.max_evaluations = (int)config_int(config, "train.trials");
    settings.damping = config_real(config, "train.damping");
    settings.least_damping = config_real(config, "train.damping_least");
    settings.momentum = config_real(config, "train.momentum");
    settings.direction = natural;
  }
  bool whole = settings.stored == setup->objective.n_parameters;
  if (!strcmp(name, "lbfgs") && whole && config_real(config, "train.clip") > 0) {
    return config_reject(config, "train.clip",
                         "a clipped gradient misleads the line search of L-BFGS; leave it at 0");
  }
  return optimizer_create(name, &settings, setup->objective.n_parameters, optimizer);
}

static void name_columns(const Objective *objective, Training *training, History *history) {
  training->columns[0] = "total";
  for (int i = 0; i < objective->n_terms; i++) training->columns[1 + i] = objective->terms[i].name;
  *history = (History){.n_columns = 1 + objective->n_terms, .names = training->columns};
}

/* Collective. */
static Status set_time_limit(Trainer *trainer) {
  double limit = config_real(trainer->setup->config, "train.time_limit"), left;
  TRY(comm_agree(trainer->setup->comm, stop_deadline(&left)));
  if (limit > 0 && limit < left) left = limit;
  trainer->started = trainer->saved = progress_clock();
  trainer->until = trainer->started + left;
  return STATUS_OK;
}

Status trainer_natural(const Setup *setup, Natural **natural) {
  Status status = setup->problem.n_domains
                      ? least_squares_check(&setup->problem)
                      : status_fail(STATUS_USAGE, "the loss is not a sum of squares");
  if (status != STATUS_OK) {
    char reason[256];
    snprintf(reason, sizeof reason, "%s", status_message());
    return config_reject(setup->config, "train.optimizer", "%s", reason);
  }
  return natural_create(setup->comm, &setup->problem, setup->threads, natural);
}

/* Collective. */
static Status create(Trainer *trainer) {
  const Setup *setup = trainer->setup;
  TRY(set_time_limit(trainer));
  TRY(comm_agree(setup->comm, trainer_optimizer(setup, &trainer->optimizer)));
  if (optimizer_takes_directions(trainer->optimizer)) {
    TRY(trainer_natural(setup, &trainer->natural));
  }
  TRY(evaluation_create(setup->comm, &setup->objective, setup->threads, &trainer->evaluation));
  evaluation_serve(trainer->evaluation, trainer->optimizer);
  trainer->n_arrays = optimizer_state(trainer->optimizer, trainer->arrays);
  trainer->n_arrays += evaluation_state(trainer->evaluation, trainer->arrays + trainer->n_arrays);
  return STATUS_OK;
}

/* ---- Steps ---- */

static bool time_is_up(const Trainer *trainer, double now) {
  return now + 1.5 * trainer->longest + trainer->saving >= trainer->until;
}

static bool wants_stop(const Trainer *trainer) {
  return stop_requested() || (trainer->root && time_is_up(trainer, progress_clock()));
}

/* By rank 0's clock: every rank has its own, and only one may decide. */
static bool wants_save(const Trainer *trainer) {
  double seconds = config_real(trainer->setup->config, "train.checkpoint_seconds");
  return trainer->root && seconds > 0 && progress_clock() - trainer->saved >= seconds;
}

static int largest_term(const Trainer *trainer) {
  const ObjectiveTerm *terms = trainer->setup->objective.terms;
  int largest = 0;
  for (int i = 1; i < trainer->setup->objective.n_terms; i++) {
    bool larger = fabs(terms[i].weight * trainer->terms[i]) >
                  fabs(terms[largest].weight * trainer->terms[largest]);
    if (larger) largest = i;
  }
  return largest;
}

/* A bounded activation keeps a loss finite that will never come down again. */
static Status check_divergence(Trainer *trainer) {
  if (trainer->step == 0) trainer->first_loss = trainer->total;
  double limit = config_real(trainer->setup->config, "train.diverged");
  if (limit == 0 || !(trainer->total > limit * trainer->first_loss)) return STATUS_OK;
  return status_fail(STATUS_FAILED,
                     "step %" PRId64
                     ": diverged: the loss is %.3g, over %g times the first, mostly "
                     "term `%s`: lower train.lr or set train.clip (train.diverged=0 lets it go on)",
                     trainer->step, trainer->total, limit,
                     trainer->setup->objective.terms[largest_term(trainer)].name);
}

/* A line search may try weights where the loss is not finite: it has to come back, not to fail. */
static Status too_far(const Objective *objective, double *loss, real *gradient) {
  *loss = INFINITY;
  if (gradient) memset(gradient, 0, objective_dense(objective) * sizeof *gradient);
  return STATUS_OK;
}

/* The step whose samples this one has. */
static uint64_t drawn_at(const Trainer *trainer) {
  return (uint64_t)(trainer->step - trainer->step % trainer->redraw);
}

/* OptimizerEvaluate. The first evaluation of a step is at the theta that came in: the logged one.
 * The reduction also carries the ranks' wishes, so that they cost no message of their own. */
static Status evaluate(void *context, const real *theta, double *loss, real *gradient) {
  Trainer *trainer = context;
  const Objective *objective = &trainer->setup->objective;
  double terms[OBJECTIVE_MAX_TERMS];
  bool wish = trainer->trouble != STATUS_OK || wants_stop(trainer) || wants_save(trainer);
  Status status =
      evaluation_run(trainer->evaluation, drawn_at(trainer), theta, gradient, terms, &wish);
  trainer->attention |= wish;
  if (status != STATUS_OK) return trainer->evaluated ? too_far(objective, loss, gradient) : status;
  *loss = objective_total(objective, terms);
  if (!trainer->evaluated) {
    trainer->evaluated = true;
    trainer->total = *loss;
    memcpy(trainer->terms, terms, sizeof trainer->terms);
    TRY(check_divergence(trainer));
  }
  if (trainer->clip > 0 && gradient) evaluation_clip(trainer->evaluation, gradient, trainer->clip);
  return STATUS_OK;
}

/* OptimizerDirection. */
static Status natural(void *context, const real *theta, double damping, const real *before,
                      real *direction) {
  Trainer *trainer = context;
  return natural_direction(trainer->natural, drawn_at(trainer), theta, damping, before, direction);
}

/* Trouble of one rank is kept until the ranks can agree on it. */
static void log_step(Trainer *trainer, double lr) {
  const Setup *setup = trainer->setup;
  double row[1 + OBJECTIVE_MAX_TERMS] = {trainer->total};
  memcpy(row + 1, trainer->terms, (size_t)setup->objective.n_terms * sizeof *row);
  Status status = history_append(trainer->history, trainer->step, row);
  if (status == STATUS_OK && trainer->root) {
    double seconds = trainer->earlier + progress_clock() - trainer->started;
    JournalEntry entry = {trainer->step, seconds, lr, trainer->total, trainer->terms};
    status = journal_write(trainer->journal, &entry, &setup->objective,
                           &setup->experiment->functions->headline);
  }
  if (status != STATUS_OK) trainer->trouble = status;
}

static Status advance(Trainer *trainer) {
  const Config *config = trainer->setup->config;
  double begin_time = progress_clock();
  int64_t every = config_int(config, "train.log_every");
  double lr = schedule_rate(config_text(config, "train.schedule"), config_real(config, "train.lr"),
                            trainer->step, trainer->steps, config_int(config, "train.warmup"));
  double loss;
  trainer->evaluated = false;
  TRY(optimizer_step(trainer->optimizer, lr, trainer->theta, evaluate, trainer, &loss));
  evaluation_share(trainer->evaluation, trainer->theta);
  if (trainer->step % every == 0 || trainer->step == trainer->steps - 1) log_step(trainer, lr);
  trainer->step++;
  progress_step(&trainer->progress, trainer->step, trainer->total, trainer->terms);
  double seconds = progress_clock() - begin_time;
  if (seconds > trainer->longest) trainer->longest = seconds;
  return STATUS_OK;
}

/* Collective, after a step in which some rank asked for it. */
static Status attend(Trainer *trainer) {
  const Comm *comm = trainer->setup->comm;
  trainer->attention = false;
  TRY(comm_agree(comm, trainer->trouble));
  double wishes[2] = {wants_stop(trainer), wants_save(trainer)};
  comm_max_double(comm, wishes, 2);
  if (wishes[0] == 0 && wishes[1] == 0) return STATUS_OK;
  TRY(save(trainer));
  if (wishes[0] == 0 || trainer->step == trainer->steps) return STATUS_OK;
  return status_fail(STATUS_STOPPED,
                     "stopped at step %" PRId64 " of %" PRId64
                     ", checkpoint in %s; the same command goes on from there",
                     trainer->step, trainer->steps, trainer->directory);
}

/* Says where to go on from after a failure. */
static Status explain(const Trainer *trainer, Status status) {
  char place[600] = "there is no checkpoint yet";
  if (trainer->saved_step >= 0) {
    snprintf(place, sizeof place, "the checkpoint of step %" PRId64 " in %s is intact",
             trainer->saved_step, trainer->directory);
  }
  char reason[1400];
  snprintf(reason, sizeof reason, "%s", status_message());
  return status_fail(status, "%s; %s", reason, place);
}

/* Collective. */
static Status train(Trainer *trainer) {
  int64_t every = config_int(trainer->setup->config, "train.checkpoint_every");
  while (trainer->step < trainer->steps && !optimizer_converged(trainer->optimizer)) {
    TRY(advance(trainer));
    if (trainer->attention) TRY(attend(trainer));
    bool due = every > 0 && trainer->step % every == 0 && trainer->step < trainer->steps;
    if (due && trainer->saved_step != trainer->step) TRY(save(trainer));
  }
  TRY(comm_agree(trainer->setup->comm, trainer->trouble));
  if (trainer->root && trainer->step < trainer->steps && !trainer->setup->quiet) {
    fprintf(stderr, "siren: converged at step %" PRId64 ": no way down is left\n", trainer->step);
  }
  return trainer->saved_step == trainer->step ? STATUS_OK : save(trainer);
}

/* Collective. */
static Status finish(Trainer *trainer, Training *training) {
  double terms[OBJECTIVE_MAX_TERMS];
  TRY(evaluation_run(trainer->evaluation, (uint64_t)trainer->steps, trainer->theta, NULL, terms,
                     NULL));
  training->final_loss = objective_total(&trainer->setup->objective, terms);
  training->steps = trainer->step;
  return STATUS_OK;
}

static Status run(Trainer *trainer, Training *training) {
  TRY(create(trainer));
  TRY(begin(trainer));
  training->first = trainer->step;
  trainer->started = progress_clock();
  trainer->progress = progress_start(
      !trainer->root || trainer->setup->quiet, config_text(trainer->setup->config, "experiment"),
      trainer->step, trainer->steps, &trainer->setup->experiment->functions->headline);
  Status status = train(trainer);
  progress_break(&trainer->progress);
  training->now = progress_clock() - trainer->started;
  training->seconds = trainer->earlier + training->now;
  if (status == STATUS_FAILED) return explain(trainer, status);
  TRY(status);
  return finish(trainer, training);
}

Status trainer_run(const Setup *setup, const char *directory, real *theta, History *history,
                   Training *training) {
  Trainer trainer = {.setup = setup,
                     .directory = directory,
                     .theta = theta,
                     .history = history,
                     .root = comm_rank(setup->comm) == 0,
                     .steps = config_int(setup->config, "train.steps"),
                     .redraw = config_int(setup->config, "train.redraw"),
                     .clip = config_real(setup->config, "train.clip"),
                     .saved_step = -1};
  name_columns(&setup->objective, training, history);
  Status status = run(&trainer, training);
  journal_close(trainer.journal);
  evaluation_destroy(trainer.evaluation);
  natural_destroy(trainer.natural);
  optimizer_destroy(trainer.optimizer);
  return status;
}
