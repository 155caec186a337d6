/* Sounds as signals: channels, parts, scale and coordinates, the same on every rank; what is no
 * sound to learn is refused on all ranks with one message. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/clip.h"
#include "experiments/sampler.h"
#include "io/audio.h"
#include "tests/mpi_check.h"

enum { FRAMES = 200000, RATE = 8000 };
static char path[64];

/* A place that all ranks know. */
static void make_path(void) {
  if (comm_rank(world) == 0) {
    strcpy(path, "/tmp/test_clip_XXXXXX");
    if (!mkdtemp(path)) abort();
  }
  comm_broadcast(world, path, sizeof path);
  strcat(path, "/sound.wav");
}

static void remove_path(void) {
  comm_barrier(world);
  if (comm_rank(world) > 0) return;
  unlink(path);
  *strrchr(path, '/') = 0;
  rmdir(path);
}

static float left_sample(int64_t i) {
  return (float)(i % 1000) / 4000;
}
static float right_sample(int64_t i) {
  return i == 12345 ? -1 : 0;
}

/* Rank 0 writes the first `frames` of a stereo sound, times `factor`. */
static void write_sound(int64_t frames, float factor) {
  Status status = STATUS_OK;
  if (comm_rank(world) == 0) {
    AudioWriter *writer;
    status = audio_create(path, RATE, 2, &writer);
    for (int64_t i = 0; status == STATUS_OK && i < frames; i++) {
      const float frame[2] = {factor * left_sample(i), factor * right_sample(i)};
      status = audio_write(writer, 1, frame);
    }
    status = audio_finish(writer, status);
  }
  const Comm *comm = world;
  assert_all(comm_agree(comm, status) == STATUS_OK);
}

/* Reads the file with options KEY=VALUE (NULL: none). */
static Status read_with(const char *first, const char *second, Clip *clip) {
  char file[80];
  snprintf(file, sizeof file, "data.file=%s", path);
  const char *const overrides[] = {"experiment=audio", file, first ? first : "seed=0",
                                   second ? second : "seed=0"};
  Config *config = NULL;
  assert_all(config_parse("a test", "{}", 2, 4, overrides, &config) == STATUS_OK);
  Status status = clip_read(world, config, clip);
  config_destroy(config);
  return status;
}

/* The largest magnitude, of the mean of both channels, becomes 1: at frame 12,345. */
static void test_whole(void **state) {
  (void)state;
  Clip clip;
  write_sound(FRAMES, 0.5f);
  assert_all(read_with(NULL, NULL, &clip) == STATUS_OK);
  const Signal *signal = &clip.signal;
  assert_all(signal->axes == 1 && signal->components == 1 && signal->size[0] == FRAMES);
  assert_all(signal->lower[0] == -100 && signal->upper[0] == 100 && clip.rate == RATE);
  const float *samples = signal_place(signal, 0);
  double peak = (1 - (double)left_sample(12345)) / 2 * 0.5, worst = 0;
  for (int64_t i = 0; i < FRAMES; i++) {
    double f = ((double)left_sample(i) + (double)right_sample(i)) / 2 * 0.5 / peak;
    worst = fmax(worst, fabs((double)signal_value(signal, samples, i) - f));
  }
  assert_all(worst < 1e-6);
  assert_all(signal_value(signal, samples, 12345) == -1);
  assert_all(fabs(clip_time(&clip, 8000) - 1) < 1e-12);
  clip_destroy(&clip);
}

/* A part begins where it should, further than a block into the file, and has a scale of its own. */
static void test_part(void **state) {
  (void)state;
  Clip clip;
  write_sound(FRAMES, 1);
  assert_all(read_with("audio.first=18.75", "audio.seconds=0.05", &clip) == STATUS_OK);
  assert_all(clip.signal.size[0] == 400 && clip.start == 18.75);
  const float *samples = signal_place(&clip.signal, 0);
  bool right = true; /* frames 150,000 to 150,399 of the ramp */
  for (int i = 0; i < 400; i++) right = right && samples[i] == left_sample(i) / 2;
  assert_all(right);
  assert_all(signal_value(&clip.signal, samples, 399) == 1);
  clip_destroy(&clip);
  assert_all(read_with("audio.first=24.9", "audio.extent=1", &clip) == STATUS_OK);
  assert_all(clip.signal.size[0] == 800 && clip.signal.upper[0] == 1);
  clip_destroy(&clip);
}

static void assert_refused(Status code, Status expected, const char *words) {
  assert_all(code == expected);
  bool said = strstr(status_message(), words);
  if (!said) dprintf(mpi_check_stderr, "message: %s\n", status_message());
  assert_all(said);
}

static void refuse(const char *first, const char *second, Status expected, const char *words) {
  Clip clip;
  assert_refused(read_with(first, second, &clip), expected, words);
  clip_destroy(&clip);
}

static void test_refused(void **state) {
  (void)state;
  write_sound(FRAMES, 1);
  refuse("audio.first=25", NULL, STATUS_USAGE, "has 25 seconds");
  refuse("audio.first=1e9", NULL, STATUS_USAGE, "audio.first");
  refuse("audio.first=24", "audio.seconds=1.5", STATUS_USAGE, "has 1 seconds from there on");
  refuse("audio.seconds=0.0001", NULL, STATUS_FAILED, "one sample");
  refuse("audio.seconds=0.00001", NULL, STATUS_FAILED, "no samples");
  write_sound(1, 1);
  refuse(NULL, NULL, STATUS_FAILED, "one sample");
  write_sound(100, 0);
  refuse(NULL, NULL, STATUS_FAILED, "silent");
}

/* What a step draws: time from -extent to extent, and the sound there. */
static void test_samples(void **state) {
  (void)state;
  Clip clip;
  write_sound(1000, 1);
  const char *const overrides[] = {"experiment=audio"};
  Config *config = NULL;
  Sampler sampler;
  assert_all(read_with("audio.extent=3", NULL, &clip) == STATUS_OK);
  assert_all(config_parse("a test", "{}", 2, 1, overrides, &config) == STATUS_OK);
  assert_all(sampler_create(config, &clip.signal, 0, &sampler) == STATUS_OK);
  assert_all(sampler.all && sampler.samples == 1000);
  real x[1000], data[1000];
  bool right = true;
  sampler_draw(&sampler, 5, 0, 1000, x, data, NULL);
  for (int i = 0; i < 1000; i++) {
    right = right && fabs((double)x[i] - (6. * i / 999 - 3)) < 1e-6;
    right = right && fabs((double)data[i] - i / 999.) < 1e-6;
  }
  assert_all(right);
  sampler_destroy(&sampler);
  config_destroy(config);
  clip_destroy(&clip);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_whole),
      cmocka_unit_test(test_part),
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_samples),
  };
  if (comm_start(&argc, &argv, &world) != STATUS_OK) {
    fprintf(stderr, "%s\n", status_message());
    return 1;
  }
  mpi_check_silence();
  make_path();
  double failed = cmocka_run_group_tests(tests, NULL, NULL);
  comm_max_double(world, &failed, 1);
  remove_path();
  comm_finish(world);
  return failed > 0;
}
