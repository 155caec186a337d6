#include "experiments/disc_fit.h"

#include <math.h>

typedef struct {
  const double *field;
  int side;
  double half, spacing;
} Square;

/* For a given disc the best contrast is the mean inside, and the squares fall by sum^2 / count. */
static double gain(const Square *s, Disc *disc) {
  double sum = 0;
  int count = 0;
  for (int i = 0; i < s->side; i++) {
    double dx = -s->half + s->spacing * i - disc->x[0];
    if (fabs(dx) > disc->radius) continue;
    double reach = sqrt(disc->radius * disc->radius - dx * dx);
    int first = (int)ceil((disc->x[1] - reach + s->half) / s->spacing);
    int last = (int)floor((disc->x[1] + reach + s->half) / s->spacing);
    if (first < 0) first = 0;
    if (last > s->side - 1) last = s->side - 1;
    for (int j = first; j <= last; j++) sum += s->field[i * s->side + j];
    if (last >= first) count += last - first + 1;
  }
  disc->contrast = count ? sum / count : 0;
  return count ? sum * sum / count : 0;
}

static int is_allowed(const Square *s, const Disc *disc) {
  return fabs(disc->x[0]) <= s->half && fabs(disc->x[1]) <= s->half && disc->radius <= s->half &&
         disc->radius >= 1.5 * s->spacing;
}

/* Takes the trial where it is better. */
static int improve(const Square *s, Disc trial, Disc *best, double *best_gain) {
  if (!is_allowed(s, &trial)) return 0;
  double g = gain(s, &trial);
  if (!(g > *best_gain)) return 0;
  *best = trial;
  *best_gain = g;
  return 1;
}

/* To the best of all neighbours a step away, along the axes and across, as long as there is one. */
static void climb(const Square *s, double step, Disc *best, double *best_gain) {
  for (int moved = 1; moved;) {
    moved = 0;
    Disc middle = *best;
    for (int k = 0; k < 27; k++) {
      Disc trial = middle;
      trial.x[0] += step * (k % 3 - 1);
      trial.x[1] += step * (k / 3 % 3 - 1);
      trial.radius += step * (k / 9 - 1);
      moved |= improve(s, trial, best, best_gain);
    }
  }
}

Disc disc_fit(const double *field, int side, double half) {
  enum { PLACES = 25, RADII = 12 };
  Square s = {field, side, half, 2 * half / (side - 1)};
  Disc best = {.radius = half / 4};
  double best_gain = gain(&s, &best);
  for (int k = 0; k < PLACES * PLACES * RADII; k++) {
    int radius = k / (PLACES * PLACES), place = k % (PLACES * PLACES);
    Disc trial = {.radius = half * (radius + 1) / (2 * RADII)};
    trial.x[0] = half * (2. * (place / PLACES) / (PLACES - 1) - 1);
    trial.x[1] = half * (2. * (place % PLACES) / (PLACES - 1) - 1);
    improve(&s, trial, &best, &best_gain);
  }
  for (double step = half / 12; step > half / 1000; step /= 2) climb(&s, step, &best, &best_gain);
  return best;
}
