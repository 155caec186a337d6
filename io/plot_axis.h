/* An axis of a plot: its range, where values lie on it, round tick values and their labels. */
#ifndef IO_PLOT_AXIS_H
#define IO_PLOT_AXIS_H

#include <stdbool.h>

enum { AXIS_TICKS = 16, AXIS_LABEL = 40 };

typedef struct {
  bool log;
  double low, high; /* the range; of log10(value) on a logarithmic axis */
  int ticks;
  double tick[AXIS_TICKS]; /* values, ascending */
  char label[AXIS_TICKS][AXIS_LABEL];
} Axis;

/* Local. low > high: no value was seen yet. */
Axis axis_create(bool log);

/* Local. The place of a value in units of the range; NaN where it has none: non-finite, beyond
 * 1e300, or not above 1e-300 on a logarithmic axis. */
double axis_place(const Axis *axis, double value);

/* Local. Widens the range to hold the value, if that has a place. */
void axis_include(Axis *axis, double value);

/* Local. Widens the range by this share at both ends, and a bit more where that reaches a round
 * number; one that is empty or a point becomes some interval around it. To be called once, after
 * all values and before axis_set_ticks. */
void axis_finish(Axis *axis, double margin);

/* Local. About `most` ticks (2 to 14), at least two unless the axis is logarithmic: multiples of 1,
 * 2 or 5 times a power of ten. */
void axis_set_ticks(Axis *axis, int most);

/* Local. 0 at the low end, 1 at the high end. */
double axis_fraction(const Axis *axis, double value);

#endif
