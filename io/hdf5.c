#include "io/hdf5.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/seal.h"

/* HDF5 ends itself when the process does, or with MPI if it began after that; then it would close
 * what is open, and crash in a file whose writing failed before. Here it begins before MPI, and
 * never ends: files that are sound are closed where they are used, others are abandoned. */
__attribute__((constructor)) static void start(void) {
  H5dont_atexit();
  H5open();
}

void hdf5_quiet(void) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static herr_t innermost(unsigned n, const H5E_error2_t *error, void *text) {
  if (n == 0 && error->desc) snprintf(text, 400, "%s", error->desc);
  return 0;
}

Status hdf5_fail(const char *path, const char *format, ...) {
  char reason[400] = "unknown reason", what[300];
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, reason);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  /* Of "..., errno = 28, error message = 'No space left on device', ..." the system's words do. */
  char *words = strstr(reason, "error message = '");
  if (words) {
    words += strlen("error message = '");
    words[strcspn(words, "'")] = '\0';
  }
  return status_fail(STATUS_FAILED, "%s: cannot %s: %s", path, what, words ? words : reason);
}

static Status opened(Hdf5File *file, const char *path, hid_t id, const char *what) {
  if (id < 0) return hdf5_fail(path, "%s", what);
  *file = (Hdf5File){.file = id, .writer = true, .path = path};
  return STATUS_OK;
}

Status hdf5_open_image(const char *path, const unsigned char *data, size_t length, Hdf5File *file) {
  hdf5_quiet();
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 1 << 20, false);
  H5Pset_file_image(access, (void *)data, length);
  /* HDF5 wants a name that no file has: nothing can be below a file. */
  char name[PATH_MAX + 8];
  snprintf(name, sizeof name, "%.*s/image", PATH_MAX - 1, path);
  Status status = opened(file, path, H5Fopen(name, H5F_ACC_RDONLY, access), "open");
  H5Pclose(access);
  return status;
}

/* The first bytes tell a checkpoint from other files, and the system's reason if there is none. */
static Status peek(const char *path, bool *sealed) {
  unsigned char magic[SEAL_MAGIC_BYTES];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, magic, sizeof magic);
  int reason = errno;
  if (fd >= 0) close(fd);
  if (got < 0) {
    return status_fail(STATUS_FAILED, "%s: cannot open: %s", path, strerror(reason));
  }
  *sealed = seal_present(magic, (size_t)got);
  return STATUS_OK;
}

/* Nobody ever changes a sealed file in place, so it can do without the locks that HDF5 would take,
 * and that not every file system has. */
static void do_without_locks(hid_t access) {
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 11, 0))
  H5Pset_file_locking(access, false, true);
#else
  (void)access;
#endif
}

Status hdf5_open_sealed(const char *path, Hdf5File *file) {
  TRY(seal_check(path));
  hdf5_quiet();
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  do_without_locks(access);
  Status status = opened(file, path, H5Fopen(path, H5F_ACC_RDONLY, access), "open");
  H5Pclose(access);
  return status;
}

Status hdf5_open(const char *path, Hdf5File *file) {
  bool sealed = false;
  TRY(peek(path, &sealed));
  hdf5_quiet();
  if (sealed) return hdf5_open_sealed(path, file);
  if (H5Fis_hdf5(path) <= 0) {
    return status_fail(STATUS_FAILED, "%s: is not an HDF5 file, or an incomplete one", path);
  }
  return opened(file, path, H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), "open");
}

Status hdf5_create_image(const char *path, hsize_t user_block, Hdf5File *file) {
  hdf5_quiet();
  hid_t creation = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_userblock(creation, user_block);
  H5Pset_fapl_core(access, 1 << 20, false);
  /* HDF5 looks for an old file even if it works in memory; at this name there is none. */
  hid_t id = H5Fcreate("/dev/null/image", H5F_ACC_TRUNC, creation, access);
  Status status = opened(file, path, id, "build in memory");
  H5Pclose(creation);
  H5Pclose(access);
  return status;
}

static hsize_t user_block_of(const Hdf5File *file) {
  hsize_t bytes = 0;
  hid_t creation = H5Fget_create_plist(file->file);
  H5Pget_userblock(creation, &bytes);
  H5Pclose(creation);
  return bytes;
}

Status hdf5_take_image(Hdf5File *file, unsigned char **data, size_t *length) {
  ssize_t size = -1;
  size_t block = (size_t)user_block_of(file);
  if (H5Fflush(file->file, H5F_SCOPE_GLOBAL) >= 0) size = H5Fget_file_image(file->file, NULL, 0);
  if (size <= 0) return hdf5_fail(file->path, "build in memory");
  unsigned char *bytes = calloc(1, block + (size_t)size);
  if (!bytes) return status_fail(STATUS_FAILED, "%s: out of memory: %zd bytes", file->path, size);
  /* The image that HDF5 gives begins after the user block. */
  if (H5Fget_file_image(file->file, bytes + block, (size_t)size) != size) {
    free(bytes);
    return hdf5_fail(file->path, "build in memory");
  }
  *data = bytes;
  *length = block + (size_t)size;
  return STATUS_OK;
}

void hdf5_close(Hdf5File *file) {
  H5Fclose(file->file);
}

bool hdf5_has(const Hdf5File *file, const char *name) {
  return H5Oexists_by_name(file->file, name, H5P_DEFAULT) > 0;
}

static hid_t make_parents(void) {
  hid_t link = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(link, 1);
  return link;
}

Status hdf5_group(const Hdf5File *file, const char *name) {
  hid_t link = make_parents();
  hid_t group = H5Gcreate2(file->file, name, link, H5P_DEFAULT, H5P_DEFAULT);
  Status status = group < 0 ? hdf5_fail(file->path, "create group %s", name) : STATUS_OK;
  if (group >= 0) H5Gclose(group);
  H5Pclose(link);
  return status;
}

hid_t hdf5_dataset_properties(void) {
  hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(properties, false);
  return properties;
}

/* The new data set and its space; both are invalid on failure. */
static Status create(const Hdf5File *file, const char *name, hid_t type, int rank,
                     const int64_t *size, hid_t properties, hid_t *set, hid_t *space) {
  hsize_t dims[HDF5_MAX_RANK];
  assert(rank <= HDF5_MAX_RANK);
  for (int i = 0; i < rank; i++) dims[i] = (hsize_t)size[i];
  *space = H5Screate_simple(rank, dims, NULL);
  hid_t link = make_parents();
  *set = H5Dcreate2(file->file, name, type, *space, link, properties, H5P_DEFAULT);
  Status status = *set < 0 ? hdf5_fail(file->path, "create data set %s", name) : STATUS_OK;
  H5Pclose(link);
  if (status != STATUS_OK) H5Sclose(*space);
  return status;
}

Status hdf5_create(const Hdf5File *file, const char *name, hid_t type, int rank,
                   const int64_t *size, hid_t properties) {
  hid_t set, space;
  TRY(create(file, name, type, rank, size, properties, &set, &space));
  H5Sclose(space);
  H5Dclose(set);
  return STATUS_OK;
}

Status hdf5_write(const Hdf5File *file, const char *name, hid_t type, int rank, const int64_t *size,
                  const void *data) {
  hid_t set, space, properties = hdf5_dataset_properties();
  H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER); /* every element is written below */
  Status status = create(file, name, type, rank, size, properties, &set, &space);
  H5Pclose(properties);
  TRY(status);
  /* One rank alone, not collectively: there errors may get lost in the MPI library. */
  if (file->writer && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
    status = hdf5_fail(file->path, "write data set %s", name);
  }
  H5Sclose(space);
  H5Dclose(set);
  return status;
}

static Status set_attribute(const Hdf5File *file, const char *object, const char *name, hid_t type,
                            int n, const void *value) {
  hsize_t dims[1] = {(hsize_t)n};
  hid_t space = n > 0 ? H5Screate_simple(1, dims, NULL) : H5Screate(H5S_SCALAR);
  hid_t attribute = H5Acreate_by_name(file->file, object, name, type, space, H5P_DEFAULT,
                                      H5P_DEFAULT, H5P_DEFAULT);
  Status status = STATUS_OK;
  if (attribute < 0 || H5Awrite(attribute, type, value) < 0) {
    status = hdf5_fail(file->path, "write attribute %s of %s", name, object);
  }
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  return status;
}

/* Fixed length: variable-length strings do not work in parallel writes. */
static Status set_text(const Hdf5File *file, const char *object, const char *name, const char *text,
                       size_t length, H5T_cset_t characters, H5T_str_t end) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, length);
  H5Tset_cset(type, characters);
  H5Tset_strpad(type, end);
  Status status = set_attribute(file, object, name, type, 0, text);
  H5Tclose(type);
  return status;
}

Status hdf5_set_text(const Hdf5File *file, const char *object, const char *name, const char *text) {
  return set_text(file, object, name, text, strlen(text) + 1, H5T_CSET_UTF8, H5T_STR_NULLTERM);
}

Status hdf5_set_ascii(const Hdf5File *file, const char *object, const char *name,
                      const char *text) {
  return set_text(file, object, name, text, strlen(text), H5T_CSET_ASCII, H5T_STR_NULLPAD);
}

Status hdf5_set_integer(const Hdf5File *file, const char *object, const char *name, int64_t value) {
  return set_attribute(file, object, name, H5T_NATIVE_INT64, 0, &value);
}

Status hdf5_set_integers(const Hdf5File *file, const char *object, const char *name, int n,
                         const int64_t *values) {
  return set_attribute(file, object, name, H5T_NATIVE_INT64, n, values);
}

Status hdf5_set_numbers(const Hdf5File *file, const char *object, const char *name, int n,
                        const double *values) {
  return set_attribute(file, object, name, H5T_NATIVE_DOUBLE, n, values);
}
