/* Directories of sweeps and runs, made without running anything. */
#ifndef TESTS_SWEEP_FIXTURE_H
#define TESTS_SWEEP_FIXTURE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "experiments/state.h"
#include "io/file.h"
#include "io/hdf5.h"

/* What can be done to text that is meant for people: in UTF-8, and beyond it. */
#define SWEEP_HOSTILE                                                \
  "<script>alert('x')</script> & \"q\" \x1b[31mred\x07\x7f \xc2\x9b" \
  "31m \xe2\x80\xaeright ]]> end"
#define SWEEP_BROKEN SWEEP_HOSTILE "\xff\xc0\xaf"

/* Without the flushes to disk that file_replace has. */
static inline void sweep_write(const char *path, const void *data, size_t length) {
  FILE *file = fopen(path, "w");
  if (!file || fwrite(data, 1, length, file) != length || fclose(file)) {
    perror(path);
    exit(1);
  }
}

static inline void sweep_put(const char *directory, const char *name, const char *text) {
  char *path = file_join(directory, name);
  sweep_write(path, text, strlen(text));
  free(path);
}

/* DIRECTORY/IDENTITY of run i in a new string (free()), made. */
static inline char *sweep_folder(const char *directory, int i) {
  char id[32];
  snprintf(id, sizeof id, "%016x", i + 1);
  char *path = file_join(directory, id);
  mkdir(path, 0777);
  return path;
}

/* A JSON text: what needs it is escaped; bytes that are no UTF-8 are the caller's fault. */
static inline void sweep_json(FILE *file, const char *text) {
  fputc('"', file);
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < ' ' || c == '"' || c == '\\') {
      fprintf(file, "\\u%04x", c);
    } else {
      fputc(c, file);
    }
  }
  fputc('"', file);
}

/* plan.json of n runs with these labels (NULL: "run=I"), 100 core-seconds each. */
static inline void sweep_plan(const char *directory, const char *title, int n,
                              const char *const *labels) {
  char *text = NULL, label[32];
  size_t length;
  FILE *file = open_memstream(&text, &length);
  fprintf(file, "{\"title\": ");
  sweep_json(file, title);
  fprintf(file, ", \"name\": \"grid\", \"file\": \"grid.yaml\", \"runs\": [");
  for (int i = 0; i < n; i++) {
    snprintf(label, sizeof label, "run=%d", i);
    fprintf(file, "%s{\"index\": %d, \"id\": \"%016x\", \"label\": ", i ? ", " : "", i, i + 1);
    sweep_json(file, labels ? labels[i] : label);
    fprintf(file, ", \"core_seconds\": 100}");
  }
  fprintf(file, "]}");
  fclose(file);
  sweep_put(directory, "plan.json", text);
  free(text);
}

/* state.json; `running` ones are this process's. */
static inline void sweep_state(const char *run, StateKind kind, const char *message) {
  RunState state = {.kind = kind,
                    .ranks = 1,
                    .threads = 2,
                    .steps = 1000,
                    .attempts = 1,
                    .started = (double)time(NULL) - 60};
  state_here(&state);
  snprintf(state.message, sizeof state.message, "%s", message);
  if (kind != STATE_RUNNING) {
    state.ended = state.started + 50;
    state.core = 100;
  }
  if (state_write(run, &state) != STATUS_OK) {
    fprintf(stderr, "%s\n", status_message());
    exit(1);
  }
}

/* log.jsonl: `lines` of them, ten steps apart, 2 ms a step; the loss is 1 / (1 + step), and `floor`
 * is what the headline, a PSNR, begins with. Ends in the middle of a line. */
static inline void sweep_log(const char *run, int lines, double floor) {
  char *text = NULL;
  size_t length;
  FILE *file = open_memstream(&text, &length);
  for (int i = 0; i < lines; i++) {
    int step = 10 * i;
    fprintf(file,
            "{\"step\":%d,\"seconds\":%.6f,\"lr\":1e-4,\"total\":%.9g,\"terms\":{\"image\":1},"
            "\"psnr\":%.9g}\n",
            step, 0.002 * (step + 1), 1.0 / (1 + step), floor + 0.01 * step);
  }
  fprintf(file, "{\"step\":%d,\"sec", 10 * lines);
  fclose(file);
  sweep_put(run, "log.jsonl", text);
  free(text);
}

/* A complete run.h5 with metrics, a history of two terms, configuration and provenance. */
static inline Status sweep_fill_run_file(const Hdf5File *file, double psnr, const char *text) {
  int64_t rows = 3;
  TRY(hdf5_group(file, "/metrics"));
  TRY(hdf5_set_numbers(file, "/metrics", "psnr", 0, &psnr));
  TRY(hdf5_set_text(file, "/metrics", "psnr_units", "dB"));
  TRY(hdf5_set_numbers(file, "/metrics", "loss_final", 0, &(double){0.001}));
  TRY(hdf5_group(file, "/config"));
  TRY(hdf5_set_text(file, "/config", "experiment", "image"));
  TRY(hdf5_set_text(file, "/config", "data.file", text));
  TRY(hdf5_group(file, "/provenance"));
  TRY(hdf5_set_text(file, "/provenance", "version", "0.1.0"));
  TRY(hdf5_set_text(file, "/provenance", "host", text));
  TRY(hdf5_set_text(file, "/provenance", "date", "2024-05-06T07:08:09Z"));
  TRY(hdf5_write(file, "/loss/step", H5T_NATIVE_INT, 1, &rows, (int[]){0, 10, 20}));
  TRY(hdf5_write(file, "/loss/total", H5T_NATIVE_DOUBLE, 1, &rows, (double[]){1, 0.1, 0.001}));
  TRY(hdf5_write(file, "/loss/a", H5T_NATIVE_DOUBLE, 1, &rows, (double[]){0.5, NAN, 0.001}));
  TRY(hdf5_write(file, "/loss/b", H5T_NATIVE_DOUBLE, 1, &rows, (double[]){0.5, 0.05, 0}));
  return hdf5_set_integer(file, "/", "complete", 1);
}

static inline void sweep_run_file(const char *run, double psnr, const char *text) {
  char *path = file_join(run, "run.h5");
  Hdf5File file;
  unsigned char *data = NULL;
  size_t length = 0;
  Status status = hdf5_create_image(path, 0, &file);
  if (status == STATUS_OK) status = sweep_fill_run_file(&file, psnr, text);
  if (status == STATUS_OK) status = hdf5_take_image(&file, &data, &length);
  if (status == STATUS_OK) sweep_write(path, data, length);
  if (status != STATUS_OK) {
    fprintf(stderr, "%s\n", status_message());
    exit(1);
  }
  hdf5_close(&file);
  free(data);
  free(path);
}

#endif
