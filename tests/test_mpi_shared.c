/* One copy of a data set per node: what one rank fills, every rank of the node sees. */
#include <string.h>

#include "core/real.h"
#include "mpi/shared.h"
#include "tests/mpi_check.h"

enum { ITEMS = 1000 };

/* Every rank fills its part; all parts together cover all items once. */
static void test_parts(void **state) {
  (void)state;
  const Comm *comm = world;
  Shared *shared = NULL;
  assert_all(shared_create(comm, ITEMS * sizeof(int32_t), "a test", &shared) == STATUS_OK);
  assert_all((uintptr_t)shared_data(shared) % REAL_ALIGN == 0);
  int32_t *items = shared_data(shared);
  int64_t first, count = shared_part(shared, ITEMS, &first);
  for (int64_t i = first; i < first + count; i++) items[i] = (int32_t)(7 * i);
  assert_all(shared_ready(shared, STATUS_OK) == STATUS_OK);
  bool right = true;
  for (int i = 0; i < ITEMS; i++) right = right && items[i] == 7 * i;
  assert_all(right);
  shared_destroy(shared);
}

/* The leader alone fills; there is one on this node, and its words reach all. */
static void test_leader(void **state) {
  (void)state;
  const Comm *comm = world;
  Shared *shared = NULL;
  assert_all(shared_create(comm, 64, "a test", &shared) == STATUS_OK);
  int64_t leaders = shared_leader(shared);
  comm_sum_int64(comm, &leaders, 1);
  assert_all(leaders == 1);
  if (shared_leader(shared)) strcpy(shared_data(shared), "words of the leader");
  assert_all(shared_ready(shared, STATUS_OK) == STATUS_OK);
  assert_all(!strcmp(shared_data(shared), "words of the leader"));
  shared_destroy(shared);
}

/* Fewer items than ranks: some ranks have none. */
static void test_few(void **state) {
  (void)state;
  const Comm *comm = world;
  Shared *shared = NULL;
  assert_all(shared_create(comm, 1, "a test", &shared) == STATUS_OK);
  int64_t first, sum[2];
  sum[0] = shared_part(shared, 1, &first);
  sum[1] = shared_part(shared, 0, &first);
  comm_sum_int64(comm, sum, 2);
  assert_all(sum[0] == 1 && sum[1] == 0);
  shared_destroy(shared);
}

/* What no node has is refused on all ranks; so is what one rank failed to fill. */
static void test_failures(void **state) {
  (void)state;
  const Comm *comm = world;
  Shared *shared = NULL;
  Status status = shared_create(comm, (size_t)1 << 50, "a petabyte", &shared);
  assert_all(status == STATUS_FAILED && shared == NULL);
  assert_all(strstr(status_message(), "a petabyte") != NULL);

  assert_all(shared_create(comm, 64, "a test", &shared) == STATUS_OK);
  bool last = comm_rank(comm) == comm_size(comm) - 1;
  status = last ? status_fail(STATUS_FAILED, "no such file") : STATUS_OK;
  status = shared_ready(shared, status);
  assert_all(status == STATUS_FAILED && strstr(status_message(), "no such file"));
  shared_destroy(shared);
  shared_destroy(NULL);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parts),
      cmocka_unit_test(test_leader),
      cmocka_unit_test(test_few),
      cmocka_unit_test(test_failures),
  };
  mpi_check_main(argc, argv, tests);
}
