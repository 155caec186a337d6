#define _GNU_SOURCE /* fallocate */
#include "io/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

static Status fail(const char *path, const char *operation) {
  return status_fail(STATUS_FAILED, "%s: cannot %s: %s", path, operation, strerror(errno));
}

/* Signals (a time limit, SIGUSR1 of a batch system) may interrupt any call that waits. */
static int open_retry(const char *path, int flags) {
  int fd;
  do {
    fd = open(path, flags | O_CLOEXEC, 0666);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

static Status read_all(int fd, const char *path, size_t capacity, unsigned char **data,
                       size_t *length) {
  unsigned char *buffer = malloc(capacity + 1);
  size_t used = 0;
  while (buffer) {
    ssize_t got = read(fd, buffer + used, capacity - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      Status status = fail(path, "read");
      free(buffer);
      return status;
    }
    if (got == 0 && used < capacity) break;
    used += (size_t)got;
    if (used < capacity) continue;
    capacity *= 2; /* the file grew, or is a pipe */
    unsigned char *larger = realloc(buffer, capacity + 1);
    if (!larger) free(buffer);
    buffer = larger;
  }
  if (!buffer) return status_fail(STATUS_FAILED, "%s: out of memory while reading", path);
  buffer[used] = '\0';
  *data = buffer;
  *length = used;
  return STATUS_OK;
}

Status file_read(const char *path, unsigned char **data, size_t *length) {
  int fd = open_retry(path, O_RDONLY);
  if (fd < 0) return fail(path, "open");
  struct stat info;
  Status status;
  if (fstat(fd, &info) < 0) {
    status = fail(path, "read");
  } else if (S_ISDIR(info.st_mode)) {
    errno = EISDIR;
    status = fail(path, "read");
  } else {
    status = read_all(fd, path, (size_t)info.st_size + 1, data, length);
  }
  close(fd);
  return status;
}

Status file_open(const char *path, int *fd, int64_t *length) {
  /* Opening a pipe for reading would wait for a writer. */
  int opened = open_retry(path, O_RDONLY | O_NONBLOCK);
  if (opened < 0) return fail(path, "open");
  struct stat info;
  Status status = STATUS_OK;
  if (fstat(opened, &info) < 0) {
    status = fail(path, "read");
  } else if (!S_ISREG(info.st_mode)) {
    status = status_fail(STATUS_FAILED, "%s: is %s, not a file", path,
                         S_ISDIR(info.st_mode) ? "a directory" : "a device or pipe");
  } else if (info.st_size == 0) {
    status = status_fail(STATUS_FAILED, "%s: the file is empty", path);
  }
  if (status == STATUS_OK) {
    *fd = opened;
    *length = info.st_size;
  } else {
    close(opened);
  }
  return status;
}

Status file_read_next(int fd, const char *path, void *data, size_t length) {
  unsigned char *bytes = data;
  while (length > 0) {
    ssize_t got = read(fd, bytes, length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(path, "read");
    if (got == 0) return status_fail(STATUS_FAILED, "%s: cannot read: it became shorter", path);
    bytes += got;
    length -= (size_t)got;
  }
  return STATUS_OK;
}

static Status write_all(int fd, const char *path, const unsigned char *data, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, data, length);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(path, "write");
    data += written;
    length -= (size_t)written;
  }
  return STATUS_OK;
}

static Status flush(int fd, const char *path) {
  int result;
  do {
    result = fsync(fd);
  } while (result < 0 && errno == EINTR);
  /* A pipe or a special file system may not know fsync; then there is nothing to flush. */
  if (result < 0 && errno != EINVAL && errno != ENOTSUP) return fail(path, "flush to disk");
  return STATUS_OK;
}

/* The directory that a file is in. */
static void find_parent(const char *path, char parent[PATH_MAX]) {
  const char *slash = strrchr(path, '/');
  if (!slash) {
    snprintf(parent, PATH_MAX, ".");
  } else {
    snprintf(parent, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
  }
}

/* Makes a rename durable. */
static Status flush_parent(const char *path) {
  char parent[PATH_MAX];
  find_parent(path, parent);
  int fd = open_retry(parent, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fail(parent, "open the directory");
  Status status = flush(fd, parent);
  close(fd);
  return status;
}

static Status temporary_name(const char *path, char temporary[PATH_MAX]) {
  if (snprintf(temporary, PATH_MAX, "%s.tmp", path) >= PATH_MAX) {
    errno = ENAMETOOLONG;
    return fail(path, "write");
  }
  return STATUS_OK;
}

/* Flushes and closes, also where status is a failure already. */
static Status close_written(int fd, const char *path, Status status) {
  if (status == STATUS_OK) status = flush(fd, path);
  if (close(fd) < 0 && status == STATUS_OK) status = fail(path, "write");
  return status;
}

static Status create_file(const char *path, int *fd) {
  *fd = open_retry(path, O_WRONLY | O_CREAT | O_TRUNC);
  return *fd < 0 ? fail(path, "create") : STATUS_OK;
}

static Status write_file(const char *path, const void *data, size_t length) {
  int fd;
  TRY(create_file(path, &fd));
  return close_written(fd, path, write_all(fd, path, data, length));
}

Status file_rename(const char *from, const char *to) {
  if (rename(from, to) < 0) {
    return status_fail(STATUS_FAILED, "%s: cannot rename it to %s: %s", from, to, strerror(errno));
  }
  return flush_parent(to);
}

Status file_replace(const char *path, const void *data, size_t length) {
  char temporary[PATH_MAX];
  TRY(temporary_name(path, temporary));
  Status status = write_file(temporary, data, length);
  if (status == STATUS_OK) status = file_rename(temporary, path);
  if (status != STATUS_OK) unlink(temporary);
  return status;
}

struct FileStream {
  int fd;
  char path[PATH_MAX], temporary[PATH_MAX];
};

Status file_stream_open(const char *path, FileStream **stream) {
  char temporary[PATH_MAX];
  TRY(temporary_name(path, temporary));
  FileStream *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a file"));
  strcpy(made->path, path);
  strcpy(made->temporary, temporary);
  Status status = create_file(temporary, &made->fd);
  if (status != STATUS_OK) {
    free(made);
    return status;
  }
  *stream = made;
  return STATUS_OK;
}

Status file_stream_write(FileStream *stream, const void *data, size_t length) {
  return write_all(stream->fd, stream->temporary, data, length);
}

Status file_stream_write_at(FileStream *stream, int64_t at, const void *data, size_t length) {
  const unsigned char *bytes = data;
  while (length > 0) {
    ssize_t written = pwrite(stream->fd, bytes, length, at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(stream->temporary, "write");
    bytes += written;
    at += written;
    length -= (size_t)written;
  }
  return STATUS_OK;
}

/* Puts a temporary that is on disk in the place of `path`, whose old file becomes `previous`. */
static Status rotate(const char *temporary, const char *path, const char *previous) {
  bool moved = file_exists(path);
  if (moved && rename(path, previous) < 0) {
    return status_fail(STATUS_FAILED, "%s: cannot rename it to %s: %s", path, previous,
                       strerror(errno));
  }
  Status status = file_rename(temporary, path);
  /* Whatever failed, `path` exists if it did before. */
  if (status != STATUS_OK && moved && !file_exists(path) && rename(previous, path) < 0) {
    return status_prefix(status, "%s: only %s is left", path, previous);
  }
  return status;
}

static Status end_stream(FileStream *stream, const char *previous, Status status) {
  if (!stream) return status;
  status = close_written(stream->fd, stream->temporary, status);
  if (status == STATUS_OK && previous) {
    status = rotate(stream->temporary, stream->path, previous);
  } else if (status == STATUS_OK) {
    status = file_rename(stream->temporary, stream->path);
  }
  if (status != STATUS_OK) unlink(stream->temporary);
  free(stream);
  return status;
}

Status file_stream_close(FileStream *stream, Status status) {
  return end_stream(stream, NULL, status);
}

Status file_stream_rotate(FileStream *stream, const char *previous, Status status) {
  return end_stream(stream, previous, status);
}

Status file_reserve(int fd, const char *path, off_t from, off_t to) {
  static const char zeros[1 << 16];
  int result = fallocate(fd, FALLOC_FL_KEEP_SIZE, from, to - from);
  struct stat info;
  if (result < 0 && errno == EOPNOTSUPP && fstat(fd, &info) == 0) {
    if (from < info.st_size) from = info.st_size;
    for (ssize_t done = 1; from < to && done > 0; from += done) {
      size_t part = to - from < (off_t)sizeof zeros ? (size_t)(to - from) : sizeof zeros;
      result = (int)(done = pwrite(fd, zeros, part, from));
    }
  }
  if (result >= 0 || (errno != ENOSPC && errno != EDQUOT && errno != EFBIG)) return STATUS_OK;
  return status_fail(STATUS_FAILED, "%s: cannot write %.1f MB: %s", path, 1e-6 * (double)to,
                     strerror(errno));
}

Status file_settle(int fd, const char *temporary, const char *path) {
  struct stat info;
  if (fstat(fd, &info) < 0 || ftruncate(fd, info.st_size) < 0) return fail(temporary, "flush");
  TRY(flush(fd, temporary));
  return file_rename(temporary, path);
}

Status file_claim(const char *path, bool *mine) {
  int fd = open_retry(path, O_WRONLY | O_CREAT | O_EXCL);
  *mine = fd >= 0;
  if (fd >= 0) close(fd);
  return fd >= 0 || errno == EEXIST ? STATUS_OK : fail(path, "create");
}

Status file_remove_directory(const char *path) {
  DIR *directory = opendir(path);
  if (!directory) return errno == ENOENT ? STATUS_OK : fail(path, "open");
  Status status = STATUS_OK;
  for (struct dirent *entry; status == STATUS_OK && (entry = readdir(directory));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (unlinkat(dirfd(directory), entry->d_name, 0)) status = fail(path, "empty");
  }
  closedir(directory);
  TRY(status);
  return rmdir(path) ? fail(path, "remove") : STATUS_OK;
}

bool file_exists(const char *path) {
  return access(path, F_OK) == 0;
}

bool file_begins(const char *path, const void *bytes, size_t length) {
  unsigned char head[16];
  assert(length <= sizeof head);
  int fd = open_retry(path, O_RDONLY);
  if (fd < 0) return false;
  ssize_t got;
  do {
    got = read(fd, head, length);
  } while (got < 0 && errno == EINTR);
  close(fd);
  return got == (ssize_t)length && !memcmp(head, bytes, length);
}

static bool matches(const char *text, const char *const *patterns) {
  for (; *patterns; patterns++) {
    if (!fnmatch(*patterns, text, 0)) return true;
  }
  return false;
}

void file_remove_others(const char *path, const char *const *patterns) {
  char parent[PATH_MAX];
  find_parent(path, parent);
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  size_t length = strlen(name);
  DIR *directory = opendir(parent);
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    if (strncmp(entry->d_name, name, length) || !matches(entry->d_name + length, patterns))
      continue;
    unlinkat(dirfd(directory), entry->d_name, 0);
  }
  if (directory) closedir(directory);
}

static Status make_one(const char *path) {
  struct stat info;
  if (mkdir(path, 0777) == 0) return STATUS_OK;
  int reason = errno; /* a read-only file system may say EROFS where the directory exists */
  if (stat(path, &info) == 0) {
    if (S_ISDIR(info.st_mode)) return STATUS_OK;
    return status_fail(STATUS_FAILED, "%s: is not a directory", path);
  }
  errno = reason;
  return fail(path, "make the directory");
}

Status file_make_directory(const char *path) {
  char part[PATH_MAX];
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof part) {
    errno = length ? ENAMETOOLONG : ENOENT;
    return fail(path, "make the directory");
  }
  for (size_t i = 1; i <= length; i++) {
    if (path[i] != '/' && path[i] != '\0') continue;
    memcpy(part, path, i);
    part[i] = '\0';
    TRY(make_one(part));
  }
  if (access(path, W_OK | X_OK) < 0) return fail(path, "write to the directory");
  return STATUS_OK;
}

char *file_join(const char *directory, const char *name) {
  size_t length = strlen(directory);
  bool slash = length > 0 && directory[length - 1] != '/';
  char *path = malloc(length + strlen(name) + 2);
  assert(path);
  sprintf(path, "%s%s%s", directory, slash ? "/" : "", name);
  return path;
}

/* The holder's own words in the lock file; they may be missing (full disk). */
static Status fail_in_use(const char *directory, int fd) {
  char owner[200];
  ssize_t got = read(fd, owner, sizeof owner - 1);
  owner[got > 0 ? got : 0] = '\0';
  owner[strcspn(owner, "\n")] = '\0';
  return status_fail(STATUS_FAILED,
                     "%s is in use by %s: wait for it, end it, or use another output=", directory,
                     owner[0] ? owner : "another process");
}

static void write_owner(int fd) {
  char host[128] = "", owner[200];
  gethostname(host, sizeof host - 1);
  int length = snprintf(owner, sizeof owner, "process %ld on host %s\n", (long)getpid(), host);
  /* Only for the other side's message: the lock holds without it. */
  if (ftruncate(fd, 0) == 0 && pwrite(fd, owner, (size_t)length, 0) < 0) return;
}

Status file_lock(const char *directory, int *lock, char note[256]) {
  note[0] = '\0';
  char *path = file_join(directory, ".lock");
  int fd = open_retry(path, O_RDWR | O_CREAT);
  Status status = fd < 0 ? fail(path, "create") : STATUS_OK;
  free(path);
  TRY(status);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    write_owner(fd);
  } else if (errno == EWOULDBLOCK || errno == EACCES) {
    status = fail_in_use(directory, fd);
    close(fd);
    return status;
  } else {
    snprintf(note, 256, "%.120s: no file locks here (%.60s); do not run twice in it", directory,
             strerror(errno));
  }
  *lock = fd;
  return STATUS_OK;
}

void file_unlock(int lock) {
  close(lock);
}
