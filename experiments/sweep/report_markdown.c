#include "experiments/sweep/report_markdown.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/sweep/report_pictures.h"

enum { LONGEST = 1 << 13 /* bytes of a line that are looked at */, MOST_COLUMNS = 64 };

typedef enum { BLOCK_NONE, BLOCK_TEXT, BLOCK_LIST, BLOCK_TABLE, BLOCK_CODE } Block;

typedef struct {
  Html *html;
  const char *directory;
  double *budget;
  const char *next; /* what was not read yet */
  Block block;      /* that is open */
  bool comment;
  char align[MOST_COLUMNS]; /* of the open table: classes, or 0: by what a cell holds */
  char line[LONGEST];
} Markdown;

/* ---- Inside a line ---- */

static void put_part(Html *html, const char *text, size_t length) {
  char part[LONGEST];
  snprintf(part, sizeof part, "%.*s", (int)length, text);
  html_text(html, part);
}

static bool begins(const char *text, const char *with) {
  return !strncmp(text, with, strlen(with));
}

/* TEXT](TARGET) after its bracket: where TEXT ends, where TARGET begins and ends. */
static bool find_link(const char *text, const char **middle, const char **end) {
  *middle = strstr(text, "](");
  *end = *middle ? strchr(*middle, ')') : NULL;
  return *end != NULL;
}

/* A picture of the folder: a figure where one may stand, else its caption. */
static const char *put_image(Markdown *markdown, const char *at) {
  const char *middle, *end;
  char name[256], caption[256];
  if (at[1] != '[' || !find_link(at + 2, &middle, &end)) return NULL;
  snprintf(name, sizeof name, "%.*s", (int)(end - middle - 2), middle + 2);
  snprintf(caption, sizeof caption, "%.*s", (int)(middle - at - 2), at + 2);
  size_t length = strlen(name);
  bool here = !strchr(name, '/') && length > 4 && !strcmp(name + length - 4, ".png");
  bool place = markdown->block == BLOCK_NONE || markdown->block == BLOCK_TABLE;
  if (here && place) {
    *markdown->budget -= report_picture(markdown->html, markdown->directory, name,
                                        *caption ? caption : name, *markdown->budget);
  } else {
    html_text(markdown->html, caption);
  }
  return end + 1;
}

static const char *put_link(Markdown *markdown, const char *at) {
  const char *middle, *end;
  if (!find_link(at + 1, &middle, &end)) return NULL;
  bool web = begins(middle + 2, "https://") || begins(middle + 2, "http://");
  if (web) {
    html_put(markdown->html, "<a href=\"");
    put_part(markdown->html, middle + 2, (size_t)(end - middle - 2));
    html_put(markdown->html, "\">");
  }
  put_part(markdown->html, at + 1, (size_t)(middle - at - 1));
  if (web) html_put(markdown->html, "</a>");
  return end + 1;
}

/* MARK text MARK as an element; NULL where the second mark is missing. */
static const char *put_marked(Markdown *markdown, const char *at, const char *mark,
                              const char *element) {
  const char *end = strstr(at + strlen(mark), mark);
  if (!end || end == at + strlen(mark)) return NULL;
  html_put(markdown->html, "<%s>", element);
  put_part(markdown->html, at + strlen(mark), (size_t)(end - at) - strlen(mark));
  html_put(markdown->html, "</%s>", element);
  return end + strlen(mark);
}

static const char *put_special(Markdown *markdown, const char *at) {
  if (*at == '`') return put_marked(markdown, at, "`", "code");
  if (begins(at, "**")) return put_marked(markdown, at, "**", "strong");
  if (*at == '[') return put_link(markdown, at);
  if (*at == '!') return put_image(markdown, at);
  if (*at != '\\' || !at[1] || !strchr("\\|*`[]_#!<>", at[1])) return NULL;
  put_part(markdown->html, at + 1, 1);
  return at + 2;
}

static void put_inline(Markdown *markdown, const char *text) {
  const char *plain = text;
  for (const char *at = text; *at;) {
    bool special = strchr("`*[!\\", *at) != NULL;
    if (special && at > plain) put_part(markdown->html, plain, (size_t)(at - plain));
    if (special) plain = at;
    const char *after = special ? put_special(markdown, at) : NULL;
    at = after ? after : at + 1;
    if (after) plain = after;
  }
  html_text(markdown->html, plain);
}

/* ---- Blocks ---- */

static void open_block(Markdown *markdown, Block block) {
  static const char *const ends[] = {[BLOCK_NONE] = "",
                                     [BLOCK_TEXT] = "</p>\n",
                                     [BLOCK_LIST] = "</li></ul>\n",
                                     [BLOCK_TABLE] = "</tbody></table></div>\n",
                                     [BLOCK_CODE] = "</code></pre>\n"};
  static const char *const begin[] = {[BLOCK_NONE] = "",
                                      [BLOCK_TEXT] = "<p>",
                                      [BLOCK_LIST] = "<ul><li>",
                                      [BLOCK_TABLE] = "<div class=\"wide\"><table>",
                                      [BLOCK_CODE] = "<pre><code>"};
  html_put(markdown->html, "%s%s", ends[markdown->block], begin[block]);
  markdown->block = block;
}

/* The next cell of a row, without the blanks around it; false: there is none. */
static bool next_cell(const char **row, char cell[LONGEST]) {
  size_t n = 0;
  const char *at = *row + strspn(*row, " \t");
  if (!*at) return false;
  for (; *at && *at != '|'; at++) {
    if (at[0] == '\\' && at[1] == '|') at++;
    cell[n++] = *at;
  }
  while (n > 0 && strchr(" \t", cell[n - 1])) n--;
  cell[n] = '\0';
  *row = *at ? at + 1 : at;
  return true;
}

static bool is_rule(const char *row) {
  return strspn(row, "|-: \t") == strlen(row) && strstr(row, "--");
}

/* Figures stand at the right: cells that begin with a digit or a sign. */
static bool is_figure(const char *cell) {
  return *cell && (strchr("+-.0123456789", *cell) || begins(cell, "−")) && strcmp(cell, "-") != 0;
}

/* The class of a cell that is a verdict, as `siren table` has them. */
static const char *verdict_class(const char *cell) {
  static const struct {
    const char *word, *class;
  } table[] = {{"reproduced", "complete"},
               {"differs", "stopped"},
               {"invalid", "failed"},
               {"missing", "waiting"}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    if (!strcmp(cell, table[i].word)) return table[i].class;
  }
  return NULL;
}

static void put_cell(Markdown *markdown, const char *element, char align, const char *cell) {
  const char *verdict = verdict_class(cell);
  char class[2] = {align == 'l' ? '\0' : align, '\0'}; /* of the style sheet: right, middle */
  html_put(markdown->html, "<%s", element);
  if (verdict || *class) html_put(markdown->html, " class=\"%s\"", verdict ? verdict : class);
  html_put(markdown->html, ">");
  put_inline(markdown, cell);
  html_put(markdown->html, "</%s>", element);
}

static void put_row(Markdown *markdown, const char *row, const char *element) {
  char cell[LONGEST];
  row += *row == '|';
  html_put(markdown->html, "<tr>");
  for (int i = 0; next_cell(&row, cell); i++) {
    put_cell(markdown, element, i < MOST_COLUMNS ? markdown->align[i] : 'l', cell);
  }
  html_put(markdown->html, "</tr>\n");
}

/* A line of the text, without its end, from `at` on; returns the next one. */
static const char *copy_line(const char *at, char line[LONGEST]) {
  size_t length = strcspn(at, "\n");
  snprintf(line, LONGEST, "%.*s", (int)length, at);
  char *end = line + strlen(line);
  if (end > line && end[-1] == '\r') end[-1] = '\0';
  return at + length + (at[length] == '\n');
}

/* How columns are aligned: where a colon of the rule below the head says it, or else as the first
 * row's cells ask for, figures to the right. */
static void read_alignment(Markdown *markdown) {
  char rule[LONGEST], row[LONGEST], cell[LONGEST];
  memset(markdown->align, 'l', sizeof markdown->align);
  copy_line(copy_line(markdown->next, rule), row);
  if (!is_rule(rule)) return;
  bool colons = strchr(rule, ':');
  const char *at = colons ? rule : row;
  at += strspn(at, " \t");
  at += *at == '|';
  for (int i = 0; i < MOST_COLUMNS && next_cell(&at, cell); i++) {
    bool left = *cell == ':', right = *cell && cell[strlen(cell) - 1] == ':';
    if (!colons) markdown->align[i] = is_figure(cell) ? 'n' : 'l';
    if (colons) markdown->align[i] = right ? (left ? 'm' : 'n') : 'l';
  }
}

static void put_table_line(Markdown *markdown, const char *row) {
  if (markdown->block != BLOCK_TABLE) {
    read_alignment(markdown);
    open_block(markdown, BLOCK_TABLE);
    html_put(markdown->html, "<thead>");
    put_row(markdown, row, "th");
    html_put(markdown->html, "</thead><tbody>\n");
  } else if (!is_rule(row)) {
    put_row(markdown, row, "td");
  }
}

static void put_heading(Markdown *markdown, const char *line) {
  int level = (int)strspn(line, "#") + 1; /* # is the page's title */
  open_block(markdown, BLOCK_NONE);
  html_put(markdown->html, "<h%d>", level < 6 ? level : 6);
  put_inline(markdown, line + strspn(line, "# "));
  html_put(markdown->html, "</h%d>\n", level < 6 ? level : 6);
}

static void put_code_line(Markdown *markdown, const char *line) {
  if (markdown->block != BLOCK_CODE) open_block(markdown, BLOCK_CODE);
  html_text(markdown->html, line);
  html_put(markdown->html, "\n");
}

static void put_item(Markdown *markdown, const char *line) {
  if (markdown->block == BLOCK_LIST) {
    html_put(markdown->html, "</li><li>");
  } else {
    open_block(markdown, BLOCK_LIST);
  }
  put_inline(markdown, line + 2);
}

static void put_text(Markdown *markdown, const char *line) {
  bool open = markdown->block == BLOCK_TEXT || markdown->block == BLOCK_LIST;
  if (open) html_put(markdown->html, "\n");
  if (!open) open_block(markdown, BLOCK_TEXT);
  put_inline(markdown, line);
}

/* Comments take whole lines. */
static bool is_comment(Markdown *markdown, const char *line) {
  bool is = markdown->comment || begins(line, "<!--");
  markdown->comment = is && !strstr(line, "-->");
  return is;
}

/* Pictures beside each other, and what follows them. */
static void put_images(Markdown *markdown, const char *line) {
  open_block(markdown, BLOCK_NONE);
  html_put(markdown->html, "<div class=\"pictures\">\n");
  for (const char *after; (after = *line == '!' ? put_image(markdown, line) : NULL);) {
    line = after + strspn(after, " \t");
  }
  html_put(markdown->html, "</div>\n");
  if (*line) put_text(markdown, line);
}

static void put_line(Markdown *markdown, bool *fenced) {
  const char *raw = markdown->line, *line = raw + strspn(raw, " \t");
  bool fence = begins(line, "```"), text = markdown->block == BLOCK_TEXT;
  if (fence || *fenced) {
    if (!fence) put_code_line(markdown, raw);
    if (fence) open_block(markdown, *fenced ? BLOCK_NONE : BLOCK_CODE);
    *fenced ^= fence;
  } else if (is_comment(markdown, line)) {
    return;
  } else if (!*line) {
    open_block(markdown, BLOCK_NONE);
  } else if (*line == '|') {
    put_table_line(markdown, line);
  } else if (*line == '#') {
    put_heading(markdown, line);
  } else if (begins(line, "- ") || begins(line, "* ")) {
    put_item(markdown, line);
  } else if (begins(raw, "    ") && !text && markdown->block != BLOCK_LIST) {
    put_code_line(markdown, raw + 4);
  } else if (begins(line, "![")) {
    put_images(markdown, line);
  } else {
    put_text(markdown, line);
  }
}

void report_markdown(Html *html, const char *text, const char *directory, double *budget) {
  Markdown markdown = {.html = html, .directory = directory, .budget = budget, .next = text};
  bool fenced = false;
  while (*markdown.next) {
    markdown.next = copy_line(markdown.next, markdown.line);
    put_line(&markdown, &fenced);
  }
  open_block(&markdown, BLOCK_NONE);
}

/* ---- Comma-separated values ---- */

/* One cell; returns what follows it, its comma or line end included. *last: it ends its row. */
static const char *csv_cell(const char *at, char cell[LONGEST], bool *last) {
  size_t n = 0;
  bool quoted = *at == '"';
  at += quoted;
  for (; *at; at++) {
    if (quoted && *at == '"' && at[1] == '"') {
      at++;
    } else if (quoted && *at == '"') {
      quoted = false;
      continue;
    } else if (!quoted && (*at == ',' || *at == '\n')) {
      break;
    }
    if (n + 1 < LONGEST && (quoted || *at != '\r')) cell[n++] = *at;
  }
  cell[n] = '\0';
  *last = *at != ',';
  return *at ? at + 1 : at;
}

void report_csv(Html *html, const char *text) {
  char cell[LONGEST];
  bool last = false;
  const char *element = "th";
  html_put(html, "<div class=\"wide\"><table><thead>");
  for (const char *at = text; *at; element = "td") {
    html_put(html, "<tr>");
    for (last = false; !last;) {
      at = csv_cell(at, cell, &last);
      html_put(html, "<%s%s>", element, is_figure(cell) ? " class=\"n\"" : "");
      html_text(html, cell);
      html_put(html, "</%s>", element);
    }
    html_put(html, *element == 't' && element[1] == 'h' ? "</tr></thead><tbody>\n" : "</tr>\n");
  }
  if (!strcmp(element, "th")) html_put(html, "</thead><tbody>");
  html_put(html, "</tbody></table></div>\n");
}
