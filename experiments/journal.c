#include "experiments/journal.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/file.h"

struct Journal {
  char *path;
  FILE *file;
};

static bool is_before(const char *line, size_t length, int64_t step) {
  json_t *entry = json_loadb(line, length, 0, NULL);
  json_t *number = json_object_get(entry, "step");
  bool before = json_is_integer(number) && json_integer_value(number) < step;
  json_decref(entry);
  return before;
}

/* Moves the lines to keep to the front; returns their length. */
static size_t keep_lines(char *text, size_t length, int64_t step) {
  size_t kept = 0;
  for (size_t i = 0; i < length;) {
    char *end = memchr(text + i, '\n', length - i);
    if (!end) break;
    size_t line = (size_t)(end - (text + i)) + 1;
    if (is_before(text + i, line, step)) {
      memmove(text + kept, text + i, line);
      kept += line;
    }
    i += line;
  }
  return kept;
}

static Status truncate_log(const char *path, int64_t step) {
  unsigned char *data = NULL;
  size_t length = 0;
  if (step > 0 && file_exists(path)) TRY(file_read(path, &data, &length));
  Status status = file_replace(path, data ? (char *)data : "",
                               data ? keep_lines((char *)data, length, step) : 0);
  free(data);
  return status;
}

Status journal_open(const char *directory, int64_t step, Journal **journal) {
  Journal *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "the log"));
  *journal = made;
  made->path = file_join(directory, "log.jsonl");
  TRY(truncate_log(made->path, step));
  made->file = fopen(made->path, "a");
  if (!made->file) {
    return status_fail(STATUS_FAILED, "%s: cannot append: %s", made->path, strerror(errno));
  }
  return STATUS_OK;
}

void journal_close(Journal *journal) {
  if (!journal) return;
  if (journal->file) fclose(journal->file);
  free(journal->path);
  free(journal);
}

/* NULL without memory. Figures that are not finite (the PSNR of a perfect fit) have no JSON. */
static json_t *make_entry(const JournalEntry *entry, const Objective *objective,
                          const Headline *headline) {
  json_t *terms = json_object();
  for (int i = 0; i < objective->n_terms; i++) {
    json_object_set_new(terms, objective->terms[i].name, json_real(entry->terms[i]));
  }
  json_t *line = json_pack("{s:I, s:f, s:f, s:f, s:o}", "step", (json_int_t)entry->step, "seconds",
                           entry->seconds, "lr", entry->lr, "total", entry->total, "terms", terms);
  double figure = headline->function ? headline->function(entry->terms) : NAN;
  if (line && isfinite(figure)) json_object_set_new(line, headline->name, json_real(figure));
  return line;
}

Status journal_write(Journal *journal, const JournalEntry *entry, const Objective *objective,
                     const Headline *headline) {
  json_t *line = make_entry(entry, objective, headline);
  char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
  json_decref(line);
  if (!text) return status_fail(STATUS_FAILED, "out of memory for a line of the log");
  int written = fprintf(journal->file, "%s\n", text);
  free(text);
  if (written < 0 || fflush(journal->file)) {
    return status_fail(STATUS_FAILED, "%s: cannot write: %s", journal->path, strerror(errno));
  }
  return STATUS_OK;
}
