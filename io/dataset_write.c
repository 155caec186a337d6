/* The writing half of dataset.h. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/dataset_parts.h"
#include "io/file.h"
#include "io/layout.h"

/* A chunk is read and unpacked as a whole: several steps of axis 0 up to the first size, parts of a
 * step below the second. */
enum { SMALL_CHUNK = 256 << 10, LARGE_CHUNK = 1 << 20, DEFLATE_LEVEL = 4 };

/* Room beyond the samples: attributes, headers, chunk indices, and chunks not written yet. */
enum { METADATA_BYTES = 2 << 20 };

struct DatasetWriter {
  Hdf5File file;
  hid_t set;
  DatasetInfo info;
  int rank;
  hsize_t size[DATASET_MAX_AXES + 1]; /* so far */
  int fd;                             /* of the temporary */
  off_t reserved;                     /* bytes of disk space */
  char path[PATH_MAX], temporary[PATH_MAX];
};

static hid_t stored_type(SampleType type) {
  return type == SAMPLE_U8 ? H5T_STD_U8LE : type == SAMPLE_U16 ? H5T_STD_U16LE : H5T_IEEE_F32LE;
}

static hid_t memory_type(SampleType type) {
  return type == SAMPLE_U8    ? H5T_NATIVE_UINT8
         : type == SAMPLE_U16 ? H5T_NATIVE_UINT16
                              : H5T_NATIVE_FLOAT;
}

/* ---- Beginning ---- */

static void choose_chunk(const DatasetWriter *writer, hsize_t *chunk) {
  double bytes = (double)sample_bytes(writer->info.type);
  chunk[0] = 1;
  for (int i = 1; i < writer->rank; i++) bytes *= (double)(chunk[i] = writer->size[i]);
  if (bytes < SMALL_CHUNK) chunk[0] = (hsize_t)(SMALL_CHUNK / bytes);
  while (bytes > LARGE_CHUNK) {
    int longest = 1;
    for (int i = 2; i < writer->rank; i++) {
      if (chunk[i] > chunk[longest]) longest = i;
    }
    bytes /= (double)chunk[longest];
    chunk[longest] = (chunk[longest] + 1) / 2;
    bytes *= (double)chunk[longest];
  }
}

static Status create_set(DatasetWriter *writer) {
  hsize_t chunk[DATASET_MAX_AXES + 1], most[DATASET_MAX_AXES + 1];
  memcpy(most, writer->size, sizeof most);
  most[0] = H5S_UNLIMITED;
  choose_chunk(writer, chunk);
  hid_t properties = hdf5_dataset_properties();
  H5Pset_chunk(properties, writer->rank, chunk);
  if (writer->info.type != SAMPLE_U8) H5Pset_shuffle(properties);
  H5Pset_deflate(properties, DEFLATE_LEVEL);
  H5Pset_fletcher32(properties);
  hid_t space = H5Screate_simple(writer->rank, writer->size, most);
  writer->set = H5Dcreate2(writer->file.file, "/data", stored_type(writer->info.type), space,
                           H5P_DEFAULT, properties, H5P_DEFAULT);
  Status status = STATUS_OK;
  if (writer->set < 0) status = hdf5_fail(writer->temporary, "create data set /data");
  H5Sclose(space);
  H5Pclose(properties);
  return status;
}

static Status write_attributes(const DatasetWriter *writer) {
  const Hdf5File *file = &writer->file;
  const DatasetInfo *info = &writer->info;
  TRY(layout_write_format(file, "siren data"));
  TRY(hdf5_set_text(file, "/", "kind", info->kind));
  TRY(hdf5_set_text(file, "/data", "axes", info->axes));
  TRY(hdf5_set_text(file, "/data", "units", info->units));
  TRY(hdf5_set_text(file, "/data", "description", info->description));
  if (info->rate > 0) TRY(hdf5_set_numbers(file, "/data", "rate", 0, &info->rate));
  if (!info->placed) return STATUS_OK;
  TRY(hdf5_set_numbers(file, "/data", "lower", info->n_axes, info->lower));
  return hdf5_set_numbers(file, "/data", "upper", info->n_axes, info->upper);
}

/* HDF5 does not bear a full disk (io/hdf5.h), and compresses and writes when it likes: space that
 * is taken first gives the earlier and clearer error. */
static Status reserve(DatasetWriter *writer, double bytes) {
  hsize_t used = 0;
  H5Fget_filesize(writer->file.file, &used);
  off_t to = (off_t)((double)used + bytes + METADATA_BYTES);
  if (to <= writer->reserved) return STATUS_OK;
  TRY(file_reserve(writer->fd, writer->temporary, writer->reserved, to));
  writer->reserved = to;
  return STATUS_OK;
}

/* In the format of HDF5 1.10, which has checksums of its own tables, too: what damage to a file of
 * the older one may do to its readers is beyond them. No time stamps. */
static hid_t create_file(const char *path) {
  hid_t creation = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_obj_track_times(creation, false);
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  if (id < 0) return id; /* closing would clear the reason */
  H5Pclose(creation);
  H5Pclose(access);
  return id;
}

static Status begin(DatasetWriter *writer) {
  const char *temporary = writer->temporary;
  writer->fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (writer->fd < 0) {
    return status_fail(STATUS_FAILED, "%s: cannot create: %s", temporary, strerror(errno));
  }
  hdf5_quiet();
  hid_t id = create_file(temporary);
  if (id < 0) return hdf5_fail(temporary, "create");
  writer->file = (Hdf5File){.file = id, .writer = true, .path = temporary};
  TRY(reserve(writer, 0));
  TRY(create_set(writer));
  return write_attributes(writer);
}

Status dataset_create(const char *path, const DatasetInfo *info, DatasetWriter **writer) {
  DatasetWriter *made;
  assert(info->n_axes >= 1 && info->n_axes <= DATASET_MAX_AXES && info->components >= 1);
  if (strlen(path) + sizeof ".tmp" > PATH_MAX) {
    return status_fail(STATUS_FAILED, "%s: cannot create: %s", path, strerror(ENAMETOOLONG));
  }
  TRY(memory_allocate(&made, 1, sizeof *made, "a data set"));
  made->info = *info;
  made->set = made->file.file = H5I_INVALID_HID;
  sprintf(made->path, "%s", path);
  sprintf(made->temporary, "%s.tmp", path);
  made->rank = info->n_axes;
  for (int i = 1; i < info->n_axes; i++) made->size[i] = (hsize_t)info->size[i];
  if (info->components > 1) made->size[made->rank++] = (hsize_t)info->components;
  Status status = begin(made);
  if (status == STATUS_OK) {
    *writer = made;
  } else {
    dataset_finish(made, status);
  }
  return status;
}

/* ---- Samples ---- */

Status dataset_append(DatasetWriter *writer, int64_t steps, const void *samples) {
  hsize_t first[DATASET_MAX_AXES + 1] = {writer->size[0]}, extent[DATASET_MAX_AXES + 1];
  double bytes = (double)sample_bytes(writer->info.type) * (double)steps;
  for (int i = 1; i < writer->rank; i++) bytes *= (double)writer->size[i];
  TRY(reserve(writer, bytes));
  memcpy(extent, writer->size, sizeof extent);
  extent[0] = (hsize_t)steps;
  writer->size[0] += (hsize_t)steps;
  if (H5Dset_extent(writer->set, writer->size) < 0) {
    return hdf5_fail(writer->temporary, "extend data set /data");
  }
  hid_t space = H5Dget_space(writer->set);
  hid_t memory = H5Screate_simple(writer->rank, extent, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, extent, NULL);
  Status status = STATUS_OK;
  if (H5Dwrite(writer->set, memory_type(writer->info.type), memory, space, H5P_DEFAULT, samples) <
      0) {
    status = hdf5_fail(writer->temporary, "write data set /data");
  }
  H5Sclose(memory);
  H5Sclose(space);
  return status;
}

/* ---- What stands beside the samples ---- */

/* Bytes of a block of names in memory. */
enum { NAMES_BYTES = 1 << 20 };

/* A list of n elements, empty so far. */
static Status create_list(DatasetWriter *writer, const char *name, hid_t type, int64_t n,
                          hsize_t chunk, bool numbers) {
  TRY(reserve(writer, (double)H5Tget_size(type) * (double)n));
  if (chunk > (hsize_t)n) chunk = (hsize_t)n; /* HDF5 insists */
  hid_t properties = hdf5_dataset_properties();
  H5Pset_chunk(properties, 1, &chunk);
  if (numbers) H5Pset_shuffle(properties);
  if (!numbers) H5Pset_deflate(properties, DEFLATE_LEVEL); /* hashes do not get smaller */
  H5Pset_fletcher32(properties);
  Status status = hdf5_create(&writer->file, name, type, 1, &n, properties);
  H5Pclose(properties);
  return status;
}

static Status write_list(DatasetWriter *writer, const char *name, hid_t type, int64_t first,
                         int64_t n, const void *values) {
  hsize_t from = (hsize_t)first, count = (hsize_t)n;
  hid_t set = H5Dopen2(writer->file.file, name, H5P_DEFAULT);
  if (set < 0) return hdf5_fail(writer->temporary, "open data set %s", name);
  hid_t space = H5Dget_space(set), memory = H5Screate_simple(1, &count, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, &from, NULL, &count, NULL);
  Status status = STATUS_OK;
  if (H5Dwrite(set, type, memory, space, H5P_DEFAULT, values) < 0) {
    status = hdf5_fail(writer->temporary, "write data set %s", name);
  }
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(set);
  return status;
}

Status dataset_add_made(DatasetWriter *writer, const char *how) {
  return hdf5_set_text(&writer->file, "/", "made", how);
}

Status dataset_add_hashes(DatasetWriter *writer, int64_t n, const uint64_t *hashes) {
  hsize_t chunk = SMALL_CHUNK / sizeof *hashes;
  TRY(create_list(writer, "/hash", H5T_STD_U64LE, n, chunk, true));
  return write_list(writer, "/hash", H5T_NATIVE_UINT64, 0, n, hashes);
}

static Status write_names(DatasetWriter *writer, hid_t type, size_t length, int64_t block,
                          int64_t n, const char *const *names) {
  char *text;
  Status status = STATUS_OK;
  TRY(memory_allocate(&text, (size_t)block, length, "names"));
  for (int64_t first = 0; status == STATUS_OK && first < n; first += block) {
    int64_t count = n - first < block ? n - first : block;
    memset(text, 0, (size_t)block * length);
    for (int64_t i = 0; i < count; i++) {
      memcpy(text + (size_t)i * length, names[first + i], strlen(names[first + i]));
    }
    status = write_list(writer, "/names", type, first, count, text);
  }
  free(text);
  return status;
}

Status dataset_add_names(DatasetWriter *writer, int64_t n, const char *const *names) {
  size_t length = 1;
  for (int64_t i = 0; i < n; i++) {
    size_t this_length = strlen(names[i]);
    if (this_length > length) length = this_length;
  }
  int64_t block = NAMES_BYTES / (int64_t)length > 1 ? NAMES_BYTES / (int64_t)length : 1;
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, length);
  H5Tset_cset(type, H5T_CSET_UTF8);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  Status status = create_list(writer, "/names", type, n, (hsize_t)block, false);
  if (status == STATUS_OK) status = write_names(writer, type, length, block, n, names);
  H5Tclose(type);
  return status;
}

/* ---- Ending ---- */

/* Closes the HDF5 side. */
static Status close_hdf5(DatasetWriter *writer) {
  hid_t id = writer->file.file;
  TRY(reserve(writer, 0));
  if (H5Fflush(id, H5F_SCOPE_GLOBAL) < 0) return hdf5_fail(writer->temporary, "flush");
  if (H5Dclose(writer->set) < 0) return hdf5_fail(writer->temporary, "close data set /data");
  if (H5Fclose(id) < 0) return hdf5_fail(writer->temporary, "close");
  return STATUS_OK;
}

Status dataset_finish(DatasetWriter *writer, Status status) {
  if (!writer) return status;
  if (status == STATUS_OK) status = close_hdf5(writer); /* else it is abandoned (io/hdf5.h) */
  if (status == STATUS_OK) status = file_settle(writer->fd, writer->temporary, writer->path);
  if (writer->fd >= 0) {
    close(writer->fd);
    if (status != STATUS_OK) unlink(writer->temporary);
  }
  free(writer);
  return status;
}
