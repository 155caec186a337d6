/* Slices through the middle of a volume and of the network that was fitted to it. */
#ifndef EXPERIMENTS_VOLUME_SLICES_H
#define EXPERIMENTS_VOLUME_SLICES_H

#include "experiments/volume.h"

/* Local, on rank 0. OUTPUT/slices.png: the planes across the last three axes through the middle (of
 * four axes at the middle of the first), the field, the fit less `shift`, and the error. */
Status volume_slices(const Setup *setup, const real *theta, const Volume *volume, double shift,
                     const Result *result);

/* Local, for forecasts. Bytes that it takes. */
double volume_slices_bytes(const Volume *volume);

#endif
