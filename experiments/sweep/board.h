/* A sweep's directory, or a run's, as it stands: for watching and for reports. Reads only what is
 * whole (state.json, run.h5's presence) and ends of logs; a look at thousands of runs is cheap, and
 * a second one looks only at what has changed. */
#ifndef EXPERIMENTS_SWEEP_BOARD_H
#define EXPERIMENTS_SWEEP_BOARD_H

#include <sys/stat.h>

#include "experiments/state.h"
#include "experiments/sweep/log_tail.h"
#include "experiments/sweep/plan.h"
#include "experiments/sweep/standing.h"

typedef struct {
  char *label, *directory;
  char *brief;       /* the label with the last words of its keys alone: "omega_first=30 seed=1" */
  double forecast;   /* core-seconds; NaN: unknown */
  Standing standing; /* failed: also one whose state cannot be read */
  RunState state;    /* its kind is STATE_NONE where there is no state.json */
  LogLine log;
  double logged;         /* when the log was last written, seconds since 1970; 0: no log */
  struct stat stamps[2]; /* of state.json and log.jsonl as they were read */
} BoardRun;

typedef struct Board {
  char *directory;
  bool sweep; /* false: one run, and its directory is that of the board */
  PlanFile plan;
  struct stat stamp; /* of plan.json */
  int n;
  BoardRun *runs; /* in the plan's order */
  double now;     /* when it was last looked at, seconds since 1970 */
} Board;

/* Local. Fails (STATUS_USAGE) on what is neither a sweep's directory nor a run's, and when the plan
 * is damaged. The board is the caller's. */
Status board_open(const char *directory, Board **board);

/* Local. Looks again; a changed plan is read anew, unless that fails. */
Status board_refresh(Board *board);
void board_close(Board *board); /* NULL is allowed */

#endif
