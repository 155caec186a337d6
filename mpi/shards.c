#include "mpi/shards.h"

#include <assert.h>
#include <math.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/vector.h"
#include "mpi/shared.h"

#if REAL_IS_DOUBLE
#define MPI_REAL_TYPE MPI_DOUBLE
#else
#define MPI_REAL_TYPE MPI_FLOAT
#endif

/* Elements of the room in the node's memory through which parts travel, of each rank: few enough to
 * stay in caches. There are two such rooms, so that one barrier a round is enough. STAGE: the same
 * for messages to other nodes. */
enum { ROOM = 1 << 17, ROOMS = 2, STAGE = 1 << 19 };

/* Elements first ... end - 1. */
typedef struct {
  size_t first, end;
} Range;

struct Shards {
  const Comm *comm;
  size_t n;
  Comm *node;                 /* ranks with memory in common; this one alone where there are none */
  Comm *peers;                /* those with the same rank in their nodes */
  Shared *memory;             /* of the node: [ranks][ROOMS][ROOM] int64, NULL: it has one rank */
  int room;                   /* the next one to use */
  uint64_t *stage, *received; /* messages to other nodes: [nodes][piece], [piece] */
};

static void *communicator(const Comm *comm) {
  return comm_handle(comm);
}

/* ---- Parts ---- */

/* The part of a peer, and all parts of a rank of the node: its slice. */
static Range part_of(const Shards *s, int node_rank, int peer) {
  Range range;
  int nodes = comm_size(s->peers);
  vector_part(s->n, node_rank * nodes + peer, comm_size(s->comm), &range.first, &range.end);
  return range;
}

static Range slice_of(const Shards *s, int node_rank) {
  return (Range){part_of(s, node_rank, 0).first,
                 part_of(s, node_rank, comm_size(s->peers) - 1).end};
}

void shards_part(const Shards *s, size_t *first, size_t *end) {
  Range own = part_of(s, comm_rank(s->node), comm_rank(s->peers));
  *first = own.first;
  *end = own.end;
}

/* The round-th piece of a range. */
static Range piece_of(Range range, size_t piece, size_t round) {
  size_t first = range.first + round * piece, end = first + piece;
  return (Range){first < range.end ? first : range.end, end < range.end ? end : range.end};
}

static size_t longest_of(const Shards *s, Range (*range)(const Shards *, int), int count) {
  size_t longest = 0;
  for (int i = 0; i < count; i++) {
    Range r = range(s, i);
    if (r.end - r.first > longest) longest = r.end - r.first;
  }
  return longest;
}

/* How ranges go through a place that has room for so many elements of each: in pieces, the same
 * number of rounds for all. */
typedef struct {
  size_t piece, rounds;
} Plan;

static Plan plan(const Shards *s, Range (*range)(const Shards *, int), int count, size_t room) {
  size_t longest = longest_of(s, range, count), piece = longest < room ? longest : room;
  return (Plan){piece, piece ? (longest + piece - 1) / piece : 0};
}

/* ---- Within a node ---- */

static uint64_t *room_of(const Shards *s, int node_rank) {
  uint64_t *memory = shared_data(s->memory);
  return memory + ((size_t)node_rank * ROOMS + (size_t)s->room) * ROOM;
}

static void copy(void *to, const void *from, size_t bytes) {
  enum { BLOCK = 1 << 16 };
#pragma omp parallel for schedule(static) if (bytes > BLOCK)
  for (size_t at = 0; at < bytes; at += BLOCK) {
    memcpy((char *)to + at, (const char *)from + at, bytes - at < BLOCK ? bytes - at : BLOCK);
  }
}

static void add(uint64_t *to, const uint64_t *from, size_t count) {
#pragma omp parallel for simd schedule(static) if (parallel : count > 1 << 14)
  for (size_t i = 0; i < count; i++) to[i] += from[i];
}

/* Collective over the node. The own slice becomes the node's sum. A round's addends for another
 * rank lie in its place of this rank's room. */
static void sum_node(Shards *s, uint64_t *values) {
  int ranks = comm_size(s->node), me = comm_rank(s->node);
  if (ranks == 1) return;
  Plan p = plan(s, slice_of, ranks, ROOM / (size_t)ranks);
  for (size_t round = 0; round < p.rounds; round++) {
    for (int r = 0; r < ranks; r++) {
      Range theirs = piece_of(slice_of(s, r), p.piece, round);
      if (r == me) continue;
      copy(room_of(s, me) + (size_t)r * p.piece, values + theirs.first,
           (theirs.end - theirs.first) * sizeof *values);
    }
    shared_barrier(s->memory);
    Range own = piece_of(slice_of(s, me), p.piece, round);
    for (int r = 0; r < ranks; r++) {
      if (r == me) continue;
      add(values + own.first, room_of(s, r) + (size_t)me * p.piece, own.end - own.first);
    }
    s->room = !s->room;
  }
}

/* Collective over the node. Every rank gets the others' slices. */
static void share_node(Shards *s, real *values) {
  int ranks = comm_size(s->node), me = comm_rank(s->node);
  if (ranks == 1) return;
  Plan p = plan(s, slice_of, ranks, ROOM * sizeof(uint64_t) / sizeof(real));
  for (size_t round = 0; round < p.rounds; round++) {
    Range own = piece_of(slice_of(s, me), p.piece, round);
    copy(room_of(s, me), values + own.first, (own.end - own.first) * sizeof *values);
    shared_barrier(s->memory);
    for (int r = 0; r < ranks; r++) {
      Range theirs = piece_of(slice_of(s, r), p.piece, round);
      if (r == me) continue;
      copy(values + theirs.first, room_of(s, r), (theirs.end - theirs.first) * sizeof *values);
    }
    s->room = !s->room;
  }
}

/* ---- Between nodes ---- */

static Range peer_part(const Shards *s, int peer) {
  return part_of(s, comm_rank(s->node), peer);
}

/* Collective over the peers. Parts that are shorter than a piece leave the rest of it as it is. */
static void sum_peers(Shards *s, uint64_t *values) {
  int nodes = comm_size(s->peers), me = comm_rank(s->peers);
  if (nodes == 1) return;
  Plan p = plan(s, peer_part, nodes, STAGE / (size_t)nodes);
  MPI_Comm *peers = communicator(s->peers);
  for (size_t round = 0; round < p.rounds; round++) {
    for (int i = 0; i < nodes; i++) {
      Range theirs = piece_of(peer_part(s, i), p.piece, round);
      copy(s->stage + (size_t)i * p.piece, values + theirs.first,
           (theirs.end - theirs.first) * sizeof *values);
    }
    MPI_Reduce_scatter_block(s->stage, s->received, (int)p.piece, MPI_UINT64_T, MPI_SUM, *peers);
    Range own = piece_of(peer_part(s, me), p.piece, round);
    copy(values + own.first, s->received, (own.end - own.first) * sizeof *values);
  }
}

/* Collective over the peers. */
static void share_peers(Shards *s, real *values) {
  int nodes = comm_size(s->peers), me = comm_rank(s->peers);
  if (nodes == 1) return;
  real *stage = (real *)s->stage, *sent = (real *)s->received;
  Plan p = plan(s, peer_part, nodes, STAGE / (size_t)nodes);
  MPI_Comm *peers = communicator(s->peers);
  for (size_t round = 0; round < p.rounds; round++) {
    Range own = piece_of(peer_part(s, me), p.piece, round);
    copy(sent, values + own.first, (own.end - own.first) * sizeof *values);
    MPI_Allgather(sent, (int)p.piece, MPI_REAL_TYPE, stage, (int)p.piece, MPI_REAL_TYPE, *peers);
    for (int i = 0; i < nodes; i++) {
      Range theirs = piece_of(peer_part(s, i), p.piece, round);
      copy(values + theirs.first, stage + (size_t)i * p.piece,
           (theirs.end - theirs.first) * sizeof *values);
    }
  }
}

/* ---- All ranks ---- */

void shards_sum(Shards *s, int64_t *values) {
  sum_node(s, (uint64_t *)values);
  sum_peers(s, (uint64_t *)values);
}

void shards_share(Shards *s, real *values) {
  share_peers(s, values);
  share_node(s, values);
}

/* Sends or receives a range of values, in pieces that MPI can count. */
static void pass(MPI_Comm comm, int peer, bool send, Range range, real *values) {
  enum { PIECE = 1 << 26 };
  for (size_t first = range.first; first < range.end; first += PIECE) {
    int count = (int)(range.end - first < PIECE ? range.end - first : PIECE);
    if (send) {
      MPI_Send(values + first, count, MPI_REAL_TYPE, peer, 1, comm);
    } else {
      MPI_Recv(values + first, count, MPI_REAL_TYPE, peer, 1, comm, MPI_STATUS_IGNORE);
    }
  }
}

/* The other ranks' parts, to rank 0 or from it. */
static void pass_parts(const Shards *s, bool to_root, real *values) {
  MPI_Comm comm = *(MPI_Comm *)communicator(s->comm);
  Range part;
  shards_part(s, &part.first, &part.end);
  if (comm_rank(s->comm) > 0) {
    MPI_Send(&part, sizeof part, MPI_BYTE, 0, 0, comm);
    pass(comm, 0, to_root, part, values);
    return;
  }
  for (int rank = 1; rank < comm_size(s->comm); rank++) {
    MPI_Recv(&part, sizeof part, MPI_BYTE, rank, 0, comm, MPI_STATUS_IGNORE);
    pass(comm, rank, !to_root, part, values);
  }
}

void shards_collect(Shards *s, real *values) {
  pass_parts(s, true, values);
}

void shards_deal(Shards *s, real *values) {
  pass_parts(s, false, values);
}

double shards_norm(const Shards *s, const real *values) {
  double partial[VECTOR_CHUNKS];
  int64_t bits[VECTOR_CHUNKS]; /* of each, 0 on all ranks but one */
  static_assert(sizeof bits == sizeof partial, "a sum of integers carries doubles");
  size_t first, end;
  shards_part(s, &first, &end);
  vector_dot_part(s->n, values, values, first, end, partial);
  memcpy(bits, partial, sizeof bits);
  comm_sum_int64(s->comm, bits, VECTOR_CHUNKS);
  memcpy(partial, bits, sizeof bits);
  return sqrt(vector_sum(partial));
}

/* ---- Creation ---- */

/* Collective. A rank alone is a node that every machine has. */
static Status be_alone(Shards *s) {
  comm_release(s->node);
  s->node = NULL;
  return comm_split(s->comm, comm_rank(s->comm), &s->node);
}

/* Collective. */
static Status find_node(Shards *s) {
  TRY(comm_split_node(s->comm, &s->node));
  double size[2] = {comm_size(s->node), -comm_size(s->node)};
  comm_max_double(s->comm, size, 2);
  bool even = size[0] == -size[1] && size[0] <= ROOM;
  return even ? STATUS_OK : be_alone(s);
}

/* Collective. All nodes share, or none. */
static Status share_memory(Shards *s) {
  size_t ranks = (size_t)comm_size(s->node);
  if (ranks == 1) return STATUS_OK;
  TRY(comm_agree(s->comm, shared_create(s->node, ranks * ROOMS * ROOM * sizeof(uint64_t),
                                        "sums over ranks", &s->memory)));
  double alone = shared_bytes(s->memory) == 0;
  comm_max_double(s->comm, &alone, 1);
  if (alone == 0) return STATUS_OK;
  shared_destroy(s->memory);
  s->memory = NULL;
  return be_alone(s);
}

/* Collective. */
static Status create(Shards *s) {
  TRY(find_node(s));
  TRY(share_memory(s));
  TRY(comm_split(s->comm, comm_rank(s->node), &s->peers));
  if (comm_size(s->peers) == 1) return STATUS_OK;
  const char *what = "sums over nodes";
  Status status = memory_allocate(&s->stage, STAGE, sizeof *s->stage, what);
  if (status == STATUS_OK) {
    status = memory_allocate(&s->received, STAGE / (size_t)comm_size(s->peers), sizeof *s->received,
                             what);
  }
  return comm_agree(s->comm, status);
}

Status shards_create(const Comm *comm, size_t n, Shards **shards) {
  Shards *s = NULL;
  TRY(comm_agree(comm, memory_allocate(&s, 1, sizeof *s, "sums over ranks")));
  s->comm = comm;
  s->n = n;
  Status status = create(s);
  if (status == STATUS_OK) {
    *shards = s;
  } else {
    shards_destroy(s);
  }
  return status;
}

void shards_destroy(Shards *s) {
  if (!s) return;
  shared_destroy(s->memory);
  comm_release(s->peers);
  comm_release(s->node);
  free(s->stage);
  free(s->received);
  free(s);
}

double shards_bytes(size_t n, int ranks, int nodes) {
  double room = fmin(ROOM, (double)n), members = ceil((double)ranks / nodes), elements = 0;
  if (members > 1) elements += members * ROOMS * room;
  if (nodes > 1) elements += STAGE + (double)STAGE / nodes;
  return elements * sizeof(uint64_t);
}
