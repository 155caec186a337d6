/* The paper's equation as an objective: L(theta) = sum over domains m, over x in Omega_m (mean or
 * sum), of w_m C_m(a(x), Phi(x), grad Phi(x), ...) (Sitzmann et al. 2020, eq. 1 to 3). An
 * experiment fills domains with a way to draw points and with loss terms; this file makes tiles of
 * them. */
#ifndef CORE_PROBLEM_H
#define CORE_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/jet.h"
#include "core/objective.h"

enum { PROBLEM_MAX_DOMAINS = 8, DOMAIN_MAX_TERMS = 8 };

/* A block of rows with the jet of Phi there, as a loss term sees it. Arrays are [rows][out] unless
 * said. */
typedef struct {
  int rows, in, out, data_width;
  const real *x;    /* [rows][in] */
  const real *data; /* [rows][data_width], as drawn */
  const real *value, *first[NETWORK_MAX_IN], *second[JET_MAX_SECOND];
  /* Adjoints to add to; all NULL when only the loss is wanted. */
  real *value_bar, *first_bar[NETWORK_MAX_IN], *second_bar[JET_MAX_SECOND];
} TermBlock;

/* Local. Returns the sum over the block's rows of the term C (not weighted) and adds factor *
 * dC/d(jet) to the adjoints where they are not NULL. `factor` holds weight and reduction. Sums in
 * double. */
typedef double (*TermFunction)(const TermBlock *block, double factor, const void *settings);

typedef struct {
  const char *name; /* unique in the problem; borrowed */
  double weight;
  TermFunction function;
  const void *settings; /* borrowed */
} Term;

/* Local. Least squares: one of the residuals of each row, whose squares add up to what the domain
 * contributes to the loss (weights included; times the number of samples where it is a mean).
 * Stores it in residual [rows] and adds its derivative to the adjoints; rows that do not have it
 * get active false, and a residual and derivative of 0. */
typedef void (*ResidualFunction)(const TermBlock *block, int which, const void *settings,
                                 double *residual, bool *active);

/* Local, thread-safe, pure. Fills rows first .. first+rows-1 of the step's samples: x [rows][in],
 * data [rows][data_width] (NULL if data_width is 0), weights [rows][in] (NULL unless
 * operator_weights). */
typedef void (*DrawFunction)(const void *source, uint64_t step, int64_t first, int rows, real *x,
                             real *data, real *weights);

/* Local, by one thread, before any of the samples first ... end - 1 of a step is drawn: reads what
 * they need. first is the first sample of a tile. */
typedef Status (*PrepareFunction)(const void *source, uint64_t step, int64_t first, int64_t end);

typedef struct {
  const char *name;
  int64_t samples; /* in a step, over all ranks, >= 1 */
  bool mean;       /* terms are means over the samples, else sums */
  JetSpec jet;
  int data_width;
  bool operator_weights;
  DrawFunction draw;
  PrepareFunction prepare; /* NULL: nothing to do */
  const void *source;      /* borrowed */
  int n_terms;
  Term terms[DOMAIN_MAX_TERMS];
  int most_residuals;            /* that a sample has at once; 0: all of them */
  int64_t all_residuals;         /* that a step has at most; 0: samples * most_residuals */
  int n_residuals;               /* 0: not a sum of squares */
  ResidualFunction residuals;    /* NULL then */
  const void *residual_settings; /* borrowed */
} Domain;

typedef struct {
  const Network *network; /* borrowed */
  int tile;               /* samples of a tile, part of the bits; 0: problem_default_tile */
  int n_domains;
  Domain domains[PROBLEM_MAX_DOMAINS];
} Problem;

/* Local. Makes the objective of a problem, which must outlive it and stay where it is. Nothing to
 * release. Fails (STATUS_USAGE) when a domain is out of range. */
Status problem_objective(const Problem *problem, Objective *objective);

/* Local. Rows that are evaluated at once inside a tile: a function of network, jet and tile only.
 */
int problem_block_rows(const Network *network, const JetSpec *jet, int tile);

/* Local. A tile for train.tile=0: large enough that adding its gradient exactly costs a few per
 * cent of computing it, small enough to be shared out. A function of network and jets only. */
int problem_default_tile(const Problem *problem);

/* Local. Samples of a tile: the problem's, or problem_default_tile. */
int problem_tile(const Problem *problem);

/* Local. Bytes of memory that one thread's workspace occupies. */
size_t problem_workspace_bytes(const Problem *problem);

/* Local. Floating-point operations of a step (6 P streams per sample). */
double problem_flops(const Problem *problem);

#endif
