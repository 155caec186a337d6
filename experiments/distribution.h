/* What is said of a lot of numbers: moments, histograms, percentiles, singular values. */
#ifndef EXPERIMENTS_DISTRIBUTION_H
#define EXPERIMENTS_DISTRIBUTION_H

#include <stddef.h>

#include "core/status.h"

/* Of the numbers themselves, not of what they were drawn from: divisor n. kurtosis is the excess
 * over a normal distribution's; it and skewness are 0 where all numbers are equal. */
typedef struct {
  double mean, deviation, skewness, kurtosis;
} Moments;

/* Local. n >= 1. */
Moments distribution_moments(size_t n, const double *values);

/* Local. Adds to counts [bins] how many values lie in each of the equal parts of [-limit, limit];
 * the ends count to the parts beside them, and what lies outside does not count. */
void distribution_histogram(size_t n, const double *values, double limit, int bins, double *counts);

/* Local. Sorts values [n], n >= 1; and the value below which so many per cent of sorted ones lie,
 * straight between neighbours. */
void distribution_sort(size_t n, double *values);
double distribution_percentile(size_t n, const double *sorted, double percent);

/* Local. Singular values of a matrix [rows][columns], the largest first, values [min(rows,
 * columns)]; those below 1e-8 of the largest are rounding. */
Status distribution_singular(int rows, int columns, const double *matrix, double *values);

#endif
