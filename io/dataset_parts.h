/* What the halves of dataset.h, choosing and reading, owe each other. */
#ifndef IO_DATASET_PARTS_H
#define IO_DATASET_PARTS_H

#include "io/dataset.h"
#include "io/hdf5.h"

enum { DATASET_NAME = 512 };

/* What a file says about a data set. */
typedef struct {
  int rank;
  int64_t size[HDF5_MAX_RANK];
  H5T_class_t class;
  SampleType type; /* of numbers, as read */
  int bytes;       /* of one element */
} Stored;

/* Local. All functions name file and data set in their errors. */
Status dataset_look(const Hdf5File *file, const char *name, Stored *stored);

/* Refuses what is not numbers, has an empty axis, or a rank outside [least, most + 1]. */
Status dataset_suits(const Hdf5File *file, const char *name, const Stored *stored,
                     const DatasetWish *wish);
Status dataset_wrong_rank(const Hdf5File *file, const char *name, const Stored *stored,
                          const DatasetWish *wish);

/* The path of the data set that `name` means: itself, or for "" /data or the only suitable one. */
Status dataset_choose(const Hdf5File *file, const char *name, const DatasetWish *wish,
                      char path[DATASET_NAME]);

#endif
