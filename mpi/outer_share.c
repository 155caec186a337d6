#include "mpi/outer_share.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "mpi/shared.h"

struct OuterShare {
  const Comm *comm;
  const Outer *outer;
  int threads;
  Comm *node;     /* whose ranks have the factors in common */
  Shared *memory; /* of the node */
  Comm *nodes;    /* one rank of each node; the others are among themselves */
  bool leader;    /* one of these */
  size_t size;    /* reals of u's and v's, padded to whole words of 64 bits */
  OuterFactors factors;
  real **scratch; /* [threads][outer_scratch] */
  double *square; /* [chunks] */
};

static size_t u_reals(const Outer *outer) {
  return real_aligned((size_t)outer->items * outer->u_size);
}

static size_t v_reals(const Outer *outer) {
  return real_aligned((size_t)outer->items * outer->v_size);
}

double outer_share_node_bytes(const Outer *outer) {
  return (double)(u_reals(outer) + v_reals(outer)) * sizeof(real);
}

double outer_share_rank_bytes(const Outer *outer, int threads) {
  return (double)threads * (double)memory_footprint(outer_scratch(outer) * sizeof(real)) +
         (double)memory_footprint((size_t)outer_chunks(outer) * sizeof(double));
}

static Status allocate(OuterShare *share) {
  const char *what = "the norm of outer products";
  size_t threads = (size_t)share->threads;
  TRY(memory_allocate(&share->square, (size_t)outer_chunks(share->outer), sizeof(double), what));
  TRY(memory_allocate(&share->scratch, threads, sizeof(real *), what));
  for (size_t t = 0; t < threads; t++) {
    TRY(memory_allocate(&share->scratch[t], outer_scratch(share->outer), sizeof(real), what));
  }
  return STATUS_OK;
}

/* Collective. */
static Status create(OuterShare *share) {
  TRY(comm_agree(share->comm, allocate(share)));
  TRY(comm_split_node(share->comm, &share->node));
  TRY(comm_agree(share->comm, shared_create(share->node, share->size * sizeof(real),
                                            "the factors of a step's items", &share->memory)));
  share->factors.u = shared_data(share->memory);
  share->factors.v = share->factors.u + u_reals(share->outer);
  share->leader = shared_leader(share->memory);
  return comm_split(share->comm, !share->leader, &share->nodes);
}

Status outer_share_create(const Comm *comm, const Outer *outer, int threads, OuterShare **result) {
  OuterShare *share = NULL;
  TRY(comm_agree(comm, memory_allocate(&share, 1, sizeof *share, "factors")));
  *share = (OuterShare){
      .comm = comm, .outer = outer, .threads = threads, .size = u_reals(outer) + v_reals(outer)};
  Status status = create(share);
  if (status == STATUS_OK) {
    *result = share;
  } else {
    outer_share_destroy(share);
  }
  return status;
}

void outer_share_destroy(OuterShare *share) {
  if (!share) return;
  for (int t = 0; share->scratch && t < share->threads; t++) free(share->scratch[t]);
  free(share->scratch);
  free(share->square);
  comm_release(share->nodes);
  shared_destroy(share->memory);
  comm_release(share->node);
  free(share);
}

const OuterFactors *outer_share_factors(const OuterShare *share) {
  return &share->factors;
}

/* Several nodes add up what each has: the others' items are 0. */
static bool exchanges(const OuterShare *share) {
  return share->leader && comm_size(share->nodes) > 1;
}

void outer_share_begin(OuterShare *share) {
  shared_barrier(share->memory); /* others may still be at work with the last ones */
  if (exchanges(share)) memset(share->factors.u, 0, share->size * sizeof(real));
  shared_barrier(share->memory);
}

/* Collective. Every thread looks at a part of the items. */
static int find_nonfinite(const OuterShare *share) {
  int64_t items = share->outer->items, ranks = comm_size(share->comm);
  int tensors = share->outer->n_tensors, first = tensors;
#pragma omp parallel for schedule(static) reduction(min : first) num_threads(share->threads)
  for (int64_t i = comm_rank(share->comm); i < items; i += ranks) {
    int found = outer_nonfinite(share->outer, &share->factors, i, i + 1);
    first = found < first ? found : first;
  }
  double before_end = tensors - first;
  comm_max_double(share->comm, &before_end, 1);
  return tensors - (int)before_end;
}

int outer_share_end(OuterShare *share) {
  shared_barrier(share->memory);
  if (exchanges(share)) {
    comm_sum_int64(share->nodes, (int64_t *)share->factors.u,
                   share->size * sizeof(real) / sizeof(int64_t));
  }
  shared_barrier(share->memory);
  return find_nonfinite(share);
}

double outer_share_square(OuterShare *share) {
  int chunks = outer_chunks(share->outer), ranks = comm_size(share->comm);
  memset(share->square, 0, (size_t)chunks * sizeof *share->square);
#pragma omp parallel for schedule(dynamic) num_threads(share->threads)
  for (int chunk = comm_rank(share->comm); chunk < chunks; chunk += ranks) {
    share->square[chunk] = outer_chunk_square(share->outer, &share->factors, chunk,
                                              share->scratch[omp_get_thread_num()]);
  }
  comm_sum_int64(share->comm, (int64_t *)share->square, (size_t)chunks);
  double sum = 0;
  for (int chunk = 0; chunk < chunks; chunk++) sum += share->square[chunk];
  return sum;
}
