#include "io/audio.h"

#include <assert.h>
#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/embedded.h"
#include "io/file.h"

struct AudioReader {
  SNDFILE *file;
  int fd; /* -1: the embedded sample */
  char *name;
  AudioInfo info;
  int64_t length, sample_at; /* bytes of the file; libsndfile's place in the embedded sample */
  int64_t at;                /* frames that are read */
};

static sf_count_t sample_length(void *reader) {
  (void)reader;
  return (sf_count_t)guitar_length;
}

static sf_count_t sample_seek(sf_count_t offset, int whence, void *reader) {
  AudioReader *r = reader;
  int64_t from = whence == SEEK_CUR ? r->sample_at : whence == SEEK_END ? r->length : 0;
  return r->sample_at = from + offset;
}

static sf_count_t sample_read(void *to, sf_count_t count, void *reader) {
  AudioReader *r = reader;
  if (r->sample_at < 0 || r->sample_at > r->length) return 0;
  if (count > r->length - r->sample_at) count = r->length - r->sample_at;
  memcpy(to, guitar_data + r->sample_at, (size_t)count);
  r->sample_at += count;
  return count;
}

static sf_count_t sample_tell(void *reader) {
  return ((AudioReader *)reader)->sample_at;
}

/* libsndfile's words end with a full stop, ours do not. */
static Status fail_with(const AudioReader *r, const char *what, const char *reason) {
  int length = (int)strcspn(reason, "\n");
  while (length > 0 && (reason[length - 1] == '.' || reason[length - 1] == ' ')) length--;
  return status_fail(STATUS_FAILED, "%s: %s: %.*s", r->name, what, length, reason);
}

/* The formats of libsndfile with a length in front take what is there of a file that is cut, and
 * say so only in their log, as "data : PROMISED (should be THERE)". Programs that write to a pipe
 * promise about 2^31 or 2^32 bytes, which means: until the end. The size of the whole file is often
 * wrong and harmless. */
static bool line_tells_end(const char *line) {
  static const char *const words[] = {"end-of-stream bit", "End-Of-Stream flag", "truncated"};
  static const char *const parts[] = {"data",      "SSND",        "BODY",
                                      "Data Size", "Data length", "riff"}; /* the last of W64 */
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strstr(line, words[i])) return true;
  }
  line += strspn(line, " ");
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    size_t length = strlen(parts[i]);
    long long promised, there;
    if (!strncmp(line, parts[i], length) &&
        sscanf(line + length, " : %lld (should be %lld)", &promised, &there) == 2) {
      return promised > there && promised < 0x7ffff000;
    }
  }
  return false;
}

static bool log_tells_end(SNDFILE *file) {
  char log[16384];
  sf_command(file, SFC_GET_LOG_INFO, log, sizeof log);
  char *rest = log, *line;
  while ((line = strsep(&rest, "\n"))) {
    if (line_tells_end(line)) return true;
  }
  return false;
}

static Status check_info(const AudioReader *r) {
  if (log_tells_end(r->file)) {
    return status_fail(STATUS_FAILED, "%s: the file ends before its sound does: truncated?",
                       r->name);
  }
  /* No format packs more than 2^16 frames into a byte. */
  if (r->info.frames >> 16 > r->length) {
    return status_fail(STATUS_FAILED, "%s: damaged: %lld frames of sound in %lld bytes", r->name,
                       (long long)r->info.frames, (long long)r->length);
  }
  if (r->info.frames < 1) return status_fail(STATUS_FAILED, "%s: has no frames", r->name);
  if (r->info.rate < 1) return status_fail(STATUS_FAILED, "%s: has no sample rate", r->name);
  return STATUS_OK;
}

static Status open_named(const char *path, AudioReader *r) {
  SF_VIRTUAL_IO sample = {
      .get_filelen = sample_length, .seek = sample_seek, .read = sample_read, .tell = sample_tell};
  r->name = strdup(path[0] ? path : "the sample sound");
  if (!r->name) return status_fail(STATUS_FAILED, "%s: out of memory", path);
  r->fd = -1;
  r->length = (int64_t)guitar_length;
  if (path[0]) TRY(file_open(path, &r->fd, &r->length));
  SF_INFO info = {0};
  r->file = path[0] ? sf_open_fd(r->fd, SFM_READ, &info, SF_FALSE)
                    : sf_open_virtual(&sample, SFM_READ, &info, r);
  if (!r->file) return fail_with(r, "cannot be read as sound", sf_strerror(NULL));
  r->info = (AudioInfo){.rate = info.samplerate, .channels = info.channels, .frames = info.frames};
  return check_info(r);
}

Status audio_open(const char *path, AudioReader **reader) {
  AudioReader *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a sound file"));
  Status status = open_named(path, made);
  if (status == STATUS_OK) {
    *reader = made;
  } else {
    audio_close(made);
  }
  return status;
}

void audio_close(AudioReader *reader) {
  if (!reader) return;
  if (reader->file) sf_close(reader->file);
  if (reader->fd >= 0) close(reader->fd);
  free(reader->name);
  free(reader);
}

AudioInfo audio_info(const AudioReader *reader) {
  return reader->info;
}

static Status check_samples(const AudioReader *r, int64_t frames, const float *samples) {
  for (int64_t i = 0; i < frames * r->info.channels; i++) {
    if (isfinite(samples[i])) continue;
    return status_fail(STATUS_FAILED, "%s: frame %lld is %g, not a finite number", r->name,
                       (long long)(r->at + i / r->info.channels), (double)samples[i]);
  }
  return STATUS_OK;
}

Status audio_read(AudioReader *reader, int64_t frames, float *samples, int64_t *got) {
  assert(frames > 0);
  if (frames > reader->info.frames - reader->at) frames = reader->info.frames - reader->at;
  int64_t count = frames ? sf_readf_float(reader->file, samples, frames) : 0;
  if (sf_error(reader->file)) {
    char what[64];
    snprintf(what, sizeof what, "damaged near frame %lld", (long long)reader->at);
    return fail_with(reader, what, sf_strerror(reader->file));
  }
  if (count < frames) {
    return status_fail(STATUS_FAILED, "%s: ends after %lld of %lld frames: truncated?",
                       reader->name, (long long)(reader->at + count),
                       (long long)reader->info.frames);
  }
  TRY(check_samples(reader, frames, samples));
  reader->at += frames;
  *got = frames;
  return STATUS_OK;
}
