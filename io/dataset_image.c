/* Images as data sets in HDF5 (io/dataset.h): /data [row][column] or [row][column][1 or 3]. */
#include <stdlib.h>

#include "core/memory.h"
#include "io/dataset_parts.h"
#include "io/image_formats.h"

static Status read_pixels(const Hdf5File *file, Image *image, double one) {
  size_t n = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
  TRY(hdf5_read(file, "/data", H5T_NATIVE_FLOAT, image->pixels));
  for (size_t i = 0; i < n; i++) {
    float *value = &image->pixels[i];
    *value = (float)((double)*value / one);
    if (!(*value >= 0 && *value <= 1)) {
      return status_fail(STATUS_FAILED,
                         "%s: /data is %g at pixel %zu; an image's numbers lie in [0, 1], or are "
                         "uint8 or uint16",
                         file->path, (double)*value, i / (size_t)image->channels);
    }
  }
  return STATUS_OK;
}

/* Of [row][column] or [row][column][1 or 3], and of so many pixels as other images may have. */
static bool fits(const Stored *stored, int64_t channels) {
  const int64_t most = 1 << 28, *size = stored->size;
  if (stored->rank != 2 && stored->rank != 3) return false;
  return (channels == 1 || channels == 3) && size[0] <= most && size[1] <= most / size[0];
}

static Status read_image(const Hdf5File *file, Image *image) {
  const DatasetWish wish = {2, 2, "an image"};
  Stored stored;
  char text[160];
  TRY(dataset_look(file, "/data", &stored));
  TRY(dataset_suits(file, "/data", &stored, &wish));
  int64_t channels = stored.rank == 3 ? stored.size[2] : 1;
  if (!fits(&stored, channels)) {
    return status_fail(STATUS_FAILED,
                       "%s: /data has the shape %s; an image has [row][column] or "
                       "[row][column][3], and at most 2^28 pixels",
                       file->path, hdf5_shape_text(stored.rank, stored.size, text));
  }
  Image made;
  TRY(image_create((int)stored.size[0], (int)stored.size[1], (int)channels, &made));
  made.levels = stored.type == SAMPLE_F32 ? 0 : (int)sample_one(stored.type);
  Status status = read_pixels(file, &made, sample_one(stored.type));
  if (status == STATUS_OK) {
    *image = made;
  } else {
    image_destroy(&made);
  }
  return status;
}

Status dataset_image_decode(const char *name, const unsigned char *data, size_t length,
                            Image *image) {
  Hdf5File file;
  TRY(hdf5_open_image(name, data, length, &file));
  Status status = read_image(&file, image);
  hdf5_close(&file);
  return status;
}
