#include "mpi/comm.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"

struct Comm {
  MPI_Comm handle;
  int rank, size;
};

/* Elements of one MPI call: MPI counts in int, and reductions that leave the caches are slower. */
enum { PIECE = 1 << 18 };

/* What launchers tell their processes about the number of them. With more than one, a world of one
 * rank means that the launcher and the MPI library did not find each other; going on would run the
 * same job many times into the same files. */
static const struct {
  const char *variable, *advice;
} launchers[] = {
    {"SLURM_STEP_NUM_TASKS", "start with `srun --mpi=pmix`, or with mpirun"},
    {"PMI_SIZE", "start with the mpirun of the MPI library that the program was built with"},
};

/* For a process that sees no other. */
static Status check_alone(void) {
  for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++) {
    const char *tasks = getenv(launchers[i].variable);
    if (!tasks || atoi(tasks) <= 1) continue;
    return status_fail(STATUS_USAGE,
                       "%s tasks were started (%s), but this process sees no other: %s", tasks,
                       launchers[i].variable, launchers[i].advice);
  }
  return STATUS_OK;
}

/* Before MPI starts: Open MPI in a step of Slurm that offers no PMI (`srun --mpi=none`). Version 5
 * would start every task alone; 4 would end them all with many words, and even the only task of a
 * step (`srun --pty bash`), which may well start alone. Others find each other in their own ways.
 */
static Status check_step(void) {
  bool open_mpi = !strncmp(comm_library(), "Open MPI", 8);
  if (!open_mpi || !getenv("SLURM_STEP_ID") || getenv("PMIX_RANK") || getenv("PMI_RANK")) {
    return STATUS_OK;
  }
  TRY(check_alone());
  unsetenv("SLURM_STEP_ID");
  return STATUS_OK;
}

static Status make_comm(MPI_Comm handle, Comm **comm) {
  Comm *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a communicator"));
  made->handle = handle;
  MPI_Comm_rank(handle, &made->rank);
  MPI_Comm_size(handle, &made->size);
  *comm = made;
  return STATUS_OK;
}

static Status start_world(int provided, Comm **comm) {
  if (provided < MPI_THREAD_FUNNELED) {
    return status_fail(STATUS_FAILED,
                       "the MPI library (%s) has no support for threads: it needs "
                       "MPI_THREAD_FUNNELED",
                       comm_library());
  }
  int size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size == 1) TRY(check_alone());
  MPI_Comm handle;
  MPI_Comm_dup(MPI_COMM_WORLD, &handle);
  Status status = make_comm(handle, comm);
  if (status != STATUS_OK) MPI_Comm_free(&handle);
  return status;
}

/* With every file, Open MPI opens a shared file pointer, which nobody here asks for. Between ranks
 * of one node it prefers the kind `sm`, which locks a semaphore of the system that is called after
 * the file's last name alone, whatever its directory and job. A rank that is killed at that moment
 * leaves it locked, and then all later runs on the node whose files have that name (run.h5.tmp)
 * wait for ever. The other kinds, which runs of several nodes have anyway, use files beside the
 * file. As a priority, this leaves the choice to a user who makes one, in whichever way. */
static void prefer_files(void) {
  setenv("OMPI_MCA_sharedfp_sm_priority", "0", 0);
}

Status comm_start(int *argc, char ***argv, Comm **comm) {
  *comm = NULL;
  TRY(check_step());
  int provided;
  prefer_files();
  MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
  Status status = start_world(provided, comm);
  if (status != STATUS_OK) MPI_Finalize();
  return status;
}

void comm_finish(Comm *comm) {
  if (!comm) return;
  comm_release(comm);
  MPI_Finalize();
}

/* Collective. The handle becomes the part's own. */
static Status adopt(const Comm *comm, MPI_Comm handle, Comm **part) {
  *part = NULL;
  Status status = comm_agree(comm, make_comm(handle, part));
  if (status == STATUS_OK) return STATUS_OK;
  free(*part);
  *part = NULL;
  MPI_Comm_free(&handle);
  return status;
}

Status comm_split(const Comm *comm, int colour, Comm **part) {
  MPI_Comm handle;
  MPI_Comm_split(comm->handle, colour, comm->rank, &handle);
  return adopt(comm, handle, part);
}

static int most_ranks_per_node(void) {
  const char *text = getenv("SIREN_RANKS_PER_NODE");
  int ranks = text ? atoi(text) : 0;
  return ranks > 0 ? ranks : INT_MAX;
}

Status comm_split_node(const Comm *comm, Comm **node) {
  MPI_Comm real, handle;
  int rank;
  MPI_Comm_split_type(comm->handle, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &real);
  MPI_Comm_rank(real, &rank);
  MPI_Comm_split(real, rank / most_ranks_per_node(), rank, &handle);
  MPI_Comm_free(&real);
  return adopt(comm, handle, node);
}

Status comm_nodes(const Comm *comm, int *nodes) {
  Comm *node;
  TRY(comm_split_node(comm, &node));
  int64_t leaders = comm_rank(node) == 0;
  comm_release(node);
  comm_sum_int64(comm, &leaders, 1);
  *nodes = (int)leaders;
  return STATUS_OK;
}

void comm_release(Comm *part) {
  if (!part) return;
  MPI_Comm_free(&part->handle);
  free(part);
}

int comm_rank(const Comm *comm) {
  return comm->rank;
}

int comm_size(const Comm *comm) {
  return comm->size;
}

const char *comm_library(void) {
  static char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  MPI_Get_library_version(version, &length);
  version[strcspn(version, ",\n")] = '\0'; /* the rest tells who built it, and when */
  return version;
}

const char *comm_host(void) {
  static char name[MPI_MAX_PROCESSOR_NAME];
  int length;
  MPI_Get_processor_name(name, &length);
  return name;
}

void *comm_handle(const Comm *comm) {
  return (void *)&comm->handle;
}

Status comm_agree(const Comm *comm, Status status) {
  int first = status == STATUS_OK ? comm->size : comm->rank;
  MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm->handle);
  if (first == comm->size) return STATUS_OK;

  struct {
    int code;
    char message[2048];
  } failure = {.code = status};
  if (comm->rank == first) {
    snprintf(failure.message, sizeof failure.message, "%s", status_message());
  }
  MPI_Bcast(&failure, sizeof failure, MPI_BYTE, first, comm->handle);
  if (comm->size == 1) return (Status)failure.code;
  return status_fail((Status)failure.code, "rank %d: %s", first, failure.message);
}

static void reduce(const Comm *comm, void *values, size_t n, size_t bytes, MPI_Datatype type,
                   MPI_Op op) {
  for (size_t i = 0; comm->size > 1 && i < n; i += PIECE) {
    int count = n - i < PIECE ? (int)(n - i) : PIECE;
    MPI_Allreduce(MPI_IN_PLACE, (char *)values + i * bytes, count, type, op, comm->handle);
  }
}

void comm_sum_int64(const Comm *comm, int64_t *values, size_t n) {
  /* Unsigned, because the buffers of the exact sum wrap around. */
  reduce(comm, values, n, sizeof *values, MPI_UINT64_T, MPI_SUM);
}

void comm_max_double(const Comm *comm, double *values, size_t n) {
  reduce(comm, values, n, sizeof *values, MPI_DOUBLE, MPI_MAX);
}

void comm_broadcast(const Comm *comm, void *data, size_t bytes) {
  for (size_t i = 0; i < bytes; i += PIECE) {
    int count = bytes - i < PIECE ? (int)(bytes - i) : PIECE;
    MPI_Bcast((char *)data + i, count, MPI_BYTE, 0, comm->handle);
  }
}

void comm_barrier(const Comm *comm) {
  MPI_Barrier(comm->handle);
}

void comm_rest(const Comm *comm) {
  const struct timespec pause = {.tv_nsec = 1000000};
  MPI_Request request;
  MPI_Ibarrier(comm->handle, &request);
  for (int done = 0;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    nanosleep(&pause, NULL);
  }
}

void comm_abort(const Comm *comm, int code) {
  fflush(NULL);
  MPI_Abort(comm ? comm->handle : MPI_COMM_WORLD, code);
  abort(); /* MPI_Abort does not return; the compiler cannot know */
}
