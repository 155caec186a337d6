/* Which data set of a file is meant, and whether it suits. */
#include <stdio.h>
#include <string.h>

#include "io/dataset_parts.h"
#include "io/text.h"

/* ---- One data set ---- */

static SampleType type_as_read(hid_t type, size_t bytes) {
  if (H5Tget_class(type) != H5T_INTEGER || H5Tget_sign(type) != H5T_SGN_NONE) return SAMPLE_F32;
  return bytes == 1 ? SAMPLE_U8 : bytes == 2 ? SAMPLE_U16 : SAMPLE_F32;
}

Status dataset_look(const Hdf5File *file, const char *name, Stored *stored) {
  TRY(hdf5_shape(file, name, &stored->rank, stored->size));
  hid_t set = H5Dopen2(file->file, name, H5P_DEFAULT);
  if (set < 0) return hdf5_fail(file->path, "open data set %s", name);
  hid_t type = H5Dget_type(set);
  stored->class = H5Tget_class(type);
  size_t bytes = H5Tget_size(type);
  stored->bytes = (int)bytes;
  stored->type = type_as_read(type, bytes);
  H5Tclose(type);
  H5Dclose(set);
  return STATUS_OK;
}

/* NULL: numbers. */
static const char *not_numbers(H5T_class_t class) {
  switch (class) {
    case H5T_INTEGER:
    case H5T_FLOAT:
      return NULL;
    case H5T_STRING:
      return "text";
    case H5T_COMPOUND:
      return "compound values";
    case H5T_ENUM:
      return "enumerated values (truth values, perhaps)";
    case H5T_VLEN:
      return "lists of varying length";
    case H5T_ARRAY:
      return "arrays";
    default:
      return "values of an unusual type";
  }
}

Status dataset_wrong_rank(const Hdf5File *file, const char *name, const Stored *stored,
                          const DatasetWish *wish) {
  char shape[160], wanted[64];
  if (wish->least == wish->most) {
    snprintf(wanted, sizeof wanted, "%d %s", wish->least, wish->least == 1 ? "axis" : "axes");
  } else {
    snprintf(wanted, sizeof wanted, "%d %s %d axes", wish->least,
             wish->most == wish->least + 1 ? "or" : "to", wish->most);
  }
  return status_fail(STATUS_FAILED, "%s: %s has the shape %s; %s has %s, and maybe components",
                     file->path, name, hdf5_shape_text(stored->rank, stored->size, shape),
                     wish->what, wanted);
}

static Status check_sizes(const Hdf5File *file, const char *name, const Stored *stored) {
  char shape[160];
  double values = 1;
  for (int i = 0; i < stored->rank; i++) {
    if (stored->size[i] == 0) {
      return status_fail(STATUS_FAILED, "%s: %s is empty: it has the shape %s", file->path, name,
                         hdf5_shape_text(stored->rank, stored->size, shape));
    }
    values *= (double)stored->size[i];
    if (stored->size[i] < 0 || values > 1e18) {
      return status_fail(STATUS_FAILED, "%s: %s is damaged: it has the shape %s", file->path, name,
                         hdf5_shape_text(stored->rank, stored->size, shape));
    }
  }
  return STATUS_OK;
}

Status dataset_suits(const Hdf5File *file, const char *name, const Stored *stored,
                     const DatasetWish *wish) {
  const char *instead = not_numbers(stored->class);
  if (instead) {
    return status_fail(STATUS_FAILED, "%s: %s holds %s; %s is made of numbers", file->path, name,
                       instead, wish->what);
  }
  if (stored->rank < wish->least || stored->rank > wish->most + 1) {
    return dataset_wrong_rank(file, name, stored, wish);
  }
  return check_sizes(file, name, stored);
}

/* ---- All data sets of a file ---- */

/* What a search through a file has met. */
typedef struct {
  int sets, suitable;
  char path[DATASET_NAME]; /* the last suitable one, or else the last */
  char list[2][TEXT_LIST]; /* "/a (3x4), /b": all, and the suitable ones */
} Search;

static void list(char text[TEXT_LIST], const char *name, const Stored *stored) {
  char shape[160];
  text_list(text, name, hdf5_shape_text(stored->rank, stored->size, shape));
}

static Status search(const Hdf5File *file, const DatasetWish *wish, Search *found) {
  Hdf5Names names;
  *found = (Search){0};
  TRY(hdf5_datasets(file, &names));
  for (int i = 0; i < names.n; i++) {
    Stored stored;
    if (dataset_look(file, names.name[i], &stored) != STATUS_OK) continue;
    bool suits = dataset_suits(file, names.name[i], &stored, wish) == STATUS_OK;
    found->sets++;
    list(found->list[0], names.name[i], &stored);
    if (suits) list(found->list[1], names.name[i], &stored);
    if (suits || !found->suitable) {
      snprintf(found->path, sizeof found->path, "%s", names.name[i]);
    }
    found->suitable += suits;
  }
  hdf5_names_destroy(&names);
  return STATUS_OK;
}

static Status choose_only(const Hdf5File *file, const DatasetWish *wish, char path[DATASET_NAME]) {
  Search found;
  TRY(search(file, wish, &found));
  if (found.sets == 0) return status_fail(STATUS_FAILED, "%s: holds no data sets", file->path);
  /* What is wrong with a file's only data set is told when that is opened. */
  if (found.suitable == 1 || found.sets == 1) {
    memcpy(path, found.path, DATASET_NAME);
    return STATUS_OK;
  }
  if (found.suitable > 1) {
    return status_fail(STATUS_FAILED, "%s: say which data set is %s: %s", file->path, wish->what,
                       found.list[1]);
  }
  return status_fail(STATUS_FAILED, "%s: no data set in it can be %s: %s", file->path, wish->what,
                     found.list[0]);
}

static bool is_dataset(const Hdf5File *file, const char *name) {
  H5O_info_t info;
  return hdf5_has(file, name) && H5Oget_info_by_name(file->file, name, &info, H5P_DEFAULT) >= 0 &&
         info.type == H5O_TYPE_DATASET;
}

Status dataset_choose(const Hdf5File *file, const char *name, const DatasetWish *wish,
                      char path[DATASET_NAME]) {
  if (!*name && !is_dataset(file, "/data")) return choose_only(file, wish, path);
  if (!*name) name = "/data";
  if (!is_dataset(file, name)) {
    Search found;
    TRY(search(file, wish, &found));
    return status_fail(STATUS_FAILED, "%s: has no data set %.200s; it has %s", file->path, name,
                       found.sets ? found.list[0] : "none");
  }
  if (snprintf(path, DATASET_NAME, "%s", name) < DATASET_NAME) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: the name of the data set is too long", file->path);
}
