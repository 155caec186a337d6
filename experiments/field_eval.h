/* `siren eval` of networks over a plane whose channels are no colours. */
#ifndef EXPERIMENTS_FIELD_EVAL_H
#define EXPERIMENTS_FIELD_EVAL_H

#include "experiments/result.h"
#include "experiments/suite.h"

/* Collective. The fields eval.fields on the grid that eval.size (0: `side`), eval.lower and
 * eval.upper name, with a picture of each channel of the value, eval_value.png. */
Status field_eval(const Setup *setup, const real *theta, Result *result, int side);

/* Local. The square grid of `side` samples of [-1, 1]^2, "x,y": axis 0 is the first coordinate. */
ResultFields field_grid(int64_t side);

#endif
