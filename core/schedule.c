#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/optimizer.h"

#define SCHEDULES(X) X(constant) X(cosine) X(warmup) X(warmup_cosine)

/* Each gives the rate as a share of lr. */
static double constant(int64_t step, int64_t steps, int64_t ramp) {
  (void)step, (void)steps, (void)ramp;
  return 1;
}

static double cosine(int64_t step, int64_t steps, int64_t ramp) {
  (void)ramp;
  const double pi = 3.14159265358979323846;
  return step < steps ? 0.5 * (1 + cos(pi * (double)step / (double)steps)) : 0;
}

static double warmup(int64_t step, int64_t steps, int64_t ramp) {
  (void)steps;
  return step < ramp ? (double)(step + 1) / (double)ramp : 1;
}

static double warmup_cosine(int64_t step, int64_t steps, int64_t ramp) {
  return step < ramp ? warmup(step, steps, ramp) : cosine(step - ramp, steps - ramp, 0);
}

const char *const schedule_names[] = {
#define X(name) #name,
    SCHEDULES(X)
#undef X
        NULL};

static double (*const shares[])(int64_t, int64_t, int64_t) = {
#define X(name) name,
    SCHEDULES(X)
#undef X
};

double schedule_rate(const char *schedule, double lr, int64_t step, int64_t steps, int64_t ramp) {
  assert(step >= 0 && ramp >= 0);
  for (int i = 0; schedule_names[i]; i++) {
    if (!strcmp(schedule_names[i], schedule)) return lr * shares[i](step, steps, ramp);
  }
  assert(!"schedule is one of schedule_names");
  return 0;
}
