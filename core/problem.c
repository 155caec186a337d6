#include "core/problem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/problem_parts.h"

typedef struct {
  int n_domains;
  DomainBuffers domains[PROBLEM_MAX_DOMAINS];
} Workspace;

int problem_tile(const Problem *problem) {
  return problem->tile ? problem->tile : problem_default_tile(problem);
}

static int64_t domain_tiles(const Problem *problem, const Domain *domain) {
  int tile = problem_tile(problem);
  return (domain->samples + tile - 1) / tile;
}

static int64_t problem_tiles(const Objective *self, uint64_t step) {
  (void)step;
  const Problem *problem = self->context;
  int64_t tiles = 0;
  for (int m = 0; m < problem->n_domains; m++) {
    tiles += domain_tiles(problem, &problem->domains[m]);
  }
  return tiles;
}

/* Enough rows for the products to run at speed, few enough for a block's matrices to stay in the
 * second-level cache (measured: README, "Speed"); the tile is cut into equal blocks. */
int problem_block_rows(const Network *network, const JetSpec *jet, int tile) {
  enum { LEAST = 64 };
  int products = network->spec.width <= 512 ? 256 : 512;
  int rows = products / jet_passes(network, jet);
  if (rows < LEAST) rows = LEAST;
  int blocks = (tile + rows - 1) / rows;
  return (tile + blocks - 1) / blocks;
}

int problem_default_tile(const Problem *problem) {
  enum { LEAST = 256, UNIT = 64 };
  int products = problem->network->spec.width <= 512 ? 1024 : 2048;
  int passes = 1;
  for (int m = 0; m < problem->n_domains; m++) {
    int own = jet_passes(problem->network, &problem->domains[m].jet);
    if (own > passes) passes = own;
  }
  int tile = products / passes / UNIT * UNIT;
  return tile > LEAST ? tile : LEAST;
}

/* Places a domain's arrays after `memory`; NULL only counts. */
static size_t place(DomainBuffers *buffers, const Domain *domain, const Network *network,
                    real *memory) {
  size_t rows = (size_t)buffers->rows, used = 0;
  size_t in = (size_t)network->spec.in, out = (size_t)network->spec.out;
  size_t streams = (size_t)jet_streams(&domain->jet, network->spec.in);
#define TAKE(pointer, count) (pointer) = memory ? memory + used : NULL, used += real_aligned(count)
  TAKE(buffers->x, rows * in);
  if (domain->data_width) TAKE(buffers->data, rows * (size_t)domain->data_width);
  if (domain->operator_weights) TAKE(buffers->weights, rows * in);
  TAKE(buffers->bar, rows * streams * out);
#undef TAKE
  return used;
}

Status buffers_create(const Problem *problem, const Domain *domain, const JetSpec *jet, int rows,
                      DomainBuffers *buffers) {
  buffers->rows = rows;
  TRY(jet_create(problem->network, jet, rows, true, &buffers->jet));
  size_t count = place(buffers, domain, problem->network, NULL);
  TRY(memory_allocate(&buffers->memory, count, sizeof(real), "samples"));
  place(buffers, domain, problem->network, buffers->memory);
  return STATUS_OK;
}

void buffers_destroy(DomainBuffers *buffers) {
  jet_destroy(buffers->jet);
  free(buffers->memory);
}

size_t buffers_bytes(const Problem *problem, const Domain *domain, const JetSpec *jet, int rows) {
  DomainBuffers buffers = {.rows = rows};
  size_t samples = sizeof(real) * place(&buffers, domain, problem->network, NULL);
  return memory_footprint(jet_bytes(problem->network, jet, rows, true)) + memory_footprint(samples);
}

static void workspace_destroy(void *workspace) {
  Workspace *w = workspace;
  if (!w) return;
  for (int m = 0; m < w->n_domains; m++) buffers_destroy(&w->domains[m]);
  free(w);
}

static int domain_rows(const Problem *problem, const Domain *domain) {
  return problem_block_rows(problem->network, &domain->jet, problem_tile(problem));
}

static Status workspace_create(const Objective *self, void **workspace) {
  const Problem *problem = self->context;
  Workspace *w;
  TRY(memory_allocate(&w, 1, sizeof *w, "a workspace"));
  w->n_domains = problem->n_domains;
  for (int m = 0; m < problem->n_domains; m++) {
    const Domain *domain = &problem->domains[m];
    Status status =
        buffers_create(problem, domain, &domain->jet, domain_rows(problem, domain), &w->domains[m]);
    if (status != STATUS_OK) {
      workspace_destroy(w);
      return status;
    }
  }
  *workspace = w;
  return STATUS_OK;
}

size_t problem_workspace_bytes(const Problem *problem) {
  size_t bytes = sizeof(Workspace);
  for (int m = 0; m < problem->n_domains; m++) {
    const Domain *domain = &problem->domains[m];
    bytes += buffers_bytes(problem, domain, &domain->jet, domain_rows(problem, domain));
  }
  return bytes;
}

static size_t workspace_bytes(const Objective *self) {
  return problem_workspace_bytes(self->context);
}

TermBlock buffers_view(const Problem *problem, const Domain *domain, const DomainBuffers *buffers,
                       int rows, const real *y, bool adjoint) {
  int in = problem->network->spec.in, out = problem->network->spec.out;
  size_t stride = (size_t)buffers->rows * (size_t)out;
  real *bar = adjoint ? buffers->bar : NULL;
  TermBlock block = {.rows = rows,
                     .in = in,
                     .out = out,
                     .data_width = domain->data_width,
                     .x = buffers->x,
                     .data = buffers->data,
                     .value = y,
                     .value_bar = bar};
  for (int i = 0; domain->jet.first && i < in; i++) {
    block.first[i] = y + (size_t)(1 + i) * stride;
    block.first_bar[i] = bar ? bar + (size_t)(1 + i) * stride : NULL;
  }
  for (int s = 0; s < domain->jet.n_second; s++) {
    block.second[s] = y + (size_t)(1 + in + s) * stride;
    block.second_bar[s] = bar ? bar + (size_t)(1 + in + s) * stride : NULL;
  }
  return block;
}

void buffers_draw(const Problem *problem, const Domain *domain, DomainBuffers *buffers,
                  uint64_t step, int64_t first, int rows) {
  int in = problem->network->spec.in;
  domain->draw(domain->source, step, first, rows, buffers->x, buffers->data, buffers->weights);
  size_t missing = (size_t)(buffers->rows - rows);
  if (!missing) return;
  memset(buffers->x + (size_t)(rows * in), 0, missing * (size_t)in * sizeof(real));
  if (buffers->weights) {
    memset(buffers->weights + (size_t)(rows * in), 0, missing * (size_t)in * sizeof(real));
  }
}

void buffers_clear(const Problem *problem, const Domain *domain, DomainBuffers *buffers) {
  size_t numbers = (size_t)buffers->rows * (size_t)problem->network->spec.out;
  int streams = jet_streams(&domain->jet, problem->network->spec.in);
  memset(buffers->bar, 0, numbers * (size_t)streams * sizeof(real));
}

static void domain_block(const Problem *problem, const Domain *domain, DomainBuffers *buffers,
                         uint64_t step, int64_t first, int rows, const real *theta, real *gradient,
                         bool accumulate, double *terms) {
  buffers_draw(problem, domain, buffers, step, first, rows);
  const real *y = jet_forward(buffers->jet, theta, buffers->x, buffers->weights);
  if (gradient) buffers_clear(problem, domain, buffers);
  TermBlock block = buffers_view(problem, domain, buffers, rows, y, gradient != NULL);
  double reduction = domain->mean ? 1 / (double)domain->samples : 1;
  for (int t = 0; t < domain->n_terms; t++) {
    const Term *term = &domain->terms[t];
    terms[t] += reduction * term->function(&block, term->weight * reduction, term->settings);
  }
  if (gradient) {
    jet_reverse(buffers->jet, theta, buffers->x, buffers->weights, buffers->bar, gradient,
                accumulate);
  }
}

static void run_tile(const Objective *self, uint64_t step, int64_t tile, const real *theta,
                     real *gradient, double *terms, const OuterFactors *outer, void *workspace) {
  (void)outer;
  const Problem *problem = self->context;
  Workspace *w = workspace;
  memset(terms, 0, (size_t)self->n_terms * sizeof *terms);
  int m = 0, first_term = 0;
  while (tile >= domain_tiles(problem, &problem->domains[m])) {
    tile -= domain_tiles(problem, &problem->domains[m]);
    first_term += problem->domains[m++].n_terms;
  }
  const Domain *domain = &problem->domains[m];
  DomainBuffers *buffers = &w->domains[m];
  int64_t samples = problem_tile(problem), begin = tile * samples, end = begin + samples;
  if (end > domain->samples) end = domain->samples;
  for (int64_t first = begin; first < end; first += buffers->rows) {
    int rows = (int)(end - first < buffers->rows ? end - first : buffers->rows);
    domain_block(problem, domain, buffers, step, first, rows, theta, gradient, first > begin,
                 terms + first_term);
  }
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static Status problem_prepare(const Objective *self, uint64_t step, int64_t first, int64_t end) {
  const Problem *problem = self->context;
  int64_t tile = problem_tile(problem), before = 0;
  for (int m = 0; m < problem->n_domains; m++) {
    const Domain *domain = &problem->domains[m];
    int64_t tiles = domain_tiles(problem, domain);
    int64_t from = first > before ? first - before : 0, to = least(end - before, tiles);
    if (domain->prepare && from < to) {
      TRY(domain->prepare(domain->source, step, from * tile, least(to * tile, domain->samples)));
    }
    before += tiles;
  }
  return STATUS_OK;
}

static bool is_prepared(const Problem *problem) {
  for (int m = 0; m < problem->n_domains; m++) {
    if (problem->domains[m].prepare) return true;
  }
  return false;
}

static Status check(const Problem *problem) {
  if (problem->tile < 0) return status_fail(STATUS_USAGE, "train.tile: at least 1 sample");
  int terms = 0;
  for (int m = 0; m < problem->n_domains; m++) {
    const Domain *domain = &problem->domains[m];
    terms += domain->n_terms;
    if (domain->samples < 1) {
      return status_fail(STATUS_USAGE, "domain %s: at least 1 sample a step", domain->name);
    }
  }
  assert(problem->n_domains >= 1 && problem->n_domains <= PROBLEM_MAX_DOMAINS);
  assert(terms <= OBJECTIVE_MAX_TERMS);
  return STATUS_OK;
}

Status problem_objective(const Problem *problem, Objective *objective) {
  TRY(check(problem));
  const Network *network = problem->network;
  *objective = (Objective){.n_parameters = network->n_parameters,
                           .n_tensors = network->n_tensors,
                           .tensors = network->tensors,
                           .context = problem,
                           .tiles = problem_tiles,
                           .prepare = is_prepared(problem) ? problem_prepare : NULL,
                           .workspace_create = workspace_create,
                           .workspace_destroy = workspace_destroy,
                           .workspace_bytes = workspace_bytes,
                           .tile = run_tile};
  for (int m = 0; m < problem->n_domains; m++) {
    const Domain *domain = &problem->domains[m];
    for (int t = 0; t < domain->n_terms; t++) {
      objective->terms[objective->n_terms++] =
          (ObjectiveTerm){domain->terms[t].name, domain->terms[t].weight};
    }
  }
  return STATUS_OK;
}

double problem_flops(const Problem *problem) {
  double flops = 0;
  for (int m = 0; m < problem->n_domains; m++) {
    const Domain *domain = &problem->domains[m];
    flops += (double)domain->samples * jet_flops(problem->network, &domain->jet);
  }
  return flops;
}
