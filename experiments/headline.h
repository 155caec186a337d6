/* What the experiments' headlines (experiments/suite.h) mean to programs that only see their
 * names, in logs. */
#ifndef EXPERIMENTS_HEADLINE_H
#define EXPERIMENTS_HEADLINE_H

#include <stdbool.h>

enum { HEADLINE_TEXT = 40 };

/* Local. Whether more is better: of decibels. */
bool headline_rises(const char *name);

/* Local. "35.47 dB"; "" for NaN. Returns text. */
const char *headline_value(const char *name, double value, char text[HEADLINE_TEXT]);

#endif
