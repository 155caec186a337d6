/* OUTPUT/state.json: how a run stands, for sweeps and for people who watch. Written when a run
 * begins and when it ends, as a whole; a run that was killed says "running" for ever, which
 * state_alive tells apart where it can. */
#ifndef EXPERIMENTS_STATE_H
#define EXPERIMENTS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

typedef enum { STATE_NONE, STATE_RUNNING, STATE_STOPPED, STATE_FAILED, STATE_COMPLETE } StateKind;

enum { STATE_MESSAGE = 1024, STATE_HOST = 256 };

typedef struct {
  StateKind kind;
  char message[STATE_MESSAGE]; /* why it failed or stopped; else "" */
  char host[STATE_HOST];
  int process;           /* of the first rank */
  int ranks, threads;    /* threads of a rank; 0: not known yet */
  int64_t steps;         /* to do in all */
  int attempts;          /* how often it was begun or gone on with */
  double started, ended; /* seconds since 1970, of the last attempt; ended 0: not yet */
  double train, core;    /* seconds of training so far; core-seconds of all attempts, set-up and
                            evaluation included */
} RunState;

/* Local. The word in the file: "running", "stopped", ... */
const char *state_name(StateKind kind);

Status state_write(const char *directory, const RunState *state);

/* Local. STATE_NONE where there is no such file. A damaged file is an error that names it. */
Status state_read(const char *directory, RunState *state);

/* Local. Fills host and process with those that call. */
void state_here(RunState *state);

/* Local. Whether a run that says "running" may still do so: its process is there, or it is on
 * another host and has logged something within the last ten minutes. */
bool state_alive(const char *directory, const RunState *state);

#endif
