#include "experiments/pml.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

double complex pml_stretch(const Pml *pml, double x) {
  double d = (fabs(x) - PML_EDGE) / (PML_END - PML_EDGE);
  return d > 0 ? 1 - I * (pml->strength * d * d) : 1;
}

double complex pml_stretch_at(const void *pml, double x) {
  return pml_stretch(pml, x);
}

/* d/dx of it. */
static double complex stretch_slope(const Pml *pml, double x) {
  const double length = PML_END - PML_EDGE;
  double d = (fabs(x) - PML_EDGE) / length;
  return d > 0 ? -I * (pml->strength * 2 * d / length * (x < 0 ? -1 : 1)) : 0;
}

/* What the coefficients multiply. */
enum { D_XX, D_X, D_YY, D_Y, MASS, N_COEFFICIENTS };

static void store(double complex value, real *row, int coefficient) {
  row[2 * coefficient] = (real)creal(value);
  row[2 * coefficient + 1] = (real)cimag(value);
}

/* d/dx((e_y/e_x) u_x) = (e_y/e_x) u_xx - (e_y e_x' / e_x^2) u_x, as e_y does not depend on x. */
void pml_row(const Pml *pml, const real x[2], real row[PML_WIDTH]) {
  double k = pml->wavenumber;
  double complex ex = pml_stretch(pml, (double)x[0]), ey = pml_stretch(pml, (double)x[1]);
  double complex dx = stretch_slope(pml, (double)x[0]), dy = stretch_slope(pml, (double)x[1]);
  store(ey / ex, row, D_XX);
  store(-ey * dx / (ex * ex), row, D_X);
  store(ex / ey, row, D_YY);
  store(-ex * dy / (ey * ey), row, D_Y);
  store(ex * ey * k * k, row, MASS);
}

/* A stream of the jet and the coefficient that it has in the equation. */
typedef struct {
  const real *value;
  real *bar;
} Stream;

static void streams(const TermBlock *block, Stream stream[N_COEFFICIENTS]) {
  stream[D_XX] = (Stream){block->second[0], block->second_bar[0]};
  stream[D_X] = (Stream){block->first[0], block->first_bar[0]};
  stream[D_YY] = (Stream){block->second[1], block->second_bar[1]};
  stream[D_Y] = (Stream){block->first[1], block->first_bar[1]};
  stream[MASS] = (Stream){block->value, block->value_bar};
}

void pml_residual(const TermBlock *block, int row, int field, double slowness, const double f[2],
                  double residual[2]) {
  const real *c = block->data + (size_t)row * (size_t)block->data_width;
  int at = row * block->out + 2 * field;
  Stream stream[N_COEFFICIENTS];
  streams(block, stream);
  residual[0] = -f[0];
  residual[1] = -f[1];
  for (int i = 0; i < N_COEFFICIENTS; i++) {
    double factor = i == MASS ? slowness : 1;
    double re = factor * (double)c[2 * i], im = factor * (double)c[2 * i + 1];
    double a = (double)stream[i].value[at], b = (double)stream[i].value[at + 1];
    residual[0] += re * a - im * b;
    residual[1] += re * b + im * a;
  }
}

double pml_adjoint(const TermBlock *block, int row, int field, double slowness, const double g[2]) {
  const real *c = block->data + (size_t)row * (size_t)block->data_width;
  int at = row * block->out + 2 * field;
  Stream stream[N_COEFFICIENTS];
  streams(block, stream);
  for (int i = 0; i < N_COEFFICIENTS; i++) {
    double factor = i == MASS ? slowness : 1;
    double re = factor * (double)c[2 * i], im = factor * (double)c[2 * i + 1];
    stream[i].bar[at] += (real)(re * g[0] + im * g[1]);
    stream[i].bar[at + 1] += (real)(re * g[1] - im * g[0]);
  }
  double re = (double)c[2 * MASS], im = (double)c[2 * MASS + 1];
  double a = (double)block->value[at], b = (double)block->value[at + 1];
  return g[0] * (re * a - im * b) + g[1] * (re * b + im * a);
}

double pml_source(const PmlSource *source, const double x[2]) {
  const double s = PML_SOURCE_VARIANCE;
  double dx = x[0] - source->x[0], dy = x[1] - source->x[1];
  double g = exp(-(dx * dx + dy * dy) / (2 * s)) / (2 * pi * s);
  return g < 1e-5 ? 0 : g;
}
