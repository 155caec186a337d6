/* The disc that explains a field best: what an inversion found, in four numbers. */
#ifndef EXPERIMENTS_DISC_FIT_H
#define EXPERIMENTS_DISC_FIT_H

typedef struct {
  double x[2], radius, contrast;
} Disc;

/* Local, pure. The disc with centre in [-half, half]^2 and radius between 1.5 spacings and half for
 * which sum (field - contrast [inside])^2 is least, on side x side nodes of that square, ends
 * included, axis 0 along x[0]; by a search over places and radii that ends at 1/1000 of half. */
Disc disc_fit(const double *field, int side, double half);

#endif
