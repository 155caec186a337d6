/* The registry of experiments. An experiment turns a configuration into an objective (paper.md 0.1:
 * a network, domains and constraints), and judges what was trained. A new one is NAME.c, NAME.yaml
 * and a row in suite.def. */
#ifndef EXPERIMENTS_SUITE_H
#define EXPERIMENTS_SUITE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/network.h"
#include "core/objective.h"
#include "core/problem.h"
#include "experiments/result.h"
#include "io/config.h"
#include "io/runfile.h"
#include "mpi/comm.h"

struct Experiment;

/* An experiment that is set up. Stays where it is: the objective points into it. */
typedef struct {
  const Comm *comm;                    /* borrowed */
  const Config *config;                /* borrowed */
  const struct Experiment *experiment; /* borrowed */
  int threads;                         /* of this rank */
  bool quiet;                          /* training shows no progress */
  Network network;                     /* that fields are evaluated of */
  Model model;                         /* what is trained and stored: the network, unless said */
  Problem problem;                     /* what the objective is made of, if it is of that kind */
  Objective objective;
  void *own; /* the experiment's data; owned, released by its destroy */
} Setup;

/* A figure that people watch while a run trains. */
typedef struct {
  const char *name, *units;
  double (*function)(const double *terms); /* from the objective's terms, not weighted */
} Headline;

typedef struct {
  /* Collective. Reads the data and fills network, problem, objective and own (which may stay set on
   * failure). All ranks return the same status. */
  Status (*setup)(Setup *setup);

  /* Collective. Releases own, which may be NULL or half filled. */
  void (*destroy)(Setup *setup);

  /* Local. theta [n_parameters] to begin with; NULL: network_init. */
  void (*init)(const Setup *setup, uint64_t seed, real *theta);

  /* Collective. Judges theta: metrics, fields and pictures of a finished run. */
  Status (*evaluate)(const Setup *setup, const real *theta, Result *result);

  /* Collective. `siren eval`: fields and pictures on the grid that the options eval.* name. */
  Status (*eval)(const Setup *setup, const real *theta, Result *result);

  /* Local, for forecasts; NULL: 0. Bytes of the data that the ranks of a node have in common. Bytes
   * that a rank takes at most, beside what it has after the set-up: while training (problem,
   * weights and optimiser are known), while evaluate runs. Floating-point operations of evaluate,
   * over all ranks; of a step, where it has no problem. */
  double (*shared_bytes)(const Setup *setup);
  double (*training_bytes)(const Setup *setup, int rank);
  double (*evaluation_bytes)(const Setup *setup, int rank);
  double (*evaluation_flops)(const Setup *setup);
  double (*step_flops)(const Setup *setup);

  const char *const *metrics; /* all that evaluate may report, NULL after the last */
  Headline headline;          /* function NULL: none */
  bool bricks;                /* takes data.brick: data that no memory holds */
} ExperimentFunctions;

typedef struct Experiment {
  const char *name, *summary;
  const char *yaml; /* the text of NAME.yaml, built into the program */
  const ExperimentFunctions *functions;
} Experiment;

/* Local. The table; *count gets its length. */
const Experiment *suite_table(int *count);

/* Local. A row by name, or NULL. */
const Experiment *suite_find(const char *name);

/* Local. The closest name for "did you mean", or NULL. */
const char *suite_suggest(const char *name);

/* Local. Whether runs may report a metric of this name; those of all runs included. */
bool suite_has_metric(const Experiment *experiment, const char *name);

/* Local. The closest name of a metric for "did you mean", or NULL. */
const char *suite_suggest_metric(const Experiment *experiment, const char *name);

/* Collective. Sets an experiment up; on failure everything is released again. */
Status suite_setup(const Comm *comm, const Config *config, int threads, Setup *setup);
void suite_destroy(Setup *setup);

/* Local. The network that the options network.* ask for, with `in` coordinates and `out` channels
 * on data with `side` samples along its shortest axis (for the Nyquist rule of
 * network.frequencies). */
Status suite_network(const Config *config, int in, int out, int64_t side, Network *network);

#define EXPERIMENT(name, summary) extern const ExperimentFunctions experiment_##name;
#include "experiments/suite.def"
#undef EXPERIMENT

#endif
