/* What the table's block says about some of the rows: references, heat maps, curves, pictures. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/sweep/table_parts.h"

/* ---- Choosing rows ---- */

bool table_row_is(const Table *table, const TableRow *row, const bool *when) {
  for (int k = 0; k < table->n_keys; k++) {
    if (!when[table->keys[k].first + row->choice[k]]) return false;
  }
  return true;
}

int table_partner(const Table *table, const TableReference *reference, int row) {
  if (reference->against == AGAINST_NOTHING) return -1;
  for (int r = 0; r < table->n_rows; r++) {
    int k = 0;
    while (k < table->n_keys) {
      int wanted = reference->partner[k] < 0 ? table->rows[row].choice[k] : reference->partner[k];
      if (table->rows[r].choice[k] != wanted) break;
      k++;
    }
    if (k == table->n_keys) return r;
  }
  return -1;
}

/* `when: {KEY: VALUE or [VALUES], ...}`; NULL: all rows. */
static Status read_when(const Table *table, const Tree *at, bool *when) {
  for (int i = 0; i < table->n_values; i++) when[i] = true;
  if (!at) return STATUS_OK;
  TRY(tree_expect(at, TREE_MAP, "when"));
  for (int i = 0; i < at->n; i++) {
    const Tree *entry = &at->items[i];
    int key;
    TRY(table_find_key(table, entry, entry->key, &key));
    bool list = entry->kind == TREE_LIST;
    memset(when + table->keys[key].first, 0, (size_t)table->keys[key].n_values * sizeof *when);
    for (int v = 0; v < (list ? entry->n : 1); v++) {
      int value;
      TRY(table_find_value(table, key, list ? &entry->items[v] : entry, &value));
      when[table->keys[key].first + value] = true;
    }
  }
  for (int r = 0; r < table->n_rows; r++) {
    if (table_row_is(table, &table->rows[r], when)) return STATUS_OK;
  }
  return tree_fail(at, "when: no run has these values");
}

static Status make_when(const Table *table, const Tree *at, bool **when) {
  TRY(memory_allocate(when, (size_t)table->n_values, sizeof **when, "a choice of rows"));
  return read_when(table, at, *when);
}

/* ---- References ---- */

static Status read_partner(const Table *table, const Tree *at, int **partner) {
  TRY(memory_allocate(partner, (size_t)table->n_keys, sizeof **partner, "a choice of rows"));
  for (int k = 0; k < table->n_keys; k++) (*partner)[k] = -1;
  TRY(tree_expect(at, TREE_MAP, at->key));
  if (at->n == 0) return tree_fail(at, "%s: names no values", at->key);
  for (int i = 0; i < at->n; i++) {
    int key;
    TRY(table_find_key(table, &at->items[i], at->items[i].key, &key));
    TRY(table_find_value(table, key, &at->items[i], &(*partner)[key]));
  }
  return STATUS_OK;
}

static Status read_against(const Table *table, const Tree *at, TableReference *reference) {
  const Tree *minus = tree_get(at, "minus"), *over = tree_get(at, "over");
  if (minus && over) return tree_fail(over, "a reference has `minus` or `over`, not both");
  if (!minus && !over) return STATUS_OK;
  reference->against = minus ? AGAINST_MINUS : AGAINST_OVER;
  return read_partner(table, minus ? minus : over, &reference->partner);
}

static Status read_positive(const Tree *at, const char *what, double least, double *value) {
  TRY(tree_number(at, what, value));
  return *value >= least ? STATUS_OK : tree_fail(at, "%s must be at least %g", what, least);
}

/* How near is near enough. */
static Status read_allowance(const Tree *at, TableReference *reference) {
  static const char *const words[] = {"about", "least", "most", NULL};
  const Tree *bound = tree_get(at, "bound"), *tolerance = tree_get(at, "tolerance"),
             *factor = tree_get(at, "factor");
  const char *word = "about";
  TRY(table_get_text(at, "bound", "about", &word));
  int b = 0;
  while (words[b] && strcmp(words[b], word) != 0) b++;
  if (!words[b]) return tree_fail(bound, "bound: `%.40s` is not about, least or most", word);
  reference->bound = (TableBound)b;
  if (reference->bound != BOUND_ABOUT && (tolerance || factor)) {
    return tree_fail(tolerance ? tolerance : factor, "a bound has no tolerance and no factor");
  }
  if (reference->bound == BOUND_ABOUT && !tolerance == !factor) {
    return tree_fail(at,
                     "a reference needs a `tolerance` (difference) or a `factor` (ratio), or "
                     "`bound: least` or `most`");
  }
  reference->allowance_text = tolerance ? tolerance->text : factor ? factor->text : "";
  if (tolerance) TRY(read_positive(tolerance, "tolerance", 0, &reference->tolerance));
  if (factor) TRY(read_positive(factor, "factor", 1, &reference->factor));
  return STATUS_OK;
}

static Status check_needed(const Tree *at, const char *what, const char *const *keys) {
  for (; *keys; keys++) {
    if (!tree_get(at, *keys)) return tree_fail(at, "%s needs `%s`", what, *keys);
  }
  return STATUS_OK;
}

static Status read_reference(const Table *table, const Tree *at, TableReference *reference) {
  static const char *const known[] = {"when",   "metric", "value", "source", "tolerance",
                                      "factor", "bound",  "minus", "over",   NULL};
  static const char *const needed[] = {"metric", "value", "source", NULL};
  TRY(tree_check_keys(at, "a reference", known));
  TRY(check_needed(at, "a reference", needed));
  reference->at = at;
  TRY(make_when(table, tree_get(at, "when"), &reference->when));
  TRY(table_find_metric(table, tree_get(at, "metric"), &reference->metric));
  TRY(tree_number(tree_get(at, "value"), "value", &reference->value));
  TRY(table_get_text(at, "value", "", &reference->text));
  TRY(table_get_text(at, "source", "", &reference->source));
  TRY(read_allowance(at, reference));
  if (reference->factor > 0 && !(reference->value > 0)) {
    return tree_fail(tree_get(at, "value"), "a factor needs a value above 0");
  }
  return read_against(table, at, reference);
}

/* The partner of every chosen row must be there, and another row for one of them at least. */
static Status check_partners(const Table *table, const TableReference *reference) {
  bool other = reference->against == AGAINST_NOTHING;
  for (int r = 0; r < table->n_rows && reference->against != AGAINST_NOTHING; r++) {
    if (!table_row_is(table, &table->rows[r], reference->when)) continue;
    int partner = table_partner(table, reference, r);
    if (partner < 0) {
      return tree_fail(reference->at, "there is no row to compare \"%s\" with",
                       table->rows[r].name);
    }
    other = other || partner != r;
  }
  return other ? STATUS_OK : tree_fail(reference->at, "compares rows with themselves only");
}

/* A row and metric has one figure of its own. */
static Status check_once(const Table *table, const TableReference *reference) {
  if (reference->against != AGAINST_NOTHING) return STATUS_OK;
  for (const TableReference *other = table->references; other < reference; other++) {
    if (other->against != AGAINST_NOTHING || other->metric != reference->metric) continue;
    for (int r = 0; r < table->n_rows; r++) {
      const TableRow *row = &table->rows[r];
      if (!table_row_is(table, row, other->when) || !table_row_is(table, row, reference->when)) {
        continue;
      }
      return tree_fail(reference->at, "\"%s\" has a reference for %s already, in line %zu",
                       row->name, table->metrics[reference->metric].name, other->at->line);
    }
  }
  return STATUS_OK;
}

static Status read_references(Table *table, const Tree *list) {
  TRY(tree_expect(list, TREE_LIST, "reference"));
  size_t n = (size_t)list->n;
  TRY(memory_allocate(&table->references, n, sizeof *table->references, "references"));
  for (int i = 0; i < list->n; i++) {
    TableReference *reference = &table->references[table->n_references++];
    TRY(read_reference(table, &list->items[i], reference));
    TRY(check_partners(table, reference));
    TRY(check_once(table, reference));
  }
  return STATUS_OK;
}

/* ---- Heat maps, curves, pictures ---- */

static Status read_axis(const Table *table, const Tree *at, int *key) {
  TRY(tree_expect(at, TREE_SCALAR, at->key));
  return table_find_key(table, at, at->text, key);
}

static Status read_log(const Tree *map, bool *log) {
  const Tree *at = tree_get(map, "log");
  return at ? tree_bool(at, "log", log) : STATUS_OK;
}

static Status read_heat(const Table *table, const Tree *at, TableHeat *heat) {
  static const char *const known[] = {"x", "y", "metric", "title", "log", NULL};
  static const char *const needed[] = {"x", "y", "metric", NULL};
  TRY(tree_check_keys(at, "a heat map", known));
  TRY(check_needed(at, "a heat map", needed));
  TRY(read_axis(table, tree_get(at, "x"), &heat->x));
  TRY(read_axis(table, tree_get(at, "y"), &heat->y));
  TRY(table_find_metric(table, tree_get(at, "metric"), &heat->metric));
  if (heat->x == heat->y) return tree_fail(at, "a heat map needs two axes");
  TRY(read_log(at, &heat->log));
  return table_get_text(at, "title", table->metrics[heat->metric].title, &heat->title);
}

static Status read_curves(const Table *table, const Tree *at, TableCurves *curves) {
  static const char *const known[] = {"value", "title", "log", NULL};
  static const char *const needed[] = {"value", NULL};
  TRY(tree_check_keys(at, "curves", known));
  TRY(check_needed(at, "curves", needed));
  TRY(table_get_text(at, "value", "", &curves->value));
  TRY(table_get_text(at, "title", table->sweep->title, &curves->title));
  TRY(read_log(at, &curves->log));
  const Headline *headline = &table->experiment->functions->headline;
  bool is_headline = headline->function && !strcmp(headline->name, curves->value);
  if (is_headline || (!strncmp(curves->value, "loss/", 5) && curves->value[5])) return STATUS_OK;
  return tree_fail(tree_get(at, "value"), "curves: `%.60s` is not loss/total, loss/TERM%s%s",
                   curves->value, headline->function ? " or " : "",
                   headline->function ? headline->name : "");
}

static Status read_picture(const Table *table, const Tree *at, TablePicture *picture) {
  static const char *const known[] = {"file", "when", NULL};
  static const char *const needed[] = {"file", NULL};
  picture->file = at->kind == TREE_SCALAR ? at->text : "";
  if (at->kind != TREE_SCALAR) {
    TRY(tree_check_keys(at, "a picture", known));
    TRY(check_needed(at, "a picture", needed));
    TRY(table_get_text(at, "file", "", &picture->file));
  }
  if (!*picture->file || strchr(picture->file, '/')) {
    return tree_fail(at, "a picture is a file in the runs' directories, such as figure.png");
  }
  return make_when(table, at->kind == TREE_MAP ? tree_get(at, "when") : NULL, &picture->when);
}

/* One entry, or a list of them. */
typedef struct {
  int n;
  const Tree *items;
} Entries;

static Entries entries_of(const Tree *at) {
  if (!at) return (Entries){0, NULL};
  return at->kind == TREE_LIST ? (Entries){at->n, at->items} : (Entries){1, at};
}

Status table_read_choices(Table *table) {
  const Tree *block = table->sweep->table, *reference = tree_get(block, "reference");
  if (reference) TRY(read_references(table, reference));
  Entries heats = entries_of(tree_get(block, "heat")), curves, pictures;
  curves = entries_of(tree_get(block, "curves"));
  pictures = entries_of(tree_get(block, "pictures"));
  TRY(memory_allocate(&table->heats, (size_t)heats.n, sizeof *table->heats, "heat maps"));
  for (int i = 0; i < heats.n; i++) {
    TRY(read_heat(table, &heats.items[i], &table->heats[table->n_heats++]));
  }
  TRY(memory_allocate(&table->curves, (size_t)curves.n, sizeof *table->curves, "curves"));
  for (int i = 0; i < curves.n; i++) {
    TRY(read_curves(table, &curves.items[i], &table->curves[table->n_curves++]));
  }
  TRY(memory_allocate(&table->pictures, (size_t)pictures.n, sizeof *table->pictures, "pictures"));
  for (int i = 0; i < pictures.n; i++) {
    TRY(read_picture(table, &pictures.items[i], &table->pictures[table->n_pictures++]));
  }
  return STATUS_OK;
}
