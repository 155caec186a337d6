/* The commands about many runs: siren plan, sweep, table, watch, report. */
#ifndef EXPERIMENTS_SWEEP_SWEEP_COMMANDS_H
#define EXPERIMENTS_SWEEP_SWEEP_COMMANDS_H

#include <stdbool.h>
#include <stdio.h>

#include "mpi/comm.h"

/* Collective. argv: SWEEP.yaml and what follows it. Results of rank 0 go to `out`. */
Status sweep_command_plan(const Comm *comm, int argc, const char *const *argv, FILE *out);
Status sweep_command_run(const Comm *comm, int argc, const char *const *argv, FILE *out);
Status sweep_command_table(const Comm *comm, int argc, const char *const *argv, FILE *out);

/* Collective. argv: DIR and what follows it. */
Status sweep_command_watch(const Comm *comm, int argc, const char *const *argv, FILE *out);
Status sweep_command_report(const Comm *comm, int argc, const char *const *argv, FILE *out);

/* Local, silent. Whether the runs of that sweep compute in double precision. */
bool sweep_wants_double(int argc, const char *const *argv);

#endif
