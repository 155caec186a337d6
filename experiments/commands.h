/* The command line `siren`: a table of commands. main.c holds two copies of this program, one for
 * each precision, and enters one of them. */
#ifndef EXPERIMENTS_COMMANDS_H
#define EXPERIMENTS_COMMANDS_H

#include <stdbool.h>
#include <stdio.h>

#include "core/real.h"

#if REAL_IS_DOUBLE
#define siren_main siren_double_main
#else
#define siren_main siren_float_main
#endif

/* Runs a command with the given arguments and returns the exit code, the same on all ranks. Results
 * of rank 0 go to `out`, messages to stderr. Starts and ends MPI. */
int siren_float_main(int argc, char **argv, FILE *out);
int siren_double_main(int argc, char **argv, FILE *out);

/* Whether the command line asks for double precision, as `siren check` always does. Silent: what is
 * wrong with the command line is for siren_main to say. */
bool siren_wants_double(int argc, char **argv);

#endif
