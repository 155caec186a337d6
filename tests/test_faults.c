/* Every file operation of a checkpoint's writing fails once, in every way, or kills the process:
 * the next start finds the old state or the new one, bit for bit, and the message names path and
 * cause. The writing runs in a child process under fault_io.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/file.h"
#include "tests/checkpoint_fixture.h"

enum { OLDER = 1, OLD = 2, NEW = 3, AFTERWARDS = 4, MAX_OPERATIONS = 40 };

/* Of the network: the moments are large enough for being written as they lie in memory. */
enum { WIDTH = 63 };

typedef struct {
  const char *kind;
  bool sticky;
  int error; /* expected in the message; 0: none, the program has to get by or is dead */
} Fault;

static const Fault faults[] = {
    {"enospc", false, ENOSPC}, {"enospc", true, ENOSPC}, {"eio", false, EIO},
    {"short", false, 0},       {"torn", false, EIO},     {"kill", false, 0},
};

static void create(Fixture *fixture, uint64_t seed) {
  if (fixture_create(fixture, seed, WIDTH, FIXTURE_CONFIG) != STATUS_OK) {
    fail_msg("%s", status_message());
  }
}

static void write_state(const char *directory, uint64_t seed) {
  Fixture fixture;
  create(&fixture, seed);
  if (checkpoint_write(directory, &fixture.checkpoint) != STATUS_OK) {
    fail_msg("%s", status_message());
  }
  fixture_destroy(&fixture);
}

/* The child: writes NEW, leaves its message in DIRECTORY.message. */
static int child(const char *directory) {
  Fixture fixture;
  if (fixture_create(&fixture, NEW, WIDTH, FIXTURE_CONFIG) != STATUS_OK) return 99;
  Status status = checkpoint_write(directory, &fixture.checkpoint);
  unsetenv("FAULT_AT");
  char path[300];
  snprintf(path, sizeof path, "%s.message", directory);
  file_replace(path, status_message(), strlen(status_message()));
  fixture_destroy(&fixture);
  return (int)status;
}

static int run_child(const char *directory, const Fault *fault, int at) {
  pid_t pid = fork();
  if (pid == 0) {
    char number[16], log[300];
    snprintf(number, sizeof number, "%d", at);
    snprintf(log, sizeof log, "%s.log", directory);
    setenv("FAULT_AT", number, 1);
    setenv("FAULT_KIND", fault->kind, 1);
    if (fault->sticky) setenv("FAULT_STICKY", "1", 1);
    setenv("FAULT_PATH", directory, 1);
    setenv("FAULT_LOG", log, 1);
    setenv("LD_PRELOAD", FAULT_LIBRARY, 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    execl("/proc/self/exe", "test_faults", "write", directory, (char *)NULL);
    _exit(98);
  }
  int result = 0;
  assert_true(pid > 0 && waitpid(pid, &result, 0) == pid);
  return result;
}

/* The seed of the state that a new start finds; 0 for none. */
static int found_state(const char *directory) {
  Fixture read, expected;
  char warning[512];
  bool found;
  int state = 0;
  create(&read, 99);
  if (checkpoint_read(directory, &read.checkpoint, &found, warning) != STATUS_OK) {
    fail_msg("%s", status_message());
  }
  assert_string_equal(warning, ""); /* nothing is ever damaged, only missing */
  for (int seed = OLDER; found && seed <= AFTERWARDS; seed++) {
    create(&expected, (uint64_t)seed);
    if (fixture_equal(&read, &expected)) state = seed;
    fixture_destroy(&expected);
  }
  if (found && !state) fail_msg("a state that was never written");
  fixture_destroy(&read);
  return state;
}

static char *read_beside(const char *directory, const char *suffix) {
  char path[300];
  unsigned char *text;
  size_t length;
  snprintf(path, sizeof path, "%s%s", directory, suffix);
  if (!file_exists(path)) return NULL;
  assert_int_equal(file_read(path, &text, &length), STATUS_OK);
  unlink(path);
  return (char *)text;
}

static void check_outcome(const char *directory, const Fault *fault, bool happened, int result,
                          int before) {
  char *message = read_beside(directory, ".message");
  int state = found_state(directory);
  bool died = WIFSIGNALED(result), failed = !died && WEXITSTATUS(result) != 0;
  assert_int_equal(died, happened && strcmp(fault->kind, "kill") == 0);
  assert_int_equal(failed, happened && fault->error != 0);
  if (!died && !failed) assert_int_equal(state, NEW);
  if (state != NEW && state != before) fail_msg("found state %d, not %d", state, before);
  if (failed) {
    assert_int_equal(WEXITSTATUS(result), STATUS_FAILED);
    assert_non_null(message);
    assert_non_null(strstr(message, directory));
    assert_non_null(strstr(message, strerror(fault->error)));
    char *newest = file_join(directory, "checkpoint.h5");
    assert_true(!before || file_exists(newest)); /* put back if only the second rename failed */
    free(newest);
  }
  free(message);
}

static void remove_files(const char *directory) {
  static const char *const names[] = {"checkpoint.h5", "checkpoint.previous.h5",
                                      "checkpoint.h5.tmp"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char *path = file_join(directory, names[i]);
    unlink(path);
    free(path);
  }
}

/* Generations before the fault: 0, 1 or 2. Returns how many operations there were. */
static int try_all_operations(const char *directory, const Fault *fault, int generations) {
  for (int at = 1; at < MAX_OPERATIONS; at++) {
    remove_files(directory);
    if (generations > 1) write_state(directory, OLDER);
    if (generations > 0) write_state(directory, OLD);
    int result = run_child(directory, fault, at);
    char *operation = read_beside(directory, ".log");
    check_outcome(directory, fault, operation != NULL, result, generations ? OLD : 0);
    if (!operation) return at - 1;
    free(operation);
    /* Whatever was left does not stand in the way of going on. */
    write_state(directory, AFTERWARDS);
    assert_int_equal(found_state(directory), AFTERWARDS);
  }
  fail_msg("no end of operations");
  return 0;
}

static void test_every_operation(void **state) {
  (void)state;
  char directory[] = "/tmp/siren-faults-XXXXXX";
  assert_non_null(mkdtemp(directory));
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    for (int generations = 0; generations <= 2; generations += 2) {
      int operations = try_all_operations(directory, &faults[i], generations);
      /* At least: open, write, fsync, rename (two with an old one), fsync of the directory. */
      assert_true(operations >= 5 + (generations > 0));
    }
  }
  remove_files(directory);
  rmdir(directory);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_operation)};
  if (argc == 3 && strcmp(argv[1], "write") == 0) return child(argv[2]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
