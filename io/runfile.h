/* The run file OUTPUT/run.h5 and the checkpoints (DESIGN contract, README "Run file"):
 *
 *   /                    attributes: format, format_version; complete, written last
 *   /config              attributes: every effective key, as text
 *   /provenance          attributes: text
 *   /network             attributes: in out width layers activation encoding omega_first
 *                        omega_hidden (as they act: 1 where the activation has none) ...
 *   /network/layerN      weight [out][in], bias [out]: y = act(omega (W x + b))
 *   /network/encoding    the encoding's tensors, if it has any
 *   /hyper/PART/TENSOR   [rows][cols], where a hypernetwork was trained: /network is then the SIREN
 *                        that it makes of one image of the test
 *   /population/layerN   weight [networks][out][in], bias [networks][out], where many networks were
 *                        fitted; /population/initial/layerN: what all of them began with, where it
 *                        was the same; /network is then one of them
 *   /statistics/...      float64: moments, histograms and spectra of their weights
 *   /loss/step           int64; /loss/total, /loss/TERM  float64: one value per logged step
 *   /metrics             attributes: NAME float64, NAME_units text
 *   /fields/NAME         grids; attributes: description units axes lower upper
 *
 * A checkpoint has /config, /network and /loss of the same form, /state/NAME, and on the root
 * step, seconds and precision. Weights are float32; float64 where the program computes in double.
 * Text is of fixed length (UTF-8). All HDF5 is in io/. */
#ifndef IO_RUNFILE_H
#define IO_RUNFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/network.h"
#include "core/state.h"
#include "io/config.h"
#include "mpi/comm.h"

/* What is trained, as files keep it: tensors of theta in a group. */
typedef struct {
  const char *group;      /* "/network", "/hyper" */
  const Network *network; /* that the tensors make; NULL: they make something else */
  size_t n_parameters;
  int n_tensors;
  const Tensor *tensors; /* borrowed */
  const Tensor *each;    /* NULL; or a row of tensor i holds a tensor of each[i]'s shape, and the
                            file has [rows][each[i].rows][each[i].cols]; borrowed */
} Model;

/* Local. Of one network, which is borrowed. */
Model model_of_network(const Network *network);

/* What was logged: one row per logged step, values before that step's update. */
typedef struct {
  int n_columns;      /* 1 + terms */
  const char **names; /* "total", then the terms; borrowed */
  int64_t rows, capacity;
  int64_t *step;  /* [rows] */
  double *values; /* [rows][n_columns] */
  void *owned;    /* the names, where they were read from a file; else NULL */
} History;

Status history_append(History *history, int64_t step,
                      const double *values);           /* grows geometrically */
void history_truncate(History *history, int64_t step); /* drops rows with a step >= this */
void history_destroy(History *history);

typedef struct {
  const char *name, *value;
} TextAttribute;

/* ---- Checkpoints: Local, on rank 0 ---- */

typedef struct {
  const Config *config;
  const Model *model; /* NULL: no such group; the weights are among the arrays */
  real *theta;
  int64_t step;   /* steps done */
  double seconds; /* training time so far */
  History *history;
  int n_arrays; /* state of optimiser and exact sum; names unique over all */
  StateArray *arrays;
} Checkpoint;

/* Writes DIRECTORY/checkpoint.h5 atomically; an intact one from before becomes
 * checkpoint.previous.h5. HDF5 lays the file out in memory, around the arrays, of which no copies
 * are made; it is hashed (XXH3-128 in the file's 512-byte user block) and written by plain writes,
 * so a full disk or a kill leaves the old generation intact. */
Status checkpoint_write(const char *directory, const Checkpoint *checkpoint);

/* About the bytes of such a file when its history has so many rows. */
double checkpoint_bytes(const Checkpoint *checkpoint, int64_t rows);

/* Fills theta, step, seconds, history and arrays of *checkpoint from the newest intact generation.
 * *found is false when there is none at all (STATUS_OK, nothing changed). A damaged newest one
 * falls back to the older one with a line in *warning ([512]; empty otherwise). Both damaged:
 * STATUS_FAILED, naming both. Another configuration: STATUS_USAGE, listing the identity keys that
 * differ with both values. All of a file is checked before anything is read into the caller's
 * arrays: on any failure *checkpoint is as it was, unless the disk fails in between. */
Status checkpoint_read(const char *directory, Checkpoint *checkpoint, bool *found,
                       char warning[512]);

/* ---- Run file ---- */

typedef struct RunFile RunFile;

/* A field on a regular grid. */
typedef struct {
  const char *name, *description, *units;
  const char *axes;          /* "row,column" */
  int n_axes;                /* 1..4 */
  int64_t size[4];           /* samples along each axis; axis 0 is slowest and is cut into slabs */
  double lower[4], upper[4]; /* coordinates of the first and last sample */
  int components; /* 1: scalar data set of n_axes dimensions; else one more dimension at the end */
} Field;

/* Collective. Creates PATH.tmp with parallel HDF5. runfile_close with complete=true writes the
 * attribute `complete`, flushes and renames it to PATH; with false (after a failure) removes it.
 * The whole file is on disk or the old one is. After a failed call the file can only be closed.
 * Space for what a call will write is taken before, so that a full disk is an error on all ranks;
 * the fields are read through again before the renaming. (An I/O error, not a full disk, inside a
 * collective write is beyond us: MPI-IO may lose it, which the reading finds, or wait for ever.) */
Status runfile_create(const Comm *comm, const char *path, RunFile **file);
Status runfile_close(RunFile *file, bool complete);

/* Collective, same arguments on all ranks; of texts, metrics, history and weights rank 0's are
 * written. */
Status runfile_config(RunFile *file, const Config *config);
Status runfile_provenance(RunFile *file, int n, const TextAttribute *attributes);
Status runfile_model(RunFile *file, const Model *model, const real *theta);
Status runfile_history(RunFile *file, const History *history);
Status runfile_metric(RunFile *file, const char *name, double value, const char *units);

/* Collective. A small array [size0][size1]... of 1 to 3 axes under any name, "/statistics/psnr", in
 * float64, of which rank 0's values are written (NULL elsewhere); the groups on its way are made.
 */
typedef struct {
  const char *name, *description, *units;
  int n_axes;
  int64_t size[3];
  const double *values;
} RunArray;
Status runfile_array(RunFile *file, const RunArray *array);

/* Collective. Creates /fields/NAME (float32, chunked, compressed), then writes slabs: each rank
 * brings rows [first, first+count) of axis 0 (count 0 allowed), values
 * [count][size1]...[components]. Slabs of one call must not overlap; as many calls as wanted, the
 * same number on every rank. */
Status runfile_field(RunFile *file, const Field *field);
Status runfile_slab(RunFile *file, const char *name, int64_t first, int64_t count,
                    const float *values);

/* Local (any rank; usually rank 0). Reading any file of this layout, written by another program
 * included. */

/* *complete tells whether PATH exists and carries the attribute complete. A file that is there but
 * cannot be read is an error. */
Status runfile_is_complete(const char *path, bool *complete);

/* Compares the file's /config with `config`: STATUS_USAGE lists the identity keys that differ. */
Status runfile_same_config(const char *path, const Config *config);

/* Loads all layers into theta. Shapes must match the network; finite values only. Errors name data
 * set and shapes. */
Status runfile_read_network(const char *path, const Network *network, real *theta);

/* The same for any model. */
Status runfile_read_model(const char *path, const Model *model, real *theta);

/* The overrides "key=value" that reproduce a run's configuration, from /config; free each and the
 * array. */
Status runfile_read_config(const char *path, int *n, char ***overrides);

/* A field and its values (float32); the texts in *field live as long as *values, which the caller
 * frees. */
Status runfile_read_field(const char *path, const char *name, Field *field, float **values);

/* The whole history, names included; release with history_destroy. */
Status runfile_read_history(const char *path, History *history);

/* A readable listing of groups, attributes, shapes, metrics (siren info). *text is owned by the
 * caller (free). */
Status runfile_describe(const char *path, char **text);

#endif
