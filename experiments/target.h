/* An image as a function f: [-1, 1]^2 -> [-1, 1]^channels: what experiments on images fit, and what
 * fits are judged by. */
#ifndef EXPERIMENTS_TARGET_H
#define EXPERIMENTS_TARGET_H

#include "experiments/plane.h"
#include "experiments/result.h"
#include "io/config.h"

typedef struct {
  int height, width, channels; /* channels 1 or 3 */
  float *values;               /* [height][width][channels] on [-1, 1]; owned */
  int file_height, file_width; /* of the file, before data.crop and data.size */
} Target;

/* Local. Reads a file ("": the built-in photograph) and makes of it what data.colour, data.crop and
 * data.size ask. */
Status target_read(const Config *config, const char *file, Target *target);
void target_destroy(Target *target); /* leaves it all zero */

/* Local. Values over the shorter side: for the Nyquist rule (suite_network). */
int target_side(const Target *target);

/* Local. The fields on the target's pixels, whole on rank 0. */
ResultFields target_fields(const Target *target);

/* Local. The target with its derivatives by finite differences (stencil.h); value is borrowed, the
 * others are released by plane_release. */
Status target_differentiate(const Target *target, Plane *truth);

/* Collective. target_value, target_gradient and target_laplacian into the run file; truth is looked
 * at on rank 0, but for its channels. */
Status target_store(Result *result, const ResultFields *what, const Plane *truth);

#endif
