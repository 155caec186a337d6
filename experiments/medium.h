/* The medium that waves run through: velocity c(x) relative to the background's, as squared
 * slowness m = 1/c^2 (paper.md 6.3 and section 7). */
#ifndef EXPERIMENTS_MEDIUM_H
#define EXPERIMENTS_MEDIUM_H

#include <stdint.h>

#include "io/config.h"

struct MediumKind;

typedef struct {
  const struct MediumKind *kind;
  double size;     /* half the side of the square; radius of the disc */
  double velocity; /* in it, > 0; outside it is 1 */
  /* A grid that covers [-half, half]^2, ends included; beyond, its border goes on. */
  int64_t side;
  double half;
  double *grid; /* velocity [side][side], axis 0 along the first coordinate; owned */
} Medium;

/* Local. The medium of the options SECTION.medium, .medium_size, .medium_velocity; for a file also
 * SECTION.dataset and SECTION.reference_velocity, from data.file: HDF5 or MATLAB. Of a grid that is
 * not square the longer axis is cut to the middle. Fails (STATUS_FAILED, or STATUS_USAGE where an
 * option is to blame) on velocities that are not positive or not finite, naming the place, and on
 * what is no grid of two axes. */
Status medium_create(const Config *config, const char *section, double half, Medium *medium);
void medium_destroy(Medium *medium); /* a zero one is allowed */

/* Local, pure. m at x. */
double medium_slowness(const Medium *medium, const double x[2]);

/* The same as cell_mean.h takes it, which makes grids of it: an inclusion's edge then lies at its
 * place, not at the next node. One over it: c^2. */
double medium_slowness_at(double x, double y, const void *medium);
double medium_speed_at(double x, double y, const void *medium);

/* Local. Whether m = 1 everywhere; the radius of the disc around the origin, or 0: closed forms
 * exist for these. */
bool medium_is_uniform(const Medium *medium);
double medium_disc(const Medium *medium);

#endif
