/* The RBF encoding's row of the table in encoding.c: phi_k(x) = exp(-(sigma_k |x - c_k|^2)^2) with
 * trainable c_k and sigma_k (paper.md 0.3; the square inside is the released code's). Signatures:
 * core/encoding.h. */
#ifndef CORE_ENCODING_RBF_H
#define CORE_ENCODING_RBF_H

#include "core/encoding.h"

int encoding_rbf_features(const NetworkSpec *spec);
void encoding_rbf_layout(Network *network);
void encoding_rbf_init(const Network *network, uint64_t seed, real *theta);
void encoding_rbf_forward(const Network *network, const JetSpec *jet, int rows, const real *theta,
                          const real *x, const real *weights, real *h);
void encoding_rbf_reverse(const Network *network, const JetSpec *jet, int rows, const real *theta,
                          const real *x, const real *weights, const real *h_bar, real *gradient);

#endif
