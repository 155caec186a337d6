#include "experiments/film_source.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/dataset.h"
#include "io/embedded.h"
#include "io/file.h"
#include "io/image.h"
#include "io/video.h"

enum { LARGEST_SIDE = 16384 };

typedef struct {
  Status (*open)(FilmSource *source, const char *dataset);
  Status (*read)(FilmSource *source, int64_t first, int64_t stride, int64_t count, void *samples);
} Kind;

struct FilmSource {
  const Kind *kind;
  FilmInfo info;
  Dataset *dataset;
  VideoReader *video;
  int64_t next; /* frame that the video's reader gives next */
  Image scene, inset;
};

static size_t frame_bytes(const FilmInfo *info) {
  return (size_t)info->height * (size_t)info->width * (size_t)info->channels *
         sample_bytes(info->type);
}

/* ---- Video files ---- */

static Status video_source_open(FilmSource *source, const char *dataset) {
  (void)dataset;
  TRY(video_open(source->info.name, &source->video));
  VideoInfo video = video_info(source->video);
  source->info.height = video.height;
  source->info.width = video.width;
  source->info.channels = 3;
  source->info.frames = -1;
  source->info.in_order = true;
  source->info.type = SAMPLE_U8;
  source->info.rate = video.rate;
  return STATUS_OK;
}

/* Frames on the way to the wanted ones are decoded into its place. */
static Status video_source_read(FilmSource *source, int64_t first, int64_t stride, int64_t count,
                                void *samples) {
  assert(first >= source->next);
  unsigned char *frame = samples;
  for (int64_t i = 0; i < count; i++) {
    for (bool got; source->next <= first + i * stride; source->next++) {
      TRY(video_next(source->video, frame, &got));
      if (got) continue;
      return status_fail(STATUS_FAILED, "%s: has only %" PRId64 " frames", source->info.name,
                         source->next);
    }
    frame += frame_bytes(&source->info);
  }
  return STATUS_OK;
}

static Status count_frames(VideoReader *video, unsigned char *frame, int64_t enough,
                           int64_t *frames) {
  bool got = true;
  for (*frames = 0; *frames < enough; (*frames)++) {
    TRY(video_next(video, frame, &got));
    if (!got) break;
  }
  return STATUS_OK;
}

static Status video_count(const FilmInfo *info, int64_t enough, int64_t *frames) {
  VideoReader *video;
  unsigned char *frame = NULL;
  TRY(video_open(info->name, &video));
  Status status = memory_allocate(&frame, frame_bytes(info), 1, "a frame");
  if (status == STATUS_OK) status = count_frames(video, frame, enough, frames);
  free(frame);
  video_close(video);
  return status;
}

/* ---- Data sets ---- */

static Status dataset_source_open(FilmSource *source, const char *dataset) {
  DatasetWish wish = {.least = 3, .most = 3, .what = "a video"};
  TRY(dataset_open(source->info.name, dataset, &wish, &source->dataset));
  const DatasetInfo *info = dataset_info(source->dataset);
  if (info->components != 1 && info->components != 3) {
    return status_fail(STATUS_FAILED,
                       "%s: has %d components a pixel; a video has 1 (grey) or 3 (RGB)",
                       source->info.name, info->components);
  }
  if (info->size[1] > LARGEST_SIDE || info->size[2] > LARGEST_SIDE) {
    return status_fail(STATUS_FAILED,
                       "%s: frames of %" PRId64 " x %" PRId64
                       " pixels are too large; are its "
                       "axes time, row and column?",
                       source->info.name, info->size[1], info->size[2]);
  }
  source->info.height = (int)info->size[1];
  source->info.width = (int)info->size[2];
  source->info.channels = info->components;
  source->info.frames = info->size[0];
  source->info.type = info->type;
  source->info.rate = info->rate;
  return STATUS_OK;
}

static Status dataset_source_read(FilmSource *source, int64_t first, int64_t stride, int64_t count,
                                  void *samples) {
  const int64_t from[] = {first, 0, 0}, strides[] = {stride, 1, 1};
  const int64_t size[] = {count, source->info.height, source->info.width};
  return dataset_read(source->dataset, from, size, strides, samples);
}

/* ---- The built-in film ---- */

/* The camera goes from all of the photograph to the half of it around the middle of its top, past
 * an inset that crosses the picture on an arc. Whole numbers and PIL's fixed-point filter only. */
enum { FRAMES = 24, HEIGHT = 96, WIDTH = 128, RATE = 12, INSET_HEIGHT = 32, INSET_WIDTH = 48 };

static Status resized(Image *image, int height, int width) {
  Image to;
  TRY(image_resize(image, height, width, &to));
  image_destroy(image);
  *image = to;
  return STATUS_OK;
}

static Status built_in_open(FilmSource *source, const char *dataset) {
  (void)dataset;
  source->info.height = HEIGHT;
  source->info.width = WIDTH;
  source->info.channels = 3;
  source->info.frames = FRAMES;
  source->info.type = SAMPLE_U8;
  source->info.rate = RATE;
  source->info.name = "the built-in film";
  TRY(image_read("", &source->scene));
  TRY(image_to_rgb(&source->scene));
  TRY(image_decode(source->info.name, coffee_data, coffee_length, &source->inset));
  return resized(&source->inset, INSET_HEIGHT, INSET_WIDTH);
}

static Status look(const Image *scene, int frame, Image *view) {
  int unit = 128 - 64 * frame / (FRAMES - 1), height = 3 * unit, width = 4 * unit;
  int top = (scene->height - height) * (FRAMES - 1 - frame) / (4 * (FRAMES - 1));
  TRY(image_crop(scene, top, (scene->width - width) / 2, height, width, view));
  return resized(view, HEIGHT, WIDTH);
}

static void paste(const Image *inset, int frame, Image *view) {
  int left = (WIDTH - INSET_WIDTH) * frame / (FRAMES - 1);
  int top = 56 - frame * (FRAMES - 1 - frame) / 4;
  for (int row = 0; row < INSET_HEIGHT; row++) {
    memcpy(view->pixels + 3 * ((size_t)(top + row) * WIDTH + (size_t)left),
           inset->pixels + 3 * (size_t)(row * INSET_WIDTH), 3 * INSET_WIDTH * sizeof(float));
  }
}

static Status built_in_read(FilmSource *source, int64_t first, int64_t stride, int64_t count,
                            void *samples) {
  unsigned char *bytes = samples;
  for (int64_t i = 0; i < count; i++) {
    Image view = {0};
    Status status = look(&source->scene, (int)(first + i * stride), &view);
    if (status == STATUS_OK) {
      paste(&source->inset, (int)(first + i * stride), &view);
      for (size_t k = 0; k < frame_bytes(&source->info); k++) {
        *bytes++ = (unsigned char)(view.pixels[k] * 255 + 0.5f);
      }
    }
    image_destroy(&view);
    TRY(status);
  }
  return STATUS_OK;
}

/* ---- All of them ---- */

static const Kind kind_video = {video_source_open, video_source_read};
static const Kind kind_dataset = {dataset_source_open, dataset_source_read};
static const Kind kind_built_in = {built_in_open, built_in_read};

static const Kind *kind_of(const char *file) {
  if (!*file) return &kind_built_in;
  return file_begins(file, "\x89HDF\r\n\x1a\n", 8) ? &kind_dataset : &kind_video;
}

Status film_source_open(const char *file, const char *dataset, FilmSource **source) {
  FilmSource *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a film"));
  made->kind = kind_of(file);
  made->info.name = file;
  Status status = made->kind->open(made, dataset);
  if (status == STATUS_OK) {
    *source = made;
  } else {
    film_source_close(made);
  }
  return status;
}

void film_source_close(FilmSource *source) {
  if (!source) return;
  dataset_close(source->dataset);
  video_close(source->video);
  image_destroy(&source->scene);
  image_destroy(&source->inset);
  free(source);
}

const FilmInfo *film_source_info(const FilmSource *source) {
  return &source->info;
}

Status film_source_count(const FilmSource *source, int64_t enough, int64_t *frames) {
  const FilmInfo *info = &source->info;
  if (info->frames < 0) return video_count(info, enough, frames);
  *frames = info->frames < enough ? info->frames : enough;
  return STATUS_OK;
}

Status film_source_read(FilmSource *source, int64_t first, int64_t stride, int64_t count,
                        void *samples) {
  return source->kind->read(source, first, stride, count, samples);
}
