#include <assert.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "io/audio.h"
#include "io/file.h"

enum { BLOCK = 4096 }; /* frames at once: the Vorbis encoder takes its memory from the stack */

typedef struct {
  const char *ending;
  int format;
  double quality;    /* of lossy formats, 0 to 1 */
  int64_t max_bytes; /* of samples; 0: any number */
} Format;

static const Format formats[] = {
    {".wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 0, UINT32_MAX - 4096}, /* it counts in 32 bits */
    {".flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 0, 0},
    {".ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 0.8, 0},
};

struct AudioWriter {
  SNDFILE *file;
  FileStream *stream;
  Status status; /* of the stream; once it failed, nothing more is written to it */
  const Format *format;
  char *path;
  int channels;
  int64_t frames, at, length; /* frames that are written; libsndfile's place; bytes so far */
};

/* NULL: no format has this ending. */
static const Format *find_format(const char *path) {
  size_t length = strlen(path);
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    size_t ending = strlen(formats[i].ending);
    if (length > ending && !strcasecmp(path + length - ending, formats[i].ending)) {
      return &formats[i];
    }
  }
  return NULL;
}

static sf_count_t stream_length(void *writer) {
  return ((AudioWriter *)writer)->length;
}

static sf_count_t stream_seek(sf_count_t offset, int whence, void *writer) {
  AudioWriter *w = writer;
  int64_t from = whence == SEEK_CUR ? w->at : whence == SEEK_END ? w->length : 0;
  return w->at = from + offset;
}

static sf_count_t stream_read(void *to, sf_count_t count, void *writer) {
  (void)to;
  (void)count;
  (void)writer;
  return 0;
}

static sf_count_t stream_write(const void *from, sf_count_t count, void *writer) {
  AudioWriter *w = writer;
  if (w->status == STATUS_OK) {
    w->status = file_stream_write_at(w->stream, w->at, from, (size_t)count);
  }
  if (w->status != STATUS_OK) return 0;
  w->at += count;
  if (w->length < w->at) w->length = w->at;
  return count;
}

static sf_count_t stream_tell(void *writer) {
  return ((AudioWriter *)writer)->at;
}

/* The stream knows better why a write failed than libsndfile, which then makes up a strange error
 * and complains about it on standard output when it is asked. */
static Status fail(AudioWriter *w) {
  if (w->status != STATUS_OK) return w->status;
  const char *reason = sf_strerror(w->file);
  int length = (int)strcspn(reason, ".\n");
  return status_fail(STATUS_FAILED, "%s: cannot be written: %.*s", w->path, length, reason);
}

static Status start(AudioWriter *w, const char *path, int rate) {
  SF_INFO info = {.samplerate = rate, .channels = w->channels, .format = w->format->format};
  SF_VIRTUAL_IO io = {stream_length, stream_seek, stream_read, stream_write, stream_tell};
  w->path = strdup(path);
  if (!w->path) return status_fail(STATUS_FAILED, "%s: out of memory", path);
  TRY(file_stream_open(path, &w->stream));
  w->file = sf_open_virtual(&io, SFM_WRITE, &info, w);
  if (!w->file) return fail(w);
  /* The PEAK chunk of a WAV file has the time in it. */
  sf_command(w->file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
  sf_command(w->file, SFC_SET_CLIPPING, NULL, SF_TRUE);
  double quality = w->format->quality;
  if (quality > 0) {
    sf_command(w->file, SFC_SET_VBR_ENCODING_QUALITY, &quality, sizeof quality);
  }
  return STATUS_OK;
}

static Status destroy(AudioWriter *w, Status status) {
  if (w->status == STATUS_OK) w->status = status; /* after a failure nothing is written */
  if (w->file && sf_close(w->file) && w->status == STATUS_OK) {
    status = status_fail(STATUS_FAILED, "%s: cannot be completed", w->path);
  }
  if (status == STATUS_OK) status = w->status;
  status = file_stream_close(w->stream, status);
  free(w->path);
  free(w);
  return status;
}

Status audio_create(const char *path, int rate, int channels, AudioWriter **writer) {
  assert(channels > 0);
  const Format *format = find_format(path);
  if (!format) {
    return status_fail(STATUS_USAGE,
                       "%s: sound is written to .wav (32-bit float), .flac (24 bit) "
                       "or .ogg (Vorbis)",
                       path);
  }
  AudioWriter *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a sound file"));
  made->format = format;
  made->channels = channels;
  Status status = start(made, path, rate);
  if (status != STATUS_OK) return destroy(made, status);
  *writer = made;
  return STATUS_OK;
}

static Status check_samples(const AudioWriter *w, int64_t frames, const float *samples) {
  int64_t bytes = (w->frames + frames) * w->channels * (int64_t)sizeof *samples;
  if (w->format->max_bytes && bytes > w->format->max_bytes) {
    return status_fail(STATUS_FAILED, "%s: %s files hold at most 4 GB; write .flac", w->path,
                       w->format->ending);
  }
  for (int64_t i = 0; i < frames * w->channels; i++) {
    if (isfinite(samples[i])) continue;
    return status_fail(STATUS_FAILED, "%s: frame %lld is %g, not a finite number", w->path,
                       (long long)(w->frames + i / w->channels), (double)samples[i]);
  }
  return STATUS_OK;
}

Status audio_write(AudioWriter *writer, int64_t frames, const float *samples) {
  AudioWriter *w = writer;
  TRY(check_samples(w, frames, samples));
  while (frames > 0) {
    int64_t count = frames < BLOCK ? frames : BLOCK;
    int64_t written = sf_writef_float(w->file, samples, count);
    if (w->status != STATUS_OK || written < count) return fail(w);
    samples += count * w->channels;
    w->frames += count;
    frames -= count;
  }
  return STATUS_OK;
}

Status audio_finish(AudioWriter *writer, Status status) {
  return writer ? destroy(writer, status) : status;
}
