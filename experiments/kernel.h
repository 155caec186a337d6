/* Down-sampling kernels: a pixel is a weighted mean of the continuous image around it, and a fit
 * whose coordinates are shifted at random in every step learns that image (paper.md 8.6). */
#ifndef EXPERIMENTS_KERNEL_H
#define EXPERIMENTS_KERNEL_H

typedef struct {
  const char *name; /* of the choice inpaint.kernel */

  /* Local, pure. The shift with the kernel's density on [-1, 1] that a uniform u in [0, 1) becomes;
   * divided by the samples of a side it is one in network coordinates, where a pixel's own square
   * is 2/side wide. */
  double (*shift)(double u);
} Kernel;

/* Local. A row by name; NULL for "none". */
const Kernel *kernel_find(const char *name);

#endif
