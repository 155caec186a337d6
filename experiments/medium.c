#include "experiments/medium.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/matrix.h"

/* ---- Kinds ---- */

typedef struct MediumKind {
  const char *name;    /* word of SECTION.medium */
  double default_size; /* the paper's */
  double (*velocity)(const Medium *medium, const double x[2]);
} MediumKind;

static double uniform(const Medium *medium, const double x[2]) {
  (void)medium, (void)x;
  return 1;
}

static double square(const Medium *medium, const double x[2]) {
  bool inside = fabs(x[0]) < medium->size && fabs(x[1]) < medium->size;
  return inside ? medium->velocity : 1;
}

static double disc(const Medium *medium, const double x[2]) {
  return hypot(x[0], x[1]) < medium->size ? medium->velocity : 1;
}

/* Place in the grid of a coordinate: the sample below and the share of the next one. */
static int64_t place(const Medium *medium, double x, double *share) {
  double at = (x / medium->half + 1) / 2 * (double)(medium->side - 1);
  double last = (double)(medium->side - 1);
  at = at < 0 ? 0 : at > last ? last : at;
  int64_t i = (int64_t)at;
  if (i > 0 && i == medium->side - 1) i--;
  *share = at - (double)i;
  return i;
}

static double from_grid(const Medium *medium, const double x[2]) {
  double a, b;
  int64_t n = medium->side, i = place(medium, x[0], &a), j = place(medium, x[1], &b);
  const double *v = medium->grid + i * n + j;
  int64_t down = n > 1 ? n : 0, right = n > 1 ? 1 : 0;
  return (1 - a) * ((1 - b) * v[0] + b * v[right]) + a * ((1 - b) * v[down] + b * v[down + right]);
}

static const MediumKind kinds[] = {
    {"uniform", 0, uniform}, {"square", 0.3, square}, {"disc", 0.1, disc}, {"file", 0, from_grid}};

double medium_slowness(const Medium *medium, const double x[2]) {
  double c = medium->kind->velocity(medium, x);
  return 1 / (c * c);
}

double medium_slowness_at(double x, double y, const void *medium) {
  return medium_slowness(medium, (const double[2]){x, y});
}

double medium_speed_at(double x, double y, const void *medium) {
  return 1 / medium_slowness(medium, (const double[2]){x, y});
}

bool medium_is_uniform(const Medium *medium) {
  return medium->kind->velocity == uniform ||
         (medium->kind->velocity != from_grid && medium->velocity == 1);
}

double medium_disc(const Medium *medium) {
  return medium->kind->velocity == disc ? medium->size : 0;
}

/* ---- A grid from a file ---- */

static Status check(const char *path, const Matrix *v) {
  if (v->parts != 1) {
    return status_fail(STATUS_FAILED, "%s: a grid of velocities has one real number at each place",
                       path);
  }
  for (int64_t i = 0; i < v->rows * v->columns; i++) {
    if (v->values[i] > 0 && isfinite(v->values[i])) continue;
    return status_fail(
        STATUS_FAILED, "%s: the velocity in row %lld, column %lld is %g; velocities are positive",
        path, (long long)(i / v->columns), (long long)(i % v->columns), v->values[i]);
  }
  return STATUS_OK;
}

/* The middle of the longer axis, relative to the reference. */
static Status take_square(const Matrix *v, double reference, Medium *medium) {
  int64_t n = v->rows < v->columns ? v->rows : v->columns;
  int64_t row = (v->rows - n) / 2, column = (v->columns - n) / 2;
  TRY(memory_allocate(&medium->grid, (size_t)(n * n), sizeof *medium->grid, "velocities"));
  medium->side = n;
  double slowness = 0;
  for (int64_t i = 0; i < n * n; i++) {
    double c = v->values[(row + i / n) * v->columns + column + i % n];
    medium->grid[i] = c;
    slowness += 1 / (c * c) / (double)(n * n);
  }
  if (reference == 0) reference = 1 / sqrt(slowness);
  for (int64_t i = 0; i < n * n; i++) medium->grid[i] /= reference;
  return STATUS_OK;
}

static Status read_file(const Config *config, const char *section, Medium *medium) {
  char text[CONFIG_KEY];
  const char *path = config_text(config, "data.file");
  const char *name = config_text(config, config_key(text, section, "dataset"));
  double reference = config_real(config, config_key(text, section, "reference_velocity"));
  if (!*path) {
    return config_reject(config, "data.file", "%s.medium=file needs a grid of velocities", section);
  }
  Matrix v;
  TRY(matrix_read(path, name, "a grid of velocities", &v));
  Status status = check(path, &v);
  if (status == STATUS_OK) status = take_square(&v, reference, medium);
  matrix_destroy(&v);
  return status;
}

/* ---- Making one ---- */

Status medium_create(const Config *config, const char *section, double half, Medium *medium) {
  char text[CONFIG_KEY];
  const char *name = config_text(config, config_key(text, section, "medium"));
  const MediumKind *kind = kinds;
  while (strcmp(kind->name, name)) kind++;
  *medium = (Medium){.kind = kind, .half = half};
  medium->velocity = config_real(config, config_key(text, section, "medium_velocity"));
  medium->size = config_real(config, config_key(text, section, "medium_size"));
  if (medium->size == 0) medium->size = kind->default_size;
  return kind->velocity == from_grid ? read_file(config, section, medium) : STATUS_OK;
}

void medium_destroy(Medium *medium) {
  free(medium->grid);
  memset(medium, 0, sizeof *medium);
}
