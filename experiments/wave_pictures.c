#include "experiments/wave_pictures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/curve.h"
#include "experiments/field_figure.h"
#include "experiments/movie.h"
#include "io/picture.h"
#include "io/video.h"

static const char title[] = "The wave equation";
static const double film_rate = 10; /* frames a second */

static double time_of(const WavePictures *pictures, int64_t frame) {
  return grid_coordinate(&pictures->grid, 0, frame);
}

static Status draw_strip(const Result *result, const WavePictures *pictures) {
  size_t points = (size_t)grid_line(&pictures->grid);
  char labels[WAVE_SNAPSHOTS][32], captions[WAVE_SNAPSHOTS][48];
  FieldColumn columns[WAVE_SNAPSHOTS];
  for (int s = 0; s < WAVE_SNAPSHOTS; s++) {
    int64_t frame = pictures->snapshot[s];
    snprintf(labels[s], sizeof labels[s], "t = %.3g", time_of(pictures, frame));
    snprintf(captions[s], sizeof captions[s], "error %.3g", (double)pictures->frame_error[frame]);
    columns[s] = (FieldColumn){.label = labels[s],
                               .caption = captions[s],
                               .truth = pictures->truth + (size_t)frame * points,
                               .fit = pictures->fit + (size_t)frame * points,
                               .low = -pictures->limit,
                               .high = pictures->limit};
  }
  char *path = result_path(result, "strip.png");
  Status status = field_figure(path, &(FieldFigure){.title = title,
                                                    .height = (int)pictures->grid.size[1],
                                                    .width = (int)pictures->grid.size[2],
                                                    .n_columns = WAVE_SNAPSHOTS,
                                                    .columns = columns});
  free(path);
  return status;
}

static Status plot_errors(const Result *result, const WavePictures *pictures) {
  int64_t frames = pictures->grid.size[0];
  double *numbers;
  TRY(memory_allocate(&numbers, 2 * (size_t)frames, sizeof *numbers, "a curve"));
  for (int64_t i = 0; i < frames; i++) {
    numbers[i] = time_of(pictures, i);
    numbers[frames + i] = (double)pictures->frame_error[i];
  }
  Curve curve = {.label = "", .n = frames, .x = numbers, .y = numbers + frames};
  char *path = result_path(result, "errors.png");
  Status status = picture_plot(
      path, &(Plot){"Error of the wave", "time", "relative L2 error", true, 1, &curve});
  free(path);
  free(numbers);
  return status;
}

/* ---- The film ---- */

static unsigned char level(float value) {
  return (unsigned char)(value * 255 + 0.5f);
}

/* One field into a half of the frame. */
static Status put_field(const WavePictures *pictures, const float *field, int left, int width,
                        unsigned char *rgb) {
  int side = (int)pictures->grid.size[1];
  Image image = {0};
  TRY(picture_signed(field, side, side, pictures->limit, &image));
  for (int i = 0; i < 3 * side * side; i++) {
    int row = i / (3 * side), column = i % (3 * side);
    rgb[3 * (row * width + left) + column] = level(image.pixels[i]);
  }
  image_destroy(&image);
  return STATUS_OK;
}

static Status write_frames(const WavePictures *pictures, VideoWriter *writer, int gap, int width,
                           unsigned char *rgb) {
  int side = (int)pictures->grid.size[1];
  size_t points = (size_t)grid_line(&pictures->grid);
  for (int64_t i = 0; i < pictures->grid.size[0]; i++) {
    memset(rgb, 0, 3 * (size_t)side * (size_t)width);
    TRY(put_field(pictures, pictures->truth + (size_t)i * points, 0, width, rgb));
    TRY(put_field(pictures, pictures->fit + (size_t)i * points, side + gap, width, rgb));
    TRY(video_write(writer, rgb));
  }
  return STATUS_OK;
}

static Status film(const char *path, const WavePictures *pictures) {
  if (!video_supported()) {
    fprintf(stderr, "siren: no %s: this siren is built without FFmpeg\n", path);
    return STATUS_OK;
  }
  enum { GAP = 4 };
  int side = (int)pictures->grid.size[1], width = 2 * side + GAP;
  unsigned char *rgb;
  VideoWriter *writer = NULL;
  TRY(memory_allocate(&rgb, 3 * (size_t)side * (size_t)width, 1, "a frame"));
  Status status = video_create(path, side, width, film_rate, &writer);
  if (status == STATUS_OK) status = write_frames(pictures, writer, GAP, width, rgb);
  status = video_finish(writer, status);
  free(rgb);
  return status;
}

Status wave_pictures(const Setup *setup, const Result *result, const WavePictures *pictures) {
  TRY(draw_strip(result, pictures));
  TRY(plot_errors(result, pictures));
  char *path = result_path(result, "fit.mp4");
  Status status = film(path, pictures);
  free(path);
  TRY(status);
  return curve_headline(setup, result, "equation.png", &(CurveStyle){title, "residual", true});
}

/* One after the other. */
double wave_pictures_bytes(const Grid *grid) {
  int side = (int)grid->size[1];
  const Signal truth = {0};
  MovieSpec movie = {
      .frames = grid->size[0], .height = side, .width = side, .channels = 3, .truth = &truth};
  double film = video_supported() ? movie_bytes(&movie, 0) : 0;
  double figure = field_figure_bytes(side, side, WAVE_SNAPSHOTS);
  return fmax(fmax(figure, picture_plot_bytes()), film);
}
