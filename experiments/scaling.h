/* `siren bench scaling`: what the parts of a training step take on 1, 2, 4, ... of the job's ranks
 * and threads, beside what a small model (experiments/scaling_model.h) says, and what that model
 * expects of up to 1,024 ranks. */
#ifndef EXPERIMENTS_SCALING_H
#define EXPERIMENTS_SCALING_H

#include <stdio.h>

#include "mpi/comm.h"

/* Collective. The command with the arguments after its name: [--json] [key=value ...]. Fails
 * (STATUS_USAGE) on those it does not know. */
Status scaling_command(const Comm *comm, int argc, const char *const *argv, FILE *out);

/* What the help says. */
#define SCALING_HELP                                                                              \
  "`siren bench scaling` measures the parts of a step on 1, 2, 4, ... ranks and threads of the\n" \
  "job, fits a small model to them, and tells by it what up to 1,024 ranks would take. Keys:\n"   \
  "  network=NAME                  image, video or hypernetwork, the paper's sizes; else all\n"   \
  "  in, width, layers, out, samples, tile     a network and a step of your own instead\n"        \
  "  latency_us, bandwidth_gbs     between nodes: as measured on several, else 1.5 and 12.5\n"    \
  "  ranks_per_node, threads       of the forecast; those of the job\n"                           \
  "  rounds                        visits to each number of ranks and threads, 3 steps each; 2"

#endif
