#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/state.h"
#include "experiments/sweep/standing.h"
#include "experiments/sweep/table_parts.h"
#include "io/file.h"
#include "io/runfile.h"

static Status say(TableRun *run, const char *why) {
  run->why = strdup(why);
  return run->why ? STATUS_OK : status_fail(STATUS_FAILED, "out of memory for a table");
}

/* A run that is there and cannot be used: the last message says why. */
static Status spoil(TableRun *run) {
  run->kind = TABLE_RUN_FAILED;
  return say(run, status_message());
}

/* ---- A complete run ---- */

static void take_metric(Table *table, TableRun *run, const RunMetric *metric) {
  for (int m = 0; m < table->n_metrics; m++) {
    TableMetric *wanted = &table->metrics[m];
    if (strcmp(wanted->name, metric->name) != 0) continue;
    run->values[m] = metric->value;
    if (!*wanted->units && strcmp(metric->units, "1") != 0) {
      memcpy(wanted->units, metric->units, sizeof wanted->units);
    }
  }
}

/* Training alone, for runs without a state. 0: the file does not say. */
static double core_seconds(const char *path) {
  static const char *const names[] = {"train_seconds", "ranks", "threads"};
  double product = 1;
  for (int i = 0; i < 3; i++) {
    char *text = NULL;
    if (runfile_read_provenance(path, names[i], &text) != STATUS_OK) return 0;
    product *= strtod(text, NULL);
    free(text);
  }
  return product;
}

static Status read_run_file(Table *table, TableRun *run, const char *path) {
  int n;
  RunMetric *metrics = NULL;
  TRY(runfile_read_metrics(path, &n, &metrics));
  for (int i = 0; i < n; i++) take_metric(table, run, &metrics[i]);
  free(metrics);
  if (runfile_read_provenance(path, "commit", &run->commit) != STATUS_OK) run->commit = NULL;
  if (run->core_seconds <= 0) run->core_seconds = core_seconds(path);
  return STATUS_OK;
}

/* Of the directory's run file, which must be this run's. */
static Status take_complete(Table *table, TableRun *run, const char *path) {
  Config *config = NULL;
  TRY(sweep_config(table->sweep, run->run, &config));
  Status status = runfile_same_config(path, config);
  config_destroy(config);
  if (status == STATUS_OK) status = read_run_file(table, run, path);
  if (status != STATUS_OK) return spoil(run);
  run->kind = TABLE_RUN_COMPLETE;
  return STATUS_OK;
}

/* ---- Any run ---- */

static Status take_unfinished(TableRun *run, const char *path, Standing standing,
                              const RunState *state) {
  bool complete;
  if (runfile_is_complete(path, &complete) != STATUS_OK) return spoil(run); /* damaged */
  if (standing == STANDING_WAITING) return STATUS_OK;
  if (standing != STANDING_FAILED) return say(run, standing_name(standing));
  run->kind = TABLE_RUN_FAILED;
  return say(run, *state->message ? state->message : "failed");
}

static Status take_run(Table *table, TableRun *run, const char *directory, const char *path) {
  RunState state = {.kind = STATE_NONE};
  Standing standing = standing_at(directory);
  if (state_read(directory, &state) != STATUS_OK) return spoil(run);
  run->core_seconds = state.core;
  if (standing == STANDING_COMPLETE) return take_complete(table, run, path);
  return take_unfinished(run, path, standing, &state);
}

static Status gather_run(Table *table, TableRun *run) {
  TRY(memory_allocate(&run->values, (size_t)table->n_metrics, sizeof *run->values, "metrics"));
  for (int m = 0; m < table->n_metrics; m++) run->values[m] = (double)NAN;
  char *directory = sweep_run_directory(table->sweep, run->run);
  char *path = directory ? file_join(directory, "run.h5") : NULL;
  Status status = path ? take_run(table, run, directory, path)
                       : status_fail(STATUS_FAILED, "out of memory for a table");
  free(path);
  free(directory);
  return status;
}

double table_core_minutes(const TableRow *row, int *known) {
  double sum = 0;
  *known = 0;
  for (int i = 0; i < row->n; i++) {
    sum += row->runs[i].core_seconds / 60;
    *known += row->runs[i].core_seconds > 0;
  }
  return sum;
}

Status table_gather(Table *table) {
  for (int r = 0; r < table->n_rows; r++) {
    TableRow *row = &table->rows[r];
    Config *config = NULL;
    TRY(sweep_config(table->sweep, row->runs[0].run, &config));
    row->steps = config_int(config, "train.steps");
    config_destroy(config);
    for (int i = 0; i < row->n; i++) TRY(gather_run(table, &row->runs[i]));
  }
  return STATUS_OK;
}
