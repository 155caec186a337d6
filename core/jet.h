/* Jets: a network's value, first and chosen second derivatives with respect to its coordinates, for
 * a block of rows at once, and the parameter gradient of any function of them. All streams of the
 * block stand below each other in one matrix, so that a layer is ONE gemm forward and two backward;
 * an activation is evaluated once per sample. Formulas: README, "Jets" (sine: methods 2.2 and 2.3;
 * any activation through sigma' to sigma'''). */
#ifndef CORE_JET_H
#define CORE_JET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/network.h"
#include "core/real.h"
#include "core/status.h"

enum { JET_MAX_SECOND = 10, JET_MAX_STREAMS = 1 + NETWORK_MAX_IN + JET_MAX_SECOND };

/* A second-order stream: d2/dx_i dx_j, or with i = JET_COLLAPSED the operator sum_k w_k d2/dx_k^2
 * (the Laplacian where w = 1; w may be given per sample and have either sign). */
enum { JET_COLLAPSED = -1 };
typedef struct {
  int i, j;
} JetSecond;

/* How: forward streams for everything; a reverse sweep for the gradients of few outputs, in 1 + out
 * passes instead of 1 + in (methods 2.4); or whichever takes fewer. */
typedef enum { JET_CHEAPEST, JET_STREAMS, JET_ADJOINT } JetScheme;

/* Which derivatives: none (value only), all first ones, all first ones and a list of second ones.
 */
typedef struct {
  bool first; /* must be true when n_second > 0 */
  int n_second;
  JetSecond second[JET_MAX_SECOND];
  JetScheme scheme; /* JET_ADJOINT only without second derivatives */
} JetSpec;

/* Local. Streams of a jet in `in` coordinates: 1 + (first ? in : 0) + n_second, in this order:
 * value, d/dx_0 ... d/dx_{in-1}, second[0] ... */
int jet_streams(const JetSpec *spec, int in);

/* Local. Products of a layer with this jet, in units of a value stream's: the cost that
 * JET_CHEAPEST compares. */
int jet_passes(const Network *network, const JetSpec *spec);

typedef struct Jet Jet;

/* Local. Workspace for blocks of `rows` rows (fixed); owns all memory that forward and reverse
 * need. `reverse` false saves memory where only forward is called. Not shared between threads.
 * Borrows `network`. */
Status jet_create(const Network *network, const JetSpec *spec, int rows, bool reverse, Jet **jet);
void jet_destroy(Jet *jet);

/* Local. Bytes that jet_create would allocate. */
size_t jet_bytes(const Network *network, const JetSpec *spec, int rows, bool reverse);

/* Local. Evaluates all rows of x [rows][in]. weights [rows][in] belong to the collapsed operator;
 * NULL means 1. Returns y [streams][rows][out], owned by the jet, valid until the next call. */
const real *jet_forward(Jet *jet, const real *theta, const real *x, const real *weights);

/* Local. After jet_forward with the same theta, x and weights: given y_bar = dL/dy
 * [streams][rows][out], stores dL/dtheta in gradient [n_parameters] (accumulate false) or adds it
 * (accumulate true). */
void jet_reverse(Jet *jet, const real *theta, const real *x, const real *weights, const real *y_bar,
                 real *gradient, bool accumulate);

/* Local. After jet_forward of JET_STREAMS, what the reverse pass multiplies: for y_bar, stores in
 * bar[l] [streams][rows][out of l] the adjoint of W_l h + b_l of every linear layer l (omega
 * included). With the layers' inputs, jet_input, d/dW_l of sum_r y_bar_r . y_r is sum_r of
 * bar_r h_r^T over rows and streams, d/db_l the sum of the value stream's bars. Parameters of the
 * encoding are not looked at. */
void jet_factors(Jet *jet, const real *theta, const real *weights, const real *y_bar,
                 real *const bar[NETWORK_MAX_LINEAR]);

/* Local. After jet_forward of JET_STREAMS: the input h of linear layer l, [streams][rows][in of l],
 * owned by the jet. */
const real *jet_input(const Jet *jet, int layer);

/* Local. Floating-point operations of forward + reverse for one sample (gemm part: 6 P streams,
 * less the input gradient of the first layer, which nobody needs, is NOT subtracted: the paper's
 * count). */
double jet_flops(const Network *network, const JetSpec *spec);

#endif
