/* Data sets: what is written is read, whole, in parts and with strides; what other programs write;
 * what is refused, in one line that helps; and damaged files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/dataset.h"
#include "io/file.h"
#include "io/hdf5.h"
#include "tests/sample_media.h"

static char directory[] = "/tmp/siren-dataset-XXXXXX";
static char path[64], temporary[72];
static const DatasetWish volume = {3, 4, "a volume"}, image = {2, 2, "an image"},
                         video = {3, 3, "a video"}, sound = {1, 1, "a sound"};

static void ok(Status status) {
  if (status != STATUS_OK) fail_msg("%s", status_message());
}

/* ---- What is written is read ---- */

static void write_video(SampleType type, int64_t steps, int64_t height, int64_t width,
                        int components, const void *samples) {
  DatasetInfo info = {.kind = "video",
                      .axes = "time,row,column",
                      .units = "1",
                      .description = "a test",
                      .n_axes = 3,
                      .size = {0, height, width},
                      .components = components,
                      .type = type,
                      .rate = 29.97,
                      .placed = true,
                      .lower = {0, -1, -2},
                      .upper = {3, 1, 2}};
  DatasetWriter *writer;
  size_t step = sample_bytes(type) * (size_t)(height * width * components);
  ok(dataset_create(path, &info, &writer));
  assert_true(file_exists(temporary));
  for (int64_t i = 0; i < steps; i += 2) { /* pairs, and one left over */
    int64_t n = steps - i < 2 ? steps - i : 2;
    ok(dataset_append(writer, n, (const char *)samples + (size_t)i * step));
  }
  ok(dataset_finish(writer, STATUS_OK));
  assert_false(file_exists(temporary));
}

static void check_parts(Dataset *dataset, int components, const unsigned char *samples,
                        size_t bytes) {
  enum { STEPS = 5, H = 7, W = 9 };
  const int64_t first[3] = {1, 2, 0}, count[3] = {2, 2, 3}, stride[3] = {2, 3, 4};
  const int64_t start[3] = {0}, all[3] = {STEPS, H, W};
  unsigned char *read = calloc((size_t)STEPS * H * W * (size_t)components, bytes);
  ok(dataset_read(dataset, start, all, NULL, read));
  size_t sample = bytes * (size_t)components;
  assert_memory_equal(read, samples, sample * STEPS * H * W);
  for (int s = 0; s < 2; s++) {
    ok(dataset_read(dataset, first, count, s ? stride : NULL, read));
    for (int64_t i = 0, n = 0; i < count[0]; i++) {
      for (int64_t j = 0; j < count[1]; j++) {
        for (int64_t k = 0; k < count[2]; k++, n++) {
          int64_t t = first[0] + i * (s ? stride[0] : 1), row = first[1] + j * (s ? stride[1] : 1);
          int64_t at = (t * H + row) * W + first[2] + k * (s ? stride[2] : 1);
          assert_memory_equal(read + sample * (size_t)n, samples + sample * (size_t)at, sample);
        }
      }
    }
  }
  free(read);
}

static void test_round_trip(void **state) {
  (void)state;
  for (int t = 0; t < SAMPLE_TYPES; t++) {
    for (int components = 1; components <= 3; components += 2) {
      size_t bytes = sample_bytes((SampleType)t);
      unsigned char samples[5 * 7 * 9 * 3 * 4];
      for (size_t i = 0; i < sizeof samples; i++) samples[i] = (unsigned char)(i * i % 251 % 120);
      write_video((SampleType)t, 5, 7, 9, components, samples);
      Dataset *dataset;
      ok(dataset_open(path, "", &video, &dataset));
      const DatasetInfo *info = dataset_info(dataset);
      assert_string_equal(info->kind, "video");
      assert_string_equal(info->axes, "time,row,column");
      assert_string_equal(info->units, "1");
      assert_string_equal(info->description, "a test");
      assert_int_equal(info->n_axes, 3);
      assert_int_equal(info->size[0] * 100 + info->size[1] * 10 + info->size[2], 579);
      assert_int_equal(info->components, components);
      assert_int_equal(info->type, t);
      assert_int_equal(info->stored_bytes, bytes);
      assert_true(info->rate == 29.97 && info->placed);
      assert_true(info->lower[2] == -2 && info->upper[0] == 3);
      check_parts(dataset, components, samples, bytes);
      dataset_close(dataset);
    }
  }
}

/* Frames of more than a chunk, and equal bytes from equal samples. */
static void test_large_frames(void **state) {
  (void)state;
  enum { H = 600, W = 700, BYTES = 3 * H * W * 3 };
  uint8_t *samples = malloc(BYTES), *read = malloc(BYTES);
  unsigned char *file[2];
  size_t length[2];
  for (int i = 0; i < BYTES; i++) samples[i] = (uint8_t)(i * 7 + i / 1000);
  for (int i = 0; i < 2; i++) {
    write_video(SAMPLE_U8, 3, H, W, 3, samples);
    ok(file_read(path, &file[i], &length[i]));
  }
  assert_int_equal(length[0], length[1]);
  assert_memory_equal(file[0], file[1], length[0]);
  Dataset *dataset;
  ok(dataset_open(path, "/data", &video, &dataset));
  ok(dataset_read(dataset, (int64_t[]){0, 0, 0}, (int64_t[]){3, H, W}, NULL, read));
  assert_memory_equal(read, samples, BYTES);
  dataset_close(dataset);
  free(file[0]);
  free(file[1]);
  free(samples);
  free(read);
}

static void test_given_up(void **state) {
  (void)state;
  DatasetInfo info = {.kind = "audio", .axes = "time", .n_axes = 1, .components = 1};
  DatasetWriter *writer;
  ok(file_replace(path, "old", 3));
  ok(dataset_create(path, &info, &writer));
  ok(dataset_append(writer, 3, "abc"));
  status_fail(STATUS_FAILED, "no more");
  assert_int_equal(dataset_finish(writer, STATUS_FAILED), STATUS_FAILED);
  assert_string_equal(status_message(), "no more");
  assert_false(file_exists(temporary));
  unsigned char *data;
  size_t length;
  ok(file_read(path, &data, &length));
  assert_string_equal((char *)data, "old");
  free(data);
  assert_int_equal(dataset_finish(NULL, STATUS_FAILED), STATUS_FAILED);
  assert_int_equal(dataset_create("/tmp/siren-none/a.h5", &info, &writer), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "/tmp/siren-none/a.h5.tmp: cannot create: No such"));
}

/* Frames of noise, each a chunk, until the disk is full. */
static Status write_noise(int frames) {
  enum { H = 128, W = 512 };
  const DatasetInfo info = {.kind = "video",
                            .axes = "time,row,column",
                            .n_axes = 3,
                            .size = {0, H, W},
                            .components = 3,
                            .type = SAMPLE_F32};
  static float frame[H * W * 3];
  uint64_t random = 1;
  DatasetWriter *writer;
  TRY(dataset_create(path, &info, &writer));
  Status status = STATUS_OK;
  for (int i = 0; status == STATUS_OK && i < frames; i++) {
    for (int k = 0; k < H * W * 3; k++) frame[k] = (float)next_random(&random);
    status = dataset_append(writer, 1, frame);
  }
  return dataset_finish(writer, status);
}

/* HDF5 keeps what it could not write, but what it does about that in the end is no crash. */
static void test_full_disk(void **state) {
  (void)state;
  enum { FRAMES = 3 };
  ok(write_noise(FRAMES));
  unsigned char *data;
  size_t length;
  ok(file_read(path, &data, &length));
  free(data);
  unlink(path);
  const long limits[] = {0, 10, 100, (long)length / 2, (long)length - 1};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    limit_files(limits[i]);
    Status status = write_noise(FRAMES);
    limit_files(-1);
    assert_failure(status, path);
    assert_message(strerror(EFBIG));
    assert_false(file_exists(path) || file_exists(temporary));
  }
  ok(write_noise(FRAMES));
}

/* ---- Files of other programs ---- */

typedef void Builder(const Hdf5File *file);

/* A file of these data sets, at `path`. */
static void build(Builder *builder) {
  Hdf5File file;
  unsigned char *data;
  size_t length;
  ok(hdf5_create_image(path, 0, &file));
  builder(&file);
  ok(hdf5_take_image(&file, &data, &length));
  hdf5_close(&file);
  ok(file_replace(path, data, length));
  free(data);
}

static void add(const Hdf5File *file, const char *name, hid_t type, int rank, const int64_t *size) {
  hid_t properties = hdf5_dataset_properties();
  ok(hdf5_create(file, name, type, rank, size, properties));
  H5Pclose(properties);
}

static const int64_t sizes[] = {2, 3, 4, 5, 6};

static void all_types(const Hdf5File *file) {
  const double numbers[6] = {-1.5, 0, 1, 2.25, 100, 65535};
  const int32_t integers[6] = {-7, 0, 1, 255, 256, 1 << 20};
  const uint16_t words[6] = {0, 1, 255, 256, 1000, 65535};
  const int8_t bytes[6] = {-128, -1, 0, 1, 2, 127};
  ok(hdf5_write(file, "/f64", H5T_NATIVE_DOUBLE, 2, sizes, numbers));
  ok(hdf5_write(file, "/i32", H5T_NATIVE_INT32, 2, sizes, integers));
  ok(hdf5_write(file, "/u16", H5T_NATIVE_UINT16, 2, sizes, words));
  ok(hdf5_write(file, "/deep/er/i8", H5T_NATIVE_INT8, 2, sizes, bytes));
  add(file, "/big", H5T_STD_U16BE, 2, sizes);
}

static void check_type(const char *name, SampleType type, int bytes, const float *values) {
  Dataset *dataset;
  ok(dataset_open(path, name, &image, &dataset));
  const DatasetInfo *info = dataset_info(dataset);
  assert_int_equal(info->type, type);
  assert_int_equal(info->stored_bytes, bytes);
  assert_int_equal(info->components, 1);
  assert_true(!*info->kind && !*info->axes && !*info->units && info->rate == 0 && !info->placed);
  float samples[6] = {0};
  ok(dataset_read(dataset, (int64_t[]){0, 0}, sizes, NULL, samples));
  for (int i = 0; i < 6; i++) {
    assert_true(sample_get(type, samples, i) == values[i]);
  }
  dataset_close(dataset);
}

static void test_types(void **state) {
  (void)state;
  build(all_types);
  check_type("/f64", SAMPLE_F32, 8, (float[]){-1.5f, 0, 1, 2.25f, 100, 65535});
  check_type("i32", SAMPLE_F32, 4, (float[]){-7, 0, 1, 255, 256, 1 << 20});
  check_type("/u16", SAMPLE_U16, 2, (float[]){0, 1, 255, 256, 1000, 65535});
  check_type("deep/er/i8", SAMPLE_F32, 1, (float[]){-128, -1, 0, 1, 2, 127});
  check_type("/big", SAMPLE_U16, 2, (float[]){0, 0, 0, 0, 0, 0});
}

/* The shape that a wish makes of a data set; components come last. */
static void check_shape(const char *name, const DatasetWish *wish, int n_axes, int components) {
  Dataset *dataset;
  ok(dataset_open(path, name, wish, &dataset));
  const DatasetInfo *info = dataset_info(dataset);
  assert_int_equal(info->n_axes, n_axes);
  assert_int_equal(info->components, components);
  for (int i = 0; i < n_axes; i++) assert_int_equal(info->size[i], sizes[i]);
  dataset_close(dataset);
}

static void refused(const char *name, const DatasetWish *wish, const char *message) {
  Dataset *dataset = NULL;
  char whole[600];
  snprintf(whole, sizeof whole, "%s: %s", path, message);
  assert_int_equal(dataset_open(path, name, wish, &dataset), STATUS_FAILED);
  assert_string_equal(status_message(), whole);
  assert_null(dataset);
}

static void ranks(const Hdf5File *file) {
  static const char *const names[] = {"/rank0", "/rank1", "/rank2", "/rank3", "/rank4", "/rank5"};
  for (int i = 0; i < 6; i++) add(file, names[i], H5T_NATIVE_FLOAT, i, sizes);
  add(file, "/named", H5T_NATIVE_FLOAT, 4, sizes);
  ok(hdf5_set_text(file, "/named", "axes", "x,y,z"));
  add(file, "/named4", H5T_NATIVE_FLOAT, 4, sizes);
  ok(hdf5_set_text(file, "/named4", "axes", "time,x,y,z"));
  add(file, "/odd", H5T_NATIVE_FLOAT, 4, sizes);
  ok(hdf5_set_text(file, "/odd", "axes", "latitude"));
  ok(hdf5_set_text(file, "/odd", "rate", "fast"));
  ok(hdf5_set_numbers(file, "/odd", "lower", 2, (double[]){0, 1}));
  ok(hdf5_set_numbers(file, "/odd", "upper", 4, (double[]){0, 1, 2, 3}));
}

static void test_ranks(void **state) {
  (void)state;
  build(ranks);
  check_shape("/rank3", &volume, 3, 1);
  check_shape("/rank4", &volume, 4, 1);
  check_shape("/rank5", &volume, 4, 6);
  check_shape("/rank4", &video, 3, 5);
  check_shape("/rank1", &sound, 1, 1);
  check_shape("/rank2", &sound, 1, 3);
  check_shape("/named", &volume, 3, 5);
  check_shape("/named4", &volume, 4, 1);
  check_shape("/odd", &volume, 4, 1); /* what is not understood counts as absent */
  refused("/rank2", &volume,
          "/rank2 has the shape 2x3; a volume has 3 or 4 axes, and maybe components");
  refused("/rank0", &sound,
          "/rank0 has the shape scalar; a sound has 1 axis, and maybe components");
  refused("/rank5", &video,
          "/rank5 has the shape 2x3x4x5x6; a video has 3 axes, and maybe components");
  refused("/named", &image,
          "/named has the shape 2x3x4x5; an image has 2 axes, and maybe components");
  refused("/named4", &video,
          "/named4 has the shape 2x3x4x5; a video has 3 axes, and maybe components");
  refused("", &volume,
          "say which data set is a volume: /named (2x3x4x5), /named4 (2x3x4x5), /odd (2x3x4x5), "
          "/rank3 (2x3x4), /rank4 (2x3x4x5), /rank5 (2x3x4x5x6)");
}

static void awkward(const Hdf5File *file) {
  hid_t text = H5Tcopy(H5T_C_S1), pair = H5Tcreate(H5T_COMPOUND, 8);
  hid_t truth = H5Tenum_create(H5T_NATIVE_INT8);
  H5Tset_size(text, 5);
  H5Tinsert(pair, "re", 0, H5T_NATIVE_FLOAT);
  H5Tinsert(pair, "im", 4, H5T_NATIVE_FLOAT);
  H5Tenum_insert(truth, "TRUE", &(int8_t){1});
  add(file, "/text", text, 3, sizes);
  add(file, "/pairs", pair, 3, sizes);
  add(file, "/truth", truth, 3, sizes);
  add(file, "/hollow", H5T_NATIVE_FLOAT, 3, (int64_t[]){4, 0, 3});
  add(file, "/line", H5T_NATIVE_FLOAT, 1, sizes);
  H5Tclose(text);
  H5Tclose(pair);
  H5Tclose(truth);
}

static void one_volume(const Hdf5File *file) {
  awkward(file);
  add(file, "/data/inner", H5T_NATIVE_FLOAT, 3, sizes); /* /data is a group here */
}

static void nothing(const Hdf5File *file) {
  ok(hdf5_group(file, "/empty/group"));
}

static void only_line(const Hdf5File *file) {
  add(file, "/line", H5T_NATIVE_FLOAT, 1, sizes);
}

static void data_and_more(const Hdf5File *file) {
  add(file, "/another", H5T_NATIVE_FLOAT, 3, sizes);
  add(file, "/data", H5T_NATIVE_FLOAT, 3, sizes);
}

static void test_choice(void **state) {
  (void)state;
  build(one_volume);
  check_shape("", &volume, 3, 1);
  build(data_and_more);
  check_shape("", &volume, 3, 1);
  build(nothing);
  refused("", &volume, "holds no data sets");
  refused("/a", &volume, "has no data set /a; it has none");
  refused("/empty", &volume, "has no data set /empty; it has none");
  build(only_line);
  refused("", &volume, "/line has the shape 2; a volume has 3 or 4 axes, and maybe components");
  refused("/density", &volume, "has no data set /density; it has /line (2)");
}

static void test_refusals(void **state) {
  (void)state;
  build(awkward);
  refused("/text", &volume, "/text holds text; a volume is made of numbers");
  refused("/pairs", &volume, "/pairs holds compound values; a volume is made of numbers");
  refused("/truth", &volume,
          "/truth holds enumerated values (truth values, perhaps); a volume is made of numbers");
  refused("/hollow", &volume, "/hollow is empty: it has the shape 4x0x3");
  refused("", &volume,
          "no data set in it can be a volume: /hollow (4x0x3), /line (2), /pairs (2x3x4), "
          "/text (2x3x4), /truth (2x3x4)");
  unlink(path);
  refused("", &volume, "cannot open: No such file or directory");
  ok(file_replace(path, "", 0));
  refused("", &volume, "is not an HDF5 file, or an incomplete one");
  ok(file_replace(path, "not HDF5 at all", 15));
  refused("", &volume, "is not an HDF5 file, or an incomplete one");
}

/* ---- Damaged files ---- */

/* Without waiting for the disk. */
static void put(const unsigned char *data, size_t length) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

/* Opens and reads it all; what cannot be read is one line that names the file. */
static Status try_file(void) {
  Dataset *dataset = NULL;
  Status status = dataset_open(path, "", &video, &dataset);
  if (status == STATUS_OK) {
    const DatasetInfo *info = dataset_info(dataset);
    double bytes = (double)info->components * 4;
    for (int i = 0; i < 3; i++) bytes *= (double)info->size[i];
    if (bytes < 1e6) {
      void *samples = malloc((size_t)bytes);
      status = dataset_read(dataset, (int64_t[]){0, 0, 0}, info->size, NULL, samples);
      free(samples);
    }
  }
  dataset_close(dataset);
  if (status != STATUS_OK) {
    assert_int_equal(strncmp(status_message(), path, strlen(path)), 0);
    assert_null(strchr(status_message(), '\n'));
  }
  return status;
}

static unsigned char *sample_file(size_t *length) {
  uint8_t samples[4 * 10 * 10 * 3];
  unsigned char *data;
  for (size_t i = 0; i < sizeof samples; i++) samples[i] = (uint8_t)(i * i % 253);
  write_video(SAMPLE_U8, 4, 10, 10, 3, samples);
  ok(try_file());
  ok(file_read(path, &data, length));
  return data;
}

static void test_truncated(void **state) {
  (void)state;
  size_t length;
  unsigned char *data = sample_file(&length);
  for (size_t n = 0; n < length; n += n < 1000 ? 1 : 37) {
    put(data, n);
    assert_int_equal(try_file(), STATUS_FAILED);
  }
  free(data);
}

/* One changed byte of the samples is found by their checksum. */
static void test_changed_samples(void **state) {
  (void)state;
  size_t length, changed = 0;
  unsigned char *data = sample_file(&length);
  size_t at = 0; /* zlib's header at level 4 */
  while (at + 1 < length && (data[at] != 0x78 || data[at + 1] != 0x5e)) at++;
  assert_true(at + 500 < length);
  for (size_t i = at; i < at + 500; i += 7, changed++) {
    data[i] ^= 1;
    put(data, length);
    assert_int_equal(try_file(), STATUS_FAILED);
    data[i] ^= 1;
  }
  assert_in_range(changed, 50, 100);
  free(data);
}

static int begin(void **state) {
  (void)state;
  if (!mkdtemp(directory)) return -1;
  snprintf(path, sizeof path, "%s/a.h5", directory);
  snprintf(temporary, sizeof temporary, "%s.tmp", path);
  return 0;
}

static int end(void **state) {
  (void)state;
  unlink(path);
  return rmdir(directory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip), cmocka_unit_test(test_large_frames),
      cmocka_unit_test(test_given_up),   cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_types),      cmocka_unit_test(test_ranks),
      cmocka_unit_test(test_choice),     cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_truncated),  cmocka_unit_test(test_changed_samples),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
