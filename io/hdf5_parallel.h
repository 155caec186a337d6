/* An HDF5 file that all ranks write together, for run files (io/runfile.h) and volumes for
 * ParaView (io/vtk.h). The whole file is on disk or the old one is. Every call ends with an
 * agreement of all ranks, so that none of them goes into a collective HDF5 call which another one
 * will not reach; after a failed call the file can only be closed. All are Collective with the same
 * arguments on all ranks, but for a slab's rows and values. */
#ifndef IO_HDF5_PARALLEL_H
#define IO_HDF5_PARALLEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "io/hdf5.h"
#include "mpi/comm.h"

typedef struct ParallelFile ParallelFile;

enum { PARALLEL_MAX_RANK = 5 };

/* Creates PATH.tmp. `comm` is borrowed. */
Status parallel_create(const Comm *comm, const char *path, ParallelFile **file);

/* With complete=true, and where nothing failed before: flushes the file, reads its fields through
 * again, and renames it to PATH; else removes it. Frees it in any case. */
Status parallel_close(ParallelFile *file, bool complete);

/* Local. For the calls of io/hdf5.h that write texts, numbers and small data sets. They are
 * collective on this file: after parallel_reserve, and followed by parallel_agree. */
const Hdf5File *parallel_hdf5(const ParallelFile *file);
const Comm *parallel_comm(const ParallelFile *file);

/* Makes sure that the disk has room for `bytes` more of values, and for what HDF5 adds to them. A
 * write that fails inside HDF5's collective calls is not safe: MPI libraries lose the error or
 * leave the other ranks waiting. (An I/O error, not a full disk, is beyond us: it may get lost,
 * which the reading at the end finds, or ranks may wait for ever.) */
Status parallel_reserve(ParallelFile *file, double bytes);

/* All ranks leave with the same status. */
Status parallel_agree(ParallelFile *file, Status status);

/* Creates a data set of float32, chunked, compressed and with checksums, and takes the disk space
 * that it can need at most. The groups on its way are made. */
Status parallel_field(ParallelFile *file, const char *name, int rank, const int64_t *size);

/* Writes rows [first, first+count) of axis 0, values [count][size1]...; count 0 is allowed. Slabs
 * of one call must not overlap; as many calls as wanted, the same number on every rank. */
Status parallel_slab(ParallelFile *file, const char *name, int64_t first, int64_t count,
                     const float *values);

#endif
