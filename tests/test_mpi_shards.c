/* Vectors cut up over ranks: sums in the owners' parts, parts to all, norms; on one node, and on
 * nodes that are pretended on one machine, even and uneven. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "core/vector.h"
#include "mpi/shards.h"
#include "tests/mpi_check.h"

/* Shorter than the number of ranks, of a few chunks, and through the rooms and stages many times.
 */
static const size_t lengths[] = {1, 63, 64, 65, 1003, 70001, 540001};
enum { N_LENGTHS = sizeof lengths / sizeof *lengths };

typedef struct {
  size_t n, first, end;
  Shards *shards;
  int64_t *sums;
  real *values;
} Case;

static void create(size_t n, Case *c) {
  *c = (Case){.n = n};
  Status status = memory_allocate(&c->sums, n, sizeof *c->sums, "a test");
  if (status == STATUS_OK) status = memory_allocate(&c->values, n, sizeof *c->values, "a test");
  assert_all(status == STATUS_OK);
  assert_all(shards_create(world, n, &c->shards) == STATUS_OK);
  shards_part(c->shards, &c->first, &c->end);
  assert_all(c->first <= c->end && c->end <= n);
}

static void destroy(Case *c) {
  shards_destroy(c->shards);
  free(c->sums);
  free(c->values);
}

static int64_t addend(int rank, size_t i, int round) {
  uint64_t hash = ((uint64_t)rank * 7919 + i) * 0x9e3779b97f4a7c15u + (uint64_t)round;
  return (int64_t)(hash ^ hash >> 29); /* over all 64 bits: sums wrap around */
}

static int64_t total(size_t i, int round) {
  uint64_t sum = 0;
  for (int rank = 0; rank < comm_size(world); rank++) sum += (uint64_t)addend(rank, i, round);
  return (int64_t)sum;
}

/* Every element has one owner. */
static void check_parts(const Case *c) {
  int64_t count = (int64_t)(c->end - c->first);
  comm_sum_int64(world, &count, 1);
  assert_all(count == (int64_t)c->n);
  assert_all(c->first % VECTOR_BLOCK == 0 || c->first == c->n);
  memset(c->sums, 0, c->n * sizeof *c->sums);
  for (size_t i = c->first; i < c->end; i++) c->sums[i] = 1;
  comm_sum_int64(world, c->sums, c->n);
  bool once = true;
  for (size_t i = 0; i < c->n; i++) once = once && c->sums[i] == 1;
  assert_all(once);
}

/* Several times, so that each room is used again, with a slow rank that comes last. */
static void check_sums(Case *c) {
  bool good = true;
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < c->n; i++) c->sums[i] = addend(comm_rank(world), i, round);
    bool slow = comm_rank(world) == round % comm_size(world);
    if (slow) nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    shards_sum(c->shards, c->sums);
    for (size_t i = c->first; i < c->end; i++) good = good && c->sums[i] == total(i, round);
  }
  assert_all(good);
}

static real value(size_t i, int round) {
  return (real)sin((double)(i * 13 + (size_t)round));
}

static void check_sharing(Case *c) {
  bool good = true;
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < c->n; i++) {
      c->values[i] = i >= c->first && i < c->end ? value(i, round) : REAL(-5.0);
    }
    shards_share(c->shards, c->values);
    for (size_t i = 0; i < c->n; i++) good = good && c->values[i] == value(i, round);
  }
  assert_all(good);
}

/* To rank 0, and back: every rank gets its own part and nothing else. */
static void check_passing(Case *c) {
  bool good = true, root = comm_rank(world) == 0;
  for (size_t i = 0; i < c->n; i++) {
    c->values[i] = i >= c->first && i < c->end ? value(i, 4) : REAL(-5.0);
  }
  shards_collect(c->shards, c->values);
  for (size_t i = 0; i < c->n; i++) {
    bool own = i >= c->first && i < c->end;
    good = good && c->values[i] == (own || root ? value(i, 4) : REAL(-5.0));
    if (root) c->values[i] = value(i, 5);
  }
  shards_deal(c->shards, c->values);
  for (size_t i = 0; i < c->n; i++) {
    bool own = i >= c->first && i < c->end;
    good = good && c->values[i] == (own || root ? value(i, 5) : REAL(-5.0));
  }
  assert_all(good);
}

/* The bits of vector_dot, though this rank knows its own part only. */
static void check_norm(Case *c) {
  for (size_t i = 0; i < c->n; i++) c->values[i] = value(i, 9);
  double expected = sqrt(vector_dot(c->n, c->values, c->values));
  for (size_t i = 0; i < c->n; i++) {
    if (i < c->first || i >= c->end) c->values[i] = (real)NAN;
  }
  double norm = shards_norm(c->shards, c->values);
  assert_all(norm == expected);
}

static void check_lengths(int ranks_per_node) {
  char text[16];
  snprintf(text, sizeof text, "%d", ranks_per_node);
  setenv("SIREN_RANKS_PER_NODE", text, 1);
  for (int i = 0; i < N_LENGTHS; i++) {
    Case c;
    create(lengths[i], &c);
    check_parts(&c);
    check_sums(&c);
    check_sharing(&c);
    check_sums(&c);
    check_passing(&c);
    check_norm(&c);
    destroy(&c);
  }
  unsetenv("SIREN_RANKS_PER_NODE");
}

static void test_one_node(void **state) {
  (void)state;
  check_lengths(100);
}

/* Of 4 ranks: four nodes of one, two of two, one of three and one of one. */
static void test_pretended_nodes(void **state) {
  (void)state;
  for (int each = 1; each < comm_size(world); each++) check_lengths(each);
}

static void test_bytes(void **state) {
  (void)state;
  assert_all(shards_bytes(1 << 20, 1, 1) == 0);
  assert_all(shards_bytes(100, 2, 1) < shards_bytes(1 << 20, 2, 1));
  assert_all(shards_bytes(1 << 20, 4, 1) < 16e6 && shards_bytes(1 << 20, 4, 4) < 16e6);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_node),
      cmocka_unit_test(test_pretended_nodes),
      cmocka_unit_test(test_bytes),
  };
  mpi_check_main(argc, argv, tests);
}
