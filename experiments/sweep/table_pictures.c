/* Heat maps, and pictures of the runs. */
#define _GNU_SOURCE /* asprintf */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/sweep/table_parts.h"
#include "io/file.h"
#include "io/picture_heat.h"

enum { LABEL = 256, ABREAST = 3 };

static Status out_of_memory(void) {
  return status_fail(STATUS_FAILED, "out of memory for a table's pictures");
}

/* ---- Names of files ---- */

/* Small letters, digits and dots; a hyphen for all else between them. Returns the length. */
static size_t simplify(const char *text, char *to, size_t size) {
  size_t at = 0;
  for (; *text && at + 1 < size; text++) {
    unsigned char c = (unsigned char)*text;
    bool plain = c < 128 && (isalnum(c) || (c == '.' && at > 0));
    if (plain) to[at++] = (char)tolower(c);
    if (!plain && at > 0 && to[at - 1] != '-') to[at++] = '-';
  }
  while (at > 0 && (to[at - 1] == '-' || to[at - 1] == '.')) at--;
  to[at] = '\0';
  return at;
}

static bool is_taken(const TableFiles *files, const char *name) {
  for (int i = 0; i < files->n; i++) {
    if (!strcmp(files->names[i], name)) return true;
  }
  return false;
}

const char *table_file_name(TableFiles *files, const char *prefix, const char *text,
                            const char *suffix) {
  char word[100], name[300];
  const char *hyphen = simplify(text, word, sizeof word) && *prefix ? "-" : "";
  snprintf(name, sizeof name, "%s%s%s%s", prefix, hyphen, word, suffix);
  for (int i = 2; is_taken(files, name); i++) {
    snprintf(name, sizeof name, "%s%s%s-%d%s", prefix, hyphen, word, i, suffix);
  }
  char **grown = realloc(files->names, (size_t)(files->n + 1) * sizeof *grown);
  if (!grown) return NULL;
  files->names = grown;
  grown[files->n] = strdup(name);
  return grown[files->n] ? grown[files->n++] : NULL;
}

void table_files_destroy(TableFiles *files) {
  for (int i = 0; i < files->n; i++) free(files->names[i]);
  free(files->names);
}

/* ---- Heat maps ---- */

/* One picture: rows that agree in all keys but the two axes. */
typedef struct {
  const Table *table;
  const TableHeat *heat;
  int like; /* a row of it */
  double *values;
  const char **texts;
  char (*numbers)[TABLE_NUMBER];
} HeatPlan;

static bool belongs(const HeatPlan *plan, const TableRow *row) {
  const int *like = plan->table->rows[plan->like].choice;
  for (int k = 0; k < plan->table->n_keys; k++) {
    if (k == plan->heat->x || k == plan->heat->y) continue;
    if (row->choice[k] != like[k]) return false;
  }
  return true;
}

/* The first row of a picture draws it. */
static bool is_first(const HeatPlan *plan) {
  for (int r = 0; r < plan->like; r++) {
    if (belongs(plan, &plan->table->rows[r])) return false;
  }
  return true;
}

/* "paper, zero": the values of the other keys, "" where there are none to tell apart. */
static void name_others(const HeatPlan *plan, char name[LABEL]) {
  bool first = true;
  memset(name, 0, LABEL);
  FILE *out = fmemopen(name, LABEL - 1, "w"); /* what does not fit is left away */
  if (!out) return;
  for (int k = 0; k < plan->table->n_keys; k++) {
    const TableKey *key = &plan->table->keys[k];
    if (k == plan->heat->x || k == plan->heat->y || key->n_values < 2) continue;
    table_put_value(key, plan->table->rows[plan->like].choice[k], &first, out);
  }
  fclose(out);
}

static void fill_cells(HeatPlan *plan, int columns) {
  const Table *table = plan->table;
  const TableMetric *metric = &table->metrics[plan->heat->metric];
  int cells = columns * table->keys[plan->heat->y].n_values;
  for (int i = 0; i < cells; i++) {
    plan->values[i] = (double)NAN;
    plan->texts[i] = table_number(metric, plan->values[i], plan->numbers[i]);
  }
  for (int i = 0; i < table->n_findings; i++) {
    const TableFinding *finding = &table->findings[i];
    const TableRow *row = &table->rows[finding->row];
    bool wanted = finding->metric == plan->heat->metric && finding->partner < 0;
    if (!wanted || !belongs(plan, row)) continue;
    int cell = row->choice[plan->heat->y] * columns + row->choice[plan->heat->x];
    plan->values[cell] = finding->mean;
    plan->texts[cell] = table_number(metric, finding->mean, plan->numbers[cell]);
  }
}

static Status allocate(HeatPlan *plan, size_t cells) {
  TRY(memory_allocate(&plan->values, cells, sizeof *plan->values, "a heat map"));
  TRY(memory_allocate(&plan->texts, cells, sizeof *plan->texts, "a heat map"));
  return memory_allocate(&plan->numbers, cells, sizeof *plan->numbers, "a heat map");
}

/* All pictures of one heat map have the same colours. */
static void find_range(const Table *table, const TableHeat *heat, double range[2]) {
  range[0] = INFINITY;
  range[1] = -INFINITY;
  for (int i = 0; i < table->n_findings; i++) {
    const TableFinding *finding = &table->findings[i];
    if (finding->metric != heat->metric || finding->partner >= 0) continue;
    HeatMap cell = {.columns = 1, .rows = 1, .values = &finding->mean, .log = heat->log};
    picture_heat_range(&cell, &range[0], &range[1]);
  }
}

static Status draw_heat(HeatPlan *plan, const char *path, const char *title,
                        const double range[2]) {
  const TableKey *x = &plan->table->keys[plan->heat->x], *y = &plan->table->keys[plan->heat->y];
  char label[LABEL];
  TRY(allocate(plan, (size_t)x->n_values * (size_t)y->n_values));
  fill_cells(plan, x->n_values);
  return picture_heat(
      path, &(HeatMap){.title = title,
                       .x_label = x->title,
                       .y_label = y->title,
                       .bar_label = table_metric_label(&plan->table->metrics[plan->heat->metric],
                                                       label, sizeof label),
                       .columns = x->n_values,
                       .rows = y->n_values,
                       .column_labels = x->names,
                       .row_labels = y->names,
                       .values = plan->values,
                       .texts = plan->texts,
                       .low = range[0],
                       .high = range[1],
                       .log = plan->heat->log});
}

static Status make_heat(HeatPlan *plan, const char *into, const double range[2],
                        TableFiles *files) {
  char others[LABEL], title[2 * LABEL];
  name_others(plan, others);
  snprintf(title, sizeof title, "%s%s%s", plan->heat->title, *others ? ": " : "", others);
  char prefix[80];
  snprintf(prefix, sizeof prefix, "heat-%.64s", plan->table->metrics[plan->heat->metric].name);
  const char *name = table_file_name(files, prefix, others, ".png");
  char *path = name ? file_join(into, name) : NULL;
  if (!path) return out_of_memory();
  Status status = draw_heat(plan, path, title, range);
  free(path);
  free(plan->values);
  free(plan->texts);
  free(plan->numbers);
  return status;
}

/* A line of pictures below their names, as a table of its own; one alone needs none. */
static void show_heats(const HeatPlan *plans, char *const *names, int n, FILE *markdown) {
  char others[ABREAST][LABEL];
  for (int i = 0; i < n; i++) name_others(&plans[i], others[i]);
  const char *edge = *others[0] ? "| " : "";
  fputs("\n", markdown);
  for (int i = 0; *edge && i < n; i++) fprintf(markdown, "| %s ", others[i]);
  fputs(*edge ? "|\n" : "", markdown);
  for (int i = 0; *edge && i < n; i++) fputs("| --- ", markdown);
  fputs(*edge ? "|\n" : "", markdown);
  const char *space = *edge ? " " : "";
  for (int i = 0; i < n; i++) {
    fprintf(markdown, "%s![%s](%s)%s", edge, plans[i].heat->title, names[i], space);
  }
  fputs(*edge ? "|\n" : "\n", markdown);
}

static Status make_heats(const Table *table, const TableHeat *heat, const char *into,
                         TableFiles *files, FILE *markdown) {
  double range[2];
  find_range(table, heat, range);
  fprintf(markdown, "\n## %s\n", heat->title);
  HeatPlan plans[ABREAST];
  int n = 0;
  for (int r = 0; r < table->n_rows; r++) {
    HeatPlan plan = {.table = table, .heat = heat, .like = r};
    if (!is_first(&plan)) continue;
    TRY(make_heat(&plan, into, range, files));
    plans[n++] = plan;
    if (n == ABREAST) show_heats(plans, files->names + files->n - n, n, markdown);
    n %= ABREAST;
  }
  if (n > 0) show_heats(plans, files->names + files->n - n, n, markdown);
  return STATUS_OK;
}

/* ---- Pictures of runs ---- */

/* Copies the file of the row's first complete run; *name is NULL where there is none. */
static Status copy_picture(const Table *table, const TableRow *row, const TablePicture *picture,
                           const char *into, TableFiles *files, const char **name) {
  *name = NULL;
  int i = 0;
  while (i < row->n && row->runs[i].kind != TABLE_RUN_COMPLETE) i++;
  if (i == row->n) return STATUS_OK;
  char *directory = sweep_run_directory(table->sweep, row->runs[i].run);
  char *from = directory ? file_join(directory, picture->file) : NULL, *to = NULL;
  unsigned char *data = NULL;
  size_t length;
  Status status = from ? STATUS_OK : out_of_memory();
  if (status == STATUS_OK && file_exists(from)) {
    char suffix[LABEL];
    snprintf(suffix, sizeof suffix, "-%.200s", picture->file);
    *name = table_file_name(files, "", row->name, suffix);
    to = *name ? file_join(into, *name) : NULL;
    status = to ? file_read(from, &data, &length) : out_of_memory();
    if (status == STATUS_OK) status = file_replace(to, data, length);
  }
  free(data);
  free(to);
  free(from);
  free(directory);
  return status;
}

static Status copy_pictures(const Table *table, const TablePicture *picture, const char *into,
                            TableFiles *files, FILE *markdown) {
  fprintf(markdown, "\n## %s\n", picture->file);
  for (int r = 0; r < table->n_rows; r++) {
    const TableRow *row = &table->rows[r];
    const char *name;
    if (!table_row_is(table, row, picture->when)) continue;
    TRY(copy_picture(table, row, picture, into, files, &name));
    if (name) {
      fprintf(markdown, "\n%s:\n\n![%s](%s)\n", row->name, row->name, name);
    } else {
      fprintf(markdown, "\n%s: no complete run has this picture.\n", row->name);
    }
  }
  return STATUS_OK;
}

static Status draw_all(const Table *table, const char *into, TableFiles *files, FILE *markdown) {
  for (int i = 0; i < table->n_heats; i++) {
    TRY(make_heats(table, &table->heats[i], into, files, markdown));
  }
  TRY(table_draw_curves(table, into, files, markdown));
  for (int i = 0; i < table->n_pictures; i++) {
    TRY(copy_pictures(table, &table->pictures[i], into, files, markdown));
  }
  return STATUS_OK;
}

Status table_draw(const Table *table, const char *into, FILE *markdown) {
  TableFiles files = {0};
  Status status = draw_all(table, into, &files, markdown);
  table_files_destroy(&files);
  return status;
}
