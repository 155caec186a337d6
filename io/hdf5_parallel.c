#include "io/hdf5_parallel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/file.h"

/* Chunks are a collective write's unit: 64 kB to 1 MB keeps both the index and the buffers small.
 */
enum { CHUNK_BYTES = 512 << 10, DEFLATE_LEVEL = 4 };

/* Room beyond the values that a call writes: attributes, headers, chunk indices, checksums. */
enum { METADATA_BYTES = 64 << 10 };

struct ParallelFile {
  const Comm *comm;
  Hdf5File hdf5;
  hid_t transfer; /* collective: what compressed data sets need */
  char *path, *temporary;
  int fd;         /* of the temporary, on rank 0; else -1 */
  off_t reserved; /* bytes of disk space, on rank 0 */
  bool broken;
  size_t n_fields, capacity;
  char **fields; /* names of the data sets that slabs go to */
};

const Hdf5File *parallel_hdf5(const ParallelFile *file) {
  return &file->hdf5;
}

const Comm *parallel_comm(const ParallelFile *file) {
  return file->comm;
}

Status parallel_agree(ParallelFile *file, Status status) {
  status = comm_agree(file->comm, status);
  if (status != STATUS_OK) file->broken = true;
  return status;
}

/* ---- Disk space ---- */

static Status broken(const ParallelFile *file) {
  return status_fail(STATUS_FAILED, "%s: an earlier write failed", file->path);
}

Status parallel_reserve(ParallelFile *file, double bytes) {
  Status status = STATUS_OK;
  if (file->broken) return broken(file);
  if (file->fd >= 0) {
    off_t from = file->reserved;
    file->reserved += (off_t)bytes + METADATA_BYTES;
    status = file_reserve(file->fd, file->temporary, from, file->reserved);
  }
  return parallel_agree(file, status);
}

/* ---- Creation and end ---- */

/* Files that Open MPI's shared file pointers (mpi/comm.c) leave where a run was killed or a file
 * abandoned: of the kinds `lockedfile` and `individual`. */
static const char *const mpi_litter[] = {"-*.lock", ".locktest.*", ".data.*", ".metadata.*", NULL};

static Status create_temporary(ParallelFile *file) {
  file_remove_others(file->temporary, mpi_litter);
  file->fd = open(file->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file->fd >= 0) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: cannot create: %s", file->temporary, strerror(errno));
}

static Status create_hdf5(ParallelFile *file) {
  hdf5_quiet();
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_mpio(access, *(MPI_Comm *)comm_handle(file->comm), MPI_INFO_NULL);
  H5Pset_all_coll_metadata_ops(access, true);
  H5Pset_coll_metadata_write(access, true);
  Status status = STATUS_OK;
  hid_t id = H5Fcreate(file->temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  if (id < 0) status = hdf5_fail(file->temporary, "create on all ranks");
  H5Pclose(access);
  file->transfer = H5Pcreate(H5P_DATASET_XFER);
  H5Pset_dxpl_mpio(file->transfer, H5FD_MPIO_COLLECTIVE);
  file->hdf5 = (Hdf5File){.file = id, .writer = comm_rank(file->comm) == 0, .path = file->path};
  return status;
}

static void destroy(ParallelFile *file) {
  if (file->fd >= 0) close(file->fd);
  if (file->transfer >= 0) H5Pclose(file->transfer);
  for (size_t i = 0; i < file->n_fields; i++) free(file->fields[i]);
  free(file->fields);
  free(file->temporary);
  free(file->path);
  free(file);
}

static ParallelFile *new_file(const Comm *comm, const char *path) {
  ParallelFile *file = calloc(1, sizeof *file);
  char *copy = strdup(path), *temporary = malloc(strlen(path) + sizeof ".tmp");
  assert(file && copy && temporary);
  sprintf(temporary, "%s.tmp", path);
  *file = (ParallelFile){.comm = comm,
                         .hdf5 = {.file = H5I_INVALID_HID},
                         .transfer = H5I_INVALID_HID,
                         .path = copy,
                         .temporary = temporary,
                         .fd = -1};
  return file;
}

Status parallel_create(const Comm *comm, const char *path, ParallelFile **result) {
  ParallelFile *file = new_file(comm, path);
  Status status = comm_rank(comm) == 0 ? create_temporary(file) : STATUS_OK;
  status = parallel_agree(file, status);
  if (status == STATUS_OK) status = parallel_agree(file, create_hdf5(file));
  if (status == STATUS_OK) status = parallel_reserve(file, 0);
  if (status == STATUS_OK) {
    *result = file;
  } else {
    parallel_close(file, false);
  }
  return status;
}

/* Collective. Closes the HDF5 side of a file that is not broken; all ranks' bytes are on disk if it
 * succeeds. */
static Status close_hdf5(ParallelFile *file) {
  Status status = STATUS_OK;
  hid_t id = file->hdf5.file;
  if (H5Fflush(id, H5F_SCOPE_GLOBAL) < 0) status = hdf5_fail(file->path, "flush");
  TRY(parallel_agree(file, status));
  if (H5Fclose(id) < 0) status = hdf5_fail(file->path, "close");
  return parallel_agree(file, status);
}

/* Rank 0: reads the fields again. Errors of collective writes may get lost in the MPI library (Open
 * MPI 4.1 with some of its write algorithms); the chunks' checksums find what is missing. */
static Status verify(const ParallelFile *file) {
  Hdf5File written;
  TRY(hdf5_open(file->temporary, &written));
  Status status = STATUS_OK;
  for (size_t i = 0; status == STATUS_OK && i < file->n_fields; i++) {
    status = hdf5_check(&written, file->fields[i]);
  }
  hdf5_close(&written);
  return status;
}

/* Rank 0: gives back what was reserved and not used, and puts the file in its place. */
static Status publish(const ParallelFile *file) {
  TRY(verify(file));
  return file_settle(file->fd, file->temporary, file->path);
}

Status parallel_close(ParallelFile *file, bool complete) {
  Status status = STATUS_OK;
  if (!file->broken) {
    status = close_hdf5(file);
  } else if (complete) {
    status = broken(file);
  }
  if (complete && status == STATUS_OK) {
    status = parallel_agree(file, file->fd >= 0 ? publish(file) : STATUS_OK);
  }
  if (file->fd >= 0 && (!complete || status != STATUS_OK)) {
    unlink(file->temporary);
    file_remove_others(file->temporary, mpi_litter);
  }
  destroy(file);
  return status;
}

/* ---- Fields ---- */

/* Halves the slowest axes until a chunk is small enough: ranks' slabs are rows of axis 0. */
static void choose_chunk(int rank, const int64_t *size, hsize_t *chunk) {
  double bytes = sizeof(float);
  for (int i = 0; i < rank; i++) bytes *= (double)(chunk[i] = size[i] > 0 ? (hsize_t)size[i] : 1);
  for (int i = 0; i < rank && bytes > CHUNK_BYTES; i++) {
    while (chunk[i] > 1 && bytes > CHUNK_BYTES) {
      bytes /= (double)chunk[i];
      chunk[i] = (chunk[i] + 1) / 2;
      bytes *= (double)chunk[i];
    }
  }
}

/* Keeps the name, for reading the field again at the end. */
static Status remember(ParallelFile *file, const char *name) {
  TRY(memory_grow(&file->fields, &file->capacity, file->n_fields + 1, sizeof *file->fields,
                  "a file's fields"));
  size_t bytes = strlen(name) + 1;
  char *copy;
  TRY(memory_allocate(&copy, bytes, 1, "a field's name"));
  file->fields[file->n_fields++] = memcpy(copy, name, bytes);
  return STATUS_OK;
}

static Status create_field(const ParallelFile *file, const char *name, int rank,
                           const int64_t *size) {
  hsize_t chunk[PARALLEL_MAX_RANK];
  choose_chunk(rank, size, chunk);
  hid_t properties = hdf5_dataset_properties();
  H5Pset_chunk(properties, rank, chunk);
  H5Pset_shuffle(properties);
  H5Pset_deflate(properties, DEFLATE_LEVEL);
  H5Pset_fletcher32(properties); /* a lost write shows when it is read */
  Status status = hdf5_create(&file->hdf5, name, H5T_NATIVE_FLOAT, rank, size, properties);
  H5Pclose(properties);
  return status;
}

Status parallel_field(ParallelFile *file, const char *name, int rank, const int64_t *size) {
  double bytes = sizeof(float);
  assert(rank >= 1 && rank <= PARALLEL_MAX_RANK);
  for (int i = 0; i < rank; i++) bytes *= (double)size[i];
  TRY(parallel_reserve(file, 1.01 * bytes));
  TRY(parallel_agree(file, remember(file, name)));
  return parallel_agree(file, create_field(file, name, rank, size));
}

static Status write_slab(const ParallelFile *file, const char *name, hid_t set, int64_t first,
                         int64_t count, const float *values) {
  hsize_t dims[PARALLEL_MAX_RANK], start[PARALLEL_MAX_RANK] = {(hsize_t)first};
  hsize_t extent[PARALLEL_MAX_RANK];
  hid_t space = H5Dget_space(set);
  int rank = H5Sget_simple_extent_dims(space, dims, NULL);
  memcpy(extent, dims, sizeof extent);
  extent[0] = (hsize_t)count;
  assert(first >= 0 && count >= 0 && (count == 0 || (hsize_t)(first + count) <= dims[0]));
  hid_t memory = H5Screate_simple(rank, extent, NULL);
  if (count > 0) {
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL);
  } else {
    H5Sselect_none(space);
    H5Sselect_none(memory);
  }
  Status status = STATUS_OK;
  if (H5Dwrite(set, H5T_NATIVE_FLOAT, memory, space, file->transfer, values) < 0) {
    status = hdf5_fail(file->path, "write %s", name);
  }
  H5Sclose(memory);
  H5Sclose(space);
  return status;
}

Status parallel_slab(ParallelFile *file, const char *name, int64_t first, int64_t count,
                     const float *values) {
  if (file->broken) return broken(file);
  hid_t set = H5Dopen2(file->hdf5.file, name, H5P_DEFAULT);
  TRY(parallel_agree(file, set < 0 ? hdf5_fail(file->path, "open %s", name) : STATUS_OK));
  TRY(parallel_agree(file, write_slab(file, name, set, first, count, values)));
  H5Dclose(set);
  return STATUS_OK;
}
