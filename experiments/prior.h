/* What images are like, as loss terms on Phi: R^2 -> channels (paper.md 8.6). */
#ifndef EXPERIMENTS_PRIOR_H
#define EXPERIMENTS_PRIOR_H

#include "core/problem.h"

typedef struct {
  const char *name;       /* of the choice inpaint.prior and of the term */
  const char *weight_key; /* its weight's option */
  JetSpec jet;            /* what the term needs */
  TermFunction term;
} Prior;

/* Local. A row by name; NULL for "none". */
const Prior *prior_find(const char *name);

/* Total variation, the mean over the coordinates j of |d_j sum_c Phi_c|: the released code
 * differentiates the SUM of the channels, whose edges may cancel. The adjoint at 0 is 0. */
double prior_tv(const TermBlock *block, double factor, const void *settings);

/* The same channel by channel, the mean over j of sum_c |d_j Phi_c|: equal for grey images. */
double prior_tv_channels(const TermBlock *block, double factor, const void *settings);

/* The Frobenius norm of all channels' Hessians together, sqrt(sum_c sum_ij (d_ij Phi_c)^2), from
 * the streams d_00, d_01, d_11. The adjoint at 0, where the norm has no derivative, is 0. */
double prior_hessian(const TermBlock *block, double factor, const void *settings);

#endif
