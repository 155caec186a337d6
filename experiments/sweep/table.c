#include "experiments/sweep/table.h"

#include <stdlib.h>
#include <string.h>

#include "experiments/sweep/table_parts.h"
#include "io/file.h"

/* INTO/NAME from a text in memory. */
static Status store(const char *into, const char *name, const char *text, size_t length) {
  char *path = file_join(into, name);
  if (!path) return status_fail(STATUS_FAILED, "out of memory for a table");
  Status status = file_replace(path, text, length);
  free(path);
  return status;
}

/* A text in memory that is written like a file. */
typedef struct {
  char *text;
  size_t length;
  FILE *file;
} Buffer;

static Status buffer_open(Buffer *buffer) {
  *buffer = (Buffer){0};
  buffer->file = open_memstream(&buffer->text, &buffer->length);
  return buffer->file ? STATUS_OK : status_fail(STATUS_FAILED, "out of memory for a table");
}

static Status buffer_end(Buffer *buffer) {
  bool good = fclose(buffer->file) == 0 && buffer->text;
  return good ? STATUS_OK : status_fail(STATUS_FAILED, "out of memory for a table");
}

static Status make_csv(const Table *table, const char *into) {
  Buffer csv;
  TRY(buffer_open(&csv));
  table_print_csv(table, csv.file);
  Status status = buffer_end(&csv);
  if (status == STATUS_OK) status = store(into, "table.csv", csv.text, csv.length);
  free(csv.text);
  return status;
}

static Status make_markdown(const Table *table, const char *into, const char *pictures, FILE *out) {
  Buffer markdown;
  TRY(buffer_open(&markdown));
  table_print(table, into, pictures, markdown.file);
  Status status = buffer_end(&markdown);
  if (status == STATUS_OK) status = store(into, "table.md", markdown.text, markdown.length);
  if (status == STATUS_OK) fwrite(markdown.text, 1, markdown.length, out);
  free(markdown.text);
  return status;
}

/* The pictures first, for the text shows them. */
static Status make(Table *table, const char *into, FILE *out) {
  Buffer pictures;
  TRY(table_gather(table));
  TRY(table_judge(table));
  TRY(file_make_directory(into));
  TRY(buffer_open(&pictures));
  Status status = table_draw(table, into, pictures.file);
  Status ended = buffer_end(&pictures);
  if (status == STATUS_OK) status = ended;
  if (status == STATUS_OK) status = make_csv(table, into);
  if (status == STATUS_OK) status = make_markdown(table, into, pictures.text, out);
  free(pictures.text);
  return status;
}

Status table_make(const Sweep *sweep, const char *into, FILE *out) {
  Table *table = NULL;
  TRY(table_read(sweep, &table));
  Status status = make(table, into && *into ? into : sweep->directory, out);
  table_destroy(table);
  return status;
}
