#include "experiments/headline.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/suite.h"

/* "" of pure numbers, and where no experiment has such a headline. */
static const char *units_of(const char *name) {
  int n;
  const Experiment *table = suite_table(&n);
  for (int i = 0; i < n; i++) {
    const Headline *headline = &table[i].functions->headline;
    if (!headline->function || strcmp(headline->name, name) != 0) continue;
    return strcmp(headline->units, "1") ? headline->units : "";
  }
  return "";
}

bool headline_rises(const char *name) {
  return !strcmp(units_of(name), "dB");
}

const char *headline_value(const char *name, double value, char text[HEADLINE_TEXT]) {
  const char *units = units_of(name);
  text[0] = '\0';
  if (!isnan(value)) {
    snprintf(text, HEADLINE_TEXT, "%.4g%s%s", value, *units ? " " : "", units);
  }
  return text;
}
