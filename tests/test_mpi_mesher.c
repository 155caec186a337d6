/* Meshes of a network's level sets: the same bytes for all ranks together and for each rank alone,
 * surfaces that close, points on the level; what goes wrong is agreed upon. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/memory.h"
#include "experiments/mesher.h"
#include "io/file.h"
#include "mpi/gather.h"
#include "tests/mpi_check.h"
#include "tests/network_fixture.h"

static char directory[64]; /* one for all ranks */
static Comm *alone;        /* this rank by itself */
static Network network;
static real *theta;

static MesherJob make_job(int64_t planes, int64_t rows, int64_t columns) {
  return (MesherJob){.grid = {3, {planes, rows, columns}, {-1, -0.9, -1}, {1, 1, 1.1}},
                     .level = 0.02,
                     .scale = 1,
                     .threads = 1};
}

static char *path_of(const char *name) {
  char unique[100];
  snprintf(unique, sizeof unique, "%s-%d.ply", name, comm_rank(world));
  return file_join(directory, unique);
}

static char *common_path(const char *name) {
  return file_join(directory, name);
}

/* ---- Reading the files back ---- */

typedef struct {
  unsigned char *data;
  size_t length;
  long n_vertices, n_triangles;
  const unsigned char *vertices, *faces;
} Ply;

static Ply read_ply(const char *path) {
  Ply ply = {0};
  Status status = file_read(path, &ply.data, &ply.length);
  assert_all(status == STATUS_OK);
  char *end = strstr((char *)ply.data, "end_header\n");
  const char *vertex = strstr((char *)ply.data, "element vertex ");
  const char *face = strstr((char *)ply.data, "element face ");
  assert_all(end && vertex && face);
  ply.n_vertices = atol(vertex + 15);
  ply.n_triangles = atol(face + 13);
  ply.vertices = (unsigned char *)end + 11;
  ply.faces = ply.vertices + 24 * ply.n_vertices;
  assert_all(ply.faces + 13 * ply.n_triangles == ply.data + ply.length);
  return ply;
}

static void vertex_of(const Ply *ply, long i, float vertex[6]) {
  memcpy(vertex, ply->vertices + 24 * i, 24);
}

static void corners_of(const Ply *ply, long i, int32_t corners[3]) {
  memcpy(corners, ply->faces + 13 * i + 1, 12);
}

static bool same_bytes(const char *a, const char *b) {
  Ply x = read_ply(a), y = read_ply(b);
  bool same = x.length == y.length && !memcmp(x.data, y.data, x.length);
  free(x.data);
  free(y.data);
  return same;
}

/* ---- Tests ---- */

/* Planes that do and do not divide evenly, several pieces a rank, few planes, few points. */
static void test_same_bytes(void **state) {
  (void)state;
  static const int64_t sizes[][3] = {{40, 40, 40}, {33, 70, 67}, {301, 12, 14}, {2, 3, 2}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    MesherJob job = make_job(sizes[i][0], sizes[i][1], sizes[i][2]);
    MesherSummary together, single;
    char *reference = path_of("alone"), *shared = common_path("together.ply");
    job.path = reference;
    Status status = mesher_run(alone, &network, theta, &job, &single);
    assert_all(status == STATUS_OK);
    for (job.threads = 1; job.threads <= 2; job.threads++) {
      job.path = shared;
      status = mesher_run(world, &network, theta, &job, &together);
      assert_all(status == STATUS_OK);
      assert_all(together.vertices == single.vertices);
      assert_all(together.triangles == single.triangles);
      assert_all(same_bytes(reference, shared));
      comm_barrier(world);
    }
    assert_all(sizes[i][0] == 2 || single.triangles > 300);
    free(reference);
    free(shared);
  }
}

static bool at_border(const Ply *ply, int32_t a, int32_t b) {
  static const double lower[] = {-1, -0.9, -1}, upper[] = {1, 1, 1.1};
  float v[6], w[6];
  vertex_of(ply, a, v);
  vertex_of(ply, b, w);
  for (int i = 0; i < 3; i++) {
    double x = (double)v[i], y = (double)w[i];
    if (fabs(x - lower[i]) < 1e-6 && fabs(y - lower[i]) < 1e-6) return true;
    if (fabs(x - upper[i]) < 1e-6 && fabs(y - upper[i]) < 1e-6) return true;
  }
  return false;
}

static int compare_sides(const void *a, const void *b) {
  return memcmp(a, b, 2 * sizeof(int32_t));
}

/* Sides of triangles come in pairs of opposite direction, but for those at the grid's border. */
static void test_closed_but_for_the_border(void **state) {
  (void)state;
  MesherJob job = make_job(40, 41, 42);
  MesherSummary summary;
  char *path = common_path("closed.ply");
  job.path = path;
  Status status = mesher_run(world, &network, theta, &job, &summary);
  assert_all(status == STATUS_OK);
  Ply ply = read_ply(path);
  size_t n = 3 * (size_t)ply.n_triangles;
  int32_t(*sides)[2] = malloc(n * sizeof *sides);
  for (size_t i = 0; i < n; i++) {
    int32_t corners[3];
    corners_of(&ply, (long)i / 3, corners);
    sides[i][0] = corners[i % 3];
    sides[i][1] = corners[(i + 1) % 3];
  }
  qsort(sides, n, sizeof *sides, compare_sides);
  bool good = summary.triangles > 1000;
  size_t open = 0;
  for (size_t i = 0; i < n; i++) {
    int32_t back[2] = {sides[i][1], sides[i][0]};
    good &= sides[i][0] >= 0 && sides[i][0] < ply.n_vertices;
    good &= i == 0 || compare_sides(sides[i], sides[i - 1]);
    if (bsearch(back, sides, n, sizeof *sides, compare_sides)) continue;
    good &= at_border(&ply, back[0], back[1]);
    open++;
  }
  assert_all(good);
  assert_all(open > 0 && open < n / 5);
  free(sides);
  free(ply.data);
  free(path);
}

/* Points where Phi = level and normals along its gradient, both by the network written out in
 * double; triangles look the same way as their normals. */
static void test_points_and_normals(void **state) {
  (void)state;
  MesherJob job = make_job(40, 41, 42);
  MesherSummary summary;
  char *path = common_path("normals.ply");
  job.path = path;
  Status status = mesher_run(world, &network, theta, &job, &summary);
  assert_all(status == STATUS_OK);
  Ply ply = read_ply(path);
  double worst_value = 0, worst_normal = 0;
  for (long i = 0; i < ply.n_vertices; i += 7) {
    float v[6];
    vertex_of(&ply, i, v);
    real x[3] = {(real)v[0], (real)v[1], (real)v[2]};
    double value, gradient[3], length = 0, h = 1e-3;
    fixture_plain(&network, theta, x, &value);
    for (int axis = 0; axis < 3; axis++) {
      double ahead, behind;
      real centre = x[axis];
      x[axis] = centre + (real)h, fixture_plain(&network, theta, x, &ahead);
      x[axis] = centre - (real)h, fixture_plain(&network, theta, x, &behind);
      x[axis] = centre;
      gradient[axis] = (ahead - behind) / (2 * h);
      length += gradient[axis] * gradient[axis];
    }
    worst_value = fmax(worst_value, fabs(value - job.level));
    for (int axis = 0; axis < 3; axis++) {
      double expected = gradient[axis] / sqrt(length);
      worst_normal = fmax(worst_normal, fabs((double)v[3 + axis] - expected));
    }
  }
  assert_all(worst_value < 5e-3);
  assert_all(worst_normal < 1e-2);
  long against = 0;
  for (long t = 0; t < ply.n_triangles; t++) {
    int32_t corners[3];
    float a[6], b[6], c[6];
    corners_of(&ply, t, corners);
    vertex_of(&ply, corners[0], a), vertex_of(&ply, corners[1], b), vertex_of(&ply, corners[2], c);
    float dot = 0;
    for (int i = 0; i < 3; i++) {
      int j = (i + 1) % 3, k = (i + 2) % 3;
      dot += ((b[j] - a[j]) * (c[k] - a[k]) - (b[k] - a[k]) * (c[j] - a[j])) * a[3 + i];
    }
    against += dot < 0;
  }
  assert_all(against * 1000 < ply.n_triangles); /* slivers may lean over */
  free(ply.data);
  free(path);
}

static void test_file_coordinates(void **state) {
  (void)state;
  MesherJob job = make_job(20, 20, 20);
  MesherSummary summary;
  char *plain = common_path("plain.ply"), *moved = common_path("moved.ply");
  job.path = plain;
  Status status = mesher_run(world, &network, theta, &job, &summary);
  assert_all(status == STATUS_OK);
  job.path = moved;
  job.scale = 2.5;
  job.offset[0] = 10, job.offset[1] = -20, job.offset[2] = 0.25;
  status = mesher_run(world, &network, theta, &job, &summary);
  assert_all(status == STATUS_OK);
  Ply a = read_ply(plain), b = read_ply(moved);
  assert_all(a.length == b.length && a.n_vertices > 100);
  bool good = true;
  for (long i = 0; i < a.n_vertices; i++) {
    float v[6], w[6];
    vertex_of(&a, i, v);
    vertex_of(&b, i, w);
    for (int k = 0; k < 3; k++) {
      good &= fabs(2.5 * (double)v[k] + job.offset[k] - (double)w[k]) < 1e-5;
      good &= v[3 + k] == w[3 + k];
    }
  }
  assert_all(good);
  free(a.data);
  free(b.data);
  free(plain);
  free(moved);
}

static void test_no_surface(void **state) {
  (void)state;
  MesherJob job = make_job(9, 8, 7);
  MesherSummary summary;
  char *path = common_path("empty.ply");
  job.path = path;
  job.level = 1e6;
  Status status = mesher_run(world, &network, theta, &job, &summary);
  assert_all(status == STATUS_OK && summary.vertices == 0 && summary.triangles == 0);
  Ply ply = read_ply(path);
  assert_all(ply.n_vertices == 0 && ply.n_triangles == 0);
  free(ply.data);
  free(path);
}

static void test_unwritable(void **state) {
  (void)state;
  MesherJob job = make_job(8, 8, 8);
  MesherSummary summary;
  char *path = common_path("none/mesh.ply");
  job.path = path;
  Status status = mesher_run(world, &network, theta, &job, &summary);
  assert_all(status == STATUS_FAILED && strstr(status_message(), "none/mesh.ply"));
  free(path);
}

/* A limit on the size of files stands for a full disk; the file that was there stays. */
static void test_full_disk(void **state) {
  (void)state;
  struct rlimit before, small = {30000, RLIM_INFINITY};
  MesherJob job = make_job(24, 24, 24);
  MesherSummary summary;
  char *path = common_path("full.ply"), *temporary = common_path("full.ply.tmp");
  Status status = comm_rank(world) ? STATUS_OK : file_replace(path, "old", 3);
  assert_all(status == STATUS_OK);
  job.path = path;
  getrlimit(RLIMIT_FSIZE, &before);
  small.rlim_max = before.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  status = mesher_run(world, &network, theta, &job, &summary);
  setrlimit(RLIMIT_FSIZE, &before);
  assert_all(status == STATUS_FAILED && strstr(status_message(), "full.ply"));
  unsigned char *data;
  size_t length;
  status = file_read(path, &data, &length);
  assert_all(status == STATUS_OK && length == 3 && !memcmp(data, "old", 3));
  assert_all(!file_exists(temporary));
  free(data);
  free(path);
  free(temporary);
}

/* Parts of a grid have the bits of the whole, from every chunk on and up to every step; and so
 * have points by themselves. */
static void test_parts_of_a_grid(void **state) {
  (void)state;
  enum { PLANES = 31, LINE = 15 * 17 };
  Grid grid = {3, {PLANES, 15, 17}, {-1, -1, -1}, {1, 1, 1}};
  const bool wanted[FIELD_COUNT] = {true, true, false};
  Evaluator *evaluator;
  Status status = evaluator_create(&network, theta, &grid, wanted, 2, &evaluator);
  assert_all(status == STATUS_OK);
  static float value[2][PLANES * LINE], gradient[2][3 * PLANES * LINE];
  float *const whole[] = {value[0], gradient[0], NULL}, *const part[] = {value[1], gradient[1],
                                                                         NULL};
  evaluator_steps(evaluator, 0, PLANES, whole);
  int64_t chunk = evaluator_chunk(evaluator);
  assert_all(chunk > 1 && chunk < PLANES);
  bool good = true;
  for (int64_t first = 0; first < PLANES; first += chunk) {
    for (int64_t count = 1; count <= PLANES - first; count += 5) {
      evaluator_steps(evaluator, first, count, part);
      size_t n = (size_t)(count * LINE);
      good &= !memcmp(value[1], value[0] + first * LINE, n * sizeof(float));
      good &= !memcmp(gradient[1], gradient[0] + 3 * first * LINE, 3 * n * sizeof(float));
    }
  }
  assert_all(good);
  static real x[LINE][3];
  for (int i = 0; i < LINE; i++) {
    x[i][0] = (real)grid_coordinate(&grid, 0, 0);
    x[i][1] = (real)grid_coordinate(&grid, 1, i / 17);
    x[i][2] = (real)grid_coordinate(&grid, 2, i % 17);
  }
  evaluator_points(evaluator, LINE, x[0], part);
  assert_all(!memcmp(value[1], value[0], LINE * sizeof(float)));
  assert_all(!memcmp(gradient[1], gradient[0], 3 * LINE * sizeof(float)));
  evaluator_destroy(evaluator);
  evaluator_destroy(NULL);
}

/* ---- Streams ---- */

typedef struct {
  int left;       /* numbers that this rank still has */
  int64_t got[3]; /* on rank 0: numbers, the last rank seen, whether all came in order */
  int fail_at;
} Numbers;

/* Numbers 1000 rank + (how many are left), falling. */
static size_t produce(void *context, unsigned char *buffer, size_t capacity) {
  Numbers *numbers = context;
  size_t n = capacity / sizeof(int);
  if (n > (size_t)numbers->left) n = (size_t)numbers->left;
  for (size_t i = 0; i < n; i++) {
    int number = 1000 * comm_rank(world) + numbers->left--;
    memcpy(buffer + i * sizeof number, &number, sizeof number);
  }
  return n * sizeof(int);
}

static Status consume(void *context, const unsigned char *data, size_t length) {
  Numbers *numbers = context;
  for (size_t i = 0; i < length; i += sizeof(int)) {
    int number;
    memcpy(&number, data + i, sizeof number);
    if (numbers->got[0]++ == numbers->fail_at) return status_fail(STATUS_FAILED, "enough");
    if (number / 1000 < numbers->got[1]) numbers->got[2]++;
    numbers->got[1] = number / 1000;
  }
  return STATUS_OK;
}

static void test_stream(void **state) {
  (void)state;
  int rank = comm_rank(world), expected = 0;
  for (int r = 0; r < comm_size(world); r++) expected += r % 2 ? 0 : 300 + r;
  for (int fail_at = -1; fail_at < 600; fail_at += 200) {
    Numbers numbers = {.left = rank % 2 ? 0 : 300 + rank, .fail_at = fail_at};
    CommStream stream = {produce, consume, &numbers};
    Status status = comm_stream(world, &stream, 64 * sizeof(int));
    bool fails = fail_at >= 0 && fail_at < expected;
    assert_all(status == (fails ? STATUS_FAILED : STATUS_OK));
    assert_all(!fails || strstr(status_message(), "enough"));
    assert_all(fails || numbers.left == 0);
    assert_all(rank > 0 || fails || (numbers.got[0] == expected && numbers.got[2] == 0));
  }
}

/* ---- Beginning and end ---- */

static void begin(void **state) {
  (void)state;
  strcpy(directory, "/tmp/siren-mesher-XXXXXX");
  bool made = comm_rank(world) > 0 || mkdtemp(directory);
  assert_all(made);
  comm_broadcast(world, directory, sizeof directory);
  Status status = comm_split(world, comm_rank(world), &alone);
  assert_all(status == STATUS_OK);
  NetworkSpec spec = fixture_spec(activation_find("sine"), encoding_find("none"), 3, 1, 16, 1);
  spec.omega_first = 5;
  network = fixture_network(spec);
  theta = fixture_theta(&network, 4);
}

static void end(void **state) {
  (void)state;
  comm_release(alone);
  free(theta);
  char command[100];
  snprintf(command, sizeof command, "rm -rf '%s'", directory);
  comm_barrier(world);
  bool removed = comm_rank(world) > 0 || system(command) == 0;
  assert_all(removed);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(begin),
      cmocka_unit_test(test_same_bytes),
      cmocka_unit_test(test_closed_but_for_the_border),
      cmocka_unit_test(test_points_and_normals),
      cmocka_unit_test(test_file_coordinates),
      cmocka_unit_test(test_no_surface),
      cmocka_unit_test(test_unwritable),
      cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_parts_of_a_grid),
      cmocka_unit_test(test_stream),
      cmocka_unit_test(end),
  };
  mpi_check_main(argc, argv, tests);
}
