/* Sound files: what is written is read again, and whatever the bytes, sound or one line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/audio.h"
#include "tests/sample_media.h"

/* libsndfile loses what it has of an OGG file that cannot be opened. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libvorbis\nleak:libogg";
}

static char directory[] = "/tmp/siren-audio-XXXXXX";

typedef struct {
  AudioInfo info;
  float *samples;
} Sound;

/* A chord with an envelope, another one in each channel; its largest value is below 0.9. */
static Sound make_sound(int rate, int channels, int64_t frames) {
  Sound s = {{rate, channels, frames}, malloc((size_t)(frames * channels) * sizeof(float))};
  for (int64_t i = 0; i < frames * channels; i++) {
    double t = (double)(i / channels) / rate, pitch = 220 * (1 + 0.5 * (double)(i % channels));
    s.samples[i] = (float)(exp(-t) * (0.5 * sin(6.2831853 * pitch * t) +
                                      0.35 * sin(6.2831853 * 1.26 * pitch * t + 1)));
  }
  return s;
}

static Status write_sound(const char *path, Sound s, int64_t block) {
  AudioWriter *writer;
  TRY(audio_create(path, s.info.rate, s.info.channels, &writer));
  Status status = STATUS_OK;
  for (int64_t at = 0; at < s.info.frames && status == STATUS_OK; at += block) {
    int64_t count = s.info.frames - at < block ? s.info.frames - at : block;
    status = audio_write(writer, count, s.samples + at * s.info.channels);
  }
  return audio_finish(writer, status);
}

static Status read_sound(const char *path, int64_t block, Sound *s) {
  AudioReader *reader;
  TRY(audio_open(path, &reader));
  AudioInfo info = audio_info(reader);
  assert_true(info.frames > 0 && info.channels > 0 && info.rate > 0);
  float *samples = NULL;
  int64_t at = 0, got = 1;
  Status status = STATUS_OK;
  while (status == STATUS_OK && got > 0) {
    samples = realloc(samples, (size_t)((at + block) * info.channels) * sizeof(float));
    status = audio_read(reader, block, samples + at * info.channels, &got);
    if (status == STATUS_OK) at += got;
  }
  if (status == STATUS_OK) assert_int_equal(at, info.frames);
  for (int64_t i = 0; i < at * info.channels; i++) assert_true(isfinite(samples[i]));
  audio_close(reader);
  if (status != STATUS_OK) free(samples);
  if (status == STATUS_OK) *s = (Sound){info, samples};
  return status;
}

static Sound must_read(const char *path, int64_t block) {
  Sound s;
  if (read_sound(path, block, &s) != STATUS_OK) fail_msg("%s", status_message());
  return s;
}

static void must_write(const char *path, Sound s, int64_t block) {
  if (write_sound(path, s, block) != STATUS_OK) fail_msg("%s", status_message());
}

static double largest_difference(Sound a, Sound b) {
  assert_memory_equal(&a.info, &b.info, sizeof a.info);
  double largest = 0;
  for (int64_t i = 0; i < a.info.frames * a.info.channels; i++) {
    largest = fmax(largest, fabs((double)a.samples[i] - (double)b.samples[i]));
  }
  return largest;
}

static void round_trips(void **state) {
  (void)state;
  static const struct {
    const char *name;
    double error;
  } kinds[] = {{"a.wav", 0}, {"a.FLAC", 1.0 / (1 << 23)}, {"a.ogg", 0.02}};
  for (int channels = 1; channels <= 3; channels++) {
    Sound s = make_sound(16000, channels, 20011);
    for (int k = 0; k < 3; k++) {
      char *path = file_join(directory, kinds[k].name), *other = file_join(directory, "b.wav");
      must_write(path, s, 20011);
      Sound again = must_read(path, 777), whole = must_read(path, 100000);
      double error = largest_difference(s, again);
      if (error > kinds[k].error) fail_msg("%s: %g", kinds[k].name, error);
      assert_true(largest_difference(again, whole) == 0);
      must_write(other, s, 100); /* blocks do not matter */
      if (k == 0) {
        Bytes a = file_bytes(path), b = file_bytes(other);
        assert_int_equal(a.length, b.length);
        assert_memory_equal(a.data, b.data, a.length);
        free(a.data);
        free(b.data);
      }
      free(again.samples);
      free(whole.samples);
      free(path);
      free(other);
    }
    free(s.samples);
  }
}

/* Float files keep values beyond [-1, 1] and tiny ones; those of integers are clipped. */
static void extreme_values(void **state) {
  (void)state;
  float values[] = {1.5f, -3e10f, 1e-42f, -0.0f, 1, -1, 0.999999f, 0};
  Sound s = {{8000, 1, 8}, values};
  char *path = file_join(directory, "e.wav"), *flac = file_join(directory, "e.flac");
  must_write(path, s, 8);
  Sound again = must_read(path, 3);
  assert_memory_equal(again.samples, values, sizeof values);
  free(again.samples);
  must_write(flac, s, 8);
  again = must_read(flac, 3);
  assert_true(fabs(again.samples[0] - 1) < 1e-6);
  assert_true(again.samples[1] == -1);
  assert_true(fabs(again.samples[6] - 0.999999f) < 2e-7);
  free(again.samples);
  free(path);
  free(flac);
}

static void embedded_sample(void **state) {
  (void)state;
  Sound s = must_read("", 1000);
  assert_int_equal(s.info.channels, 1);
  assert_int_equal(s.info.rate, 22050);
  assert_int_equal(s.info.frames, 44100);
  double square = 0, largest = 0;
  for (int64_t i = 0; i < s.info.frames; i++) {
    square += (double)s.samples[i] * (double)s.samples[i];
    largest = fmax(largest, fabs((double)s.samples[i]));
  }
  assert_true(largest > 0.3 && largest <= 1);
  assert_true(square / (double)s.info.frames > 0.01);
  free(s.samples);
}

static unsigned char *put_word(unsigned char *at, uint32_t word, int bytes) {
  for (int i = 0; i < bytes; i++) *at++ = (unsigned char)(word >> 8 * i);
  return at;
}

/* A WAV file, whose header promises `promised` bytes of samples. */
static void put_wav(const char *path, int code, int bits, int channels, const void *samples,
                    uint32_t length, uint32_t promised) {
  unsigned char file[1024], *at = file;
  memcpy(at, "RIFF", 4);
  at = put_word(at + 4, 36 + length, 4);
  memcpy(at, "WAVEfmt ", 8);
  at = put_word(put_word(put_word(at + 8, 16, 4), (uint32_t)code, 2), (uint32_t)channels, 2);
  at = put_word(put_word(at, 8000, 4), (uint32_t)(8000 * channels * bits / 8), 4);
  at = put_word(put_word(at, (uint32_t)(channels * bits / 8), 2), (uint32_t)bits, 2);
  memcpy(at, "data", 4);
  at = put_word(at + 4, promised, 4);
  memcpy(at, samples, length);
  put_file(path, file, (size_t)(at - file) + length);
}

enum { WAV_INTEGER = 1, WAV_FLOAT = 3 };

static void integers_are_shares(void **state) {
  (void)state;
  char *path = file_join(directory, "i.wav");
  int16_t words[] = {-32768, 16384, 0, 32767, 1, -1};
  put_wav(path, WAV_INTEGER, 16, 2, words, sizeof words, sizeof words);
  Sound s = must_read(path, 2);
  assert_int_equal(s.info.channels, 2);
  assert_int_equal(s.info.frames, 3);
  for (int i = 0; i < 6; i++) assert_true(s.samples[i] == (float)words[i] / 32768);
  free(s.samples);
  put_wav(path, WAV_INTEGER, 16, 1, words, 2, 2); /* a single sample */
  s = must_read(path, 100);
  assert_int_equal(s.info.frames, 1);
  assert_true(s.samples[0] == -1);
  free(s.samples);
  free(path);
}

static void assert_refused(const char *path, const char *part) {
  Sound s;
  assert_failure(read_sound(path, 4, &s), path);
  assert_message(part);
}

static void broken_promises(void **state) {
  (void)state;
  char *path = file_join(directory, "p.wav");
  float values[6] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f};
  put_wav(path, WAV_FLOAT, 32, 1, values, 24, 28);
  assert_refused(path, "truncated");
  put_wav(path, WAV_FLOAT, 32, 1, values, 24, UINT32_MAX); /* of a program that wrote to a pipe */
  Sound s = must_read(path, 100);
  assert_int_equal(s.info.frames, 6);
  free(s.samples);
  put_wav(path, WAV_FLOAT, 32, 1, values, 0, 0);
  assert_refused(path, "no frames");
  values[5] = NAN;
  put_wav(path, WAV_FLOAT, 32, 1, values, 24, 24);
  assert_refused(path, "frame 5 is ");
  put_wav(path, WAV_FLOAT, 32, 2, values, 24, 24);
  assert_refused(path, "frame 2 is ");
  values[5] = INFINITY;
  put_wav(path, WAV_FLOAT, 32, 1, values, 24, 24);
  assert_refused(path, "frame 5 is inf");
  free(path);
}

static void no_sound(void **state) {
  (void)state;
  char *path = file_join(directory, "text"), *pipe = file_join(directory, "pipe");
  assert_refused(path, "No such file");
  assert_refused(directory, "a directory");
  put_file(path, "", 0);
  assert_refused(path, "empty");
  put_file(path, "not a sound at all, but some text that is long enough", 50);
  assert_refused(path, "cannot be read as sound");
  assert_int_equal(mkfifo(pipe, 0600), 0);
  assert_refused(pipe, "pipe");
  free(path);
  free(pipe);
}

static void refuses_to_write(void **state) {
  (void)state;
  AudioWriter *writer;
  char *path = file_join(directory, "w.mp3"), *below = file_join(directory, "none/w.wav");
  assert_int_equal(audio_create(path, 8000, 1, &writer), STATUS_USAGE);
  assert_message(".flac");
  assert_int_equal(audio_create(".wav", 8000, 1, &writer), STATUS_USAGE);
  assert_failure(audio_create(below, 8000, 1, &writer), below);
  free(path);
  path = file_join(directory, "w.flac");
  assert_failure(audio_create(path, 8000, 9, &writer), path); /* FLAC has eight channels */
  assert_int_equal(audio_create(path, 8000, 1, &writer), STATUS_OK);
  float values[] = {0, 1, NAN};
  assert_failure(audio_finish(writer, audio_write(writer, 3, values)), path);
  assert_message("frame 2");
  assert_false(file_exists(path));
  /* What was there stays when the writer gives up. */
  put_file(path, "old", 3);
  assert_int_equal(audio_create(path, 8000, 1, &writer), STATUS_OK);
  assert_int_equal(audio_write(writer, 2, values), STATUS_OK);
  assert_int_equal(audio_finish(writer, status_fail(STATUS_STOPPED, "stopped")), STATUS_STOPPED);
  assert_string_equal(status_message(), "stopped");
  Bytes old = file_bytes(path);
  assert_int_equal(old.length, 3);
  free(old.data);
  assert_int_equal(audio_finish(NULL, STATUS_OK), STATUS_OK);
  free(below);
  free(path);
}

/* Every part of a file, and damaged ones. */
static void fuzz(const char *name, Sound sound, int mutations, bool promises) {
  char *path = file_join(directory, name), *damaged = file_join(directory, "damaged");
  must_write(path, sound, 1000);
  Bytes file = file_bytes(path), copy = {malloc(file.length), file.length};
  Sound s;
  uint64_t random = file.length;
  for (size_t length = 0; length < file.length; length++) {
    put_file(damaged, file.data, length);
    Status status = read_sound(damaged, 500, &s);
    if (status == STATUS_OK) free(s.samples);
    if (promises && status == STATUS_OK) fail_msg("%zu of %zu bytes", length, file.length);
    if (status != STATUS_OK) assert_failure(status, damaged);
  }
  for (int i = 0; i < mutations; i++) {
    memcpy(copy.data, file.data, file.length);
    mutate(copy, &random);
    put_file(damaged, copy.data, i % 5 ? copy.length : next_random(&random) % copy.length);
    Status status = read_sound(damaged, 500, &s);
    if (status == STATUS_OK) free(s.samples);
    if (status != STATUS_OK) assert_failure(status, damaged);
  }
  free(copy.data);
  free(file.data);
  free(damaged);
  free(path);
}

static void damaged_files(void **state) {
  (void)state;
  Sound s = make_sound(8000, 2, 300), longer = make_sound(8000, 1, 4000);
  fuzz("f.wav", s, 1000, true);
  fuzz("f.flac", s, 1000, true);
  fuzz("f.ogg", longer, 1000, true);
  free(s.samples);
  free(longer.samples);
}

/* A disk that is full at once, or later, or just before the end: the cause is told, nothing stays.
 */
static void full_disk(void **state) {
  (void)state;
  static const char *const names[] = {"d.wav", "d.flac", "d.ogg"};
  Sound s = make_sound(16000, 2, 30000);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char *path = file_join(directory, names[i]), temporary[100];
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    must_write(path, s, 1000);
    Bytes file = file_bytes(path);
    remove(path);
    const long limits[] = {0, 10, (long)file.length / 2, (long)file.length - 1};
    for (int k = 0; k < 4; k++) {
      limit_files(limits[k]);
      Status status = write_sound(path, s, 1000);
      limit_files(-1);
      assert_failure(status, path);
      assert_message(strerror(EFBIG));
      assert_false(file_exists(path) || file_exists(temporary));
    }
    free(file.data);
    free(path);
  }
  free(s.samples);
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
      cmocka_unit_test(round_trips),      cmocka_unit_test(extreme_values),
      cmocka_unit_test(embedded_sample),  cmocka_unit_test(integers_are_shares),
      cmocka_unit_test(broken_promises),  cmocka_unit_test(no_sound),
      cmocka_unit_test(refuses_to_write), cmocka_unit_test(damaged_files),
      cmocka_unit_test(full_disk),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
