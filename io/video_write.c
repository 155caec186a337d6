#include <assert.h>
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/video.h"
#include "io/video_parts.h"

enum { MOST_RATE = 65535 }; /* numerator and denominator of a rate; MPEG-4 has 16 bits */

typedef struct {
  const char *ending, *container;
  const char *codecs[2]; /* the first that this FFmpeg has */
  const char *options;   /* of the codecs, where they know them */
  enum AVPixelFormat format;
  enum AVColorSpace space;
  int multiple; /* both sides are padded to a multiple of it */
} Format;

/* x264's macroblock tree looks at memory that it never set: equal frames gave other bytes. */
static const Format formats[] = {
    {".mp4",
     "mp4",
     {"libx264", "mpeg4"},
     "crf=16:mbtree=0",
     AV_PIX_FMT_YUV420P,
     AVCOL_SPC_BT709,
     2},
    {".mkv", "matroska", {"ffv1"}, "g=1", AV_PIX_FMT_0RGB32, AVCOL_SPC_RGB, 1},
};

struct VideoWriter {
  char *path;
  const Format *format;
  FileStream *stream;
  Status status;      /* of the stream; once it failed, nothing more is written to it */
  int64_t at, length; /* FFmpeg's place in the file; bytes so far */
  int height, width;  /* of the frames that come; the padded size is that of `rgb` */
  AVIOContext *io;
  AVFormatContext *container;
  AVStream *track;
  AVCodecContext *encoder;
  AVPacket *packet;
  AVFrame *rgb, *frame; /* what comes, padded; converted to what the encoder takes */
  struct SwsContext *scaler;
  int64_t frames;
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

static int put(void *writer, uint8_t *from, int count) {
  VideoWriter *w = writer;
  if (w->status == STATUS_OK) {
    w->status = file_stream_write_at(w->stream, w->at, from, (size_t)count);
  }
  if (w->status != STATUS_OK) return AVERROR(EIO);
  w->at += count;
  if (w->length < w->at) w->length = w->at;
  return count;
}

static int64_t seek(void *writer, int64_t offset, int whence) {
  VideoWriter *w = writer;
  if (whence & AVSEEK_SIZE) return w->length;
  whence &= ~AVSEEK_FORCE;
  int64_t from = whence == SEEK_CUR ? w->at : whence == SEEK_END ? w->length : 0;
  if (offset < -from) return AVERROR(EINVAL);
  return w->at = from + offset;
}

/* The stream knows better why a write failed than FFmpeg. */
static Status check(const VideoWriter *w, const char *what, int code) {
  if (w->status != STATUS_OK) return w->status;
  return code < 0 ? video_fail(w->path, what, code) : STATUS_OK;
}

/* ---- Frames ---- */

static Status allocate_frame(VideoWriter *w, int format, AVFrame **frame) {
  AVFrame *made = *frame = av_frame_alloc();
  if (!made) return check(w, "cannot be encoded", AVERROR(ENOMEM));
  made->format = format;
  made->width = w->encoder->width;
  made->height = w->encoder->height;
  made->colorspace = w->encoder->colorspace;
  made->color_range = w->encoder->color_range;
  return check(w, "cannot be encoded", av_frame_get_buffer(made, 0));
}

/* RGB has the full range, video of Y'CbCr the limited one of the matrix that the file names. */
static Status prepare_frames(VideoWriter *w) {
  TRY(allocate_frame(w, AV_PIX_FMT_RGB24, &w->rgb));
  TRY(allocate_frame(w, w->format->format, &w->frame));
  w->scaler = sws_getContext(w->rgb->width, w->rgb->height, AV_PIX_FMT_RGB24, w->rgb->width,
                             w->rgb->height, w->format->format, VIDEO_SCALING, NULL, NULL, NULL);
  if (!w->scaler) return check(w, "cannot be converted from RGB", AVERROR(ENOSYS));
  const int *table = sws_getCoefficients(SWS_CS_ITU709);
  sws_setColorspaceDetails(w->scaler, table, 1, table, 0, 0, 1 << 16, 1 << 16);
  return STATUS_OK;
}

static void fill_rgb(VideoWriter *w, const uint8_t *rgb) {
  size_t row = 3 * (size_t)w->width;
  for (int y = 0; y < w->rgb->height; y++) {
    uint8_t *to = w->rgb->data[0] + (ptrdiff_t)y * w->rgb->linesize[0];
    memcpy(to, rgb + (size_t)(y < w->height ? y : w->height - 1) * row, row);
    for (int x = w->width; x < w->rgb->width; x++) memcpy(to + 3 * x, to + 3 * (x - 1), 3);
  }
}

/* Gives the encoder a frame, NULL for the end, and the file what comes out. */
static Status encode(VideoWriter *w, const AVFrame *frame) {
  int code = avcodec_send_frame(w->encoder, frame);
  while (code >= 0) {
    code = avcodec_receive_packet(w->encoder, w->packet);
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return STATUS_OK;
    if (code < 0) break;
    w->packet->stream_index = w->track->index;
    w->packet->duration = 1;
    av_packet_rescale_ts(w->packet, w->encoder->time_base, w->track->time_base);
    code = av_interleaved_write_frame(w->container, w->packet);
  }
  return check(w, "cannot be encoded", code);
}

Status video_write(VideoWriter *writer, const uint8_t *rgb) {
  VideoWriter *w = writer;
  int code = av_frame_make_writable(w->frame); /* the encoder may hold the last one */
  if (code < 0) return check(w, "cannot be encoded", code);
  fill_rgb(w, rgb);
  code = sws_scale(w->scaler, (const uint8_t *const *)w->rgb->data, w->rgb->linesize, 0,
                   w->rgb->height, w->frame->data, w->frame->linesize);
  if (code < 0) return check(w, "cannot be converted from RGB", code);
  w->frame->pts = w->frames++;
  return encode(w, w->frame);
}

/* ---- Beginning and end ---- */

static Status find_codec(VideoWriter *w, const AVCodec **codec) {
  for (int i = 0; i < 2 && w->format->codecs[i]; i++) {
    *codec = avcodec_find_encoder_by_name(w->format->codecs[i]);
    if (*codec) return STATUS_OK;
  }
  return status_fail(STATUS_FAILED, "%s: this FFmpeg has no encoder %s", w->path,
                     w->format->codecs[0]);
}

static void set_encoder(VideoWriter *w, const AVCodec *codec, AVRational rate) {
  AVCodecContext *e = w->encoder;
  int multiple = w->format->multiple;
  e->width = (w->width + multiple - 1) / multiple * multiple;
  e->height = (w->height + multiple - 1) / multiple * multiple;
  e->pix_fmt = w->format->format;
  e->colorspace = w->format->space;
  e->color_range = e->colorspace == AVCOL_SPC_RGB ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  e->framerate = rate;
  e->time_base = av_inv_q(rate);
  e->thread_count = 1;
  if (codec->id == AV_CODEC_ID_FFV1) {
    /* Version 3 has checksums, but its four slices a frame lose pixels where one is 1 wide. */
    e->level = e->width < 4 || e->height < 4 ? 1 : 3;
  }
  e->flags = AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_QSCALE;
  e->global_quality = 2 * FF_QP2LAMBDA; /* where there is no crf: near the best of 1 to 31 */
  if (w->container->oformat->flags & AVFMT_GLOBALHEADER) e->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
}

static Status open_encoder(VideoWriter *w, AVRational rate) {
  const AVCodec *codec;
  TRY(find_codec(w, &codec));
  w->encoder = avcodec_alloc_context3(codec);
  if (!w->encoder) return check(w, "cannot be encoded", AVERROR(ENOMEM));
  set_encoder(w, codec, rate);
  AVDictionary *options = NULL;
  int code = av_dict_parse_string(&options, w->format->options, "=", ":", 0);
  if (code >= 0) code = avcodec_open2(w->encoder, codec, &options);
  av_dict_free(&options);
  return check(w, "cannot be encoded", code);
}

/* Once the video is there, its index moves to the front, so that players need not wait for the end
 * of the file; for that, FFmpeg reads the file under its temporary name. */
static Status open_container(VideoWriter *w) {
  uint8_t *buffer = av_malloc(VIDEO_BUFFER);
  w->io = buffer ? avio_alloc_context(buffer, VIDEO_BUFFER, 1, w, NULL, put, seek) : NULL;
  if (!w->io) av_free(buffer);
  w->packet = av_packet_alloc();
  int code = avformat_alloc_output_context2(&w->container, NULL, w->format->container, NULL);
  if (code >= 0 && w->io && w->packet) w->container->url = av_asprintf("file:%s.tmp", w->path);
  if (code >= 0 && !w->container->url) code = AVERROR(ENOMEM);
  if (code < 0) return check(w, "cannot be written", code);
  w->container->pb = w->io;
  w->container->flags |= AVFMT_FLAG_BITEXACT; /* no time, no version */
  return STATUS_OK;
}

static Status open_track(VideoWriter *w) {
  w->track = avformat_new_stream(w->container, NULL);
  if (!w->track) return check(w, "cannot be written", AVERROR(ENOMEM));
  w->track->time_base = w->encoder->time_base;
  w->track->avg_frame_rate = w->encoder->framerate;
  int code = avcodec_parameters_from_context(w->track->codecpar, w->encoder);
  AVDictionary *options = NULL;
  if (code >= 0) code = av_dict_set(&options, "movflags", "+faststart", 0);
  if (code >= 0) code = avformat_write_header(w->container, &options);
  av_dict_free(&options);
  return check(w, "cannot be written", code);
}

static Status start(VideoWriter *w, const char *path, double rate) {
  video_silence();
  w->path = strdup(path);
  if (!w->path) return status_fail(STATUS_FAILED, "%s: out of memory", path);
  AVRational fraction = av_d2q(rate, MOST_RATE);
  if (fraction.num < 1 || fraction.den < 1) {
    return status_fail(STATUS_FAILED, "%s: cannot be written at %g frames a second", path, rate);
  }
  TRY(file_stream_open(path, &w->stream));
  TRY(open_container(w));
  TRY(open_encoder(w, fraction));
  TRY(prepare_frames(w));
  return open_track(w);
}

static Status end(VideoWriter *w) {
  if (!w->frames) return status_fail(STATUS_FAILED, "%s: a video of no frames", w->path);
  TRY(encode(w, NULL));
  TRY(check(w, "cannot be written", av_write_trailer(w->container)));
  avio_flush(w->io);
  return check(w, "cannot be written", w->io->error);
}

static Status destroy(VideoWriter *w, Status status) {
  if (w->status == STATUS_OK) w->status = status; /* after a failure nothing is written */
  sws_freeContext(w->scaler);
  avcodec_free_context(&w->encoder);
  avformat_free_context(w->container);
  if (w->io) av_freep(&w->io->buffer);
  avio_context_free(&w->io);
  av_packet_free(&w->packet);
  av_frame_free(&w->rgb);
  av_frame_free(&w->frame);
  status = file_stream_close(w->stream, status);
  free(w->path);
  free(w);
  return status;
}

Status video_create(const char *path, int height, int width, double rate, VideoWriter **writer) {
  assert(height > 0 && width > 0);
  const Format *format = find_format(path);
  if (!format) {
    return status_fail(STATUS_USAGE,
                       "%s: video is written to .mp4 (H.264) or .mkv (FFV1, lossless)", path);
  }
  VideoWriter *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a video file"));
  made->format = format;
  made->height = height;
  made->width = width;
  Status status = start(made, path, rate);
  if (status != STATUS_OK) return destroy(made, status);
  *writer = made;
  return STATUS_OK;
}

Status video_finish(VideoWriter *writer, Status status) {
  if (!writer) return status;
  if (status == STATUS_OK) status = end(writer);
  return destroy(writer, status);
}
