/* How long a training step takes on p ranks, by arithmetic from measured rates:
 *
 *     T(p) = tiles of the busiest thread * (operations of a tile / R + parameters / A)
 *          + k m / M                                    sum over the k threads of a rank
 *          + S(ranks of a node) + S(nodes)              sum over ranks, parameters to all
 *          + parameters / p (1 / D + 1 / O)             decode, optimiser: each rank its part
 *     S(p) = 2 ceil(log2 p) alpha + (p - 1) / p b / beta
 *
 * with m bytes of the exact sum. S is a way to the owners of parts and one back, by halving and
 * doubling, and b the bytes of both: m and those of the parameters, or 2 m where a sum comes back.
 * The counts that decide about a step go a way there and back of their own. A step has whole tiles:
 * where these do not come out even, threads wait, and threads beyond the number of tiles have
 * nothing to do. All local and pure. */
#ifndef EXPERIMENTS_SCALING_MODEL_H
#define EXPERIMENTS_SCALING_MODEL_H

#include <stdint.h>

/* What a step has to do. */
typedef struct {
  int64_t tiles;
  double tile_flops; /* of one tile */
  double parameters; /* of theta */
  double sum_bytes;  /* m: of the exact sum of a thread */
  double traffic;    /* b: of the sum over ranks and what comes back */
  double counts;     /* the same of what decides about the step */
} ScalingWork;

/* A way between ranks: seconds of a message, bytes a second. */
typedef struct {
  double latency, bandwidth;
} ScalingLink;

/* Rates; those of a rank are with all its threads. */
typedef struct {
  double flops;       /* R, of one thread where all are busy, /s */
  double add;         /* A, parameters a second, of one thread: a tile into its sum */
  double sum_threads; /* M, bytes a second, of a rank: buffers read */
  double decode;      /* D, parameters a second, of a rank in its part */
  double optimizer;   /* O, the same */
  ScalingLink node, network;
} ScalingMachine;

typedef struct {
  int64_t ranks;      /* >= 1 */
  int threads;        /* of a rank, >= 1 */
  int ranks_per_node; /* >= 1 */
} ScalingLayout;

/* Seconds of a step. compute and wait are means over all threads: a thread is busy, or waits for
 * the one with the most tiles. */
typedef struct {
  double compute, wait;
  double add;                                /* part of compute: the exact sum */
  double sum_threads, sum_node, sum_network; /* both ways */
  double decode, optimizer;
} ScalingTimes;

ScalingTimes scaling_times(const ScalingWork *work, const ScalingMachine *machine,
                           const ScalingLayout *layout);
double scaling_total(const ScalingTimes *times);

/* Share of a step that the exact sum takes on the busiest thread: adding tiles, all sums, decode.
 */
double scaling_exact_share(const ScalingTimes *times);

/* T(1 rank) / (ranks T(ranks)), at 1 the best: strong, of the same step; weak, where a step has so
 * much more work than the given one as there are ranks (then T(1) / T(ranks)). */
double scaling_strong(const ScalingWork *work, const ScalingMachine *machine,
                      const ScalingLayout *layout);
double scaling_weak(const ScalingWork *work, const ScalingMachine *machine,
                    const ScalingLayout *layout);

/* Seconds of a sum over p members, of `bytes` both ways together. */
double scaling_sum(ScalingLink link, int64_t p, double bytes);

/* A measured sum. */
typedef struct {
  int64_t p; /* members, >= 2 */
  double bytes, seconds;
} ScalingSum;

/* The link that fits n >= 1 sums best, by relative squares. Neither number is negative; what the
 * sums do not tell is a latency of 0 or an infinite bandwidth. */
ScalingLink scaling_fit(const ScalingSum *sums, int n);

/* The bandwidth with which `link` has exactly this sum; infinite where the latency is more. */
double scaling_bandwidth(ScalingLink link, const ScalingSum *sum);

#endif
