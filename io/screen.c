#include "io/screen.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "io/utf8.h"

enum { LONGEST = 2000, MANY_COLUMNS = 1000 };

/* ---- What a terminal is ---- */

/* A stale one must not make lines longer than they can be. */
static int from_environment(const char *name, int own, int otherwise) {
  const char *text = getenv(name);
  char *end;
  long value = text ? strtol(text, &end, 10) : 0;
  bool good = text && *text && !*end && value > 0 && value <= MANY_COLUMNS;
  if (good && (own == 0 || value < own)) return (int)value;
  return own > 0 ? own : otherwise;
}

Terminal terminal_of(FILE *out) {
  Terminal is = {.terminal = false};
  struct winsize size;
  int fd = fileno(out);
  const char *type = getenv("TERM"), *plain = getenv("NO_COLOR");
  is.terminal = fd >= 0 && isatty(fd) && type && *type && strcmp(type, "dumb") != 0;
  is.colours = is.terminal && !(plain && *plain);
  if (is.terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    is.columns = size.ws_col;
    is.rows = size.ws_row;
  }
  is.columns = from_environment("COLUMNS", is.columns, 80);
  is.rows = from_environment("LINES", is.rows, 24);
  return is;
}

/* ---- Text ---- */

int screen_width(const char *text) {
  char clean[LONGEST];
  return utf8_clean(text, clean, sizeof clean);
}

/* Cuts a clean text to a width; returns its columns. */
static int shorten(char clean[LONGEST], int width) {
  int columns = 0, length;
  char *cut = clean; /* where "…" may stand */
  for (char *at = clean; *at; at += length) {
    int more = utf8_columns(utf8_decode(at, &length));
    if (columns + more > width) {
      columns = screen_width((*cut = '\0', clean));
      if (width < 1 || cut + 4 > clean + LONGEST) return columns;
      strcpy(cut, "…");
      return columns + 1;
    }
    columns += more;
    if (columns < width) cut = at + length;
  }
  return columns;
}

static const char *const codes[] = {
    [STYLE_PLAIN] = "",        [STYLE_STRONG] = "\x1b[1m", [STYLE_QUIET] = "\x1b[2m",
    [STYLE_GOOD] = "\x1b[32m", [STYLE_BUSY] = "\x1b[36m",  [STYLE_ODD] = "\x1b[33m",
    [STYLE_BAD] = "\x1b[31m"};

static void put_clean(Screen *screen, Style style, const char *clean) {
  bool coloured = screen->colours && style != STYLE_PLAIN && *clean;
  fprintf(screen->out, "%s%s%s", coloured ? codes[style] : "", clean, coloured ? "\x1b[0m" : "");
}

static int room(const Screen *screen) {
  return screen->columns > 0 ? screen->columns - screen->used : MANY_COLUMNS * MANY_COLUMNS;
}

void screen_put(Screen *screen, Style style, const char *format, ...) {
  char text[LONGEST], clean[LONGEST];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  utf8_clean(text, clean, sizeof clean);
  screen->used += shorten(clean, room(screen));
  put_clean(screen, style, clean);
}

void screen_cell(Screen *screen, Style style, int width, bool right, const char *text) {
  char clean[LONGEST];
  if (width > room(screen)) width = room(screen);
  utf8_clean(text, clean, sizeof clean);
  int columns = shorten(clean, width), blanks = width - columns;
  if (right) fprintf(screen->out, "%*s", blanks, "");
  put_clean(screen, style, clean);
  if (!right) fprintf(screen->out, "%*s", blanks, "");
  screen->used += width;
}

void screen_end(Screen *screen) {
  fputc('\n', screen->out);
  screen->used = 0;
  screen->lines++;
}

/* The bytes of a clean text that a line of `width` takes: whole words, if there are any. */
static size_t line_bytes(const char *clean, int width) {
  size_t best = 0;
  int columns = 0, length;
  for (const char *at = clean;; at += length) {
    if (*at == ' ' || !*at) best = (size_t)(at - clean);
    int more = utf8_columns(utf8_decode(at, &length));
    if (!*at || columns + more > width) return best ? best : (size_t)(at - clean);
    columns += more;
  }
}

void screen_wrap(Screen *screen, Style style, int indent, int lines, const char *text) {
  char clean[LONGEST], line[LONGEST];
  const char *at = clean;
  utf8_clean(text, clean, sizeof clean);
  for (int i = 0; i < lines && *at; i++) {
    int width = screen->columns > indent ? screen->columns - indent : LONGEST;
    size_t bytes = i == lines - 1 ? strlen(at) : line_bytes(at, width);
    if (bytes == 0) bytes = strlen(at); /* not even a character fits */
    snprintf(line, sizeof line, "%.*s", (int)bytes, at);
    screen_put(screen, STYLE_PLAIN, "%*s", indent, "");
    screen_put(screen, style, "%s", line);
    screen_end(screen);
    at += bytes;
    at += strspn(at, " ");
  }
}

void screen_bar(Screen *screen, int width, double share) {
  char full[64], rest[64];
  if (width > 60) width = 60;
  int filled = isfinite(share) ? (int)(width * fmin(fmax(share, 0), 1)) : 0;
  memset(full, '#', sizeof full);
  memset(rest, '.', sizeof rest);
  screen_put(screen, STYLE_PLAIN, "[");
  screen_put(screen, STYLE_GOOD, "%.*s", filled, full);
  screen_put(screen, STYLE_QUIET, "%.*s", width - filled, rest);
  screen_put(screen, STYLE_PLAIN, "]");
}
