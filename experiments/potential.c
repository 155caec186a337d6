#include "experiments/potential.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/linalg.h"
#include "core/memory.h"
#include "core/real.h"

/* A side of n samples: functions cos and sin(pi k (i + 1/2) / n), [k][i], and the factors by which
 * differentiation in network coordinates takes the one to the other. */
typedef struct {
  int n;
  real *cosine, *sine;
  double *slope;
} Side;

/* Fields of one channel: [height][width], and as many coefficients. */
typedef struct {
  Side rows, columns;
  real *field, *half, *along_rows, *along_columns;
} Work;

static Status side_create(int n, Side *side) {
  size_t count = (size_t)n * (size_t)n;
  side->n = n;
  TRY(memory_allocate(&side->cosine, count, sizeof(real), "cosines"));
  TRY(memory_allocate(&side->sine, count, sizeof(real), "sines"));
  TRY(memory_allocate(&side->slope, (size_t)n, sizeof(double), "slopes"));
  for (size_t k = 0; k < (size_t)n; k++) {
    side->slope[k] = M_PI * (double)k / n * 0.5 * (n - 1);
    for (size_t i = 0; i < (size_t)n; i++) {
      /* The angle in quarter turns over n, taken to one turn while it is a whole number. */
      double angle = M_PI * (double)(k * (2 * i + 1) % (4 * (size_t)n)) / (2.0 * n);
      side->cosine[k * (size_t)n + i] = (real)cos(angle);
      side->sine[k * (size_t)n + i] = (real)sin(angle);
    }
  }
  return STATUS_OK;
}

static void work_destroy(Work *work) {
  Side *sides[2] = {&work->rows, &work->columns};
  for (int i = 0; i < 2; i++) {
    free(sides[i]->cosine);
    free(sides[i]->sine);
    free(sides[i]->slope);
  }
  free(work->field);
  free(work->half);
  free(work->along_rows);
  free(work->along_columns);
}

static Status work_create(int height, int width, Work *work) {
  size_t count = (size_t)height * (size_t)width;
  real **fields[4] = {&work->field, &work->half, &work->along_rows, &work->along_columns};
  TRY(side_create(height, &work->rows));
  TRY(side_create(width, &work->columns));
  for (int i = 0; i < 4; i++) TRY(memory_allocate(fields[i], count, sizeof(real), "a field"));
  return STATUS_OK;
}

/* Every stride-th number of `from`, multiplied with the functions of both sides. */
static void transform(Work *work, const float *from, size_t stride, const real *rows,
                      const real *columns, real *coefficients) {
  int height = work->rows.n, width = work->columns.n;
  size_t count = (size_t)height * (size_t)width;
  for (size_t i = 0; i < count; i++) work->field[i] = (real)from[i * stride];
  linalg_nt(height, width, width, 1, work->field, columns, work->half);
  linalg_nn(height, width, height, 1, rows, work->half, coefficients);
}

/* From the transformed gradient to the cosines' coefficients, in along_rows: where a and b stand
 * before the sines, least squares of (-r u - a)^2 + (-c u - b)^2. Returns the sum of squares that
 * is explained so. */
static double solve_waves(Work *work) {
  int height = work->rows.n, width = work->columns.n;
  double explained = 0;
  for (int k = 0; k < height; k++) {
    for (int l = 0; l < width; l++) {
      size_t i = (size_t)k * (size_t)width + (size_t)l;
      double r = work->rows.slope[k], c = work->columns.slope[l], squares = r * r + c * c;
      double norm = (k ? 0.5 : 1) * height * (l ? 0.5 : 1) * width; /* of a wave, squared */
      double u = 0, both = r * (double)work->along_rows[i] + c * (double)work->along_columns[i];
      if (squares > 0) u = -both / (squares * norm);
      explained -= u * both;
      work->along_rows[i] = (real)u;
    }
  }
  return explained;
}

static void solve_channel(Work *work, const float *gradient, int channels, float *potential,
                          double *explained) {
  int height = work->rows.n, width = work->columns.n;
  size_t stride = (size_t)channels, count = (size_t)height * (size_t)width;
  transform(work, gradient, 2 * stride, work->rows.sine, work->columns.cosine, work->along_rows);
  transform(work, gradient + channels, 2 * stride, work->rows.cosine, work->columns.sine,
            work->along_columns);
  *explained += solve_waves(work);
  linalg_nn(height, width, width, 1, work->along_rows, work->columns.cosine, work->half);
  linalg_tn(height, width, height, 1, work->rows.cosine, work->half, false, work->field);
  for (size_t i = 0; i < count; i++) potential[i * stride] = (float)work->field[i];
}

Status potential_solve(const float *gradient, int height, int width, int channels, float *potential,
                       double *residual) {
  assert(height <= POTENTIAL_LARGEST && width <= POTENTIAL_LARGEST);
  size_t count = (size_t)height * (size_t)width * (size_t)channels;
  Work work = {0};
  Status status = work_create(height, width, &work);
  double explained = 0, all = 0;
  for (int c = 0; status == STATUS_OK && c < channels; c++) {
    solve_channel(&work, gradient + c, channels, potential + c, &explained);
  }
  for (size_t i = 0; i < 2 * count; i++) all += (double)gradient[i] * (double)gradient[i];
  *residual = fmax(0, all - explained) / (double)count;
  work_destroy(&work);
  return status;
}

double potential_bytes(int height, int width) {
  double h = height, w = width;
  return (2 * (h * h + w * w) + 4 * h * w) * sizeof(real);
}
