/* Values: text of a file or of the command line, checked and made canonical. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "io/config_parts.h"

enum { MAX_NUMERAL = 64 };

Status config_copy(const char *text, size_t length, char **copy) {
  char *made = NULL;
  TRY(memory_allocate(&made, length + 1, 1, "configuration"));
  memcpy(made, text, length);
  *copy = made;
  return STATUS_OK;
}

bool config_is_key(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (!isalnum((unsigned char)text[i]) && (!text[i] || !strchr("_-.", text[i]))) return false;
  }
  return length > 0;
}

const char *config_excerpt(char buffer[CONFIG_EXCERPT], const char *text, size_t length) {
  static const char more[] = "...";
  const size_t most = CONFIG_EXCERPT - sizeof more;
  size_t n = length <= most ? length : most;
  /* never cut a character of several bytes */
  while (n < length && n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) n--;
  for (size_t i = 0; i < n; i++) buffer[i] = iscntrl((unsigned char)text[i]) ? '?' : text[i];
  snprintf(buffer + n, CONFIG_EXCERPT - n, "%s", n < length ? more : "");
  return buffer;
}

/* "1e-08" -> "1e-8", "1e+09" -> "1e9" */
static void short_exponent(char *text) {
  char *from = strchr(text, 'e');
  if (!from) return;
  char *to = ++from;
  if (*from == '-') to++;
  from += strspn(from, "+-");
  from += strspn(from, "0");
  memmove(to, from, strlen(from) + 1);
}

const char *config_number(char buffer[40], double value) {
  value += 0.0; /* -0 is 0 */
  int digits = 1;
  do {
    snprintf(buffer, 40, "%.*g", digits, value);
  } while (strtod(buffer, NULL) != value && digits++ < 17);
  /* below 1e7 whole numbers are written out: 30, not 3e1 */
  double size = fabs(value);
  if (size >= 1 && size < 1e7) {
    int whole = snprintf(NULL, 0, "%.0f", floor(size));
    snprintf(buffer, 40, "%.*g", digits > whole ? digits : whole, value);
  }
  short_exponent(buffer);
  return buffer;
}

/* A decimal numeral: digits times 10^exponent. */
typedef struct {
  bool negative;
  int n;
  char digits[MAX_NUMERAL];
  long exponent;
} Decimal;

static const char *take_digits(const char *text, Decimal *decimal) {
  while (isdigit((unsigned char)*text)) decimal->digits[decimal->n++] = *text++;
  return text;
}

/* [+-] digits [. digits] [e [+-] digits], at least one digit before the e. No hexadecimal, no NaN,
 * no infinity, which strtod alone would take. */
static bool read_decimal(const char *text, Decimal *decimal) {
  *decimal = (Decimal){.negative = *text == '-'};
  if (*text == '-' || *text == '+') text++;
  text = take_digits(text, decimal);
  if (*text == '.') {
    const char *fraction = text + 1;
    text = take_digits(fraction, decimal);
    decimal->exponent = -(long)(text - fraction);
  }
  if (decimal->n == 0) return false;
  if (*text == 'e' || *text == 'E') {
    const char *digits = text + 1 + (text[1] == '-' || text[1] == '+');
    if (!isdigit((unsigned char)*digits)) return false;
    long exponent = strtol(text + 1, NULL, 10);
    if (exponent > 9999) exponent = 9999;
    if (exponent < -9999) exponent = -9999;
    decimal->exponent += exponent;
    text = digits + strspn(digits, "0123456789");
  }
  return *text == '\0';
}

/* Exact: 1e5 and 2.50e1 are whole, 2.5 and 0.99999999999999999999 are not. Saturates above 2^53. */
static bool whole_number(Decimal *decimal, int64_t *value) {
  const int64_t most = INT64_C(1) << 53;
  while (decimal->exponent < 0 && decimal->n > 0 && decimal->digits[decimal->n - 1] == '0') {
    decimal->n--;
    decimal->exponent++;
  }
  if (decimal->exponent < 0 && decimal->n > 0) return false;
  int64_t size = 0;
  for (int i = 0; i < decimal->n && size <= most; i++) size = 10 * size + decimal->digits[i] - '0';
  for (long i = 0; i < decimal->exponent && size <= most; i++) size *= 10;
  if (size > most) size = 2 * most; /* most + 1 is no double and would round down */
  *value = decimal->negative ? -size : size;
  return true;
}

static Status wrong(const Option *option, const char *text, const char *what) {
  char excerpt[CONFIG_EXCERPT];
  config_excerpt(excerpt, text, strlen(text));
  return status_fail(STATUS_USAGE, "%s: `%s` %s", option->key, excerpt, what);
}

static Status out_of_range(const Option *option, const char *text) {
  char lower[40], upper[40], excerpt[CONFIG_EXCERPT];
  return status_fail(STATUS_USAGE, "%s: %s is out of range [%s, %s]", option->key,
                     config_excerpt(excerpt, text, strlen(text)),
                     config_number(lower, option->lower), config_number(upper, option->upper));
}

static Status int_value(const Option *option, const char *text, char **canonical) {
  if (option->word && !strcasecmp(text, option->word)) {
    return config_copy(option->word, strlen(option->word), canonical);
  }
  Decimal decimal;
  int64_t value;
  if (strlen(text) >= MAX_NUMERAL || !read_decimal(text, &decimal) ||
      !whole_number(&decimal, &value)) {
    return wrong(option, text, "is not a whole number");
  }
  if ((double)value < option->lower || (double)value > option->upper) {
    return out_of_range(option, text);
  }
  char buffer[40];
  snprintf(buffer, sizeof buffer, "%" PRId64, value);
  const char *made = option->word && (double)value == option->lower ? option->word : buffer;
  return config_copy(made, strlen(made), canonical);
}

static Status real_value(const Option *option, const char *text, char **canonical) {
  Decimal decimal;
  if (strlen(text) >= MAX_NUMERAL || !read_decimal(text, &decimal)) {
    return wrong(option, text, "is not a finite number");
  }
  double value = strtod(text, NULL); /* HUGE_VAL where it is too large: out of any range */
  if (value < option->lower || value > option->upper) return out_of_range(option, text);
  char buffer[40];
  config_number(buffer, value);
  return config_copy(buffer, strlen(buffer), canonical);
}

static Status bool_value(const Option *option, const char *text, char **canonical) {
  static const char *const words[2][3] = {{"false", "no", "off"}, {"true", "yes", "on"}};
  for (int i = 0; i < 6; i++) {
    const char *const *row = words[i / 3];
    if (!strcasecmp(text, row[i % 3])) return config_copy(row[0], strlen(row[0]), canonical);
  }
  return wrong(option, text, "is not true or false");
}

static Status text_value(const Option *option, const char *text, char **canonical) {
  for (const char *c = text; *c; c++) {
    if (iscntrl((unsigned char)*c)) {
      return wrong(option, text, "holds a line break or another control character");
    }
  }
  return config_copy(text, strlen(text), canonical);
}

static Status choice_value(const Option *option, const char *text, char **canonical) {
  const char *words[64] = {NULL};
  char list[512] = "", excerpt[CONFIG_EXCERPT];
  size_t used = 0;
  for (int i = 0; i < 63 && config_choice(option, i); i++) {
    words[i] = config_choice(option, i);
    if (!strcmp(words[i], text)) return config_copy(text, strlen(text), canonical);
    if (used >= sizeof list) continue;
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", words[i]);
  }
  config_excerpt(excerpt, text, strlen(text));
  const char *close = config_suggest(text, words);
  return status_fail(STATUS_USAGE, "%s: `%s` is not one of %s%s%s%s", option->key, excerpt, list,
                     close ? "; did you mean `" : "", close ? close : "", close ? "`?" : "");
}

Status config_value(const Option *option, const char *text, size_t length, char **canonical) {
  static Status (*const by_type[])(const Option *, const char *, char **) = {
      [OPTION_INT] = int_value,   [OPTION_REAL] = real_value,     [OPTION_BOOL] = bool_value,
      [OPTION_TEXT] = text_value, [OPTION_CHOICE] = choice_value,
  };
  char *copy = NULL;
  TRY(config_copy(text, length, &copy));
  Status status;
  if (strlen(copy) != length) {
    status = wrong(option, copy, "is followed by a NUL character");
  } else if (length == 0 && option->type != OPTION_TEXT) {
    status = status_fail(STATUS_USAGE, "%s: the value is missing", option->key);
  } else {
    status = by_type[option->type](option, copy, canonical);
  }
  free(copy);
  return status;
}
