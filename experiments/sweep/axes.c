#include "experiments/sweep/axes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { MAX_VALUES = SWEEP_MAX_RUNS };

bool axes_find(const Sweep *sweep, const char *key, int *axis, int *position) {
  for (int a = 0; a < sweep->n_axes; a++) {
    for (int k = 0; k < sweep->axes[a].n_keys; k++) {
      if (strcmp(sweep->axes[a].keys[k], key) != 0) continue;
      *axis = a;
      *position = k;
      return true;
    }
  }
  return false;
}

const char *axes_shown(const char *value) {
  return *value ? value : "\"\"";
}

double axes_combinations(const Sweep *sweep) {
  double product = 1;
  for (int a = 0; a < sweep->n_axes; a++) product *= sweep->axes[a].n_values;
  return product;
}

/* ---- Values ---- */

/* The canonical text of a value, checked for this key. */
static Status check_value(const Sweep *sweep, const Tree *at, const char *key, const char *text,
                          char **value) {
  Status status = config_check(sweep->experiment, key, text, value);
  return status == STATUS_OK ? status : tree_prefix(at, status);
}

static Status check_key(const Sweep *sweep, const Tree *at, const char *key) {
  static const struct {
    const char *key, *reason;
  } refused[] = {
      {"experiment", "a sweep has one experiment, its `base`"},
      {"output", "the sweep names the directories of its runs"},
      {"precision",
       "the runs of a sweep have one precision: put it into `set`, and make two sweeps"},
  };
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    if (!strcmp(key, refused[i].key)) {
      return tree_fail(at, "`%s` cannot be an axis: %s", key, refused[i].reason);
    }
  }
  int axis, position;
  if (axes_find(sweep, key, &axis, &position)) {
    return tree_fail(at, "`%s` is an axis already, in line %zu", key, sweep->axes[axis].at->line);
  }
  return STATUS_OK;
}

typedef struct {
  double from, to, step;
  int64_t count;
  bool log;
} Range;

static Status read_range(const Tree *at, Range *range) {
  static const char *const known[] = {"from", "to", "step", "count", "log", NULL};
  TRY(tree_check_keys(at, "a range", known));
  const Tree *from = tree_get(at, "from"), *to = tree_get(at, "to"), *step = tree_get(at, "step"),
             *count = tree_get(at, "count"), *log = tree_get(at, "log");
  if (!from || !to || !step == !count) {
    return tree_fail(at,
                     "a range is {from: A, to: B, count: N}, with log: true for equal "
                     "ratios, or {from: A, to: B, step: S}");
  }
  TRY(tree_number(from, "from", &range->from));
  TRY(tree_number(to, "to", &range->to));
  if (log) TRY(tree_bool(log, "log", &range->log));
  if (count) return tree_integer(count, "count", 1, MAX_VALUES, &range->count);
  TRY(tree_number(step, "step", &range->step));
  double steps = (range->to - range->from) / range->step;
  if (range->log) return tree_fail(log, "log goes with count, not with step");
  if (!(steps >= 0 && steps < MAX_VALUES)) {
    return tree_fail(step, "step %s does not lead from %s to %s in at most %d steps", step->text,
                     from->text, to->text, MAX_VALUES);
  }
  range->count = (int64_t)floor(steps + 1e-9) + 1;
  return STATUS_OK;
}

static Status check_range(const Tree *at, const Range *range) {
  bool bad = range->log && !(range->from > 0 && range->to > 0);
  return bad ? tree_fail(at, "equal ratios need a range above 0") : STATUS_OK;
}

static double range_value(const Range *range, int64_t i) {
  if (range->step != 0) return range->from + (double)i * range->step;
  double share = range->count > 1 ? (double)i / (double)(range->count - 1) : 0;
  if (range->log) return range->from * pow(range->to / range->from, share);
  return range->from + share * (range->to - range->from);
}

/* The values of one key, canonical; *n of them. */
static Status read_range_values(const Sweep *sweep, const char *key, const Tree *at, char ***values,
                                int *n) {
  Range range = {.step = 0};
  TRY(read_range(at, &range));
  TRY(check_range(at, &range));
  TRY(memory_allocate(values, (size_t)range.count, sizeof **values, "an axis"));
  for (*n = 0; *n < range.count; (*n)++) {
    char text[40]; /* without the last digits, where powers and sums have their rounding */
    snprintf(text, sizeof text, "%.12g", range_value(&range, *n));
    TRY(check_value(sweep, at, key, text, &(*values)[*n]));
  }
  return STATUS_OK;
}

static Status read_list_values(const Sweep *sweep, const char *key, const Tree *at, char ***values,
                               int *n) {
  TRY(tree_expect(at, TREE_LIST, at->key));
  if (at->n == 0) return tree_fail(at, "%s: the list is empty", at->key);
  TRY(memory_allocate(values, (size_t)at->n, sizeof **values, "an axis"));
  for (*n = 0; *n < at->n; (*n)++) {
    TRY(tree_expect(&at->items[*n], TREE_SCALAR, at->key));
    TRY(check_value(sweep, &at->items[*n], key, at->items[*n].text, &(*values)[*n]));
  }
  return STATUS_OK;
}

/* `seeds: 3` is 0, 1, 2. */
static Status count_values(const Sweep *sweep, const char *key, const Tree *at, char ***values,
                           int *n) {
  int64_t count;
  TRY(tree_integer(at, at->key, 1, MAX_VALUES, &count));
  TRY(memory_allocate(values, (size_t)count, sizeof **values, "an axis"));
  for (*n = 0; *n < count; (*n)++) {
    char text[24];
    snprintf(text, sizeof text, "%d", *n);
    TRY(check_value(sweep, at, key, text, &(*values)[*n]));
  }
  return STATUS_OK;
}

/* ---- Axes ---- */

static void free_texts(char **texts, int n) {
  for (int i = 0; texts && i < n; i++) free(texts[i]);
  free(texts);
}

/* Puts the values of key `k` into their places; takes them. */
static Status store_key(SweepAxis *axis, const Tree *at, int k, char **values, int n) {
  if (k == 0) {
    axis->n_values = n;
    TRY(memory_allocate(&axis->values, (size_t)n * (size_t)axis->n_keys, sizeof *axis->values,
                        "an axis"));
  }
  if (n != axis->n_values) {
    return tree_fail(at, "`%s` has %d values, but `%s`, with which it varies, has %d", at->key, n,
                     axis->keys[0], axis->n_values);
  }
  for (int i = 0; i < n; i++) {
    axis->values[i * axis->n_keys + k] = values[i];
    values[i] = NULL;
  }
  return STATUS_OK;
}

static Status read_key(Sweep *sweep, SweepAxis *axis, const char *key, const Tree *at, int k) {
  bool count = at->kind == TREE_SCALAR && !strcmp(at->key, "seeds");
  char **values = NULL;
  int n = 0;
  TRY(check_key(sweep, at, key));
  axis->keys[k] = strdup(key);
  if (!axis->keys[k]) return status_fail(STATUS_FAILED, "out of memory for an axis");
  Status status = count                  ? count_values(sweep, key, at, &values, &n)
                  : at->kind == TREE_MAP ? read_range_values(sweep, key, at, &values, &n)
                                         : read_list_values(sweep, key, at, &values, &n);
  if (status == STATUS_OK) status = store_key(axis, at, k, values, n);
  free_texts(values, n);
  return status;
}

/* The axis that the next keys belong to; it counts only once it is whole, but is released. */
static Status begin_axis(Sweep *sweep, const Tree *at, int n_keys, SweepAxis **axis) {
  *axis = &sweep->axes[sweep->n_axes];
  TRY(memory_allocate(&(*axis)->keys, (size_t)n_keys, sizeof *(*axis)->keys, "an axis"));
  (*axis)->at = at;
  (*axis)->n_keys = n_keys;
  return STATUS_OK;
}

static Status read_axis(Sweep *sweep, const Tree *at) {
  TRY(tree_expect(at, TREE_MAP, "an axis, - KEY: [VALUES]"));
  if (at->n == 0) return tree_fail(at, "an axis needs a key and its values, - KEY: [VALUES]");
  SweepAxis *axis;
  TRY(begin_axis(sweep, at, at->n, &axis));
  Status status = STATUS_OK;
  for (int k = 0; status == STATUS_OK && k < at->n; k++) {
    status = read_key(sweep, axis, at->items[k].key, &at->items[k], k);
  }
  sweep->n_axes++;
  return status;
}

static Status read_seeds(Sweep *sweep, const Tree *at) {
  SweepAxis *axis;
  TRY(begin_axis(sweep, at, 1, &axis));
  Status status = read_key(sweep, axis, "seed", at, 0);
  sweep->n_axes++;
  return status;
}

Status axes_read(Sweep *sweep) {
  const Tree *axes = tree_get(sweep->tree, "axes"), *seeds = tree_get(sweep->tree, "seeds");
  if (axes) TRY(tree_expect(axes, TREE_LIST, "axes"));
  int n = (axes ? axes->n : 0) + (seeds != NULL);
  TRY(memory_allocate(&sweep->axes, (size_t)n, sizeof *sweep->axes, "the axes"));
  for (int i = 0; axes && i < axes->n; i++) TRY(read_axis(sweep, &axes->items[i]));
  return seeds ? read_seeds(sweep, seeds) : STATUS_OK;
}

void axes_destroy(Sweep *sweep) {
  for (int a = 0; a < sweep->n_axes; a++) {
    SweepAxis *axis = &sweep->axes[a];
    free_texts(axis->values, axis->values ? axis->n_values * axis->n_keys : 0);
    free_texts(axis->keys, axis->n_keys);
  }
  free(sweep->axes);
}

/* ---- Rules ---- */

/* Whether the canonical text is a value of the rule's entry: a scalar or a list. */
static bool matches(const Sweep *sweep, const Tree *entry, const char *value) {
  int n = entry->kind == TREE_LIST ? entry->n : 1;
  const Tree *items = entry->kind == TREE_LIST ? entry->items : entry;
  bool found = false;
  for (int i = 0; !found && i < n; i++) {
    char *canonical = NULL;
    found = config_check(sweep->experiment, entry->key, items[i].text, &canonical) == STATUS_OK &&
            !strcmp(canonical, value);
    free(canonical);
  }
  return found;
}

static bool holds(const Sweep *sweep, const Tree *rule, const int *choice) {
  for (int i = 0; i < rule->n; i++) {
    int a, k;
    if (!axes_find(sweep, rule->items[i].key, &a, &k)) continue; /* not after axes_check_rules */
    const SweepAxis *axis = &sweep->axes[a];
    if (!matches(sweep, &rule->items[i], axis->values[choice[a] * axis->n_keys + k])) return false;
  }
  return true;
}

static bool any_holds(const Sweep *sweep, const Tree *rules, const int *choice) {
  for (int i = 0; i < rules->n; i++) {
    if (holds(sweep, &rules->items[i], choice)) return true;
  }
  return false;
}

bool axes_left_out(const Sweep *sweep, const int *choice) {
  const Tree *only = tree_get(sweep->tree, "only"), *skip = tree_get(sweep->tree, "skip");
  return (only && !any_holds(sweep, only, choice)) || (skip && any_holds(sweep, skip, choice));
}

/* A value that no run has would be a filter that never holds: an error in the file. */
static Status check_rule_value(const Sweep *sweep, const Tree *entry, const Tree *value) {
  int a, k;
  if (!axes_find(sweep, entry->key, &a, &k)) {
    return tree_fail(entry, "`%s` is no axis of this sweep", entry->key);
  }
  TRY(tree_expect(value, TREE_SCALAR, entry->key));
  char *canonical = NULL;
  TRY(check_value(sweep, value, entry->key, value->text, &canonical));
  const SweepAxis *axis = &sweep->axes[a];
  bool found = false;
  for (int i = 0; i < axis->n_values; i++) {
    found = found || !strcmp(axis->values[i * axis->n_keys + k], canonical);
  }
  free(canonical);
  return found ? STATUS_OK
               : tree_fail(value, "`%s` is no value of the axis `%s`", value->text, entry->key);
}

static Status check_rule(const Sweep *sweep, const Tree *rule) {
  TRY(tree_expect(rule, TREE_MAP, "a rule, - {KEY: VALUE}"));
  for (int i = 0; i < rule->n; i++) {
    const Tree *entry = &rule->items[i];
    bool list = entry->kind == TREE_LIST;
    for (int k = 0; k < (list ? entry->n : 1); k++) {
      TRY(check_rule_value(sweep, entry, list ? &entry->items[k] : entry));
    }
  }
  return STATUS_OK;
}

Status axes_check_rules(const Sweep *sweep) {
  static const char *const names[] = {"only", "skip"};
  for (int i = 0; i < 2; i++) {
    const Tree *rules = tree_get(sweep->tree, names[i]);
    if (!rules) continue;
    TRY(tree_expect(rules, TREE_LIST, names[i]));
    for (int r = 0; r < rules->n; r++) TRY(check_rule(sweep, &rules->items[r]));
  }
  return STATUS_OK;
}
