/* A block of a domain's samples and its jet, as terms and residuals see it; internal to problem.c
 * and least_squares.c. */
#ifndef CORE_PROBLEM_PARTS_H
#define CORE_PROBLEM_PARTS_H

#include "core/problem.h"

/* One thread's buffers for the blocks of one domain. */
typedef struct {
  int rows; /* of a block */
  Jet *jet;
  real *memory; /* everything below */
  real *x, *data, *weights, *bar;
} DomainBuffers;

/* Local. For blocks of `rows` rows; on failure buffers_destroy cleans up. */
Status buffers_create(const Problem *problem, const Domain *domain, const JetSpec *jet, int rows,
                      DomainBuffers *buffers);
void buffers_destroy(DomainBuffers *buffers);
size_t buffers_bytes(const Problem *problem, const Domain *domain, const JetSpec *jet, int rows);

/* Local. Draws rows of a step; the ones that are missing to a full block are zero. */
void buffers_draw(const Problem *problem, const Domain *domain, DomainBuffers *buffers,
                  uint64_t step, int64_t first, int rows);

/* Local. Zeroes the adjoints. */
void buffers_clear(const Problem *problem, const Domain *domain, DomainBuffers *buffers);

/* Local. The block with its jet y, and its adjoints where `adjoint` is set. */
TermBlock buffers_view(const Problem *problem, const Domain *domain, const DomainBuffers *buffers,
                       int rows, const real *y, bool adjoint);

#endif
