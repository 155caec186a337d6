#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/sweep/table_parts.h"

const char *table_verdict_name(TableVerdict verdict) {
  static const char *const names[] = {"-", "reproduced", "differs", "missing", "invalid"};
  return names[verdict];
}

/* ---- Values over the seeds ---- */

/* "" where the sweep has no seeds: there is one run of each kind. */
static const char *seed_of(const Table *table, const TableRun *run) {
  const char *seed = sweep_value(table->sweep, run->run, "seed");
  return seed ? seed : "";
}

/* The other row's run of the same seed, or NULL. */
static const TableRun *same_seed(const Table *table, const TableRow *other, const TableRun *run) {
  for (int i = 0; i < other->n; i++) {
    if (!strcmp(seed_of(table, &other->runs[i]), seed_of(table, run))) return &other->runs[i];
  }
  return NULL;
}

/* One seed's figure, and whether it is missing or a failure's. */
typedef struct {
  double value;
  bool missing, invalid;
} Sample;

static Sample sample_of(const TableRun *run, int metric) {
  if (!run || run->kind == TABLE_RUN_MISSING)
    return (Sample){.value = (double)NAN, .missing = true};
  bool invalid = run->kind == TABLE_RUN_FAILED || isnan(run->values[metric]);
  return (Sample){.value = run->values[metric], .invalid = invalid};
}

static Sample sample(const Table *table, const TableFinding *finding, const TableRun *run) {
  Sample own = sample_of(run, finding->metric);
  if (finding->partner < 0) return own;
  const TableRun *other = same_seed(table, &table->rows[finding->partner], run);
  Sample theirs = sample_of(other, finding->metric);
  bool minus = finding->reference->against == AGAINST_MINUS;
  return (Sample){.value = minus ? own.value - theirs.value : own.value / theirs.value,
                  .missing = own.missing || theirs.missing,
                  .invalid = own.invalid || theirs.invalid};
}

/* ---- Verdicts ---- */

static bool agrees(const TableReference *reference, double value) {
  switch (reference->bound) {
    case BOUND_LEAST:
      return value >= reference->value;
    case BOUND_MOST:
      return value <= reference->value;
    default:
      break;
  }
  if (reference->factor > 0) {
    return value >= reference->value / reference->factor &&
           value <= reference->value * reference->factor;
  }
  return fabs(value - reference->value) <= reference->tolerance;
}

static TableVerdict compare(const TableFinding *finding) {
  if (!finding->reference) return VERDICT_NONE;
  return agrees(finding->reference, finding->mean) ? VERDICT_REPRODUCED : VERDICT_DIFFERS;
}

/* Sample deviation; in two passes, for figures that are nearly equal. */
static double deviation(const Table *table, const TableFinding *finding) {
  const TableRow *row = &table->rows[finding->row];
  double squares = 0;
  for (int i = 0; i < row->n; i++) {
    double value = sample(table, finding, &row->runs[i]).value;
    if (!isnan(value)) squares += (value - finding->mean) * (value - finding->mean);
  }
  if (finding->n < 2) return (double)NAN;
  double found = sqrt(squares / (finding->n - 1));
  return found <= 1e-12 * fabs(finding->mean) ? 0 : found; /* that is rounding */
}

static void judge(const Table *table, TableFinding *finding) {
  const TableRow *row = &table->rows[finding->row];
  bool missing = false, invalid = false;
  double sum = 0;
  for (int i = 0; i < row->n; i++) {
    Sample one = sample(table, finding, &row->runs[i]);
    missing = missing || one.missing;
    invalid = invalid || one.invalid;
    if (isnan(one.value)) continue;
    sum += one.value;
    finding->n++;
  }
  finding->mean = finding->n ? sum / finding->n : (double)NAN;
  finding->deviation = deviation(table, finding);
  finding->difference =
      finding->reference ? finding->mean - finding->reference->value : (double)NAN;
  finding->verdict = invalid ? VERDICT_INVALID : missing ? VERDICT_MISSING : compare(finding);
}

/* ---- All of them ---- */

static bool concerns(const Table *table, const TableReference *reference, int row, int metric) {
  return reference->metric == metric && table_row_is(table, &table->rows[row], reference->when);
}

static const TableReference *own_reference(const Table *table, int row, int metric) {
  for (int i = 0; i < table->n_references; i++) {
    const TableReference *reference = &table->references[i];
    if (reference->against != AGAINST_NOTHING) continue;
    if (concerns(table, reference, row, metric)) return reference;
  }
  return NULL;
}

static void add(Table *table, TableFinding finding) {
  judge(table, &finding);
  table->findings[table->n_findings++] = finding;
}

static void judge_cell(Table *table, int row, int metric) {
  const TableReference *own = own_reference(table, row, metric);
  add(table, (TableFinding){.row = row, .metric = metric, .reference = own, .partner = -1});
  for (int i = 0; i < table->n_references; i++) {
    const TableReference *reference = &table->references[i];
    if (!concerns(table, reference, row, metric)) continue;
    int partner = table_partner(table, reference, row);
    if (partner < 0 || partner == row) continue;
    add(table,
        (TableFinding){.row = row, .metric = metric, .reference = reference, .partner = partner});
  }
}

Status table_judge(Table *table) {
  size_t most = (size_t)table->n_rows * (size_t)(table->n_metrics + table->n_references);
  TRY(memory_allocate(&table->findings, most, sizeof *table->findings, "findings"));
  for (int r = 0; r < table->n_rows; r++) {
    for (int m = 0; m < table->n_metrics; m++) judge_cell(table, r, m);
  }
  return STATUS_OK;
}
