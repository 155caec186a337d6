#include "hyper/bundle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "hyper/render.h"

/* A block's activations stay in the cache that a core has to itself; blocks of powers of two, whose
 * rows share its places, are slower. A tile takes some milliseconds, beside which its bookkeeping
 * is nothing. */
enum { MAX_ROWS = 400 };
static const double tile_flops = 2e8;

struct Bundle {
  BundleSpec spec;
  int n_tensors;
  size_t n_parameters;
  Tensor tensors[NETWORK_MAX_TENSORS];
  OuterTensor outer[NETWORK_MAX_TENSORS];
  real *weights; /* of one member: scratch memory of bundle_init */
};

/* ---- Creation ---- */

static void lay_out(Bundle *bundle) {
  const Network *network = bundle->spec.network;
  bundle->n_tensors = network->n_tensors;
  for (int t = 0; t < network->n_tensors; t++) {
    const Tensor *one = &network->tensors[t];
    Tensor *all = &bundle->tensors[t];
    *all = *one;
    all->offset = bundle->n_parameters;
    all->rows = (int)bundle->spec.members;
    all->cols = one->rows * one->cols;
    bundle->outer[t] = (OuterTensor){.name = all->name,
                                     .offset = all->offset,
                                     .rows = all->rows,
                                     .cols = all->cols,
                                     .u = one->offset,
                                     .own = true};
    bundle->n_parameters += (size_t)all->rows * (size_t)all->cols;
  }
}

Status bundle_create(const BundleSpec *spec, Bundle **result) {
  Bundle *bundle;
  TRY(memory_allocate(&bundle, 1, sizeof *bundle, "networks"));
  bundle->spec = *spec;
  lay_out(bundle);
  Status status =
      memory_allocate(&bundle->weights, spec->network->n_parameters, sizeof(real), "networks");
  if (status == STATUS_OK) {
    *result = bundle;
  } else {
    bundle_destroy(bundle);
  }
  return status;
}

void bundle_destroy(Bundle *bundle) {
  if (bundle) free(bundle->weights);
  free(bundle);
}

size_t bundle_parameters(const Bundle *bundle) {
  return bundle->n_parameters;
}

size_t bundle_weights(const Bundle *bundle) {
  return bundle->spec.network->n_parameters;
}

const Tensor *bundle_tensors(const Bundle *bundle) {
  return bundle->tensors;
}

/* ---- Members of theta ---- */

/* Where a member's part of a tensor begins in theta. */
static size_t part_of(const Bundle *bundle, int tensor, int64_t member) {
  const Tensor *all = &bundle->tensors[tensor];
  return all->offset + (size_t)member * (size_t)all->cols;
}

void bundle_get(const Bundle *bundle, const real *theta, int64_t member, real *weights) {
  for (int t = 0; t < bundle->n_tensors; t++) {
    memcpy(weights + bundle->outer[t].u, theta + part_of(bundle, t, member),
           (size_t)bundle->tensors[t].cols * sizeof *weights);
  }
}

void bundle_set(const Bundle *bundle, int64_t member, const real *weights, real *theta) {
  for (int t = 0; t < bundle->n_tensors; t++) {
    memcpy(theta + part_of(bundle, t, member), weights + bundle->outer[t].u,
           (size_t)bundle->tensors[t].cols * sizeof *weights);
  }
}

void bundle_member_init(const Bundle *bundle, uint64_t seed, const real *common, int64_t member,
                        real *weights) {
  uint64_t words[4];
  if (common) {
    memcpy(weights, common, bundle_weights(bundle) * sizeof *weights);
    return;
  }
  random_words((RandomStream){seed, RANDOM_MEMBER, 0}, (uint64_t)member, 0, words);
  network_init(bundle->spec.network, words[0], weights);
}

void bundle_init(const Bundle *bundle, uint64_t seed, const real *common, real *theta) {
  for (int64_t i = 0; i < bundle->spec.members; i++) {
    bundle_member_init(bundle, seed, common, i, bundle->weights);
    bundle_set(bundle, i, bundle->weights, theta);
  }
}

/* ---- What it costs ---- */

static double member_flops(const Bundle *bundle) {
  return bundle->spec.points * render_flops(bundle->spec.network);
}

double bundle_flops(const Bundle *bundle) {
  return (double)bundle->spec.members * member_flops(bundle);
}

static int64_t count_tiles(const Bundle *bundle) {
  const BundleSpec *spec = &bundle->spec;
  double size = spec->tile ? (double)spec->tile / spec->points : tile_flops / member_flops(bundle);
  int64_t members = (int64_t)fmax(1, fmin(size, 1e6)), tiles = spec->members / members;
  return tiles ? tiles : 1;
}

static int64_t tiles_of(const Objective *self, uint64_t step) {
  (void)step;
  return count_tiles(self->context);
}

/* ---- Scratch memory ---- */

struct BundleUse {
  const Bundle *bundle;
  Render *render;
  real *values; /* [points][out] */
  real *weights;
};

static size_t out_of(const Bundle *bundle) {
  return (size_t)bundle->spec.network->spec.out;
}

static Status allocate_use(BundleUse *use) {
  const BundleSpec *spec = &use->bundle->spec;
  const char *what = "a network's points";
  TRY(render_create(spec->network, spec->points, MAX_ROWS, true, &use->render));
  TRY(memory_allocate(&use->values, (size_t)spec->points * out_of(use->bundle), sizeof(real),
                      what));
  return memory_allocate(&use->weights, spec->network->n_parameters, sizeof(real), what);
}

Status bundle_use_create(const Bundle *bundle, BundleUse **result) {
  BundleUse *use;
  TRY(memory_allocate(&use, 1, sizeof *use, "a network's points"));
  use->bundle = bundle;
  Status status = allocate_use(use);
  if (status == STATUS_OK) {
    *result = use;
  } else {
    bundle_use_destroy(use);
  }
  return status;
}

void bundle_use_destroy(BundleUse *use) {
  if (!use) return;
  render_destroy(use->render);
  free(use->values);
  free(use->weights);
  free(use);
}

size_t bundle_use_bytes(const Bundle *bundle) {
  const BundleSpec *spec = &bundle->spec;
  size_t reals = (size_t)spec->points * out_of(bundle) + spec->network->n_parameters;
  return render_bytes(spec->network, spec->points, MAX_ROWS, true) +
         memory_footprint(reals * sizeof(real));
}

void bundle_render(BundleUse *use, const real *weights, real *values) {
  const BundleSpec *spec = &use->bundle->spec;
  render_values(use->render, weights, spec->points, spec->x, values);
}

/* ---- A tile ---- */

/* A member's mean square; its derivative by the weights in bar (NULL: not wanted). */
static double run_member(BundleUse *use, const real *weights, const real *target, real *bar) {
  const BundleSpec *spec = &use->bundle->spec;
  double values = (double)spec->points * (double)out_of(use->bundle);
  return render_compare(use->render, weights, spec->points, spec->x, target, 2 / values, bar) /
         values;
}

static void run_tile(const Objective *self, uint64_t step, int64_t tile, const real *theta,
                     real *gradient, double *terms, const OuterFactors *outer, void *workspace) {
  (void)step;
  const Bundle *bundle = self->context;
  const BundleSpec *spec = &bundle->spec;
  BundleUse *use = workspace;
  int64_t tiles = count_tiles(bundle), end = spec->members * (tile + 1) / tiles;
  double sum = 0;
  for (int64_t i = spec->members * tile / tiles; i < end; i++) {
    real *bar = gradient ? outer->u + (size_t)i * self->outer.u_size : NULL;
    spec->target(spec->source, i, use->values);
    bundle_get(bundle, theta, i, use->weights);
    sum += run_member(use, use->weights, use->values, bar);
  }
  terms[0] = sum / (double)spec->members;
}

static Status workspace_create(const Objective *self, void **workspace) {
  BundleUse *use;
  TRY(bundle_use_create(self->context, &use));
  *workspace = use;
  return STATUS_OK;
}

static void workspace_destroy(void *workspace) {
  bundle_use_destroy(workspace);
}

static size_t workspace_bytes(const Objective *self) {
  return bundle_use_bytes(self->context);
}

void bundle_objective(const Bundle *bundle, Objective *objective) {
  *objective = (Objective){
      .n_parameters = bundle->n_parameters,
      .outer = {.n_tensors = bundle->n_tensors,
                .tensors = bundle->outer,
                .u_size = real_aligned(bundle->spec.network->n_parameters),
                .items = bundle->spec.members},
      .n_terms = 1,
      .terms = {{"mse", (double)bundle->spec.members}},
      .context = bundle,
      .tiles = tiles_of,
      .workspace_create = workspace_create,
      .workspace_destroy = workspace_destroy,
      .workspace_bytes = workspace_bytes,
      .tile = run_tile,
  };
}
