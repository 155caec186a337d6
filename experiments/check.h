/* `siren check`: the objective's gradient against finite differences. */
#ifndef EXPERIMENTS_CHECK_H
#define EXPERIMENTS_CHECK_H

#include <stdio.h>

#include "experiments/suite.h"

/* Collective. Compares, at the first weights, the derivative of the loss along a random direction
 * and along single parameters of every tensor, and prints a table. STATUS_FAILED if any differs by
 * more than 1e-5. Meaningful with double precision only. */
Status check_gradient(const Comm *comm, const Config *config, FILE *out);

#endif
