#include "experiments/wave_points.h"

#include <math.h>
#include <string.h>

#include "experiments/pml.h"

static const double pi = 3.14159265358979323846;

/* Powers of one over the root of x^(axes + 1) = x + 1. */
static const double even_steps[3][4] = {
    {0.7548776662466927, 0.5698402909980532},
    {0.8191725133961645, 0.6710436067037893, 0.5497004779019703},
    {0.8566748838545029, 0.7338918566271260, 0.6287067210378087, 0.5385972572236101}};

void wave_unit(const WaveUnits *units, uint64_t index, double *u) {
  for (int i = 0; i < units->axes; i++) {
    u[i] = random_uniform(units->stream, units->even ? 0 : index, i);
    if (!units->even) continue;
    u[i] += (double)index * even_steps[units->axes - 2][i];
    u[i] -= floor(u[i]);
  }
}

void wave_point(const double u[2], double share, real x[2]) {
  for (int i = 0; i < 2; i++) {
    double v = 2 * u[i] - 1, t = fabs(v);
    t = t < share ? t / share / 2 : 0.5 + (t - share) / (1 - share) / 2;
    x[i] = (real)(v < 0 ? -t : t);
  }
}

void wave_point_near(const double u[2], const WaveFocus *focus, real x[2]) {
  double core = focus->core, radius = focus->radius, angle = 2 * pi * u[1];
  double r = core > 0 ? core * pow(radius / core, u[0]) : radius * sqrt(u[0]);
  x[0] = (real)(focus->x[0] + r * cos(angle));
  x[1] = (real)(focus->x[1] + r * sin(angle));
}

Status wave_points_check(const Config *config, int64_t samples) {
  int64_t side = config_int(config, "eval.size");
  if (side > 0 && side < WAVE_LEAST_SIDE) {
    return config_reject(config, "eval.size", "the solver that judges needs at least %d a side",
                         WAVE_LEAST_SIDE);
  }
  if (samples > 0) return STATUS_OK;
  return config_reject(config, "train.samples",
                       "the equation holds at infinitely many points: give how many a step draws");
}

double wave_pulse(const WavePulse *pulse, const double x[2]) {
  double dx = x[0] - pulse->x[0], dy = x[1] - pulse->x[1];
  double p = pulse->height * exp(-(dx * dx + dy * dy) / (2 * pulse->variance));
  return p < 1e-5 ? 0 : p;
}

Status wave_plan_read(const Config *config, const char *section, WavePlan *plan) {
  char text[CONFIG_KEY];
  *plan =
      (WavePlan){.even = !strcmp(config_text(config, config_key(text, section, "points")), "even")};
  const struct {
    const char *name;
    double *value;
  } numbers[] = {{"box_share", &plan->box_share},
                 {"source_radius", &plan->radius},
                 {"source_core", &plan->core},
                 {"weight_radius", &plan->weight_radius},
                 {"weight_layer", &plan->weight_layer}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    *numbers[i].value = config_real(config, config_key(text, section, numbers[i].name));
  }
  if (plan->core < plan->radius) return STATUS_OK;
  return config_reject(config, config_key(text, section, "source_core"),
                       "must be below %s.source_radius, %g", section, plan->radius);
}

double wave_weight(const WavePlan *plan, const double source[2], const double x[2]) {
  double weight = 1;
  if (plan->weight_radius > 0) {
    double r = hypot(x[0] - source[0], x[1] - source[1]);
    weight = fmin(fmax(r, 2.5 * plan->core), plan->weight_radius) / plan->weight_radius;
  }
  for (int i = 0; i < 2; i++) {
    double d = fmax(0, (fabs(x[i]) - PML_EDGE) / (PML_END - PML_EDGE));
    weight /= 1 + plan->weight_layer * d * d;
  }
  return weight;
}
