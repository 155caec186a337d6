#include "mpi/gather.h"

#include <mpi.h>
#include <string.h>

enum { GATHER_TAG = 71, GATHER_PIECE = 1 << 28 };

static int piece(size_t n) {
  return n < GATHER_PIECE ? (int)n : GATHER_PIECE;
}

static void send_floats(MPI_Comm world, const float *mine, size_t n) {
  for (size_t done = 0; done < n; done += (size_t)piece(n - done)) {
    MPI_Send(mine + done, piece(n - done), MPI_FLOAT, 0, GATHER_TAG, world);
  }
}

static void receive_floats(MPI_Comm world, int rank, float *all, size_t n) {
  for (size_t done = 0; done < n; done += (size_t)piece(n - done)) {
    MPI_Recv(all + done, piece(n - done), MPI_FLOAT, rank, GATHER_TAG, world, MPI_STATUS_IGNORE);
  }
}

/* Point to point, one rank after the other: MPI_Gatherv counts in ints, which whole fields may
 * exceed. */
void comm_gather_float(const Comm *comm, const float *mine, size_t n, float *all) {
  MPI_Comm world = *(MPI_Comm *)comm_handle(comm);
  if (comm_rank(comm) > 0) {
    unsigned long long count = n;
    MPI_Send(&count, 1, MPI_UNSIGNED_LONG_LONG, 0, GATHER_TAG, world);
    send_floats(world, mine, n);
    return;
  }
  if (n) memcpy(all, mine, n * sizeof *all);
  size_t place = n;
  for (int rank = 1; rank < comm_size(comm); rank++) {
    unsigned long long count;
    MPI_Recv(&count, 1, MPI_UNSIGNED_LONG_LONG, rank, GATHER_TAG, world, MPI_STATUS_IGNORE);
    receive_floats(world, rank, all + place, count);
    place += count;
  }
}
