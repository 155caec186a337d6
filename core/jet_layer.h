/* The elementwise part of a layer: activations of all streams of a block, forward and reverse. With
 * u the value stream before the activation, u_i its first and u_ij, u_L its second derivatives
 * (methods 2.2, 2.3): forward  h = sigma(u),  h_i = sigma' u_i,  h_ij = sigma' u_ij + sigma'' u_i
 * u_j,  h_L = sigma' u_L + sigma'' q, q = sum_i w_i u_i^2 reverse  the adjoints of these, in place.
 */
#ifndef CORE_JET_LAYER_H
#define CORE_JET_LAYER_H

#include "core/jet.h"

typedef struct {
  const Activation *activation;
  const JetSpec *spec;
  int in, rows, width;
  const real *weights; /* [rows][in] of collapsed operators, or NULL */
  real *before; /* [streams][rows][width]: omega W h; after the forward its value rows hold aux */
  real *after;  /* [streams][rows][width] */
} JetLayer;

/* Local. Adds bias [width] (omega included) to the value rows, then fills `after` and aux. */
void jet_layer_forward(const JetLayer *layer, const real *bias);

/* Local. Turns bar [streams][rows][width], the adjoint of `after`, into that of u; bias_bar [width]
 * gets the sum of the value rows. */
void jet_layer_reverse(const JetLayer *layer, real *bar, real *bias_bar);

#endif
