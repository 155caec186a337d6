/* A checkpoint with everything in it, all numbers from one seed. */
#ifndef TESTS_CHECKPOINT_FIXTURE_H
#define TESTS_CHECKPOINT_FIXTURE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/encoding.h"
#include "io/runfile.h"

enum { FIXTURE_ARRAYS = 3, FIXTURE_ROWS = 70 };

typedef struct {
  Network network;
  Config *config;
  History history;
  StateArray arrays[FIXTURE_ARRAYS];
  real *moments;
  double scales[5];
  int64_t counters[2];
  Model model;
  Checkpoint checkpoint;
} Fixture;

/* Any finite or non-finite pattern of bits: xorshift64*. */
static inline uint64_t fixture_bits(uint64_t *seed) {
  *seed ^= *seed >> 12, *seed ^= *seed << 25, *seed ^= *seed >> 27;
  return *seed * 2685821657736338717u;
}

static inline void fixture_fill(uint64_t *seed, void *data, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) ((unsigned char *)data)[i] = fixture_bits(seed) >> 56;
}

static inline Status fixture_create(Fixture *f, uint64_t seed, int width, const char *config) {
  static const char *names[] = {"total", "value"};
  NetworkSpec spec = {.in = 2,
                      .out = 1,
                      .width = width,
                      .layers = 1,
                      .activation = activation_find("sine"),
                      .encoding = encoding_find("none"),
                      .centres = 1,
                      .omega_first = 30,
                      .omega_hidden = 30,
                      .weight_init = "official",
                      .bias_init = "torch"};
  uint64_t bits = 77 * seed + 1;
  memset(f, 0, sizeof *f);
  TRY(network_create(&spec, &f->network));
  TRY(config_parse("test.yaml", config, strlen(config), 0, NULL, &f->config));
  size_t n = f->network.n_parameters;
  f->moments = malloc(n * sizeof *f->moments);
  fixture_fill(&bits, f->moments, n * sizeof *f->moments);
  fixture_fill(&bits, f->scales, sizeof f->scales);
  fixture_fill(&bits, f->counters, sizeof f->counters);
  f->history = (History){.n_columns = 2, .names = names};
  for (int64_t i = 0; i < FIXTURE_ROWS; i++) {
    double row[2];
    fixture_fill(&bits, row, sizeof row);
    TRY(history_append(&f->history, 10 * i, row));
  }
  f->arrays[0] = (StateArray){"adam_m", STATE_REAL, f->moments, n, false};
  f->arrays[1] = (StateArray){"scales", STATE_DOUBLE, f->scales, 5, false};
  f->arrays[2] = (StateArray){"counters", STATE_INT64, f->counters, 2, false};
  f->model = model_of_network(&f->network);
  f->checkpoint = (Checkpoint){.config = f->config,
                               .model = &f->model,
                               .theta = malloc(n * sizeof(real)),
                               .step = (int64_t)(1000 + seed),
                               .seconds = 1.0 / (double)(seed + 3),
                               .history = &f->history,
                               .n_arrays = FIXTURE_ARRAYS,
                               .arrays = f->arrays};
  network_init(&f->network, seed, f->checkpoint.theta);
  return STATUS_OK;
}

static inline void fixture_destroy(Fixture *f) {
  free(f->checkpoint.theta);
  free(f->moments);
  history_destroy(&f->history);
  config_destroy(f->config);
}

/* Bit for bit, NaN included. */
static inline bool fixture_equal(const Fixture *a, const Fixture *b) {
  const Checkpoint *p = &a->checkpoint, *q = &b->checkpoint;
  size_t n = a->network.n_parameters, rows = (size_t)a->history.rows;
  return p->step == q->step && p->seconds == q->seconds && a->history.rows == b->history.rows &&
         memcmp(p->theta, q->theta, n * sizeof(real)) == 0 &&
         memcmp(a->moments, b->moments, n * sizeof(real)) == 0 &&
         memcmp(a->scales, b->scales, sizeof a->scales) == 0 &&
         memcmp(a->counters, b->counters, sizeof a->counters) == 0 &&
         memcmp(a->history.step, b->history.step, rows * sizeof(int64_t)) == 0 &&
         memcmp(a->history.values, b->history.values, 2 * rows * sizeof(double)) == 0;
}

static const char FIXTURE_CONFIG[] = "experiment: image\nseed: 7\ntrain: {lr: 0.001}\n";

#endif
