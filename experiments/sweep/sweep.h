/* A sweep: many runs of one experiment from one YAML file.
 *
 *   title: Image fitting          text for people; optional
 *   base: image                   an experiment's name, or FILE.yaml relative to this file
 *   set: {scale: desk, ...}       options of all runs, as in a configuration file
 *   axes:                         every combination of values is a run; the last varies fastest
 *     - variant: ["", relu]                                    a list
 *     - network.omega_first: {from: 5, to: 80, count: 5, log: true}   a range; or {from, to, step}
 *     - {network.width: [64, 128], train.lr: [1e-4, 5e-5]}     together: the first with the first
 *   seeds: 3                      the innermost axis: 0, 1, 2; or a list; default: the base's seed
 *   only: [{KEY: VALUE or [VALUES], ...}, ...]    runs for which no such rule holds are left out
 *   skip: the same                                runs for which one holds are left out
 *   output: DIRECTORY             default runs/sweeps/NAME, NAME.yaml being the file
 *   table: ...                    experiments/sweep/table.h
 *
 * Overrides from the command line go on top of `set`. A run is known by its identity, the hash of
 * its resolved configuration (config_hash), and lies in OUTPUT/IDENTITY. */
#ifndef EXPERIMENTS_SWEEP_SWEEP_H
#define EXPERIMENTS_SWEEP_SWEEP_H

#include "io/config.h"
#include "io/tree.h"
#include "mpi/comm.h"

enum { SWEEP_MAX_RUNS = 20000, SWEEP_ID = 17 };

/* One run. */
typedef struct {
  char id[SWEEP_ID]; /* 16 hexadecimal digits */
  char *label;       /* "variant=relu seed=1"; the sweep's name where there are no axes */
  int *choice;       /* [n_axes] which of the axis's values */
} SweepRun;

/* Keys that vary together, and their values. The seeds are the last axis, if there are any. */
typedef struct {
  int n_keys, n_values;
  char **keys;    /* [n_keys] */
  char **values;  /* [n_values][n_keys] canonical text */
  const Tree *at; /* for messages; borrowed */
} SweepAxis;

typedef struct {
  char *name, *title; /* of the file, without folder and .yaml; title "" if there is none */
  char *directory;    /* OUTPUT */
  const Tree *table;  /* the file's `table`, or NULL; borrowed from tree */
  int n_axes, n_runs;
  SweepAxis *axes;
  SweepRun *runs;

  /* What sweep_config needs. */
  char *base_name, *base_text; /* the experiment or file, and its YAML */
  char *experiment;
  int n_set;
  char **set; /* "key=value": the file's, then the command line's */
  char *path, *text;
  Tree *tree;
} Sweep;

/* Collective; comm NULL: this process alone. Reads and checks everything: unknown keys, values out
 * of range, too many runs, two runs of one identity (STATUS_USAGE, one line with the place).
 * Overrides are "key=value" of the base experiment; `output` is the sweep's directory; a key that
 * is an axis is refused. *sweep is owned by the caller. */
Status sweep_load(const Comm *comm, const char *path, int n_overrides, const char *const *overrides,
                  Sweep **sweep);
void sweep_destroy(Sweep *sweep); /* NULL is allowed */

/* Local. One more option of all runs, which must not change what they compute. */
Status sweep_set(Sweep *sweep, const char *key, const char *value);

/* Local. The resolved configuration of a run, its `output` set; owned by the caller. */
Status sweep_config(const Sweep *sweep, int run, Config **config);

/* Local. The value (canonical text) that a run has for a key of an axis, or NULL. */
const char *sweep_value(const Sweep *sweep, int run, const char *key);

/* Local. OUTPUT/IDENTITY in a new string (free()). */
char *sweep_run_directory(const Sweep *sweep, int run);

#endif
