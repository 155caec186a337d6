#include "experiments/suite.h"

#include <string.h>

#include "core/activation.h"
#include "core/encoding.h"

/* The experiments' files, NUL-terminated. The assembler finds them through the compiler's include
 * path, which has the project root. */
#define EXPERIMENT(name, summary)        \
  extern const char suite_yaml_##name[]; \
  __asm__(                               \
      ".section .rodata\n"               \
      ".global suite_yaml_" #name        \
      "\n"                               \
      "suite_yaml_" #name                \
      ":\n"                              \
      ".incbin \"experiments/" #name     \
      ".yaml\"\n"                        \
      ".byte 0\n"                        \
      ".previous\n");
#include "experiments/suite.def"
#undef EXPERIMENT

static const Experiment table[] = {
#define EXPERIMENT(name, summary) {#name, summary, suite_yaml_##name, &experiment_##name},
#include "experiments/suite.def"
#undef EXPERIMENT
};

enum { N_EXPERIMENTS = sizeof table / sizeof *table };

const Experiment *suite_table(int *count) {
  *count = N_EXPERIMENTS;
  return table;
}

const Experiment *suite_find(const char *name) {
  for (int i = 0; i < N_EXPERIMENTS; i++) {
    if (!strcmp(table[i].name, name)) return &table[i];
  }
  return NULL;
}

const char *suite_suggest(const char *name) {
  const char *names[N_EXPERIMENTS + 1] = {NULL};
  for (int i = 0; i < N_EXPERIMENTS; i++) names[i] = table[i].name;
  return config_suggest(name, names);
}

static const char *const metrics_of_all[] = {"loss_final", NULL};

static bool among(const char *const *names, const char *name) {
  while (*names && strcmp(*names, name) != 0) names++;
  return *names;
}

bool suite_has_metric(const Experiment *experiment, const char *name) {
  return among(metrics_of_all, name) || among(experiment->functions->metrics, name);
}

const char *suite_suggest_metric(const Experiment *experiment, const char *name) {
  const char *close = config_suggest(name, experiment->functions->metrics);
  return close ? close : config_suggest(name, metrics_of_all);
}

Status suite_setup(const Comm *comm, const Config *config, int threads, Setup *setup) {
  memset(setup, 0, sizeof *setup);
  const char *name = config_text(config, "experiment"), *close = suite_suggest(name);
  setup->comm = comm;
  setup->config = config;
  setup->threads = threads;
  setup->experiment = suite_find(name);
  if (!setup->experiment) {
    return config_reject(config, "experiment", "no such experiment%s%s%s; see `siren list`",
                         close ? "; did you mean `" : "", close ? close : "", close ? "`?" : "");
  }
  if (config_int(config, "data.brick") > 0 && !setup->experiment->functions->bricks) {
    return config_reject(config, "data.brick", "%s has all its data in memory", name);
  }
  Status status = setup->experiment->functions->setup(setup);
  if (status != STATUS_OK) {
    suite_destroy(setup);
  } else if (!setup->model.tensors) {
    setup->model = model_of_network(&setup->network);
  }
  return status;
}

void suite_destroy(Setup *setup) {
  if (setup->experiment) setup->experiment->functions->destroy(setup);
  memset(setup, 0, sizeof *setup);
}

Status suite_network(const Config *config, int in, int out, int64_t side, Network *network) {
  int64_t frequencies = config_int(config, "network.frequencies");
  NetworkSpec spec = {
      .in = in,
      .out = out,
      .width = (int)config_int(config, "network.width"),
      .layers = (int)config_int(config, "network.layers"),
      .activation = activation_find(config_text(config, "network.activation")),
      .encoding = encoding_find(config_text(config, "network.encoding")),
      .frequencies = frequencies < 0 ? encoding_frequencies(in, side) : (int)frequencies,
      .centres = (int)config_int(config, "network.rbf_centres"),
      .rbf_sigma = config_real(config, "network.rbf_sigma"),
      .omega_first = config_real(config, "network.omega_first"),
      .omega_hidden = config_real(config, "network.omega_hidden"),
      .weight_init = config_text(config, "network.weight_init"),
      .bias_init = config_text(config, "network.bias_init"),
  };
  return network_create(&spec, network);
}
