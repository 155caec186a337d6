#define _GNU_SOURCE /* mremap */
#include "io/hdf5_pieces.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/memory.h"

/* Smaller arrays are copied. */
enum { LEAST_LENT = 16 << 10 };

/* Beyond the estimate, which knows nothing of what HDF5 adds. */
enum { SLACK = 16 << 20 };

typedef struct {
  size_t at; /* in the file */
  FilePiece piece;
} Lent;

/* HDF5's driver for files in memory fills with zeros what a file grows by. So it is given a file
 * that is long enough from the beginning, in fresh pages of the system: those in the gaps are never
 * touched. */
struct Hdf5Pieces {
  Hdf5File hdf5;
  unsigned char *image; /* [capacity] */
  size_t capacity, user_block, n_lent, room;
  Lent *lent;
  FilePiece *pieces;
};

/* ---- The image's memory, which is ours ---- */

static Status map_image(Hdf5Pieces *pieces, double bytes) {
  size_t capacity = (size_t)bytes + SLACK;
  void *memory = mmap(NULL, capacity, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    return status_fail(STATUS_FAILED, "%s: out of memory: %zu bytes of address space",
                       pieces->hdf5.path, capacity);
  }
  madvise(memory, capacity, MADV_NOHUGEPAGE); /* else what lies between two gaps takes megabytes */
  pieces->image = memory;
  pieces->capacity = capacity;
  return STATUS_OK;
}

static bool grow(Hdf5Pieces *pieces, size_t size) {
  if (size <= pieces->capacity) return true;
  void *memory = mremap(pieces->image, pieces->capacity, size, MREMAP_MAYMOVE);
  if (memory == MAP_FAILED) return false;
  pieces->image = memory;
  pieces->capacity = size;
  return true;
}

static void *image_malloc(size_t size, H5FD_file_image_op_t operation, void *pieces) {
  (void)operation;
  return grow(pieces, size) ? ((Hdf5Pieces *)pieces)->image : NULL;
}

static void *image_realloc(void *image, size_t size, H5FD_file_image_op_t operation, void *pieces) {
  (void)image;
  return image_malloc(size, operation, pieces);
}

static void *image_memcpy(void *to, const void *from, size_t size, H5FD_file_image_op_t operation,
                          void *pieces) {
  (void)operation, (void)pieces;
  return to == from ? to : memcpy(to, from, size);
}

static herr_t image_free(void *image, H5FD_file_image_op_t operation, void *pieces) {
  (void)image, (void)operation, (void)pieces;
  return 0;
}

static void *keep_pieces(void *pieces) {
  return pieces;
}

static herr_t free_nothing(void *pieces) {
  (void)pieces;
  return 0;
}

/* ---- The file ---- */

/* The image of an empty file at its beginning. */
static Status start_image(Hdf5Pieces *pieces) {
  Hdf5File empty;
  unsigned char *data;
  size_t length;
  TRY(hdf5_create_image(pieces->hdf5.path, pieces->user_block, &empty));
  Status status = hdf5_take_image(&empty, &data, &length);
  hdf5_close(&empty);
  TRY(status);
  memcpy(pieces->image, data, length);
  free(data);
  return STATUS_OK;
}

static Status open_image(Hdf5Pieces *pieces) {
  H5FD_file_image_callbacks_t callbacks = {image_malloc, image_memcpy, image_realloc, image_free,
                                           keep_pieces,  free_nothing, pieces};
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 1 << 20, false);
  H5Pset_file_image_callbacks(access, &callbacks);
  H5Pset_file_image(access, pieces->image, pieces->capacity);
  pieces->hdf5.file = H5Fopen("/dev/null/image", H5F_ACC_RDWR, access); /* no file has this name */
  Status status = STATUS_OK;
  if (pieces->hdf5.file < 0) status = hdf5_fail(pieces->hdf5.path, "build in memory");
  H5Pclose(access);
  return status;
}

Status hdf5_pieces_create(const char *path, hsize_t user_block, double bytes, Hdf5Pieces **result) {
  Hdf5Pieces *pieces;
  TRY(memory_allocate(&pieces, 1, sizeof *pieces, "a file in memory"));
  pieces->user_block = (size_t)user_block;
  pieces->hdf5 =
      (Hdf5File){.file = H5I_INVALID_HID, .writer = true, .path = path, .pieces = pieces};
  Status status = map_image(pieces, bytes);
  if (status == STATUS_OK) status = start_image(pieces);
  if (status == STATUS_OK) status = open_image(pieces);
  if (status == STATUS_OK) {
    *result = pieces;
  } else {
    hdf5_pieces_destroy(pieces);
  }
  return status;
}

void hdf5_pieces_destroy(Hdf5Pieces *pieces) {
  if (!pieces) return;
  if (pieces->hdf5.file >= 0) hdf5_close(&pieces->hdf5);
  if (pieces->image) munmap(pieces->image, pieces->capacity);
  free(pieces->pieces);
  free(pieces->lent);
  free(pieces);
}

const Hdf5File *hdf5_pieces_file(const Hdf5Pieces *pieces) {
  return &pieces->hdf5;
}

/* ---- Arrays that are not copied ---- */

/* The place in the file that a data set has, user block included. */
static Status find_place(const Hdf5File *file, const char *name, size_t *at) {
  hid_t set = H5Dopen2(file->file, name, H5P_DEFAULT);
  haddr_t place = set < 0 ? HADDR_UNDEF : H5Dget_offset(set);
  if (place == HADDR_UNDEF) return hdf5_fail(file->path, "find a place for %s", name);
  H5Dclose(set);
  *at = (size_t)place;
  return STATUS_OK;
}

static Status lend(const Hdf5File *file, const char *name, const void *data, size_t length) {
  Hdf5Pieces *pieces = file->pieces;
  size_t at = 0;
  TRY(find_place(file, name, &at));
  TRY(memory_grow(&pieces->lent, &pieces->room, pieces->n_lent + 1, sizeof *pieces->lent,
                  "a file's pieces"));
  pieces->lent[pieces->n_lent++] = (Lent){at, {data, length}};
  return STATUS_OK;
}

Status hdf5_lend(const Hdf5File *file, const char *name, hid_t type, int rank, const int64_t *size,
                 const void *data) {
  size_t length = H5Tget_size(type);
  for (int i = 0; i < rank; i++) length *= (size_t)size[i];
  if (!file->pieces || length < LEAST_LENT) return hdf5_write(file, name, type, rank, size, data);
  hid_t properties = hdf5_dataset_properties();
  H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER);
  H5Pset_alloc_time(properties,
                    H5D_ALLOC_TIME_EARLY); /* it has its place though it is not written */
  Status status = hdf5_create(file, name, type, rank, size, properties);
  H5Pclose(properties);
  TRY(status);
  return lend(file, name, data, length);
}

static int by_place(const void *a, const void *b) {
  size_t left = ((const Lent *)a)->at, right = ((const Lent *)b)->at;
  return (left > right) - (left < right);
}

/* The image and what was lent, in turns, up to the file's end. */
static int list_pieces(const Hdf5Pieces *pieces, size_t end) {
  int n = 0;
  size_t at = pieces->user_block;
  for (size_t i = 0; i <= pieces->n_lent; i++) {
    const Lent *lent = i < pieces->n_lent ? &pieces->lent[i] : &(Lent){end, {NULL, 0}};
    assert(lent->at >= at && lent->at + lent->piece.length <= end);
    if (lent->at > at) pieces->pieces[n++] = (FilePiece){pieces->image + at, lent->at - at};
    if (lent->piece.length) pieces->pieces[n++] = lent->piece;
    at = lent->at + lent->piece.length;
  }
  return n;
}

Status hdf5_pieces_take(Hdf5Pieces *pieces, int *n, const FilePiece **piece) {
  ssize_t size = -1;
  hid_t file = pieces->hdf5.file;
  if (H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0) size = H5Fget_file_image(file, NULL, 0);
  if (size <= 0) return hdf5_fail(pieces->hdf5.path, "build in memory");
  size_t end = pieces->user_block + (size_t)size;
  if (end > pieces->capacity) {
    return status_fail(STATUS_FAILED, "%s: out of memory: %zu bytes", pieces->hdf5.path, end);
  }
  TRY(memory_allocate(&pieces->pieces, 2 * pieces->n_lent + 1, sizeof *pieces->pieces,
                      "a file's pieces"));
  if (pieces->n_lent) qsort(pieces->lent, pieces->n_lent, sizeof *pieces->lent, by_place);
  *n = list_pieces(pieces, end);
  *piece = pieces->pieces;
  return STATUS_OK;
}
