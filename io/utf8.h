/* UTF-8 from anywhere: character by character, and what a reader may be shown of it. */
#ifndef IO_UTF8_H
#define IO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xfffd };

/* Local, pure. The character that a text with a NUL at its end begins with, and its bytes; the NUL
 * is 0 and has none. UTF8_REPLACEMENT of one byte where none begins, and where it is a surrogate
 * or one that Unicode will never use. */
uint32_t utf8_decode(const char *text, int *length);

/* Local, pure. Whether a character is something to be seen that leaves the rest as it is: no
 * control character, no other line end, nothing that turns the direction of text, no mark without
 * a shape. */
bool utf8_is_visible(uint32_t character);

/* Local, pure. Columns of a terminal that a visible character takes: 0 (it joins the one before),
 * 1 or 2. */
int utf8_columns(uint32_t character);

/* Local. A copy of what can be seen of a text, "?" for every other character, blanks for line ends
 * and tabs; cut at a character to fit size >= 1. Returns its columns. */
int utf8_clean(const char *text, char *clean, size_t size);

#endif
