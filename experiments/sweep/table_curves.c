/* What was logged, over the steps: the mean over a row's seeds, in a band from the smallest to the
 * largest. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/sweep/table_parts.h"
#include "io/file.h"
#include "io/picture.h"
#include "io/runfile.h"

enum { LABEL = 256 };

/* A row's curve so far: steps [n] of the first run, sums over runs. */
typedef struct {
  int64_t n, runs;
  double *x, *y, *low, *high; /* x owns all four */
} RowCurve;

/* ---- One run ---- */

/* Its column, or -1 for the headline, which is made of all. */
static Status find_column(const Table *table, const TableCurves *curves, const char *path,
                          const History *history, int *column) {
  *column = -1;
  if (strncmp(curves->value, "loss/", 5) != 0) return STATUS_OK;
  for (int i = 0; i < history->n_columns; i++) {
    if (!strcmp(history->names[i], curves->value + 5)) *column = i;
  }
  if (*column >= 0) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: has no /%s, which %s draws curves of", path, curves->value,
                     table->sweep->path);
}

static double value_of(const Table *table, const History *history, int64_t row, int column) {
  const double *values = history->values + row * history->n_columns;
  if (column >= 0) return values[column];
  return table->experiment->functions->headline.function(values + 1);
}

static Status begin(RowCurve *curve, const History *history) {
  size_t n = (size_t)history->rows;
  TRY(memory_allocate(&curve->x, 4 * n, sizeof *curve->x, "a curve"));
  curve->n = history->rows;
  curve->y = curve->x + n;
  curve->low = curve->y + n;
  curve->high = curve->low + n;
  for (int64_t i = 0; i < curve->n; i++) {
    curve->x[i] = (double)history->step[i];
    curve->low[i] = INFINITY;
    curve->high[i] = -INFINITY;
  }
  return STATUS_OK;
}

/* The runs of a row log the same steps; where they do not, the curve ends. */
static void add(const Table *table, const History *history, int column, RowCurve *curve) {
  int64_t i = 0;
  for (; i < curve->n && i < history->rows; i++) {
    if ((double)history->step[i] != curve->x[i]) break;
    double value = value_of(table, history, i, column);
    curve->y[i] += value;
    curve->low[i] = fmin(curve->low[i], value);
    curve->high[i] = fmax(curve->high[i], value);
  }
  curve->n = i;
  curve->runs++;
}

static Status add_run(const Table *table, const TableCurves *curves, const char *path,
                      RowCurve *curve) {
  History history = {0};
  int column;
  TRY(runfile_read_history(path, &history));
  Status status = find_column(table, curves, path, &history, &column);
  if (status == STATUS_OK && !curve->x) status = begin(curve, &history);
  if (status == STATUS_OK) add(table, &history, column, curve);
  history_destroy(&history);
  return status;
}

/* ---- Rows ---- */

static Status add_row(const Table *table, const TableCurves *curves, const TableRow *row,
                      RowCurve *curve) {
  Status status = STATUS_OK;
  for (int i = 0; status == STATUS_OK && i < row->n; i++) {
    if (row->runs[i].kind != TABLE_RUN_COMPLETE) continue;
    char *directory = sweep_run_directory(table->sweep, row->runs[i].run);
    char *path = directory ? file_join(directory, "run.h5") : NULL;
    status = path ? add_run(table, curves, path, curve)
                  : status_fail(STATUS_FAILED, "out of memory for curves");
    free(path);
    free(directory);
  }
  for (int64_t i = 0; i < curve->n; i++) curve->y[i] /= (double)curve->runs;
  return status;
}

/* "PSNR, dB" of the table's own metric of that name, the headline's name and units, or the path. */
static void label_values(const Table *table, const TableCurves *curves, char *label, size_t size) {
  const Headline *headline = &table->experiment->functions->headline;
  snprintf(label, size, "%s", curves->value);
  if (!strncmp(curves->value, "loss/", 5)) return;
  bool pure = !strcmp(headline->units, "1");
  snprintf(label, size, "%s%s%s", headline->name, pure ? "" : ", ", pure ? "" : headline->units);
  for (int m = 0; m < table->n_metrics; m++) {
    if (strcmp(table->metrics[m].name, headline->name) != 0) continue;
    table_metric_label(&table->metrics[m], label, size);
  }
}

static Status draw_rows(const Table *table, const TableCurves *curves, RowCurve *rows, Curve *drawn,
                        const char *path) {
  int n = 0;
  for (int r = 0; r < table->n_rows; r++) {
    TRY(add_row(table, curves, &table->rows[r], &rows[r]));
    bool band = rows[r].runs > 1;
    drawn[n++] = (Curve){.label = table->rows[r].name,
                         .n = rows[r].n,
                         .x = rows[r].x,
                         .y = rows[r].y,
                         .low = band ? rows[r].low : NULL,
                         .high = band ? rows[r].high : NULL};
  }
  char label[LABEL];
  label_values(table, curves, label, sizeof label);
  return picture_plot(path, &(Plot){curves->title, "step", label, curves->log, n, drawn});
}

static Status draw(const Table *table, const TableCurves *curves, const char *path) {
  RowCurve *rows = NULL;
  Curve *drawn = NULL;
  size_t n = (size_t)table->n_rows;
  Status status = memory_allocate(&rows, n, sizeof *rows, "curves");
  if (status == STATUS_OK) status = memory_allocate(&drawn, n, sizeof *drawn, "curves");
  if (status == STATUS_OK) status = draw_rows(table, curves, rows, drawn, path);
  for (size_t r = 0; rows && r < n; r++) free(rows[r].x);
  free(drawn);
  free(rows);
  return status;
}

Status table_draw_curves(const Table *table, const char *into, TableFiles *files, FILE *markdown) {
  for (int i = 0; i < table->n_curves; i++) {
    const TableCurves *curves = &table->curves[i];
    const char *name = table_file_name(files, "curves", curves->value, ".png");
    char *path = name ? file_join(into, name) : NULL;
    if (!path) return status_fail(STATUS_FAILED, "out of memory for curves");
    Status status = draw(table, curves, path);
    free(path);
    TRY(status);
    char label[LABEL];
    label_values(table, curves, label, sizeof label);
    fprintf(markdown, "\n## Over the steps: %s\n\n", label);
    fprintf(markdown, "Mean over the seeds, in a band from the smallest to the largest.\n\n");
    fprintf(markdown, "![%s](%s)\n", curves->value, name);
  }
  return STATUS_OK;
}
