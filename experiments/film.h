/* A film as a signal f: (time, row, column) -> grey or RGB in [-1, 1] (paper.md 0.5 and section 3):
 * the frames that are fitted, cut out and resized on their way into the memory that the ranks of a
 * node share, in the numbers of their file (a byte a value for video files). */
#ifndef EXPERIMENTS_FILM_H
#define EXPERIMENTS_FILM_H

#include "experiments/signal.h"
#include "io/config.h"

typedef struct {
  Signal
      signal;  /* [frames][height][width][channels]; one frame lies at -1, one row or column at 0 */
  double rate; /* frames a second, of those that are fitted; 0: unknown */
} Film;

/* Collective. Reads data.file, "" being the built-in film: frames video.first, video.first +
 * video.every, ..., video.frames of them (0: all there are); then the centre square (data.crop),
 * data.colour, and PIL's resizing to video.height x video.width pixels. One rank of a node decodes
 * a video file, after one of all has counted its frames; every rank reads its part of a data set.
 * Fails, beside what cannot be read, on frames that are not there (STATUS_USAGE), on data.size, and
 * on numbers outside [0, 1] in data sets of real numbers. To be destroyed after a failure, too. */
Status film_read(const Comm *comm, const Config *config, Film *film);

/* Collective. Leaves it all zero. */
void film_destroy(Film *film);

#endif
