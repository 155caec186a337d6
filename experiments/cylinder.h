/* Closed forms of the Helmholtz equation Lap u + m k^2 u = f in the plane, m = 1/c^2, for the
 * paper's source f = (1 + j) G, G a normalised Gaussian of variance s: a uniform medium, and one
 * with a disc at the origin. With time exp(+j w t): outgoing waves are Hankel functions H_n of the
 * second kind. They hold outside the Gaussian, where no absorbing layer is. */
#ifndef EXPERIMENTS_CYLINDER_H
#define EXPERIMENTS_CYLINDER_H

/* Local. H_n of the second kind, J_n(x) - j Y_n(x), of x > 0 and order n >= 0. */
double _Complex cylinder_hankel(int n, double x);

/* Local. Uniform medium, at the distance r > 0 from the source:
 * (1 + j) exp(-k^2 s / 2) (j/4) H_0(k r). The exponential is the Gaussian's transform at k. */
double _Complex cylinder_free(double k, double s, double r);

enum { CYLINDER_TERMS = 64 };

/* A disc of wavenumber k_inside around the origin, in a medium of wavenumber k. */
typedef struct {
  double k, k_inside, radius;
  double s;                                                        /* variance of the source */
  double _Complex outside[CYLINDER_TERMS], inside[CYLINDER_TERMS]; /* b_n and c_n below */
} Cylinder;

/* Local. All > 0 but s >= 0. With e_0 = 1, e_n = 2, A as in cylinder_free, a the radius, k1 =
 * k_inside, and the polar coordinates (r, phi) of the point and (R, psi) of the source,
 *   outside  u = A (j/4) [H_0(k d) + sum e_n b_n H_n(k R) H_n(k r) cos n(phi - psi)], d their
 *            distance,
 *   inside   u = A (j/4) sum e_n c_n H_n(k R) J_n(k1 r) cos n(phi - psi),
 *   b_n = (k1 J_n(k a) J_n'(k1 a) - k J_n'(k a) J_n(k1 a)) /
 *         (k H_n'(k a) J_n(k1 a) - k1 H_n(k a) J_n'(k1 a)),
 *   c_n = (J_n(k a) + b_n H_n(k a)) / J_n(k1 a)
 * from u and its derivative being continuous at the rim. */
void cylinder_start(double k, double k_inside, double radius, double s, Cylinder *cylinder);

/* Local. The field at (x, y) of a source at (source_x, source_y), which must be outside. To
 * rounding where radius^2 is below half of r R; the 64 terms leave (radius^2 / (r R))^64. */
double _Complex cylinder_field(const Cylinder *cylinder, double source_x, double source_y, double x,
                               double y);

#endif
