/* Input encodings h_0 = e(x) with their jets. A new encoding is one row of the table in encoding.c.
 */
#ifndef CORE_ENCODING_H
#define CORE_ENCODING_H

#include "core/jet.h"
#include "core/network.h"

/* A stack of streams: stream s is the matrix at data + s * stride, row-major [rows][columns]. */
typedef struct Encoding {
  const char *name;
  const char *description;
  /* Width of h_0. */
  int (*features)(const NetworkSpec *spec);
  /* Adds this encoding's tensors to the (still empty) network and advances n_parameters; NULL: no
   * parameters. */
  void (*layout)(Network *network);
  /* Draws this encoding's parameters; NULL: none. */
  void (*init)(const Network *network, uint64_t seed, real *theta);
  /* Fills all streams of h_0 [streams][rows][features] from x [rows][in]; NULL: h_0 = x.
   * weights [rows][in] of collapsed operators, may be NULL (all 1). */
  void (*forward)(const Network *network, const JetSpec *jet, int rows, const real *theta,
                  const real *x, const real *weights, real *h);
  /* Adds the parameters' gradient, given adjoints h_bar of all streams; NULL: none. */
  void (*reverse)(const Network *network, const JetSpec *jet, int rows, const real *theta,
                  const real *x, const real *weights, const real *h_bar, real *gradient);
} Encoding;

/* Local. The table; *count gets its length. */
const Encoding *encoding_table(int *count);

/* Local. A row by name, or NULL. */
const Encoding *encoding_find(const char *name);

/* Local. NeRF's number of frequencies by the Nyquist rule of the official code: floor(log2(side /
 * 4)), at least 0, for a grid with `side` samples on its shorter side; 10 for three coordinates
 * (paper.md 0.3). */
int encoding_frequencies(int in, int64_t side);

#endif
