/* Two images blended by their gradients (Sitzmann et al. 2020, Fig. 3; paper.md 2.2), after Perez,
 * Gangnet, Blake: Poisson Image Editing, 2003. On the pixels of the first image f1, with the second
 * one f2 placed in it and a mask m, 1 where it is edited and 0 where f1 stays, the gradient is
 *
 *     g = (1 - m) grad f1 + m b,   b = alpha grad f2 + (1 - alpha) grad f1    mix
 *                                      grad f2                                replace
 *                                      the longer one of the two              stronger
 *
 * `longer` over all channels, so that colours stay together. Outside of the second image m is 0,
 * and grad f2 is that of its own pixels, repeated beyond its edges, which so make no step.
 *
 * The paper's setting is `mix` without a mask: m is 1 everywhere, and f2 lies on a canvas of value
 * 0.85; its edges are steps, as in the released code.
 *
 * What is fitted is scale * f. The released code's scale comes from its operator, 32 times the
 * derivative per pixel: 32 / ((N - 1) / 2) in network coordinates. Images that are not square have
 * one scale for both axes, with sqrt((H - 1) (W - 1)) for N - 1, so that gradients stay gradients.
 */
#ifndef EXPERIMENTS_COMPOSITE_H
#define EXPERIMENTS_COMPOSITE_H

#include <stdbool.h>

#include "experiments/target.h"
#include "io/config.h"

typedef struct {
  Target first, second; /* of one size; the second as said above */
  float *mask;          /* [height][width] in [0, 1] */
  float *gradient;      /* scale * g [height][width][2 * channels] (stencil.h) */
  double scale;
  double share;                 /* alpha; what is expected of f2's values inside the mask */
  int top, left, bottom, right; /* pixels of f2, [top, bottom) and [left, right), cut to f1 */
} Composite;

/* Local. Reads data.file and what the keys poisson_edit.* name, and blends. Fails (STATUS_FAILED)
 * on files and on a mask of another size than the second image or without white; (STATUS_USAGE)
 * when nothing of the second image or of the mask's white lies inside the first. On failure the
 * caller still calls composite_destroy. */
Status composite_read(const Config *config, Composite *composite);
void composite_destroy(Composite *composite); /* leaves it all zero */

/* Local. Fills gradient, which is new memory, from the other members; blend is a word of
 * poisson_edit.blend. */
Status composite_blend(Composite *composite, const char *blend);

/* Local. edited = fitted / scale + one constant a channel, which gradients leave free: edited is f1
 * in the mean over the pixels where m is 0; where there are none, (1-m) f1 + m (share f2 +
 * (1-share) f1) in the mean over all. Arrays are [height][width][channels]. */
void composite_edited(const Composite *composite, const float *fitted, float *edited,
                      double constants[3]);

/* Local. PSNR, in dB with values of range 2, of an edited image against f1 over the pixels that are
 * at least a sixteenth of the longer side away from the mask; NaN when there are none. */
Status composite_background(const Composite *composite, const float *edited, double *psnr);

#endif
