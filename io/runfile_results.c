#include "io/runfile_results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/hdf5.h"

static Status read_metric(const Hdf5File *file, const char *name, RunMetric *metric) {
  char key[RESULTS_NAME + 8], *units;
  snprintf(metric->name, sizeof metric->name, "%s", name);
  TRY(hdf5_get_numbers(file, "/metrics", name, 1, &metric->value));
  snprintf(key, sizeof key, "%s_units", metric->name);
  if (!hdf5_has_attribute(file, "/metrics", key)) return STATUS_OK;
  TRY(hdf5_get_text(file, "/metrics", key, &units));
  snprintf(metric->units, sizeof metric->units, "%s", units);
  free(units);
  return STATUS_OK;
}

static bool is_units(const char *name) {
  size_t length = strlen(name);
  return length > 6 && !strcmp(name + length - 6, "_units");
}

static Status read_metrics(const Hdf5File *file, int *n, RunMetric **metrics) {
  Hdf5Names names;
  TRY(hdf5_attributes(file, "/metrics", &names));
  *n = 0;
  Status status = memory_allocate(metrics, (size_t)names.n, sizeof **metrics, "metrics");
  for (int i = 0; status == STATUS_OK && i < names.n; i++) {
    if (is_units(names.name[i])) continue;
    status = read_metric(file, names.name[i], &(*metrics)[(*n)++]);
  }
  hdf5_names_destroy(&names);
  return status;
}

Status runfile_read_metrics(const char *path, int *n, RunMetric **metrics) {
  Hdf5File file;
  *metrics = NULL;
  TRY(hdf5_open(path, &file));
  Status status = read_metrics(&file, n, metrics);
  hdf5_close(&file);
  if (status == STATUS_OK) return STATUS_OK;
  free(*metrics);
  *metrics = NULL;
  return status;
}

Status runfile_read_provenance(const char *path, const char *name, char **text) {
  Hdf5File file;
  TRY(hdf5_open(path, &file));
  Status status = hdf5_get_text(&file, "/provenance", name, text);
  hdf5_close(&file);
  return status;
}

/* ---- Texts ---- */

static Status read_texts(const Hdf5File *file, const char *group, const Hdf5Names *names,
                         RunText *texts) {
  for (int i = 0; i < names->n; i++) {
    TRY(hdf5_show_attribute(file, group, names->name[i], 10, &texts[i].text));
    texts[i].name = strdup(names->name[i]);
    if (!texts[i].name) return status_fail(STATUS_FAILED, "out of memory for %s", group);
  }
  return STATUS_OK;
}

Status runfile_read_texts(const char *path, const char *group, int *n, RunText **texts) {
  Hdf5File file;
  Hdf5Names names = {0};
  RunText *made = NULL;
  TRY(hdf5_open(path, &file));
  Status status = hdf5_attributes(&file, group, &names);
  if (status == STATUS_OK) {
    status = memory_allocate(&made, (size_t)names.n, sizeof *made, "texts of a run");
    if (status == STATUS_OK) status = read_texts(&file, group, &names, made);
  }
  if (status == STATUS_OK) {
    *n = names.n;
    *texts = made;
  } else {
    runtexts_destroy(names.n, made);
  }
  hdf5_names_destroy(&names);
  hdf5_close(&file);
  return status;
}

void runtexts_destroy(int n, RunText *texts) {
  for (int i = 0; texts && i < n; i++) {
    free(texts[i].name);
    free(texts[i].text);
  }
  free(texts);
}
