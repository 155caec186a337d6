/* Words and numbers of a text in memory, with line numbers for messages ("NAME: line N: ..."). */
#ifndef IO_TEXT_H
#define IO_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* What is left of a text, or of one line of it. Borrows name and bytes; needs no NUL. */
typedef struct {
  const char *name, *at, *end;
  int64_t line; /* the number of the line that `at` is on, from 1 */
} Text;

typedef struct {
  const char *at;
  size_t length;
} Word;

/* All functions are Local. */
Text text_of(const char *name, const void *data, size_t length);

/* The next line with a word in it, without what follows `comment` (0: there are no comments);
 * text->at is then behind its end. False: there is none left. */
bool text_line(Text *text, char comment, Text *line);

/* The next word between white space; counts the lines it passes. False: there is none left. */
bool text_word(Text *text, Word *word);
bool text_is_over(Text *text);
bool word_is(Word word, const char *other);

/* As a string of at most size - 1 characters, fit to print: anything may stand in a damaged file.
 */
void word_copy(Word word, char *copy, size_t size);

/* The next word as a finite number within float's range, as any number (inf, nan), or as a whole
 * number. Fails naming the line, what was expected (`what`) and what was found. */
Status text_number(Text *text, const char *what, double *value);
Status text_any_number(Text *text, const char *what, double *value);
Status text_integer(Text *text, const char *what, int64_t *value);
/* The same of a word taken already. */
Status text_integer_of(const Text *text, Word word, const char *what, int64_t *value);

/* Adds "NAME (SHAPE)" to a list for messages, " ..." once where there is no room for more. */
enum { TEXT_LIST = 400 };
void text_list(char list[TEXT_LIST], const char *name, const char *shape);

/* STATUS_FAILED with "NAME: line N: " before the message. */
Status text_fail(const Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* STATUS_FAILED: `what` was expected where `word` is (word.at NULL: nothing). */
Status text_unexpected(const Text *text, const char *what, Word word);

#endif
