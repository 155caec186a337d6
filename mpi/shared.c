#include "mpi/shared.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "core/memory.h"
#include "core/real.h"

struct Shared {
  const Comm *comm;
  MPI_Comm node;    /* the ranks that have it in common */
  MPI_Win window;   /* MPI_WIN_NULL: this rank has it alone */
  void *allocation; /* then to be freed; else NULL */
  unsigned char *data;
  size_t bytes;
};

/* Shared windows are files in this memory file system, which containers tend to keep small. */
static bool windows_fit(double bytes) {
  struct statvfs info;
  if (statvfs("/dev/shm", &info)) return false;
  return (double)info.f_bavail * (double)info.f_frsize > bytes + (1 << 20);
}

/* Local. Ranks of a node that would get one copy each. */
static Status check_memory(double bytes, int copies, const char *what) {
  double available = memory_available();
  if (available == 0 || bytes * copies < available) return STATUS_OK;
  return status_fail(
      STATUS_FAILED, "out of memory: %.1f MB for %s%s, and this node has %.1f MB left",
      1e-6 * bytes * copies, what,
      copies > 1 ? " (a copy for each rank: /dev/shm is too small)" : "", 1e-6 * available);
}

static Status create_alone(Shared *shared, size_t bytes, const char *what) {
  TRY(memory_allocate(&shared->allocation, bytes, 1, what));
  shared->data = shared->allocation;
  return STATUS_OK;
}

/* Collective over the node. The segment is page-aligned on every rank, so that the same number of
 * bytes leads to the boundary. */
static Status create_window(Shared *shared, size_t bytes, const char *what) {
  int rank, unit;
  unsigned char *base = NULL;
  MPI_Aint size;
  MPI_Comm_rank(shared->node, &rank);
  MPI_Aint mine = rank == 0 ? (MPI_Aint)(bytes + REAL_ALIGN) : 0;
  if (MPI_Win_allocate_shared(mine, 1, MPI_INFO_NULL, shared->node, &base, &shared->window)) {
    shared->window = MPI_WIN_NULL;
    return status_fail(STATUS_FAILED, "out of memory: %.1f MB shared by a node's ranks for %s",
                       1e-6 * (double)bytes, what);
  }
  MPI_Win_shared_query(shared->window, 0, &size, &unit, &base);
  MPI_Win_lock_all(MPI_MODE_NOCHECK, shared->window);
  unsigned long pad = (REAL_ALIGN - (size_t)base % REAL_ALIGN) % REAL_ALIGN;
  MPI_Bcast(&pad, 1, MPI_UNSIGNED_LONG, 0, shared->node);
  shared->data = base + pad;
  return STATUS_OK;
}

/* Collective over the node: in common where there is more than one rank and room for a window. */
static Status create(Shared *shared, size_t bytes, const char *what) {
  int ranks, rank, plan[2] = {0, STATUS_OK}; /* a window?, may it be done? */
  MPI_Comm_size(shared->node, &ranks);
  MPI_Comm_rank(shared->node, &rank);
  if (rank == 0) {
    plan[0] = ranks > 1 && windows_fit((double)bytes);
    plan[1] = (int)check_memory((double)bytes, plan[0] ? 1 : ranks, what);
  }
  MPI_Bcast(plan, 2, MPI_INT, 0, shared->node);
  if (plan[1] != STATUS_OK) {
    if (rank == 0) return (Status)plan[1];
    return status_fail(STATUS_FAILED, "out of memory: %.1f MB for %s", 1e-6 * (double)bytes, what);
  }
  if (plan[0]) return create_window(shared, bytes, what);
  MPI_Comm_free(&shared->node);
  MPI_Comm_dup(MPI_COMM_SELF, &shared->node);
  return create_alone(shared, bytes, what);
}

Status shared_create(const Comm *comm, size_t bytes, const char *what, Shared **result) {
  Shared *shared = NULL;
  TRY(comm_agree(comm, memory_allocate(&shared, 1, sizeof *shared, what)));
  shared->comm = comm;
  shared->bytes = bytes;
  shared->window = MPI_WIN_NULL;
  MPI_Comm_split_type(*(MPI_Comm *)comm_handle(comm), MPI_COMM_TYPE_SHARED, comm_rank(comm),
                      MPI_INFO_NULL, &shared->node);
  MPI_Comm_set_errhandler(shared->node, MPI_ERRORS_RETURN);
  Status status = comm_agree(comm, create(shared, bytes, what));
  if (status == STATUS_OK) {
    *result = shared;
  } else {
    shared_destroy(shared);
  }
  return status;
}

void shared_destroy(Shared *shared) {
  if (!shared) return;
  if (shared->window != MPI_WIN_NULL) {
    MPI_Win_unlock_all(shared->window);
    MPI_Win_free(&shared->window);
  }
  MPI_Comm_free(&shared->node);
  free(shared->allocation);
  free(shared);
}

void *shared_data(const Shared *shared) {
  return shared->data;
}

double shared_bytes(const Shared *shared) {
  return shared->window != MPI_WIN_NULL ? (double)shared->bytes : 0;
}

bool shared_leader(const Shared *shared) {
  int rank;
  MPI_Comm_rank(shared->node, &rank);
  return rank == 0;
}

int64_t shared_part(const Shared *shared, int64_t n, int64_t *first) {
  int rank, ranks;
  MPI_Comm_rank(shared->node, &rank);
  MPI_Comm_size(shared->node, &ranks);
  *first = n / ranks * rank + n % ranks * rank / ranks;
  return n / ranks * (rank + 1) + n % ranks * (rank + 1) / ranks - *first;
}

Status shared_ready(const Shared *shared, Status status) {
  if (shared->window != MPI_WIN_NULL) MPI_Win_sync(shared->window);
  status = comm_agree(shared->comm, status); /* every rank waits for every other one here */
  if (shared->window != MPI_WIN_NULL) MPI_Win_sync(shared->window);
  return status;
}

void shared_barrier(const Shared *shared) {
  if (shared->window != MPI_WIN_NULL) MPI_Win_sync(shared->window);
  MPI_Barrier(shared->node);
  if (shared->window != MPI_WIN_NULL) MPI_Win_sync(shared->window);
}
