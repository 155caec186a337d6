/* Films: the frames that the options ask for, in the memory of all ranks, from data sets, video
 * files and the built-in one; and movies, whose frames come from many ranks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/film.h"
#include "experiments/movie.h"
#include "io/dataset.h"
#include "io/image.h"
#include "io/video.h"
#include "tests/mpi_check.h"

enum { FRAMES = 7, HEIGHT = 6, WIDTH = 10, MAX_OVERRIDES = 8 };

static char directory[32], path[64], file_option[80];

/* Collective. All ranks know the name that rank 0 makes. */
static int make_directory(void **state) {
  (void)state;
  strcpy(directory, "/tmp/siren-film-XXXXXX");
  if (comm_rank(world) == 0 && !mkdtemp(directory)) directory[0] = 0;
  comm_broadcast(world, directory, sizeof directory);
  return directory[0] ? 0 : -1;
}

/* Collective. */
static int remove_directory(void **state) {
  (void)state;
  char command[48];
  comm_barrier(world);
  snprintf(command, sizeof command, "rm -rf %s", directory);
  return comm_rank(world) == 0 ? system(command) : 0;
}

/* Collective. */
static void name_file(const char *name) {
  snprintf(path, sizeof path, "%s/%s", directory, name);
  snprintf(file_option, sizeof file_option, "data.file=%s", path);
}

/* Collective. Reads the film that the overrides (NULL after the last) describe. */
static Status read_film(const char *const *overrides, Film *film) {
  const char *all[MAX_OVERRIDES] = {"experiment=video"};
  int n = 1;
  for (; overrides[n - 1]; n++) all[n] = overrides[n - 1];
  Config *config = NULL;
  Status status = config_parse("a test", "{}", 2, n, all, &config);
  assert_all(status == STATUS_OK);
  status = film_read(world, config, film);
  config_destroy(config);
  return status;
}

#define READ(film, ...) read_film((const char *const[]){__VA_ARGS__, NULL}, film)

/* Collective. The film is refused with this code, in one line that says so. */
#define assert_refused(code, words, ...)         \
  do {                                           \
    Film refused;                                \
    Status result = READ(&refused, __VA_ARGS__); \
    assert_all(result == (code));                \
    assert_all(strstr(status_message(), words)); \
    assert_all(!strchr(status_message(), '\n')); \
    film_destroy(&refused);                      \
  } while (0)

static bool has_size(const Film *film, int64_t frames, int64_t height, int64_t width,
                     int components) {
  const Signal *s = &film->signal;
  return s->axes == 3 && s->size[0] == frames && s->size[1] == height && s->size[2] == width &&
         s->components == components;
}

/* ---- Data sets ---- */

static unsigned char level(int64_t frame, int64_t i) {
  return (unsigned char)(37 * frame + 11 * i + i * i % 7);
}

/* Collective. A data set with numbers of `type` that stand for levels, `components` to a pixel. */
static void write_dataset(SampleType type, int components) {
  enum { MOST = FRAMES * HEIGHT * WIDTH * 3 };
  static uint8_t bytes[MOST];
  static uint16_t words[MOST];
  static float numbers[MOST];
  void *const samples[] = {bytes, words, numbers};
  int64_t frame = HEIGHT * WIDTH * components;
  for (int64_t i = 0; i < FRAMES * frame; i++) {
    bytes[i] = level(i / frame, i % frame);
    words[i] = (uint16_t)(257 * bytes[i]);
    numbers[i] = (float)bytes[i] / 255;
  }
  DatasetInfo info = {.kind = "video",
                      .axes = "time,row,column",
                      .n_axes = 3,
                      .size = {0, HEIGHT, WIDTH},
                      .components = components,
                      .type = type,
                      .rate = 30};
  Status status = STATUS_OK;
  if (comm_rank(world) == 0) {
    DatasetWriter *writer = NULL;
    status = dataset_create(path, &info, &writer);
    if (status == STATUS_OK) status = dataset_append(writer, FRAMES, samples[type]);
    status = dataset_finish(writer, status);
  }
  assert_all(comm_agree(world, status) == STATUS_OK);
}

/* Frame i of the film is frame first + i * every of the file, as every rank sees it. */
static bool holds_levels(const Film *film, int64_t first, int64_t every) {
  const Signal *s = &film->signal;
  int64_t frame = signal_line(s) * s->components;
  bool same = true;
  for (int64_t i = 0; i < s->size[0] * frame; i++) {
    double expected = 2 * level(first + i / frame * every, i % frame) / 255. - 1;
    same &= fabs((double)signal_value(s, signal_place(s, 0), i) - expected) < 1e-6;
  }
  return same;
}

static void test_data_sets_of_all_types(void **state) {
  (void)state;
  for (SampleType type = 0; type < SAMPLE_TYPES; type++) {
    for (int components = 1; components <= 3; components += 2) {
      Film film;
      name_file("types.h5");
      write_dataset(type, components);
      assert_all(READ(&film, file_option) == STATUS_OK);
      assert_all(has_size(&film, FRAMES, HEIGHT, WIDTH, components));
      assert_all(film.signal.type == type && film.rate == 30);
      assert_all(holds_levels(&film, 0, 1));
      film_destroy(&film);
    }
  }
}

static void test_frames_are_chosen(void **state) {
  (void)state;
  Film film;
  name_file("chosen.h5");
  write_dataset(SAMPLE_U8, 3);
  assert_all(READ(&film, file_option, "video.first=1", "video.every=2") == STATUS_OK);
  assert_all(has_size(&film, 3, HEIGHT, WIDTH, 3) && film.rate == 15);
  assert_all(holds_levels(&film, 1, 2));
  film_destroy(&film);
  assert_all(READ(&film, file_option, "video.first=2", "video.frames=4") == STATUS_OK);
  assert_all(has_size(&film, 4, HEIGHT, WIDTH, 3) && holds_levels(&film, 2, 1));
  film_destroy(&film);
  assert_all(READ(&film, file_option, "video.first=6") == STATUS_OK);
  assert_all(has_size(&film, 1, HEIGHT, WIDTH, 3) && holds_levels(&film, 6, 1));
  real x[3];
  for (int i = 0; i < 3; i++) x[i] = signal_coordinate(&film.signal, i, 0);
  assert_all(x[0] == -1 && x[1] == -1 && x[2] == -1); /* one frame lies at -1 */
  film_destroy(&film);
}

/* One frame of the file goes through the functions for images, one by one. */
static bool holds_prepared(const Film *film, int64_t frame, bool crop, bool grey, int height,
                           int width) {
  Image image, resized;
  if (image_create(HEIGHT, WIDTH, 3, &image) != STATUS_OK) return false;
  image.levels = 255;
  for (int i = 0; i < HEIGHT * WIDTH * 3; i++) image.pixels[i] = (float)level(frame, i) / 255;
  Status status = crop ? image_crop_square(&image) : STATUS_OK;
  if (status == STATUS_OK && grey) status = image_to_grey(&image);
  if (status == STATUS_OK) status = image_resize(&image, height, width, &resized);
  image_destroy(&image);
  if (status != STATUS_OK) return false;
  const uint8_t *samples = signal_place(&film->signal, frame);
  bool same = true;
  for (int i = 0; i < height * width * (grey ? 1 : 3); i++) {
    same &= samples[i] == lrintf(resized.pixels[i] * 255);
  }
  image_destroy(&resized);
  return same;
}

static void test_frames_are_prepared(void **state) {
  (void)state;
  Film film;
  name_file("prepared.h5");
  write_dataset(SAMPLE_U8, 3);
  assert_all(READ(&film, file_option, "video.height=3", "video.width=4") == STATUS_OK);
  assert_all(has_size(&film, FRAMES, 3, 4, 3));
  for (int i = 0; i < FRAMES; i++) assert_all(holds_prepared(&film, i, false, false, 3, 4));
  film_destroy(&film);
  assert_all(READ(&film, file_option, "video.height=3") == STATUS_OK); /* keeps the aspect */
  assert_all(has_size(&film, FRAMES, 3, 5, 3));
  film_destroy(&film);
  assert_all(READ(&film, file_option, "video.width=20") == STATUS_OK);
  assert_all(has_size(&film, FRAMES, 12, 20, 3));
  film_destroy(&film);
  assert_all(READ(&film, file_option, "data.crop=true", "data.colour=grey") == STATUS_OK);
  assert_all(has_size(&film, FRAMES, HEIGHT, HEIGHT, 1));
  assert_all(holds_prepared(&film, 3, true, true, HEIGHT, HEIGHT));
  film_destroy(&film);
  assert_all(READ(&film, file_option, "data.crop=true", "video.height=6", "video.width=10") ==
             STATUS_OK); /* a square that is stretched to the old size */
  assert_all(holds_prepared(&film, FRAMES - 1, true, false, HEIGHT, WIDTH));
  film_destroy(&film);
}

static void test_grey_becomes_rgb(void **state) {
  (void)state;
  Film film;
  name_file("grey.h5");
  write_dataset(SAMPLE_U16, 1);
  assert_all(READ(&film, file_option, "data.colour=rgb") == STATUS_OK);
  assert_all(has_size(&film, FRAMES, HEIGHT, WIDTH, 3));
  const uint16_t *samples = signal_place(&film.signal, 0);
  bool same = true;
  for (int64_t i = 0; i < FRAMES * HEIGHT * WIDTH; i++) {
    unsigned expected = 257u * level(i / (HEIGHT * WIDTH), i % (HEIGHT * WIDTH));
    for (int c = 0; c < 3; c++) same &= samples[3 * i + c] == expected;
  }
  assert_all(same);
  film_destroy(&film);
}

static void test_bad_choices_are_refused(void **state) {
  (void)state;
  name_file("choices.h5");
  write_dataset(SAMPLE_U8, 1);
  assert_refused(STATUS_USAGE, "has only 7 frames", file_option, "video.first=7");
  assert_refused(STATUS_USAGE, "leave 3", file_option, "video.first=2", "video.every=2",
                 "video.frames=4");
  assert_refused(STATUS_USAGE, "video.height", file_option, "data.size=8");
  write_dataset(SAMPLE_U8, 2);
  assert_refused(STATUS_FAILED, "2 components", file_option);
  name_file("none.h5");
  assert_refused(STATUS_FAILED, "none.h5", file_option);
}

/* Collective. A data set of one frame of two numbers. */
static void write_numbers(float first, float second) {
  const float numbers[2] = {first, second};
  DatasetInfo info = {
      .kind = "video", .n_axes = 3, .size = {0, 1, 2}, .components = 1, .type = SAMPLE_F32};
  Status status = STATUS_OK;
  if (comm_rank(world) == 0) {
    DatasetWriter *writer = NULL;
    status = dataset_create(path, &info, &writer);
    if (status == STATUS_OK) status = dataset_append(writer, 1, numbers);
    status = dataset_finish(writer, status);
  }
  assert_all(comm_agree(world, status) == STATUS_OK);
}

static void test_numbers_outside_are_refused(void **state) {
  (void)state;
  name_file("numbers.h5");
  write_numbers(0.5f, NAN);
  assert_refused(STATUS_FAILED, "nan", file_option);
  write_numbers(255, 0);
  assert_refused(STATUS_FAILED, "255; real numbers of a video lie in [0, 1]", file_option);
  write_numbers(0, 1);
  Film film;
  assert_all(READ(&film, file_option) == STATUS_OK);
  assert_all(signal_coordinate(&film.signal, 1, 0) == 0); /* one row lies in the middle */
  film_destroy(&film);
}

/* ---- The built-in film ---- */

/* FNV-1a of all bytes: they are the same everywhere. */
static void test_built_in_film(void **state) {
  (void)state;
  Film film;
  assert_all(READ(&film, "data.file=") == STATUS_OK);
  assert_all(has_size(&film, 24, 96, 128, 3));
  const uint8_t *bytes = signal_place(&film.signal, 0);
  uint64_t hash = 0xcbf29ce484222325;
  for (int i = 0; i < 24 * 96 * 128 * 3; i++) hash = (hash ^ bytes[i]) * 0x100000001b3;
  assert_all(hash == 0xfe9536ff11102164); /* as PIL makes it */
  int64_t frame = (int64_t)96 * 128 * 3;
  for (int i = 1; i < 24; i++) assert_all(memcmp(bytes, bytes + i * frame, (size_t)frame));
  film_destroy(&film);
}

/* ---- Video files and movies ---- */

/* Collective. Ranks have frames of a movie in shares that differ; it is read as a film again. */
static void test_movie_becomes_film(void **state) {
  (void)state;
  if (!video_supported()) skip();
  int rank = comm_rank(world), ranks = comm_size(world);
  MovieSpec spec = {.frames = 3 * ranks,
                    .height = HEIGHT,
                    .width = WIDTH,
                    .channels = 1,
                    .rate = 10,
                    .stills = 2};
  float fit[3][HEIGHT * WIDTH];
  for (int wave = 0, i = 0; wave < 3; wave++) {
    for (i = 0; i < HEIGHT * WIDTH; i++) {
      fit[wave][i] = (float)level(wave * ranks + rank, i) / 255 * 2 - 1;
    }
  }
  Movie *movie = NULL;
  name_file("movie.mkv");
  assert_all(movie_create(world, path, &spec, &movie) == STATUS_OK);
  for (int wave = 0; wave < 3; wave++) {
    assert_all(movie_frames(movie, wave * ranks + rank, 1, fit[wave]) == STATUS_OK);
  }
  if (rank == 0) {
    Image still;
    int64_t frame = 0;
    assert_int_equal(movie_still(movie, 1, &frame, NULL, &still), STATUS_OK);
    assert_int_equal(frame, 3 * ranks - 1);
    for (int i = 0; i < HEIGHT * WIDTH; i++) {
      assert_float_equal(still.pixels[3 * i + 2] * 255, level(frame, i), 1e-3);
    }
    image_destroy(&still);
  }
  assert_all(movie_finish(movie, STATUS_OK) == STATUS_OK);
  Film film;
  assert_all(READ(&film, file_option, "data.colour=grey") == STATUS_OK);
  assert_all(has_size(&film, 3 * ranks, HEIGHT, WIDTH, 1) && film.rate == 10);
  assert_all(holds_levels(&film, 0, 1));
  film_destroy(&film);
  assert_all(READ(&film, file_option, "data.colour=grey", "video.first=1", "video.every=2") ==
             STATUS_OK);
  assert_all(holds_levels(&film, 1, 2));
  film_destroy(&film);
  assert_refused(STATUS_USAGE, "frames", file_option, "video.first=12");
  assert_refused(STATUS_USAGE, "leave 1", file_option, "video.every=12", "video.frames=2");
}

/* Truth at the left of the fit, white in between. */
static void test_movie_beside_the_truth(void **state) {
  (void)state;
  if (!video_supported()) skip();
  Film truth, film;
  name_file("truth.h5");
  write_dataset(SAMPLE_U8, 3);
  assert_all(READ(&truth, file_option) == STATUS_OK);
  int64_t values = HEIGHT * WIDTH * 3, first = comm_rank(world) == 0 ? 0 : FRAMES;
  static float fit[FRAMES * HEIGHT * WIDTH * 3]; /* rank 0 has it all: the negative */
  for (int64_t i = 0; i < FRAMES * values; i++) {
    fit[i] = 1 - (float)level(i / values, i % values) / 255 * 2;
  }
  MovieSpec spec = {
      .frames = FRAMES, .height = HEIGHT, .width = WIDTH, .channels = 3, .truth = &truth.signal};
  Movie *movie = NULL;
  name_file("beside.mkv");
  assert_all(movie_create(world, path, &spec, &movie) == STATUS_OK);
  assert_all(movie_frames(movie, first, first ? 0 : FRAMES, fit) == STATUS_OK);
  assert_all(movie_finish(movie, STATUS_OK) == STATUS_OK);
  assert_all(READ(&film, file_option) == STATUS_OK);
  enum { GAP = 2, ALL = 2 * WIDTH + GAP };
  assert_all(has_size(&film, FRAMES, HEIGHT, ALL, 3) && film.rate == 25);
  bool same = true;
  for (int64_t i = 0; i < FRAMES * HEIGHT * ALL * 3; i++) {
    int64_t column = i / 3 % ALL, row = i / 3 / ALL % HEIGHT, frame = i / 3 / ALL / HEIGHT;
    int64_t place = column < WIDTH ? column : column - WIDTH - GAP;
    int shown = ((uint8_t *)signal_place(&film.signal, 0))[i];
    int here = level(frame, (row * WIDTH + place) * 3 + i % 3);
    same &= shown == (column < WIDTH ? here : column < WIDTH + GAP ? 255 : 255 - here);
  }
  assert_all(same);
  film_destroy(&film);
  film_destroy(&truth);
}

/* A movie that is given up leaves nothing. */
static void test_unfinished_movie(void **state) {
  (void)state;
  MovieSpec spec = {.frames = 1, .height = HEIGHT, .width = WIDTH, .channels = 3};
  Movie *movie = NULL;
  name_file("unfinished.mkv");
  assert_all(movie_create(world, path, &spec, &movie) == STATUS_OK);
  assert_all(movie_finish(movie, status_fail(STATUS_FAILED, "given up")) == STATUS_FAILED);
  assert_all(access(path, F_OK) != 0);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_data_sets_of_all_types),
      cmocka_unit_test(test_frames_are_chosen),
      cmocka_unit_test(test_frames_are_prepared),
      cmocka_unit_test(test_grey_becomes_rgb),
      cmocka_unit_test(test_bad_choices_are_refused),
      cmocka_unit_test(test_numbers_outside_are_refused),
      cmocka_unit_test(test_built_in_film),
      cmocka_unit_test(test_movie_becomes_film),
      cmocka_unit_test(test_movie_beside_the_truth),
      cmocka_unit_test(test_unfinished_movie),
  };
  if (comm_start(&argc, &argv, &world) != STATUS_OK) {
    fprintf(stderr, "%s\n", status_message());
    return 1;
  }
  mpi_check_silence();
  double failed = cmocka_run_group_tests(tests, make_directory, remove_directory);
  comm_max_double(world, &failed, 1);
  comm_finish(world);
  return failed > 0;
}
