#include "core/line_search.h"

#include <math.h>
#include <stdbool.h>

static const double c1 = 1e-4, c2 = 0.9;

/* Where the cubic through values and slopes of two points has its minimum, kept within [lower,
 * upper]; the middle where there is no such minimum. */
static double cubic_minimum(LinePoint a, LinePoint b, double lower, double upper) {
  double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step);
  double d2 = copysign(sqrt(d1 * d1 - a.slope * b.slope), b.step - a.step);
  double step = b.step - (b.step - a.step) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
  return isfinite(step) ? fmin(fmax(step, lower), upper) : 0.5 * (lower + upper);
}

/* Between the two, and a tenth of the bracket away from both, so that brackets shrink. */
static double interpolate(LinePoint low, LinePoint high) {
  double margin = 0.1 * (high.step - low.step);
  double one = low.step + margin, other = high.step - margin;
  return cubic_minimum(low, high, fmin(one, other), fmax(one, other));
}

static double extrapolate(LinePoint previous, LinePoint low) {
  return cubic_minimum(previous, low, low.step + 0.01 * (low.step - previous.step), 10 * low.step);
}

static bool too_long(LinePoint start, LinePoint low, LinePoint trial) {
  return !isfinite(trial.loss) || !isfinite(trial.slope) || trial.loss >= low.loss ||
         trial.loss > start.loss + c1 * trial.step * start.slope;
}

Status line_search(const LineSearch *search, LinePoint start, double first, LinePoint *best) {
  LinePoint low = start, high = {0}, trial = {.step = first};
  bool bracketed = false; /* the minimum lies between low and high */
  for (int i = 0; i < search->max_evaluations; i++) {
    TRY(search->probe(search->context, &trial));
    LinePoint previous = low;
    if (too_long(start, low, trial)) {
      high = trial;
      bracketed = true;
    } else {
      low = trial;
      search->keep(search->context);
      if (fabs(low.slope) <= -c2 * start.slope) break;
      if (low.slope * (bracketed ? high.step - previous.step : 1) >= 0) {
        high = previous;
        bracketed = true;
      }
    }
    if (bracketed && fabs(high.step - low.step) <= search->tolerance) break;
    trial.step = bracketed ? interpolate(low, high) : extrapolate(previous, low);
  }
  *best = low;
  return STATUS_OK;
}
