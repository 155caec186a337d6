#include "experiments/scaling.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "experiments/median.h"
#include "experiments/progress.h"
#include "experiments/scaling_parts.h"
#include "experiments/threads.h"
#include "mpi/cpus.h"
#include "mpi/shards.h"

/* ---- Parts of the job ---- */

typedef struct {
  const Comm *world;
  int n_parts;
  ScalingPart parts[SCALING_MAX_PARTS];
} Job;

/* Collective. `most`: threads that are asked for, 0: what the CPUs allow. */
static Status create_part(Job *job, int ranks, int most) {
  ScalingPart *part = &job->parts[job->n_parts++];
  part->ranks = ranks;
  bool inside = comm_rank(job->world) < ranks;
  TRY(comm_split(job->world, inside ? 0 : 1, &part->comm));
  double facts[2] = {0, -1e9}; /* maxima: nodes; threads, negative */
  if (inside) {
    TRY(comm_nodes(part->comm, &part->nodes));
    facts[0] = part->nodes;
    facts[1] = -cpus_share(part->comm);
  } else {
    comm_release(part->comm);
    part->comm = NULL;
  }
  comm_max_double(job->world, facts, 2);
  part->nodes = (int)facts[0];
  part->most_threads = most > 0 && most < -facts[1] ? most : (int)-facts[1];
  return STATUS_OK;
}

/* Collective. 1, 2, 4, ... ranks, and all of them. */
static Status create_parts(Job *job, int most) {
  int size = comm_size(job->world);
  for (int ranks = 1; ranks <= size;) {
    TRY(create_part(job, ranks, most));
    ranks = ranks < size && 2 * ranks > size ? size : 2 * ranks;
  }
  return STATUS_OK;
}

static void destroy_parts(Job *job) {
  for (int i = 0; i < job->n_parts; i++) comm_release(job->parts[i].comm);
}

/* ---- Sums over ranks ---- */

/* What sums are timed with. */
typedef struct {
  const Comm *comm;
  Shards *shards;
  size_t n;
  int64_t *sums; /* [n] */
  real *values;  /* [n] */
} Buffers;

static void there_and_back(const Buffers *b) {
  shards_sum(b->shards, b->sums);
  shards_share(b->shards, b->values);
}

static void reduce(const Buffers *b) {
  comm_sum_int64(b->comm, b->sums, b->n);
}

/* Collective over the part. Median seconds of the slowest rank. */
static double time_sum(const Buffers *b, void (*sum)(const Buffers *)) {
  enum { ROUNDS = 5, FEW = 1 << 13, MANY = 1 << 20 };
  int repeats = b->n <= FEW ? 200 : b->n <= MANY ? 10 : 1;
  double seconds[ROUNDS];
  sum(b); /* memory that MPI takes once */
  for (int round = 0; round < ROUNDS; round++) {
    comm_barrier(b->comm);
    double begin = progress_clock();
    for (int i = 0; i < repeats; i++) sum(b);
    seconds[round] = (progress_clock() - begin) / repeats;
  }
  comm_max_double(b->comm, seconds, ROUNDS);
  return median_of(seconds, ROUNDS);
}

/* Collective over the part. Growing sizes, then those of the networks. */
static Status time_sums(const ScalingPart *part, Buffers *b, ScalingReport *report) {
  enum { GROWING = 6, FACTOR = 16 };
  size_t growing = 1;
  b->comm = part->comm;
  for (int i = 0; i < GROWING + report->n_studies; i++) {
    b->n = i < GROWING ? growing : (size_t)report->studies[i - GROWING].measured.parameters;
    growing *= FACTOR;
    TRY(shards_create(part->comm, b->n, &b->shards));
    report->sums[report->n_sums++] =
        (ScalingSumRow){.ranks = part->ranks,
                        .nodes = part->nodes,
                        .elements = (double)b->n,
                        .traffic = (double)(b->n * (sizeof *b->sums + sizeof *b->values)),
                        .seconds = time_sum(b, there_and_back),
                        .mpi = time_sum(b, reduce)};
    shards_destroy(b->shards);
  }
  return STATUS_OK;
}

/* Collective. */
static Status measure_sums(const Job *job, ScalingReport *report) {
  double most = 1 << 20;
  for (int i = 0; i < report->n_studies; i++) {
    most = fmax(most, report->studies[i].measured.parameters);
  }
  Buffers b = {0};
  Status status = memory_allocate(&b.sums, (size_t)most, sizeof *b.sums, "sums over ranks");
  if (status == STATUS_OK) {
    status = memory_allocate(&b.values, (size_t)most, sizeof *b.values, "sums over ranks");
  }
  status = comm_agree(job->world, status);
  for (int i = 0; status == STATUS_OK && i < job->n_parts; i++) {
    const ScalingPart *part = &job->parts[i];
    if (part->comm && part->ranks > 1) status = time_sums(part, &b, report);
    comm_rest(job->world);
    status = comm_agree(job->world, status);
  }
  free(b.sums);
  free(b.values);
  return status;
}

/* ---- The model's numbers ---- */

/* What the network adds to the sum within a node is the network's own. */
static void fit_links(ScalingReport *report) {
  ScalingSum node[SCALING_MAX_SUMS], network[SCALING_MAX_SUMS];
  int n_node = 0, n_network = 0;
  for (int i = 0; i < report->n_sums; i++) {
    const ScalingSumRow *row = &report->sums[i];
    if (row->nodes == 1) node[n_node++] = (ScalingSum){row->ranks, row->traffic, row->seconds};
  }
  report->node_measured = n_node > 0;
  report->node = n_node ? scaling_fit(node, n_node) : (ScalingLink){0, INFINITY};
  for (int i = 0; i < report->n_sums; i++) {
    const ScalingSumRow *row = &report->sums[i];
    if (row->nodes == 1) continue;
    int members = (row->ranks + row->nodes - 1) / row->nodes;
    double seconds = row->seconds - scaling_sum(report->node, members, row->traffic);
    network[n_network++] =
        (ScalingSum){row->nodes, row->traffic, fmax(seconds, 0.1 * row->seconds)};
  }
  report->network_measured = n_network > 0;
  report->network = n_network ? scaling_fit(network, n_network) : report->settings->network;
}

/* The node's link as the sum of this network sees it: large ones leave the caches. */
static ScalingLink node_link(const ScalingReport *report, const ScalingStudy *study) {
  ScalingLink link = report->node;
  for (int i = 0; i < report->n_sums; i++) {
    const ScalingSumRow *row = &report->sums[i];
    if (row->nodes > 1 || row->elements != study->measured.parameters) continue;
    ScalingSum sum = {row->ranks, row->traffic, row->seconds};
    link.bandwidth = scaling_bandwidth(report->node, &sum);
  }
  return link;
}

/* Bytes a second that a rank's threads read when they add their sums; where no layout has several
 * threads with tiles, what decoding reads and writes. */
static double thread_rate(const ScalingStudy *study) {
  const ScalingWork *work = &study->measured;
  for (int i = study->n_rows - 1; i >= 0; i--) {
    const ScalingRow *row = &study->rows[i];
    int64_t tiles = (work->tiles + row->ranks - 1) / row->ranks;
    int64_t adding = tiles < row->threads ? tiles : row->threads;
    if (adding > 1 && row->times.sum_threads > 0) {
      return (double)adding * work->sum_bytes / row->times.sum_threads;
    }
  }
  enum { DECODE_BYTES = 12 };
  const ScalingRow *last = &study->rows[study->n_rows - 1];
  return DECODE_BYTES * work->parameters / last->ranks / last->times.decode;
}

/* With all ranks and threads busy. */
static void fill_machine(const ScalingReport *report, ScalingStudy *study) {
  const ScalingWork *work = &study->measured;
  const ScalingRow *row = &study->rows[study->n_rows - 1];
  double tiles = (double)work->tiles / ((double)row->ranks * row->threads); /* of a thread */
  double part = work->parameters / row->ranks;
  const ScalingTimes *t = &row->times;
  study->machine = (ScalingMachine){.flops = tiles * work->tile_flops / (t->compute - t->add),
                                    .add = tiles * work->parameters / t->add,
                                    .sum_threads = thread_rate(study),
                                    .decode = part / t->decode,
                                    .optimizer = part / t->optimizer,
                                    .node = node_link(report, study),
                                    .network = report->forecast};
}

double scaling_predicted_sum(const ScalingReport *report, const ScalingSumRow *row) {
  int members = (row->ranks + row->nodes - 1) / row->nodes;
  return scaling_sum(report->node, members, row->traffic) +
         scaling_sum(report->network, row->nodes, row->traffic);
}

ScalingTimes scaling_predicted(const ScalingReport *report, const ScalingStudy *study,
                               const ScalingRow *row) {
  ScalingMachine machine = study->machine;
  machine.network = report->network;
  ScalingLayout layout = {row->ranks, row->threads, (row->ranks + row->nodes - 1) / row->nodes};
  return scaling_times(&study->measured, &machine, &layout);
}

/* ---- All of it ---- */

/* Of the forecast. Several ranks of a node need a sum within a node to have been measured. */
static Status fill_layout(const Job *job, ScalingReport *report) {
  const ScalingSettings *settings = report->settings;
  const ScalingPart *all = &job->parts[job->n_parts - 1];
  report->ranks = all->ranks;
  report->nodes = all->nodes;
  report->threads = all->most_threads;
  int threads = settings->threads ? settings->threads : all->most_threads;
  int ranks = settings->ranks_per_node ? settings->ranks_per_node
                                       : (all->ranks + all->nodes - 1) / all->nodes;
  report->layout = (ScalingLayout){.threads = threads, .ranks_per_node = ranks};
  if (ranks > 1 && all->ranks == all->nodes) {
    return status_fail(STATUS_USAGE,
                       "ranks_per_node=%d: the sum within a node is not known from a job of one "
                       "rank a node; start it with mpirun -n 2 or more",
                       ranks);
  }
  return STATUS_OK;
}

/* Collective. */
static Status measure(Job *job, ScalingReport *report) {
  const ScalingSettings *settings = report->settings;
  int most = settings->threads;
  if (most == 0) TRY(threads_choose(job->world, 0, &most));
  TRY(create_parts(job, most));
  TRY(fill_layout(job, report));
  for (int i = 0; i < settings->n_networks; i++) {
    TRY(scaling_measure(job->world, job->parts, job->n_parts, settings->rounds,
                        &settings->networks[i], &report->studies[i]));
    report->n_studies++;
  }
  return measure_sums(job, report);
}

static Status print(ScalingReport *report, FILE *out) {
  fit_links(report);
  bool measured = report->network_measured && !report->settings->network_given;
  report->forecast = measured ? report->network : report->settings->network;
  for (int i = 0; i < report->n_studies; i++) fill_machine(report, &report->studies[i]);
  if (report->settings->json) return scaling_print_json(report, out);
  scaling_print(report, out);
  return STATUS_OK;
}

Status scaling_command(const Comm *comm, int argc, const char *const *argv, FILE *out) {
  ScalingSettings settings;
  TRY(scaling_parse(argc, argv, &settings));
  ScalingReport *report = NULL;
  TRY(comm_agree(comm, memory_allocate(&report, 1, sizeof *report, "a report")));
  report->settings = &settings;
  Job job = {.world = comm};
  Status status = measure(&job, report);
  if (status == STATUS_OK) {
    status = comm_agree(comm, comm_rank(comm) == 0 ? print(report, out) : STATUS_OK);
  }
  destroy_parts(&job);
  free(report);
  return status;
}
