/* Data sets into files. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/convert_parts.h"
#include "io/audio.h"
#include "io/dataset.h"
#include "io/image.h"
#include "io/shape.h"
#include "io/shape_write.h"
#include "io/video.h"

enum { SOUND_BLOCK = 1 << 16, MAX_CHANNELS = 1024, MOST_PIXELS = 1 << 28 };

/* Refuses a file that says it holds something else than one of these kinds. */
static Status check_kind(const Conversion *conversion, const char *kind, const char *other) {
  char is[DATASET_TEXT];
  TRY(dataset_kind(conversion->from, is));
  if (!*is || !strcmp(is, kind) || !strcmp(is, other)) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: is a data set of kind %s; %s is for kind %s",
                     conversion->from, is, conversion->to, kind);
}

/* Opens the data set, checks what it is, and runs `write`. */
static Status with_dataset(const Conversion *conversion, const DatasetWish *wish, const char *kind,
                           Status (*write)(const Conversion *, Dataset *)) {
  Dataset *dataset = NULL;
  TRY(check_kind(conversion, kind, kind));
  TRY(dataset_open(conversion->from, conversion->dataset, wish, &dataset));
  Status status = write(conversion, dataset);
  dataset_close(dataset);
  return status;
}

/* Frames or samples a second: as asked, as the data set says, or the usual. */
static double choose_rate(const Conversion *conversion, const DatasetInfo *info, double usual) {
  if (conversion->rate > 0) return conversion->rate;
  if (info->rate > 0) return info->rate;
  fprintf(stderr, "siren: warning: %s does not tell its rate; taking %g (set rate=)\n",
          conversion->from, usual);
  return usual;
}

/* ---- Numbers that stand for nothing ---- */

/* "[3, 4, 5]": where sample i of a block lies that begins at `step` of axis 0. */
static const char *place(const DatasetInfo *info, int64_t step, int64_t i, char text[100]) {
  int64_t at[DATASET_MAX_AXES];
  int length = 0;
  i /= info->components;
  for (int k = info->n_axes - 1; k > 0; k--) {
    at[k] = i % info->size[k];
    i /= info->size[k];
  }
  at[0] = step + i;
  for (int k = 0; k < info->n_axes; k++) {
    length += snprintf(text + length, 100 - (size_t)length, "%s%" PRId64, k ? ", " : "[", at[k]);
  }
  strcpy(text + length, "]");
  return text;
}

/* Brightness: integers of 8 and 16 bits are shares of the largest, other numbers their own. */
static Status check_shares(const Conversion *conversion, const DatasetInfo *info, int64_t step,
                           const void *samples, int64_t n) {
  const float *values = samples;
  char text[100];
  for (int64_t i = 0; info->type == SAMPLE_F32 && i < n; i++) {
    if (values[i] >= 0 && values[i] <= 1) continue;
    return status_fail(STATUS_FAILED,
                       "%s: is %g at %s; brightness lies in [0, 1], or is uint8 or uint16",
                       conversion->from, (double)values[i], place(info, step, i, text));
  }
  return STATUS_OK;
}

/* Amplitudes. *loudest is the largest so far. */
static Status check_amplitudes(const Conversion *conversion, const DatasetInfo *info, int64_t step,
                               const float *samples, int64_t n, float *loudest) {
  char text[100];
  for (int64_t i = 0; i < n; i++) {
    *loudest = fmaxf(*loudest, fabsf(samples[i]));
    if (isfinite(samples[i])) continue;
    return status_fail(STATUS_FAILED, "%s: is %g at %s, not a finite number", conversion->from,
                       (double)samples[i], place(info, step, i, text));
  }
  return STATUS_OK;
}

static Status check_colours(const Conversion *conversion, const DatasetInfo *info) {
  if (info->components == 1 || info->components == 3) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: %d components at every pixel; %s takes 1 or 3",
                     conversion->from, info->components, conversion->to);
}

/* ---- Images ---- */

/* The only image, or one of a set: first[0] and the last two sizes say where it is. */
static Status read_image(const Conversion *conversion, Dataset *dataset, const int64_t *first,
                         const int64_t *count, Image *image) {
  const DatasetInfo *info = dataset_info(dataset);
  size_t n = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
  void *samples = NULL;
  TRY(memory_allocate(&samples, n, sample_bytes(info->type), "the image"));
  Status status = dataset_read(dataset, first, count, NULL, samples);
  if (status == STATUS_OK) {
    status = check_shares(conversion, info, first[0], samples, (int64_t)n);
  }
  for (size_t i = 0; status == STATUS_OK && i < n; i++) {
    image->pixels[i] = sample_get(info->type, samples, (int64_t)i) / (float)sample_one(info->type);
  }
  free(samples);
  return status;
}

static Status write_image(const Conversion *conversion, Dataset *dataset) {
  const DatasetInfo *info = dataset_info(dataset);
  const int64_t *size = info->size + info->n_axes - 2;
  int64_t first[3] = {info->n_axes == 3 ? conversion->image : 0}, count[3] = {1, size[0], size[1]};
  Image image = {0};
  TRY(check_colours(conversion, info));
  if (size[0] > MOST_PIXELS || size[1] > MOST_PIXELS / size[0]) {
    return status_fail(STATUS_FAILED, "%s: over %d million pixels: too many for an image",
                       conversion->from, MOST_PIXELS / 1000000);
  }
  TRY(image_create((int)size[0], (int)size[1], info->components, &image));
  Status status = read_image(conversion, dataset, first, count + 3 - info->n_axes, &image);
  if (status == STATUS_OK) {
    status = info->type == SAMPLE_U16 ? image_write_deep_png(conversion->to, &image)
                                      : image_write_png(conversion->to, &image);
  }
  image_destroy(&image);
  return status;
}

static Status write_image_of_set(const Conversion *conversion, Dataset *dataset) {
  int64_t n = dataset_info(dataset)->size[0];
  if (conversion->image < n) return write_image(conversion, dataset);
  return status_fail(STATUS_USAGE, "image=%" PRId64 ": %s has %" PRId64 " images, from 0 on",
                     conversion->image, conversion->from, n);
}

Status convert_image_out(const Conversion *conversion) {
  char is[DATASET_TEXT];
  if (conversion->image >= 0) {
    return with_dataset(conversion, &(DatasetWish){3, 3, "a set of images"}, "images",
                        write_image_of_set);
  }
  TRY(dataset_kind(conversion->from, is));
  if (!strcmp(is, "images")) {
    return status_fail(STATUS_USAGE, "%s: is a set of images; choose one: image=0",
                       conversion->from);
  }
  return with_dataset(conversion, &(DatasetWish){2, 2, "an image"}, "image", write_image);
}

/* ---- Shapes ---- */

Status convert_shape_out(const Conversion *conversion) {
  Shape shape = {0};
  char warning[512] = "";
  TRY(check_kind(conversion, "mesh", "points"));
  TRY(shape_read(conversion->from, &shape, warning));
  if (*warning) fprintf(stderr, "siren: warning: %s\n", warning);
  Status status = shape_write_ply(conversion->to, &shape);
  shape_destroy(&shape);
  return status;
}

/* ---- Sounds ---- */

static Status copy_sound(const Conversion *conversion, Dataset *dataset, AudioWriter *writer) {
  const DatasetInfo *info = dataset_info(dataset);
  size_t n = (size_t)SOUND_BLOCK * (size_t)info->components;
  void *block = NULL;
  float *samples = NULL, loudest = 0;
  TRY(memory_allocate(&block, n, sizeof(float), "a block of sound"));
  Status status = memory_allocate(&samples, n, sizeof *samples, "a block of sound");
  for (int64_t at = 0, count; status == STATUS_OK && at < info->size[0]; at += count) {
    count = info->size[0] - at < SOUND_BLOCK ? info->size[0] - at : SOUND_BLOCK;
    status = convert_go_on(conversion);
    if (status == STATUS_OK) status = dataset_read(dataset, &at, &count, NULL, block);
    int64_t values = count * info->components;
    for (int64_t i = 0; status == STATUS_OK && i < values; i++) {
      samples[i] = sample_get(info->type, block, i) / (float)sample_one(info->type);
    }
    if (status == STATUS_OK) {
      status = check_amplitudes(conversion, info, at, samples, values, &loudest);
    }
    if (status == STATUS_OK) status = audio_write(writer, count, samples);
  }
  if (status == STATUS_OK && loudest > 1) {
    fprintf(stderr, "siren: warning: %s has amplitudes up to %g; full scale is 1\n",
            conversion->from, (double)loudest);
  }
  free(samples);
  free(block);
  return status;
}

static Status write_sound(const Conversion *conversion, Dataset *dataset) {
  const DatasetInfo *info = dataset_info(dataset);
  AudioWriter *writer = NULL;
  if (info->components > MAX_CHANNELS) {
    return status_fail(STATUS_FAILED, "%s: %d channels; a sound has at most %d", conversion->from,
                       info->components, MAX_CHANNELS);
  }
  double rate = fmin(fmax(round(choose_rate(conversion, info, 44100)), 1), 1e9);
  TRY(audio_create(conversion->to, (int)rate, info->components, &writer));
  return audio_finish(writer, copy_sound(conversion, dataset, writer));
}

Status convert_sound_out(const Conversion *conversion) {
  return with_dataset(conversion, &(DatasetWish){1, 1, "a sound"}, "audio", write_sound);
}

/* ---- Videos ---- */

/* A frame of any type and of 1 or 3 components as bytes of red, green and blue. */
static void paint(const DatasetInfo *info, const void *samples, int64_t pixels, uint8_t *rgb) {
  float one = (float)sample_one(info->type);
  for (int64_t i = 0; i < pixels; i++) {
    for (int c = 0; c < 3; c++) {
      int64_t at = i * info->components + (info->components == 3 ? c : 0);
      rgb[3 * i + c] = (uint8_t)lrintf(255 * (sample_get(info->type, samples, at) / one));
    }
  }
}

static Status copy_video(const Conversion *conversion, Dataset *dataset, VideoWriter *writer) {
  const DatasetInfo *info = dataset_info(dataset);
  int64_t pixels = info->size[1] * info->size[2];
  int64_t count[3] = {1, info->size[1], info->size[2]};
  size_t frame = (size_t)(pixels * info->components) * sample_bytes(info->type);
  void *samples = NULL;
  uint8_t *rgb = NULL;
  TRY(memory_allocate(&samples, frame, 1, "a frame"));
  Status status = memory_allocate(&rgb, (size_t)pixels, 3, "a frame");
  for (int64_t t = 0; status == STATUS_OK && t < info->size[0]; t++) {
    const int64_t first[3] = {t, 0, 0};
    status = convert_go_on(conversion);
    if (status == STATUS_OK) status = dataset_read(dataset, first, count, NULL, samples);
    if (status == STATUS_OK) {
      status = check_shares(conversion, info, t, samples, pixels * info->components);
    }
    if (status == STATUS_OK) {
      paint(info, samples, pixels, rgb);
      status = video_write(writer, rgb);
    }
  }
  free(rgb);
  free(samples);
  return status;
}

static Status write_video(const Conversion *conversion, Dataset *dataset) {
  const DatasetInfo *info = dataset_info(dataset);
  VideoWriter *writer = NULL;
  TRY(check_colours(conversion, info));
  if (info->size[1] > 65536 || info->size[2] > 65536) {
    return status_fail(STATUS_FAILED, "%s: frames of over 65536 pixels a side", conversion->from);
  }
  TRY(video_create(conversion->to, (int)info->size[1], (int)info->size[2],
                   choose_rate(conversion, info, 25), &writer));
  return video_finish(writer, copy_video(conversion, dataset, writer));
}

Status convert_video_out(const Conversion *conversion) {
  return with_dataset(conversion, &(DatasetWish){3, 3, "a video"}, "video", write_video);
}
