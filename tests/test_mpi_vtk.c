/* Volumes for ParaView, written by one to four ranks: VTKHDF and XDMF beside a run file, read again
 * through HDF5 here, and by VTK and an XML parser in check_paraview.py. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "io/file.h"
#include "io/hdf5.h"
#include "io/runfile.h"
#include "io/vtk.h"
#include "io/xdmf.h"
#include "mpi/comm.h"
#include "tests/mpi_check.h"

static char directory[64];

static char *path_of(const char *name) {
  return file_join(directory, name);
}

static void check_ok(Status status) {
  if (status != STATUS_OK) dprintf(mpi_check_stderr, "%s\n", status_message());
  assert_all(status == STATUS_OK);
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

static const VtkGrid grid = {{7, 5, 9}, {-1, 0, 2}, {1, 0.5, 10}};
static const Field volume = {"value", "", "1", "z,y,x", 3, {7, 5, 9}, {-1, 0, 2}, {1, 0.5, 10}, 1};
static const Field evolution = {
    "value", "", "1", "time,z,y,x", 4, {3, 4, 5, 6}, {0, -1, 0, 2}, {1, 1, 0.5, 10}, 1};
static const Field film = {"value",    "",          "1", "time,row,column", 3, {4, 5, 6},
                           {0, -1, 0}, {6, 1, 0.5}, 1};

/* Slab i of this rank's rows; the second field is the negative of the first. */
static float *make_slab(int64_t first, int64_t count, int64_t row, float sign) {
  float *values = malloc((size_t)(count * row + 1) * sizeof *values);
  for (int64_t i = 0; i < count * row; i++) values[i] = sign * wave(first * row + i);
  return values;
}

static void write_volume(const char *path) {
  VtkFile *file = NULL;
  int64_t first, count, row = grid.size[1] * grid.size[2];
  share(grid.size[0], &first, &count);
  int64_t early = comm_rank(world) % 2 ? count / 2 : count;
  check_ok(vtk_create(world, path, &grid, &file));
  for (int i = 0; i < 2; i++) {
    const char *name = i ? "opposite" : "value";
    float *values = make_slab(first, count, row, i ? -1 : 1);
    check_ok(vtk_field(file, name));
    check_ok(vtk_slab(file, name, first, early, values));
    check_ok(vtk_slab(file, name, first + early, count - early, values + early * row));
    free(values);
  }
  check_ok(vtk_close(file, true));
}

static void write_run(const char *path, const Field *field) {
  RunFile *file = NULL;
  int64_t first, count, row = 1;
  for (int i = 1; i < field->n_axes; i++) row *= field->size[i];
  share(field->size[0], &first, &count);
  check_ok(runfile_create(world, path, &file));
  for (int i = 0; i < 2; i++) {
    Field named = *field;
    named.name = i ? "opposite" : "value";
    float *values = make_slab(first, count, row, i ? -1 : 1);
    check_ok(runfile_field(file, &named));
    check_ok(runfile_slab(file, named.name, first, count, values));
    free(values);
  }
  check_ok(runfile_close(file, true));
}

static bool holds_wave(const Hdf5File *file, const char *name, float sign) {
  int rank;
  int64_t size[HDF5_MAX_RANK];
  float values[7 * 5 * 9] = {0};
  bool good = hdf5_shape(file, name, &rank, size) == STATUS_OK && rank == 3 &&
              memcmp(size, grid.size, sizeof grid.size) == 0 &&
              hdf5_read(file, name, H5T_NATIVE_FLOAT, values) == STATUS_OK;
  for (int i = 0; good && i < 7 * 5 * 9; i++) good = values[i] == sign * wave(i);
  return good;
}

static bool has_numbers(const Hdf5File *file, const char *name, int n, const double *expected) {
  double values[9];
  return hdf5_get_numbers(file, "/VTKHDF", name, n, values) == STATUS_OK &&
         memcmp(values, expected, (size_t)n * sizeof *values) == 0;
}

/* VTK 9.2 takes the bytes as they are: a NUL among them would make another type. */
static bool is_plain_text(const Hdf5File *file, const char *name, size_t length) {
  hid_t attribute = H5Aopen_by_name(file->file, "/VTKHDF", name, H5P_DEFAULT, H5P_DEFAULT);
  hid_t type = H5Aget_type(attribute);
  bool plain = H5Tget_size(type) == length && H5Tget_cset(type) == H5T_CSET_ASCII &&
               H5Tis_variable_str(type) == 0;
  H5Tclose(type);
  H5Aclose(attribute);
  return plain;
}

static void structure(void **state) {
  (void)state;
  char *path = path_of("volume.vtkhdf"), *temporary = path_of("volume.vtkhdf.tmp"), *type = NULL;
  write_volume(path);
  write_volume(path); /* over an old one */
  assert_all(!file_exists(temporary));
  Hdf5File file;
  check_ok(hdf5_open(path, &file));
  assert_all(hdf5_get_text(&file, "/VTKHDF", "Type", &type) == STATUS_OK);
  assert_all(strcmp(type, "ImageData") == 0);
  assert_all(is_plain_text(&file, "Type", strlen(type)));
  assert_all(has_numbers(&file, "Version", 2, (double[]){1, 0}));
  assert_all(has_numbers(&file, "WholeExtent", 6, (double[]){0, 8, 0, 4, 0, 6}));
  assert_all(has_numbers(&file, "Origin", 3, (double[]){2, 0, -1}));
  assert_all(has_numbers(&file, "Spacing", 3, (double[]){1, 0.125, 2.0 / 6}));
  assert_all(has_numbers(&file, "Direction", 9, (double[]){1, 0, 0, 0, 1, 0, 0, 0, 1}));
  assert_all(holds_wave(&file, "/VTKHDF/PointData/value", 1));
  assert_all(holds_wave(&file, "/VTKHDF/PointData/opposite", -1));
  hdf5_close(&file);
  comm_barrier(world);
  free(type);
  free(temporary);
  free(path);
}

/* What VTK would crash on is not written, what is not complete neither. */
static void refused(void **state) {
  (void)state;
  char *path = path_of("refused.vtkhdf"), *temporary = path_of("refused.vtkhdf.tmp");
  VtkFile *file = NULL;
  VtkGrid flat = grid;
  flat.size[1] = 1;
  assert_all(vtk_create(world, path, &flat, &file) == STATUS_FAILED);
  assert_all(strstr(status_message(), "refused.vtkhdf: a grid of 7x1x9 is flat"));
  assert_all(!file_exists(path) && !file_exists(temporary));
  check_ok(vtk_create(world, path, &grid, &file));
  check_ok(vtk_field(file, "value"));
  check_ok(vtk_close(file, false));
  comm_barrier(world);
  assert_all(!file_exists(path) && !file_exists(temporary));
  check_ok(vtk_create(world, path, &grid, &file));
  check_ok(vtk_field(file, "value"));
  assert_all(vtk_field(file, "value") == STATUS_FAILED); /* there is one */
  assert_all(vtk_close(file, true) == STATUS_FAILED);
  comm_barrier(world);
  assert_all(!file_exists(path) && !file_exists(temporary));
  char *nowhere = path_of("no/such/place.vtkhdf");
  assert_all(vtk_create(world, nowhere, &grid, &file) == STATUS_FAILED);
  assert_all(strstr(status_message(), "no/such/place.vtkhdf"));
  free(nowhere);
  free(temporary);
  free(path);
}

/* NAME.h5 with two fields and NAME.xdmf, which tells how to read them. */
static void write_pair(const char *name, const Field *field) {
  char file[40];
  snprintf(file, sizeof file, "%s.h5", name);
  char *data = path_of(file);
  write_run(data, field);
  Field fields[2] = {*field, *field};
  fields[1].name = "opposite";
  Status status = STATUS_OK;
  char page[40];
  snprintf(page, sizeof page, "%s.xdmf", name);
  char *path = path_of(page);
  if (comm_rank(world) == 0) status = xdmf_write(path, file, 2, fields);
  check_ok(comm_agree(world, status));
  free(path);
  free(data);
}

/* Other programs read the same numbers at the same places. */
static void other_readers(void **state) {
  (void)state;
  char *path = path_of("volume.vtkhdf");
  write_volume(path);
  write_pair("volume", &volume);
  write_pair("evolution", &evolution);
  write_pair("film", &film);
  int code = 0;
  if (comm_rank(world) == 0) {
    char command[512];
    snprintf(command, sizeof command,
             "for python in /usr/bin/python3 python3; do "
             "$python -c 'import h5py' 2>&- && exec $python %s/../check_paraview.py %s; "
             "done; exit 77",
             TEST_DATA, directory);
    int result = system(command);
    code = WIFEXITED(result) ? WEXITSTATUS(result) : 1;
  }
  comm_broadcast(world, &code, sizeof code);
  free(path);
  if (code == 77) skip(); /* no h5py */
  assert_all(code == 0);
}

static int make_directory(void **state) {
  (void)state;
  strcpy(directory, "/tmp/siren-vtk-XXXXXX");
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
      cmocka_unit_test(structure),
      cmocka_unit_test(refused),
      cmocka_unit_test(other_readers),
  };
  if (comm_start(&argc, &argv, &world) != STATUS_OK) return 1;
  mpi_check_silence();
  double failed = cmocka_run_group_tests(tests, make_directory, remove_directory);
  comm_max_double(world, &failed, 1);
  comm_finish(world);
  return failed > 0;
}
