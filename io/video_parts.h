/* What the reader and the writer of videos have in common. */
#ifndef IO_VIDEO_PARTS_H
#define IO_VIDEO_PARTS_H

#include <libavutil/error.h>
#include <libavutil/log.h>
#include <libswscale/swscale.h>

#include "core/status.h"

enum {
  VIDEO_BUFFER = 1 << 16,     /* bytes that FFmpeg takes from a file or gives to it at once */
  VIDEO_MOST_PIXELS = 1 << 28 /* of a frame; as for images */
};

/* One conversion for all: every pixel keeps its own colour, and all processors give the same bytes.
 */
enum {
  VIDEO_SCALING =
      SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP
};

/* Local. FFmpeg's error `code` in words: "PATH: WHAT: REASON". */
static inline Status video_fail(const char *path, const char *what, int code) {
  char reason[AV_ERROR_MAX_STRING_SIZE];
  av_strerror(code, reason, sizeof reason);
  return status_fail(STATUS_FAILED, "%s: %s: %s", path, what, reason);
}

/* Local. FFmpeg says nothing by itself. */
static inline void video_silence(void) {
  av_log_set_level(AV_LOG_QUIET);
}

#endif
