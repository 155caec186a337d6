#include "experiments/sweep/standing.h"

#include <stdlib.h>

#include "experiments/state.h"
#include "io/file.h"
#include "io/runfile.h"

const char *standing_name(Standing standing) {
  static const char *const names[] = {"waiting", "running", "interrupted",
                                      "stopped", "failed",  "complete"};
  return names[standing];
}

static bool is_complete(const char *directory) {
  bool complete = false;
  char *path = file_join(directory, "run.h5");
  if (runfile_is_complete(path, &complete) != STATUS_OK) complete = false;
  free(path);
  return complete;
}

Standing standing_at(const char *directory) {
  RunState state;
  if (!file_exists(directory)) return STANDING_WAITING;
  if (state_read(directory, &state) != STATUS_OK) return STANDING_FAILED;
  if (state.kind == STATE_RUNNING && state_alive(directory, &state)) return STANDING_RUNNING;
  if (is_complete(directory)) return STANDING_COMPLETE;
  switch (state.kind) {
    case STATE_NONE:
      return STANDING_WAITING;
    case STATE_STOPPED:
      return STANDING_STOPPED;
    case STATE_RUNNING:
      return STANDING_INTERRUPTED;
    default:
      return STANDING_FAILED;
  }
}

Standing standing_of(const Sweep *sweep, int run) {
  char *directory = sweep_run_directory(sweep, run);
  Standing standing = standing_at(directory);
  free(directory);
  return standing;
}
