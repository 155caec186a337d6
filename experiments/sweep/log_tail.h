/* The end of a run's log (experiments/journal.h): how far it has come. Reads a few kilobytes,
 * however long the log is, and a run may be writing it. */
#ifndef EXPERIMENTS_SWEEP_LOG_TAIL_H
#define EXPERIMENTS_SWEEP_LOG_TAIL_H

#include <stddef.h>
#include <stdint.h>

enum { LOG_NAME = 32 };

typedef struct {
  int64_t step;        /* the last one logged, from 0; -1: none */
  double seconds;      /* of training, up to its end */
  double loss;         /* before its update */
  char name[LOG_NAME]; /* of the experiment's headline; "": not in the log */
  double value;        /* of it; NaN: none */
  double step_seconds; /* of a step, over the last ones logged; NaN: unknown */
} LogLine;

/* Local. Never fails: what cannot be read is not there. Damaged lines and half ones are skipped. */
LogLine log_tail(const char *path);

/* Local. The last lines, the newest first; returns how many, at most `most`. Without
 * step_seconds. */
int log_last(const char *path, int most, LogLine *lines);

/* Local. Step and loss of every line, at most 2^22 of them, in arrays of the caller's (free());
 * what cannot be read is left out. */
size_t log_losses(const char *path, double **steps, double **losses);

#endif
