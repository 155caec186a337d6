/* Communicator: agreement on errors, reductions, groups, and the refusal of a broken launch. */
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "core/memory.h"
#include "tests/mpi_check.h"

static void test_agreement_on_success(void **state) {
  (void)state;
  assert_all(comm_agree(world, STATUS_OK) == STATUS_OK);
}

/* Whoever fails, all ranks leave with the code and the message of the first that failed. */
static void test_agreement_on_each_failure(void **state) {
  (void)state;
  int rank = comm_rank(world), size = comm_size(world);
  for (int failing = 0; failing < size; failing++) {
    Status mine = STATUS_OK;
    if (rank == failing) mine = status_fail(STATUS_USAGE, "cannot read `%s`", "cat.png");
    if (rank > failing) mine = status_fail(STATUS_FAILED, "rank %d fails later", rank);
    Status agreed = comm_agree(world, mine);
    char expected[100];
    snprintf(expected, sizeof expected, "rank %d: cannot read `cat.png`", failing);
    const char *message = size > 1 ? expected : "cannot read `cat.png`";
    assert_all(agreed == STATUS_USAGE);
    assert_all(!strcmp(status_message(), message));
  }
}

static void test_agreement_survives_long_messages(void **state) {
  (void)state;
  char text[5000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  bool last = comm_rank(world) == comm_size(world) - 1;
  Status agreed = comm_agree(world, last ? status_fail(STATUS_FAILED, "%s", text) : STATUS_OK);
  assert_all(agreed == STATUS_FAILED);
  assert_all(strstr(status_message(), "xxxx") != NULL);
}

/* Longer than one piece of a reduction, and wrapping around. */
static void test_sums(void **state) {
  (void)state;
  size_t n = ((size_t)1 << 22) + 5;
  int64_t *values = NULL;
  Status status = memory_allocate(&values, n, sizeof *values, "a test");
  assert_all(status == STATUS_OK);
  uint64_t rank = (uint64_t)comm_rank(world), size = (uint64_t)comm_size(world);
  for (size_t i = 0; i < n; i++) values[i] = (int64_t)(i * (rank + 1) + ((uint64_t)1 << 63));
  comm_sum_int64(world, values, n);
  bool good = true;
  for (size_t i = 0; i < n; i++) {
    uint64_t expected = i * (size * (size + 1) / 2) + (size % 2 << 63);
    good &= (uint64_t)values[i] == expected;
  }
  free(values);
  assert_all(good);
  comm_sum_int64(world, NULL, 0);
}

static void test_maxima(void **state) {
  (void)state;
  double rank = comm_rank(world), last = comm_size(world) - 1;
  double values[3] = {rank, -rank, rank == last ? 1e300 : -1e300};
  comm_max_double(world, values, 3);
  assert_all(values[0] == last && values[1] == 0 && values[2] == 1e300);
}

static void test_broadcast(void **state) {
  (void)state;
  size_t bytes = ((size_t)1 << 22) + 3;
  unsigned char *data = NULL;
  Status status = memory_allocate(&data, bytes, 1, "a test");
  assert_all(status == STATUS_OK);
  for (size_t i = 0; i < bytes; i++) {
    data[i] = comm_rank(world) == 0 ? (unsigned char)(i * 7 % 251) : 0;
  }
  comm_broadcast(world, data, bytes);
  bool good = true;
  for (size_t i = 0; i < bytes; i++) good &= data[i] == i * 7 % 251;
  free(data);
  assert_all(good);
}

/* Two groups work at the same time without hearing each other. */
static void test_groups(void **state) {
  (void)state;
  int rank = comm_rank(world), size = comm_size(world), colour = rank % 2;
  Comm *part = NULL;
  Status status = comm_split(world, colour, &part);
  assert_all(status == STATUS_OK);
  assert_all(comm_size(part) == (size + 1 - colour) / 2);
  assert_all(comm_rank(part) == rank / 2);
  int64_t sum = colour ? 1000 : 1;
  comm_sum_int64(part, &sum, 1);
  assert_all(sum == (colour ? 1000 : 1) * comm_size(part));
  comm_release(part);
  comm_release(NULL);
}

/* Who waits for a slow rank sleeps; nobody leaves before all have come. */
static void test_rest(void **state) {
  (void)state;
  for (int slow = 0; slow < comm_size(world); slow++) {
    comm_barrier(world);
    double begin = omp_get_wtime();
    clock_t cpu = clock();
    if (comm_rank(world) == slow) nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    comm_rest(world);
    double seconds = omp_get_wtime() - begin;
    double busy = (double)(clock() - cpu) / CLOCKS_PER_SEC;
    assert_all(seconds >= 0.15);
    assert_all(busy < 0.5 * seconds);
  }
}

/* One machine, cut up into pretended nodes. */
static void test_nodes(void **state) {
  (void)state;
  int size = comm_size(world), nodes = 0;
  for (int each = 1; each <= size + 1; each++) {
    char text[16];
    snprintf(text, sizeof text, "%d", each);
    setenv("SIREN_RANKS_PER_NODE", text, 1);
    Comm *node = NULL;
    assert_all(comm_split_node(world, &node) == STATUS_OK);
    int first = comm_rank(world) / each * each, rest = size - first;
    assert_all(comm_rank(node) == comm_rank(world) - first);
    assert_all(comm_size(node) == (rest < each ? rest : each));
    comm_release(node);
    assert_all(comm_nodes(world, &nodes) == STATUS_OK && nodes == (size + each - 1) / each);
  }
  unsetenv("SIREN_RANKS_PER_NODE");
  assert_all(comm_nodes(world, &nodes) == STATUS_OK && nodes == 1);
}

static void test_names(void **state) {
  (void)state;
  assert_all(comm_rank(world) >= 0 && comm_rank(world) < comm_size(world));
  assert_all(comm_handle(world) != NULL);
  assert_all(strlen(comm_library()) > 3 && !strchr(comm_library(), '\n'));
  assert_all(strlen(comm_host()) > 0);
}

/* The program starts itself as a lone process that a launcher calls one of several. */
static int start_alone(int argc, char **argv) {
  Comm *comm;
  Status status = comm_start(&argc, &argv, &comm);
  if (status == STATUS_USAGE && comm) return 1;
  if (status == STATUS_USAGE && !strstr(status_message(), "srun --mpi=pmix")) return 1;
  comm_finish(comm);
  return status;
}

static char *program;

/* Its session directory is its own: others that start and end at the same time may not touch it. */
static int exit_code_alone(const char *settings) {
  char command[2000];
  snprintf(
      command, sizeof command,
      "directory=$(mktemp -d) && env -i PATH=\"$PATH\" ASAN_OPTIONS=\"$ASAN_OPTIONS\" "
      "LSAN_OPTIONS=\"$LSAN_OPTIONS\" LD_LIBRARY_PATH=\"$LD_LIBRARY_PATH\" TMPDIR=\"$directory\" "
      "%s OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
      "'%s' --start; code=$?; rm -rf \"$directory\"; exit $code",
      settings, program);
  int result = system(command);
  return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

/* Once is enough: it takes its time. */
static void test_broken_launch(void **state) {
  (void)state;
  if (comm_size(world) > 1) return;
  static const struct {
    const char *settings;
    int code;
  } starts[] = {
      {"SLURM_STEP_NUM_TASKS=2", STATUS_USAGE},
      {"SLURM_JOBID=1 SLURM_NODELIST=n SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=2", STATUS_USAGE},
      {"SLURM_STEP_NUM_TASKS=1", STATUS_OK},
      {"SLURM_JOBID=1 SLURM_NODELIST=n SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=1", STATUS_OK},
  };
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
    assert_int_equal(exit_code_alone(starts[i].settings), starts[i].code);
  }
}

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "--start")) return start_alone(argc, argv);
  program = argv[0];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_agreement_on_success),
      cmocka_unit_test(test_agreement_on_each_failure),
      cmocka_unit_test(test_agreement_survives_long_messages),
      cmocka_unit_test(test_sums),
      cmocka_unit_test(test_maxima),
      cmocka_unit_test(test_broadcast),
      cmocka_unit_test(test_groups),
      cmocka_unit_test(test_rest),
      cmocka_unit_test(test_nodes),
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_broken_launch),
  };
  mpi_check_main(argc, argv, tests);
}
