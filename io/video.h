/* Video files through FFmpeg's libraries, frame by frame. */
#ifndef IO_VIDEO_H
#define IO_VIDEO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

/* Local. False where siren is built without FFmpeg: then everything here fails. */
bool video_supported(void);

typedef struct {
  int height, width;
  double rate; /* frames a second */
} VideoInfo;

typedef struct VideoReader VideoReader;

/* Local. Opens the first video stream of a file, found by its content; a mark that players should
 * turn the pictures is ignored. Errors name file and reason: missing, empty, no
 * video in it, a codec that is not known. Decodes on one thread: the same bytes for every reader.
 */
Status video_open(const char *path, VideoReader **reader);
void video_close(VideoReader *reader); /* NULL is allowed */
VideoInfo video_info(const VideoReader *reader);

/* Local. The next frame into rgb [height][width][3], sample values as FFmpeg converts them to
 * RGB24; *got is false at the end. Fails where the size changes and on damaged or truncated files,
 * as far as their format shows it, naming the frame. */
Status video_next(VideoReader *reader, uint8_t *rgb, bool *got);

typedef struct VideoWriter VideoWriter;

/* Local. Begins to replace `path`, under a temporary name: .mp4 (H.264, yuv420p, for every player;
 * odd sides are padded by repeating the last line) or .mkv (FFV1, the exact bytes). Others are
 * STATUS_USAGE, naming these. The same frames give the same bytes. */
Status video_create(const char *path, int height, int width, double rate, VideoWriter **writer);
Status video_write(VideoWriter *writer, const uint8_t *rgb);

/* Local. Ends it and frees the writer (NULL is allowed): as file_stream_close. */
Status video_finish(VideoWriter *writer, Status status);

#endif
