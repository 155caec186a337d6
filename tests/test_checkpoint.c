/* Checkpoints: every bit comes back; damage of any kind is noticed and the older generation is
 * taken; another configuration, network or program is refused with a message that helps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/memory.h"
#include "io/file.h"
#include "io/hdf5.h"
#include "tests/checkpoint_fixture.h"

static char directory[] = "/tmp/siren-checkpoint-XXXXXX";
static char *newest, *previous;

static void assert_ok(Status status) {
  if (status != STATUS_OK) fail_msg("%s", status_message());
}

static void assert_fails(Status status, Status expected, const char *part) {
  assert_int_equal(status, expected);
  if (!strstr(status_message(), part)) fail_msg("\"%s\" not in: %s", part, status_message());
}

static void create(Fixture *fixture, uint64_t seed) {
  assert_ok(fixture_create(fixture, seed, 8, FIXTURE_CONFIG));
}

static void write_state(uint64_t seed) {
  Fixture fixture;
  create(&fixture, seed);
  assert_ok(checkpoint_write(directory, &fixture.checkpoint));
  fixture_destroy(&fixture);
}

/* Reads and compares with the state of that seed. */
static void assert_state(uint64_t seed, const char *warning_part) {
  Fixture read, expected;
  bool found = false;
  char warning[512];
  create(&read, 99);
  create(&expected, seed);
  assert_ok(checkpoint_read(directory, &read.checkpoint, &found, warning));
  assert_true(found);
  if (!warning_part) assert_string_equal(warning, "");
  if (warning_part && !strstr(warning, warning_part)) fail_msg("warning: %s", warning);
  assert_true(fixture_equal(&read, &expected));
  fixture_destroy(&expected);
  fixture_destroy(&read);
}

/* Reading fails and changes nothing. */
static void assert_refused(Fixture *fixture, Status expected, const char *part) {
  Fixture before;
  bool found;
  char warning[512];
  create(&before, 99);
  bool same = fixture->network.n_parameters == before.network.n_parameters;
  assert_fails(checkpoint_read(directory, &fixture->checkpoint, &found, warning), expected, part);
  assert_false(found);
  if (same) assert_true(fixture_equal(fixture, &before));
  fixture_destroy(&before);
}

static void assert_nothing_left(Status expected, const char *part) {
  Fixture fixture;
  create(&fixture, 99);
  assert_refused(&fixture, expected, part);
  fixture_destroy(&fixture);
}

static int clean(void **state) {
  (void)state;
  unlink(newest);
  unlink(previous);
  return 0;
}

static void test_round_trip(void **state) {
  (void)state;
  Fixture fixture, same;
  bool found = true;
  char warning[512];
  create(&fixture, 99);
  create(&same, 99);
  assert_ok(checkpoint_read(directory, &fixture.checkpoint, &found, warning));
  assert_false(found);
  assert_true(fixture_equal(&fixture, &same));
  for (uint64_t seed = 1; seed <= 3; seed++) {
    write_state(seed);
    assert_state(seed, NULL);
  }
  unlink(newest); /* killed between the renames */
  assert_state(2, NULL);
  fixture_destroy(&same);
  fixture_destroy(&fixture);
}

static void test_equal_states_give_equal_files(void **state) {
  (void)state;
  unsigned char *one, *two;
  size_t length, length2;
  write_state(5);
  write_state(5);
  assert_ok(file_read(newest, &one, &length));
  assert_ok(file_read(previous, &two, &length2));
  assert_int_equal(length, length2);
  assert_memory_equal(one, two, length);
  free(one);
  free(two);
}

/* Other HDF5 programs read it as it is: the user block is skipped. */
static void test_is_a_plain_hdf5_file(void **state) {
  (void)state;
  Fixture fixture;
  create(&fixture, 4);
  write_state(4);
  hid_t file = H5Fopen(newest, H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  hid_t set = H5Dopen2(file, "/network/layer1/weight", H5P_DEFAULT);
  float weight[8][8];
  assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, weight) >= 0);
  assert_memory_equal(weight, fixture.checkpoint.theta + fixture.network.linear[1].weight,
                      sizeof weight);
  assert_true(H5Lexists(file, "/state/adam_m", H5P_DEFAULT) > 0);
  H5Dclose(set);
  H5Fclose(file);
  fixture_destroy(&fixture);
}

static void check_round_trip(int width) {
  Fixture written, read;
  bool found;
  char warning[512];
  assert_ok(fixture_create(&written, 6, width, FIXTURE_CONFIG));
  assert_ok(fixture_create(&read, 99, width, FIXTURE_CONFIG));
  assert_ok(checkpoint_write(directory, &written.checkpoint));
  assert_ok(checkpoint_read(directory, &read.checkpoint, &found, warning));
  assert_true(found);
  assert_true(fixture_equal(&read, &written));
  fixture_destroy(&read);
  fixture_destroy(&written);
}

/* Large arrays do not go through HDF5 when they are written. */
static void test_arrays_of_all_sizes(void **state) {
  (void)state;
  static const int widths[] = {1, 63, 64, 65, 130, 700};
  for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) check_round_trip(widths[i]);
}

static double peak(void) {
  return memory_use().peak;
}

/* 67 MB, of which neither writing nor reading makes a copy. */
static void test_takes_little_memory(void **state) {
  (void)state;
  enum { WIDTH = 2900, ALLOWED = 16 << 20 };
  Fixture written, read;
  bool found;
  char warning[512];
  assert_ok(fixture_create(&written, 1, WIDTH, FIXTURE_CONFIG));
  assert_ok(fixture_create(&read, 2, WIDTH, FIXTURE_CONFIG));
  for (int i = 0; i < 2; i++) { /* the second one reads through the first */
    memory_forget_peak();
    double before = peak();
    assert_ok(checkpoint_write(directory, &written.checkpoint));
    assert_true(peak() - before < ALLOWED);
  }
  memory_forget_peak();
  double before = peak();
  assert_ok(checkpoint_read(directory, &read.checkpoint, &found, warning));
  assert_true(peak() - before < ALLOWED);
  assert_true(found && fixture_equal(&read, &written));
  fixture_destroy(&read);
  fixture_destroy(&written);
}

static void test_any_damage_falls_back(void **state) {
  (void)state;
  unsigned char *data;
  size_t length;
  write_state(1);
  write_state(2);
  assert_ok(file_read(newest, &data, &length));
  static const size_t cuts[] = {0, 1, 8, 31, 511, 512, 513, 1000};
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    assert_ok(file_replace(newest, data, cuts[i]));
    assert_state(1, "checkpoint.h5");
    assert_ok(file_replace(newest, data, length - 1 - cuts[i]));
    assert_state(1, "going on from step 1001");
  }
  /* Every bit of magic, length and hash; then bits all over the contents. */
  for (size_t bit = 0; bit < 8 * length; bit += bit < 8 * 32 ? 1 : 8 * 61 + 5) {
    if (bit >= 8 * 32 && bit < 8 * 512) continue; /* fill bytes of the user block */
    data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    FILE *file = fopen(newest, "wb");
    assert_true(file && fwrite(data, 1, length, file) == length && fclose(file) == 0);
    assert_state(1, "checkpoint.h5");
    data[bit / 8] ^= (unsigned char)(1 << bit % 8);
  }
  assert_ok(file_replace(newest, data, length));
  assert_state(2, NULL);
  free(data);
}

static void test_foreign_files(void **state) {
  (void)state;
  Hdf5File file;
  unsigned char *data;
  size_t length;
  assert_ok(hdf5_create_image("foreign", 0, &file));
  assert_ok(hdf5_take_image(&file, &data, &length));
  hdf5_close(&file);
  write_state(1);
  write_state(2);
  assert_ok(file_replace(newest, data, length));
  assert_state(1, "is not a checkpoint of this program");
  assert_ok(file_replace(newest, "hello", 5));
  assert_state(1, "is not a checkpoint of this program");
  assert_ok(file_replace(previous, "", 0));
  assert_nothing_left(STATUS_FAILED, "checkpoint.previous.h5: the file is empty");
  assert_nothing_left(STATUS_FAILED, "checkpoint.h5: is not a checkpoint");
  assert_nothing_left(STATUS_FAILED, "remove both files");
  unlink(previous);
  assert_nothing_left(STATUS_FAILED, "remove the file to start anew");
  free(data);
}

/* The next checkpoint replaces a damaged one; it does not push out the good one before. */
static void test_damaged_one_is_not_kept(void **state) {
  (void)state;
  write_state(1);
  write_state(2);
  assert_ok(file_replace(newest, "damaged", 7));
  write_state(3);
  assert_state(3, NULL);
  unlink(newest);
  assert_state(1, NULL);
}

static void test_other_configuration(void **state) {
  (void)state;
  Fixture other;
  write_state(1);
  assert_ok(fixture_create(&other, 99, 8,
                           "experiment: image\nseed: 8\ntrain: {lr: 0.5, checkpoint_every: 3}\n"));
  assert_refused(&other, STATUS_USAGE, "checkpoint.h5 belongs to another configuration");
  assert_non_null(
      strstr(status_message(), "seed is 7 there, 8 here; train.lr is 0.001 there, 0.5 here"));
  assert_non_null(strstr(status_message(), "output="));
  assert_null(strstr(status_message(), "checkpoint_every")); /* may differ */
  fixture_destroy(&other);
}

static void test_other_shapes(void **state) {
  (void)state;
  Fixture other;
  write_state(1);
  assert_ok(fixture_create(&other, 99, 9, FIXTURE_CONFIG));
  assert_refused(&other, STATUS_FAILED,
                 "/network/layer0/weight is 8x2, the configuration needs 9x2");
  fixture_destroy(&other);
  create(&other, 99);
  other.checkpoint.n_arrays = 2;
  assert_refused(&other, STATUS_FAILED, "/state has 3 arrays, this run needs 2");
  other.checkpoint.n_arrays = 3;
  other.arrays[2].count = 1;
  assert_refused(&other, STATUS_FAILED, "/state/counters is 2, this run needs 1");
  other.arrays[2].count = 2;
  other.arrays[2].type = STATE_DOUBLE;
  assert_refused(&other, STATUS_FAILED, "/state/counters is not float64");
  other.arrays[2].type = STATE_INT64;
  other.arrays[2].name = "others";
  assert_refused(&other, STATUS_FAILED, "/state/others is missing");
  fixture_destroy(&other);
}

static void test_weights_that_are_no_numbers(void **state) {
  (void)state;
  static const real bad[] = {(real)NAN, (real)INFINITY, (real)-INFINITY};
  static const char *const expected[] = {"NaN in /network/layer2/bias",
                                         "infinity in /network/layer2/bias",
                                         "infinity in /network/layer2/bias"};
  for (size_t i = 0; i < 3; i++) {
    Fixture fixture;
    create(&fixture, 1);
    fixture.checkpoint.theta[fixture.network.linear[2].bias] = bad[i];
    assert_ok(checkpoint_write(directory, &fixture.checkpoint));
    assert_nothing_left(STATUS_FAILED, expected[i]);
    fixture_destroy(&fixture);
  }
}

static void test_without_a_network(void **state) {
  (void)state;
  Fixture fixture, read;
  bool found;
  char warning[512];
  create(&fixture, 1);
  create(&read, 2);
  fixture.checkpoint.model = read.checkpoint.model = NULL;
  assert_ok(checkpoint_write(directory, &fixture.checkpoint));
  assert_ok(checkpoint_read(directory, &read.checkpoint, &found, warning));
  assert_true(found);
  assert_memory_equal(read.moments, fixture.moments,
                      fixture.network.n_parameters * sizeof *fixture.moments);
  fixture_destroy(&fixture);
  fixture_destroy(&read);
}

static void test_missing_directory(void **state) {
  (void)state;
  Fixture fixture;
  create(&fixture, 1);
  assert_fails(checkpoint_write("/tmp/siren/no/such", &fixture.checkpoint), STATUS_FAILED,
               "/tmp/siren/no/such/checkpoint.h5.tmp: cannot create: No such file or directory");
  fixture_destroy(&fixture);
}

static int make_directory(void **state) {
  (void)state;
  if (!mkdtemp(directory)) return -1;
  newest = file_join(directory, "checkpoint.h5");
  previous = file_join(directory, "checkpoint.previous.h5");
  return 0;
}

static int remove_directory(void **state) {
  clean(state);
  free(newest);
  free(previous);
  return rmdir(directory); /* fails if anything else was left behind */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_round_trip, clean),
      cmocka_unit_test_teardown(test_equal_states_give_equal_files, clean),
      cmocka_unit_test_teardown(test_is_a_plain_hdf5_file, clean),
      cmocka_unit_test_teardown(test_arrays_of_all_sizes, clean),
      cmocka_unit_test_teardown(test_takes_little_memory, clean),
      cmocka_unit_test_teardown(test_any_damage_falls_back, clean),
      cmocka_unit_test_teardown(test_foreign_files, clean),
      cmocka_unit_test_teardown(test_damaged_one_is_not_kept, clean),
      cmocka_unit_test_teardown(test_other_configuration, clean),
      cmocka_unit_test_teardown(test_other_shapes, clean),
      cmocka_unit_test_teardown(test_weights_that_are_no_numbers, clean),
      cmocka_unit_test_teardown(test_without_a_network, clean),
      cmocka_unit_test_teardown(test_missing_directory, clean),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
