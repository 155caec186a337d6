/* Instead of io/video.c and io/video_write.c where siren is built without FFmpeg. */
#include <stddef.h>

#include "io/video.h"

static Status fail(const char *path) {
  return status_fail(STATUS_FAILED,
                     "%s: this siren is built without video files; configure it with "
                     "-DSIREN_FFMPEG=ON",
                     path);
}

Status video_open(const char *path, VideoReader **reader) {
  (void)reader;
  return fail(path);
}

void video_close(VideoReader *reader) {
  (void)reader;
}

VideoInfo video_info(const VideoReader *reader) {
  (void)reader;
  return (VideoInfo){0};
}

Status video_next(VideoReader *reader, uint8_t *rgb, bool *got) {
  (void)reader;
  (void)rgb;
  (void)got;
  return fail("video");
}

Status video_create(const char *path, int height, int width, double rate, VideoWriter **writer) {
  (void)height;
  (void)width;
  (void)rate;
  (void)writer;
  return fail(path);
}

Status video_write(VideoWriter *writer, const uint8_t *rgb) {
  (void)writer;
  (void)rgb;
  return fail("video");
}

Status video_finish(VideoWriter *writer, Status status) {
  (void)writer;
  return status;
}
