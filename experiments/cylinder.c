#include "experiments/cylinder.h"

#include <complex.h>
#include <math.h>
#include <stdbool.h>

double _Complex cylinder_hankel(int n, double x) {
  return jn(n, x) - I * yn(n, x);
}

/* A j/4. */
static double _Complex amplitude(double k, double s) {
  double size = 0.25 * exp(-0.5 * k * k * s);
  return (I - 1) * size;
}

double _Complex cylinder_free(double k, double s, double r) {
  return amplitude(k, s) * cylinder_hankel(0, k * r);
}

/* C_n' = n C_n / x - C_(n+1), for J and H alike. */
static double bessel_slope(int n, double x) {
  return n * jn(n, x) / x - jn(n + 1, x);
}

static double _Complex hankel_slope(int n, double x) {
  return n * cylinder_hankel(n, x) / x - cylinder_hankel(n + 1, x);
}

void cylinder_start(double k, double k_inside, double radius, double s, Cylinder *cylinder) {
  *cylinder = (Cylinder){.k = k, .k_inside = k_inside, .radius = radius, .s = s};
  double x = k * radius, x1 = k_inside * radius;
  for (int n = 0; n < CYLINDER_TERMS; n++) {
    double bessel = jn(n, x), inner = jn(n, x1), inner_slope = bessel_slope(n, x1);
    double _Complex hankel = cylinder_hankel(n, x);
    double above = k_inside * bessel * inner_slope - k * bessel_slope(n, x) * inner;
    double _Complex below = k * hankel_slope(n, x) * inner - k_inside * hankel * inner_slope;
    if (!isfinite(creal(below)) || !isfinite(cimag(below))) break; /* terms far below rounding */
    cylinder->outside[n] = above / below;
    /* (J + b H) / inner by the Wronskian J H' - J' H = -2j / (pi x), without a difference. */
    cylinder->inside[n] = -2 * I * k / (M_PI * x) / below;
  }
}

/* H_0 ... of x. Upwards the error of J grows like Y, of which it stays a rounding. */
static void hankel_sequence(double x, double _Complex *values) {
  values[0] = cylinder_hankel(0, x);
  values[1] = cylinder_hankel(1, x);
  for (int n = 1; n + 1 < CYLINDER_TERMS; n++) {
    values[n + 1] = 2 * n / x * values[n] - values[n - 1];
  }
}

double _Complex cylinder_field(const Cylinder *cylinder, double source_x, double source_y, double x,
                               double y) {
  double _Complex source[CYLINDER_TERMS], point[CYLINDER_TERMS];
  double r = hypot(x, y), angle = atan2(y, x) - atan2(source_y, source_x);
  bool outside = r >= cylinder->radius;
  hankel_sequence(cylinder->k * hypot(source_x, source_y), source);
  if (outside) hankel_sequence(cylinder->k * r, point);
  double _Complex sum = 0;
  if (outside) {
    double distance = cylinder->k * hypot(x - source_x, y - source_y);
    sum = cylinder_hankel(0, distance);
  }
  const double _Complex *factors = outside ? cylinder->outside : cylinder->inside;
  for (int n = 0; n < CYLINDER_TERMS; n++) {
    double _Complex wave = outside ? point[n] : jn(n, cylinder->k_inside * r);
    double _Complex term = factors[n] * source[n] * wave;
    if (!isfinite(creal(term)) || !isfinite(cimag(term))) break;
    sum += (n ? 2 : 1) * cos(n * angle) * term;
  }
  return amplitude(cylinder->k, cylinder->s) * sum;
}
