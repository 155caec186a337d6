/* Which pixels of an image are known, the rest being hidden (paper.md 8.6). */
#ifndef EXPERIMENTS_MASK_H
#define EXPERIMENTS_MASK_H

#include <stdbool.h>
#include <stdint.h>

#include "experiments/target.h"
#include "io/config.h"

typedef struct {
  int64_t pixels; /* of the image */
  int64_t count;  /* known ones, 1 .. pixels */
  bool *known;    /* [pixels]; owned */
  int64_t *list;  /* [count] the known pixels (row * width + column), rising; owned */
} Mask;

/* Local. As inpaint.mask or, without one, inpaint.share asks: exactly round(share * pixels) random
 * pixels, at least one; or those brighter than mid grey of an image that has the size of the
 * target's file and goes through the same data.crop and data.size. Fails when no pixel is known or
 * the mask has another size. *mask may be half filled then. */
Status mask_create(const Config *config, const Target *target, Mask *mask);
void mask_destroy(Mask *mask); /* leaves it all zero */

#endif
