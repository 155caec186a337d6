/* Means of a function over the cells of a grid's nodes: what a finite-difference solver takes for a
 * medium that jumps. For squared slowness m = 1/c^2, that is the mean of m, and for c^2 one over
 * it: then errors at a rim are of second order in the step, not of first. */
#ifndef EXPERIMENTS_CELL_MEAN_H
#define EXPERIMENTS_CELL_MEAN_H

/* Local. Mean of value(x, y, context) over the square of this side around (x, y), by 16 x 16
 * points. */
double cell_mean(double (*value)(double x, double y, const void *context), const void *context,
                 double x, double y, double side);

#endif
