/* No rank deals out the runs: each group's first rank claims the next one by a file, so that none
 * has to wait for another that is busy with a step. */
#include "experiments/sweep/packed.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/progress.h"
#include "experiments/run.h"
#include "experiments/stop.h"
#include "experiments/sweep/plan.h"
#include "experiments/sweep/schedule.h"
#include "experiments/sweep/standing.h"
#include "io/file.h"
#include "io/runfile.h"

/* A run that is to be done. */
typedef struct {
  int run, ranks;
  double core_seconds; /* 0: unknown */
} Task;

/* What this rank's groups have done; counted by their first ranks. */
typedef struct {
  int64_t done, failed, stopped;
  double steps; /* core-seconds in training steps */
  Status status;
  char message[1400]; /* of the first failure */
} Tally;

typedef struct {
  const Comm *comm;
  const Sweep *sweep;
  int threads;
  bool root;
  char *claims; /* directory */
  int n;
  Task *tasks;  /* [n] the longest first */
  int complete; /* runs that were before */
  int next;     /* tasks before this one are claimed */
  Tally tally;
} Packed;

/* ---- What is to be done ---- */

/* A directory that holds a complete run of another configuration is a task: it fails, and says so.
 */
static bool is_done(const Sweep *sweep, int run) {
  if (standing_of(sweep, run) != STANDING_COMPLETE) return false;
  Config *config = NULL;
  if (sweep_config(sweep, run, &config) != STATUS_OK) return false;
  char *path = file_join(config_text(config, "output"), "run.h5");
  bool same = runfile_same_config(path, config) == STATUS_OK;
  free(path);
  config_destroy(config);
  return same;
}

static Status list_tasks(Packed *packed) {
  const Sweep *sweep = packed->sweep;
  TRY(memory_allocate(&packed->tasks, (size_t)sweep->n_runs, sizeof *packed->tasks, "the runs"));
  for (int i = 0; i < sweep->n_runs; i++) {
    if (packed->root && is_done(sweep, i)) {
      packed->complete++;
    } else {
      packed->tasks[packed->n++] = (Task){.run = i, .ranks = 1};
    }
  }
  return STATUS_OK;
}

/* Collective. Rank 0's list to all. */
static Status share_tasks(Packed *packed) {
  TRY(comm_agree(packed->comm, list_tasks(packed)));
  comm_broadcast(packed->comm, &packed->complete, sizeof packed->complete);
  comm_broadcast(packed->comm, &packed->n, sizeof packed->n);
  comm_broadcast(packed->comm, packed->tasks, (size_t)packed->n * sizeof *packed->tasks);
  return STATUS_OK;
}

static int longest_first(const void *a, const void *b) {
  const Task *x = a, *y = b;
  if (x->core_seconds != y->core_seconds) return x->core_seconds < y->core_seconds ? 1 : -1;
  return x->run - y->run;
}

/* Rows of what plan.json of an earlier start of the sweep says. */
static void remember(const Sweep *sweep, PlanRow *rows) {
  PlanFile plan;
  if (plan_read(sweep->directory, &plan) != STATUS_OK) return;
  for (int i = 0; i < plan.n; i++) {
    int run = plan.entries[i].index;
    if (run < 0 || run >= sweep->n_runs || isnan(plan.entries[i].core_seconds)) continue;
    if (strcmp(plan.entries[i].id, sweep->runs[run].id) != 0) continue;
    rows[run] = (PlanRow){.known = true, .core_seconds = plan.entries[i].core_seconds};
  }
  plan_destroy(&plan);
}

/* Collective. Forecasts the tasks that have no forecast yet. */
static Status forecast_missing(const Packed *packed, PlanRow *rows) {
  int *wanted = NULL, n = 0;
  PlanRow *fresh = NULL;
  Status status = memory_allocate(&wanted, (size_t)packed->n, sizeof *wanted, "a plan");
  if (status == STATUS_OK) {
    status = memory_allocate(&fresh, (size_t)packed->n, sizeof *fresh, "a plan");
  }
  status = comm_agree(packed->comm, status);
  for (int i = 0; status == STATUS_OK && i < packed->n; i++) {
    if (!rows[packed->tasks[i].run].known) wanted[n++] = packed->tasks[i].run;
  }
  if (status == STATUS_OK && n > 0) {
    status = plan_forecast(packed->comm, packed->sweep, wanted, n, packed->threads, fresh, NULL);
  }
  for (int i = 0; status == STATUS_OK && i < n; i++) rows[wanted[i]] = fresh[i];
  free(fresh);
  free(wanted);
  return status;
}

/* Collective. Core-seconds, order and ranks of the tasks; plan.json. */
static Status plan_tasks(Packed *packed) {
  const Sweep *sweep = packed->sweep;
  size_t n = (size_t)sweep->n_runs;
  PlanRow *rows = NULL;
  TRY(comm_agree(packed->comm, memory_allocate(&rows, n, sizeof *rows, "a plan")));
  if (packed->root) remember(sweep, rows);
  comm_broadcast(packed->comm, rows, n * sizeof *rows);
  Status status = forecast_missing(packed, rows);
  if (status == STATUS_OK) {
    status = packed->root ? plan_write(sweep, rows, "packed") : STATUS_OK;
    status = comm_agree(packed->comm, status);
  }
  for (int i = 0; status == STATUS_OK && i < packed->n; i++) {
    Task *task = &packed->tasks[i];
    task->core_seconds = rows[task->run].known ? rows[task->run].core_seconds : 0;
  }
  qsort(packed->tasks, (size_t)packed->n, sizeof *packed->tasks, longest_first);
  free(rows);
  return status;
}

/* Collective. Sets the tasks' ranks; *span is the seconds that they would take. */
static Status size_tasks(Packed *packed, double *span) {
  double *seconds = NULL;
  int *sizes = NULL, ranks = comm_size(packed->comm);
  size_t n = (size_t)packed->n;
  Status status = memory_allocate(&seconds, n, sizeof *seconds, "a plan");
  if (status == STATUS_OK) status = memory_allocate(&sizes, n, sizeof *sizes, "a plan");
  status = comm_agree(packed->comm, status);
  if (status == STATUS_OK) {
    for (int i = 0; i < packed->n; i++) seconds[i] = packed->tasks[i].core_seconds;
    schedule_sizes(seconds, packed->n, ranks, sizes);
    *span = schedule_span(seconds, sizes, packed->n, ranks, packed->threads);
    for (int i = 0; i < packed->n; i++) packed->tasks[i].ranks = sizes[i];
  }
  free(sizes);
  free(seconds);
  return status;
}

/* ---- Claims ---- */

static char *claim_path(const Packed *packed, int task) {
  char name[16];
  snprintf(name, sizeof name, "%d", task);
  return file_join(packed->claims, name);
}

/* The first task that nobody has claimed; n: there is none. Somebody may claim it meanwhile. */
static int peek(Packed *packed) {
  for (; packed->next < packed->n; packed->next++) {
    char *path = claim_path(packed, packed->next);
    bool taken = file_exists(path);
    free(path);
    if (!taken) break;
  }
  return packed->next;
}

/* The next task for this group, or n. */
static Status claim(Packed *packed, int *task) {
  bool mine = false;
  while (!mine && packed->next < packed->n) {
    char *path = claim_path(packed, packed->next);
    Status status = file_claim(path, &mine);
    free(path);
    TRY(status);
    *task = packed->next++;
  }
  if (!mine) *task = packed->n;
  return STATUS_OK;
}

/* ---- Runs ---- */

static bool must_stop(void) {
  double left = INFINITY;
  return stop_requested() || (stop_deadline(&left) == STATUS_OK && left <= 0);
}

static void tell(const Packed *packed, const Task *task, const char *word, double seconds,
                 const char *message) {
  fprintf(stderr, "[%d/%d] %-8s %8.1f s  %s%s%s\n", (int)(task - packed->tasks) + 1, packed->n,
          word, seconds, packed->sweep->runs[task->run].label, *message ? ": " : "", message);
}

/* By a group's first rank. */
static void count(Packed *packed, const Task *task, Status status, const RunOutcome *outcome,
                  double seconds, int ranks) {
  Tally *tally = &packed->tally;
  const char *message = status == STATUS_OK ? "" : status_message();
  tally->steps += outcome->train * ranks * packed->threads;
  if (status == STATUS_OK) {
    tally->done++;
    tell(packed, task, outcome->before ? "there" : "complete", seconds, message);
  } else if (status == STATUS_STOPPED) {
    tally->stopped++;
    tell(packed, task, "stopped", seconds, "");
  } else {
    if (tally->failed++ == 0) {
      tally->status = status;
      snprintf(tally->message, sizeof tally->message, "%s: %s",
               packed->sweep->runs[task->run].label, message);
    }
    tell(packed, task, "failed", seconds, message);
  }
}

/* Collective over the group. */
static void run_task(Packed *packed, const Comm *group, const Task *task) {
  Config *config = NULL;
  RunOutcome outcome = {.before = false};
  double begin = progress_clock();
  Status status = comm_agree(group, sweep_config(packed->sweep, task->run, &config));
  if (status == STATUS_OK) status = run_quietly(group, config, &outcome);
  config_destroy(config);
  if (comm_rank(group) > 0) return;
  count(packed, task, status, &outcome, progress_clock() - begin, comm_size(group));
}

/* What a group does next; by its first rank. */
typedef enum { NEXT_RUN, NEXT_SPLIT, NEXT_END } NextKind;
typedef struct {
  NextKind kind;
  int task;
} Next;

static Status choose(Packed *packed, int ranks, Next *next) {
  *next = (Next){.kind = NEXT_END, .task = peek(packed)};
  if (next->task == packed->n || must_stop()) return STATUS_OK;
  next->kind = NEXT_SPLIT;
  if (packed->tasks[next->task].ranks < ranks) return STATUS_OK;
  TRY(claim(packed, &next->task));
  next->kind = next->task < packed->n ? NEXT_RUN : NEXT_END;
  return STATUS_OK;
}

/* Collective over the group: runs until there are no more, in parts from where these want fewer
 * ranks; ranks that are left over are one more part. */
static Status work(Packed *packed, const Comm *group) {
  for (;;) {
    Next next = {.kind = NEXT_END};
    int rank = comm_rank(group), size = comm_size(group);
    TRY(comm_agree(group, rank == 0 ? choose(packed, size, &next) : STATUS_OK));
    comm_broadcast(group, &next, sizeof next);
    if (next.kind == NEXT_END) return STATUS_OK;
    if (next.kind == NEXT_RUN) {
      run_task(packed, group, &packed->tasks[next.task]);
      continue;
    }
    Comm *part = NULL;
    TRY(comm_split(group, rank / packed->tasks[next.task].ranks, &part));
    Status status = work(packed, part);
    comm_release(part);
    return status;
  }
}

/* ---- The whole ---- */

static Status open_claims(Packed *packed) {
  packed->claims = file_join(packed->sweep->directory, ".claims");
  if (!packed->claims) return status_fail(STATUS_FAILED, "out of memory for a path");
  if (!packed->root) return STATUS_OK;
  TRY(file_remove_directory(packed->claims)); /* of a sweep that was killed */
  return file_make_directory(packed->claims);
}

static void print_summary(const Packed *packed, const int64_t sums[4], double seconds, double span,
                          FILE *out) {
  const Sweep *sweep = packed->sweep;
  int ranks = comm_size(packed->comm);
  double workers = (double)ranks * packed->threads;
  fprintf(out, "%-15s %s: %" PRId64 " of %d runs complete, %" PRId64 " of them now\n", "sweep",
          sweep->name, packed->complete + sums[0], sweep->n_runs, sums[0]);
  fprintf(out, "%-15s %.1f s on %d rank%s x %d thread%s\n", "time", seconds, ranks,
          ranks == 1 ? "" : "s", packed->threads, packed->threads == 1 ? "" : "s");
  if (packed->n > 0) {
    fprintf(out, "%-15s %.1f s\n", "forecast", span);
    fprintf(out, "%-15s %.1f %% of the core time\n", "in steps",
            100 * 1e-6 * (double)sums[3] / (seconds * workers));
  }
  fprintf(out, "%-15s %s\n", "directory", sweep->directory);
}

/* One message for all that went wrong. */
static Status verdict(const Packed *packed, const int64_t sums[4]) {
  const Tally *tally = &packed->tally;
  int64_t complete = packed->complete + sums[0];
  int runs = packed->sweep->n_runs;
  Status status = STATUS_OK;
  if (sums[1] == 0 && complete == runs) return STATUS_OK;
  if (sums[1] > 0 && tally->failed > 0) {
    status = status_fail(STATUS_FAILED, "%" PRId64 " of %d runs failed, such as %s", sums[1], runs,
                         tally->message);
  }
  status = comm_agree(packed->comm, status);
  if (complete + sums[1] == runs) return status;
  return status_fail(STATUS_STOPPED,
                     "stopped: %" PRId64 " of %d runs are complete, %" PRId64
                     " at a checkpoint, %" PRId64 " failed; the same command goes on",
                     complete, runs, sums[2], sums[1]);
}

/* Collective. */
static Status run_tasks(Packed *packed, double begin, FILE *out) {
  double span = 0;
  TRY(size_tasks(packed, &span));
  TRY(comm_agree(packed->comm, open_claims(packed)));
  Status status = work(packed, packed->comm);
  int64_t sums[4] = {packed->tally.done, packed->tally.failed, packed->tally.stopped,
                     (int64_t)(1e6 * packed->tally.steps)};
  status = comm_agree(packed->comm, status);
  comm_sum_int64(packed->comm, sums, 4);
  if (packed->root) file_remove_directory(packed->claims);
  TRY(status);
  if (packed->root) print_summary(packed, sums, progress_clock() - begin, span, out);
  return verdict(packed, sums);
}

static Status lock_directory(const char *directory, int *lock) {
  char note[256] = "";
  TRY(file_make_directory(directory));
  TRY(file_lock(directory, lock, note));
  if (*note) fprintf(stderr, "siren: warning: %s\n", note);
  return STATUS_OK;
}

Status packed_run(const Comm *comm, Sweep *sweep, int threads, FILE *out) {
  Packed packed = {.comm = comm, .sweep = sweep, .threads = threads, .root = comm_rank(comm) == 0};
  double begin = progress_clock();
  char text[16];
  int lock = -1;
  snprintf(text, sizeof text, "%d", threads);
  TRY(comm_agree(comm, sweep_set(sweep, "threads", text)));
  TRY(comm_agree(comm, packed.root ? lock_directory(sweep->directory, &lock) : STATUS_OK));
  Status status = share_tasks(&packed);
  if (status == STATUS_OK) status = plan_tasks(&packed);
  if (status == STATUS_OK) status = run_tasks(&packed, begin, out);
  free(packed.claims);
  free(packed.tasks);
  if (lock >= 0) file_unlock(lock);
  return status;
}
