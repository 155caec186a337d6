/* Principal components of rows of numbers: the directions in which they differ most from their
 * mean. All in double and by one thread, so that equal rows give equal bits. */
#ifndef CORE_PRINCIPAL_H
#define CORE_PRINCIPAL_H

#include "core/status.h"

typedef struct {
  int columns;      /* of a row */
  int n;            /* components: those whose variance is not rounding alone */
  double *mean;     /* [columns] */
  double *axes;     /* [n][columns], orthonormal, the largest variance first; the sign is fixed */
  double *variance; /* [n] of the rows' coefficients, divisor rows - 1 */
} Principal;

/* Local. At most `most` components of data [rows][columns], rows >= 2. Takes the smaller of the two
 * Gram matrices: min(rows, columns)^2 numbers and its cube in operations. To be destroyed. */
Status principal_create(int rows, int columns, const double *data, int most, Principal *principal);
void principal_destroy(Principal *principal); /* leaves it all zero */

/* Local. Coefficients [n] of a row [columns]; and a row from the first `count` <= n of them. */
void principal_project(const Principal *principal, const double *row, double *coefficients);
void principal_restore(const Principal *principal, int count, const double *coefficients,
                       double *row);

/* Local. All eigenvalues of the rows' covariance that may differ from 0, the largest first: values
 * [min(rows, columns)]. */
Status principal_spectrum(int rows, int columns, const double *data, double *values);

/* Local. Participation ratio (sum v)^2 / sum v^2 of a spectrum: how many directions matter; 0 where
 * it is all zero. */
double principal_rank(int n, const double *values);

#endif
