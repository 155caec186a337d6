/* Where the frames of a film come from: a video file, a data set in HDF5, or the built-in film. */
#ifndef EXPERIMENTS_FILM_SOURCE_H
#define EXPERIMENTS_FILM_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "io/sample.h"

typedef struct {
  const char *name; /* for messages; borrowed */
  int height, width, channels;
  int64_t frames; /* -1: nobody knows before they have been read */
  bool in_order;  /* frames can only be read one after the other */
  SampleType type;
  double rate; /* frames a second; 0: unknown */
} FilmInfo;

typedef struct FilmSource FilmSource;

/* Local. Opens a file by its content; "" is the built-in film, a camera moving over a photograph in
 * which another one moves, of the same bits everywhere. `dataset` names one in HDF5, "" the only
 * one there. Texts are borrowed. Errors name the file: those of io/video.h and io/dataset.h, and a
 * data set that is no video. */
Status film_source_open(const char *file, const char *dataset, FilmSource **source);
void film_source_close(FilmSource *source); /* NULL is allowed */
const FilmInfo *film_source_info(const FilmSource *source);

/* Local. How many frames there are, or `enough` if there are not fewer. A video file is read
 * through by a reader of its own. */
Status film_source_count(const FilmSource *source, int64_t enough, int64_t *frames);

/* Local. Frames first, first + stride, ... first + (count - 1) * stride into samples
 * [count][height][width][channels] of the info's type. In-order sources: `first` lies behind all
 * frames read before. Fails where there are not so many. */
Status film_source_read(FilmSource *source, int64_t first, int64_t stride, int64_t count,
                        void *samples);

#endif
