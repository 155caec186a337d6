#include "experiments/movie.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/video.h"
#include "mpi/gather.h"

static const double usual_rate = 25;

struct Movie {
  const Comm *comm;
  MovieSpec spec;
  int left, width;       /* where the fit begins, and where it ends */
  VideoWriter *writer;   /* NULL but on rank 0, and without FFmpeg */
  unsigned char *stills; /* [stills][height][width][3] on rank 0 */
  int64_t next;          /* frame that comes next, on rank 0 */
  int64_t first, count;  /* of this rank's frames on their way */
  const float *fit;
};

static size_t frame_bytes(const Movie *movie) {
  return 3 * (size_t)movie->spec.height * (size_t)movie->width;
}

static int64_t still_frame(const MovieSpec *spec, int still) {
  return spec->stills > 1 ? still * (spec->frames - 1) / (spec->stills - 1) : 0;
}

static Status create_root(const char *path, Movie *movie) {
  const MovieSpec *spec = &movie->spec;
  TRY(memory_allocate(&movie->stills, (size_t)spec->stills * frame_bytes(movie), 1, "stills"));
  if (!video_supported()) {
    fprintf(stderr, "siren: no %s: this siren is built without FFmpeg\n", path);
    return STATUS_OK;
  }
  return video_create(path, spec->height, movie->width, spec->rate > 0 ? spec->rate : usual_rate,
                      &movie->writer);
}

static void release(Movie *movie) {
  if (movie) free(movie->stills);
  free(movie);
}

/* Between truth and fit: thin, and an even number of pixels, as video files like it. */
static int gap(int width) {
  return width < 256 ? 2 : width / 128 * 2;
}

Status movie_create(const Comm *comm, const char *path, const MovieSpec *spec, Movie **movie) {
  Movie *made = NULL;
  Status status = memory_allocate(&made, 1, sizeof *made, "a movie");
  if (status == STATUS_OK) {
    *made = (Movie){.comm = comm, .spec = *spec};
    made->left = spec->truth ? spec->width + gap(spec->width) : 0;
    made->width = made->left + spec->width;
    if (comm_rank(comm) == 0) status = create_root(path, made);
  }
  status = comm_agree(comm, status);
  if (status == STATUS_OK) {
    *movie = made;
  } else {
    if (made && made->writer) video_finish(made->writer, status);
    release(made);
  }
  return status;
}

/* ---- Frames ---- */

/* A value of [-1, 1]; NaN is 0. */
static unsigned char level(float value) {
  float share = value / 2 + 0.5f;
  return share > 0 ? share < 1 ? (unsigned char)(share * 255 + 0.5f) : 255 : 0;
}

/* One pixel of a line, grey or RGB. */
static void put_pixel(unsigned char *rgb, const float *value, int channels) {
  for (int c = 0; c < 3; c++) rgb[c] = level(value[channels == 3 ? c : 0]);
}

static void put_truth(const Movie *movie, int64_t frame, unsigned char *rgb) {
  const Signal *truth = movie->spec.truth;
  const void *samples = signal_place(truth, frame);
  int64_t i = 0;
  for (int row = 0; row < movie->spec.height; row++) {
    for (int column = 0; column < movie->spec.width; column++) {
      float value[3];
      for (int c = 0; c < truth->components; c++)
        value[c] = (float)signal_value(truth, samples, i++);
      put_pixel(rgb + 3 * (row * movie->width + column), value, truth->components);
    }
  }
}

static void put_fit(const Movie *movie, const float *fit, unsigned char *rgb) {
  int channels = movie->spec.channels;
  for (int row = 0; row < movie->spec.height; row++) {
    for (int column = 0; column < movie->spec.width; column++, fit += channels) {
      put_pixel(rgb + 3 * (row * movie->width + movie->left + column), fit, channels);
    }
  }
}

/* CommStream: one frame is one buffer. */
static size_t produce(void *context, unsigned char *buffer, size_t capacity) {
  Movie *movie = context;
  size_t values =
      (size_t)movie->spec.height * (size_t)movie->spec.width * (size_t)movie->spec.channels;
  if (movie->count == 0) return 0;
  memset(buffer, 255, capacity); /* the gap */
  if (movie->spec.truth) put_truth(movie, movie->first, buffer);
  put_fit(movie, movie->fit, buffer);
  movie->fit += values;
  movie->first++;
  movie->count--;
  return capacity;
}

static Status consume(void *context, const unsigned char *data, size_t length) {
  Movie *movie = context;
  for (int i = 0; i < movie->spec.stills; i++) {
    if (movie->next != still_frame(&movie->spec, i)) continue;
    memcpy(movie->stills + (size_t)i * length, data, length);
  }
  movie->next++;
  return movie->writer ? video_write(movie->writer, data) : STATUS_OK;
}

Status movie_frames(Movie *movie, int64_t first, int64_t count, const float *fit) {
  movie->first = first;
  movie->count = count;
  movie->fit = fit;
  CommStream stream = {produce, consume, movie};
  return comm_stream(movie->comm, &stream, frame_bytes(movie));
}

/* ---- The end ---- */

static Status cut_out(const Movie *movie, const unsigned char *rgb, int left, Image *image) {
  size_t line = 3 * (size_t)movie->spec.width;
  TRY(image_create(movie->spec.height, movie->spec.width, 3, image));
  image->levels = 255;
  for (size_t i = 0; i < (size_t)movie->spec.height * line; i++) {
    size_t at = 3 * (i / line * (size_t)movie->width + (size_t)left) + i % line;
    image->pixels[i] = (float)rgb[at] / 255;
  }
  return STATUS_OK;
}

Status movie_still(const Movie *movie, int still, int64_t *frame, Image *truth, Image *fit) {
  assert(still < movie->spec.stills);
  const unsigned char *rgb = movie->stills + (size_t)still * frame_bytes(movie);
  *frame = still_frame(&movie->spec, still);
  if (movie->spec.truth) TRY(cut_out(movie, rgb, 0, truth));
  return cut_out(movie, rgb, movie->left, fit);
}

Status movie_finish(Movie *movie, Status status) {
  if (!movie) return status;
  if (movie->writer) status = video_finish(movie->writer, status);
  status = comm_agree(movie->comm, status);
  release(movie);
  return status;
}

/* One frame on each rank; on rank 0 the stills, and the encoder (x264): its tables, and what it
 * looks at before it decides: some fifty frames, with what it knows of them. */
double movie_bytes(const MovieSpec *spec, int rank) {
  enum { LOOK_AHEAD = 50, ENCODER_BYTES = 10 << 20 };
  double width = spec->truth ? 2 * spec->width + gap(spec->width) : spec->width;
  double pixels = width * spec->height;
  double frames = fmin((double)spec->frames, LOOK_AHEAD);
  return 3 * pixels +
         (rank == 0 ? ENCODER_BYTES + pixels * (3.0 * spec->stills + 4.5 * frames) : 0);
}
