/* What the two directions of convert.c owe each other. */
#ifndef EXPERIMENTS_CONVERT_PARTS_H
#define EXPERIMENTS_CONVERT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "io/image.h"

typedef struct {
  const char *from, *to;
  const char *dataset; /* "" : the one that can be meant */
  double rate;         /* 0: the file's own */
  int64_t image;       /* of a set; -1: not given */

  /* of images that become a set */
  int size;     /* centre squares, resized to so many pixels a side; 0: as they are */
  int channels; /* 1: grey, 3: RGB, 0: as they are */
  ImageFilter filter;
  bool skip; /* warn of images that cannot be read, and go on */
} Conversion;

/* One direction for one kind of file. Local. */
typedef Status Converter(const Conversion *conversion);

/* Into HDF5, and out of it. */
Converter convert_folder_in, convert_archive_in, convert_idx_in;
Converter convert_image_in, convert_sound_in, convert_video_in, convert_shape_in;
Converter convert_image_out, convert_sound_out, convert_video_out, convert_shape_out;

/* Local. STATUS_FAILED once a signal asked to stop: to be called for every frame or block. */
Status convert_go_on(const Conversion *conversion);

#endif
