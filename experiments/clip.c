#include "experiments/clip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/audio.h"
#include "io/file.h"

enum { BLOCK = 1 << 16 }; /* frames that are read at once */

/* ---- Where frames come from ---- */

/* A sound file, or a data set. */
typedef struct {
  const char *name;   /* for messages */
  AudioReader *sound; /* NULL: */
  Dataset *data;
  double rate; /* 0: not known */
  int channels;
  int64_t frames;
  int64_t next; /* frame that is read next */
} Source;

static void source_close(Source *source) {
  audio_close(source->sound);
  dataset_close(source->data);
  memset(source, 0, sizeof *source);
}

static Status open_data(const char *path, const char *dataset, Source *source) {
  TRY(dataset_open(path, dataset, &(DatasetWish){1, 1, "a sound"}, &source->data));
  const DatasetInfo *info = dataset_info(source->data);
  source->rate = info->rate;
  source->channels = info->components;
  source->frames = info->size[0];
  return STATUS_OK;
}

static Status open_sound(const char *path, Source *source) {
  TRY(audio_open(path, &source->sound));
  AudioInfo info = audio_info(source->sound);
  source->rate = info.rate;
  source->channels = info.channels;
  source->frames = info.frames;
  return STATUS_OK;
}

static Status source_open(const Config *config, Source *source) {
  const char *path = config_text(config, "data.file");
  *source = (Source){.name = *path ? path : "the built-in clip"};
  if (*path && file_begins(path, "\x89HDF\r\n\x1a\n", 8)) {
    return open_data(path, config_text(config, "audio.dataset"), source);
  }
  return open_sound(path, source);
}

/* The data set's next `count` frames as floats. */
static Status read_data(Source *source, int64_t count, float *samples) {
  SampleType type = dataset_info(source->data)->type;
  int64_t n = count * source->channels;
  void *stored = NULL;
  TRY(memory_allocate(&stored, (size_t)n, sample_bytes(type), "a part of the sound"));
  Status status = dataset_read(source->data, &source->next, &count, NULL, stored);
  for (int64_t i = 0; status == STATUS_OK && i < n; i++) samples[i] = sample_get(type, stored, i);
  free(stored);
  return status;
}

static Status read_sound(Source *source, int64_t count, float *samples) {
  for (int64_t done = 0, got; done < count; done += got) {
    TRY(audio_read(source->sound, count - done, samples + done * source->channels, &got));
    if (got == 0) {
      return status_fail(STATUS_FAILED, "%s: ends after %lld of %lld frames", source->name,
                         (long long)(source->next + done), (long long)source->frames);
    }
  }
  return STATUS_OK;
}

/* The next `count` frames [count][channels]. */
static Status source_read(Source *source, int64_t count, float *samples) {
  TRY(source->data ? read_data(source, count, samples) : read_sound(source, count, samples));
  source->next += count;
  return STATUS_OK;
}

/* ---- Which of them ---- */

typedef struct {
  int64_t first, count; /* frames */
} Part;

static Status no_rate(const Config *config, const char *key, const Source *source) {
  return config_reject(config, key, "%s does not say how many samples a second has", source->name);
}

static Status choose_part(const Config *config, const Source *source, Part *part) {
  double first = config_real(config, "audio.first"), seconds = config_real(config, "audio.seconds");
  *part = (Part){0, source->frames};
  if (first > 0 && source->rate <= 0) return no_rate(config, "audio.first", source);
  if (seconds > 0 && source->rate <= 0) return no_rate(config, "audio.seconds", source);
  double length = source->rate > 0 ? (double)source->frames / source->rate : INFINITY;
  if (first >= length) {
    return config_reject(config, "audio.first", "%s has %.6g seconds", source->name, length);
  }
  part->first = llround(first * source->rate);
  part->count -= part->first;
  if (seconds == 0) return STATUS_OK;
  int64_t count = llround(seconds * source->rate);
  if (count > part->count) {
    return config_reject(config, "audio.seconds", "%s has %.6g seconds from there on", source->name,
                         (double)part->count / source->rate);
  }
  part->count = count;
  return STATUS_OK;
}

static Status check_part(const Source *source, const Part *part) {
  if (part->count > 1) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: a sound of %s has no time to learn", source->name,
                     part->count ? "one sample" : "no samples");
}

/* ---- The signal ---- */

/* Means over the channels of frames from `at` of the clip on. */
static void mix(int channels, int64_t at, int64_t count, const float *samples, Signal *signal) {
  float *mono = signal_place(signal, at);
  for (int64_t i = 0; i < count; i++) {
    double sum = 0;
    for (int c = 0; c < channels; c++) sum += (double)samples[i * channels + c];
    mono[i] = (float)(sum / channels);
  }
}

/* Local, on one rank of a node. Frames before the part are read past. */
static Status load(Source *source, const Part *part, Signal *signal) {
  float *samples = NULL;
  TRY(memory_allocate(&samples, (size_t)BLOCK * (size_t)source->channels, sizeof *samples,
                      "a part of the sound"));
  Status status = STATUS_OK;
  if (source->data) source->next = part->first;
  for (int64_t end = part->first + part->count; status == STATUS_OK && source->next < end;) {
    int64_t stop = source->next < part->first ? part->first : end;
    int64_t count = stop - source->next < BLOCK ? stop - source->next : BLOCK;
    int64_t at = source->next - part->first;
    status = source_read(source, count, samples);
    if (status == STATUS_OK && at >= 0) mix(source->channels, at, count, samples, signal);
  }
  free(samples);
  return status;
}

/* Collective. The largest magnitude becomes 1. */
static Status normalise(const Comm *comm, const char *name, Signal *signal) {
  double low, high;
  Status status = signal_range(comm, signal, 0, &low, &high);
  if (status != STATUS_OK) return status_prefix(status, "%s", name);
  double peak = fmax(fabs(low), fabs(high));
  if (peak == 0) return status_fail(STATUS_FAILED, "%s: silent: all samples are 0", name);
  signal->scale = 1 / peak;
  return STATUS_OK;
}

static void describe(const Config *config, const Source *source, const Part *part, Clip *clip) {
  double extent = config_real(config, "audio.extent");
  clip->rate = source->rate;
  clip->start = source->rate > 0 ? (double)part->first / source->rate : 0;
  clip->signal = (Signal){.axes = 1,
                          .components = 1,
                          .size = {part->count},
                          .lower = {-extent},
                          .upper = {extent},
                          .type = SAMPLE_F32,
                          .scale = 1};
}

/* Local. Every rank knows what there is; one of a node reads it. */
static Status open_clip(const Config *config, Source *source, Part *part, Clip *clip) {
  TRY(source_open(config, source));
  TRY(choose_part(config, source, part));
  TRY(check_part(source, part));
  describe(config, source, part, clip);
  return STATUS_OK;
}

/* Collective. */
static Status fill(const Comm *comm, Source *source, const Part *part, Clip *clip) {
  Signal *signal = &clip->signal;
  TRY(signal_allocate(comm, signal));
  Status status = shared_leader(signal->shared) ? load(source, part, signal) : STATUS_OK;
  TRY(shared_ready(signal->shared, status));
  return normalise(comm, source->name, signal);
}

Status clip_read(const Comm *comm, const Config *config, Clip *clip) {
  Source source = {0};
  Part part = {0};
  memset(clip, 0, sizeof *clip);
  Status status = comm_agree(comm, open_clip(config, &source, &part, clip));
  if (status == STATUS_OK) status = fill(comm, &source, &part, clip);
  source_close(&source);
  return status;
}

void clip_destroy(Clip *clip) {
  signal_destroy(&clip->signal);
  memset(clip, 0, sizeof *clip);
}

double clip_time(const Clip *clip, double i) {
  return clip->rate > 0 ? clip->start + i / clip->rate : clip->start + i;
}
