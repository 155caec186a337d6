/* An objective over a bundle of networks of one shape, each fitted to values of its own at the same
 * points: nothing is shared but the work.
 *
 *     L = sum over members i of 1/V sum over points |Phi_i(x) - b_i(x)|^2,   V values of a member.
 *
 * theta holds tensor by tensor those of all members, [members][rows][cols], so that files have the
 * weights as arrays, and a member's gradient is nobody else's (core/outer.h): it is never summed.
 * Tiles are groups of members. */
#ifndef HYPER_BUNDLE_H
#define HYPER_BUNDLE_H

#include <stdbool.h>

#include "core/objective.h"

/* Local, thread-safe, pure. values [points][out] that a member is to have. */
typedef void (*BundleTarget)(const void *source, int64_t member, real *values);

typedef struct {
  const Network *network; /* borrowed, stays there */
  int64_t members;        /* >= 1 */
  int points;             /* >= 1 */
  const real *x;          /* [points][in]; borrowed */
  int64_t tile;           /* least samples of a tile, 0: by their cost */
  BundleTarget target;
  const void *source; /* borrowed */
} BundleSpec;

typedef struct Bundle Bundle;

/* Local. */
Status bundle_create(const BundleSpec *spec, Bundle **bundle);
void bundle_destroy(Bundle *bundle); /* NULL is allowed */

/* Local. theta's size and tensors, in the network's order: rows = members, cols = the size of the
 * network's tensor. */
size_t bundle_parameters(const Bundle *bundle);
size_t bundle_weights(const Bundle *bundle); /* one member's */
const Tensor *bundle_tensors(const Bundle *bundle);

/* Local. One term, `mse`: the mean over the members, whose weight is their number. Borrows bundle.
 */
void bundle_objective(const Bundle *bundle, Objective *objective);

/* Local. theta to begin with: all members the same as `common` [bundle_weights]; or, where it is
 * NULL, each its own by network_init, a pure function of the seed. */
void bundle_init(const Bundle *bundle, uint64_t seed, const real *common, real *theta);
void bundle_member_init(const Bundle *bundle, uint64_t seed, const real *common, int64_t member,
                        real *weights);

/* Local. One member's weights [the network's n_parameters], out of theta and into it. */
void bundle_get(const Bundle *bundle, const real *theta, int64_t member, real *weights);
void bundle_set(const Bundle *bundle, int64_t member, const real *weights, real *theta);

/* Local. Floating-point operations of a step. */
double bundle_flops(const Bundle *bundle);

/* ---- Using what was trained ---- */

typedef struct BundleUse BundleUse;

/* Local. Scratch memory for one thread. */
Status bundle_use_create(const Bundle *bundle, BundleUse **use);
void bundle_use_destroy(BundleUse *use); /* NULL is allowed */
size_t bundle_use_bytes(const Bundle *bundle);

/* Local. values [points][out] of a network with these weights. */
void bundle_render(BundleUse *use, const real *weights, real *values);

#endif
