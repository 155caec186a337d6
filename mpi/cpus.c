#define _GNU_SOURCE /* CPU sets */
#include "mpi/cpus.h"

#include <mpi.h>
#include <sched.h>

static cpu_set_t read_mask(void) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask)) CPU_SET(0, &mask);
  return mask;
}

int cpus_allowed(void) {
  cpu_set_t mask = read_mask();
  return CPU_COUNT(&mask);
}

int cpus_share(const Comm *comm) {
  cpu_set_t mine = read_mask();
  MPI_Comm node;
  MPI_Comm_split_type(*(MPI_Comm *)comm_handle(comm), MPI_COMM_TYPE_SHARED, comm_rank(comm),
                      MPI_INFO_NULL, &node);
  int ranks, sharing = 0;
  MPI_Comm_size(node, &ranks);
  for (int rank = 0; rank < ranks; rank++) { /* one set at a time: no memory to run out of */
    cpu_set_t theirs = mine;
    MPI_Bcast(&theirs, sizeof theirs, MPI_BYTE, rank, node);
    CPU_AND(&theirs, &theirs, &mine);
    sharing += CPU_COUNT(&theirs) > 0;
  }
  MPI_Comm_free(&node);
  int cpus = CPU_COUNT(&mine) / sharing;
  return cpus > 1 ? cpus : 1;
}
