#include "experiments/source.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/suite.h"
#include "io/file.h"

static Status missing(const char *name) {
  const char *close = suite_suggest(name);
  return status_fail(STATUS_USAGE, "%s: no such file or experiment%s%s%s; see `siren list`", name,
                     close ? "; did you mean `" : "", close ? close : "", close ? "`?" : "");
}

static Status read_file(const char *path, char **text, size_t *length) {
  unsigned char *data = NULL;
  if (!file_exists(path)) return missing(path);
  TRY(file_read(path, &data, length));
  *text = (char *)data;
  return STATUS_OK;
}

/* Collective. */
static Status share_file(const Comm *comm, const char *path, char **text, size_t *length) {
  bool root = comm_rank(comm) == 0;
  TRY(comm_agree(comm, root ? read_file(path, text, length) : STATUS_OK));
  comm_broadcast(comm, length, sizeof *length);
  Status status = root ? STATUS_OK : memory_allocate(text, *length + 1, 1, "a configuration");
  status = comm_agree(comm, status);
  if (status == STATUS_OK) comm_broadcast(comm, *text, *length);
  return status;
}

Status source_load(const Comm *comm, const char *name, char **text, size_t *length) {
  const Experiment *experiment = suite_find(name);
  if (!experiment)
    return comm ? share_file(comm, name, text, length) : read_file(name, text, length);
  *length = strlen(experiment->yaml);
  TRY(memory_allocate(text, *length + 1, 1, "a configuration"));
  memcpy(*text, experiment->yaml, *length);
  return STATUS_OK;
}
