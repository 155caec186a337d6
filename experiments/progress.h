/* How training goes, on stderr: a bar that is redrawn on a terminal, else a line now and then. */
#ifndef EXPERIMENTS_PROGRESS_H
#define EXPERIMENTS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "experiments/suite.h"

typedef struct {
  bool silent, terminal;
  const char *name;
  int64_t first, steps;     /* steps done at the start; in all */
  double started, shown;    /* seconds; shown < 0: nothing yet */
  const Headline *headline; /* borrowed */
} Progress;

/* Local. Seconds of a clock that never jumps. */
double progress_clock(void);

/* Local. "2:03:04" or "3:04". */
void progress_time(double seconds, char text[24]);

/* Local. `silent` on ranks that show nothing. */
Progress progress_start(bool silent, const char *name, int64_t first, int64_t steps,
                        const Headline *headline);

/* Local. After a step: `done` of them, the loss and the terms before the last update. */
void progress_step(Progress *progress, int64_t done, double loss, const double *terms);

/* Local. The same of things that have no loss: `done` of `steps` (0: nobody knows how many) of what
 * `things` says. */
void progress_count(Progress *progress, int64_t done, const char *things);

/* Local. Ends the bar's line, so that something else can be written. */
void progress_break(Progress *progress);

#endif
