#include "experiments/comparison.h"

#include <math.h>
#include <stdio.h>

#include "experiments/curve.h"
#include "experiments/metrics.h"
#include "io/picture.h"

enum { PSNR, SSIM, MSE, PSNR_GRADIENT, PSNR_LAPLACIAN, N_METRICS };
static const struct {
  const char *name, *units;
} metrics[N_METRICS] = {
    [PSNR] = {"psnr", "dB"},
    [SSIM] = {"ssim", "1"},
    [MSE] = {"mse", "1"},
    [PSNR_GRADIENT] = {"psnr_gradient", "dB"},
    [PSNR_LAPLACIAN] = {"psnr_laplacian", "dB"},
};

typedef struct {
  double values[N_METRICS + COMPARISON_MAX_EXTRA];
} Values;

static void measure(const Plane *truth, const Plane *fit, double values[N_METRICS]) {
  size_t n = (size_t)truth->height * (size_t)truth->width * (size_t)truth->channels;
  const float *const *f = truth->field, *const *phi = fit->field;
  values[PSNR] = metric_psnr(phi[FIELD_VALUE], f[FIELD_VALUE], n);
  values[SSIM] =
      metric_ssim(phi[FIELD_VALUE], f[FIELD_VALUE], truth->height, truth->width, truth->channels);
  values[MSE] = metric_mse(phi[FIELD_VALUE], f[FIELD_VALUE], n);
  values[PSNR_GRADIENT] = metric_psnr_range(phi[FIELD_GRADIENT], f[FIELD_GRADIENT], 2 * n);
  values[PSNR_LAPLACIAN] = metric_psnr_range(phi[FIELD_LAPLACIAN], f[FIELD_LAPLACIAN], n);
}

static Status draw(const Setup *setup, const Result *result, const Comparison *comparison,
                   const Plane *truth, const Plane *fit, const double values[N_METRICS]) {
  if (result->plain) return STATUS_OK;
  char captions[FIELD_COUNT][64];
  snprintf(captions[FIELD_VALUE], 64, "%.2f dB, SSIM %.3f", values[PSNR], values[SSIM]);
  snprintf(captions[FIELD_GRADIENT], 64, "%.2f dB", values[PSNR_GRADIENT]);
  snprintf(captions[FIELD_LAPLACIAN], 64, "%.2f dB", values[PSNR_LAPLACIAN]);
  TRY(plane_pictures(result, fit,
                     (const char *const[]){"fit.png", "gradient.png", "laplacian.png"}));
  TRY(plane_pictures(
      result, truth,
      (const char *const[]){"target.png", "target_gradient.png", "target_laplacian.png"}));
  TRY(plane_figure(result, "figure.png", comparison->title, truth, fit, captions));
  return curve_headline(setup, result, "psnr.png",
                        &(CurveStyle){comparison->title, "PSNR (dB)", false});
}

/* Local, on rank 0, which has the whole fields. */
static Status judge(const Setup *setup, const Result *result, const Target *target,
                    const Comparison *comparison, const WholeFields *whole, const Plane *truth,
                    Values *values) {
  if (comparison->align) comparison->align(comparison->context, target, whole->field);
  Plane fit = {target->height, target->width, target->channels, {0}};
  for (FieldKind kind = 0; kind < FIELD_COUNT; kind++) fit.field[kind] = whole->field[kind];
  measure(truth, &fit, values->values);
  for (int i = 0; i < comparison->n_extra; i++) {
    values->values[N_METRICS + i] = comparison->extra[i].measure(comparison->context, truth, &fit);
  }
  TRY(draw(setup, result, comparison, truth, &fit, values->values));
  return comparison->draw && !result->plain
             ? comparison->draw(comparison->context, result, truth, &fit)
             : STATUS_OK;
}

/* Collective. */
static Status store(Result *result, const Comparison *comparison, Values *values) {
  comm_broadcast(result->comm, values, sizeof *values);
  for (int i = 0; i < N_METRICS; i++) {
    TRY(result_metric(result, metrics[i].name, values->values[i], metrics[i].units));
  }
  for (int i = 0; i < comparison->n_extra; i++) {
    TRY(result_metric(result, comparison->extra[i].name, values->values[N_METRICS + i],
                      comparison->extra[i].units));
  }
  return STATUS_OK;
}

/* Collective. */
static Status compare(const Setup *setup, const Target *target, const Comparison *comparison,
                      const ResultFields *what, const WholeFields *whole, Plane *truth,
                      Result *result) {
  bool root = comm_rank(result->comm) == 0;
  truth->channels = target->channels;
  TRY(comm_agree(result->comm, root ? target_differentiate(target, truth) : STATUS_OK));
  TRY(target_store(result, what, truth));
  Values values = {{0}};
  Status status = STATUS_OK;
  if (root) status = judge(setup, result, target, comparison, whole, truth, &values);
  TRY(comm_agree(result->comm, status));
  return store(result, comparison, &values);
}

Status comparison_run(const Setup *setup, const real *theta, const Target *target,
                      const Comparison *comparison, Result *result) {
  ResultFields what = target_fields(target);
  WholeFields whole;
  TRY(result_fields(result, &setup->network, theta, &what, &whole));
  Plane truth = {0};
  Status status = compare(setup, target, comparison, &what, &whole, &truth, result);
  plane_release(&truth);
  whole_destroy(&whole);
  return status;
}

double comparison_bytes(const Setup *setup, const Target *target, int rank) {
  ResultFields what = target_fields(target);
  double fields = result_fields_bytes(&setup->network, &what, setup->threads, setup->comm, rank);
  if (rank > 0) return fields;
  double values = (double)target->height * target->width * target->channels * sizeof(float);
  double whole = result_whole_bytes(&setup->network, &what);
  double figure = plane_figure_bytes(target->height, target->width, target->channels);
  double last = fmax(fmax(figure, picture_plot_bytes()), result_writing_bytes(2 * values));
  return fmax(fields, whole + 3 * values + last); /* beside the truth's derivatives */
}

double comparison_flops(const Setup *setup, const Target *target) {
  ResultFields what = target_fields(target);
  return (double)grid_points(&what.grid) * evaluator_flops(&setup->network, what.wanted);
}
