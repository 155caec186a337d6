/* Video files: what is written is read again, and whatever the bytes, frames or one line. */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/video.h"
#include "tests/sample_image.h"
#include "tests/sample_media.h"

/* x264 loses a little memory where it refuses a size. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libx264";
}

static char directory[] = "/tmp/siren-video-XXXXXX";

typedef struct {
  VideoInfo info;
  int frames;
  uint8_t *rgb; /* [frames][height][width][3] */
} Clip;

static size_t frame_bytes(VideoInfo info) {
  return (size_t)info.height * (size_t)info.width * 3;
}

/* Waves that move; with `noise`, every sample is drawn at random instead. */
static Clip make_clip(int height, int width, double rate, int frames, bool noise) {
  Clip clip = {{height, width, rate}, frames, NULL};
  size_t bytes = frame_bytes(clip.info);
  clip.rgb = malloc(bytes * (size_t)frames);
  uint64_t random = bytes;
  for (size_t i = 0; i < bytes * (size_t)frames; i++) {
    double c = (double)(i % 3), x = (double)(i / 3 % (size_t)width);
    double y = (double)(i % bytes / 3 / (size_t)width), t = (double)(i / bytes);
    double wave = sin(0.15 * x + 0.2 * t + c) * cos(0.1 * y - 0.3 * t);
    clip.rgb[i] = (uint8_t)(noise ? (int)(next_random(&random) % 256) : (int)(128 + 90 * wave));
  }
  return clip;
}

static Status write_clip(const char *path, Clip clip) {
  VideoWriter *writer;
  TRY(video_create(path, clip.info.height, clip.info.width, clip.info.rate, &writer));
  Status status = STATUS_OK;
  for (int i = 0; i < clip.frames && status == STATUS_OK; i++) {
    status = video_write(writer, clip.rgb + (size_t)i * frame_bytes(clip.info));
  }
  return video_finish(writer, status);
}

static Status read_clip(const char *path, Clip *clip) {
  VideoReader *reader;
  TRY(video_open(path, &reader));
  Clip c = {.info = video_info(reader)};
  assert_true(c.info.height > 0 && c.info.width > 0 && c.info.rate > 0);
  size_t bytes = frame_bytes(c.info);
  Status status = STATUS_OK;
  bool got = true;
  while (status == STATUS_OK && got) {
    c.rgb = realloc(c.rgb, bytes * (size_t)(c.frames + 1));
    status = video_next(reader, c.rgb + bytes * (size_t)c.frames, &got);
    if (status == STATUS_OK && got) c.frames++;
  }
  bool again = true;
  if (status == STATUS_OK) assert_int_equal(video_next(reader, c.rgb, &again), STATUS_OK);
  if (status == STATUS_OK) assert_false(again); /* the end stays the end */
  video_close(reader);
  if (status != STATUS_OK) free(c.rgb);
  if (status == STATUS_OK) *clip = c;
  return status;
}

static Clip must_read(const char *path) {
  Clip clip;
  if (read_clip(path, &clip) != STATUS_OK) fail_msg("%s", status_message());
  return clip;
}

static void must_write(const char *path, Clip clip) {
  if (write_clip(path, clip) != STATUS_OK) fail_msg("%s", status_message());
}

static void lossless(void **state) {
  (void)state;
  static const struct {
    int height, width, frames;
    double rate;
  } kinds[] = {
      {1, 1, 1, 25},    {3, 5, 2, 25}, {1, 7, 3, 0.5}, {31, 2, 2, 60}, {48, 65, 5, 24000. / 1001},
      {90, 160, 12, 30}};
  char *path = file_join(directory, "l.mkv");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    for (int noise = 0; noise < 2; noise++) {
      Clip clip = make_clip(kinds[i].height, kinds[i].width, kinds[i].rate, kinds[i].frames, noise);
      must_write(path, clip);
      Clip again = must_read(path);
      assert_int_equal(again.frames, clip.frames);
      assert_int_equal(again.info.height, clip.info.height);
      assert_int_equal(again.info.width, clip.info.width);
      if (clip.frames > 1 && fabs(again.info.rate / clip.info.rate - 1) > 1e-3) {
        fail_msg("%g frames a second became %g", clip.info.rate, again.info.rate);
      }
      assert_memory_equal(again.rgb, clip.rgb, frame_bytes(clip.info) * (size_t)clip.frames);
      free(again.rgb);
      free(clip.rgb);
    }
  }
  free(path);
}

/* In dB, over the pixels that both have. */
static double psnr(Clip a, Clip b, int frame) {
  double square = 0;
  for (int y = 0; y < a.info.height; y++) {
    for (int i = 0; i < 3 * a.info.width; i++) {
      int left = a.rgb[(size_t)frame * frame_bytes(a.info) + (size_t)(y * 3 * a.info.width + i)];
      int right = b.rgb[(size_t)frame * frame_bytes(b.info) + (size_t)(y * 3 * b.info.width + i)];
      square += (left - right) * (left - right);
    }
  }
  return 10 * log10(255. * 255 * (double)frame_bytes(a.info) / (square + 1e-9));
}

static void lossy(void **state) {
  (void)state;
  static const int sizes[][2] = {{96, 128}, {51, 77}, {1, 1}, {301, 2}};
  char *path = file_join(directory, "l.MP4");
  for (int i = 0; i < 4; i++) {
    Clip clip = make_clip(sizes[i][0], sizes[i][1], 25, 15, false);
    must_write(path, clip);
    Clip again = must_read(path);
    assert_int_equal(again.frames, 15);
    assert_int_equal(again.info.height, (sizes[i][0] + 1) / 2 * 2); /* the last line repeated */
    assert_int_equal(again.info.width, (sizes[i][1] + 1) / 2 * 2);
    assert_true(again.info.rate == 25);
    for (int frame = 0; frame < 15; frame++) {
      double value = psnr(clip, again, frame);
      if (value < (i < 2 ? 35 : 30))
        fail_msg("%d x %d, frame %d: %g dB", sizes[i][0], sizes[i][1], frame, value);
    }
    free(again.rgb);
    free(clip.rgb);
  }
  free(path);
}

/* Whatever the memory held before that an encoder may look at without having set it. */
static void same_bytes_twice(void **state) {
  (void)state;
  static const char *const names[] = {"a.mp4", "b.mp4", "a.mkv", "b.mkv"};
  Clip clip = make_clip(95, 130, 25, 30, false);
  for (int i = 0; i < 4; i += 2) {
    char *path = file_join(directory, names[i]), *other = file_join(directory, names[i + 1]);
    mallopt(M_PERTURB, 1);
    must_write(path, clip);
    mallopt(M_PERTURB, 170);
    must_write(other, clip);
    mallopt(M_PERTURB, 0);
    Bytes a = file_bytes(path), b = file_bytes(other);
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.data, b.data, a.length);
    free(a.data);
    free(b.data);
    free(path);
    free(other);
  }
  free(clip.rgb);
}

static void assert_refused(const char *path, const char *part) {
  Clip clip;
  assert_failure(read_clip(path, &clip), path);
  assert_message(part);
}

/* Pictures behind one another are a video in motion JPEG. */
static void append_jpeg(Bytes *to, int height, int width) {
  Bytes picture = sample_jpeg(TJPF_RGB, 0, height, width);
  to->data = realloc(to->data, to->length + picture.length);
  memcpy(to->data + to->length, picture.data, picture.length);
  to->length += picture.length;
  free(picture.data);
}

static void changing_size(void **state) {
  (void)state;
  char *path = file_join(directory, "size");
  Bytes file = {0};
  for (int i = 0; i < 5; i++) append_jpeg(&file, 16, 24);
  put_file(path, file.data, file.length);
  Clip clip = must_read(path);
  assert_int_equal(clip.frames, 5);
  assert_int_equal(clip.info.height, 16);
  assert_int_equal(clip.info.width, 24);
  /* Channel 0 of pixel (y, x) is near 40 + 3 y + 2 x. */
  assert_in_range(clip.rgb[0], 34, 46);
  assert_in_range(clip.rgb[(15 * 24 + 23) * 3], 125, 137);
  free(clip.rgb);
  append_jpeg(&file, 20, 26);
  put_file(path, file.data, file.length);
  assert_refused(path, "frame 5 has 26 x 20 pixels, those before have 24 x 16");
  free(file.data);
  free(path);
}

static void no_video(void **state) {
  (void)state;
  char *path = file_join(directory, "text"), *pipe = file_join(directory, "pipe");
  assert_refused(path, "No such file");
  assert_refused(directory, "a directory");
  put_file(path, "", 0);
  assert_refused(path, "empty");
  put_file(path, "not a video at all, but some text that is long enough", 51);
  assert_refused(path, "cannot be read as a video");
  static const char list[] = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:/etc/passwd\n";
  put_file(path, list, sizeof list - 1);
  assert_refused(path, "video");
  unsigned char wav[60] =
      "RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x8\0"
      "data\x10\0\0\0";
  put_file(path, wav, sizeof wav);
  assert_refused(path, "no video in it");
  assert_int_equal(mkfifo(pipe, 0600), 0);
  assert_refused(pipe, "pipe");
  free(path);
  free(pipe);
}

static void refuses_to_write(void **state) {
  (void)state;
  VideoWriter *writer;
  char *path = file_join(directory, "w.avi"), *below = file_join(directory, "none/w.mkv");
  assert_int_equal(video_create(path, 8, 8, 25, &writer), STATUS_USAGE);
  assert_message(".mkv");
  assert_failure(video_create(below, 8, 8, 25, &writer), below);
  free(path);
  path = file_join(directory, "w.mp4");
  assert_failure(video_create(path, 8, 8, 0, &writer), path);
  assert_failure(video_create(path, 8, 8, INFINITY, &writer), path);
  assert_failure(video_create(path, 8, 8, NAN, &writer), path);
  assert_failure(video_create(path, 8, 1 << 20, 25, &writer), path);
  assert_false(file_exists(path));
  put_file(path, "old", 3);
  Clip clip = make_clip(8, 8, 25, 2, false);
  for (int frames = 0; frames < 3; frames += 2) { /* what was there stays */
    assert_int_equal(video_create(path, 8, 8, 25, &writer), STATUS_OK);
    for (int i = 0; i < frames; i++) assert_int_equal(video_write(writer, clip.rgb), STATUS_OK);
    Status status = frames ? status_fail(STATUS_STOPPED, "stopped") : STATUS_OK;
    assert_int_equal(video_finish(writer, status), frames ? STATUS_STOPPED : STATUS_FAILED);
    assert_message(frames ? "stopped" : "no frames");
    Bytes old = file_bytes(path);
    assert_int_equal(old.length, 3);
    free(old.data);
  }
  assert_int_equal(video_finish(NULL, STATUS_OK), STATUS_OK);
  free(clip.rgb);
  free(below);
  free(path);
}

/* Bytes that are all frames of `whole`, and no more, or fail. */
static bool try_bytes(const char *path, const void *data, size_t length, int frames) {
  put_file(path, data, length);
  Clip clip;
  Status status = read_clip(path, &clip);
  if (status != STATUS_OK) {
    assert_failure(status, path);
    return false;
  }
  if (frames && clip.frames != frames) fail_msg("%d frames of %zu bytes", clip.frames, length);
  free(clip.rgb);
  return true;
}

/* Parts of a file, and damaged ones; `end`: so many bytes at the end may be missing. */
static void fuzz(const char *name, size_t end, int mutations) {
  char *path = file_join(directory, name), *damaged = file_join(directory, "damaged");
  Clip clip = make_clip(16, 18, 25, 4, false);
  must_write(path, clip);
  Bytes file = file_bytes(path), copy = {malloc(file.length), file.length};
  uint64_t random = file.length;
  for (size_t length = 0; length < file.length; length += 1 + length / 400) {
    bool whole = try_bytes(damaged, file.data, length, 4);
    if (whole && length + end < file.length) fail_msg("%zu of %zu bytes", length, file.length);
  }
  int refused = 0;
  for (int i = 0; i < mutations; i++) {
    memcpy(copy.data, file.data, file.length);
    mutate(copy, &random);
    size_t length = i % 5 ? copy.length : next_random(&random) % copy.length;
    refused += !try_bytes(damaged, copy.data, length, 0);
  }
  assert_in_range(refused, mutations / 4, mutations);
  free(copy.data);
  free(file.data);
  free(clip.rgb);
  free(damaged);
  free(path);
}

static void damaged_files(void **state) {
  (void)state;
  fuzz("f.mkv", 0, 300);
  fuzz("f.mp4", 0, 300);
}

/* A disk that is full at once, or later, or just before the end: the cause is told, nothing stays.
 */
static void full_disk(void **state) {
  (void)state;
  static const char *const names[] = {"d.mkv", "d.mp4"};
  Clip clip = make_clip(64, 96, 25, 10, true);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char *path = file_join(directory, names[i]), temporary[100];
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    must_write(path, clip);
    Bytes file = file_bytes(path);
    remove(path);
    const long limits[] = {0, 10, (long)file.length / 2, (long)file.length - 1};
    for (int k = 0; k < 4; k++) {
      limit_files(limits[k]);
      Status status = write_clip(path, clip);
      limit_files(-1);
      assert_failure(status, path);
      assert_message(strerror(EFBIG));
      assert_false(file_exists(path) || file_exists(temporary));
    }
    free(file.data);
    free(path);
  }
  free(clip.rgb);
}

static int make_directory(void **state) {
  (void)state;
  return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state) {
  (void)state;
  char command[64];
  snprintf(command, sizeof command, "rm -r %s", directory);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lossless),         cmocka_unit_test(lossy),
      cmocka_unit_test(same_bytes_twice), cmocka_unit_test(changing_size),
      cmocka_unit_test(no_video),         cmocka_unit_test(refuses_to_write),
      cmocka_unit_test(damaged_files),    cmocka_unit_test(full_disk),
  };
  VideoReader *reader;
  if (video_open("", &reader) && strstr(status_message(), "SIREN_FFMPEG")) {
    print_message("built without video files\n");
    return 0;
  }
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
