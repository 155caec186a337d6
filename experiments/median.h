/* The middle of measured times: one bad round does not move it. */
#ifndef EXPERIMENTS_MEDIAN_H
#define EXPERIMENTS_MEDIAN_H

/* Local. The median of n >= 1 values, which are sorted; the mean of the middle two if n is even. */
double median_of(double *values, int n);

#endif
