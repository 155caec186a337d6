#include "io/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "core/memory.h"

struct Spool {
  FILE *file;
  size_t record;
  char path[];
};

static Status failed(const Spool *spool, const char *operation) {
  return status_fail(STATUS_FAILED, "%s: cannot %s: %s", spool->path, operation, strerror(errno));
}

Status spool_create(const char *path, size_t record, Spool **spool) {
  Spool *made;
  TRY(memory_allocate(&made, 1, sizeof *made + strlen(path) + sizeof ".spool", "a spool"));
  sprintf(made->path, "%s.spool", path);
  made->record = record;
  made->file = fopen(made->path, "w+be");
  if (!made->file) {
    Status status = failed(made, "create");
    free(made);
    return status;
  }
  unlink(made->path);
  *spool = made;
  return STATUS_OK;
}

void spool_destroy(Spool *spool) {
  if (!spool) return;
  fclose(spool->file);
  free(spool);
}

Status spool_add(Spool *spool, const void *record) {
  if (fwrite(record, spool->record, 1, spool->file) == 1) return STATUS_OK;
  return failed(spool, "write");
}

/* Seeking writes what is still in memory. */
Status spool_read(Spool *spool, int64_t index, void *record) {
  if (fseeko(spool->file, (off_t)index * (off_t)spool->record, SEEK_SET)) {
    return failed(spool, "write");
  }
  if (fread(record, spool->record, 1, spool->file) == 1) return STATUS_OK;
  if (!ferror(spool->file)) errno = EIO;
  return failed(spool, "read");
}
