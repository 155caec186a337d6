/* The medium that waves run through: shapes, grids from files, and what is no grid of velocities.
 */
#include <math.h>

#include "experiments/medium.h"
#include "io/dataset.h"
#include "tests/wave_fixture.h"

#define assert_near(got, wanted) assert_float_equal((float)(got), (float)(wanted), 1e-6)

static Status create(const char *options, double half, Medium *medium) {
  Config *config = wave_config("helmholtz", options);
  Status status = medium_create(config, "helmholtz", half, medium);
  config_destroy(config);
  return status;
}

static Medium make(const char *options, double half) {
  Medium medium;
  if (create(options, half, &medium) != STATUS_OK) fail_msg("%s", status_message());
  return medium;
}

/* c at a place. */
static double velocity(const Medium *medium, double x, double y) {
  double m = medium_slowness(medium, (const double[2]){x, y});
  assert_near(medium_slowness_at(x, y, medium), m);
  assert_near(medium_speed_at(x, y, medium) * m, 1);
  return 1 / sqrt(m);
}

/* ---- Shapes ---- */

static void test_shapes(void **state) {
  (void)state;
  Medium medium = make("", 0.5);
  assert_true(medium_is_uniform(&medium) && medium_disc(&medium) == 0);
  assert_near(velocity(&medium, 0, 0), 1);
  medium_destroy(&medium);

  medium = make("helmholtz.medium=square", 0.5);
  assert_false(medium_is_uniform(&medium) || medium_disc(&medium) != 0);
  assert_near(velocity(&medium, 0.299, -0.299), 2);
  assert_near(velocity(&medium, 0.301, 0), 1);
  assert_near(velocity(&medium, 0, -0.301), 1);
  medium_destroy(&medium);

  medium = make("helmholtz.medium=disc", 0.5);
  assert_false(medium_is_uniform(&medium));
  assert_near(medium_disc(&medium), 0.1);
  assert_near(velocity(&medium, 0.07, -0.07), 2);
  assert_near(velocity(&medium, 0.072, 0.072), 1);
  medium_destroy(&medium);

  medium =
      make("helmholtz.medium=disc helmholtz.medium_size=0.25 helmholtz.medium_velocity=0.5", 0.5);
  assert_near(medium_disc(&medium), 0.25);
  assert_near(velocity(&medium, 0.24, 0), 0.5);
  assert_near(velocity(&medium, 0, -0.26), 1);
  medium_destroy(&medium);

  medium = make("helmholtz.medium=square helmholtz.medium_velocity=1", 0.5);
  assert_true(medium_is_uniform(&medium));
  medium_destroy(&medium);
}

/* ---- Grids ---- */

#define FILE_OPTIONS "helmholtz.medium=file data.file="

/* Exact in float32. */
static const double grid[3][3] = {{1, 2, 3}, {1.5, 0.5, 4}, {2.5, 8, 0.25}};

/* Nodes at -half, 0, half; the first axis goes with the first coordinate. */
static void check_grid(const Medium *medium, double half, double unit) {
  assert_int_equal(medium->side, 3);
  assert_false(medium_is_uniform(medium) || medium_disc(medium) != 0);
  for (int i = 0; i < 9; i++) {
    double x = half * (i / 3 - 1), y = half * (i % 3 - 1);
    assert_near(velocity(medium, x, y), grid[i / 3][i % 3] / unit);
  }
  assert_near(velocity(medium, half / 2, 0), (0.5 + 8) / 2 / unit);
  assert_near(velocity(medium, 0, -half / 4), (0.25 * 1.5 + 0.75 * 0.5) / unit);
  assert_near(velocity(medium, -half / 2, half / 2), (2 + 3 + 0.5 + 4) / 4 / unit);
  /* Beyond, the border goes on. */
  assert_near(velocity(medium, -2 * half, 0), 2 / unit);
  assert_near(velocity(medium, 2 * half, 2 * half), 0.25 / unit);
  assert_near(velocity(medium, 2 * half, half / 2), (8 + 0.25) / 2 / unit);
}

static double mean_velocity(void) {
  double slowness = 0;
  for (int i = 0; i < 9; i++) slowness += 1 / (grid[i / 3][i % 3] * grid[i / 3][i % 3]) / 9;
  return 1 / sqrt(slowness);
}

static void test_hdf5(void **state) {
  (void)state;
  wave_write_hdf5("a.h5", false, "c", 2, (const hsize_t[]){3, 3}, &grid[0][0]);
  wave_write_hdf5("a.h5", true, "other", 2, (const hsize_t[]){2, 2}, &grid[1][0]);
  Medium medium =
      make(FILE_OPTIONS "a.h5 helmholtz.dataset=/c helmholtz.reference_velocity=4", 0.5);
  check_grid(&medium, 0.5, 4);
  medium_destroy(&medium);
  medium = make(FILE_OPTIONS "a.h5 helmholtz.dataset=/c", 1);
  check_grid(&medium, 1, mean_velocity());
  medium_destroy(&medium);
}

/* As this program writes them. */
static void test_dataset(void **state) {
  (void)state;
  DatasetInfo info = {.kind = "volume",
                      .axes = "row,column",
                      .n_axes = 2,
                      .size = {0, 3},
                      .components = 1,
                      .type = SAMPLE_F32};
  DatasetWriter *writer;
  float values[9];
  for (int i = 0; i < 9; i++) values[i] = (float)grid[i / 3][i % 3];
  assert_int_equal(dataset_create("b.h5", &info, &writer), STATUS_OK);
  Status status = dataset_append(writer, 3, values);
  assert_int_equal(dataset_finish(writer, status), STATUS_OK);
  Medium medium = make(FILE_OPTIONS "b.h5 helmholtz.reference_velocity=1", 0.5);
  check_grid(&medium, 0.5, 1);
  medium_destroy(&medium);
}

static void test_matlab(void **state) {
  (void)state;
  WaveTable tables[] = {{"t", 1, 1, &grid[0][0], false}, {"velocity", 3, 3, &grid[0][0], false}};
  wave_write_matlab("a.mat", 2, tables);
  Medium medium = make(FILE_OPTIONS "a.mat", 0.5);
  check_grid(&medium, 0.5, mean_velocity());
  medium_destroy(&medium);
  medium =
      make(FILE_OPTIONS "a.mat helmholtz.dataset=velocity helmholtz.reference_velocity=2", 0.5);
  check_grid(&medium, 0.5, 2);
  medium_destroy(&medium);
}

/* The middle of the longer axis: where the rest is odd, one more is cut at the end. */
static void test_rectangles(void **state) {
  (void)state;
  double wide[3][6], high[7][3];
  for (int i = 0; i < 18; i++) wide[i / 6][i % 6] = 9;
  for (int i = 0; i < 21; i++) high[i / 3][i % 3] = 9;
  for (int i = 0; i < 9; i++) {
    wide[i / 3][i % 3 + 1] = high[i / 3 + 2][i % 3] = grid[i / 3][i % 3];
  }
  wave_write_hdf5("a.h5", false, "wide", 2, (const hsize_t[]){3, 6}, &wide[0][0]);
  wave_write_hdf5("a.h5", true, "high", 2, (const hsize_t[]){7, 3}, &high[0][0]);
  static const char *const names[] = {"wide", "high"};
  for (int i = 0; i < 2; i++) {
    char options[128];
    snprintf(options, sizeof options, FILE_OPTIONS "a.h5 helmholtz.dataset=/%s", names[i]);
    Medium medium = make(options, 0.5);
    check_grid(&medium, 0.5, mean_velocity());
    medium_destroy(&medium);
  }
}

/* One number: the same everywhere. */
static void test_single(void **state) {
  (void)state;
  wave_write_hdf5("a.h5", false, "c", 2, (const hsize_t[]){1, 4}, &grid[0][0]);
  Medium medium = make(FILE_OPTIONS "a.h5 helmholtz.reference_velocity=1", 0.5);
  assert_near(velocity(&medium, -0.7, 0.2), 2);
  assert_near(velocity(&medium, 0, 0), 2);
  medium_destroy(&medium);
}

/* ---- What is refused ---- */

static void assert_refused(Status expected, const char *options, const char *message) {
  Medium medium;
  assert_int_equal(create(options, 0.5, &medium), expected);
  if (!strstr(status_message(), message)) {
    fail_msg("%s: \"%s\" instead of \"%s\"", options, status_message(), message);
  }
  medium_destroy(&medium);
}

static void test_bad_velocities(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *message;
  } bad[] = {{0, "row 1, column 2 is 0;"},
             {-1.5, "row 1, column 2 is -1.5;"},
             {NAN, "row 1, column 2 is "},
             {INFINITY, "row 1, column 2 is inf;"},
             {-INFINITY, "row 1, column 2 is -inf;"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    double values[6] = {1, 2, 3, 4, 5, bad[i].value};
    wave_write_hdf5("a.h5", false, "c", 2, (const hsize_t[]){2, 3}, values);
    assert_refused(STATUS_FAILED, FILE_OPTIONS "a.h5", bad[i].message);
    wave_write_matlab("a.mat", 1, &(WaveTable){"c", 2, 3, values, false});
    assert_refused(STATUS_FAILED, FILE_OPTIONS "a.mat", bad[i].message);
    assert_true(strstr(status_message(), "a.mat: the velocity in") != NULL);
  }
}

/* A place that is cut off counts, too: the file is not what it should be. */
static void test_bad_beyond_the_middle(void **state) {
  (void)state;
  wave_write_hdf5("a.h5", false, "c", 2, (const hsize_t[]){1, 4}, (const double[]){0, 1, 1, 1});
  assert_refused(STATUS_FAILED, FILE_OPTIONS "a.h5", "row 0, column 0 is 0;");
}

static void test_no_grids(void **state) {
  (void)state;
  static const double ones[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  static const hsize_t size[4] = {2, 2, 2, 2};
  wave_write_hdf5("line.h5", false, "c", 1, size, ones);
  wave_write_hdf5("cube.h5", false, "c", 3, size, ones);
  wave_write_hdf5("four.h5", false, "c", 4, size, ones);
  wave_write_hdf5("two.h5", false, "a", 2, size, ones);
  wave_write_hdf5("two.h5", true, "b", 2, size, ones);
  wave_write_matlab("complex.mat", 1, &(WaveTable){"c", 2, 2, ones, true});
  FILE *text = fopen("text.h5", "w");
  fputs("no HDF5", text);
  fclose(text);
  assert_refused(STATUS_FAILED, FILE_OPTIONS "line.h5", "a grid of velocities");
  assert_refused(STATUS_FAILED, FILE_OPTIONS "cube.h5", "one real number at each place");
  assert_refused(STATUS_FAILED, FILE_OPTIONS "four.h5", "a grid of velocities");
  assert_refused(STATUS_FAILED, FILE_OPTIONS "two.h5", "two.h5");
  assert_refused(STATUS_FAILED, FILE_OPTIONS "two.h5 helmholtz.dataset=/c", "two.h5");
  assert_refused(STATUS_FAILED, FILE_OPTIONS "complex.mat",
                 "complex.mat: a grid of velocities has one real");
  assert_refused(STATUS_FAILED, FILE_OPTIONS "text.h5", "text.h5");
  assert_refused(STATUS_FAILED, FILE_OPTIONS "none.h5", "No such file");
  assert_refused(STATUS_FAILED, FILE_OPTIONS "none.mat", "No such file");
  assert_refused(STATUS_USAGE, "helmholtz.medium=file", "data.file");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),         cmocka_unit_test(test_hdf5),
      cmocka_unit_test(test_dataset),        cmocka_unit_test(test_matlab),
      cmocka_unit_test(test_rectangles),     cmocka_unit_test(test_single),
      cmocka_unit_test(test_bad_velocities), cmocka_unit_test(test_bad_beyond_the_middle),
      cmocka_unit_test(test_no_grids),
  };
  return cmocka_run_group_tests(tests, wave_enter_directory, wave_leave_directory);
}
