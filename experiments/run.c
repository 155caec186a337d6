#include "experiments/run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "experiments/progress.h"
#include "experiments/state.h"
#include "experiments/threads.h"
#include "experiments/trainer.h"
#include "experiments/version.h"
#include "io/file.h"
#include "io/runfile_results.h"

typedef struct {
  const Comm *comm;
  const Config *config;
  FILE *out;
  bool root, quiet;
  char *directory, *path; /* of the run, of its file */
  int lock;
  RunState state;
  double started; /* clock */
  int threads;
  Setup setup;
  real *theta;
  History history;
  Training training;
  Result result;
  char digest[VERSION_DIGEST];
  double memory[2]; /* bytes, at most so far: of rank 0, of any other rank */
} Run;

/* ---- The output directory ---- */

static char *output_directory(const Config *config) {
  const char *output = config_text(config, "output"), *variant = config_text(config, "variant");
  char name[512];
  if (*output) return strdup(output);
  snprintf(name, sizeof name, "%s-%s%s%s", config_text(config, "experiment"),
           config_text(config, "scale"), *variant ? "-" : "", variant);
  return file_join("runs", name);
}

static Status lock_output(Run *run) {
  char note[256] = "";
  TRY(file_make_directory(run->directory));
  TRY(file_lock(run->directory, &run->lock, note));
  if (*note) fprintf(stderr, "siren: warning: %s\n", note);
  return STATUS_OK;
}

static Status find_complete(const Run *run, bool *complete) {
  TRY(runfile_is_complete(run->path, complete));
  return *complete ? runfile_same_config(run->path, run->config) : STATUS_OK;
}

/* Collective. */
static Status open_output(Run *run, bool *complete) {
  *complete = false;
  TRY(comm_agree(run->comm, run->root ? lock_output(run) : STATUS_OK));
  TRY(comm_agree(run->comm, run->root ? find_complete(run, complete) : STATUS_OK));
  comm_broadcast(run->comm, complete, sizeof *complete);
  return STATUS_OK;
}

/* ---- How it stands ---- */

static double wall_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static Status write_begin(Run *run) {
  RunState *state = &run->state;
  TRY(state_read(run->directory, state));
  state_here(state);
  state->kind = STATE_RUNNING;
  state->message[0] = '\0';
  state->ranks = comm_size(run->comm);
  state->threads = run->threads;
  state->steps = config_int(run->config, "train.steps");
  state->attempts++;
  state->started = wall_clock();
  state->ended = 0;
  run->started = progress_clock();
  return state_write(run->directory, state);
}

/* A state that cannot be written does not take back what the run has done. */
static void write_end(Run *run, Status status) {
  RunState *state = &run->state;
  state->kind = status == STATUS_OK        ? STATE_COMPLETE
                : status == STATUS_STOPPED ? STATE_STOPPED
                                           : STATE_FAILED;
  if (status != STATUS_OK) snprintf(state->message, STATE_MESSAGE, "%s", status_message());
  state->ended = wall_clock();
  if (run->training.seconds > 0) state->train = run->training.seconds;
  state->core += (progress_clock() - run->started) * state->ranks * state->threads;
  char reason[STATE_MESSAGE];
  snprintf(reason, sizeof reason, "%s", status_message());
  if (state_write(run->directory, state) == STATUS_OK) return;
  fprintf(stderr, "siren: warning: %s\n", status_message());
  if (status != STATUS_OK) status_fail(status, "%s", reason);
}

/* A run that was killed between its last file and its state. */
static Status mend_state(Run *run) {
  TRY(state_read(run->directory, &run->state));
  if (run->state.kind == STATE_COMPLETE || run->state.kind == STATE_NONE) return STATUS_OK;
  run->state.kind = STATE_COMPLETE;
  run->state.message[0] = '\0';
  return state_write(run->directory, &run->state);
}

/* ---- Results ---- */

static void print_metric(FILE *out, const char *name, double value, const char *units) {
  bool number = !*units || !strcmp(units, "1");
  fprintf(out, "%-15s %.6g%s%s\n", name, value, number ? "" : " ", number ? "" : units);
}

static void print_end(const Run *run, const char *digest) {
  fprintf(run->out, "%-15s %s\n", "weights", digest);
  fprintf(run->out, "%-15s %s\n", "run file", run->path);
}

static void print_memory(const Run *run) {
  print_metric(run->out, "memory_rank0", 1e-6 * run->memory[0], "MB");
  if (comm_size(run->comm) > 1) {
    print_metric(run->out, "memory_rank", 1e-6 * run->memory[1], "MB");
  }
}

static void print_new(const Run *run) {
  const Training *training = &run->training;
  int64_t now = training->steps - training->first;
  int ranks = comm_size(run->comm);
  fprintf(run->out, "%-15s %s: %lld steps in %.4g s, %.4g ms a step, %d rank%s x %d thread%s\n",
          config_text(run->config, "experiment"), config_text(run->config, "scale"),
          (long long)training->steps, training->seconds,
          now > 0 ? 1e3 * training->now / (double)now : 0.0, ranks, ranks == 1 ? "" : "s",
          run->threads, run->threads == 1 ? "" : "s");
  for (int i = 0; i < run->result.n_metrics; i++) {
    print_metric(run->out, run->result.metrics[i].name, run->result.metrics[i].value,
                 run->result.metrics[i].units);
  }
  print_memory(run);
  print_end(run, run->digest);
}

static Status print_old(const Run *run) {
  int n;
  RunMetric *metrics;
  char *digest;
  TRY(runfile_read_metrics(run->path, &n, &metrics));
  Status status = runfile_read_provenance(run->path, "weights", &digest);
  if (status == STATUS_OK) {
    fprintf(run->out, "%-15s %s: already complete\n", config_text(run->config, "experiment"),
            config_text(run->config, "scale"));
    for (int i = 0; i < n; i++) {
      print_metric(run->out, metrics[i].name, metrics[i].value, metrics[i].units);
    }
    print_end(run, digest);
    free(digest);
  }
  free(metrics);
  return status;
}

/* Collective. Without what the ranks of a node have in common. */
static void measure_memory(Run *run) {
  MemoryUse use = memory_use();
  run->memory[run->root ? 0 : 1] = use.peak - use.shared;
  comm_max_double(run->comm, run->memory, 2);
}

/* Collective. What the program is, and where and how the run was done. */
static Status write_provenance(Run *run, RunFile *file) {
  TextAttribute facts[VERSION_MAX_FACTS + 10];
  int n = version_facts(facts);
  char date[32], ranks[16], threads[16], seconds[32], step[32], memory[2][32];
  time_t now = time(NULL);
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
  snprintf(ranks, sizeof ranks, "%d", comm_size(run->comm));
  snprintf(threads, sizeof threads, "%d", run->threads);
  snprintf(seconds, sizeof seconds, "%.3f", run->training.seconds);
  int64_t steps_now = run->training.steps - run->training.first;
  snprintf(step, sizeof step, "%.6g", steps_now > 0 ? run->training.now / (double)steps_now : 0.0);
  measure_memory(run);
  for (int i = 0; i < 2; i++) snprintf(memory[i], sizeof *memory, "%.1f", 1e-6 * run->memory[i]);
  const TextAttribute here[] = {{"host", comm_host()},        {"ranks", ranks},
                                {"threads", threads},         {"date", date},
                                {"train_seconds", seconds},   {"seconds_per_step", step},
                                {"weights", run->digest},     {"memory_mb_rank0", memory[0]},
                                {"memory_mb_rank", memory[1]}};
  int more = sizeof here / sizeof *here - (comm_size(run->comm) == 1);
  memcpy(facts + n, here, sizeof here);
  return runfile_provenance(file, n + more, facts);
}

/* Collective. Everything between creation and completion of the run file. Provenance is last: it
 * has the memory that all else took. */
static Status fill_run_file(Run *run) {
  RunFile *file = run->result.file;
  TRY(runfile_config(file, run->config));
  TRY(runfile_model(file, &run->setup.model, run->theta));
  TRY(runfile_history(file, &run->history));
  TRY(run->setup.experiment->functions->evaluate(&run->setup, run->theta, &run->result));
  TRY(result_metric(&run->result, "loss_final", run->training.final_loss, "1"));
  return write_provenance(run, file);
}

/* Collective. */
static Status write_run_file(Run *run) {
  run->result = (Result){.comm = run->comm,
                         .experiment = run->setup.experiment,
                         .directory = run->directory,
                         .history = &run->history,
                         .threads = run->threads,
                         .plain = !config_bool(run->config, "eval.pictures")};
  TRY(runfile_create(run->comm, run->path, &run->result.file));
  Status status = fill_run_file(run);
  Status closed = runfile_close(run->result.file, status == STATUS_OK);
  return status != STATUS_OK ? status : closed;
}

/* ---- siren run ---- */

/* Collective. */
static Status set_up(Run *run) {
  TRY(suite_setup(run->comm, run->config, run->threads, &run->setup));
  run->setup.quiet = run->quiet;
  size_t n = run->setup.objective.n_parameters;
  return comm_agree(run->comm, memory_allocate(&run->theta, n, sizeof(real), "the weights"));
}

/* Collective. */
static Status train_and_evaluate(Run *run) {
  TRY(set_up(run));
  TRY(trainer_run(&run->setup, run->directory, run->theta, &run->history, &run->training));
  version_digest(run->theta, run->setup.objective.n_parameters, run->digest);
  TRY(write_run_file(run));
  if (!run->quiet) print_new(run);
  return STATUS_OK;
}

/* Collective. */
static Status choose_threads(Run *run) {
  int64_t wanted = config_int(run->config, "threads");
  run->threads = (int)wanted;
  return run->quiet ? STATUS_OK : threads_choose(run->comm, wanted, &run->threads);
}

/* Collective. */
static Status do_run(Run *run) {
  TRY(choose_threads(run));
  TRY(comm_agree(run->comm, run->root ? write_begin(run) : STATUS_OK));
  Status status = train_and_evaluate(run);
  if (run->root) write_end(run, status);
  return status;
}

static Status show_old(Run *run) {
  TRY(mend_state(run));
  return run->quiet ? STATUS_OK : print_old(run);
}

static void release(Run *run) {
  history_destroy(&run->history);
  free(run->theta);
  suite_destroy(&run->setup);
  if (run->lock >= 0) file_unlock(run->lock);
  free(run->path);
  free(run->directory);
}

/* Collective. */
static Status open_and_run(Run *run, bool *before) {
  run->root = comm_rank(run->comm) == 0;
  run->lock = -1;
  run->directory = output_directory(run->config);
  run->path = file_join(run->directory, "run.h5");
  Status status = open_output(run, before);
  if (status == STATUS_OK) {
    status = *before ? comm_agree(run->comm, run->root ? show_old(run) : STATUS_OK) : do_run(run);
  }
  release(run);
  return status;
}

Status run_experiment(const Comm *comm, const Config *config, FILE *out) {
  Run run = {.comm = comm, .config = config, .out = out};
  bool before;
  return open_and_run(&run, &before);
}

Status run_quietly(const Comm *comm, const Config *config, RunOutcome *outcome) {
  Run run = {.comm = comm, .config = config, .quiet = true};
  Status status = open_and_run(&run, &outcome->before);
  outcome->train = run.training.now;
  return status;
}

/* ---- siren eval ---- */

static Status check_complete(const char *path) {
  bool complete;
  TRY(runfile_is_complete(path, &complete));
  if (complete) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: %s", path,
                     file_exists(path) ? "the run is not complete"
                                       : "no such file; siren eval needs a finished run");
}

/* The run's configuration with overrides. */
static Status read_config(const char *path, int n_overrides, const char *const *overrides,
                          Config **config) {
  int n;
  char **stored;
  TRY(check_complete(path));
  TRY(runfile_read_config(path, &n, &stored));
  const char **all = NULL;
  Status status = memory_allocate(&all, (size_t)(n + n_overrides), sizeof *all, "overrides");
  if (status == STATUS_OK) {
    memcpy(all, stored, (size_t)n * sizeof *all);
    if (n_overrides) memcpy(all + n, overrides, (size_t)n_overrides * sizeof *all);
    status = config_parse(path, "{}", 2, n + n_overrides, all, config);
  }
  free(all);
  for (int i = 0; i < n; i++) free(stored[i]);
  free(stored);
  return status;
}

/* Collective. */
static Status write_fields(Run *run, const char *eval_path) {
  run->result = (Result){.comm = run->comm, .directory = run->directory, .threads = run->threads};
  TRY(runfile_create(run->comm, eval_path, &run->result.file));
  RunFile *file = run->result.file;
  version_digest(run->theta, run->setup.objective.n_parameters, run->digest);
  Status status = runfile_config(file, run->config);
  if (status == STATUS_OK) {
    status = run->setup.experiment->functions->eval(&run->setup, run->theta, &run->result);
  }
  if (status == STATUS_OK) status = write_provenance(run, file);
  Status closed = runfile_close(file, status == STATUS_OK);
  TRY(status);
  TRY(closed);
  fprintf(run->out, "%-15s %s\n", "weights", run->digest);
  fprintf(run->out, "%-15s %s\n", "fields", eval_path);
  return STATUS_OK;
}

/* Collective. */
static Status eval(Run *run) {
  TRY(choose_threads(run));
  TRY(set_up(run));
  Status status = STATUS_OK;
  if (run->root) status = runfile_read_model(run->path, &run->setup.model, run->theta);
  TRY(comm_agree(run->comm, status));
  comm_broadcast(run->comm, run->theta, run->setup.objective.n_parameters * sizeof(real));
  char *eval_path = file_join(run->directory, "eval.h5");
  status = write_fields(run, eval_path);
  free(eval_path);
  return status;
}

Status run_eval(const Comm *comm, const char *directory, int n_overrides,
                const char *const *overrides, FILE *out) {
  Run run = {.comm = comm, .out = out, .root = comm_rank(comm) == 0, .lock = -1};
  run.directory = strdup(directory);
  run.path = file_join(run.directory, "run.h5");
  Config *config = NULL;
  Status status = comm_agree(comm, read_config(run.path, n_overrides, overrides, &config));
  run.config = config;
  if (status == STATUS_OK) status = eval(&run);
  release(&run);
  config_destroy(config);
  return status;
}
