/* Lines for a terminal or for a file of lines: text that fits its place, colours where they are
 * wanted. Whatever text says, no control character of it gets through. */
#ifndef IO_SCREEN_H
#define IO_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

/* What `out` is. */
typedef struct {
  bool terminal; /* one that lines can be redrawn on */
  bool colours;  /* a terminal, and NO_COLOR is not set */
  int columns, rows;
} Terminal;

/* Local. Its size is its own or, where they are smaller or it has none, that of COLUMNS and LINES
 * of the environment; else 80 x 24. */
Terminal terminal_of(FILE *out);

typedef enum {
  STYLE_PLAIN,
  STYLE_STRONG,
  STYLE_QUIET,
  STYLE_GOOD,
  STYLE_BUSY,
  STYLE_ODD,
  STYLE_BAD
} Style;

/* Where lines go. Borrows `out`; begin with used = lines = 0. */
typedef struct {
  FILE *out;
  bool colours;
  int columns; /* 0: lines may have any length */
  int used;    /* columns of the line so far */
  int lines;   /* ended so far */
} Screen;

/* Local. Columns that a text takes. */
int screen_width(const char *text);

/* Local. Text, printf style, at most 2000 bytes; what does not fit the line ends with "…". */
void screen_put(Screen *screen, Style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Local. Text in a place of its own, shortened with "…" and filled up with blanks; `right`: on the
 * left. */
void screen_cell(Screen *screen, Style style, int width, bool right, const char *text);

/* Local. Ends the line. */
void screen_end(Screen *screen);

/* Local. Lines of whole words, each `indent` columns in, at most `lines` of them, the last one
 * shortened; without columns: one line. */
void screen_wrap(Screen *screen, Style style, int indent, int lines, const char *text);

/* Local. A bar of `width` columns, filled up to `share` 0 to 1 (NaN: empty). */
void screen_bar(Screen *screen, int width, double share);

#endif
