/* Curves of a run in few points, for charts. */
#ifndef EXPERIMENTS_SWEEP_REPORT_TRACE_H
#define EXPERIMENTS_SWEEP_REPORT_TRACE_H

#include "experiments/sweep/board.h"

enum { TRACE_NAME = 64, TRACE_MOST = 8 };

typedef struct {
  char name[TRACE_NAME];
  int n;
  double *x, *y; /* [n], in order of x, y finite; owned (x holds both) */
} Trace;

/* Local. Losses of a run over the steps, "total" and then the terms if there are several, at most
 * TRACE_MOST; from run.h5, else the total from the log. Of each of `bins` parts of the steps the
 * least and the largest value are kept. Returns how many; none where nothing can be read. */
int trace_run(const BoardRun *run, int most, int bins, Trace traces[TRACE_MOST]);
void trace_destroy(int n, Trace *traces);

#endif
