#include "experiments/threads.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "mpi/cpus.h"

enum { MAX_THREADS = 1024 };

/* The outermost level of OMP_NUM_THREADS ("4" or "4,1"); 0 when it is not set. */
static Status read_environment(int *threads) {
  const char *text = getenv("OMP_NUM_THREADS");
  *threads = 0;
  if (!text || !*text) return STATUS_OK;
  char *end;
  long value = strtol(text, &end, 10);
  if (end == text || (*end && *end != ',') || value < 1 || value > MAX_THREADS) {
    return status_fail(STATUS_USAGE, "OMP_NUM_THREADS=%s: expected a number from 1 to %d", text,
                       MAX_THREADS);
  }
  *threads = (int)value;
  return STATUS_OK;
}

Status threads_choose(const Comm *comm, int64_t wanted, int *threads) {
  int environment, share = cpus_share(comm), cpus = cpus_allowed();
  TRY(comm_agree(comm, read_environment(&environment)));
  if (share > MAX_THREADS) share = MAX_THREADS;
  *threads = wanted > 0 ? (int)wanted : environment > 0 ? environment : share;
  omp_set_num_threads(*threads);
  if (comm_rank(comm) == 0 && *threads > cpus) {
    fprintf(stderr, "siren: warning: %d threads on %d CPU%s: this is slower, not faster%s\n",
            *threads, cpus, cpus == 1 ? "" : "s",
            comm_size(comm) > 1 ? " (mpirun --bind-to none frees the ranks' CPUs)" : "");
  }
  return STATUS_OK;
}
