#include "io/plot_axis.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

Axis axis_create(bool log) {
  return (Axis){.log = log, .low = INFINITY, .high = -INFINITY};
}

double axis_place(const Axis *axis, double value) {
  if (!(fabs(value) < 1e300)) return NAN; /* so that differences are finite */
  if (axis->log) return value > 1e-300 ? log10(value) : NAN;
  return fabs(value) > 1e-300 ? value : 0;
}

void axis_include(Axis *axis, double value) {
  double place = axis_place(axis, value);
  if (isnan(place)) return;
  axis->low = fmin(axis->low, place);
  axis->high = fmax(axis->high, place);
}

/* The smallest of 1, 2, 5, 10, 20, ... times a power of ten that is at least `least`. */
static double round_step(double least) {
  double power = pow(10, floor(log10(least))), step = power;
  if (step < least * (1 - 1e-9)) step = 2 * power;
  if (step < least * (1 - 1e-9)) step = 5 * power;
  if (step < least * (1 - 1e-9)) step = 10 * power;
  return step;
}

/* An end just short of a round number reaches it: steps 0 to 9999 end at a tick of 10,000. */
static void round_ends(Axis *axis) {
  double span = axis->high - axis->low, step = round_step(span / 20), near = 0.005 * span;
  double low = step * floor(axis->low / step), high = step * ceil(axis->high / step);
  if (axis->low - low < near) axis->low = low;
  if (high - axis->high < near) axis->high = high;
}

void axis_finish(Axis *axis, double margin) {
  if (axis->low > axis->high) { /* no values */
    axis->low = 0;
    axis->high = 1;
    return;
  }
  double size = fmax(fabs(axis->low), fabs(axis->high));
  double extra = margin * (axis->high - axis->low);
  /* Of nearly equal values the ticks' labels could not be told apart. */
  if (axis->high - axis->low <= 1e-9 * size) extra = axis->log ? 0.5 : 0.12 * size;
  if (axis->high - axis->low + extra <= 0) extra = 1;
  axis->low -= extra;
  axis->high += extra;
  if (!axis->log) round_ends(axis);
}

double axis_fraction(const Axis *axis, double value) {
  return (axis_place(axis, value) - axis->low) / (axis->high - axis->low);
}

/* "−12,345.60" */
static void plain_label(double value, int decimals, bool commas, char label[AXIS_LABEL]) {
  char digits[AXIS_LABEL];
  snprintf(digits, sizeof digits, "%.*f", decimals, fabs(value));
  size_t whole = strcspn(digits, "."), at = 0;
  if (value < 0) at += (size_t)snprintf(label, AXIS_LABEL, "−");
  for (size_t i = 0; digits[i] && at + 2 < AXIS_LABEL; i++) {
    if (commas && i && i < whole && (whole - i) % 3 == 0) label[at++] = ',';
    label[at++] = digits[i];
  }
  label[at] = 0;
}

/* "−2.5×10⁻⁷" */
static void power_label(double value, int exponent, int decimals, char label[AXIS_LABEL]) {
  static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  char digits[16];
  double mantissa = value / pow(10, exponent);
  bool bare = decimals == 0 && fabs(fabs(mantissa) - 1) < 1e-6;
  snprintf(digits, sizeof digits, "%d", exponent < 0 ? -exponent : exponent);
  int at = snprintf(label, AXIS_LABEL, "%s", value < 0 ? "−" : "");
  if (!bare) at += snprintf(label + at, AXIS_LABEL - (size_t)at, "%.*f×", decimals, fabs(mantissa));
  at += snprintf(label + at, AXIS_LABEL - (size_t)at, "10%s", exponent < 0 ? "⁻" : "");
  for (char *d = digits; *d && at + 4 < AXIS_LABEL; d++) {
    at += snprintf(label + at, AXIS_LABEL - (size_t)at, "%s", raised[*d - '0']);
  }
}

static int exponent_of(double value) {
  return value == 0 ? 0 : (int)floor(log10(fabs(value)) + 1e-9);
}

/* One style for all ticks of an axis: powers of ten for what would be long in plain digits.
 * `precise`: each tick shows the digits it needs itself, not those of the step. */
static void set_labels(Axis *axis, double step, bool precise) {
  double smallest = INFINITY, largest = 0;
  for (int i = 0; i < axis->ticks; i++) {
    double size = fabs(axis->tick[i]);
    if (size > 0) smallest = fmin(smallest, size);
    largest = fmax(largest, size);
  }
  if (!precise) smallest = fmin(step, largest);
  bool powers = largest >= 1e6 || (largest > 0 && (precise ? smallest : largest) < 1e-3);
  for (int i = 0; i < axis->ticks; i++) {
    double value = axis->tick[i];
    int last = exponent_of(precise ? value : step), first = exponent_of(value);
    if (value == 0) {
      snprintf(axis->label[i], AXIS_LABEL, "0");
    } else if (powers) {
      power_label(value, first, first > last ? (int)fmin(first - last, 12) : 0, axis->label[i]);
    } else {
      plain_label(value, last < 0 ? -last : 0, largest >= 10000, axis->label[i]);
    }
  }
}

static void add_tick(Axis *axis, double value) {
  double fraction = axis_fraction(axis, value);
  if (axis->ticks == AXIS_TICKS || fraction < -1e-9 || fraction > 1 + 1e-9) return;
  axis->tick[axis->ticks++] = value;
}

static int tick_count(double low, double high, double step) {
  return (int)(floor(high / step + 1e-9) - ceil(low / step - 1e-9)) + 1;
}

/* Evenly spaced values; on a logarithmic axis of less than a decade they lie unevenly. */
static void linear_ticks(Axis *axis, double low, double high, int most) {
  double step = round_step((high - low) / most);
  while (tick_count(low, high, step) < 2) step = round_step(step / 2.5); /* the next smaller */
  double first = ceil(low / step - 1e-9);
  int count = tick_count(low, high, step);
  for (int i = 0; i < count; i++) add_tick(axis, (first + i) * step);
  set_labels(axis, step, false);
}

/* Every k-th power of ten, with 2 and 5 times them where there is room. */
static void log_ticks(Axis *axis, int most) {
  static const double between[] = {1, 2, 5};
  double decades = axis->high - axis->low;
  int step = (int)ceil(decades / most);
  int parts = step == 1 && 3 * decades <= most ? 3 : 1;
  for (int e = (int)(floor(axis->low / step) * step); e <= axis->high; e += step) {
    for (int i = 0; i < parts; i++) add_tick(axis, between[i] * pow(10, e));
  }
  set_labels(axis, 1, true);
}

void axis_set_ticks(Axis *axis, int most) {
  assert(most >= 2 && most <= AXIS_TICKS - 2);
  axis->ticks = 0;
  if (!axis->log) {
    linear_ticks(axis, axis->low, axis->high, most);
  } else if (axis->high - axis->low < 1) {
    linear_ticks(axis, pow(10, axis->low), pow(10, axis->high), most);
  } else {
    log_ticks(axis, most);
  }
}
