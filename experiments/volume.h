/* A scalar field on a 3-D or 4-D grid, and its units: what the experiment `volume` has. */
#ifndef EXPERIMENTS_VOLUME_H
#define EXPERIMENTS_VOLUME_H

#include "experiments/sampler.h"
#include "experiments/suite.h"

typedef struct {
  Signal signal;
  Sampler sampler;
  char axes[DATASET_TEXT], units[DATASET_TEXT], name[DATASET_TEXT];
  double low, high; /* of the field, which the network has on [-1, 1] */
  double origin[NETWORK_MAX_IN], spacing[NETWORK_MAX_IN]; /* of the file's own coordinates */
  int64_t stored_bytes; /* of the field, as the file has it, before any compression */
} Volume;

/* Local. The field's own value for one of the network's. */
static inline double volume_value(const Volume *volume, double fit) {
  return (fit - volume->signal.offset) / volume->signal.scale;
}

/* Collective. Reads the data set that data.file and volume.dataset name ("": a built-in field) as
 * far as it has to be in memory, and its range. */
Status volume_read(const Comm *comm, const Config *config, Volume *volume);
void volume_destroy(Volume *volume); /* Collective; leaves it all zero */

#endif
