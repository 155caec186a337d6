#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/sweep/table.h"
#include "experiments/sweep/table_parts.h"

static Status out_of_memory(void) {
  return status_fail(STATUS_FAILED, "out of memory for a table");
}

/* ---- Looking up ---- */

Status table_get_text(const Tree *map, const char *key, const char *otherwise, const char **text) {
  const Tree *at = tree_get(map, key);
  if (at) TRY(tree_expect(at, TREE_SCALAR, key));
  *text = at ? at->text : otherwise;
  return STATUS_OK;
}

Status table_find_key(const Table *table, const Tree *at, const char *text, int *key) {
  for (*key = 0; *key < table->n_keys; (*key)++) {
    if (!strcmp(table->keys[*key].key, text)) return STATUS_OK;
  }
  if (!strcmp(text, "seed")) return tree_fail(at, "`seed`: a row holds all seeds");
  const char **names = NULL;
  TRY(memory_allocate(&names, (size_t)table->n_keys + 1, sizeof *names, "keys"));
  for (int k = 0; k < table->n_keys; k++) names[k] = table->keys[k].key;
  const char *close = config_suggest(text, names);
  free(names);
  return tree_fail(at, "`%.100s` is no axis of this sweep%s%s%s", text,
                   close ? "; did you mean `" : "", close ? close : "", close ? "`?" : "");
}

/* `text` stands at `at`: a scalar's, or a key of `names`. */
static Status find_value(const Table *table, int key, const Tree *at, const char *text,
                         int *value) {
  const TableKey *k = &table->keys[key];
  char *canonical = NULL;
  Status status = config_check(table->sweep->experiment, k->key, text, &canonical);
  if (status != STATUS_OK) return tree_prefix(at, status);
  for (*value = 0; *value < k->n_values; (*value)++) {
    if (!strcmp(k->values[*value], canonical)) break;
  }
  free(canonical);
  if (*value < k->n_values) return STATUS_OK;
  return tree_fail(at, "`%.100s` is no value of the axis `%s`", text, k->key);
}

Status table_find_value(const Table *table, int key, const Tree *at, int *value) {
  TRY(tree_expect(at, TREE_SCALAR, table->keys[key].key));
  return find_value(table, key, at, at->text, value);
}

Status table_find_metric(const Table *table, const Tree *at, int *metric) {
  TRY(tree_expect(at, TREE_SCALAR, "metric"));
  const char **names = NULL;
  TRY(memory_allocate(&names, (size_t)table->n_metrics + 1, sizeof *names, "metrics"));
  for (int m = 0; m < table->n_metrics; m++) names[m] = table->metrics[m].name;
  for (*metric = 0; *metric < table->n_metrics; (*metric)++) {
    if (!strcmp(names[*metric], at->text)) break;
  }
  const char *close = config_suggest(at->text, names);
  free(names);
  if (*metric < table->n_metrics) return STATUS_OK;
  return tree_fail(at, "`%.100s` is not among the table's metrics%s%s%s", at->text,
                   close ? "; did you mean `" : "", close ? close : "", close ? "`?" : "");
}

/* ---- Keys and their values ---- */

static const char *last_word(const char *key) {
  const char *dot = strrchr(key, '.');
  return dot ? dot + 1 : key;
}

static Status add_value(TableKey *key, const char *value) {
  for (int i = 0; i < key->n_values; i++) {
    if (!strcmp(key->values[i], value)) return STATUS_OK;
  }
  key->values[key->n_values] = value;
  key->names[key->n_values++] = *value ? value : "\"\"";
  return STATUS_OK;
}

static Status read_key(const SweepAxis *axis, int k, TableKey *key) {
  key->key = axis->keys[k];
  key->title = last_word(key->key);
  TRY(memory_allocate(&key->values, (size_t)axis->n_values, sizeof *key->values, "values"));
  TRY(memory_allocate(&key->names, (size_t)axis->n_values, sizeof *key->names, "values"));
  for (int v = 0; v < axis->n_values; v++) {
    TRY(add_value(key, axis->values[v * axis->n_keys + k]));
  }
  return STATUS_OK;
}

static Status read_keys(Table *table) {
  const Sweep *sweep = table->sweep;
  size_t n = 0;
  for (int a = 0; a < sweep->n_axes; a++) n += (size_t)sweep->axes[a].n_keys;
  TRY(memory_allocate(&table->keys, n, sizeof *table->keys, "keys"));
  for (int a = 0; a < sweep->n_axes; a++) {
    for (int k = 0; k < sweep->axes[a].n_keys; k++) {
      if (!strcmp(sweep->axes[a].keys[k], "seed")) continue;
      TableKey *key = &table->keys[table->n_keys++];
      TRY(read_key(&sweep->axes[a], k, key));
      key->first = table->n_values;
      table->n_values += key->n_values;
    }
  }
  return STATUS_OK;
}

static Status read_titles(Table *table, const Tree *titles) {
  TRY(tree_expect(titles, TREE_MAP, "titles"));
  for (int i = 0; i < titles->n; i++) {
    const Tree *at = &titles->items[i];
    int key;
    TRY(table_find_key(table, at, at->key, &key));
    TRY(tree_expect(at, TREE_SCALAR, at->key));
    table->keys[key].title = at->text;
  }
  return STATUS_OK;
}

static void hide_unnamed(TableKey *key) {
  key->hidden = true;
  for (int v = 0; v < key->n_values; v++) key->hidden = key->hidden && !*key->names[v];
}

static Status read_names(Table *table, const Tree *names) {
  TRY(tree_expect(names, TREE_MAP, "names"));
  for (int i = 0; i < names->n; i++) {
    const Tree *values = &names->items[i];
    int key, value;
    TRY(table_find_key(table, values, values->key, &key));
    TRY(tree_expect(values, TREE_MAP, values->key));
    table->keys[key].named = true;
    for (int v = 0; v < values->n; v++) {
      const Tree *at = &values->items[v];
      TRY(find_value(table, key, at, at->key, &value));
      TRY(tree_expect(at, TREE_SCALAR, "a name"));
      table->keys[key].names[value] = at->text;
    }
    hide_unnamed(&table->keys[key]);
  }
  return STATUS_OK;
}

/* ---- Metrics ---- */

static Status check_metric(const Table *table, const Tree *at, const char *name) {
  if (suite_has_metric(table->experiment, name)) return STATUS_OK;
  const char *close = suite_suggest_metric(table->experiment, name);
  return tree_fail(at, "%s has no metric `%.60s`%s%s%s", table->experiment->name, name,
                   close ? "; did you mean `" : "", close ? close : "", close ? "`?" : "");
}

static Status read_places(const Tree *at, TableMetric *metric) {
  static const struct {
    const char *key;
    int lower;
  } kinds[] = {{"decimals", 0}, {"digits", 1}};
  int *places[] = {&metric->decimals, &metric->digits};
  if (tree_get(at, "decimals") && tree_get(at, "digits")) {
    return tree_fail(at, "a metric has decimals or digits, not both");
  }
  for (int i = 0; i < 2; i++) {
    const Tree *given = tree_get(at, kinds[i].key);
    int64_t value;
    if (!given) continue;
    TRY(tree_integer(given, kinds[i].key, kinds[i].lower, 12, &value));
    *places[i] = (int)value;
    *places[1 - i] = -1;
  }
  return STATUS_OK;
}

static Status read_metric(const Table *table, const Tree *at, TableMetric *metric) {
  static const char *const known[] = {"name", "title", "units", "decimals", "digits", NULL};
  const char *units = "";
  *metric = (TableMetric){.decimals = -1, .digits = 4};
  if (at->kind == TREE_SCALAR) {
    metric->name = at->text;
  } else {
    TRY(tree_check_keys(at, "a metric", known));
    TRY(table_get_text(at, "name", "", &metric->name));
    TRY(table_get_text(at, "units", "", &units));
    TRY(read_places(at, metric));
  }
  metric->title = metric->name;
  if (at->kind == TREE_MAP) TRY(table_get_text(at, "title", metric->name, &metric->title));
  strncat(metric->units, units, sizeof metric->units - 1);
  for (const TableMetric *other = table->metrics; other < metric; other++) {
    if (!strcmp(other->name, metric->name)) {
      return tree_fail(at, "the metric `%.60s` is given twice", metric->name);
    }
  }
  return check_metric(table, at, metric->name);
}

static Status all_metrics(Table *table) {
  const char *const *names = table->experiment->functions->metrics;
  size_t n = 0;
  while (names[n]) n++;
  TRY(memory_allocate(&table->metrics, n, sizeof *table->metrics, "metrics"));
  for (size_t i = 0; i < n; i++) {
    table->metrics[i] =
        (TableMetric){.name = names[i], .title = names[i], .decimals = -1, .digits = 4};
  }
  table->n_metrics = (int)n;
  return STATUS_OK;
}

static Status read_metrics(Table *table, const Tree *metrics) {
  if (!metrics) return all_metrics(table);
  TRY(tree_expect(metrics, TREE_LIST, "metrics"));
  if (metrics->n == 0) return tree_fail(metrics, "metrics: the list is empty");
  TRY(memory_allocate(&table->metrics, (size_t)metrics->n, sizeof *table->metrics, "metrics"));
  for (; table->n_metrics < metrics->n; table->n_metrics++) {
    int m = table->n_metrics;
    TRY(read_metric(table, &metrics->items[m], &table->metrics[m]));
  }
  return STATUS_OK;
}

/* ---- Rows ---- */

/* Which of the key's values the run has. */
static int choice_of(const Table *table, int run, int key) {
  const char *value = sweep_value(table->sweep, run, table->keys[key].key);
  int i = 0;
  while (strcmp(table->keys[key].values[i], value) != 0) i++;
  return i;
}

void table_put_value(const TableKey *key, int value, bool *first, FILE *out) {
  const char *name = key->names[value];
  char *end;
  if (!*name) return;
  strtod(name, &end);
  bool bare = key->named || *end; /* a word speaks for itself */
  fprintf(out, "%s%s%s%s", *first ? "" : ", ", bare ? "" : key->title, bare ? "" : " ", name);
  *first = false;
}

/* "SIREN, bach": the values of the keys that differ. */
static Status name_row(const Table *table, TableRow *row) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (!out) return out_of_memory();
  bool first = true;
  for (int k = 0; k < table->n_keys; k++) {
    const TableKey *key = &table->keys[k];
    if (key->n_values > 1) table_put_value(key, row->choice[k], &first, out);
  }
  if (first) fputs(table->sweep->name, out);
  bool failed = fclose(out) != 0;
  row->name = text;
  return failed || !text ? out_of_memory() : STATUS_OK;
}

static Status begin_row(Table *table, const int *choice, TableRow **row) {
  *row = &table->rows[table->n_rows++];
  size_t n = (size_t)table->n_keys;
  TRY(memory_allocate(&(*row)->choice, n, sizeof *choice, "a row"));
  memcpy((*row)->choice, choice, n * sizeof *choice);
  return name_row(table, *row);
}

/* The row of a run; the last ones first, for seeds vary fastest. */
static Status find_row(Table *table, const int *choice, TableRow **row) {
  for (int r = table->n_rows - 1; r >= 0; r--) {
    *row = &table->rows[r];
    if (!memcmp((*row)->choice, choice, (size_t)table->n_keys * sizeof *choice)) return STATUS_OK;
  }
  return begin_row(table, choice, row);
}

static Status group_runs(Table *table, int *choice, int *row_of) {
  const Sweep *sweep = table->sweep;
  for (int run = 0; run < sweep->n_runs; run++) {
    TableRow *row;
    for (int k = 0; k < table->n_keys; k++) choice[k] = choice_of(table, run, k);
    TRY(find_row(table, choice, &row));
    row->n++;
    row_of[run] = (int)(row - table->rows);
  }
  for (int r = 0; r < table->n_rows; r++) {
    TableRow *row = &table->rows[r];
    TRY(memory_allocate(&row->runs, (size_t)row->n, sizeof *row->runs, "a row"));
    row->n = 0;
  }
  for (int run = 0; run < sweep->n_runs; run++) {
    TableRow *row = &table->rows[row_of[run]];
    row->runs[row->n++].run = run;
  }
  return STATUS_OK;
}

static Status make_rows(Table *table) {
  size_t n = (size_t)table->sweep->n_runs;
  int *scratch = NULL;
  TRY(memory_allocate(&table->rows, n, sizeof *table->rows, "rows"));
  TRY(memory_allocate(&scratch, n + (size_t)table->n_keys, sizeof *scratch, "rows"));
  Status status = group_runs(table, scratch + n, scratch);
  free(scratch);
  return status;
}

/* ---- All of it ---- */

static Status read_block(Table *table, const Tree *block) {
  static const char *const known[] = {"text", "metrics", "titles",   "names", "reference",
                                      "heat", "curves",  "pictures", NULL};
  if (block) TRY(tree_check_keys(block, "table", known));
  TRY(read_keys(table));
  if (block && tree_get(block, "titles")) TRY(read_titles(table, tree_get(block, "titles")));
  if (block && tree_get(block, "names")) TRY(read_names(table, tree_get(block, "names")));
  TRY(read_metrics(table, block ? tree_get(block, "metrics") : NULL));
  TRY(make_rows(table));
  table->text = "";
  if (!block) return STATUS_OK;
  TRY(table_get_text(block, "text", "", &table->text));
  return table_read_choices(table);
}

Status table_read(const Sweep *sweep, Table **table) {
  Table *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a table"));
  made->sweep = sweep;
  made->experiment = suite_find(sweep->experiment);
  Status status = made->experiment ? read_block(made, sweep->table)
                                   : status_fail(STATUS_USAGE, "%s: there is no experiment `%s`",
                                                 sweep->path, sweep->experiment);
  if (status == STATUS_OK) {
    *table = made;
  } else {
    table_destroy(made);
  }
  return status;
}

static void destroy_row(TableRow *row) {
  for (int i = 0; row->runs && i < row->n; i++) {
    free(row->runs[i].why);
    free(row->runs[i].values);
    free(row->runs[i].commit);
  }
  free(row->runs);
  free(row->choice);
  free(row->name);
}

void table_destroy(Table *table) {
  if (!table) return;
  for (int r = 0; r < table->n_rows; r++) destroy_row(&table->rows[r]);
  for (int k = 0; k < table->n_keys; k++) {
    free(table->keys[k].values);
    free(table->keys[k].names);
  }
  for (int i = 0; i < table->n_references; i++) {
    free(table->references[i].when);
    free(table->references[i].partner);
  }
  for (int i = 0; i < table->n_pictures; i++) free(table->pictures[i].when);
  void *arrays[] = {table->keys,   table->metrics,  table->references, table->heats,
                    table->curves, table->pictures, table->rows,       table->findings};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
  free(table);
}

Status table_check(const Sweep *sweep) {
  Table *table = NULL;
  TRY(table_read(sweep, &table));
  table_destroy(table);
  return STATUS_OK;
}
