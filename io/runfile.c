/* Writing the run file. Every call ends with an agreement of all ranks, so that none of them goes
 * into a collective HDF5 call which another one will not reach. */
#include "io/runfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file.h"
#include "io/layout.h"

/* Chunks are a collective write's unit: 64 kB to 1 MB keeps both the index and the buffers small.
 */
enum { CHUNK_BYTES = 512 << 10, DEFLATE_LEVEL = 4 };

/* Room beyond the values that a call writes: attributes, headers, chunk indices, checksums. */
enum { METADATA_BYTES = 64 << 10 };

struct RunFile {
  const Comm *comm;
  Hdf5File hdf5;
  hid_t transfer; /* collective: what compressed data sets need */
  char *path, *temporary;
  int fd;         /* of the temporary, on rank 0; else -1 */
  off_t reserved; /* bytes of disk space, on rank 0 */
  bool broken;
};

enum { FIELD_PATH = 160 };
static void field_path(const char *name, char path[FIELD_PATH]) {
  snprintf(path, FIELD_PATH, "/fields/%s", name);
}

/* All ranks leave with the same status; after a failure the file can only be closed. */
static Status agree(RunFile *file, Status status) {
  status = comm_agree(file->comm, status);
  if (status != STATUS_OK) file->broken = true;
  return status;
}

/* Collective. Makes sure that the disk has room for `bytes` more. A write that fails inside HDF5's
 * collective calls is not safe: MPI libraries lose the error or leave the other ranks waiting. */
static Status reserve(RunFile *file, double bytes) {
  Status status = STATUS_OK;
  if (file->broken) return status_fail(STATUS_FAILED, "%s: an earlier write failed", file->path);
  if (file->fd >= 0) {
    off_t from = file->reserved;
    file->reserved += (off_t)bytes + METADATA_BYTES;
    status = file_reserve(file->fd, file->temporary, from, file->reserved);
  }
  return agree(file, status);
}

/* ---- Creation and end ---- */

static Status create_temporary(RunFile *file) {
  file->fd = open(file->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file->fd >= 0) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: cannot create: %s", file->temporary, strerror(errno));
}

static Status create_parallel(RunFile *file) {
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

static Status write_skeleton(RunFile *file) {
  TRY(layout_write_format(&file->hdf5, "siren run"));
  TRY(hdf5_group(&file->hdf5, "/metrics"));
  return hdf5_group(&file->hdf5, "/fields");
}

static void destroy(RunFile *file) {
  if (file->fd >= 0) close(file->fd);
  free(file->temporary);
  free(file->path);
  free(file);
}

static RunFile *new_file(const Comm *comm, const char *path) {
  RunFile *file = calloc(1, sizeof *file);
  char *copy = strdup(path), *temporary = malloc(strlen(path) + sizeof ".tmp");
  assert(file && copy && temporary);
  sprintf(temporary, "%s.tmp", path);
  *file = (RunFile){.comm = comm,
                    .hdf5 = {.file = H5I_INVALID_HID},
                    .transfer = H5I_INVALID_HID,
                    .path = copy,
                    .temporary = temporary,
                    .fd = -1};
  return file;
}

Status runfile_create(const Comm *comm, const char *path, RunFile **result) {
  RunFile *file = new_file(comm, path);
  Status status = comm_rank(comm) == 0 ? create_temporary(file) : STATUS_OK;
  status = agree(file, status);
  if (status == STATUS_OK) status = agree(file, create_parallel(file));
  if (status == STATUS_OK) status = reserve(file, 0);
  if (status == STATUS_OK) status = agree(file, write_skeleton(file));
  if (status == STATUS_OK) {
    *result = file;
  } else {
    runfile_close(file, false);
  }
  return status;
}

/* Collective. Closes the HDF5 side; all ranks' bytes are on disk if it succeeds. */
static Status close_parallel(RunFile *file) {
  Status status = STATUS_OK;
  hid_t id = file->hdf5.file;
  if (id >= 0 && !file->broken && H5Fflush(id, H5F_SCOPE_GLOBAL) < 0) {
    status = hdf5_fail(file->path, "flush");
  }
  status = agree(file, status);
  Status closed = STATUS_OK;
  if (id >= 0 && H5Fclose(id) < 0) closed = hdf5_fail(file->path, "close");
  if (file->transfer >= 0) H5Pclose(file->transfer);
  return status == STATUS_OK ? agree(file, closed) : status;
}

/* Rank 0: reads the fields again. Errors of collective writes may get lost in the MPI library (Open
 * MPI 4.1 with some of its write algorithms); the chunks' checksums find what is missing. */
static Status verify(const RunFile *file) {
  Hdf5File written;
  Hdf5Names names;
  TRY(hdf5_open(file->temporary, &written));
  Status status = hdf5_members(&written, "/fields", &names);
  if (status == STATUS_OK) {
    for (int i = 0; status == STATUS_OK && i < names.n; i++) {
      char path[FIELD_PATH];
      field_path(names.name[i], path);
      status = hdf5_check(&written, path);
    }
    hdf5_names_destroy(&names);
  }
  hdf5_close(&written);
  return status;
}

/* Rank 0: puts the file in its place. */
static Status publish(const RunFile *file) {
  TRY(verify(file));
  return file_settle(file->fd, file->temporary, file->path);
}

Status runfile_close(RunFile *file, bool complete) {
  Status status = STATUS_OK;
  complete = complete && !file->broken;
  if (complete) status = agree(file, hdf5_set_integer(&file->hdf5, "/", "complete", 1));
  Status closed = close_parallel(file);
  if (status == STATUS_OK) status = closed;
  if (complete && status == STATUS_OK) {
    status = agree(file, file->fd >= 0 ? publish(file) : STATUS_OK);
  }
  if (file->fd >= 0 && (!complete || status != STATUS_OK)) unlink(file->temporary);
  destroy(file);
  return status;
}

/* ---- Contents ---- */

Status runfile_config(RunFile *file, const Config *config) {
  TRY(reserve(file, 0));
  return agree(file, layout_write_config(&file->hdf5, config));
}

/* Collective. Rank 0's text in a new string, since ranks may differ in it (their host's name). */
static char *shared_text(const Comm *comm, const char *text) {
  size_t bytes = strlen(text) + 1;
  comm_broadcast(comm, &bytes, sizeof bytes);
  char *copy = calloc(1, bytes);
  assert(copy);
  if (comm_rank(comm) == 0) memcpy(copy, text, bytes);
  comm_broadcast(comm, copy, bytes);
  return copy;
}

static Status set_shared_text(RunFile *file, const char *object, const char *name,
                              const char *text) {
  char *copy = shared_text(file->comm, text);
  Status status = hdf5_set_text(&file->hdf5, object, name, copy);
  free(copy);
  return agree(file, status);
}

Status runfile_provenance(RunFile *file, int n, const TextAttribute *attributes) {
  TRY(reserve(file, 0));
  TRY(agree(file, hdf5_group(&file->hdf5, "/provenance")));
  for (int i = 0; i < n; i++) {
    TRY(set_shared_text(file, "/provenance", attributes[i].name, attributes[i].value));
  }
  return STATUS_OK;
}

Status runfile_network(RunFile *file, const Network *network, const real *theta) {
  TRY(reserve(file, (double)network->n_parameters * sizeof(real)));
  return agree(file, layout_write_network(&file->hdf5, network, theta));
}

Status runfile_history(RunFile *file, const History *history) {
  TRY(reserve(file, (double)history->rows * 8 * (history->n_columns + 1)));
  return agree(file, layout_write_history(&file->hdf5, history));
}

Status runfile_metric(RunFile *file, const char *name, double value, const char *units) {
  char units_name[128];
  snprintf(units_name, sizeof units_name, "%s_units", name);
  TRY(reserve(file, 0));
  comm_broadcast(file->comm, &value, sizeof value);
  TRY(agree(file, hdf5_set_numbers(&file->hdf5, "/metrics", name, 0, &value)));
  return set_shared_text(file, "/metrics", units_name, units);
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

static Status create_field(const Hdf5File *hdf5, const Field *field, int rank,
                           const int64_t *size) {
  char path[FIELD_PATH];
  hsize_t chunk[5];
  field_path(field->name, path);
  choose_chunk(rank, size, chunk);
  hid_t properties = hdf5_dataset_properties();
  H5Pset_chunk(properties, rank, chunk);
  H5Pset_shuffle(properties);
  H5Pset_deflate(properties, DEFLATE_LEVEL);
  H5Pset_fletcher32(properties); /* a lost write shows when it is read */
  Status status = hdf5_create(hdf5, path, H5T_NATIVE_FLOAT, rank, size, properties);
  H5Pclose(properties);
  TRY(status);
  TRY(hdf5_set_text(hdf5, path, "description", field->description));
  TRY(hdf5_set_text(hdf5, path, "units", field->units));
  TRY(hdf5_set_text(hdf5, path, "axes", field->axes));
  TRY(hdf5_set_numbers(hdf5, path, "lower", field->n_axes, field->lower));
  return hdf5_set_numbers(hdf5, path, "upper", field->n_axes, field->upper);
}

Status runfile_field(RunFile *file, const Field *field) {
  int64_t size[5];
  int rank = field->n_axes;
  double bytes = sizeof(float) * (double)field->components;
  assert(rank >= 1 && rank <= 4 && field->components >= 1);
  for (int i = 0; i < rank; i++) bytes *= (double)(size[i] = field->size[i]);
  if (field->components > 1) size[rank++] = field->components;
  TRY(reserve(file, 1.01 * bytes));
  return agree(file, create_field(&file->hdf5, field, rank, size));
}

static Status write_slab(const RunFile *file, const char *path, hid_t set, int64_t first,
                         int64_t count, const float *values) {
  hsize_t dims[5], start[5] = {(hsize_t)first}, extent[5];
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
    status = hdf5_fail(file->path, "write %s", path);
  }
  H5Sclose(memory);
  H5Sclose(space);
  return status;
}

Status runfile_slab(RunFile *file, const char *name, int64_t first, int64_t count,
                    const float *values) {
  char path[FIELD_PATH];
  field_path(name, path);
  if (file->broken) return status_fail(STATUS_FAILED, "%s: an earlier write failed", file->path);
  hid_t set = H5Dopen2(file->hdf5.file, path, H5P_DEFAULT);
  TRY(agree(file, set < 0 ? hdf5_fail(file->path, "open %s", path) : STATUS_OK));
  Status status = write_slab(file, path, set, first, count, values);
  H5Dclose(set);
  return agree(file, status);
}
