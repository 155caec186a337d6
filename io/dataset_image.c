/* Images as data sets in HDF5 (io/dataset.h): /data [row][column] or [row][column][1 or 3]. */
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "io/hdf5.h"
#include "io/image_formats.h"
#include "io/sample.h"

static Status read_pixels(const Hdf5File *file, Image *image, double one) {
  size_t n = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
  TRY(hdf5_read(file, "/data", H5T_NATIVE_FLOAT, image->pixels));
  for (size_t i = 0; i < n; i++) {
    image->pixels[i] = (float)((double)image->pixels[i] / one);
    if (!isfinite(image->pixels[i])) {
      return status_fail(STATUS_FAILED, "%s: /data is not finite at pixel %zu", file->path,
                         i / (size_t)image->channels);
    }
  }
  return STATUS_OK;
}

static Status read_image(const Hdf5File *file, Image *image) {
  int rank;
  int64_t size[HDF5_MAX_RANK];
  char text[160];
  TRY(hdf5_shape(file, "/data", &rank, size));
  int64_t channels = rank == 3 ? size[2] : 1;
  bool fits = (rank == 2 || rank == 3) && (channels == 1 || channels == 3) && size[0] > 0 &&
              size[1] > 0 && size[0] <= 1 << 28 && size[1] <= (1 << 28) / size[0];
  if (!fits) {
    return status_fail(STATUS_FAILED,
                       "%s: /data has the shape %s; an image has [row][column] or "
                       "[row][column][3], and at most 2^28 pixels",
                       file->path, hdf5_shape_text(rank, size, text));
  }
  Image made;
  TRY(image_create((int)size[0], (int)size[1], (int)channels, &made));
  SampleType type = hdf5_has_type(file, "/data", H5T_STD_U8LE)    ? SAMPLE_U8
                    : hdf5_has_type(file, "/data", H5T_STD_U16LE) ? SAMPLE_U16
                                                                  : SAMPLE_F32;
  made.levels = type == SAMPLE_F32 ? 0 : (int)sample_one(type);
  Status status = read_pixels(file, &made, sample_one(type));
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
