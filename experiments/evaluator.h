/* Jets of a network on a regular grid of any size, by all ranks and threads: what fields, pictures
 * and meshes are made of. Points are cut into blocks in a way that depends on the grid alone, so
 * the bits do not depend on ranks or threads; memory is bounded, whatever the grid. */
#ifndef EXPERIMENTS_EVALUATOR_H
#define EXPERIMENTS_EVALUATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/network.h"
#include "mpi/comm.h"

/* size[i] >= 1 samples along axis i from lower[i] to upper[i], both included (one sample: lower);
 * axis 0 is slowest. Axes are the network's coordinates. */
typedef struct {
  int axes;
  int64_t size[NETWORK_MAX_IN];
  double lower[NETWORK_MAX_IN], upper[NETWORK_MAX_IN];
} Grid;

/* What can be evaluated; FIELD_COUNT of them. */
typedef enum { FIELD_VALUE, FIELD_GRADIENT, FIELD_LAPLACIAN, FIELD_COUNT } FieldKind;

/* Local. Samples of the grid; of one step along axis 0. */
int64_t grid_points(const Grid *grid);
int64_t grid_line(const Grid *grid);

/* Local. Coordinate of sample i along an axis. */
double grid_coordinate(const Grid *grid, int axis, int64_t i);

/* Local. Numbers per point: `out` for value and Laplacian, in * out for the gradient, where
 * component i * out + c is d(channel c)/d(coordinate i). */
int evaluator_components(const Network *network, FieldKind kind);

typedef struct Evaluator Evaluator;

/* Local. For fields with wanted[kind] set, by `threads` threads. Borrows network and theta. */
Status evaluator_create(const Network *network, const real *theta, const Grid *grid,
                        const bool wanted[FIELD_COUNT], int threads, Evaluator **evaluator);
void evaluator_destroy(Evaluator *evaluator);

/* Local. Steps along axis 0 whose points are cut into blocks together. */
int64_t evaluator_chunk(const Evaluator *evaluator);

/* Local. Steps [first, first + count) of axis 0 into fields[kind] [count][...][components] (not
 * looked at where the field is not wanted); `first` is a multiple of evaluator_chunk. The bits of a
 * point are the same whatever first and count are. */
void evaluator_steps(const Evaluator *evaluator, int64_t first, int64_t count,
                     float *const fields[FIELD_COUNT]);

/* Local. Any points x [count][in], into fields[kind] [count][components]. Blocks begin with x. */
void evaluator_points(const Evaluator *evaluator, int64_t count, const real *x,
                      float *const fields[FIELD_COUNT]);

/* Collective: every rank is called equally often, and returns the same status. fields[kind] holds
 * steps [first, first + count) of axis 0, [count][...][components]; NULL where the field was not
 * asked for; count may be 0. The ranks' parts of one call follow each other in rank order, and
 * calls follow each other, too. */
typedef Status (*EvaluatorSink)(void *context, int64_t first, int64_t count,
                                const float *const fields[FIELD_COUNT]);

/* Collective. Evaluates the fields with wanted[kind] set at every point and hands them to `sink`.
 * STATUS_STOPPED between two waves when a rank is asked to stop (experiments/stop.h). */
Status evaluator_run(const Comm *comm, const Network *network, const real *theta, const Grid *grid,
                     const bool wanted[FIELD_COUNT], int threads, EvaluatorSink sink,
                     void *context);

/* What it takes, for forecasts; all Local: bytes of an evaluator; bytes of a rank's fields in a
 * wave of evaluator_run, *largest: of the largest of them; floating-point operations for one point.
 */
double evaluator_bytes(const Network *network, const bool wanted[FIELD_COUNT], int threads);
double evaluator_wave_bytes(const Network *network, const Grid *grid,
                            const bool wanted[FIELD_COUNT], int ranks, double *largest);
double evaluator_flops(const Network *network, const bool wanted[FIELD_COUNT]);

#endif
