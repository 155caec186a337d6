/* A bundle of networks on one to four ranks: each member ends with the bits that it has when it is
 * trained alone, its gradient is that of the loss, and files give all of them back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/encoding.h"
#include "core/memory.h"
#include "core/optimizer.h"
#include "hyper/bundle.h"
#include "io/file.h"
#include "io/hdf5.h"
#include "io/runfile.h"
#include "mpi/evaluate.h"
#include "tests/mpi_check.h"

enum { MEMBERS = 7, POINTS = 451, STEPS = 5 };

typedef struct {
  Network network;
  real *x;
  int64_t first; /* member of the whole bundle that is this one's first */
} Fixture;

static void target(const void *source, int64_t member, real *values) {
  const Fixture *f = source;
  for (int i = 0; i < 2 * POINTS; i++) {
    values[i] = (real)sin(0.01 * i * (double)(1 + f->first + member));
  }
}

static Fixture make_fixture(void) {
  NetworkSpec spec = {.in = 2,
                      .out = 2,
                      .width = 12,
                      .layers = 1,
                      .activation = activation_find("sine"),
                      .encoding = encoding_find("none"),
                      .centres = 1,
                      .rbf_sigma = 1,
                      .omega_first = 5,
                      .omega_hidden = 4,
                      .weight_init = "official",
                      .bias_init = "torch"};
  Fixture f = {0};
  Status status = network_create(&spec, &f.network);
  if (status == STATUS_OK) status = memory_allocate(&f.x, 2 * POINTS, sizeof(real), "points");
  assert_all(status == STATUS_OK);
  for (int i = 0; i < 2 * POINTS; i++) f.x[i] = (real)(2. * (i * 37 % 451) / 450 - 1);
  return f;
}

static Bundle *make_bundle(const Fixture *f, int64_t members, int64_t tile) {
  Bundle *bundle = NULL;
  Status status = bundle_create(&(BundleSpec){.network = &f->network,
                                              .members = members,
                                              .points = POINTS,
                                              .x = f->x,
                                              .tile = tile,
                                              .target = target,
                                              .source = f},
                                &bundle);
  assert_all(status == STATUS_OK);
  return bundle;
}

/* ---- Training ---- */

typedef struct {
  Evaluation *evaluation;
  const Objective *objective;
  double clip;
} Trainer;

static Status evaluate(void *context, const real *theta, double *loss, real *gradient) {
  Trainer *t = context;
  double terms[OBJECTIVE_MAX_TERMS];
  TRY(evaluation_run(t->evaluation, 0, theta, gradient, terms, NULL));
  if (t->clip > 0) evaluation_clip(t->evaluation, gradient, t->clip);
  *loss = objective_total(t->objective, terms);
  return STATUS_OK;
}

/* Collective over comm. Returns the last loss. */
static double train(const Comm *comm, const Bundle *bundle, double clip, real *theta) {
  Objective objective;
  OptimizerSettings settings = OPTIMIZER_DEFAULTS;
  Optimizer *optimizer = NULL;
  double loss = 0;
  bundle_objective(bundle, &objective);
  settings.stored = OPTIMIZER_STORES_NONE;
  Trainer t = {.objective = &objective, .clip = clip};
  Status status = optimizer_create("adam", &settings, objective.n_parameters, &optimizer);
  if (status == STATUS_OK) status = evaluation_create(comm, &objective, 2, &t.evaluation);
  if (status == STATUS_OK) evaluation_serve(t.evaluation, optimizer);
  for (int step = 0; status == STATUS_OK && step < STEPS; step++) {
    status = optimizer_step(optimizer, 0.01, theta, evaluate, &t, &loss);
    evaluation_share(t.evaluation, theta);
  }
  evaluation_destroy(t.evaluation);
  optimizer_destroy(optimizer);
  return status == STATUS_OK ? loss : NAN;
}

static real *initial(const Bundle *bundle) {
  real *theta = NULL;
  Status status = memory_allocate(&theta, bundle_parameters(bundle), sizeof *theta, "weights");
  assert_all(status == STATUS_OK);
  bundle_init(bundle, 3, NULL, theta);
  return theta;
}

static Comm *self(void) {
  Comm *comm = NULL;
  Status status = comm_split(world, comm_rank(world), &comm);
  assert_all(status == STATUS_OK);
  return comm;
}

static void test_members_as_if_alone(void **state) {
  (void)state;
  Fixture f = make_fixture();
  Bundle *all = make_bundle(&f, MEMBERS, 0), *groups = make_bundle(&f, MEMBERS, 2 * POINTS);
  Comm *alone = self();
  real *begin = initial(all), *theta = initial(all), *other = initial(all), *one = initial(all),
       *weights = initial(all);
  double together = train(world, all, 0, theta), sum = 0;
  train(world, groups, 0, other);
  bool same = !memcmp(theta, other, bundle_parameters(all) * sizeof *theta);
  bool good = true;
  for (int64_t i = 0; i < MEMBERS; i++) {
    Fixture single = f;
    single.first = i;
    Bundle *bundle = make_bundle(&single, 1, 0);
    bundle_get(all, begin, i, weights);
    bundle_set(bundle, 0, weights, one);
    sum += train(alone, bundle, 0, one);
    bundle_get(bundle, one, 0, weights);
    bundle_get(all, theta, i, other);
    good &= !memcmp(other, weights, f.network.n_parameters * sizeof *weights);
    bundle_destroy(bundle);
  }
  assert_all(same);
  assert_all(good);
  assert_all(fabs(together / sum - 1) < 1e-12);
  real *owned[] = {begin, theta, other, one, weights, f.x};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
  comm_release(alone);
  bundle_destroy(all);
  bundle_destroy(groups);
}

/* A clipped step, too, is the same on any ranks; and another one. */
static void test_clipping(void **state) {
  (void)state;
  Fixture f = make_fixture();
  Bundle *bundle = make_bundle(&f, MEMBERS, POINTS);
  Comm *alone = self();
  real *a = initial(bundle), *b = initial(bundle), *free_one = initial(bundle);
  size_t bytes = bundle_parameters(bundle) * sizeof *a;
  train(world, bundle, 1e-7, a);
  train(alone, bundle, 1e-7, b);
  train(world, bundle, 0, free_one);
  assert_all(!memcmp(a, b, bytes));
  assert_all(memcmp(a, free_one, bytes) != 0);
  free(a);
  free(b);
  free(free_one);
  free(f.x);
  comm_release(alone);
  bundle_destroy(bundle);
}

/* Along a direction, against the difference of the loss. */
static void test_gradient(void **state) {
  (void)state;
  Fixture f = make_fixture();
  Bundle *bundle = make_bundle(&f, MEMBERS, 0);
  Objective objective;
  Evaluation *evaluation = NULL;
  bundle_objective(bundle, &objective);
  assert_all(objective_dense(&objective) == 0);
  assert_all(evaluation_create(world, &objective, 1, &evaluation) == STATUS_OK);
  real *theta = initial(bundle), *moved = initial(bundle), *gradient = initial(bundle);
  size_t n = objective.n_parameters;
  double terms[2], ends[2], slope = 0, length = 0, h = REAL_IS_DOUBLE ? 1e-6 : 1e-3;
  assert_all(evaluation_run(evaluation, 0, theta, gradient, terms, NULL) == STATUS_OK);
  evaluation_rest(evaluation, 0, n, gradient);
  for (size_t i = 0; i < n; i++) length += (double)gradient[i] * (double)gradient[i];
  length = sqrt(length);
  for (int side = 0; side < 2; side++) {
    for (size_t i = 0; i < n; i++) {
      moved[i] = (real)((double)theta[i] + (side ? h : -h) * (double)gradient[i] / length);
    }
    assert_all(evaluation_run(evaluation, 0, moved, NULL, terms, NULL) == STATUS_OK);
    ends[side] = objective_total(&objective, terms);
  }
  slope = (ends[1] - ends[0]) / (2 * h);
  assert_all(length > 0.1 && fabs(slope / length - 1) < 1e-3);
  evaluation_destroy(evaluation);
  real *owned[] = {theta, moved, gradient, f.x};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
  bundle_destroy(bundle);
}

static void test_beginnings(void **state) {
  (void)state;
  Fixture f = make_fixture();
  Bundle *bundle = make_bundle(&f, 3, 0);
  real *theta = initial(bundle), *common = initial(bundle), *got = initial(bundle);
  size_t bytes = f.network.n_parameters * sizeof *got;
  bundle_get(bundle, theta, 0, common);
  bundle_get(bundle, theta, 1, got);
  assert_all(memcmp(common, got, bytes) != 0);
  bundle_init(bundle, 3, common, theta);
  for (int64_t i = 0; i < 3; i++) {
    bundle_get(bundle, theta, i, got);
    assert_all(!memcmp(common, got, bytes));
  }
  real *owned[] = {theta, common, got, f.x};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
  bundle_destroy(bundle);
}

/* ---- Files ---- */

static void test_file(void **state) {
  (void)state;
  char directory[64] = "/tmp/test-bundle-XXXXXX";
  if (comm_rank(world) == 0) assert_non_null(mkdtemp(directory));
  comm_broadcast(world, directory, sizeof directory);
  Fixture f = make_fixture();
  Bundle *bundle = make_bundle(&f, MEMBERS, 0), *fewer = make_bundle(&f, MEMBERS - 1, 0);
  Model model = {.group = "/population",
                 .n_parameters = bundle_parameters(bundle),
                 .n_tensors = f.network.n_tensors,
                 .tensors = bundle_tensors(bundle),
                 .each = f.network.tensors};
  real *theta = initial(bundle), *back = initial(bundle);
  memset(back, 0, model.n_parameters * sizeof *back);
  const double values[6] = {1, 2, 3, 4, 5, 6};
  RunArray array = {"/statistics/layer0/weight/counts",   "six", "1", 2, {2, 3},
                    comm_rank(world) == 0 ? values : NULL};
  char *path = file_join(directory, "run.h5");
  RunFile *file = NULL;
  assert_all(runfile_create(world, path, &file) == STATUS_OK);
  assert_all(runfile_model(file, &model, theta) == STATUS_OK);
  assert_all(runfile_array(file, &array) == STATUS_OK);
  assert_all(runfile_close(file, true) == STATUS_OK);
  assert_all(runfile_read_model(path, &model, back) == STATUS_OK);
  assert_all(!memcmp(theta, back, model.n_parameters * sizeof *back));
  Hdf5File hdf5;
  int rank;
  int64_t size[HDF5_MAX_RANK];
  double found[6];
  assert_all(hdf5_open(path, &hdf5) == STATUS_OK);
  assert_all(hdf5_shape(&hdf5, "/population/layer1/weight", &rank, size) == STATUS_OK);
  assert_all(rank == 3 && size[0] == MEMBERS && size[1] == 12 && size[2] == 12);
  assert_all(hdf5_shape(&hdf5, "/population/layer2/bias", &rank, size) == STATUS_OK);
  assert_all(rank == 2 && size[0] == MEMBERS && size[1] == 2);
  assert_all(hdf5_read(&hdf5, array.name, H5T_NATIVE_DOUBLE, found) == STATUS_OK);
  assert_all(!memcmp(found, values, sizeof found));
  hdf5_close(&hdf5);
  model.tensors = bundle_tensors(fewer);
  assert_all(runfile_read_model(path, &model, back) == STATUS_FAILED);
  assert_all(strstr(status_message(), "/population/layer0/weight is 7x12x2"));
  comm_barrier(world);
  if (comm_rank(world) == 0) {
    remove(path);
    remove(directory);
  }
  free(path);
  free(theta);
  free(back);
  free(f.x);
  bundle_destroy(bundle);
  bundle_destroy(fewer);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_members_as_if_alone),
      cmocka_unit_test(test_clipping),
      cmocka_unit_test(test_gradient),
      cmocka_unit_test(test_beginnings),
      cmocka_unit_test(test_file),
  };
  mpi_check_main(argc, argv, tests);
}
