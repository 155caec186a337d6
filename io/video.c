#include "io/video.h"

#include <assert.h>
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/video_parts.h"

struct VideoReader {
  char *path;
  int fd;
  int64_t length, at; /* bytes of the file, FFmpeg's place in it */
  AVIOContext *io;
  AVFormatContext *container;
  AVStream *stream;
  AVCodecContext *decoder;
  AVPacket *packet;
  AVFrame *frame, *rgb; /* the next one, if `waiting`; the last one, converted */
  bool waiting, drained,
      ended; /* drained: the decoder has all packets; ended: it gave all frames */
  int64_t packets, hidden, frames; /* read from the stream; of these not shown; given out */
  struct SwsContext *scaler;
  int format, space, range; /* what the scaler converts from */
  VideoInfo info;
};

/* ---- The file ---- */

static int take(void *reader, uint8_t *to, int count) {
  VideoReader *r = reader;
  ssize_t got;
  do {
    got = pread(r->fd, to, (size_t)count, r->at);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return AVERROR(errno);
  r->at += got;
  return got ? (int)got : AVERROR_EOF;
}

static int64_t seek(void *reader, int64_t offset, int whence) {
  VideoReader *r = reader;
  if (whence & AVSEEK_SIZE) return r->length;
  whence &= ~AVSEEK_FORCE;
  int64_t from = whence == SEEK_CUR ? r->at : whence == SEEK_END ? r->length : 0;
  if (offset < -from) return AVERROR(EINVAL);
  return r->at = from + offset;
}

/* A number of EBML: its length in bytes stands in the leading zeros of the first. -1: cut, or
 * unknown (all bits set). */
static int64_t ebml_number(const uint8_t **at, const uint8_t *end) {
  int bytes = 1;
  if (*at >= end || !**at) return -1;
  while (!(**at >> (8 - bytes))) bytes++;
  if (end - *at < bytes) return -1;
  int64_t number = **at & ((1 << (8 - bytes)) - 1), all = number == (1 << (8 - bytes)) - 1;
  for (int i = 1; i < bytes; i++) {
    all &= (*at)[i] == 0xff;
    number = number << 8 | (*at)[i];
  }
  *at += bytes;
  return all ? -1 : number;
}

/* FFmpeg takes the end of a cut Matroska file for that of the video, but the file knows its size:
 * a header, then one segment, each with its length in front. */
static Status check_matroska(const VideoReader *r) {
  static const uint8_t header[] = {0x1a, 0x45, 0xdf, 0xa3}, segment[] = {0x18, 0x53, 0x80, 0x67};
  uint8_t bytes[256];
  ssize_t got = pread(r->fd, bytes, sizeof bytes, 0);
  const uint8_t *at = bytes + 4, *end = bytes + (got > 0 ? got : 0);
  if (end - bytes < 8 || memcmp(bytes, header, 4)) return STATUS_OK;
  int64_t size = ebml_number(&at, end);
  if (size < 0 || size > end - at - 4 || memcmp(at + size, segment, 4)) return STATUS_OK;
  at += size + 4;
  size = ebml_number(&at, end);
  if (size < 0 || size <= r->length - (at - bytes)) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: truncated: %lld bytes of %lld", r->path,
                     (long long)r->length, (long long)(size + (at - bytes)));
}

/* ---- Frames ---- */

/* "frame N", the one that is being decoded. */
static Status fail_at_frame(const VideoReader *r, const char *what, int code) {
  char text[96];
  snprintf(text, sizeof text, "%s near frame %lld", what, (long long)r->frames);
  return video_fail(r->path, text, code);
}

/* Frames that the container promises; 0: it does not say. An edit list of MP4 can leave out some.
 */
static int64_t promised(const VideoReader *r) {
  bool mp4 = !strncmp(r->container->iformat->name, "mov,", 4);
  int64_t listed = mp4 ? avformat_index_get_entries_count(r->stream) : INT64_MAX;
  return r->stream->nb_frames < listed ? r->stream->nb_frames : listed;
}

static Status check_promise(const VideoReader *r, int64_t frames) {
  if (frames >= promised(r)) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: ends after %lld of %lld frames: truncated or damaged",
                     r->path, (long long)frames, (long long)promised(r));
}

/* Gives the decoder the next packet of the stream, or its end. */
static Status feed(VideoReader *r) {
  int code;
  for (;;) {
    code = av_read_frame(r->container, r->packet);
    if (code < 0 || r->packet->stream_index == r->stream->index) break;
    av_packet_unref(r->packet);
  }
  if (code == AVERROR_EOF) {
    TRY(check_promise(r, r->packets));
    r->drained = true;
    code = avcodec_send_packet(r->decoder, NULL);
    return code < 0 ? fail_at_frame(r, "cannot be decoded", code) : STATUS_OK;
  }
  if (code < 0) return fail_at_frame(r, "damaged", code);
  r->packets++;
  r->hidden += !!(r->packet->flags & AV_PKT_FLAG_DISCARD);
  bool cut = r->packet->flags & AV_PKT_FLAG_CORRUPT;
  code = cut ? AVERROR_INVALIDDATA : avcodec_send_packet(r->decoder, r->packet);
  av_packet_unref(r->packet);
  return code < 0 ? fail_at_frame(r, cut ? "truncated or damaged" : "damaged", code) : STATUS_OK;
}

/* The next frame into r->frame, if there is one. */
static Status decode(VideoReader *r) {
  int code;
  while ((code = avcodec_receive_frame(r->decoder, r->frame)) == AVERROR(EAGAIN)) {
    assert(!r->drained);
    TRY(feed(r));
  }
  if (code == AVERROR_EOF) {
    r->ended = true;
    return check_promise(r, r->frames + r->hidden);
  }
  if (code < 0) return fail_at_frame(r, "damaged", code);
  if (r->frame->flags & AV_FRAME_FLAG_CORRUPT || r->frame->decode_error_flags) {
    return fail_at_frame(r, "damaged", AVERROR_INVALIDDATA);
  }
  r->waiting = true;
  return STATUS_OK;
}

static Status prepare_scaler(VideoReader *r) {
  const AVFrame *f = r->frame;
  if (r->scaler && f->format == r->format && (int)f->colorspace == r->space &&
      (int)f->color_range == r->range) {
    return STATUS_OK;
  }
  sws_freeContext(r->scaler);
  r->scaler = sws_getContext(f->width, f->height, f->format, f->width, f->height, AV_PIX_FMT_RGB24,
                             VIDEO_SCALING, NULL, NULL, NULL);
  if (!r->scaler) return fail_at_frame(r, "cannot be converted to RGB", AVERROR(ENOSYS));
  r->format = f->format;
  r->space = (int)f->colorspace;
  r->range = (int)f->color_range;
  /* The file's own matrix and range; RGB has the full range. A refusal is of formats without. */
  int *inverse, *table, source, target, brightness, contrast, saturation;
  if (sws_getColorspaceDetails(r->scaler, &inverse, &source, &table, &target, &brightness,
                               &contrast, &saturation) >= 0) {
    if (f->color_range != AVCOL_RANGE_UNSPECIFIED) source = f->color_range == AVCOL_RANGE_JPEG;
    sws_setColorspaceDetails(r->scaler, sws_getCoefficients(r->space), source, table, 1, brightness,
                             contrast, saturation);
  }
  return STATUS_OK;
}

/* The rows go through a buffer of FFmpeg's, since it may write past the end of a row. */
static Status convert(VideoReader *r, uint8_t *rgb) {
  TRY(prepare_scaler(r));
  int code = sws_scale(r->scaler, (const uint8_t *const *)r->frame->data, r->frame->linesize, 0,
                       r->frame->height, r->rgb->data, r->rgb->linesize);
  if (code < 0) return fail_at_frame(r, "cannot be converted to RGB", code);
  size_t row = 3 * (size_t)r->info.width;
  for (int y = 0; y < r->info.height; y++) {
    memcpy(rgb + (size_t)y * row, r->rgb->data[0] + (ptrdiff_t)y * r->rgb->linesize[0], row);
  }
  return STATUS_OK;
}

Status video_next(VideoReader *reader, uint8_t *rgb, bool *got) {
  VideoReader *r = reader;
  if (!r->waiting && !r->ended) TRY(decode(r));
  *got = r->waiting;
  if (!r->waiting) return STATUS_OK;
  if (r->frame->height != r->info.height || r->frame->width != r->info.width) {
    return status_fail(
        STATUS_FAILED, "%s: frame %lld has %d x %d pixels, those before have %d x %d", r->path,
        (long long)r->frames, r->frame->width, r->frame->height, r->info.width, r->info.height);
  }
  TRY(convert(r, rgb));
  av_frame_unref(r->frame);
  r->waiting = false;
  r->frames++;
  return STATUS_OK;
}

/* ---- Opening ---- */

static Status open_container(VideoReader *r) {
  uint8_t *buffer = av_malloc(VIDEO_BUFFER);
  r->io = buffer ? avio_alloc_context(buffer, VIDEO_BUFFER, 0, r, take, NULL, seek) : NULL;
  r->container = avformat_alloc_context();
  r->packet = av_packet_alloc();
  r->frame = av_frame_alloc();
  r->rgb = av_frame_alloc();
  if (!r->io) av_free(buffer);
  if (!r->io || !r->container || !r->packet || !r->frame || !r->rgb) {
    return video_fail(r->path, "cannot be opened", AVERROR(ENOMEM));
  }
  r->container->pb = r->io;
  r->container->error_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  AVDictionary *options = NULL; /* a list of other files or of addresses is no video */
  av_dict_set(&options, "protocol_whitelist", "none", 0);
  int code = avformat_open_input(&r->container, NULL, NULL, &options);
  av_dict_free(&options);
  if (code >= 0) code = avformat_find_stream_info(r->container, NULL);
  return code < 0 ? video_fail(r->path, "cannot be read as a video", code) : STATUS_OK;
}

/* The first stream of moving pictures: not the cover of an album. */
static Status find_stream(VideoReader *r) {
  for (unsigned i = 0; i < r->container->nb_streams; i++) {
    AVStream *stream = r->container->streams[i];
    bool video = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
                 !(stream->disposition & AV_DISPOSITION_ATTACHED_PIC);
    if (video && !r->stream) {
      r->stream = stream;
    } else {
      stream->discard = AVDISCARD_ALL;
    }
  }
  if (r->stream) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: there is no video in it", r->path);
}

static Status check_size(const VideoReader *r, int64_t height, int64_t width) {
  if (height > 0 && width > 0 && height <= VIDEO_MOST_PIXELS / width) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: frames of %lld x %lld pixels cannot be read", r->path,
                     (long long)width, (long long)height);
}

static Status open_decoder(VideoReader *r) {
  const AVCodecParameters *coded = r->stream->codecpar;
  const AVCodec *codec = avcodec_find_decoder(coded->codec_id);
  if (!codec) {
    return status_fail(STATUS_FAILED, "%s: this FFmpeg cannot decode %s", r->path,
                       avcodec_get_name(coded->codec_id));
  }
  TRY(check_size(r, coded->height, coded->width));
  r->decoder = avcodec_alloc_context3(codec);
  int code = r->decoder ? avcodec_parameters_to_context(r->decoder, coded) : AVERROR(ENOMEM);
  if (code >= 0) {
    r->decoder->thread_count = 1;
    r->decoder->pkt_timebase = r->stream->time_base;
    r->decoder->max_pixels = VIDEO_MOST_PIXELS;
    r->decoder->err_recognition = AV_EF_CRCCHECK | AV_EF_BUFFER | AV_EF_EXPLODE;
    code = avcodec_open2(r->decoder, codec, NULL);
  }
  return code < 0 ? video_fail(r->path, "cannot be decoded", code) : STATUS_OK;
}

/* The first frame tells the size; what containers say is sometimes wrong. */
static Status start(VideoReader *r) {
  TRY(decode(r));
  if (!r->waiting) return status_fail(STATUS_FAILED, "%s: has no frames", r->path);
  TRY(check_size(r, r->frame->height, r->frame->width));
  double rate = av_q2d(av_guess_frame_rate(r->container, r->stream, r->frame));
  r->info = (VideoInfo){.height = r->frame->height,
                        .width = r->frame->width,
                        .rate = isfinite(rate) && rate > 0 ? rate : 25};
  r->rgb->format = AV_PIX_FMT_RGB24;
  r->rgb->height = r->info.height;
  r->rgb->width = r->info.width;
  int code = av_frame_get_buffer(r->rgb, 0);
  return code < 0 ? video_fail(r->path, "cannot be decoded", code) : STATUS_OK;
}

static Status open_named(VideoReader *r, const char *path) {
  video_silence();
  r->fd = -1;
  r->path = strdup(path);
  if (!r->path) return status_fail(STATUS_FAILED, "%s: out of memory", path);
  TRY(file_open(path, &r->fd, &r->length));
  TRY(check_matroska(r));
  TRY(open_container(r));
  TRY(find_stream(r));
  TRY(open_decoder(r));
  return start(r);
}

bool video_supported(void) {
  return true;
}

Status video_open(const char *path, VideoReader **reader) {
  VideoReader *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a video file"));
  Status status = open_named(made, path);
  if (status == STATUS_OK) {
    *reader = made;
  } else {
    video_close(made);
  }
  return status;
}

void video_close(VideoReader *reader) {
  VideoReader *r = reader;
  if (!r) return;
  sws_freeContext(r->scaler);
  avcodec_free_context(&r->decoder);
  avformat_close_input(&r->container);
  if (r->io) av_freep(&r->io->buffer);
  avio_context_free(&r->io);
  av_packet_free(&r->packet);
  av_frame_free(&r->frame);
  av_frame_free(&r->rgb);
  if (r->fd >= 0) close(r->fd);
  free(r->path);
  free(r);
}

VideoInfo video_info(const VideoReader *reader) {
  return reader->info;
}
