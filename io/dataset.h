/* Data sets in HDF5: signals on regular grids, as `siren convert` writes them, and grids that other
 * programs wrote. The layout (README, "Data sets"):
 *
 *   /        attributes: format "siren data", format_version, kind (audio, image, images,
 *            video, volume, mesh, points)
 *   /data    [size0]...[components], uint8, uint16 or float32, chunked and compressed; no last
 *            dimension where there is one component. Attributes: axes ("time,row,column": one word
 *            for every axis), units, description; rate (steps of axis 0 a second; only where axis 0
 *            is time); lower, upper (coordinates of the first and last sample along every axis;
 *            only where they are known)
 *
 * A set of images, kind "images", is uint8 with the axes "image,row,column", and has beside them:
 *
 *   /        attribute: made (how the images came to their size and colours)
 *   /hash    [images] uint64: XXH3-64 of an image's bytes, which says whether it is for training,
 *            validation or the test (io/split.h)
 *   /names   [images] UTF-8 of fixed length, filled up with NULs: the files they came from, if from
 *            files
 *
 * and for the kinds mesh and points, instead of /data (io/dataset_shape.h):
 *
 *   /points [n][3], /normals [n][3] float32, /triangles [m][3] int32
 */
#ifndef IO_DATASET_H
#define IO_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "io/sample.h"

enum { DATASET_MAX_AXES = 4, DATASET_TEXT = 64 };

typedef struct {
  char kind[DATASET_TEXT]; /* "" where another program wrote it */
  char axes[DATASET_TEXT]; /* names, "time,row,column"; "" where there are none */
  char units[DATASET_TEXT], description[4 * DATASET_TEXT]; /* "" where there are none */
  int n_axes;                                              /* 1..DATASET_MAX_AXES */
  int64_t size[DATASET_MAX_AXES];
  int components;   /* >= 1 */
  SampleType type;  /* as read: uint8 and uint16 as they are, every other number as float32 */
  int stored_bytes; /* of a number in the file */
  double rate;      /* 0: unknown */
  bool placed;      /* lower and upper are known */
  double lower[DATASET_MAX_AXES], upper[DATASET_MAX_AXES];
} DatasetInfo;

/* ---- Reading: Local; ranks read the same file at the same time, each its own part ---- */

typedef struct Dataset Dataset;

/* What a reader can take: from least to most axes, and what it calls that in messages ("a video").
 * Where a data set does not name its axes, one more dimension than `most` are the components. */
typedef struct {
  int least, most;
  const char *what;
} DatasetWish;

/* What kind of data a file says it holds; "" where another program wrote it. */
Status dataset_kind(const char *path, char kind[DATASET_TEXT]);

/* Opens data set `name` of a file; "" means /data, or else the only one in the file that can be
 * meant. Errors name file, data set, shape or type, and what was expected: no such file, not HDF5,
 * none or several data sets to choose from (listed), text or compound types, a wrong rank, an empty
 * axis. */
Status dataset_open(const char *path, const char *name, const DatasetWish *wish, Dataset **dataset);
void dataset_close(Dataset *dataset); /* NULL is allowed */
const DatasetInfo *dataset_info(const Dataset *dataset);

/* Reads count[i] samples along every axis, from first[i] on every stride[i]-th one (NULL: all),
 * into samples [count0]...[components] of the info's type. */
Status dataset_read(Dataset *dataset, const int64_t *first, const int64_t *count,
                    const int64_t *stride, void *samples);

/* The hashes of a set of images, [size[0]]. *there is false, and they are untouched, where the file
 * says nothing of them. Fails where there are not as many as images. */
Status dataset_read_hashes(Dataset *dataset, uint64_t *hashes, bool *there);

/* ---- Writing: Local; axis 0 grows while it is written, so a video never is in memory ---- */

typedef struct DatasetWriter DatasetWriter;

/* Begins PATH.tmp; info->size[0] is not looked at. */
Status dataset_create(const char *path, const DatasetInfo *info, DatasetWriter **writer);

/* Adds `steps` of axis 0: samples [steps][size1]...[components] of the info's type. */
Status dataset_append(DatasetWriter *writer, int64_t steps, const void *samples);

/* Adds beside /data what a set of images has: once each, after the samples. */
Status dataset_add_made(DatasetWriter *writer, const char *how);
Status dataset_add_hashes(DatasetWriter *writer, int64_t n, const uint64_t *hashes);
Status dataset_add_names(DatasetWriter *writer, int64_t n, const char *const *names);

/* Ends it and frees the writer (NULL is allowed). If `status`, what became of the caller's work, is
 * STATUS_OK, the file is flushed to disk and takes its place; else, and on failure, the temporary
 * is removed and `path` is untouched. Returns `status` or the failure. */
Status dataset_finish(DatasetWriter *writer, Status status);

#endif
