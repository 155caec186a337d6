/* Reading run files, those of other programs included: what fits is taken, what does not is refused
 * with file, data set and shapes. The files are made here, without the code that writes run files.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/encoding.h"
#include "io/file.h"
#include "io/hdf5.h"
#include "io/runfile.h"

static char directory[] = "/tmp/siren-runread-XXXXXX";
static char *path;

static void assert_ok(Status status) {
  if (status != STATUS_OK) fail_msg("%s", status_message());
}

static void assert_fails(Status status, Status expected, const char *part) {
  assert_int_equal(status, expected);
  if (!strstr(status_message(), part)) fail_msg("\"%s\" not in: %s", part, status_message());
}

/* A file of 2 coordinates, width 3, 2 channels. `change` spoils one thing. */
typedef enum {
  NOTHING,
  NO_NETWORK,
  NO_BIAS,
  WIDER,
  TRANSPOSED,
  BIAS_MATRIX,
  TOO_DEEP,
  NAN_WEIGHT,
  INFINITE,
  TEXT_WEIGHT,
  NEWER_VERSION,
} Change;

static double element(int layer, int64_t i) {
  return 0.25 * layer - 0.125 * (double)i; /* exact in float */
}

static void write_layer(const Hdf5File *file, int layer, int64_t out, int64_t in, Change change) {
  char name[64];
  double values[64];
  for (int64_t i = 0; i < out * in; i++) values[i] = element(layer, i);
  if (layer == 1 && change == NAN_WEIGHT) values[4] = (double)NAN;
  if (layer == 1 && change == INFINITE) values[4] = 1e300; /* in float */
  snprintf(name, sizeof name, "/network/layer%d/weight", layer);
  bool turned = change == TRANSPOSED && layer == 0;
  hid_t type = layer == 1 && change == TEXT_WEIGHT ? H5T_NATIVE_OPAQUE : H5T_NATIVE_DOUBLE;
  assert_ok(
      hdf5_write(file, name, type, 2, (int64_t[]){turned ? in : out, turned ? out : in}, values));
  for (int64_t i = 0; i < out; i++) values[i] = element(-layer, i);
  snprintf(name, sizeof name, "/network/layer%d/bias", layer);
  if (layer == 1 && change == NO_BIAS) return;
  assert_ok(hdf5_write(file, name, H5T_NATIVE_DOUBLE, change == BIAS_MATRIX ? 2 : 1,
                       (int64_t[]){out, 1}, values));
}

static void write_foreign(Change change) {
  Hdf5File file;
  unsigned char *data;
  size_t length;
  int64_t width = change == WIDER ? 4 : 3;
  assert_ok(hdf5_create_image(path, 0, &file));
  if (change == NEWER_VERSION) assert_ok(hdf5_set_integer(&file, "/", "format_version", 1000));
  if (change != NO_NETWORK) {
    write_layer(&file, 0, width, 2, change);
    write_layer(&file, 1, width, width, change);
    write_layer(&file, 2, change == TOO_DEEP ? width : 2, width, change);
    if (change == TOO_DEEP) write_layer(&file, 3, 2, width, change);
  }
  assert_ok(hdf5_take_image(&file, &data, &length));
  hdf5_close(&file);
  assert_ok(file_replace(path, data, length));
  free(data);
}

static Network make_network(const char *encoding) {
  NetworkSpec spec = {.in = 2,
                      .out = 2,
                      .width = 3,
                      .layers = 1,
                      .activation = activation_find("sine"),
                      .encoding = encoding_find(encoding),
                      .centres = 4,
                      .rbf_sigma = 10,
                      .omega_first = 30,
                      .omega_hidden = 30,
                      .weight_init = "official",
                      .bias_init = "torch"};
  Network network;
  assert_ok(network_create(&spec, &network));
  return network;
}

static void test_weights_of_another_program(void **state) {
  (void)state;
  Network network = make_network("none");
  real theta[64];
  write_foreign(NOTHING);
  assert_ok(runfile_read_network(path, &network, theta));
  for (int layer = 0; layer < 3; layer++) {
    const Linear *linear = &network.linear[layer];
    for (int i = 0; i < linear->out * linear->in; i++) {
      assert_true(theta[linear->weight + (size_t)i] == (real)element(layer, i));
    }
    for (int i = 0; i < linear->out; i++) {
      assert_true(theta[linear->bias + (size_t)i] == (real)element(-layer, i));
    }
  }
}

static void test_what_does_not_fit(void **state) {
  (void)state;
  static const struct {
    Change change;
    const char *message;
  } cases[] = {
      {NO_NETWORK, "run.h5: has no group /network"},
      {NO_BIAS, "run.h5: data set /network/layer1/bias is missing"},
      {WIDER, "/network/layer0/weight is 4x2, the configuration needs 3x2: set network.width="},
      {TRANSPOSED, "/network/layer0/weight is 2x3, the configuration needs 3x2"},
      {BIAS_MATRIX, "/network/layer0/bias is 3x1, the configuration needs 3:"},
      {TOO_DEEP, "has 4 linear layers, the configuration needs 3 (network.layers=1)"},
      {NAN_WEIGHT, "run.h5: NaN in /network/layer1/weight"},
      {INFINITE, "run.h5: infinity in /network/layer1/weight"},
      {TEXT_WEIGHT, "run.h5: cannot read data set /network/layer1/weight"},
      {NEWER_VERSION, "run.h5: has format version 1000"},
  };
  Network network = make_network("none");
  real theta[64];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    write_foreign(cases[i].change);
    assert_fails(runfile_read_network(path, &network, theta), STATUS_FAILED, cases[i].message);
  }
  Network rbf = make_network("rbf");
  write_foreign(NOTHING);
  assert_fails(runfile_read_network(path, &rbf, theta), STATUS_FAILED,
               "data set /network/encoding/centres is missing");
}

static void test_files_that_are_none(void **state) {
  (void)state;
  Network network = make_network("none");
  real theta[64];
  bool complete = true;
  unsigned char *data;
  size_t length;
  unlink(path);
  assert_ok(runfile_is_complete(path, &complete));
  assert_false(complete);
  assert_fails(runfile_read_network(path, &network, theta), STATUS_FAILED,
               "run.h5: cannot open: No such file or directory");
  assert_fails(runfile_read_network(directory, &network, theta), STATUS_FAILED, "Is a directory");
  assert_ok(file_replace(path, "text", 4));
  assert_fails(runfile_read_network(path, &network, theta), STATUS_FAILED, "is not an HDF5 file");
  assert_fails(runfile_is_complete(path, &complete), STATUS_FAILED, "is not an HDF5 file");
  write_foreign(NOTHING);
  assert_ok(runfile_is_complete(path, &complete));
  assert_false(complete);
  assert_ok(file_read(path, &data, &length));
  for (size_t cut = 1; cut < length; cut += 97) { /* an error, or the weights in the bytes left */
    assert_ok(file_replace(path, data, cut));
    assert_int_equal(runfile_read_network(path, &network, theta), STATUS_FAILED);
  }
  free(data);
}

/* Texts of variable length, as Python writes them; numbers of any type. */
static void test_attributes_of_another_program(void **state) {
  (void)state;
  write_foreign(NOTHING);
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t group = H5Gcreate2(file, "/config", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  hid_t scalar = H5Screate(H5S_SCALAR), text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, H5T_VARIABLE);
  H5Tset_cset(text, H5T_CSET_UTF8);
  hid_t attribute = H5Acreate2(group, "data.file", text, scalar, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, text, &(const char *){"a=b \xc3\xbc.png"}) >= 0);
  H5Aclose(attribute);
  attribute = H5Acreate2(group, "init", text, scalar, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Awrite(attribute, text, &(const char *){""}) >= 0);
  H5Aclose(attribute);
  H5Tclose(text);
  H5Sclose(scalar);
  H5Gclose(group);
  H5Fclose(file);
  int n;
  char **overrides;
  assert_ok(runfile_read_config(path, &n, &overrides));
  assert_int_equal(n, 2);
  assert_string_equal(overrides[0], "data.file=a=b \xc3\xbc.png");
  assert_string_equal(overrides[1], "init=");
  for (int i = 0; i < n; i++) free(overrides[i]);
  free(overrides);
}

static void write_group(void (*fill)(const Hdf5File *file)) {
  Hdf5File file;
  unsigned char *data;
  size_t length;
  assert_ok(hdf5_create_image(path, 0, &file));
  fill(&file);
  assert_ok(hdf5_take_image(&file, &data, &length));
  hdf5_close(&file);
  assert_ok(file_replace(path, data, length));
  free(data);
}

static void fill_config(const Hdf5File *file) {
  assert_ok(hdf5_group(file, "/config"));
  assert_ok(hdf5_set_text(file, "/config", "experiment", "image"));
  assert_ok(hdf5_set_text(file, "/config", "seed", "3"));
}

static void test_same_config(void **state) {
  (void)state;
  static const char YAML[] = "experiment: image\nseed: 4\n";
  Config *config;
  write_group(fill_config);
  assert_ok(config_parse("t.yaml", YAML, strlen(YAML), 0, NULL, &config));
  Status status = runfile_same_config(path, config);
  config_destroy(config);
  assert_fails(status, STATUS_USAGE,
               "run.h5 belongs to another configuration: seed is 3 there, 4 here");
  assert_fails(status, STATUS_USAGE, "train.lr is not set there, 0.0001 here");
}

static void fill_history(const Hdf5File *file) {
  int64_t rows = 2;
  assert_ok(hdf5_write(file, "/loss/step", H5T_NATIVE_INT, 1, &rows, (int[]){0, 7}));
  assert_ok(hdf5_write(file, "/loss/total", H5T_NATIVE_DOUBLE, 1, &rows, (double[]){2, 1}));
  assert_ok(hdf5_write(file, "/loss/a", H5T_NATIVE_FLOAT, 1, &rows, (float[]){0.5f, 0.25f}));
}

static void fill_uneven_history(const Hdf5File *file) {
  int64_t rows = 3;
  fill_history(file);
  assert_ok(hdf5_write(file, "/loss/b", H5T_NATIVE_DOUBLE, 1, &rows, (double[]){1, 2, 3}));
}

static void test_history(void **state) {
  (void)state;
  History history;
  write_group(fill_history);
  assert_ok(runfile_read_history(path, &history));
  assert_int_equal(history.rows, 2);
  assert_int_equal(history.n_columns, 2);
  assert_string_equal(history.names[0], "a");
  assert_string_equal(history.names[1], "total");
  assert_int_equal(history.step[1], 7);
  assert_true(history.values[2] == 0.25 && history.values[3] == 1);
  history_destroy(&history);
  write_group(fill_uneven_history);
  assert_fails(runfile_read_history(path, &history), STATUS_FAILED,
               "/loss/b does not have the length of /loss/step");
}

static void test_history_rows(void **state) {
  (void)state;
  History history = {.n_columns = 1};
  for (int64_t i = 0; i < 1000; i++) {
    assert_ok(history_append(&history, 2 * i, &(double){(double)i}));
  }
  history_truncate(&history, 100);
  assert_int_equal(history.rows, 50);
  assert_int_equal(history.step[49], 98);
  history_truncate(&history, 100);
  assert_int_equal(history.rows, 50);
  history_truncate(&history, 0);
  assert_int_equal(history.rows, 0);
  assert_ok(history_append(&history, 5, &(double){5}));
  assert_true(history.values[0] == 5);
  history_destroy(&history);
}

static void fill_listing(const Hdf5File *file) {
  fill_history(file);
  fill_config(file);
  assert_ok(hdf5_group(file, "/metrics"));
  assert_ok(hdf5_set_numbers(file, "/metrics", "psnr", 0, &(double){35.5}));
  assert_ok(hdf5_set_text(file, "/metrics", "psnr_units", "dB"));
  assert_ok(hdf5_write(file, "/fields/value", H5T_NATIVE_FLOAT, 3, (int64_t[]){1, 2, 3},
                       (float[]){0, 1, 2, 3, 4, 5}));
  assert_ok(hdf5_set_text(file, "/fields/value", "units", "metres"));
  assert_ok(hdf5_set_numbers(file, "/fields/value", "lower", 2, (double[]){-1, -0.5}));
}

static void test_describe(void **state) {
  (void)state;
  static const char *const expected[] = {"psnr",  "35.5 dB",   "1x2x3", "units: metres", "-1 -0.5",
                                         "total", "at step 7", "seed",  "image"};
  char *text;
  write_group(fill_listing);
  assert_ok(runfile_describe(path, &text));
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    if (!strstr(text, expected[i])) fail_msg("\"%s\" not in:\n%s", expected[i], text);
  }
  assert_null(strstr(text, "psnr_units"));
  free(text);
  unlink(path);
  assert_fails(runfile_describe(path, &text), STATUS_FAILED, "run.h5");
}

static void test_fields_that_are_none(void **state) {
  (void)state;
  Field field;
  float *values;
  write_group(fill_listing); /* without upper */
  assert_fails(runfile_read_field(path, "value", &field, &values), STATUS_FAILED,
               "attribute upper of /fields/value is missing");
  assert_fails(runfile_read_field(path, "other", &field, &values), STATUS_FAILED,
               "data set /fields/other is missing");
}

static int make_directory(void **state) {
  (void)state;
  if (!mkdtemp(directory)) return -1;
  path = file_join(directory, "run.h5");
  return 0;
}

static int remove_directory(void **state) {
  (void)state;
  unlink(path);
  free(path);
  return rmdir(directory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_weights_of_another_program),
      cmocka_unit_test(test_what_does_not_fit),
      cmocka_unit_test(test_files_that_are_none),
      cmocka_unit_test(test_attributes_of_another_program),
      cmocka_unit_test(test_same_config),
      cmocka_unit_test(test_history),
      cmocka_unit_test(test_history_rows),
      cmocka_unit_test(test_describe),
      cmocka_unit_test(test_fields_that_are_none),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
