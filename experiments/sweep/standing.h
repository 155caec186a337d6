/* How a run of a sweep stands, from its directory. */
#ifndef EXPERIMENTS_SWEEP_STANDING_H
#define EXPERIMENTS_SWEEP_STANDING_H

#include "experiments/sweep/sweep.h"

typedef enum {
  STANDING_WAITING,     /* nothing is there */
  STANDING_RUNNING,     /* as far as one can see */
  STANDING_INTERRUPTED, /* was running, but is no more */
  STANDING_STOPPED,     /* at a checkpoint */
  STANDING_FAILED,
  STANDING_COMPLETE,
  STANDING_COUNT
} Standing;

/* Local. The word for it. */
const char *standing_name(Standing standing);

/* Local. Of a run's directory. What cannot be read counts as failed: the run itself will say why.
 */
Standing standing_at(const char *directory);

/* Local. The same of a run of a sweep. */
Standing standing_of(const Sweep *sweep, int run);

#endif
