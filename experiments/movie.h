/* What a network made of a video, as a video file: frames that ranks have parts of, beside the
 * truth or alone, and some of them as stills. */
#ifndef EXPERIMENTS_MOVIE_H
#define EXPERIMENTS_MOVIE_H

#include "experiments/signal.h"
#include "io/image.h"
#include "mpi/comm.h"

typedef struct {
  int64_t frames;
  int height, width, channels;
  double rate;         /* frames a second; 0: unknown, played as 25 */
  const Signal *truth; /* shown at the left of the fit; NULL: the fit alone */
  int stills;          /* spread over all frames, to be kept on rank 0 */
} MovieSpec;

typedef struct Movie Movie;

/* Collective. Begins to replace `path` (io/video.h; a build without FFmpeg has stills only, and
 * says so); what spec points to is borrowed. */
Status movie_create(const Comm *comm, const char *path, const MovieSpec *spec, Movie **movie);

/* Collective. Frames first, ... first + count - 1 of each rank, which follow each other in rank
 * order and call by call: fit [count][height][width][channels] in [-1, 1]. Rank 0 has one frame at
 * a time.
 */
Status movie_frames(Movie *movie, int64_t first, int64_t count, const float *fit);

/* Local, on rank 0, after the last frame. A still as new images, *truth where there is one; returns
 * the frame's number in *frame. */
Status movie_still(const Movie *movie, int still, int64_t *frame, Image *truth, Image *fit);

/* Collective. Ends the file and frees the movie (NULL is allowed): as file_stream_close. */
Status movie_finish(Movie *movie, Status status);

/* Local, for forecasts. Bytes that a movie takes on a rank. */
double movie_bytes(const MovieSpec *spec, int rank);

#endif
