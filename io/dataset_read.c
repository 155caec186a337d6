/* The reading half of dataset.h. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/dataset_parts.h"
#include "io/layout.h"

/* A row of chunks is unpacked once where it fits into this many bytes. */
enum { LEAST_CACHE = 1 << 20, MOST_CACHE = 32 << 20, CACHE_SLOTS = 4099 };

struct Dataset {
  Hdf5File file; /* its path is borrowed from here */
  hid_t set;
  DatasetInfo info;
  char name[DATASET_NAME];
  char path[]; /* of the file */
};

/* ---- Attributes ---- */

static void get_text(const Hdf5File *file, const char *object, const char *name, char *copy,
                     size_t size) {
  char *text = NULL;
  *copy = '\0';
  if (!hdf5_has_attribute(file, object, name)) return;
  if (hdf5_get_text(file, object, name, &text) == STATUS_OK) snprintf(copy, size, "%s", text);
  free(text);
}

static bool get_finite(const Hdf5File *file, const char *object, const char *name, int n,
                       double *values) {
  if (!hdf5_has_attribute(file, object, name)) return false;
  if (hdf5_get_numbers(file, object, name, n, values) != STATUS_OK) return false;
  for (int i = 0; i < n; i++) {
    if (!isfinite(values[i])) return false;
  }
  return true;
}

static void get_kind(const Hdf5File *file, char kind[DATASET_TEXT]) {
  char format[DATASET_TEXT];
  *kind = '\0';
  get_text(file, "/", "format", format, sizeof format);
  if (!strcmp(format, "siren data")) get_text(file, "/", "kind", kind, DATASET_TEXT);
}

Status dataset_kind(const char *path, char kind[DATASET_TEXT]) {
  Hdf5File file;
  TRY(hdf5_open(path, &file));
  get_kind(&file, kind);
  hdf5_close(&file);
  return STATUS_OK;
}

/* Other programs' attributes of these names may mean something else: what is not understood counts
 * as absent. */
static void get_attributes(const Hdf5File *file, const char *name, DatasetInfo *info) {
  get_kind(file, info->kind);
  get_text(file, name, "axes", info->axes, sizeof info->axes);
  get_text(file, name, "units", info->units, sizeof info->units);
  get_text(file, name, "description", info->description, sizeof info->description);
  if (!get_finite(file, name, "rate", 1, &info->rate) || info->rate < 0) info->rate = 0;
}

static int count_words(const char *axes) {
  int words = *axes ? 1 : 0;
  for (const char *c = axes; *c; c++) words += *c == ',';
  return words;
}

/* The last dimension is the components' where the axes' names leave it over, or where it is one too
 * many. */
static Status set_axes(const Hdf5File *file, const char *name, const Stored *stored,
                       const DatasetWish *wish, DatasetInfo *info) {
  int words = count_words(info->axes);
  if (words == 0 || (words != stored->rank && words != stored->rank - 1)) {
    *info->axes = '\0';
    words = stored->rank > wish->most ? stored->rank - 1 : stored->rank;
  }
  if (words < wish->least || words > wish->most) {
    return dataset_wrong_rank(file, name, stored, wish);
  }
  int64_t components = words < stored->rank ? stored->size[words] : 1;
  if (components > INT32_MAX) return dataset_wrong_rank(file, name, stored, wish);
  info->n_axes = words;
  info->components = (int)components;
  memcpy(info->size, stored->size, (size_t)words * sizeof *info->size);
  info->placed = get_finite(file, name, "lower", words, info->lower) &&
                 get_finite(file, name, "upper", words, info->upper);
  return STATUS_OK;
}

/* ---- Opening ---- */

/* Bytes of a row of chunks: of all that share their part of axis 0. */
static size_t chunk_row(hid_t set, const Stored *stored) {
  hsize_t chunk[HDF5_MAX_RANK];
  hid_t creation = H5Dget_create_plist(set);
  double bytes = stored->bytes;
  if (H5Pget_layout(creation) != H5D_CHUNKED ||
      H5Pget_chunk(creation, HDF5_MAX_RANK, chunk) != stored->rank) {
    bytes = 0;
  } else {
    bytes *= (double)chunk[0];
    for (int i = 1; i < stored->rank; i++) {
      bytes *= ceil((double)stored->size[i] / (double)chunk[i]) * (double)chunk[i];
    }
  }
  H5Pclose(creation);
  return bytes < LEAST_CACHE ? LEAST_CACHE : bytes > MOST_CACHE ? MOST_CACHE : (size_t)bytes;
}

static Status open_set(Dataset *dataset, const Stored *stored) {
  hid_t file = dataset->file.file;
  dataset->set = H5Dopen2(file, dataset->name, H5P_DEFAULT);
  if (dataset->set >= 0) {
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    H5Pset_chunk_cache(access, CACHE_SLOTS, chunk_row(dataset->set, stored),
                       H5D_CHUNK_CACHE_W0_DEFAULT);
    H5Dclose(dataset->set);
    dataset->set = H5Dopen2(file, dataset->name, access);
    if (dataset->set >= 0) H5Pclose(access); /* else it would clear the reason */
  }
  if (dataset->set >= 0) return STATUS_OK;
  return hdf5_fail(dataset->path, "open data set %s", dataset->name);
}

static Status open_in(Dataset *dataset, const char *name, const DatasetWish *wish) {
  const Hdf5File *file = &dataset->file;
  DatasetInfo *info = &dataset->info;
  Stored stored;
  TRY(dataset_choose(file, name, wish, dataset->name));
  TRY(dataset_look(file, dataset->name, &stored));
  TRY(dataset_suits(file, dataset->name, &stored, wish));
  get_attributes(file, dataset->name, info);
  if (*info->kind) TRY(layout_check_version(file));
  TRY(set_axes(file, dataset->name, &stored, wish, info));
  info->type = stored.type;
  info->stored_bytes = stored.bytes;
  return open_set(dataset, &stored);
}

Status dataset_open(const char *path, const char *name, const DatasetWish *wish,
                    Dataset **dataset) {
  Dataset *made;
  assert(wish->least >= 1 && wish->least <= wish->most && wish->most <= DATASET_MAX_AXES);
  TRY(memory_allocate(&made, 1, sizeof *made + strlen(path) + 1, "a data set"));
  strcpy(made->path, path);
  made->set = H5I_INVALID_HID;
  Status status = hdf5_open(made->path, &made->file);
  if (status != STATUS_OK) {
    free(made);
    return status;
  }
  status = open_in(made, name, wish);
  if (status == STATUS_OK) {
    *dataset = made;
  } else {
    dataset_close(made);
  }
  return status;
}

void dataset_close(Dataset *dataset) {
  if (!dataset) return;
  if (dataset->set >= 0) H5Dclose(dataset->set);
  hdf5_close(&dataset->file);
  free(dataset);
}

const DatasetInfo *dataset_info(const Dataset *dataset) {
  return &dataset->info;
}

/* ---- Samples ---- */

static hid_t memory_type(SampleType type) {
  return type == SAMPLE_U8    ? H5T_NATIVE_UINT8
         : type == SAMPLE_U16 ? H5T_NATIVE_UINT16
                              : H5T_NATIVE_FLOAT;
}

Status dataset_read(Dataset *dataset, const int64_t *first, const int64_t *count,
                    const int64_t *stride, void *samples) {
  const DatasetInfo *info = &dataset->info;
  hsize_t from[DATASET_MAX_AXES + 1] = {0}, step[DATASET_MAX_AXES + 1],
                                  extent[DATASET_MAX_AXES + 1];
  int n = info->n_axes, rank = n;
  for (int i = 0; i < n; i++) {
    from[i] = (hsize_t)first[i];
    step[i] = stride ? (hsize_t)stride[i] : 1;
    extent[i] = (hsize_t)count[i];
    assert(first[i] >= 0 && count[i] >= 1 && step[i] >= 1);
    assert(from[i] + (extent[i] - 1) * step[i] < (hsize_t)info->size[i]);
  }
  hid_t space = H5Dget_space(dataset->set);
  if (H5Sget_simple_extent_ndims(space) > n) {
    step[rank] = 1;
    extent[rank++] = (hsize_t)info->components;
  }
  hid_t memory = H5Screate_simple(rank, extent, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, from, step, extent, NULL);
  Status status = STATUS_OK;
  if (H5Dread(dataset->set, memory_type(info->type), memory, space, H5P_DEFAULT, samples) < 0) {
    status = hdf5_fail(dataset->path, "read data set %s", dataset->name);
  }
  H5Sclose(memory);
  H5Sclose(space);
  return status;
}

Status dataset_read_hashes(Dataset *dataset, uint64_t *hashes, bool *there) {
  const Hdf5File *file = &dataset->file;
  Stored stored;
  *there = !strcmp(dataset->info.kind, "images") && hdf5_has(file, "/hash");
  if (!*there) return STATUS_OK;
  TRY(dataset_look(file, "/hash", &stored));
  if (stored.rank != 1 || stored.size[0] != dataset->info.size[0] || stored.class != H5T_INTEGER ||
      stored.bytes != sizeof *hashes) {
    return status_fail(STATUS_FAILED,
                       "%s: /hash is not a list of %" PRId64
                       " numbers of 64 bits, one for each image",
                       dataset->path, dataset->info.size[0]);
  }
  return hdf5_read(file, "/hash", H5T_NATIVE_UINT64, hashes);
}
