/* The option table, what it says to people, and which keys exist. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/activation.h"
#include "core/encoding.h"
#include "core/network.h"
#include "core/optimizer.h"
#include "io/config_parts.h"

/* Choices that are tables of core: a row added there is a word accepted here. */
static const char *activation_word(int i) {
  int count;
  const Activation *table = activation_table(&count);
  return i < count ? table[i].name : NULL;
}

static const char *encoding_word(int i) {
  int count;
  const Encoding *table = encoding_table(&count);
  return i < count ? table[i].name : NULL;
}

static const char *weight_init_word(int i) {
  return network_weight_inits[i];
}

static const char *bias_init_word(int i) {
  return network_bias_inits[i];
}

static const char *optimizer_word(int i) {
  return optimizer_names()[i];
}

static const char *schedule_word(int i) {
  return schedule_names[i];
}

/* What a kind sets: identity, cost. */
#define IDENTITY true, true
#define VALUE true, false
#define SHOW false, true
#define FREE false, false
#define ONE_OF(...) ((const char *const[]){__VA_ARGS__, NULL})
#define INTEGER(k, d, l, u, kind, h) {k, OPTION_INT, d, l, u, NULL, NULL, NULL, kind, h},
#define INTEGER_OR(w, k, l, u, kind, h) {k, OPTION_INT, w, l, u, w, NULL, NULL, kind, h},
#define NUMBER(k, d, l, u, kind, h) {k, OPTION_REAL, d, l, u, NULL, NULL, NULL, kind, h},
#define FLAG(k, d, kind, h) {k, OPTION_BOOL, d, 0, 0, NULL, NULL, NULL, kind, h},
#define TEXT(k, d, kind, h) {k, OPTION_TEXT, d, 0, 0, NULL, NULL, NULL, kind, h},
#define CHOICE(k, d, list, kind, h) {k, OPTION_CHOICE, d, 0, 0, NULL, list, NULL, kind, h},
#define CHOICE_FROM(k, d, of, kind, h) {k, OPTION_CHOICE, d, 0, 0, NULL, NULL, of, kind, h},
static const Option options[] = {
#include "io/config.def"
};
enum { N_OPTIONS = sizeof options / sizeof *options };

static const char *const shared_sections[] = {"network", "train", "data", "eval", NULL};

const Option *config_options(int *count) {
  *count = N_OPTIONS;
  return options;
}

const char *config_choice(const Option *option, int i) {
  return option->word_of ? option->word_of(i) : option->words[i];
}

static size_t section_length(const char *key) {
  const char *dot = strchr(key, '.');
  return dot ? (size_t)(dot - key) : 0;
}

static bool same_word(const char *word, const char *text, size_t length) {
  return strlen(word) == length && !memcmp(word, text, length);
}

bool config_option_applies(const Option *option, const char *experiment) {
  size_t length = section_length(option->key);
  bool applies = length == 0 || (experiment && same_word(experiment, option->key, length));
  for (int i = 0; shared_sections[i]; i++) {
    applies = applies || same_word(shared_sections[i], option->key, length);
  }
  return applies;
}

const Option *config_option_find(const char *experiment, const char *key) {
  for (int i = 0; i < N_OPTIONS; i++) {
    if (!strcmp(options[i].key, key) && config_option_applies(&options[i], experiment)) {
      return &options[i];
    }
  }
  return NULL;
}

static bool is_below(const Option *option, const char *section) {
  size_t length = strlen(section);
  return !strncmp(option->key, section, length) && option->key[length] == '.';
}

bool config_is_section(const char *experiment, const char *key) {
  for (int i = 0; i < N_OPTIONS; i++) {
    if (is_below(&options[i], key) && config_option_applies(&options[i], experiment)) return true;
  }
  return !strcmp(key, "scales") || !strcmp(key, "variants");
}

/* The one valid key that ends like this one: `width` or `net.width` mean network.width. */
static const char *same_leaf(const char *experiment, const char *key) {
  const char *dot = strrchr(key, '.');
  const char *leaf = dot ? dot + 1 : key, *found = NULL;
  for (int i = 0; i < N_OPTIONS; i++) {
    const char *end = strrchr(options[i].key, '.');
    if (!end || strcmp(end + 1, leaf) || !config_option_applies(&options[i], experiment)) continue;
    if (found) return NULL;
    found = options[i].key;
  }
  return found;
}

static const char *close_key(const char *experiment, const char *key) {
  const char *words[N_OPTIONS + 8] = {experiment, "scales", "variants"};
  int n = 3;
  for (int i = 0; shared_sections[i]; i++) words[n++] = shared_sections[i];
  for (int i = 0; i < N_OPTIONS; i++) {
    if (config_option_applies(&options[i], experiment)) words[n++] = options[i].key;
  }
  /* the experiment's name is a key only where it has options of its own */
  const char *const *list = words + (config_is_section(experiment, experiment) ? 0 : 1);
  const char *close = config_suggest(key, list);
  return close ? close : same_leaf(experiment, key);
}

/* What may stand where an unknown key stood: the keys of its section, or the top level's. */
static void list_keys(const char *experiment, const char *section, size_t size, char *text) {
  size_t used = 0, skip = *section ? strlen(section) + 1 : 0;
  text[0] = '\0';
  for (int i = 0; i < N_OPTIONS && used < size; i++) {
    bool here = *section ? is_below(&options[i], section) : !strchr(options[i].key, '.');
    if (!here || !config_option_applies(&options[i], experiment)) continue;
    used +=
        (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", options[i].key + skip);
  }
  for (int i = 0; !*section && shared_sections[i] && used < size; i++) {
    used += (size_t)snprintf(text + used, size - used, ", %s", shared_sections[i]);
  }
}

/* The option that has this key, or keys below it, for another experiment. */
static const Option *of_another(const char *key) {
  for (int i = 0; i < N_OPTIONS; i++) {
    if (!strcmp(options[i].key, key) || is_below(&options[i], key)) return &options[i];
  }
  return NULL;
}

Status config_unknown_key(const char *experiment, const char *key) {
  const Option *other = of_another(key);
  if (other) {
    return status_fail(STATUS_USAGE, "`%s` is for experiment `%.*s` only, and this is `%s`", key,
                       (int)section_length(other->key), other->key, experiment);
  }
  const char *close = close_key(experiment, key);
  if (close) {
    return status_fail(STATUS_USAGE, "unknown key `%s`; did you mean `%s`?", key, close);
  }
  char section[CONFIG_MAX_KEY], list[1024];
  snprintf(section, sizeof section, "%.*s", (int)section_length(key), key);
  if (!config_is_section(experiment, section)) section[0] = '\0';
  list_keys(experiment, section, sizeof list, list);
  return status_fail(STATUS_USAGE, "unknown key `%s`; %s%s has %s", key,
                     *section ? "section " : "the top level", section, list);
}

static void help_type(FILE *out, const Option *option) {
  static const char *const names[] = {
      [OPTION_INT] = "whole number", [OPTION_REAL] = "number",    [OPTION_BOOL] = "true or false",
      [OPTION_TEXT] = "text",        [OPTION_CHOICE] = "one of ",
  };
  fputs(names[option->type], out);
  if (option->type == OPTION_INT || option->type == OPTION_REAL) {
    char lower[40], upper[40];
    fprintf(out, " from %s to %s", config_number(lower, option->lower),
            config_number(upper, option->upper));
  }
  if (option->word) fprintf(out, ", or %s", option->word);
  for (int i = 0; option->type == OPTION_CHOICE && config_choice(option, i); i++) {
    fprintf(out, "%s%s", i ? ", " : "", config_choice(option, i));
  }
}

static void help_option(FILE *out, const Option *option) {
  fprintf(out, "  %s = %s\n      %s", option->key, *option->initial ? option->initial : "\"\"",
          option->help);
  fputs("\n      ", out);
  help_type(out, option);
  fputs(option->identity ? "\n" : "; may change on resuming\n", out);
}

char *config_help(const char *experiment) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (!out) return NULL;
  fputs("Keys and their defaults:\n", out);
  for (int i = 0; i < N_OPTIONS; i++) {
    const char *key = options[i].key;
    if (!config_option_applies(&options[i], experiment)) continue;
    size_t section = section_length(key);
    bool same = i > 0 && section_length(options[i - 1].key) == section &&
                !strncmp(options[i - 1].key, key, section);
    if (section && !same) fprintf(out, "\n%.*s\n", (int)section, key);
    help_option(out, &options[i]);
  }
  bool failed = ferror(out);
  if (fclose(out) || failed) {
    free(text);
    return NULL;
  }
  return text;
}
