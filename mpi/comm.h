/* The communicator, and agreement on errors. The only folder that names MPI (beside io/ for
 * parallel HDF5). Works without mpirun as one rank. */
#ifndef MPI_COMM_H
#define MPI_COMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct Comm Comm;

/* Collective. Starts MPI (funneled) and gives the world. Fails (STATUS_USAGE) on a broken launch: a
 * Slurm step with several tasks whose processes do not see each other; the message says how to
 * start it. On failure MPI has ended or not begun, and *comm is NULL. */
Status comm_start(int *argc, char ***argv, Comm **comm);

/* Collective. Ends MPI; comm may be NULL. Every rank must come here: errors are agreed upon before
 * (comm_agree), or the job ends by comm_abort. */
void comm_finish(Comm *comm);

/* Collective. Groups of ranks with equal colour >= 0, in the order of their ranks. Release with
 * comm_release. */
Status comm_split(const Comm *comm, int colour, Comm **part);

/* Collective. The ranks of one node, as comm_split makes them. For tests and experiments the
 * environment's SIREN_RANKS_PER_NODE=N makes nodes of N ranks out of each real one. */
Status comm_split_node(const Comm *comm, Comm **node);

/* Collective over the part; comm may be NULL. */
void comm_release(Comm *part);

/* Local. */
int comm_rank(const Comm *comm);
int comm_size(const Comm *comm);
const char *comm_library(void);      /* e.g. "Open MPI v4.1.4" */
const char *comm_host(void);         /* the node's name */
void *comm_handle(const Comm *comm); /* pointer to the MPI_Comm, for io/ only */

/* Collective. Number of nodes that the ranks are on, as comm_split_node has them. */
Status comm_nodes(const Comm *comm, int *nodes);

/* Collective. Every rank brings its status; all leave with the same one: OK if all are OK, else the
 * first failing rank's code and message (with "rank N: " before it where there are several ranks).
 * No hang whoever failed. */
Status comm_agree(const Comm *comm, Status status);

/* Collective. In place, any n (split into pieces below MPI's int limit). The sum over the ranks is
 * modulo 2^64. */
void comm_sum_int64(const Comm *comm, int64_t *values, size_t n);
void comm_max_double(const Comm *comm, double *values, size_t n);

/* Collective. Bytes from rank 0 to all. */
void comm_broadcast(const Comm *comm, void *data, size_t bytes);
void comm_barrier(const Comm *comm);

/* Collective. A barrier in which those who wait sleep, and leave their CPU to others; they wake up
 * about a millisecond late. */
void comm_rest(const Comm *comm);

/* Local. Ends the job at once with this exit code, for a failure inside which no agreement is
 * possible. */
_Noreturn void comm_abort(const Comm *comm, int code);

#endif
