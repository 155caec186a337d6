/* The curve of the figure that people watch while a run trains. */
#ifndef EXPERIMENTS_HEADLINE_H
#define EXPERIMENTS_HEADLINE_H

#include "experiments/suite.h"

/* Local. OUTPUT/NAME.png, NAME being the experiment's headline, over the steps that were logged. */
Status headline_plot(const Setup *setup, const Result *result, const char *title,
                     const char *y_label);

#endif
