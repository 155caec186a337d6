/* The reading half of hdf5.h. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5.h"

static Status open_set(const Hdf5File *file, const char *name, hid_t *set) {
  if (!hdf5_has(file, name)) {
    return status_fail(STATUS_FAILED, "%s: data set %s is missing", file->path, name);
  }
  *set = H5Dopen2(file->file, name, H5P_DEFAULT);
  return *set < 0 ? hdf5_fail(file->path, "open data set %s", name) : STATUS_OK;
}

Status hdf5_shape(const Hdf5File *file, const char *name, int *rank, int64_t size[HDF5_MAX_RANK]) {
  hid_t set = H5I_INVALID_HID;
  TRY(open_set(file, name, &set));
  hid_t space = H5Dget_space(set);
  hsize_t dims[H5S_MAX_RANK];
  *rank = H5Sget_simple_extent_dims(space, dims, NULL);
  Status status = STATUS_OK;
  if (*rank < 0 || *rank > HDF5_MAX_RANK) {
    status = status_fail(STATUS_FAILED, "%s: %s has %d dimensions, at most %d are known",
                         file->path, name, *rank, HDF5_MAX_RANK);
  }
  for (int i = 0; status == STATUS_OK && i < *rank; i++) size[i] = (int64_t)dims[i];
  H5Sclose(space);
  H5Dclose(set);
  return status;
}

bool hdf5_has_type(const Hdf5File *file, const char *name, hid_t type) {
  hid_t set = H5I_INVALID_HID;
  if (open_set(file, name, &set) != STATUS_OK) return false;
  hid_t stored = H5Dget_type(set);
  bool equal = H5Tequal(stored, type) > 0;
  H5Tclose(stored);
  H5Dclose(set);
  return equal;
}

const char *hdf5_shape_text(int rank, const int64_t *size, char text[160]) {
  size_t used = (size_t)snprintf(text, 160, "%s", rank == 0 ? "scalar" : "");
  for (int i = 0; i < rank && used < 140; i++) {
    used += (size_t)snprintf(text + used, 160 - used, "%s%" PRId64, i ? "x" : "", size[i]);
  }
  return text;
}

Status hdf5_read(const Hdf5File *file, const char *name, hid_t type, void *data) {
  hid_t set = H5I_INVALID_HID;
  TRY(open_set(file, name, &set));
  Status status = STATUS_OK;
  if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
    status = hdf5_fail(file->path, "read data set %s", name);
  }
  H5Dclose(set);
  return status;
}

Status hdf5_read_box(const Hdf5File *file, const char *name, hid_t type, int rank,
                     const int64_t *first, const int64_t *count, void *data) {
  hid_t set = H5I_INVALID_HID;
  hsize_t start[HDF5_MAX_RANK], extent[HDF5_MAX_RANK];
  assert(rank >= 1 && rank <= HDF5_MAX_RANK);
  for (int i = 0; i < rank; i++) start[i] = (hsize_t)first[i], extent[i] = (hsize_t)count[i];
  TRY(open_set(file, name, &set));
  hid_t space = H5Dget_space(set), memory = H5Screate_simple(rank, extent, NULL);
  Status status = STATUS_OK;
  if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, extent, NULL) < 0 ||
      H5Dread(set, type, memory, space, H5P_DEFAULT, data) < 0) {
    status = hdf5_fail(file->path, "read data set %s", name);
  }
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(set);
  return status;
}

/* Reads as many rows of axis 0 at once as a chunk has. */
static herr_t read_through(hid_t set, hid_t space, float **buffer) {
  hsize_t dims[H5S_MAX_RANK], chunk[H5S_MAX_RANK] = {1}, start[H5S_MAX_RANK] = {0};
  int rank = H5Sget_simple_extent_dims(space, dims, NULL);
  hid_t creation = H5Dget_create_plist(set);
  H5Pget_chunk(creation, rank, chunk);
  H5Pclose(creation);
  hsize_t rows = dims[0], values = chunk[0];
  for (int i = 1; i < rank; i++) values *= dims[i];
  *buffer = malloc(values * sizeof **buffer + 1);
  herr_t result = *buffer ? 0 : -1;
  for (start[0] = 0; result >= 0 && values > 0 && start[0] < rows; start[0] += chunk[0]) {
    dims[0] = rows - start[0] < chunk[0] ? rows - start[0] : chunk[0];
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, dims, NULL);
    hid_t memory = H5Screate_simple(rank, dims, NULL);
    result = H5Dread(set, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, *buffer);
    if (result >= 0) H5Sclose(memory); /* else it would clear the reason */
  }
  return result;
}

Status hdf5_check(const Hdf5File *file, const char *name) {
  hid_t set = H5I_INVALID_HID;
  TRY(open_set(file, name, &set));
  hid_t space = H5Dget_space(set);
  float *buffer = NULL;
  Status status = STATUS_OK;
  if (read_through(set, space, &buffer) < 0) {
    status = hdf5_fail(file->path, "read %s again, it was not written well", name);
  }
  free(buffer);
  H5Sclose(space);
  H5Dclose(set);
  return status;
}

bool hdf5_has_attribute(const Hdf5File *file, const char *object, const char *name) {
  return H5Aexists_by_name(file->file, object, name, H5P_DEFAULT) > 0;
}

static Status open_attribute(const Hdf5File *file, const char *object, const char *name,
                             hid_t *attribute) {
  if (!hdf5_has_attribute(file, object, name)) {
    return status_fail(STATUS_FAILED, "%s: attribute %s of %s is missing", file->path, name,
                       object);
  }
  *attribute = H5Aopen_by_name(file->file, object, name, H5P_DEFAULT, H5P_DEFAULT);
  return *attribute < 0 ? hdf5_fail(file->path, "open attribute %s of %s", name, object)
                        : STATUS_OK;
}

static int64_t attribute_length(hid_t attribute) {
  hid_t space = H5Aget_space(attribute);
  hssize_t n = H5Sget_simple_extent_npoints(space);
  H5Sclose(space);
  return n;
}

/* One string of either kind; NULL if the attribute is something else. */
static char *read_text(hid_t attribute) {
  char *text = NULL;
  hid_t stored = H5Aget_type(attribute);
  if (H5Tget_class(stored) == H5T_STRING && attribute_length(attribute) == 1) {
    bool variable = H5Tis_variable_str(stored) > 0;
    size_t size = H5Tget_size(stored);
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_cset(type, H5Tget_cset(stored));
    H5Tset_size(type, variable ? H5T_VARIABLE : size + 1);
    char *buffer = variable ? NULL : calloc(size + 1, 1);
    if (!variable && buffer && H5Aread(attribute, type, buffer) >= 0) text = strdup(buffer);
    free(buffer);
    char *pointer = NULL;
    if (variable && H5Aread(attribute, type, &pointer) >= 0) {
      text = strdup(pointer ? pointer : "");
      H5free_memory(pointer);
    }
    H5Tclose(type);
  }
  H5Tclose(stored);
  return text;
}

Status hdf5_get_text(const Hdf5File *file, const char *object, const char *name, char **text) {
  hid_t attribute = H5I_INVALID_HID;
  TRY(open_attribute(file, object, name, &attribute));
  *text = read_text(attribute);
  H5Aclose(attribute);
  if (*text) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: attribute %s of %s is not a text", file->path, name,
                     object);
}

static Status get_numbers(const Hdf5File *file, const char *object, const char *name, hid_t type,
                          int n, void *values) {
  hid_t attribute = H5I_INVALID_HID;
  TRY(open_attribute(file, object, name, &attribute));
  Status status = STATUS_OK;
  if (attribute_length(attribute) != n) {
    status = status_fail(STATUS_FAILED, "%s: attribute %s of %s does not hold %d numbers",
                         file->path, name, object, n);
  } else if (H5Aread(attribute, type, values) < 0) {
    status = hdf5_fail(file->path, "read attribute %s of %s", name, object);
  }
  H5Aclose(attribute);
  return status;
}

bool hdf5_has_numbers(const Hdf5File *file, const char *object, const char *name, int n) {
  hid_t attribute = H5I_INVALID_HID;
  if (open_attribute(file, object, name, &attribute) != STATUS_OK) return false;
  bool equal = attribute_length(attribute) == n;
  H5Aclose(attribute);
  return equal;
}

Status hdf5_get_integer(const Hdf5File *file, const char *object, const char *name,
                        int64_t *value) {
  return get_numbers(file, object, name, H5T_NATIVE_INT64, 1, value);
}

Status hdf5_get_numbers(const Hdf5File *file, const char *object, const char *name, int n,
                        double *values) {
  return get_numbers(file, object, name, H5T_NATIVE_DOUBLE, n, values);
}

Status hdf5_show_attribute(const Hdf5File *file, const char *object, const char *name, int digits,
                           char **text) {
  enum { SHOWN = 16 };
  hid_t attribute = H5I_INVALID_HID;
  TRY(open_attribute(file, object, name, &attribute));
  int64_t n = attribute_length(attribute);
  double values[SHOWN] = {0};
  *text = read_text(attribute);
  if (!*text && n >= 1 && n <= SHOWN && H5Aread(attribute, H5T_NATIVE_DOUBLE, values) >= 0) {
    *text = calloc(SHOWN, 32);
    for (int i = 0, used = 0; *text && i < n; i++) {
      used += snprintf(*text + used, 32, "%s%.*g", i ? " " : "", digits, values[i]);
    }
  } else if (!*text) {
    *text = strdup("(not shown)");
  }
  H5Aclose(attribute);
  return *text ? STATUS_OK : status_fail(STATUS_FAILED, "out of memory for an attribute");
}

static herr_t keep(Hdf5Names *names, const char *name) {
  char **grown = realloc(names->name, (size_t)(names->n + 1) * sizeof *grown);
  if (!grown) return -1;
  names->name = grown;
  grown[names->n] = strdup(name);
  return grown[names->n++] ? 0 : -1;
}

static herr_t keep_link(hid_t group, const char *name, const H5L_info_t *info, void *names) {
  (void)group, (void)info;
  return keep(names, name);
}

static herr_t keep_attribute(hid_t object, const char *name, const H5A_info_t *info, void *names) {
  (void)object, (void)info;
  return keep(names, name);
}

static Status listed(const Hdf5File *file, const char *name, herr_t result, Hdf5Names *names) {
  if (result >= 0) return STATUS_OK;
  Status status = hdf5_fail(file->path, "list %s", name);
  hdf5_names_destroy(names);
  return status;
}

Status hdf5_members(const Hdf5File *file, const char *group, Hdf5Names *names) {
  *names = (Hdf5Names){0};
  return listed(file, group,
                H5Literate_by_name(file->file, group, H5_INDEX_NAME, H5_ITER_INC, NULL, keep_link,
                                   names, H5P_DEFAULT),
                names);
}

Status hdf5_attributes(const Hdf5File *file, const char *object, Hdf5Names *names) {
  *names = (Hdf5Names){0};
  return listed(file, object,
                H5Aiterate_by_name(file->file, object, H5_INDEX_NAME, H5_ITER_INC, NULL,
                                   keep_attribute, names, H5P_DEFAULT),
                names);
}

static herr_t keep_set(hid_t root, const char *name, const H5O_info_t *info, void *names) {
  (void)root;
  if (info->type != H5O_TYPE_DATASET) return 0;
  char path[512];
  if (snprintf(path, sizeof path, "/%s", name) >= (int)sizeof path) return 0;
  return keep(names, path);
}

Status hdf5_datasets(const Hdf5File *file, Hdf5Names *names) {
  *names = (Hdf5Names){0};
  return listed(file, "the data sets",
                H5Ovisit(file->file, H5_INDEX_NAME, H5_ITER_INC, keep_set, names), names);
}

void hdf5_names_destroy(Hdf5Names *names) {
  for (int i = 0; i < names->n; i++) free(names->name[i]);
  free(names->name);
  *names = (Hdf5Names){0};
}
