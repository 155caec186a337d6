/* `siren watch DIR`: a running sweep, or a single run, in the terminal. */
#ifndef EXPERIMENTS_SWEEP_WATCH_H
#define EXPERIMENTS_SWEEP_WATCH_H

#include <stdbool.h>
#include <stdio.h>

#include "core/status.h"

typedef struct {
  bool once;       /* one look, although `out` is a terminal */
  double interval; /* seconds between two looks; 0: 2 */
} WatchSettings;

/* Local, on rank 0. Draws the directory's state to `out`, a terminal, again and again until nothing
 * runs or waits any more, or a signal asks to stop (both STATUS_OK); anywhere else, once, as plain
 * lines. Only reads. Fails (STATUS_USAGE) on what is neither a sweep's directory nor a run's. */
Status watch_directory(const char *directory, const WatchSettings *settings, FILE *out);

#endif
