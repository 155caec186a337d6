/* The table as Markdown. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/sweep/table_parts.h"

enum { LABEL = 256, MANY_SEEDS = 12, MANY_COMMITS = 8 };

/* ---- Figures ---- */

/* With zeros at the end, but no point there: 1.00, 100, 2.50e-07. */
static void significant(double value, int digits, char text[TABLE_NUMBER]) {
  snprintf(text, TABLE_NUMBER, value == 0 ? "0" : "%#.*g", digits, value);
  char *point = strchr(text, '.');
  if (point && (point[1] == '\0' || point[1] == 'e')) memmove(point, point + 1, strlen(point));
}

const char *table_number(const TableMetric *metric, double value, char text[TABLE_NUMBER]) {
  if (isnan(value)) {
    snprintf(text, TABLE_NUMBER, "–");
  } else if (isinf(value)) {
    snprintf(text, TABLE_NUMBER, "%s∞", value < 0 ? "-" : "");
  } else if (metric->decimals >= 0 && fabs(value) < 1e12) {
    snprintf(text, TABLE_NUMBER, "%.*f", metric->decimals, value);
  } else {
    significant(value, metric->digits > 0 ? metric->digits : 6, text);
  }
  return text;
}

static const char *deviation_text(const TableMetric *metric, double value,
                                  char text[TABLE_NUMBER]) {
  TableMetric style = *metric;
  if (style.digits > 2) style.digits = 2;
  return table_number(&style, value, text);
}

const char *table_metric_label(const TableMetric *metric, char *text, size_t size) {
  snprintf(text, size, "%s%s%s", metric->title, *metric->units ? ", " : "", metric->units);
  return text;
}

/* ---- Cells ---- */

static void put_text(FILE *out, const char *text) {
  for (; *text; text++) {
    if (*text == '|') fputc('\\', out);
    fputc(*text == '\n' ? ' ' : *text, out);
  }
}

static void put_cell(FILE *out, const char *text) {
  fputs(" ", out);
  put_text(out, text);
  fputs(" |", out);
}

static void put_rule(FILE *out, int columns) {
  fputs("\n|", out);
  for (int i = 0; i < columns; i++) fputs(" --- |", out);
  fputs("\n", out);
}

static int shown_keys(const Table *table) {
  int n = 0;
  for (int k = 0; k < table->n_keys; k++) n += !table->keys[k].hidden;
  return n;
}

static void put_keys(const Table *table, FILE *out) {
  fputs("|", out);
  for (int k = 0; k < table->n_keys; k++) {
    if (!table->keys[k].hidden) put_cell(out, table->keys[k].title);
  }
  if (shown_keys(table) == 0) put_cell(out, "sweep");
}

static int key_columns(const Table *table) {
  int shown = shown_keys(table);
  return shown > 0 ? shown : 1;
}

static void put_values(const Table *table, const TableRow *row, FILE *out) {
  fputs("|", out);
  for (int k = 0; k < table->n_keys; k++) {
    if (!table->keys[k].hidden) put_cell(out, table->keys[k].names[row->choice[k]]);
  }
  if (shown_keys(table) == 0) put_cell(out, row->name);
}

/* A ratio has no units, and the metric's decimals mean nothing for it. */
static TableMetric style_of(const Table *table, const TableFinding *finding) {
  TableMetric style = table->metrics[finding->metric];
  if (finding->partner >= 0 && finding->reference->against == AGAINST_OVER) {
    style.decimals = -1;
    style.digits = 3;
    style.units[0] = '\0';
  }
  return style;
}

static void put_mean(const Table *table, const TableFinding *finding, FILE *out) {
  TableMetric style = style_of(table, finding);
  char mean[TABLE_NUMBER], deviation[TABLE_NUMBER], cell[LABEL];
  table_number(&style, finding->mean, mean);
  deviation_text(&style, finding->deviation, deviation);
  bool known = !isnan(finding->deviation);
  snprintf(cell, sizeof cell, "%s%s%s", mean, known ? " ± " : "", known ? deviation : "");
  put_cell(out, cell);
}

/* ---- One line for each row ---- */

static int complete_runs(const TableRow *row) {
  int n = 0;
  for (int i = 0; i < row->n; i++) n += row->runs[i].kind == TABLE_RUN_COMPLETE;
  return n;
}

static void put_row(const Table *table, int index, FILE *out) {
  const TableRow *row = &table->rows[index];
  TableVerdict verdict = VERDICT_NONE;
  char cell[LABEL];
  put_values(table, row, out);
  for (int i = 0; i < table->n_findings; i++) {
    const TableFinding *finding = &table->findings[i];
    if (finding->row != index) continue;
    /* The worst; what another row lacks is not this one's. */
    bool others = finding->partner >= 0 && finding->verdict > VERDICT_DIFFERS;
    if (finding->verdict > verdict && !others) verdict = finding->verdict;
    if (finding->partner < 0) put_mean(table, finding, out);
  }
  int complete = complete_runs(row), known;
  snprintf(cell, sizeof cell, complete == row->n ? "%d" : "%d of %d", complete, row->n);
  put_cell(out, cell);
  put_cell(out, table_verdict_name(verdict));
  snprintf(cell, sizeof cell, "%lld", (long long)row->steps);
  put_cell(out, cell);
  double minutes = table_core_minutes(row, &known);
  snprintf(cell, sizeof cell, "%.2f", minutes / known);
  put_cell(out, known ? cell : "–");
  fputs("\n", out);
}

static void put_rows(const Table *table, FILE *out) {
  char label[LABEL];
  put_keys(table, out);
  for (int m = 0; m < table->n_metrics; m++) {
    put_cell(out, table_metric_label(&table->metrics[m], label, sizeof label));
  }
  fputs(" seeds | verdict | steps | core-minutes a run |", out);
  put_rule(out, key_columns(table) + table->n_metrics + 4);
  for (int r = 0; r < table->n_rows; r++) put_row(table, r, out);
}

/* ---- One line for each reference and row ---- */

/* "PSNR, dB", "PSNR, dB: difference to ReLU", "MSE: ratio to ReLU". */
static void put_figure(const Table *table, const TableFinding *finding, FILE *out) {
  static const char *const words[] = {"", ": difference to ", ": ratio to "};
  char label[LABEL];
  TableMetric style = style_of(table, finding);
  fprintf(out, " ");
  put_text(out, table_metric_label(&style, label, sizeof label));
  if (finding->partner >= 0) {
    const TableReference *reference = finding->reference;
    char partner[LABEL] = "";
    bool first = true;
    FILE *name = fmemopen(partner, sizeof partner - 1, "w"); /* what does not fit is left away */
    for (int k = 0; name && k < table->n_keys; k++) {
      int value = reference->partner[k];
      if (value >= 0) table_put_value(&table->keys[k], value, &first, name);
    }
    if (name) fclose(name);
    fputs(words[reference->against], out);
    put_text(out, partner);
  }
  fputs(" |", out);
}

static void put_paper(const TableReference *reference, FILE *out) {
  static const char *const bounds[] = {"", "≥ ", "≤ "};
  const char *within = reference->bound != BOUND_ABOUT ? ""
                       : reference->factor > 0         ? ", within a factor of "
                                                       : ", within ";
  fprintf(out, " %s%s%s%s |", bounds[reference->bound], reference->text, within,
          reference->allowance_text);
}

static void put_difference(const Table *table, const TableFinding *finding, FILE *out) {
  TableMetric style = style_of(table, finding);
  char number[TABLE_NUMBER];
  if (isnan(finding->mean)) {
    fputs(" – |", out);
  } else if (finding->reference->factor > 0) {
    fprintf(out, " ×%.3g |", finding->mean / finding->reference->value);
  } else {
    fprintf(out, " %s%s |", finding->difference > 0 ? "+" : "",
            table_number(&style, finding->difference, number));
  }
}

static void put_references(const Table *table, FILE *out) {
  if (table->n_references == 0) return;
  fputs("\n## Beside the paper\n\n", out);
  put_keys(table, out);
  fputs(" figure | ours | paper | difference | verdict | source |", out);
  put_rule(out, key_columns(table) + 6);
  for (int i = 0; i < table->n_findings; i++) {
    const TableFinding *finding = &table->findings[i];
    if (!finding->reference) continue;
    put_values(table, &table->rows[finding->row], out);
    put_figure(table, finding, out);
    put_mean(table, finding, out);
    put_paper(finding->reference, out);
    put_difference(table, finding, out);
    put_cell(out, table_verdict_name(finding->verdict));
    put_cell(out, finding->reference->source);
    fputs("\n", out);
  }
}

/* ---- What is missing, failed, not a number ---- */

static bool is_begun(const TableRow *row) {
  for (int i = 0; i < row->n; i++) {
    if (row->runs[i].kind != TABLE_RUN_MISSING || row->runs[i].why) return true;
  }
  return false;
}

static void put_note(const Table *table, const TableRow *row, const TableRun *run, FILE *out) {
  const char *label = table->sweep->runs[run->run].label;
  if (run->kind == TABLE_RUN_FAILED) {
    fprintf(out, "- %s (`%s`): %s\n", row->name, label, run->why);
  } else if (run->kind == TABLE_RUN_MISSING) {
    fprintf(out, "- %s (`%s`): %s\n", row->name, label, run->why ? run->why : "not begun");
  }
  for (int m = 0; run->kind == TABLE_RUN_COMPLETE && m < table->n_metrics; m++) {
    if (!isnan(run->values[m])) continue;
    fprintf(out, "- %s (`%s`): has no %s, or it is not a number\n", row->name, label,
            table->metrics[m].name);
  }
}

static void put_notes(const Table *table, FILE *out) {
  char *text = NULL;
  size_t length = 0;
  FILE *notes = open_memstream(&text, &length);
  if (!notes) return;
  for (int r = 0; r < table->n_rows; r++) {
    const TableRow *row = &table->rows[r];
    if (!is_begun(row)) {
      fprintf(notes, "- %s: none of its %d runs was begun\n", row->name, row->n);
      continue;
    }
    for (int i = 0; i < row->n; i++) put_note(table, row, &row->runs[i], notes);
  }
  if (fclose(notes) == 0 && length) fprintf(out, "\n## Missing and invalid\n\n%s", text);
  free(text);
}

/* ---- The head ---- */

/* Options that the file itself sets. */
static int count_options(const Tree *set) {
  if (!set) return 0;
  if (set->kind != TREE_MAP) return 1;
  int n = 0;
  for (int i = 0; i < set->n; i++) n += count_options(&set->items[i]);
  return n;
}

/* A path of one machine tells nobody else anything. */
static const char *shown_path(const char *path) {
  const char *slash = strrchr(path, '/');
  return *path == '/' && slash[1] ? slash + 1 : path;
}

static void put_option(const char *option, FILE *out) {
  const char *value = strchr(option, '=') + 1;
  fprintf(out, "%.*s%s", (int)(value - option), option, shown_path(value));
}

static void put_command(const Table *table, const char *into, FILE *out) {
  const Sweep *sweep = table->sweep;
  fprintf(out, "siren table %s", shown_path(sweep->path));
  for (int i = count_options(tree_get(sweep->tree, "set")); i < sweep->n_set; i++) {
    fputs(" ", out);
    put_option(sweep->set[i], out);
  }
  if (strcmp(into, sweep->directory) != 0) fprintf(out, " into=%s", shown_path(into));
}

static void put_seeds(const Table *table, FILE *out) {
  const Sweep *sweep = table->sweep;
  const char *seen[MANY_SEEDS];
  int n = 0;
  for (int run = 0; run < sweep->n_runs; run++) {
    const char *seed = sweep_value(sweep, run, "seed");
    int i = 0;
    while (seed && i < n && strcmp(seen[i], seed) != 0) i++;
    if (!seed || i < n) continue;
    if (n == MANY_SEEDS) {
      fputs(", …", out);
      return;
    }
    fprintf(out, "%s%s", n ? ", " : "seeds ", seed);
    seen[n++] = seed;
  }
  if (n == 0) fputs("one seed", out);
}

static void put_commits(const Table *table, FILE *out) {
  const char *seen[MANY_COMMITS];
  int n = 0;
  for (int r = 0; r < table->n_rows; r++) {
    for (int k = 0; k < table->rows[r].n; k++) {
      const char *commit = table->rows[r].runs[k].commit;
      int i = 0;
      while (commit && i < n && strcmp(seen[i], commit) != 0) i++;
      if (!commit || i < n || n == MANY_COMMITS) continue;
      fprintf(out, "%s%s", n ? ", " : "; commit ", commit);
      seen[n++] = commit;
    }
  }
}

static void put_sums(const Table *table, FILE *out) {
  int complete = 0, known;
  double minutes = 0;
  for (int r = 0; r < table->n_rows; r++) {
    complete += complete_runs(&table->rows[r]);
    minutes += table_core_minutes(&table->rows[r], &known);
  }
  fprintf(out, "%d of %d runs complete, %.1f core-minutes", complete, table->sweep->n_runs,
          minutes);
}

/* Two hyphens would end a comment. */
static void put_comment(const char *text, FILE *out) {
  fputs("<!-- ", out);
  for (; *text; text++) {
    fputc(*text, out);
    if (text[0] == '-' && text[1] == '-') fputc(' ', out);
  }
  fputs(" -->\n", out);
}

static void put_settings(const Table *table, const char *scale, FILE *out) {
  const Sweep *sweep = table->sweep;
  const char *comma = "; `";
  fprintf(out, "\nExperiment %s, scale %s", sweep->experiment, scale);
  for (int i = 0; i < sweep->n_set; i++) {
    if (!strncmp(sweep->set[i], "scale=", 6)) continue;
    fputs(comma, out);
    put_option(sweep->set[i], out);
    comma = "`, `";
  }
  fputs(*comma == ';' ? "; " : "`; ", out);
  put_seeds(table, out);
  fputs(": mean ± sample deviation. ", out);
  put_sums(table, out);
  fputs(".\n\n", out);
}

static void put_head(const Table *table, const char *into, const char *scale, FILE *out) {
  const Sweep *sweep = table->sweep;
  char *text = NULL;
  size_t length = 0;
  FILE *comment = open_memstream(&text, &length);
  if (!comment) return;
  fprintf(comment, "Written by `");
  put_command(table, into, comment);
  fprintf(comment, "`: scale %s; ", scale);
  put_seeds(table, comment);
  fputs("; ", comment);
  put_sums(table, comment);
  put_commits(table, comment);
  fputs(". Nothing here is written by hand.", comment);
  if (fclose(comment) == 0) put_comment(text, out);
  free(text);
  fprintf(out, "# %s\n", *sweep->title ? sweep->title : sweep->name);
  if (*table->text) {
    size_t end = strlen(table->text);
    while (end && table->text[end - 1] == '\n') end--;
    fprintf(out, "\n%.*s\n", (int)end, table->text);
  }
  put_settings(table, scale, out);
}

void table_print(const Table *table, const char *into, const char *pictures, FILE *out) {
  Config *config = NULL;
  bool known = sweep_config(table->sweep, 0, &config) == STATUS_OK;
  put_head(table, into, known ? config_text(config, "scale") : "?", out);
  config_destroy(config);
  put_rows(table, out);
  put_references(table, out);
  fputs(pictures, out);
  put_notes(table, out);
}
