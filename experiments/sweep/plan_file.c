/* OUTPUT/plan.json. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiments/sweep/plan.h"
#include "io/file.h"

/* ---- Writing ---- */

static json_t *entry_json(const Sweep *sweep, int i, const PlanRow *rows) {
  bool known = rows && rows[i].known;
  json_t *seconds = known ? json_real(rows[i].core_seconds) : json_null();
  return json_pack("{s:i, s:s, s:s, s:o}", "index", i, "id", sweep->runs[i].id, "label",
                   sweep->runs[i].label, "core_seconds", seconds);
}

static char *plan_text(const Sweep *sweep, const PlanRow *rows) {
  json_t *list = json_array();
  for (int i = 0; i < sweep->n_runs; i++) json_array_append_new(list, entry_json(sweep, i, rows));
  json_t *json = json_pack("{s:s, s:s, s:s, s:o}", "title", sweep->title, "name", sweep->name,
                           "file", sweep->path, "runs", list);
  char *text = json ? json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
  json_decref(json);
  return text;
}

Status plan_write(const Sweep *sweep, const PlanRow *rows, const char *suffix) {
  char name[64];
  snprintf(name, sizeof name, ".plan-%s.json", suffix);
  char *own = file_join(sweep->directory, name), *path = file_join(sweep->directory, "plan.json");
  char *text = plan_text(sweep, rows);
  Status status =
      text ? file_replace(own, text, strlen(text))
           : status_fail(STATUS_FAILED, "%s: out of memory, or a text is no UTF-8", path);
  if (status == STATUS_OK) status = file_rename(own, path);
  free(text);
  free(path);
  free(own);
  return status;
}

/* ---- Reading ---- */

static Status damaged(const char *path, const char *reason) {
  return status_fail(STATUS_FAILED, "%s: is no plan of a sweep: %s", path, reason);
}

static bool is_id(const char *text) {
  return strlen(text) == SWEEP_ID - 1 && strspn(text, "0123456789abcdef") == SWEEP_ID - 1;
}

static Status read_entry(const char *path, json_t *json, PlanEntry *entry) {
  const char *id, *label;
  json_t *seconds;
  if (json_unpack(json, "{s:i, s:s, s:s, s:o}", "index", &entry->index, "id", &id, "label", &label,
                  "core_seconds", &seconds)) {
    return damaged(path, "a run has not index, id, label and core_seconds");
  }
  if (!is_id(id)) return damaged(path, "an id is not 16 hexadecimal digits");
  memcpy(entry->id, id, SWEEP_ID);
  entry->core_seconds = json_is_number(seconds) ? json_number_value(seconds) : NAN;
  entry->label = strdup(label);
  return entry->label ? STATUS_OK : status_fail(STATUS_FAILED, "%s: out of memory", path);
}

static Status read_plan(const char *path, json_t *json, PlanFile *plan) {
  const char *title, *name, *file;
  json_t *runs;
  if (json_unpack(json, "{s:s, s:s, s:s, s:o}", "title", &title, "name", &name, "file", &file,
                  "runs", &runs) ||
      !json_is_array(runs)) {
    return damaged(path, "title, name, file and runs are not all there");
  }
  plan->title = strdup(title);
  plan->name = strdup(name);
  plan->file = strdup(file);
  size_t n = json_array_size(runs);
  TRY(memory_allocate(&plan->entries, n, sizeof *plan->entries, "a plan"));
  for (; plan->n < (int)n; plan->n++) {
    TRY(read_entry(path, json_array_get(runs, (size_t)plan->n), &plan->entries[plan->n]));
  }
  bool whole = plan->title && plan->name && plan->file;
  return whole ? STATUS_OK : status_fail(STATUS_FAILED, "%s: out of memory", path);
}

static Status read_path(const char *path, PlanFile *plan) {
  unsigned char *data = NULL;
  size_t length;
  json_error_t error;
  TRY(file_read(path, &data, &length));
  json_t *json = json_loadb((const char *)data, length, 0, &error);
  free(data);
  if (!json) return damaged(path, error.text);
  Status status = read_plan(path, json, plan);
  json_decref(json);
  return status;
}

Status plan_read(const char *directory, PlanFile *plan) {
  *plan = (PlanFile){.n = 0};
  char *path = file_join(directory, "plan.json");
  Status status = read_path(path, plan);
  free(path);
  if (status != STATUS_OK) plan_destroy(plan);
  return status;
}

void plan_destroy(PlanFile *plan) {
  for (int i = 0; i < plan->n; i++) free(plan->entries[i].label);
  free(plan->entries);
  free(plan->title);
  free(plan->name);
  free(plan->file);
  *plan = (PlanFile){.n = 0};
}
