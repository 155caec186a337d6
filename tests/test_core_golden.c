/* core/ against an independent reference: golden/golden.h5 holds what golden/reference.py computed
 * in float64 by nested automatic differentiation (its layout is described there). */
#include "core/encoding.h"
#include "core/jet.h"
#include "core/loss.h"
#include "core/network.h"
#include "core/optimizer.h"
#include "core/problem.h"
#include "tests/golden_file.h"

/* Largest difference over largest reference value of an array. */
static const double jet_tolerance = REAL_IS_DOUBLE ? 1e-11 : 1e-5;
static const double gradient_tolerance = REAL_IS_DOUBLE ? 1e-10 : 1e-5;
static const double adam_tolerance = REAL_IS_DOUBLE ? 1e-12 : 1e-4;

/* ---- Networks ---- */

static void load_network(hid_t group, Network *network) {
  char activation[32], encoding[32];
  golden_text(group, "network", "activation", activation, sizeof activation);
  golden_text(group, "network", "encoding", encoding, sizeof encoding);
  NetworkSpec spec = {
      .in = (int)golden_number(group, "network", "in"),
      .out = (int)golden_number(group, "network", "out"),
      .width = (int)golden_number(group, "network", "width"),
      .layers = (int)golden_number(group, "network", "layers"),
      .activation = activation_find(activation),
      .encoding = encoding_find(encoding),
      .frequencies = (int)golden_number(group, "network", "frequencies"),
      .centres = (int)golden_number(group, "network", "centres"),
      .rbf_sigma = 1,
      .omega_first = golden_number(group, "network", "omega_first"),
      .omega_hidden = golden_number(group, "network", "omega_hidden"),
      .weight_init = "official",
      .bias_init = "torch",
  };
  assert_non_null(spec.activation);
  assert_non_null(spec.encoding);
  assert_int_equal(network_create(&spec, network), STATUS_OK);
}

/* ---- Jets and parameter gradients ---- */

static JetSpec no_derivatives(int in) {
  (void)in;
  return (JetSpec){0};
}

static JetSpec all_first(int in) {
  (void)in;
  return (JetSpec){.first = true};
}

static JetSpec all_second(int in) {
  JetSpec spec = {.first = true};
  for (int i = 0; i < in; i++) {
    for (int j = i; j < in; j++) spec.second[spec.n_second++] = (JetSecond){i, j};
  }
  return spec;
}

static JetSpec collapsed(int in) {
  (void)in;
  return (JetSpec){.first = true, .n_second = 1, .second = {{JET_COLLAPSED, JET_COLLAPSED}}};
}

static const struct {
  const char *name;
  JetSpec (*spec)(int in);
  int order; /* of the derivatives that are compared */
  bool weighted;
} quantities[] = {
    {"value", no_derivatives, 0, false}, {"gradient", all_first, 1, false},
    {"second", all_second, 2, false},    {"laplacian", collapsed, 2, false},
    {"operator", collapsed, 2, true},
};
enum { N_QUANTITIES = sizeof quantities / sizeof *quantities };

static int first_stream(int order, int in) {
  return order == 0 ? 0 : order == 1 ? 1 : 1 + in;
}

typedef struct {
  const char *name;
  hid_t group;
  Network network;
  int rows;
  real *theta, *x, *weights;
} Case;

static void case_load(hid_t file, const char *name, Case *c) {
  char path[96];
  snprintf(path, sizeof path, "cases/%s", name);
  c->name = name;
  c->group = H5Gopen2(file, path, H5P_DEFAULT);
  assert_true(c->group >= 0);
  load_network(c->group, &c->network);
  c->theta = golden_theta(c->group, &c->network);
  c->rows = (int)golden_rows(c->group, "x");
  size_t count = (size_t)c->rows * (size_t)c->network.spec.in;
  c->x = golden_real(golden_array(c->group, "x", count), count);
  c->weights = golden_real(golden_array(c->group, "operator_weights", count), count);
}

static void case_free(Case *c) {
  free(c->theta);
  free(c->x);
  free(c->weights);
  H5Gclose(c->group);
}

/* Where the reference has this quantity's loss: compares the parameter gradient of the sum over
 * streams, mean over rows and channels, of (jet - target)^2. */
static void check_loss(const Case *c, int q, Jet *jet, const real *weights, const real *y,
                       size_t first, size_t count, size_t all) {
  char path[48], what[96];
  snprintf(path, sizeof path, "loss/%s", quantities[q].name);
  if (H5Lexists(c->group, path, H5P_DEFAULT) <= 0) return;
  double *wanted = golden_array(c->group, path, c->network.n_parameters);
  double loss_wanted = golden_number(c->group, path, "loss"), loss = 0;
  snprintf(path, sizeof path, "target/%s", quantities[q].name);
  double *target = golden_array(c->group, path, count);
  real *y_bar = calloc(all, sizeof *y_bar);
  real *gradient = malloc(c->network.n_parameters * sizeof *gradient);
  double samples = (double)c->rows * c->network.spec.out;
  for (size_t i = 0; i < count; i++) {
    double difference = (double)y[first + i] - target[i];
    loss += difference * difference / samples;
    y_bar[first + i] = (real)(2 * difference / samples);
  }
  snprintf(what, sizeof what, "%s: gradient of %s loss", c->name, quantities[q].name);
  if (fabs(loss - loss_wanted) > 2 * jet_tolerance * loss_wanted) fail_msg("%s: the loss", what);
  jet_reverse(jet, c->theta, c->x, weights, y_bar, gradient, false);
  golden_check_tensors(what, &c->network, gradient, wanted, gradient_tolerance);
  free(y_bar);
  free(gradient);
  free(target);
  free(wanted);
}

static void check_quantity(const Case *c, int q) {
  int in = c->network.spec.in;
  JetSpec spec = quantities[q].spec(in);
  const real *weights = quantities[q].weighted ? c->weights : NULL;
  size_t stride = (size_t)c->rows * (size_t)c->network.spec.out;
  size_t all = (size_t)jet_streams(&spec, in) * stride;
  size_t first = (size_t)first_stream(quantities[q].order, in) * stride;
  size_t count = quantities[q].order == 1 ? (size_t)in * stride : all - first;
  Jet *jet;
  assert_int_equal(jet_create(&c->network, &spec, c->rows, true, &jet), STATUS_OK);
  const real *y = jet_forward(jet, c->theta, c->x, weights);
  char path[48];
  snprintf(path, sizeof path, "jet/%s", quantities[q].name);
  double *wanted = golden_array(c->group, path, count);
  golden_check(c->name, quantities[q].name, count, y + first, wanted, jet_tolerance);
  free(wanted);
  check_loss(c, q, jet, weights, y, first, count, all);
  jet_destroy(jet);
}

static hid_t open_golden(void) {
  hid_t file = H5Fopen(TEST_DATA "/../golden/golden.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
  assert_true(file >= 0);
  return file;
}

static void jets_and_gradients_agree(void **state) {
  (void)state;
  hid_t file = open_golden(), cases = H5Gopen2(file, "cases", H5P_DEFAULT);
  H5G_info_t info;
  assert_true(H5Gget_info(cases, &info) >= 0);
  assert_true(info.nlinks >= 40);
  golden_worst = 0;
  for (hsize_t k = 0; k < info.nlinks; k++) {
    char name[64];
    assert_true(H5Lget_name_by_idx(cases, ".", H5_INDEX_NAME, H5_ITER_INC, k, name, sizeof name,
                                   H5P_DEFAULT) > 0);
    Case c;
    case_load(file, name, &c);
    for (int q = 0; q < N_QUANTITIES; q++) check_quantity(&c, q);
    case_free(&c);
  }
  print_message("%d cases, worst error %.1e of the tolerance: %s\n", (int)info.nlinks, golden_worst,
                golden_worst_at);
  H5Gclose(cases);
  H5Fclose(file);
}

/* ---- Adam ---- */

/* A domain whose samples lie in memory. */
typedef struct {
  int in, data_width;
  const real *x, *data;
} Samples;

static void draw_samples(const void *source, uint64_t step, int64_t first, int rows, real *x,
                         real *data, real *weights) {
  (void)step, (void)weights;
  const Samples *s = source;
  memcpy(x, s->x + first * s->in, (size_t)(rows * s->in) * sizeof *x);
  memcpy(data, s->data + first * s->data_width, (size_t)(rows * s->data_width) * sizeof *data);
}

typedef struct {
  const Objective *objective;
  void *workspace;
  real *tile_gradient;
  double *sum;
} Training;

static Status evaluate(void *context, const real *theta, double *loss, real *gradient) {
  Training *t = context;
  const Objective *o = t->objective;
  memset(t->sum, 0, o->n_parameters * sizeof *t->sum);
  *loss = 0;
  for (int64_t k = 0; k < o->tiles(o, 0); k++) {
    double terms[OBJECTIVE_MAX_TERMS];
    o->tile(o, 0, k, theta, t->tile_gradient, terms, NULL, t->workspace);
    for (size_t i = 0; i < o->n_parameters; i++) t->sum[i] += (double)t->tile_gradient[i];
    for (int m = 0; m < o->n_terms; m++) *loss += o->terms[m].weight * terms[m];
  }
  for (size_t i = 0; i < o->n_parameters; i++) gradient[i] = (real)t->sum[i];
  return STATUS_OK;
}

static TermFunction loss_named(const char *quantity) {
  if (!strcmp(quantity, "value")) return loss_value_mse;
  return !strcmp(quantity, "gradient") ? loss_gradient_mse : loss_second_mse;
}

/* The file's target [streams][n], out = 1, becomes data [n][streams]. */
static real *load_data(hid_t group, int n, int streams) {
  double *target = golden_array(group, "target", (size_t)(n * streams));
  real *data = malloc((size_t)(n * streams) * sizeof *data);
  for (int i = 0; i < n * streams; i++) data[i % n * streams + i / n] = (real)target[i];
  free(target);
  return data;
}

static void train(hid_t group, const char *name, const Objective *objective, const Network *network,
                  real *theta) {
  enum { STEPS = 10 };
  double *wanted = golden_array(group, "losses", STEPS);
  double *final = golden_array(group, "final", network->n_parameters);
  double lr = golden_number(group, ".", "lr");
  OptimizerSettings settings = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  Optimizer *adam;
  assert_int_equal(optimizer_create("adam", &settings, network->n_parameters, &adam), STATUS_OK);
  Training training = {.objective = objective};
  assert_int_equal(objective->workspace_create(objective, &training.workspace), STATUS_OK);
  training.tile_gradient = malloc(network->n_parameters * sizeof(real));
  training.sum = malloc(network->n_parameters * sizeof(double));
  for (int k = 0; k < STEPS; k++) {
    double loss;
    assert_int_equal(optimizer_step(adam, lr, theta, evaluate, &training, &loss), STATUS_OK);
    double error = fabs(loss - wanted[k]) / wanted[k];
    golden_worst = fmax(golden_worst, error / adam_tolerance);
    if (error > adam_tolerance) fail_msg("%s: step %d is off by %.2g", name, k, error);
  }
  /* Adam's first steps are lr in size whatever the gradient's, so rounding of a tiny gradient shows
   * in full: the weights need a looser bound in float. */
  golden_check_tensors(name, network, theta, final, REAL_IS_DOUBLE ? 1e-11 : 1e-3);
  free(training.tile_gradient);
  free(training.sum);
  objective->workspace_destroy(training.workspace);
  optimizer_destroy(adam);
  free(wanted);
  free(final);
}

static void check_adam(hid_t file, const char *name) {
  char path[64], quantity[32];
  snprintf(path, sizeof path, "adam/%s", name);
  hid_t group = H5Gopen2(file, path, H5P_DEFAULT);
  assert_true(group >= 0);
  Network network;
  load_network(group, &network);
  real *theta = golden_theta(group, &network);
  golden_text(group, ".", "quantity", quantity, sizeof quantity);
  int in = network.spec.in, n = (int)golden_rows(group, "x");
  int streams = (int)golden_rows(group, "target");
  real *x = golden_real(golden_array(group, "x", (size_t)(n * in)), (size_t)(n * in));
  real *data = load_data(group, n, streams);
  Samples samples = {in, streams, x, data};
  Problem problem = {.network = &network, .tile = 50, .n_domains = 1};
  Domain *domain = &problem.domains[0];
  *domain = (Domain){.name = "grid",
                     .samples = n,
                     .mean = true,
                     .data_width = streams,
                     .draw = draw_samples,
                     .source = &samples,
                     .n_terms = 1};
  domain->terms[0] = (Term){.name = "data", .weight = 1, .function = loss_named(quantity)};
  for (int q = 0; q < N_QUANTITIES; q++) {
    if (!strcmp(quantities[q].name, quantity)) domain->jet = quantities[q].spec(in);
  }
  Objective objective;
  assert_int_equal(problem_objective(&problem, &objective), STATUS_OK);
  train(group, name, &objective, &network, theta);
  free(theta);
  free(x);
  free(data);
  H5Gclose(group);
}

static void ten_adam_steps_agree(void **state) {
  (void)state;
  hid_t file = open_golden();
  const char *const names[] = {"image_slow", "image_fast", "from_gradient", "from_laplacian"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    golden_worst = 0;
    check_adam(file, names[i]);
    print_message("adam %s: worst error %.1e of the tolerance\n", names[i], golden_worst);
  }
  H5Fclose(file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(jets_and_gradients_agree),
      cmocka_unit_test(ten_adam_steps_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
