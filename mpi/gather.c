#include "mpi/gather.h"

#include <assert.h>
#include <limits.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { GATHER_TAG = 71, STREAM_TAG = 72, GATHER_PIECE = 1 << 28 };

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

/* Synchronous: nobody fills rank 0's memory before its turn. */
static void send_stream(MPI_Comm world, const CommStream *stream, unsigned char *buffer,
                        size_t capacity) {
  size_t length;
  do {
    length = stream->produce(stream->context, buffer, capacity);
    MPI_Ssend(buffer, (int)length, MPI_BYTE, 0, STREAM_TAG, world);
  } while (length);
}

/* The next buffer of a rank's stream; 0 at its end. */
static size_t next_buffer(MPI_Comm world, int rank, const CommStream *stream, unsigned char *buffer,
                          size_t capacity) {
  if (rank == 0) return stream->produce(stream->context, buffer, capacity);
  MPI_Status status;
  int length;
  MPI_Recv(buffer, (int)capacity, MPI_BYTE, rank, STREAM_TAG, world, &status);
  MPI_Get_count(&status, MPI_BYTE, &length);
  return (size_t)length;
}

/* After a failure the senders are heard to their end: they wait to be received. */
static Status receive_streams(const Comm *comm, const CommStream *stream, unsigned char *buffer,
                              size_t capacity) {
  MPI_Comm world = *(MPI_Comm *)comm_handle(comm);
  Status status = STATUS_OK;
  for (int rank = 0; rank < comm_size(comm); rank++) {
    size_t length;
    while ((length = next_buffer(world, rank, stream, buffer, capacity))) {
      if (status == STATUS_OK) status = stream->consume(stream->context, buffer, length);
    }
  }
  return status;
}

Status comm_stream(const Comm *comm, const CommStream *stream, size_t capacity) {
  assert(capacity > 0 && capacity <= INT_MAX);
  unsigned char *buffer = NULL;
  Status status = comm_agree(comm, memory_allocate(&buffer, capacity, 1, "a buffer"));
  if (status == STATUS_OK) {
    if (comm_rank(comm) == 0) {
      status = receive_streams(comm, stream, buffer, capacity);
    } else {
      send_stream(*(MPI_Comm *)comm_handle(comm), stream, buffer, capacity);
    }
    status = comm_agree(comm, status);
  }
  free(buffer);
  return status;
}
