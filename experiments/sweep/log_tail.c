#include "experiments/sweep/log_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/file.h"

enum { TAIL = 1 << 14, MOST_LINES = 1 << 22, FAR = 16 /* lines over which a step is timed */ };

/* ---- A line ---- */

static bool is_known(const char *key) {
  static const char *const known[] = {"step", "seconds", "lr", "total", "terms"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (!strcmp(key, known[i])) return true;
  }
  return false;
}

/* The headline is the one figure beside those that every line has. */
static void find_headline(json_t *entry, LogLine *line) {
  const char *key;
  json_t *value;
  json_object_foreach(entry, key, value) {
    if (!json_is_number(value) || is_known(key) || strlen(key) >= LOG_NAME) continue;
    strcpy(line->name, key);
    line->value = json_number_value(value);
    return;
  }
}

static double number(json_t *entry, const char *key) {
  json_t *value = json_object_get(entry, key);
  return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static bool parse_line(const char *text, size_t length, LogLine *line) {
  json_t *entry = json_loadb(text, length, 0, NULL);
  json_t *step = json_object_get(entry, "step");
  bool good = json_is_integer(step) && json_integer_value(step) >= 0;
  *line = (LogLine){.step = -1, .value = NAN, .step_seconds = NAN, .loss = NAN, .seconds = NAN};
  if (good) {
    line->step = json_integer_value(step);
    line->seconds = number(entry, "seconds");
    line->loss = number(entry, "total");
    find_headline(entry, line);
  }
  json_decref(entry);
  return good;
}

/* ---- The end of a file ---- */

/* Its last bytes, at most `capacity`; 0: there are none. */
static size_t read_end(const char *path, char *bytes, size_t capacity) {
  int fd;
  int64_t length;
  if (file_open(path, &fd, &length) != STATUS_OK) return 0;
  off_t from = length > (int64_t)capacity ? (off_t)length - (off_t)capacity : 0;
  ssize_t got;
  do {
    got = pread(fd, bytes, capacity, from);
  } while (got < 0 && errno == EINTR);
  close(fd);
  return got > 0 ? (size_t)got : 0;
}

/* The last whole line that ends before *end; *end becomes its start. NULL: none is left. */
static const char *previous_line(const char *bytes, size_t *end, size_t *length) {
  if (*end == 0) return NULL;
  size_t start = *end - 1; /* of the line, whose newline is at *end - 1 */
  while (start > 0 && bytes[start - 1] != '\n') start--;
  *length = *end - 1 - start;
  *end = start;
  return bytes + start;
}

static size_t whole_lines(const char *bytes, size_t length) {
  while (length > 0 && bytes[length - 1] != '\n') length--;
  return length;
}

int log_last(const char *path, int most, LogLine *lines) {
  char bytes[TAIL];
  size_t end = whole_lines(bytes, read_end(path, bytes, sizeof bytes)), length;
  int n = 0;
  const char *text;
  while (n < most && (text = previous_line(bytes, &end, &length))) {
    if (parse_line(text, length, &lines[n])) n++;
  }
  return n;
}

LogLine log_tail(const char *path) {
  LogLine lines[FAR];
  int n = log_last(path, FAR, lines);
  if (n == 0) return (LogLine){.step = -1, .value = NAN, .step_seconds = NAN, .loss = NAN};
  const LogLine *last = &lines[0], *first = &lines[n - 1];
  double steps = (double)(last->step - first->step), seconds = last->seconds - first->seconds;
  if (n == 1) steps = (double)last->step + 1, seconds = last->seconds;
  double each = seconds / steps;
  lines[0].step_seconds = each > 0 && isfinite(each) ? each : (double)NAN;
  return lines[0];
}

/* ---- All of it ---- */

size_t log_losses(const char *path, double **steps, double **losses) {
  unsigned char *data;
  size_t length, n = 0, capacity[2] = {0, 0};
  *steps = *losses = NULL;
  if (file_read(path, &data, &length) != STATUS_OK) return 0;
  length = whole_lines((char *)data, length);
  for (size_t at = 0; at < length && n < MOST_LINES;) {
    const char *text = (char *)data + at;
    size_t bytes = (size_t)((char *)memchr(text, '\n', length - at) - text);
    LogLine line;
    at += bytes + 1;
    if (!parse_line(text, bytes, &line)) continue;
    if (memory_grow(steps, &capacity[0], n + 1, sizeof **steps, "a curve") != STATUS_OK ||
        memory_grow(losses, &capacity[1], n + 1, sizeof **losses, "a curve") != STATUS_OK) {
      break;
    }
    (*steps)[n] = (double)line.step;
    (*losses)[n++] = line.loss;
  }
  free(data);
  return n;
}
