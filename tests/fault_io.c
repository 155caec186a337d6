/* A library for LD_PRELOAD that makes one file operation of a program fail, or kills the program in
 * it. Operations on paths that contain FAULT_PATH are counted: opening for writing, write, pwrite,
 * fsync, rename, each from 1 on. Environment:
 *   FAULT_AT      number of the operation that fails
 *   FAULT_KIND    a name of the table below
 *   FAULT_STICKY  set: all later writes and openings fail, too, as on a full disk
 *   FAULT_PATH    part of the paths that count
 *   FAULT_LOG     file that gets the name of the operation when the fault happens */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct {
  const char *name;
  int error;  /* errno of the failing call; 0: the call is done */
  bool half;  /* a write does half of its bytes first */
  bool death; /* the process dies there */
} Kind;

static const Kind kinds[] = {
    {"enospc", ENOSPC, false, false}, {"eio", EIO, false, false}, {"short", 0, true, false},
    {"torn", EIO, true, false},       {"kill", 0, true, true},
};

/* All of these replace functions of the C library, whose headers declare them. */
#define NEXT(function) ((__typeof__(function) *)dlsym(RTLD_NEXT, #function))

static bool path_counts(const char *path) {
  const char *part = getenv("FAULT_PATH");
  return part && getenv("FAULT_AT") && path && strstr(path, part);
}

static bool descriptor_counts(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = '\0';
  return path_counts(path);
}

static void log_operation(const char *operation) {
  const char *path = getenv("FAULT_LOG");
  if (!path) return;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  syscall(SYS_write, fd, operation, strlen(operation));
  syscall(SYS_close, fd);
}

/* The fault that the coming operation shall have, or NULL. */
static const Kind *next_fault(const char *operation, bool needs_space) {
  static int count;
  int at = atoi(getenv("FAULT_AT"));
  count++;
  if (count < at || (count > at && !(needs_space && getenv("FAULT_STICKY")))) return NULL;
  if (count == at) log_operation(operation);
  const char *name = getenv("FAULT_KIND");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (name && strcmp(kinds[i].name, name) == 0) return &kinds[i];
  }
  abort();
}

/* True when the operation shall not be done; errno is set. */
static bool refuse(const Kind *fault) {
  if (!fault) return false;
  if (fault->death) kill(getpid(), SIGKILL);
  errno = fault->error;
  return fault->error != 0;
}

ssize_t write(int fd, const void *data, size_t length) {
  const Kind *fault = length && descriptor_counts(fd) ? next_fault("write", true) : NULL;
  ssize_t written = -1;
  if (fault && fault->half) written = NEXT(write)(fd, data, (length + 1) / 2);
  if (refuse(fault)) return -1;
  return fault ? written : NEXT(write)(fd, data, length);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
  const Kind *fault = descriptor_counts(fd) ? next_fault("pwrite", true) : NULL;
  ssize_t written = -1;
  if (fault && fault->half) written = NEXT(pwrite)(fd, data, (length + 1) / 2, offset);
  if (refuse(fault)) return -1;
  return fault ? written : NEXT(pwrite)(fd, data, length, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
  return pwrite(fd, data, length, offset);
}

/* Vectors come from MPI libraries; they fail or are done as a whole. */
ssize_t pwritev(int fd, const struct iovec *vectors, int n, off_t offset) {
  if (descriptor_counts(fd) && refuse(next_fault("pwritev", true))) return -1;
  return NEXT(pwritev)(fd, vectors, n, offset);
}

ssize_t writev(int fd, const struct iovec *vectors, int n) {
  if (descriptor_counts(fd) && refuse(next_fault("writev", true))) return -1;
  return NEXT(writev)(fd, vectors, n);
}

int fsync(int fd) {
  if (descriptor_counts(fd) && refuse(next_fault("fsync", false))) return -1;
  return NEXT(fsync)(fd);
}

int rename(const char *from, const char *to) {
  if (path_counts(to) && refuse(next_fault("rename", false))) return -1;
  return NEXT(rename)(from, to);
}

static bool refuse_open(const char *path, int flags) {
  bool writes = (flags & O_ACCMODE) != O_RDONLY;
  return writes && path_counts(path) && refuse(next_fault("open", true));
}

static mode_t mode_argument(int flags, va_list arguments) {
  return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(function)                             \
  int function(const char *path, int flags, ...) { \
    va_list arguments;                             \
    va_start(arguments, flags);                    \
    mode_t mode = mode_argument(flags, arguments); \
    va_end(arguments);                             \
    if (refuse_open(path, flags)) return -1;       \
    return NEXT(function)(path, flags, mode);      \
  }
OPEN(open)
OPEN(open64)
