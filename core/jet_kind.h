/* What a way to evaluate jets has to provide; known to jet*.c only. A new way is one file and one
 * row of the table in jet.c. */
#ifndef CORE_JET_KIND_H
#define CORE_JET_KIND_H

#include "core/jet.h"

/* The head of every kind's own structure. */
struct Jet {
  const struct JetKind *kind;
  const Network *network;
  JetSpec spec;
  int rows, streams;
  bool reverse;
  real *memory; /* everything that place() hands out */
};

typedef struct JetKind {
  /* Products of a layer, in units of one value stream's: what it costs. 0: cannot do this. */
  int (*passes)(const Network *network, const JetSpec *spec);
  size_t size; /* of the kind's own structure */
  /* Sets all pointers into `memory` (NULL: only counts) and returns the number of reals. */
  size_t (*place)(Jet *jet, real *memory);
  const real *(*forward)(Jet *jet, const real *theta, const real *x, const real *weights);
  void (*reverse)(Jet *jet, const real *theta, const real *x, const real *weights,
                  const real *y_bar, real *gradient, bool accumulate);
  /* jet_factors and jet_input; NULL: not with this kind. */
  void (*factors)(Jet *jet, const real *theta, const real *weights, const real *y_bar,
                  real *const *bar);
  const real *(*input)(const Jet *jet, int layer);
} JetKind;

extern const JetKind jet_streams_kind; /* all streams forward: methods 2.2, 2.3 */
extern const JetKind
    jet_adjoint_kind; /* gradients of few outputs by a reverse sweep: methods 2.4 */

/* Local. Bias gradient of a layer: target (+)= omega * bias_bar. */
void jet_bias_gradient(const Linear *linear, const real *bias_bar, bool accumulate, real *gradient);

/* Local. Adds the output layer's bias [out] to the value rows y [rows][out]; sums rows of y_bar
 * into bias_bar [out]. */
void jet_output_bias(const Jet *jet, const real *theta, real *y);
void jet_output_bias_gradient(const Jet *jet, const real *y_bar, bool accumulate, real *gradient);

/* Local. omega * bias of a layer, into bias [out]. */
void jet_scaled_bias(const Linear *linear, const real *theta, real *bias);

/* Local. The encoding's parameters' gradient, from the adjoint of all its streams. */
void jet_encoding_gradient(const Jet *jet, const real *theta, const real *x, const real *weights,
                           const real *h_bar, bool accumulate, real *gradient);

#endif
