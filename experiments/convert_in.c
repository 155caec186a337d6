/* Files into data sets. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/convert_parts.h"
#include "io/audio.h"
#include "io/dataset.h"
#include "io/dataset_shape.h"
#include "io/image.h"
#include "io/video.h"

enum { SOUND_BLOCK = 1 << 16 };

/* ---- Images ---- */

static Status write_image(const Conversion *conversion, const Image *image) {
  DatasetInfo info = {.kind = "image",
                      .axes = "row,column",
                      .units = "1",
                      .description = "shares of full brightness",
                      .n_axes = 2,
                      .size = {image->height, image->width},
                      .components = image->channels,
                      .type = image->levels == 255     ? SAMPLE_U8
                              : image->levels == 65535 ? SAMPLE_U16
                                                       : SAMPLE_F32};
  size_t n = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
  void *samples = NULL;
  DatasetWriter *writer = NULL;
  TRY(memory_allocate(&samples, n, sample_bytes(info.type), "the image"));
  for (size_t i = 0; i < n; i++) {
    float value = image->pixels[i];
    if (info.type == SAMPLE_U8) ((uint8_t *)samples)[i] = (uint8_t)lrintf(value * 255);
    if (info.type == SAMPLE_U16) ((uint16_t *)samples)[i] = (uint16_t)lrintf(value * 65535);
    if (info.type == SAMPLE_F32) ((float *)samples)[i] = value;
  }
  Status status = dataset_create(conversion->to, &info, &writer);
  if (status == STATUS_OK) {
    status = dataset_finish(writer, dataset_append(writer, image->height, samples));
  }
  free(samples);
  return status;
}

Status convert_image_in(const Conversion *conversion) {
  Image image;
  TRY(image_read(conversion->from, &image));
  Status status = write_image(conversion, &image);
  image_destroy(&image);
  return status;
}

/* ---- Shapes ---- */

Status convert_shape_in(const Conversion *conversion) {
  Shape shape = {0};
  char warning[512] = "";
  TRY(shape_read(conversion->from, &shape, warning));
  if (*warning) fprintf(stderr, "siren: warning: %s\n", warning);
  Status status = dataset_write_shape(conversion->to, &shape);
  shape_destroy(&shape);
  return status;
}

/* ---- Sounds, block by block ---- */

static Status copy_sound(const Conversion *conversion, AudioReader *reader, DatasetWriter *writer) {
  float *block = NULL;
  int64_t got = 1;
  size_t frame = (size_t)audio_info(reader).channels;
  TRY(memory_allocate(&block, SOUND_BLOCK * frame, sizeof *block, "a block of sound"));
  Status status = STATUS_OK;
  while (status == STATUS_OK && got > 0) {
    status = convert_go_on(conversion);
    if (status == STATUS_OK) status = audio_read(reader, SOUND_BLOCK, block, &got);
    if (status == STATUS_OK && got > 0) status = dataset_append(writer, got, block);
  }
  free(block);
  return status;
}

static Status read_sound(const Conversion *conversion, AudioReader *reader) {
  AudioInfo sound = audio_info(reader);
  DatasetInfo info = {.kind = "audio",
                      .axes = "time",
                      .units = "1",
                      .description = "amplitude, full scale is 1",
                      .n_axes = 1,
                      .components = sound.channels,
                      .type = SAMPLE_F32,
                      .rate = conversion->rate > 0 ? conversion->rate : sound.rate};
  DatasetWriter *writer = NULL;
  TRY(dataset_create(conversion->to, &info, &writer));
  return dataset_finish(writer, copy_sound(conversion, reader, writer));
}

Status convert_sound_in(const Conversion *conversion) {
  AudioReader *reader = NULL;
  TRY(audio_open(conversion->from, &reader));
  Status status = read_sound(conversion, reader);
  audio_close(reader);
  return status;
}

/* ---- Videos, frame by frame ---- */

static Status copy_video(const Conversion *conversion, VideoReader *reader, DatasetWriter *writer) {
  uint8_t *frame = NULL;
  VideoInfo video = video_info(reader);
  bool got = true;
  TRY(memory_allocate(&frame, (size_t)video.height * (size_t)video.width, 3, "a frame"));
  Status status = STATUS_OK;
  while (status == STATUS_OK && got) {
    status = convert_go_on(conversion);
    if (status == STATUS_OK) status = video_next(reader, frame, &got);
    if (status == STATUS_OK && got) status = dataset_append(writer, 1, frame);
  }
  free(frame);
  return status;
}

static Status read_video(const Conversion *conversion, VideoReader *reader) {
  VideoInfo video = video_info(reader);
  DatasetInfo info = {.kind = "video",
                      .axes = "time,row,column",
                      .units = "1",
                      .description = "red, green, blue as shares of full brightness",
                      .n_axes = 3,
                      .size = {0, video.height, video.width},
                      .components = 3,
                      .type = SAMPLE_U8,
                      .rate = conversion->rate > 0 ? conversion->rate : video.rate};
  DatasetWriter *writer = NULL;
  TRY(dataset_create(conversion->to, &info, &writer));
  return dataset_finish(writer, copy_video(conversion, reader, writer));
}

Status convert_video_in(const Conversion *conversion) {
  VideoReader *reader = NULL;
  TRY(video_open(conversion->from, &reader));
  Status status = read_video(conversion, reader);
  video_close(reader);
  return status;
}
