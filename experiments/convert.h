/* `siren convert FROM TO [key=value ...]`: files into the documented HDF5 data sets (io/dataset.h)
 * and back. */
#ifndef EXPERIMENTS_CONVERT_H
#define EXPERIMENTS_CONVERT_H

#include <stdio.h>

#include "mpi/comm.h"

/* Collective; rank 0 converts, all return the same status. Images (PNG, JPEG), sets of them
 * (folders, .tar, .tar.gz, IDX), videos, sounds, meshes and clouds (PLY, OBJ, OFF, STL, XYZ) to
 * .h5; from .h5 to .png, .mp4, .mkv, .wav, .flac, .ogg, .ply. An image, a frame or a block of sound
 * is in memory at a time. TO is written beside its place and put there as a whole. The keys, and
 * what each is for, are a table in convert.c. A stop signal ends it, and nothing is left. */
Status convert_file(const Comm *comm, const char *from, const char *to, int n_settings,
                    const char *const *settings, FILE *out);

#endif
