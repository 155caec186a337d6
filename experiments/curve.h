/* The curve that people look at first: the headline over the steps. */
#ifndef EXPERIMENTS_CURVE_H
#define EXPERIMENTS_CURVE_H

#include "experiments/suite.h"

typedef struct {
  const char *title, *y_label;
  bool log_y;
} CurveStyle;

/* Local, on rank 0. OUTPUT/NAME: the experiment's headline of every logged step. */
Status curve_headline(const Setup *setup, const Result *result, const char *name,
                      const CurveStyle *style);

#endif
