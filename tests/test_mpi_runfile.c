/* The run file, written by one to four ranks: the same values whoever writes them, agreed errors,
 * nothing left behind. What is read is compared with formulas, by every rank alike: a failed check
 * fails on all of them, and nobody waits. */
#include <dirent.h>
#include <math.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "core/encoding.h"
#include "io/file.h"
#include "io/hdf5.h"
#include "io/runfile.h"
#include "mpi/comm.h"
#include "tests/mpi_check.h"

static char directory[64];

static char *path_of(const char *name) {
  return file_join(directory, name);
}

static void assert_ok(Status status) {
  if (status != STATUS_OK) fail_msg("%s", status_message());
}

static Network make_network(int in, const char *activation, const char *encoding) {
  NetworkSpec spec = {.in = in,
                      .out = 2,
                      .width = 5,
                      .layers = 1,
                      .activation = activation_find(activation),
                      .encoding = encoding_find(encoding),
                      .frequencies = 3,
                      .centres = 4,
                      .rbf_sigma = 10,
                      .omega_first = 30,
                      .omega_hidden = 20,
                      .weight_init = "official",
                      .bias_init = "torch"};
  Network network;
  assert_ok(network_create(&spec, &network));
  return network;
}

static Config *make_config(void) {
  static const char YAML[] = "experiment: image\nseed: 7\ntrain: {lr: 0.001}\n";
  Config *config;
  assert_ok(config_parse("test.yaml", YAML, strlen(YAML), 0, NULL, &config));
  return config;
}

static float wave(int64_t i) {
  return sinf(0.01f * (float)i) + (float)(i % 97) / 256;
}

/* Rows of axis 0 in uneven shares; some ranks have none. */
static void share(int64_t rows, int64_t *first, int64_t *count) {
  int rank = comm_rank(world), size = comm_size(world);
  *first = rows * rank * rank / (size * size);
  *count = rows * (rank + 1) * (rank + 1) / (size * size) - *first;
}

static void write_field(RunFile *file, const Field *field) {
  int64_t first, count, row = field->components;
  for (int i = 1; i < field->n_axes; i++) row *= field->size[i];
  assert_ok(runfile_field(file, field));
  share(field->size[0], &first, &count);
  float *values = malloc((size_t)(count * row + 1) * sizeof *values);
  for (int64_t i = 0; i < count * row; i++) values[i] = wave(first * row + i);
  /* In two calls, the second with nothing on even ranks. */
  int64_t early = comm_rank(world) % 2 ? count / 2 : count;
  assert_ok(runfile_slab(file, field->name, first, early, values));
  assert_ok(runfile_slab(file, field->name, first + early, count - early, values + early * row));
  free(values);
}

static const Field fields[] = {
    {"value", "the image", "1", "row,column", 2, {301, 517}, {-1, -0.5}, {1, 0.5}, 3},
    {"laplacian", "", "1/m2", "row,column", 2, {64, 33}, {-1, -1}, {1, 1}, 1},
    {"sound", "a line", "", "time", 1, {1000}, {-100}, {100}, 1},
    {"video", "", "", "time,row,column", 3, {3, 7, 5}, {0, 0, 0}, {1, 1, 1}, 3},
    {"empty", "", "", "row", 1, {0}, {0}, {0}, 1},
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

static History make_history(int64_t rows) {
  static const char *names[] = {"total", "value", "a_gradient"};
  History history = {.n_columns = 3, .names = names};
  for (int64_t i = 0; i < rows; i++) {
    assert_ok(history_append(&history, 10 * i, (double[]){1.0 / (double)(i + 3), -1, (double)i}));
  }
  return history;
}

static Status write_network(RunFile *file, const Network *network, const real *theta) {
  Model model = model_of_network(network);
  return runfile_model(file, &model, theta);
}

static void write_run(const char *path, const Network *network, const real *theta) {
  RunFile *file;
  Config *config = make_config();
  History history = make_history(150);
  char host[64];
  snprintf(host, sizeof host, "node%0*d", 1 + comm_rank(world), comm_rank(world));
  assert_ok(runfile_create(world, path, &file));
  assert_ok(runfile_config(file, config));
  assert_ok(
      runfile_provenance(file, 2, (TextAttribute[]){{"version", "1.2 \xc3\xbc"}, {"host", host}}));
  assert_ok(write_network(file, network, theta));
  assert_ok(runfile_history(file, &history));
  for (int i = 0; i < N_FIELDS; i++) write_field(file, &fields[i]);
  assert_ok(runfile_metric(file, "psnr", 35.5, "dB"));
  assert_ok(runfile_metric(file, "nothing", NAN, ""));
  assert_ok(runfile_close(file, true));
  history_destroy(&history);
  config_destroy(config);
}

static void check_field(const char *path, const Field *expected) {
  Field field;
  float *values;
  assert_ok(runfile_read_field(path, expected->name, &field, &values));
  assert_string_equal(field.name, expected->name);
  assert_string_equal(field.description, expected->description);
  assert_string_equal(field.units, expected->units);
  assert_string_equal(field.axes, expected->axes);
  assert_int_equal(field.n_axes, expected->n_axes);
  assert_int_equal(field.components, expected->components);
  int64_t n = field.components;
  for (int i = 0; i < field.n_axes; i++) {
    assert_int_equal(field.size[i], expected->size[i]);
    assert_true(field.lower[i] == expected->lower[i] && field.upper[i] == expected->upper[i]);
    n *= field.size[i];
  }
  for (int64_t i = 0; i < n; i++) {
    if (values[i] != wave(i)) fail_msg("%s[%ld] is %g", field.name, (long)i, (double)values[i]);
  }
  free(values);
}

static void check_history(const char *path) {
  History history;
  assert_ok(runfile_read_history(path, &history));
  assert_int_equal(history.rows, 150);
  assert_int_equal(history.n_columns, 3);
  assert_string_equal(history.names[0], "total");
  assert_string_equal(history.names[2], "a_gradient");
  assert_int_equal(history.step[149], 1490);
  assert_true(history.values[149 * 3] == 1.0 / 152 && history.values[149 * 3 + 2] == 149);
  history_destroy(&history);
}

static void check_run(const char *path, const Network *network, const real *theta) {
  bool complete = false;
  assert_ok(runfile_is_complete(path, &complete));
  assert_true(complete);
  for (int i = 0; i < N_FIELDS; i++) check_field(path, &fields[i]);
  check_history(path);
  real *read = calloc(network->n_parameters, sizeof *read);
  assert_ok(runfile_read_network(path, network, read));
  assert_memory_equal(read, theta, network->n_parameters * sizeof *read);
  free(read);
  Hdf5File file;
  char *host;
  double psnr;
  assert_ok(hdf5_open(path, &file));
  assert_ok(hdf5_get_text(&file, "/provenance", "host", &host));
  assert_string_equal(host, "node0"); /* rank 0's */
  assert_ok(hdf5_get_numbers(&file, "/metrics", "psnr", 1, &psnr));
  assert_true(psnr == 35.5);
  hdf5_close(&file);
  free(host);
}

static void test_everything_comes_back(void **state) {
  (void)state;
  char *path = path_of("run.h5"), *temporary = path_of("run.h5.tmp");
  Network network = make_network(1, "sine", "none");
  real *theta = malloc(network.n_parameters * sizeof *theta);
  network_init(&network, 3, theta);
  write_run(path, &network, theta);
  write_run(path, &network, theta); /* over an old one */
  check_run(path, &network, theta);
  assert_false(file_exists(temporary));
  comm_barrier(world);
  free(theta);
  free(temporary);
  free(path);
}

/* A bit that is not as it was written does not pass for a value. */
static void check_damage(const char *path) {
  comm_barrier(world);
  if (comm_rank(world) == 0) {
    FILE *file = fopen(path, "r+b");
    fseek(file, 0, SEEK_END);
    long middle = ftell(file) / 2;
    fseek(file, middle, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, middle, SEEK_SET);
    fputc(byte ^ 16, file);
    fclose(file);
  }
  comm_barrier(world);
  Field field;
  float *values;
  assert_int_equal(runfile_read_field(path, "wide", &field, &values), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "/fields/wide"));
  comm_barrier(world);
}

/* Chunks are compressed, checked, and neither huge nor tiny. */
static void test_chunks(void **state) {
  (void)state;
  char *path = path_of("chunks.h5");
  RunFile *file;
  Field wide = {"wide", "", "", "row,column", 2, {3, 900000}, {0, 0}, {1, 1}, 1};
  assert_ok(runfile_create(world, path, &file));
  write_field(file, &wide);
  assert_ok(runfile_close(file, true));
  Hdf5File hdf5;
  hsize_t chunk[2];
  check_field(path, &wide);
  assert_ok(hdf5_open(path, &hdf5));
  hid_t set = H5Dopen2(hdf5.file, "/fields/wide", H5P_DEFAULT);
  hid_t properties = H5Dget_create_plist(set);
  assert_int_equal(H5Pget_chunk(properties, 2, chunk), 2);
  assert_in_range(chunk[0] * chunk[1] * 4, 64 << 10, 1 << 20);
  assert_int_equal(H5Pget_nfilters(properties), 3);
  H5Pclose(properties);
  H5Dclose(set);
  hdf5_close(&hdf5);
  check_damage(path);
  free(path);
}

static void test_encodings(void **state) {
  (void)state;
  char *path = path_of("encodings.h5");
  static const char *const encodings[] = {"none", "positional", "rbf"};
  for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
    RunFile *file;
    Network network = make_network(2, "relu", encodings[i]);
    real *theta = malloc(network.n_parameters * sizeof *theta);
    real *read = calloc(network.n_parameters, sizeof *read);
    network_init(&network, 3, theta);
    assert_ok(runfile_create(world, path, &file));
    assert_ok(write_network(file, &network, theta));
    assert_ok(runfile_close(file, true));
    double omega;
    Hdf5File hdf5;
    assert_ok(runfile_read_network(path, &network, read));
    assert_memory_equal(read, theta, network.n_parameters * sizeof *read);
    assert_ok(hdf5_open(path, &hdf5));
    assert_ok(hdf5_get_numbers(&hdf5, "/network", "omega_first", 1, &omega));
    assert_true(omega == 1); /* as it acts */
    assert_int_equal(hdf5_has_attribute(&hdf5, "/network", "frequencies"), i == 1);
    assert_int_equal(hdf5_has_attribute(&hdf5, "/network", "centres"), i == 2);
    assert_int_equal(hdf5_has(&hdf5, "/network/encoding/centres"), i == 2);
    hdf5_close(&hdf5);
    comm_barrier(world);
    free(read);
    free(theta);
  }
  free(path);
}

static void test_incomplete_leaves_the_old_file(void **state) {
  (void)state;
  char *path = path_of("old.h5"), *temporary = path_of("old.h5.tmp");
  if (comm_rank(world) == 0) assert_ok(file_replace(path, "old", 3));
  comm_barrier(world);
  RunFile *file;
  assert_ok(runfile_create(world, path, &file));
  write_field(file, &fields[0]);
  assert_ok(runfile_close(file, false));
  comm_barrier(world);
  unsigned char *data;
  size_t length;
  assert_ok(file_read(path, &data, &length));
  assert_string_equal((char *)data, "old");
  assert_false(file_exists(temporary));
  free(data);
  free(temporary);
  free(path);
}

static void test_impossible_place_fails_on_all_ranks(void **state) {
  (void)state;
  char *path = path_of("no/such/run.h5");
  RunFile *file;
  assert_int_equal(runfile_create(world, path, &file), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "no/such/run.h5"));
  assert_non_null(strstr(status_message(), "No such file or directory"));
  free(path);
}

/* Files in the directory whose names begin so. */
static int count_files(const char *beginning) {
  int n = 0;
  DIR *files = opendir(directory);
  for (struct dirent *entry; (entry = readdir(files));) {
    n += !strncmp(entry->d_name, beginning, strlen(beginning));
  }
  closedir(files);
  return n;
}

/* What a killed run leaves: a locked semaphore of Open MPI, called after the file's name, and files
 * beside it. Neither makes the next one wait, nor stays. */
static void test_remains_of_a_killed_run(void **state) {
  (void)state;
  char semaphore[96], name[80];
  snprintf(name, sizeof name, "killed%s.h5", directory + strlen("/tmp/siren-runfile"));
  snprintf(semaphore, sizeof semaphore, "/OMPIO_%s.tmp", name);
  char *path = path_of(name), *litter = malloc(strlen(path) + 32);
  sprintf(litter, "%s.tmp-1-1.lock", path);
  bool planted = true;
  if (comm_rank(world) == 0) {
    sem_t *locked = sem_open(semaphore, O_CREAT | O_EXCL, 0600, 0);
    planted = locked != SEM_FAILED && file_replace(litter, "", 0) == STATUS_OK;
    if (locked != SEM_FAILED) sem_close(locked);
  }
  assert_all(planted);
  RunFile *file;
  assert_ok(runfile_create(world, path, &file));
  write_field(file, &fields[0]);
  assert_ok(runfile_close(file, true));
  if (comm_rank(world) == 0) sem_unlink(semaphore);
  comm_barrier(world);
  assert_all(count_files(name) == 1);
  comm_barrier(world);
  free(litter);
  free(path);
}

/* A second data set of the same name is refused by HDF5 itself: agreed, and the file can only be
 * closed. */
static void test_refused_call_breaks_the_file(void **state) {
  (void)state;
  char *path = path_of("broken.h5");
  RunFile *file;
  assert_ok(runfile_create(world, path, &file));
  assert_ok(runfile_field(file, &fields[1]));
  assert_int_equal(runfile_field(file, &fields[1]), STATUS_FAILED);
  assert_non_null(strstr(status_message(), "/fields/laplacian"));
  assert_int_equal(runfile_slab(file, "laplacian", 0, 0, NULL), STATUS_FAILED);
  runfile_close(file, true);
  comm_barrier(world);
  assert_all(count_files("broken.h5") == 0);
  comm_barrier(world);
  free(path);
}

/* A really full disk: a file system of 3 MB in memory. Needs to be root; mounted by rank 0. */
static void test_full_disk(void **state) {
  (void)state;
  char *place = path_of("small");
  int mounted = 0;
  if (comm_rank(world) == 0) {
    assert_ok(file_make_directory(place));
    mounted = mount("none", place, "tmpfs", 0, "size=3m") == 0;
  }
  comm_broadcast(world, &mounted, sizeof mounted);
  if (!mounted) {
    free(place);
    skip();
  }
  char *path = file_join(place, "run.h5"), *temporary = file_join(place, "run.h5.tmp");
  if (comm_rank(world) == 0) assert_ok(file_replace(path, "old", 3));
  comm_barrier(world);
  RunFile *file;
  Field large = {"large", "", "", "row,column", 2, {4096, 512}, {0, 0}, {1, 1}, 1};
  assert_ok(runfile_create(world, path, &file));
  Status status = runfile_field(file, &large);
  char message[512];
  snprintf(message, sizeof message, "%s", status_message());
  runfile_close(file, false);
  comm_barrier(world);
  bool left = file_exists(temporary);
  unsigned char *data;
  size_t length;
  assert_ok(file_read(path, &data, &length));
  comm_barrier(world);
  if (comm_rank(world) == 0) umount2(place, MNT_DETACH);
  assert_int_equal(status, STATUS_FAILED);
  assert_non_null(strstr(message, "No space left on device"));
  assert_non_null(strstr(message, "run.h5"));
  assert_false(left);
  assert_string_equal((char *)data, "old");
  free(data);
  free(temporary);
  free(path);
  free(place);
}

static int make_directory(void **state) {
  (void)state;
  strcpy(directory, "/tmp/siren-runfile-XXXXXX");
  bool made = comm_rank(world) != 0 || mkdtemp(directory);
  comm_broadcast(world, directory, sizeof directory);
  assert_all(made);
  return 0;
}

static int remove_directory(void **state) {
  (void)state;
  char command[96];
  comm_barrier(world);
  snprintf(command, sizeof command, "rm -rf %s", directory);
  return comm_rank(world) == 0 ? system(command) : 0;
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_everything_comes_back),
      cmocka_unit_test(test_chunks),
      cmocka_unit_test(test_encodings),
      cmocka_unit_test(test_incomplete_leaves_the_old_file),
      cmocka_unit_test(test_impossible_place_fails_on_all_ranks),
      cmocka_unit_test(test_remains_of_a_killed_run),
      cmocka_unit_test(test_refused_call_breaks_the_file),
      cmocka_unit_test(test_full_disk),
  };
  if (comm_start(&argc, &argv, &world) != STATUS_OK) return 1;
  mpi_check_silence();
  double failed = cmocka_run_group_tests(tests, make_directory, remove_directory);
  comm_max_double(world, &failed, 1);
  comm_finish(world);
  return failed > 0;
}
