#include "io/text.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NUMBER = 63 };

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

Text text_of(const char *name, const void *data, size_t length) {
  const char *at = data;
  return (Text){name, at, at + length, 1};
}

bool text_line(Text *text, char comment, Text *line) {
  while (text->at < text->end) {
    const char *newline = memchr(text->at, '\n', (size_t)(text->end - text->at));
    *line = (Text){text->name, text->at, newline ? newline : text->end, text->line};
    text->at = newline ? newline + 1 : text->end;
    text->line += newline != NULL;
    const char *cut = comment ? memchr(line->at, comment, (size_t)(line->end - line->at)) : NULL;
    if (cut) line->end = cut;
    if (!text_is_over(line)) return true;
  }
  return false;
}

bool text_is_over(Text *text) {
  while (text->at < text->end && is_space(*text->at)) text->line += *text->at++ == '\n';
  return text->at == text->end;
}

bool text_word(Text *text, Word *word) {
  *word = (Word){NULL, 0};
  if (text_is_over(text)) return false;
  word->at = text->at;
  while (text->at < text->end && !is_space(*text->at)) text->at++;
  word->length = (size_t)(text->at - word->at);
  return true;
}

bool word_is(Word word, const char *other) {
  return word.length == strlen(other) && !memcmp(word.at, other, word.length);
}

void word_copy(Word word, char *copy, size_t size) {
  size_t length = word.length < size - 1 ? word.length : size - 1;
  for (size_t i = 0; i < length; i++) {
    char c = word.at[i];
    copy[i] = c >= ' ' && c <= '~' ? c : '?';
  }
  copy[length] = '\0';
}

void text_list(char list[TEXT_LIST], const char *name, const char *shape) {
  size_t used = strlen(list);
  if (used <= 300) {
    snprintf(list + used, 320 - used, "%s%.60s (%.60s)", used ? ", " : "", name, shape);
  } else if (strcmp(list + used - 4, " ...") != 0) {
    strcat(list, " ...");
  }
}

Status text_fail(const Text *text, const char *format, ...) {
  char message[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return status_fail(STATUS_FAILED, "%s: line %lld: %s", text->name, (long long)text->line,
                     message);
}

Status text_unexpected(const Text *text, const char *what, Word word) {
  char found[32];
  if (!word.at) return text_fail(text, "ends where %s is expected: truncated?", what);
  word_copy(word, found, sizeof found);
  return text_fail(text, "expected %s, found \"%s\"", what, found);
}

/* strtod and strtoll need a NUL behind the word. */
static bool terminate(Word word, char copy[LONGEST_NUMBER + 1]) {
  if (word.length == 0 || word.length > LONGEST_NUMBER) return false;
  memcpy(copy, word.at, word.length);
  copy[word.length] = '\0';
  return true;
}

Status text_any_number(Text *text, const char *what, double *value) {
  char copy[LONGEST_NUMBER + 1], *end;
  Word word;
  if (!text_word(text, &word) || !terminate(word, copy)) return text_unexpected(text, what, word);
  *value = strtod(copy, &end);
  if (end != copy + word.length) return text_unexpected(text, what, word);
  return STATUS_OK;
}

Status text_number(Text *text, const char *what, double *value) {
  TRY(text_any_number(text, what, value));
  if (fabs(*value) <= (double)FLT_MAX) return STATUS_OK;
  return text_fail(text, "%s is %g, not a finite number within float's range", what, *value);
}

Status text_integer_of(const Text *text, Word word, const char *what, int64_t *value) {
  char copy[LONGEST_NUMBER + 1], *end;
  if (!terminate(word, copy)) return text_unexpected(text, what, word);
  errno = 0;
  *value = strtoll(copy, &end, 10);
  if (end != copy + word.length || errno) return text_unexpected(text, what, word);
  return STATUS_OK;
}

Status text_integer(Text *text, const char *what, int64_t *value) {
  Word word;
  if (!text_word(text, &word)) return text_unexpected(text, what, word);
  return text_integer_of(text, word, what, value);
}
