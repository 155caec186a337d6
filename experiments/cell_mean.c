#include "experiments/cell_mean.h"

enum { POINTS = 16 };

double cell_mean(double (*value)(double x, double y, const void *context), const void *context,
                 double x, double y, double side) {
  double sum = 0, step = side / POINTS, first = -0.5 * side + 0.5 * step;
  for (int i = 0; i < POINTS; i++) {
    for (int j = 0; j < POINTS; j++)
      sum += value(x + first + step * i, y + first + step * j, context);
  }
  return sum / (POINTS * POINTS);
}
