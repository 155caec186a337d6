/* Sound files through libsndfile: WAV, FLAC, OGG, AIFF and what else it knows, in blocks. */
#ifndef IO_AUDIO_H
#define IO_AUDIO_H

#include <stdint.h>

#include "core/status.h"

typedef struct {
  int rate, channels; /* frames a second; samples of a frame */
  int64_t frames;
} AudioInfo;

typedef struct AudioReader AudioReader;

/* Local. Opens a file by its content; `path` "" means the embedded sample. Errors name file and
 * reason: missing, empty, unknown, damaged, no frames. */
Status audio_open(const char *path, AudioReader **reader);
void audio_close(AudioReader *reader); /* NULL is allowed */
AudioInfo audio_info(const AudioReader *reader);

/* Local. The next frames, at most `frames`, into samples [frames][channels] in [-1, 1] (beyond it
 * where a float file is); *got is how many, 0 at the end. Fails on a file that ends before the
 * frames its header promises, and on samples that are not finite. */
Status audio_read(AudioReader *reader, int64_t frames, float *samples, int64_t *got);

typedef struct AudioWriter AudioWriter;

/* Local. Begins to replace `path`, under a temporary name; the format is that of its ending: .wav
 * (32-bit float), .flac (24 bit), .ogg (Vorbis). Others are STATUS_USAGE, naming these. The same
 * samples give the same bytes, except in OGG, which numbers its streams at random. */
Status audio_create(const char *path, int rate, int channels, AudioWriter **writer);

/* Local. Samples [frames][channels]; FLAC clips them to [-1, 1]. Fails on what is not finite. */
Status audio_write(AudioWriter *writer, int64_t frames, const float *samples);

/* Local. Ends it and frees the writer (NULL is allowed): as file_stream_close. */
Status audio_finish(AudioWriter *writer, Status status);

#endif
