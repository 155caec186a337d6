/* OUTPUT/log.jsonl: one JSON object per logged step, for people and tools that watch a run. */
#ifndef EXPERIMENTS_JOURNAL_H
#define EXPERIMENTS_JOURNAL_H

#include <stdint.h>

#include "core/objective.h"
#include "core/status.h"
#include "experiments/suite.h"

typedef struct Journal Journal;

typedef struct {
  int64_t step;        /* from 0; the values are those before this step's update */
  double seconds;      /* of training up to the step's end */
  double lr, total;    /* total: the weighted sum of the terms */
  const double *terms; /* [objective->n_terms], not weighted */
} JournalEntry;

/* Local. Goes on with the log of a run that is at `step`: lines of this and later steps, and
 * damaged ones, are dropped, and the file is replaced as a whole; later lines are appended. */
Status journal_open(const char *directory, int64_t step, Journal **journal);
void journal_close(Journal *journal);

/* Local. Appends a line and flushes it to the system. */
Status journal_write(Journal *journal, const JournalEntry *entry, const Objective *objective,
                     const Headline *headline);

#endif
