#define _GNU_SOURCE /* asprintf */
#include "experiments/sweep/sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/source.h"
#include "experiments/suite.h"
#include "experiments/sweep/axes.h"
#include "io/file.h"

enum { MAX_COMBINATIONS = 50 * SWEEP_MAX_RUNS, MAX_LINE = 1024 };

static Status out_of_memory(void) {
  return status_fail(STATUS_FAILED, "out of memory for a sweep");
}

static Status copy(const char *text, char **to) {
  *to = strdup(text);
  return *to ? STATUS_OK : out_of_memory();
}

/* ---- The file ---- */

static Status read_tree(Sweep *sweep, size_t length) {
  static const char *const known[] = {"title", "base", "set",    "axes",  "seeds",
                                      "only",  "skip", "output", "table", NULL};
  TRY(tree_parse(sweep->path, sweep->text, length, &sweep->tree));
  TRY(tree_check_keys(sweep->tree, "a sweep", known));
  if (!tree_get(sweep->tree, "base")) {
    return status_fail(STATUS_USAGE,
                       "%s: `base` is missing: the experiment, or the FILE.yaml, "
                       "that the runs are made from",
                       sweep->path);
  }
  sweep->table = tree_get(sweep->tree, "table");
  return STATUS_OK;
}

/* A scalar at the top, or "". */
static Status read_text(const Sweep *sweep, const char *key, char **text) {
  const Tree *at = tree_get(sweep->tree, key);
  if (at) TRY(tree_expect(at, TREE_SCALAR, key));
  return copy(at ? at->text : "", text);
}

/* "DIRECTORY/NAME.yaml" -> "NAME". */
static Status name_sweep(Sweep *sweep) {
  const char *slash = strrchr(sweep->path, '/');
  TRY(copy(slash ? slash + 1 : sweep->path, &sweep->name));
  char *dot = strrchr(sweep->name, '.');
  if (dot && dot > sweep->name) *dot = '\0';
  return STATUS_OK;
}

/* Relative to the sweep's file, where it is a file. */
static Status name_base(Sweep *sweep) {
  TRY(read_text(sweep, "base", &sweep->base_name));
  const char *slash = strrchr(sweep->path, '/');
  if (suite_find(sweep->base_name) || *sweep->base_name == '/' || !slash) return STATUS_OK;
  char *joined = NULL;
  int length = (int)(slash - sweep->path);
  if (asprintf(&joined, "%.*s/%s", length, sweep->path, sweep->base_name) < 0) {
    return out_of_memory();
  }
  free(sweep->base_name);
  sweep->base_name = joined;
  return STATUS_OK;
}

/* Collective. */
static Status read_base(const Comm *comm, Sweep *sweep) {
  size_t length;
  Status status = source_load(comm, sweep->base_name, &sweep->base_text, &length);
  if (status != STATUS_OK) return tree_prefix(tree_get(sweep->tree, "base"), status);
  Config *config = NULL;
  TRY(config_parse(sweep->base_name, sweep->base_text, length, 0, NULL, &config));
  status = copy(config_text(config, "experiment"), &sweep->experiment);
  config_destroy(config);
  return status;
}

/* ---- Options of all runs ---- */

Status sweep_set(Sweep *sweep, const char *key, const char *value) {
  char **grown = realloc(sweep->set, (size_t)(sweep->n_set + 1) * sizeof *grown);
  if (!grown) return out_of_memory();
  sweep->set = grown;
  if (asprintf(&grown[sweep->n_set], "%s=%s", key, value) < 0) return out_of_memory();
  sweep->n_set++;
  return STATUS_OK;
}

/* Nested mappings are dotted keys. */
static Status read_set(Sweep *sweep, const char *prefix, const Tree *map) {
  TRY(tree_expect(map, TREE_MAP, "set"));
  for (int i = 0; i < map->n; i++) {
    const Tree *at = &map->items[i];
    char key[128], *canonical = NULL;
    snprintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "." : "", at->key);
    if (at->kind == TREE_MAP) {
      TRY(read_set(sweep, key, at));
      continue;
    }
    if (!strcmp(key, "output")) {
      return tree_fail(at, "`output` belongs to the top of the file: it is the sweep's directory");
    }
    TRY(tree_expect(at, TREE_SCALAR, key));
    Status status = config_check(sweep->experiment, key, at->text, &canonical);
    free(canonical);
    if (status != STATUS_OK) return tree_prefix(at, status);
    TRY(sweep_set(sweep, key, at->text));
  }
  return STATUS_OK;
}

/* One "key=value" of the command line. */
static Status add_override(Sweep *sweep, const char *override, const char **output) {
  const char *equals = strchr(override, '=');
  int length = equals ? (int)(equals - override) : 0, axis, position;
  char key[128], *canonical = NULL;
  snprintf(key, sizeof key, "%.*s", length, override);
  if (!equals || !length) {
    return status_fail(STATUS_USAGE, "command line: `%.100s` is not of the form key=value",
                       override);
  }
  if (!strcmp(key, "output")) {
    *output = equals + 1;
    return STATUS_OK;
  }
  if (axes_find(sweep, key, &axis, &position)) {
    return status_fail(STATUS_USAGE,
                       "command line: `%s` is an axis (%s:%zu), whose values are in the file; "
                       "`only` there chooses some of them",
                       key, sweep->path, sweep->axes[axis].at->line);
  }
  Status status = config_check(sweep->experiment, key, equals + 1, &canonical);
  free(canonical);
  if (status != STATUS_OK) return status_prefix(status, "command line");
  return sweep_set(sweep, key, equals + 1);
}

static Status read_overrides(Sweep *sweep, int n, const char *const *overrides) {
  const char *output = NULL;
  char *given = NULL;
  for (int i = 0; i < n; i++) TRY(add_override(sweep, overrides[i], &output));
  if (output && *output) return copy(output, &sweep->directory);
  TRY(read_text(sweep, "output", &given));
  if (*given) {
    sweep->directory = given;
    return STATUS_OK;
  }
  free(given);
  sweep->directory = file_join("runs/sweeps", sweep->name);
  return sweep->directory ? STATUS_OK : out_of_memory();
}

/* ---- Runs ---- */

/* "key=value" of the run's axis and key. */
static void write_choice(const SweepAxis *axis, int choice, int key, char line[MAX_LINE]) {
  snprintf(line, MAX_LINE, "%s=%s", axis->keys[key], axis->values[choice * axis->n_keys + key]);
}

static int count_keys(const Sweep *sweep) {
  int n = 0;
  for (int a = 0; a < sweep->n_axes; a++) n += sweep->axes[a].n_keys;
  return n;
}

/* The configuration of a run; `output` NULL: without. */
static Status make_config(const Sweep *sweep, const SweepRun *run, const char *output,
                          Config **config) {
  int n = sweep->n_set + count_keys(sweep) + (output != NULL), used = sweep->n_set;
  const char **all = NULL;
  char(*lines)[MAX_LINE] = NULL;
  Status status = memory_allocate(&all, (size_t)n, sizeof *all, "a run's options");
  if (status == STATUS_OK) {
    status = memory_allocate(&lines, (size_t)n, sizeof *lines, "a run's options");
  }
  if (status == STATUS_OK) {
    for (int i = 0; i < sweep->n_set; i++) all[i] = sweep->set[i];
    for (int a = 0; a < sweep->n_axes; a++) {
      for (int k = 0; k < sweep->axes[a].n_keys; k++, used++) {
        write_choice(&sweep->axes[a], run->choice[a], k, lines[used]);
        all[used] = lines[used];
      }
    }
    if (output) {
      snprintf(lines[used], MAX_LINE, "output=%s", output);
      all[used] = lines[used];
    }
    status =
        config_parse(sweep->base_name, sweep->base_text, strlen(sweep->base_text), n, all, config);
  }
  free(lines);
  free(all);
  return status;
}

static Status make_label(const Sweep *sweep, SweepRun *run) {
  char *text = NULL;
  size_t length = 0;
  FILE *stream = open_memstream(&text, &length);
  if (!stream) return out_of_memory();
  if (sweep->n_axes == 0) fputs(sweep->name, stream);
  for (int a = 0; a < sweep->n_axes; a++) {
    const SweepAxis *axis = &sweep->axes[a];
    for (int k = 0; k < axis->n_keys; k++) {
      fprintf(stream, "%s%s=%s", a || k ? " " : "", axis->keys[k],
              axes_shown(axis->values[run->choice[a] * axis->n_keys + k]));
    }
  }
  bool failed = fclose(stream) != 0;
  run->label = text;
  return failed || !text ? out_of_memory() : STATUS_OK;
}

static Status identify(const Sweep *sweep, SweepRun *run) {
  Config *config = NULL;
  TRY(make_label(sweep, run));
  Status status = make_config(sweep, run, NULL, &config);
  if (status != STATUS_OK) return status_prefix(status, "%s: %s", sweep->path, run->label);
  snprintf(run->id, sizeof run->id, "%016" PRIx64, config_hash(config));
  config_destroy(config);
  return STATUS_OK;
}

/* The next combination, the last axis fastest; false after the last. */
static bool advance(const Sweep *sweep, int *choice) {
  for (int a = sweep->n_axes - 1; a >= 0; a--) {
    if (++choice[a] < sweep->axes[a].n_values) return true;
    choice[a] = 0;
  }
  return false;
}

static Status too_many(const Sweep *sweep, const char *what, double n, int limit) {
  return status_fail(STATUS_USAGE,
                     "%s: %.0f %s, at most %d are allowed: shorten the axes, or split the sweep",
                     sweep->path, n, what, limit);
}

static Status add_run(Sweep *sweep, const int *choice, size_t *capacity) {
  size_t n = (size_t)sweep->n_runs;
  if (n >= SWEEP_MAX_RUNS) return too_many(sweep, "runs or more", (double)n + 1, SWEEP_MAX_RUNS);
  TRY(memory_grow(&sweep->runs, capacity, n + 1, sizeof *sweep->runs, "the runs"));
  SweepRun *run = &sweep->runs[n];
  *run = (SweepRun){.label = NULL};
  TRY(memory_allocate(&run->choice, (size_t)sweep->n_axes, sizeof *run->choice, "a run"));
  memcpy(run->choice, choice, (size_t)sweep->n_axes * sizeof *choice);
  sweep->n_runs++;
  return identify(sweep, run);
}

static Status list_runs(Sweep *sweep) {
  double all = axes_combinations(sweep);
  if (all > MAX_COMBINATIONS) {
    return too_many(sweep, "combinations of the axes", all, MAX_COMBINATIONS);
  }
  int *choice = NULL;
  size_t capacity = 0;
  TRY(memory_allocate(&choice, (size_t)sweep->n_axes, sizeof *choice, "a run"));
  Status status = STATUS_OK;
  do {
    if (!axes_left_out(sweep, choice)) status = add_run(sweep, choice, &capacity);
  } while (status == STATUS_OK && advance(sweep, choice));
  free(choice);
  TRY(status);
  if (sweep->n_runs > 0) return STATUS_OK;
  return status_fail(STATUS_USAGE, "%s: `only` and `skip` leave no run", sweep->path);
}

static int by_id(const void *a, const void *b) {
  return strcmp((*(const SweepRun *const *)a)->id, (*(const SweepRun *const *)b)->id);
}

/* Two runs of one identity would share a directory. */
static Status check_unique(const Sweep *sweep) {
  const SweepRun **sorted = NULL;
  TRY(memory_allocate(&sorted, (size_t)sweep->n_runs, sizeof *sorted, "the runs"));
  for (int i = 0; i < sweep->n_runs; i++) sorted[i] = &sweep->runs[i];
  qsort(sorted, (size_t)sweep->n_runs, sizeof *sorted, by_id);
  Status status = STATUS_OK;
  for (int i = 1; status == STATUS_OK && i < sweep->n_runs; i++) {
    if (strcmp(sorted[i - 1]->id, sorted[i]->id) != 0) continue;
    status = status_fail(STATUS_USAGE,
                         "%s: the runs `%s` and `%s` compute the same: an axis changes nothing "
                         "there; take a value away, or leave runs out with `skip`",
                         sweep->path, sorted[i - 1]->label, sorted[i]->label);
  }
  free(sorted);
  return status;
}

/* ---- All of it ---- */

/* Collective. */
static Status read_sweep(const Comm *comm, Sweep *sweep, int n, const char *const *overrides) {
  size_t length;
  TRY(source_load(comm, sweep->path, &sweep->text, &length));
  TRY(read_tree(sweep, length));
  TRY(name_sweep(sweep));
  TRY(read_text(sweep, "title", &sweep->title));
  TRY(name_base(sweep));
  TRY(read_base(comm, sweep));
  const Tree *set = tree_get(sweep->tree, "set");
  if (set) TRY(read_set(sweep, "", set));
  TRY(axes_read(sweep));
  TRY(axes_check_rules(sweep));
  TRY(read_overrides(sweep, n, overrides));
  TRY(list_runs(sweep));
  return check_unique(sweep);
}

Status sweep_load(const Comm *comm, const char *path, int n_overrides, const char *const *overrides,
                  Sweep **sweep) {
  if (suite_find(path)) {
    return status_fail(STATUS_USAGE, "%s is an experiment: a sweep is a file, `base: %s` in it",
                       path, path);
  }
  Sweep *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a sweep"));
  Status status = copy(path, &made->path);
  if (status == STATUS_OK) status = read_sweep(comm, made, n_overrides, overrides);
  if (status == STATUS_OK) {
    *sweep = made;
  } else {
    sweep_destroy(made);
  }
  return status;
}

void sweep_destroy(Sweep *sweep) {
  if (!sweep) return;
  for (int i = 0; i < sweep->n_runs; i++) {
    free(sweep->runs[i].label);
    free(sweep->runs[i].choice);
  }
  for (int i = 0; i < sweep->n_set; i++) free(sweep->set[i]);
  axes_destroy(sweep);
  tree_destroy(sweep->tree);
  char *texts[] = {sweep->name,      sweep->title,      sweep->directory, sweep->base_name,
                   sweep->base_text, sweep->experiment, sweep->path,      sweep->text};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free(texts[i]);
  free(sweep->set);
  free(sweep->runs);
  free(sweep);
}

Status sweep_config(const Sweep *sweep, int run, Config **config) {
  char *output = sweep_run_directory(sweep, run);
  if (!output) return out_of_memory();
  Status status = make_config(sweep, &sweep->runs[run], output, config);
  free(output);
  return status;
}

const char *sweep_value(const Sweep *sweep, int run, const char *key) {
  int a, k;
  if (!axes_find(sweep, key, &a, &k)) return NULL;
  return sweep->axes[a].values[sweep->runs[run].choice[a] * sweep->axes[a].n_keys + k];
}

char *sweep_run_directory(const Sweep *sweep, int run) {
  return file_join(sweep->directory, sweep->runs[run].id);
}
