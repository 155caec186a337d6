/* Configuration files and the experiments' built-in ones, the same bytes on all ranks. */
#ifndef EXPERIMENTS_SOURCE_H
#define EXPERIMENTS_SOURCE_H

#include <stddef.h>

#include "mpi/comm.h"

/* Collective; comm NULL: this process alone. The text of the experiment `name`, or of the file: a
 * file or directory of an experiment's name does not hide it, ./NAME is the file. Rank 0 reads, so
 * that all ranks see the same. *text (NUL added) is owned by the caller (free). Fails
 * (STATUS_USAGE, with a close experiment) where there is neither. */
Status source_load(const Comm *comm, const char *name, char **text, size_t *length);

#endif
