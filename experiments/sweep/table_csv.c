#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/sweep/table_parts.h"

static void put_text(FILE *out, const char *text) {
  if (!strpbrk(text, ",\"\n\r")) {
    fputs(text, out);
    return;
  }
  fputc('"', out);
  for (; *text; text++) {
    if (*text == '"') fputc('"', out);
    fputc(*text, out);
  }
  fputc('"', out);
}

/* Empty for NaN. */
static void put_number(FILE *out, double value) {
  fputc(',', out);
  if (!isnan(value)) fprintf(out, "%.9g", value);
}

/* "minus variant=relu". */
static void put_against(const Table *table, const TableFinding *finding, FILE *out) {
  char *text = NULL;
  size_t length = 0;
  fputc(',', out);
  if (finding->partner < 0) return;
  FILE *words = open_memstream(&text, &length);
  if (!words) return;
  const TableReference *reference = finding->reference;
  fputs(reference->against == AGAINST_MINUS ? "minus" : "over", words);
  for (int k = 0; k < table->n_keys; k++) {
    const TableKey *key = &table->keys[k];
    int value = reference->partner[k];
    if (value >= 0) fprintf(words, " %s=%s", key->key, key->values[value]);
  }
  if (fclose(words) == 0) put_text(out, text);
  free(text);
}

static void put_line(const Table *table, const TableFinding *finding, FILE *out) {
  static const char *const bounds[] = {"about", "least", "most"};
  const TableRow *row = &table->rows[finding->row];
  const TableMetric *metric = &table->metrics[finding->metric];
  const TableReference *reference = finding->reference;
  for (int k = 0; k < table->n_keys; k++) {
    put_text(out, table->keys[k].values[row->choice[k]]);
    fputc(',', out);
  }
  put_text(out, metric->name);
  put_against(table, finding, out);
  fputc(',', out);
  put_text(out, metric->units);
  fprintf(out, ",%d,%d", finding->n, row->n);
  put_number(out, finding->mean);
  put_number(out, finding->deviation);
  put_number(out, reference ? reference->value : (double)NAN);
  fprintf(out, ",%s", reference ? bounds[reference->bound] : "");
  bool about = reference && reference->bound == BOUND_ABOUT;
  put_number(out, about && reference->factor <= 0 ? reference->tolerance : (double)NAN);
  put_number(out, about && reference->factor > 0 ? reference->factor : (double)NAN);
  put_number(out, finding->difference);
  fprintf(out, ",%s,", table_verdict_name(finding->verdict));
  put_text(out, reference ? reference->source : "");
  fprintf(out, ",%lld", (long long)row->steps);
  int known;
  double minutes = table_core_minutes(row, &known);
  put_number(out, minutes / known); /* NaN where none is known */
  fputc('\n', out);
}

void table_print_csv(const Table *table, FILE *out) {
  for (int k = 0; k < table->n_keys; k++) {
    put_text(out, table->keys[k].key);
    fputc(',', out);
  }
  fputs(
      "metric,against,units,n,seeds,mean,deviation,paper,bound,tolerance,factor,difference,"
      "verdict,source,steps,core_minutes\n",
      out);
  for (int i = 0; i < table->n_findings; i++) put_line(table, &table->findings[i], out);
}
