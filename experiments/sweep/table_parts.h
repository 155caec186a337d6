/* What the sources table*.c share: the table's block of the file, its rows, what was found. */
#ifndef EXPERIMENTS_SWEEP_TABLE_PARTS_H
#define EXPERIMENTS_SWEEP_TABLE_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "experiments/suite.h"
#include "experiments/sweep/sweep.h"
#include "io/runfile_results.h"

/* ---- The file's block. Texts are borrowed from the sweep ---- */

/* A key that the rows differ in; the seed is none. */
typedef struct {
  const char *key, *title;
  int n_values, first; /* first: the place of its values among those of all keys */
  const char **values; /* canonical, in order of the axis, each once */
  const char **names;  /* what people call them */
  bool named;          /* the file names some; else numbers are told with the title */
  bool hidden;         /* all names are "": no column, no word of a row's name */
} TableKey;

typedef struct {
  const char *name, *title;
  char units[RESULTS_NAME]; /* "": none, or not known yet */
  int decimals, digits;     /* the one that does not count is -1 */
} TableMetric;

typedef enum { BOUND_ABOUT, BOUND_LEAST, BOUND_MOST } TableBound;
typedef enum { AGAINST_NOTHING, AGAINST_MINUS, AGAINST_OVER } TableAgainst;

typedef struct {
  const Tree *at;
  bool *when; /* [values of all keys] what a chosen row may have */
  int metric;
  double value;
  const char *text, *source;  /* text: the value as it is written */
  double tolerance, factor;   /* with BOUND_ABOUT one of them is positive, or both are 0 */
  const char *allowance_text; /* the same as it is written; "" */
  TableBound bound;
  TableAgainst against;
  int *partner; /* [keys] its value, -1: that of the row; NULL where against nothing */
} TableReference;

typedef struct {
  int x, y, metric; /* x, y: keys */
  bool log;
  const char *title;
} TableHeat;

typedef struct {
  const char *value, *title;
  bool log;
} TableCurves;

typedef struct {
  const char *file;
  bool *when;
} TablePicture;

/* ---- Rows ---- */

typedef enum { TABLE_RUN_MISSING, TABLE_RUN_FAILED, TABLE_RUN_COMPLETE } TableRunKind;

typedef struct {
  int run; /* of the sweep */
  TableRunKind kind;
  char *why;           /* it failed, or how it stands; NULL: nothing to say */
  double core_seconds; /* 0: not known */
  double *values;      /* [metrics] NaN: not a number, or none */
  char *commit;        /* NULL: not known */
} TableRun;

typedef struct {
  int *choice; /* [keys] which of the key's values */
  char *name;
  int64_t steps;
  int n;
  TableRun *runs;
} TableRow;

/* ---- Findings: one for each row and metric, and one more for each further reference ---- */

typedef enum {
  VERDICT_NONE,
  VERDICT_REPRODUCED,
  VERDICT_DIFFERS,
  VERDICT_MISSING,
  VERDICT_INVALID
} TableVerdict;

typedef struct {
  int row, metric;
  const TableReference *reference; /* NULL: there is none */
  int partner;                     /* the row that it is against, or -1 */
  int n;                           /* seeds that count */
  double mean, deviation;          /* NaN without, or with one seed */
  double difference;               /* to the reference; NaN without */
  TableVerdict verdict;
} TableFinding;

typedef struct {
  const Sweep *sweep;
  const Experiment *experiment;
  const char *text;
  int n_keys, n_values; /* n_values: of all keys */
  TableKey *keys;
  int n_metrics;
  TableMetric *metrics;
  int n_references;
  TableReference *references;
  int n_heats;
  TableHeat *heats;
  int n_curves;
  TableCurves *curves;
  int n_pictures;
  TablePicture *pictures;
  int n_rows;
  TableRow *rows;
  int n_findings;
  TableFinding *findings;
} Table;

/* ---- table_spec.c: keys, metrics, rows ---- */

/* Local. Reads the block and groups the runs into rows; *table is owned by the caller. */
Status table_read(const Sweep *sweep, Table **table);
void table_destroy(Table *table); /* NULL is allowed */

/* Local. Writes ", " unless it is the first, and the value: "ReLU", or "first omega 30". */
void table_put_value(const TableKey *key, int value, bool *first, FILE *out);

/* Local. The key at a place that names it; or a failure that names a close one. */
Status table_find_key(const Table *table, const Tree *at, const char *text, int *key);

/* Local. Which of the key's values the scalar is. */
Status table_find_value(const Table *table, int key, const Tree *at, int *value);

/* Local. The metric that the scalar names. */
Status table_find_metric(const Table *table, const Tree *at, int *metric);

/* Local. The text of a scalar below `map`, or `otherwise` where there is none. */
Status table_get_text(const Tree *map, const char *key, const char *otherwise, const char **text);

/* ---- table_choice.c: references, pictures ---- */

/* Local. The rest of the block; keys, metrics and rows are known. */
Status table_read_choices(Table *table);

/* Local. Whether a row has values that are all allowed. */
bool table_row_is(const Table *table, const TableRow *row, const bool *when);

/* Local. The row that has the reference's partner values, otherwise this row's; -1: there is none.
 */
int table_partner(const Table *table, const TableReference *reference, int row);

/* ---- table_gather.c, table_judge.c ---- */

/* Local. Fills the rows from the directories of their runs. */
Status table_gather(Table *table);

/* Local. Fills the findings. */
Status table_judge(Table *table);

/* Local. "reproduced", ... */
const char *table_verdict_name(TableVerdict verdict);

/* Local. Sum over the row's runs, and of how many of them it is known. */
double table_core_minutes(const TableRow *row, int *known);

/* ---- table_print.c ---- */

enum { TABLE_NUMBER = 40 };

/* Local. A figure in the metric's style; "–" for NaN. Returns text. */
const char *table_number(const TableMetric *metric, double value, char text[TABLE_NUMBER]);

/* Local. "PSNR, dB" or "PSNR". */
const char *table_metric_label(const TableMetric *metric, char *text, size_t size);

/* Local. Writes the table; `pictures` is the part that embeds them. */
void table_print(const Table *table, const char *into, const char *pictures, FILE *out);

/* ---- table_csv.c ---- */

/* Local. One line for each finding; the first names the columns. */
void table_print_csv(const Table *table, FILE *out);

/* ---- table_pictures.c, table_curves.c ---- */

/* Names of the files that were written, so that no two are the same. */
typedef struct {
  int n;
  char **names;
} TableFiles;

/* Local. "PREFIX-TEXT.png" in small letters and digits, unlike all before; it is kept in files.
 * NULL when out of memory. */
const char *table_file_name(TableFiles *files, const char *prefix, const char *text,
                            const char *suffix);
void table_files_destroy(TableFiles *files);

/* Local. Draws heat maps, draws curves, copies pictures to INTO, and writes the Markdown that shows
 * them. */
Status table_draw(const Table *table, const char *into, FILE *markdown);
Status table_draw_curves(const Table *table, const char *into, TableFiles *files, FILE *markdown);

#endif
