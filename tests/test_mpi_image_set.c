/* Sets of images on several ranks: what convert writes and what other programs write, split by hash
 * on every rank alike, limited, and refused. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/image_set.h"
#include "io/dataset.h"
#include "io/hdf5.h"
#include "tests/mpi_check.h"

enum { IMAGES = 83, ROWS = 5, COLUMNS = 4, MOST = IMAGES * ROWS * COLUMNS * 3 };

static char directory[32], path[64];

/* Collective. All ranks know the name that rank 0 makes. */
static int make_directory(void **state) {
  (void)state;
  strcpy(directory, "/tmp/siren-set-XXXXXX");
  if (comm_rank(world) == 0 && !mkdtemp(directory)) directory[0] = 0;
  comm_broadcast(world, directory, sizeof directory);
  sprintf(path, "%s/set.h5", directory);
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

/* ---- Files ---- */

static uint8_t pixels[MOST];
static uint64_t hashes[IMAGES];

/* Image 7 is there twice. */
static void make_pixels(int channels) {
  size_t bytes = (size_t)(ROWS * COLUMNS * channels);
  for (size_t i = 0; i < IMAGES * bytes; i++) pixels[i] = (uint8_t)(i * i % 251 + i / bytes);
  memcpy(pixels + 40 * bytes, pixels + 7 * bytes, bytes);
  for (size_t i = 0; i < IMAGES; i++) hashes[i] = split_hash(pixels + i * bytes, bytes);
}

/* Collective. `n_hashes` of them; 0: none. */
static void write_set(const char *kind, SampleType type, int channels, int64_t n_hashes) {
  DatasetInfo info = {.kind = "",
                      .axes = "image,row,column",
                      .n_axes = 3,
                      .size = {0, ROWS, COLUMNS},
                      .components = channels,
                      .type = type};
  Status status = STATUS_OK;
  static float numbers[MOST];
  strcpy(info.kind, kind);
  if (comm_rank(world) == 0) {
    DatasetWriter *writer = NULL;
    status = dataset_create(path, &info, &writer);
    const void *samples = type == SAMPLE_U8 ? (void *)pixels : numbers;
    if (status == STATUS_OK) status = dataset_append(writer, IMAGES, samples);
    if (status == STATUS_OK && n_hashes) status = dataset_add_hashes(writer, n_hashes, hashes);
    status = dataset_finish(writer, status);
  }
  assert_all(comm_agree(world, status) == STATUS_OK);
}

/* Collective. Another program's file: numbers and nothing else. */
static void write_foreign(int rank, const int64_t *size) {
  Status status = STATUS_OK;
  if (comm_rank(world) == 0) {
    Hdf5File file = {.writer = true, .path = path};
    file.file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    status = hdf5_write(&file, "/some/images", H5T_NATIVE_UINT8, rank, size, pixels);
    H5Fclose(file.file);
  }
  assert_all(comm_agree(world, status) == STATUS_OK);
}

/* ---- What is expected ---- */

/* Every image is in its split, in the file's order, up to the limit. */
static bool is_right(const ImageSet *set, int channels, int64_t limit) {
  int64_t n[SPLITS] = {0}, bytes = ROWS * COLUMNS * channels;
  bool right = set->rows == ROWS && set->columns == COLUMNS && set->channels == channels;
  right &= image_set_bytes(set) == bytes;
  for (int64_t i = 0; i < IMAGES; i++) {
    Split split = split_of(hashes[i]);
    if (limit && n[split] == limit) continue;
    right &= n[split] < set->n[split] &&
             !memcmp(image_set_image(set, split, n[split]), pixels + i * bytes, (size_t)bytes);
    n[split]++;
  }
  for (int s = 0; s < SPLITS; s++) right &= n[s] > 0 && n[s] == set->n[s];
  return right;
}

/* Collective. */
static void expect_set(int channels, int64_t limit) {
  ImageSet set;
  assert_all(image_set_create(world, path, "", limit, &set) == STATUS_OK);
  assert_all(is_right(&set, channels, limit));
  image_set_destroy(&set);
  assert_all(!set.pixels && !set.n[0]);
}

/* Collective. */
static void expect_refusal(const char *dataset, const char *words) {
  ImageSet set;
  assert_all(image_set_create(world, path, dataset, 0, &set) == STATUS_FAILED);
  assert_all(strstr(status_message(), path));
  assert_all(strstr(status_message(), words));
  assert_all(!strchr(status_message(), '\n'));
  image_set_destroy(&set);
}

/* ---- Tests ---- */

static void test_converted_sets(void **state) {
  (void)state;
  for (int channels = 1; channels <= 3; channels += 2) {
    make_pixels(channels);
    write_set("images", SAMPLE_U8, channels, IMAGES);
    expect_set(channels, 0);
    expect_set(channels, 5);
    expect_set(channels, 1);
    expect_set(channels, 1000);
  }
  assert_all(hashes[7] == hashes[40]);
}

static void test_other_programs_sets(void **state) {
  (void)state;
  make_pixels(3);
  write_foreign(4, (int64_t[]){IMAGES, ROWS, COLUMNS, 3});
  expect_set(3, 0);
  make_pixels(1);
  write_foreign(3, (int64_t[]){IMAGES, ROWS, COLUMNS});
  expect_set(1, 0);
  expect_set(1, 3);
  write_set("images", SAMPLE_U8, 1, 0); /* no hashes */
  expect_set(1, 0);
  ImageSet set;
  assert_all(image_set_create(world, path, "/data", 0, &set) == STATUS_OK);
  image_set_destroy(&set);
}

/* Every node has its own copy. */
static void test_nodes(void **state) {
  (void)state;
  make_pixels(3);
  write_set("images", SAMPLE_U8, 3, IMAGES);
  setenv("SIREN_RANKS_PER_NODE", "2", 1);
  expect_set(3, 0);
  unsetenv("SIREN_RANKS_PER_NODE");
}

static void test_built_in(void **state) {
  (void)state;
  ImageSet set;
  uint64_t sum = 0;
  assert_all(image_set_create(world, "", "", 0, &set) == STATUS_OK);
  assert_all(set.rows == 28 && set.columns == 28 && set.channels == 1);
  assert_all(set.n[0] + set.n[1] + set.n[2] == 256);
  assert_all(set.n[0] > 190 && set.n[1] > 10 && set.n[2] > 10);
  for (int i = 0; i < 256 * 28 * 28; i++) sum += set.pixels[i];
  assert_all(sum == 14981551);
  image_set_destroy(&set);
}

static void test_refusals(void **state) {
  (void)state;
  make_pixels(1);
  write_set("video", SAMPLE_U8, 1, 0);
  expect_refusal("", "of kind video, not a set of images");
  write_set("images", SAMPLE_F32, 1, 0);
  expect_refusal("", "real or signed numbers; images of a set have bytes");
  write_set("images", SAMPLE_U8, 2, 0);
  expect_refusal("", "2 components a pixel");
  write_set("images", SAMPLE_U8, 1, IMAGES - 1);
  expect_refusal("", "/hash is not a list of 83");
  expect_refusal("/more", "has no data set /more");
  hashes[60] ^= 1;
  write_set("images", SAMPLE_U8, 1, IMAGES);
  expect_refusal("", "/hash of image 60 is not");
  for (int i = 0; i < IMAGES; i++) hashes[i] = i % 2 ? 0 : UINT64_MAX; /* train and test */
  write_set("images", SAMPLE_U8, 1, IMAGES);
  expect_refusal("", "none of its 83 images is for validation");
  write_foreign(3, (int64_t[]){1, ROWS, COLUMNS});
  expect_refusal("", "none of its 1 images is for ");
  write_foreign(2, (int64_t[]){ROWS, COLUMNS});
  expect_refusal("/some/images", "a set of images has 3 axes");
  write_foreign(4, (int64_t[]){2, 3, ROWS, COLUMNS});
  expect_refusal("", "4 components a pixel");
}

/* Collective. The first `length` bytes of the file; -1: none of it. */
static void cut_file(long length) {
  comm_barrier(world);
  if (comm_rank(world) == 0)
    assert_int_equal(length < 0 ? unlink(path) : truncate(path, length), 0);
  comm_barrier(world);
}

static void test_damaged_files(void **state) {
  (void)state;
  make_pixels(3);
  write_set("images", SAMPLE_U8, 3, IMAGES);
  cut_file(4000);
  expect_refusal("", "");
  if (comm_rank(world) == 0) {
    FILE *file = fopen(path, "w");
    fputs("no HDF5", file);
    fclose(file);
  }
  comm_barrier(world);
  expect_refusal("", "SET.h5` makes a set of images");
  cut_file(-1);
  expect_refusal("", "No such file");
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_converted_sets), cmocka_unit_test(test_other_programs_sets),
      cmocka_unit_test(test_nodes),          cmocka_unit_test(test_built_in),
      cmocka_unit_test(test_refusals),       cmocka_unit_test(test_damaged_files),
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
