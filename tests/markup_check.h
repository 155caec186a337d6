/* Whether a page is well formed: what XML asks for, and what must not be on a page that stands
 * alone. */
#ifndef TESTS_MARKUP_CHECK_H
#define TESTS_MARKUP_CHECK_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MARKUP_DEPTH = 64, MARKUP_NAME = 32 };

typedef struct {
  const char *at;
  int depth;
  char open[MARKUP_DEPTH][MARKUP_NAME];
  char reason[200]; /* "": all is well */
} Markup;

static inline bool markup_fail(Markup *markup, const char *reason) {
  snprintf(markup->reason, sizeof markup->reason, "%s at: %.100s", reason, markup->at);
  return false;
}

/* At an &. */
static inline bool markup_entity(Markup *markup) {
  static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  for (int i = 0; i < 5; i++) {
    if (!strncmp(markup->at, known[i], strlen(known[i]))) return true;
  }
  return markup_fail(markup, "entity");
}

static inline bool markup_name(Markup *markup, char name[MARKUP_NAME]) {
  int n = 0;
  while (isalnum((unsigned char)*markup->at) || *markup->at == '-') {
    if (n < MARKUP_NAME - 1) name[n++] = *markup->at;
    markup->at++;
  }
  name[n] = '\0';
  return n > 0 || markup_fail(markup, "no name");
}

/* NAME="VALUE" without what could load or run anything. */
static inline bool markup_attribute(Markup *markup) {
  char name[MARKUP_NAME];
  if (!markup_name(markup, name)) return false;
  if (strncmp(markup->at, "=\"", 2) != 0) return markup_fail(markup, "attribute");
  markup->at += 2;
  if (!strncmp(name, "on", 2)) return markup_fail(markup, "a script");
  if (!strcmp(name, "src") && strncmp(markup->at, "data:image/png;base64,", 22) != 0) {
    return markup_fail(markup, "a source that is not inside");
  }
  if (!strcmp(name, "href") && *markup->at != '#' && strncmp(markup->at, "http", 4) != 0) {
    return markup_fail(markup, "a link");
  }
  for (; *markup->at != '"'; markup->at++) {
    if (!*markup->at || *markup->at == '<') return markup_fail(markup, "value");
    if (*markup->at == '&' && !markup_entity(markup)) return false;
  }
  markup->at++;
  return true;
}

static inline bool markup_tag(Markup *markup) {
  char name[MARKUP_NAME];
  bool ends = markup->at[1] == '/';
  markup->at += 1 + ends;
  if (!markup_name(markup, name)) return false;
  if (!strcmp(name, "script") || !strcmp(name, "iframe") || !strcmp(name, "link")) {
    return markup_fail(markup, "an element that has no place here");
  }
  if (ends) {
    if (markup->depth == 0 || strcmp(markup->open[--markup->depth], name) != 0) {
      return markup_fail(markup, "ends what is not open");
    }
    return *markup->at++ == '>' || markup_fail(markup, "end");
  }
  while (*markup->at == ' ' && markup->at[1] != '/') {
    markup->at++;
    if (!markup_attribute(markup)) return false;
  }
  if (!strncmp(markup->at, " />", 3)) {
    markup->at += 3;
    return true;
  }
  if (*markup->at++ != '>') return markup_fail(markup, "tag");
  if (markup->depth == MARKUP_DEPTH) return markup_fail(markup, "too deep");
  strcpy(markup->open[markup->depth++], name);
  return true;
}

static inline bool markup_step(Markup *markup) {
  unsigned char c = (unsigned char)*markup->at;
  bool c1 = c == 0xc2 && (unsigned char)markup->at[1] < 0xa0;
  if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f || c1) {
    return markup_fail(markup, "control character");
  }
  if (c == '<') return markup_tag(markup);
  if (c == '&' && !markup_entity(markup)) return false;
  if (markup->depth == 0 && c > ' ') return markup_fail(markup, "text outside");
  markup->at++;
  return true;
}

/* "" if the page is well formed. The reason lives in *markup. */
static inline const char *markup_check(Markup *markup, const char *page) {
  static const char begin[] = "<!DOCTYPE html>\n";
  *markup = (Markup){.at = page};
  if (strncmp(page, begin, strlen(begin)) != 0) markup_fail(markup, "no HTML");
  markup->at += strlen(begin);
  while (!*markup->reason && *markup->at && markup_step(markup)) continue;
  if (!*markup->reason && markup->depth > 0) markup_fail(markup, "something is left open");
  return markup->reason;
}

#endif
