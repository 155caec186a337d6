/* Asserts for tests on several ranks. An assert that fails on one rank alone would leave the others
 * waiting in a collective; these fail on all ranks together. Included by one file per program. */
#ifndef TESTS_MPI_CHECK_H
#define TESTS_MPI_CHECK_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
/* After the headers it needs. */
#include <cmocka.h>

#include "mpi/comm.h"

static Comm *world;              /* of the running program */
static int mpi_check_stderr = 2; /* the real one, on ranks whose output is silenced */

/* MPI libraries keep memory to the end, in parts of theirs that are no longer loaded then. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
  return 1;
}

static inline void check_all(bool good, const char *text, const char *file, int line) {
  double bad = !good;
  if (!good) {
    dprintf(mpi_check_stderr, "%s:%d: rank %d of %d: not true: %s\n", file, line, comm_rank(world),
            comm_size(world), text);
  }
  comm_max_double(world, &bad, 1);
  if (bad > 0) _fail(file, line);
}

/* Collective. The expression must be true on every rank. */
#define assert_all(expression) check_all(expression, #expression, __FILE__, __LINE__)

/* cmocka reports from rank 0 alone. */
static inline void mpi_check_silence(void) {
  if (comm_rank(world) == 0) return;
  mpi_check_stderr = dup(2);
  int sink = open("/dev/null", O_WRONLY);
  dup2(sink, 1);
  dup2(sink, 2);
  close(sink);
}

/* Collective. Runs a cmocka group on all ranks and returns from main with the worst rank's result.
 */
#define mpi_check_main(argc, argv, tests)                          \
  do {                                                             \
    if (comm_start(&(argc), &(argv), &world) != STATUS_OK) {       \
      fprintf(stderr, "%s\n", status_message());                   \
      return 1;                                                    \
    }                                                              \
    mpi_check_silence();                                           \
    double mpi_check_result = cmocka_run_group_tests(tests, 0, 0); \
    comm_max_double(world, &mpi_check_result, 1);                  \
    comm_finish(world);                                            \
    return mpi_check_result > 0;                                   \
  } while (0)

#endif
