/* The CPUs that a rank may use. */
#ifndef MPI_CPUS_H
#define MPI_CPUS_H

#include "mpi/comm.h"

/* Collective. CPUs of this rank's affinity mask, divided among the ranks of the same node whose
 * masks overlap; at least 1. */
int cpus_share(const Comm *comm);

/* Local. CPUs of this rank's affinity mask, at least 1. */
int cpus_allowed(void);

#endif
