/* Sums of outer products: the gradient against plain loops, in any pieces; its norm; Adam with such
 * tensors. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "core/optimizer.h"
#include "core/outer.h"
#include "core/random.h"

static const double tolerance = REAL_IS_DOUBLE ? 1e-12 : 1e-5;

enum { BEGIN = 37, MAX_TENSORS = 4 };

/* Outer tensors from BEGIN on, their factors, and what is between them. */
typedef struct {
  OuterTensor tensors[MAX_TENSORS];
  Outer outer;
  OuterFactors factors;
  size_t n; /* of theta */
} Fixture;

/* sizes [n][2]. Factors lie in other places than the tensors, with gaps. */
static Fixture create(int n, const int sizes[][2], int64_t items, uint64_t seed) {
  Fixture f = {.n = BEGIN};
  size_t u = 3, v = 5;
  for (int t = n - 1; t >= 0; t--) {
    f.tensors[t] = (OuterTensor){"tensor", 0, sizes[t][0], sizes[t][1], u, v, false};
    u += (size_t)sizes[t][0] + 2;
    v += (size_t)sizes[t][1] + 1;
  }
  for (int t = 0; t < n; t++) {
    f.tensors[t].offset = f.n;
    f.n += (size_t)sizes[t][0] * (size_t)sizes[t][1];
  }
  f.outer = (Outer){.n_tensors = n, .u_size = u, .v_size = v, .items = items};
  f.factors.u = malloc((size_t)items * u * sizeof(real));
  f.factors.v = malloc((size_t)items * v * sizeof(real));
  RandomStream stream = {seed, RANDOM_CHECK, 0};
  for (size_t i = 0; i < (size_t)items * u; i++) {
    f.factors.u[i] = (real)(2 * random_uniform(stream, i, 0) - 1);
  }
  for (size_t i = 0; i < (size_t)items * v; i++) {
    f.factors.v[i] = (real)(2 * random_uniform(stream, i, 1) - 1);
  }
  return f;
}

/* After the fixture has got its place. */
static void settle(Fixture *f) {
  f->outer.tensors = f->tensors;
}

static void destroy(Fixture *f) {
  free(f->factors.u);
  free(f->factors.v);
}

/* Of all outer tensors, by plain loops in double. Owned by the caller. */
static double *explicit_gradient(const Fixture *f) {
  double *gradient = calloc(f->n - BEGIN, sizeof *gradient), *to = gradient;
  for (int t = 0; t < f->outer.n_tensors; t++) {
    const OuterTensor *tensor = &f->tensors[t];
    for (size_t r = 0; r < (size_t)tensor->rows; r++) {
      for (size_t c = 0; c < (size_t)tensor->cols; c++, to++) {
        for (size_t i = 0; i < (size_t)f->outer.items; i++) {
          *to += (double)f->factors.u[i * f->outer.u_size + tensor->u + r] *
                 (double)f->factors.v[i * f->outer.v_size + tensor->v + c];
        }
      }
    }
  }
  return gradient;
}

static const int some_sizes[][2] = {{7, 5}, {1, 9}, {64, 33}, {30, 1}};

/* ---- The gradient ---- */

static void check_gradient(int64_t items, double scale) {
  Fixture f = create(4, some_sizes, items, (uint64_t)items);
  settle(&f);
  size_t n = f.n - BEGIN;
  double *wanted = explicit_gradient(&f), worst = 0;
  real *all = malloc(n * sizeof *all);
  assert_int_equal(outer_begin(&f.outer, f.n), BEGIN);
  outer_gradient(&f.outer, &f.factors, BEGIN, n, scale, all);
  for (size_t i = 0; i < n; i++) {
    worst = fmax(worst, fabs((double)all[i] - scale * wanted[i]));
  }
  assert_true(worst <= tolerance / 10 * scale * (double)items);
  free(all);
  free(wanted);
  destroy(&f);
}

static void test_gradient(void **state) {
  (void)state;
  static const int64_t items[] = {1, 2, 11, 300};
  for (int i = 0; i < 4; i++) {
    check_gradient(items[i], 1);
    check_gradient(items[i], 0.37);
  }
}

/* Pieces of any length, which begin and end within rows and reach across tensors. */
static void test_ranges(void **state) {
  (void)state;
  Fixture f = create(4, some_sizes, 13, 1);
  settle(&f);
  size_t n = f.n - BEGIN;
  real *all = malloc(n * sizeof *all), *part = malloc((n + 2) * sizeof *part);
  outer_gradient(&f.outer, &f.factors, BEGIN, n, 0.7, all);
  for (size_t length = 1; length <= n; length += length < 70 ? 1 : 211) {
    for (size_t first = 0; first < n; first += length < 70 ? length : 67) {
      size_t count = first + length < n ? length : n - first;
      part[0] = part[count + 1] = 42;
      outer_gradient(&f.outer, &f.factors, BEGIN + first, count, 0.7, part + 1);
      assert_memory_equal(part + 1, all + first, count * sizeof *part);
      assert_true(part[0] == 42 && part[count + 1] == 42);
    }
  }
  outer_gradient(&f.outer, &f.factors, f.n, 0, 1, NULL);
  free(part);
  free(all);
  destroy(&f);
}

/* The widest rows, in parts. */
static void test_wide_rows(void **state) {
  (void)state;
  static const int sizes[][2] = {{3, OUTER_MAX_COLS}, {2, OUTER_MAX_COLS - 1}};
  Fixture f = create(2, sizes, 2, 1);
  settle(&f);
  size_t n = f.n - BEGIN;
  real *all = malloc(n * sizeof *all), *part = malloc(n * sizeof *part);
  outer_gradient(&f.outer, &f.factors, BEGIN, n, 1, all);
  for (size_t first = 0; first < n; first += 5000) {
    size_t count = n - first < 5000 ? n - first : 5000;
    outer_gradient(&f.outer, &f.factors, BEGIN + first, count, 1, part + first);
  }
  assert_memory_equal(all, part, n * sizeof *all);
  free(part);
  free(all);
  destroy(&f);
}

static void test_no_tensors(void **state) {
  (void)state;
  const Outer none = {0};
  assert_int_equal(outer_begin(&none, 123), 123);
  assert_int_equal(outer_chunks(&none), 0);
  assert_int_equal(outer_nonfinite(&none, &(OuterFactors){0}, 0, 1), 0);
}

/* ---- The norm ---- */

static double square_of(const Fixture *f) {
  double sum = 0;
  real *room = malloc((size_t)(f->outer.items * f->outer.items) * sizeof *room);
  for (int chunk = 0; chunk < outer_chunks(&f->outer); chunk++) {
    double square = outer_chunk_square(&f->outer, &f->factors, chunk, room);
    assert_true(square >= 0);
    sum += square;
  }
  free(room);
  return sum;
}

/* Tensors of several chunks, too. */
static void test_norm(void **state) {
  (void)state;
  static const int sizes[][3][2] = {{{7, 5}, {1, 9}, {64, 33}}, {{4096, 3}, {4097, 2}, {10000, 6}}};
  for (int k = 0; k < 2; k++) {
    for (int64_t items = 1; items <= 31; items += 15) {
      Fixture f = create(3, sizes[k], items, 5);
      settle(&f);
      double *gradient = explicit_gradient(&f), wanted = 0;
      for (size_t i = 0; i < f.n - BEGIN; i++) wanted += gradient[i] * gradient[i];
      assert_int_equal(outer_chunks(&f.outer), k ? 1 + 2 + 3 : 3);
      assert_true(fabs(square_of(&f) / wanted - 1) <= tolerance);
      free(gradient);
      destroy(&f);
    }
  }
}

/* Items that cancel: nothing is left but rounding, which is not negative. */
static void test_norm_of_nothing(void **state) {
  (void)state;
  static const int sizes[][2] = {{200, 40}};
  for (uint64_t seed = 0; seed < 50; seed++) {
    Fixture f = create(1, sizes, 3, seed);
    settle(&f);
    size_t u = f.outer.u_size, v = f.outer.v_size;
    for (size_t i = 0; i < u; i++) f.factors.u[2 * u + i] = -f.factors.u[i] - f.factors.u[u + i];
    for (size_t i = 0; i < v; i++) f.factors.v[v + i] = f.factors.v[2 * v + i] = f.factors.v[i];
    assert_true(square_of(&f) <= tolerance * 200 * 40);
    destroy(&f);
  }
}

/* ---- What is not finite ---- */

static void test_nonfinite(void **state) {
  (void)state;
  Fixture f = create(4, some_sizes, 5, 1);
  settle(&f);
  for (int t = 0; t < 4; t++) {
    const OuterTensor *tensor = &f.tensors[t];
    for (size_t item = 0; item < 5; item++) {
      real *places[] = {f.factors.u + item * f.outer.u_size + tensor->u + tensor->rows - 1,
                        f.factors.v + item * f.outer.v_size + tensor->v};
      for (int k = 0; k < 4; k++) {
        real *place = places[k % 2], before = *place;
        *place = k < 2 ? (real)NAN : -(real)INFINITY;
        assert_int_equal(outer_nonfinite(&f.outer, &f.factors, 0, 5), t);
        assert_int_equal(outer_nonfinite(&f.outer, &f.factors, 0, (int64_t)item), 4);
        assert_int_equal(outer_nonfinite(&f.outer, &f.factors, (int64_t)item + 1, 5), 4);
        *place = before;
      }
    }
  }
  f.factors.u[0] = f.factors.v[0] = (real)NAN; /* no tensor's */
  assert_int_equal(outer_nonfinite(&f.outer, &f.factors, 0, 5), 4);
  destroy(&f);
}

/* ---- Adam ---- */

/* The gradient is a function of theta, so that the steps depend on each other: the dense part is
 * theta itself, u and v are those of the fixture times 1 + theta[0]. */
typedef struct {
  Fixture f;
  OuterFactors now;
  bool whole; /* the gradient is stored */
} Problem;

static Status evaluate(void *context, const real *theta, double *loss, real *gradient) {
  Problem *p = context;
  const Outer *outer = &p->f.outer;
  *loss = 0;
  memset(gradient, 0x55, (p->whole ? p->f.n : BEGIN) * sizeof *gradient);
  for (size_t i = 0; i < BEGIN; i++) gradient[i] = theta[i];
  for (size_t i = 0; i < (size_t)outer->items * outer->u_size; i++) {
    p->now.u[i] = p->f.factors.u[i] * (1 + theta[0]);
  }
  for (size_t i = 0; i < (size_t)outer->items * outer->v_size; i++) {
    p->now.v[i] = p->f.factors.v[i] * (1 + theta[BEGIN]);
  }
  if (p->whole) outer_gradient(outer, &p->now, BEGIN, p->f.n - BEGIN, 1, gradient + BEGIN);
  return STATUS_OK;
}

static void rest(void *context, size_t first, size_t count, real *gradient) {
  const Problem *p = context;
  assert_true(first >= BEGIN && 0 < count && count <= OPTIMIZER_CHUNK);
  outer_gradient(&p->f.outer, &p->now, first, count, 1, gradient);
}

/* Several chunks of the optimiser. */
static void problem_create(Problem *p, bool whole) {
  static const int sizes[][2] = {{300, 41}, {5, 7}, {900, 33}};
  *p = (Problem){.f = create(3, sizes, 6, 2), .whole = whole};
  settle(&p->f);
  p->now.u = malloc((size_t)p->f.outer.items * p->f.outer.u_size * sizeof(real));
  p->now.v = malloc((size_t)p->f.outer.items * p->f.outer.v_size * sizeof(real));
}

static void problem_destroy(Problem *p) {
  free(p->now.u);
  free(p->now.v);
  destroy(&p->f);
}

/* Theta after some steps, owned by the caller; only in the ranges, if there are any. */
static real *train(bool whole, const VectorRange *ranges, int n_ranges) {
  Problem p;
  OptimizerSettings settings = OPTIMIZER_DEFAULTS;
  Optimizer *optimizer = NULL;
  real *theta = NULL;
  problem_create(&p, whole);
  if (!whole) settings.stored = BEGIN;
  assert_int_equal(memory_allocate(&theta, p.f.n, sizeof *theta, "a test"), STATUS_OK);
  for (size_t i = 0; i < p.f.n; i++) theta[i] = (real)(0.1 + 1e-5 * (double)(i % 1000));
  assert_int_equal(optimizer_create("adam", &settings, p.f.n, &optimizer), STATUS_OK);
  if (!whole) optimizer_rest(optimizer, rest, &p);
  if (n_ranges) assert_true(optimizer_shard(optimizer, ranges, n_ranges));
  for (int step = 0; step < 5; step++) {
    double loss;
    assert_int_equal(optimizer_step(optimizer, 0.01, theta, evaluate, &p, &loss), STATUS_OK);
  }
  optimizer_destroy(optimizer);
  problem_destroy(&p);
  return theta;
}

static size_t count_parameters(void) {
  Problem p;
  problem_create(&p, true);
  size_t n = p.f.n;
  problem_destroy(&p);
  return n;
}

/* To the bit, as its elements are chains of the same operations wherever they are made. */
static void test_adam(void **state) {
  (void)state;
  size_t n = count_parameters();
  real *stored = train(true, NULL, 0), *made = train(false, NULL, 0);
  for (size_t i = 0; i < n; i++) {
    assert_true(isfinite(made[i]) && made[i] != (real)(0.1 + 1e-5 * (double)(i % 1000)));
  }
  assert_memory_equal(stored, made, n * sizeof *made);
  free(stored);
  free(made);
}

/* In two ranges: those elements as by one rank, the others left alone. Elements that steer the
 * gradient are in both parts. */
static void test_shards(void **state) {
  (void)state;
  size_t n = count_parameters();
  real *whole = train(false, NULL, 0);
  const VectorRange cases[][2] = {{{0, 20}, {BEGIN, 1000}},
                                  {{0, BEGIN}, {BEGIN, n}},
                                  {{0, 1}, {BEGIN, BEGIN + OPTIMIZER_CHUNK + 77}},
                                  {{0, BEGIN + 1}, {n - 19999, n}}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    real *part = train(false, cases[k], 2);
    for (size_t i = 0; i < n; i++) {
      bool own = i < cases[k][0].end || (cases[k][1].first <= i && i < cases[k][1].end);
      assert_true(part[i] == (own ? whole[i] : (real)(0.1 + 1e-5 * (double)(i % 1000))));
    }
    free(part);
  }
  free(whole);
}

/* Those that need all of the gradient say so. */
static void test_refusal(void **state) {
  (void)state;
  static const char *const names[] = {"lbfgs", "gauss_newton"};
  for (int i = 0; i < 2; i++) {
    OptimizerSettings settings = OPTIMIZER_DEFAULTS;
    Optimizer *optimizer = NULL;
    settings.stored = 5;
    assert_int_equal(optimizer_create(names[i], &settings, 6, &optimizer), STATUS_USAGE);
    assert_null(optimizer);
    assert_non_null(strstr(status_message(), names[i]));
    assert_non_null(strstr(status_message(), "whole gradient"));
    assert_non_null(strstr(status_message(), "adam"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradient),  cmocka_unit_test(test_ranges),
      cmocka_unit_test(test_wide_rows), cmocka_unit_test(test_no_tensors),
      cmocka_unit_test(test_norm),      cmocka_unit_test(test_norm_of_nothing),
      cmocka_unit_test(test_nonfinite), cmocka_unit_test(test_adam),
      cmocka_unit_test(test_shards),    cmocka_unit_test(test_refusal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
