/* Configuration: one option table (config.def), YAML files, key=value overrides. Resolution, later
 * wins: the table's default, the file's top level, the file's scales.SCALE block, its
 * variants.VARIANT block, the overrides. Which keys exist for a run: the shared ones and those
 * under the experiment's own name.
 *
 * A file is a mapping; nested mappings are dotted keys, `network: {width: 64}` is network.width.
 * Beside the options it may hold
 *   scales:   {paper: {...}, desk: {...}}    blocks of options, chosen by `scale`
 *   variants: {relu: {...}}                  blocks of options, chosen by `variant`; "" is none
 * A file that declares scales (variants) accepts only those; one that declares none accepts any
 * name, so that a run can be read back from its overrides alone. */
#ifndef IO_CONFIG_H
#define IO_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef enum { OPTION_INT, OPTION_REAL, OPTION_BOOL, OPTION_TEXT, OPTION_CHOICE } OptionType;

typedef struct {
  const char *key; /* dotted: "train.lr", "image.operator" */
  OptionType type;
  const char *initial;           /* default as canonical text */
  double lower, upper;           /* range of numbers, both included */
  const char *word;              /* OPTION_INT: what stands for `lower`, e.g. "all"; or NULL */
  const char *const *words;      /* OPTION_CHOICE: the allowed words, NULL after the last, */
  const char *(*word_of)(int i); /* or the i-th one from a table of core, NULL after the last */
  bool identity;                 /* part of what the run computes: must be equal to resume it */
  bool cost;        /* runs with other values take another time for a step or the end */
  const char *help; /* one line, with unit or range where there is one */
} Option;

/* Local. The table. */
const Option *config_options(int *count);

/* Local. The i-th allowed word of an OPTION_CHOICE, NULL after the last. */
const char *config_choice(const Option *option, int i);

/* Local. What `siren COMMAND --help` says about keys: those of this experiment by section, with
 * type, range or choices, default and help; NULL experiment: the shared keys. Owned by the caller
 * (free); NULL when out of memory. */
char *config_help(const char *experiment);

/* Local. The closest of a NULL-terminated list by Damerau-Levenshtein distance, case ignored, for
 * "did you mean"; NULL when none is close. */
const char *config_suggest(const char *word, const char *const *words);

/* Local. Whether runs of the experiment have the key and take this value; *canonical, its canonical
 * text, is owned by the caller (free). STATUS_USAGE: what is wrong and what is allowed, no place.
 */
Status config_check(const char *experiment, const char *key, const char *text, char **canonical);

typedef struct Config Config;

/* Local. Reads and checks a file and overrides ("key=value", the value verbatim). Errors
 * (STATUS_USAGE; STATUS_FAILED if the file cannot be read) are one line: file, line and column,
 * what is wrong, what is allowed or a close key ("did you mean"). Keys and values of all blocks are
 * checked, also of those not chosen. `experiment` must be given, but is not looked up. Relative
 * `data.file`-like paths are left as they are. *config is owned by the caller; untouched on
 * failure. */
Status config_load(const char *path, int n_overrides, const char *const *overrides,
                   Config **config);

/* The same from text in memory; `name` is used in messages. With the text "{}" everything comes
 * from the overrides. */
Status config_parse(const char *name, const char *text, size_t length, int n_overrides,
                    const char *const *overrides, Config **config);
void config_destroy(Config *config); /* NULL is allowed */

/* Local. "SECTION.NAME" in text, for code that several experiments' options serve. Returns it. */
enum { CONFIG_KEY = 64 };
const char *config_key(char text[CONFIG_KEY], const char *section, const char *name);

/* Local. Values by key; the key must exist for this run with that type (assert). Text is owned by
 * the config. */
int64_t config_int(const Config *config, const char *key);
double config_real(const Config *config, const char *key);
bool config_bool(const Config *config, const char *key);
const char *config_text(const Config *config, const char *key); /* OPTION_TEXT and OPTION_CHOICE */

/* Local. Where the value was set, for messages about it: "image.yaml:12:9", "command line" or
 * "default". */
const char *config_where(const Config *config, const char *key);

/* Local. STATUS_USAGE with "WHERE: KEY=VALUE: reason", for values only the experiment can judge. */
Status config_reject(const Config *config, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Local. The effective options of this run in table order, canonical text: i in [0, config_count).
 * "key=text" of all of them as overrides gives the same configuration again. */
int config_count(const Config *config);
void config_item(const Config *config, int i, const char **key, const char **text, bool *identity);

/* Local. Names of the scales / variants the file declares, i-th or NULL. */
const char *config_scale(const Config *config, int i);
const char *config_variant(const Config *config, int i);

/* Local. The run's identity: XXH3-64 of the lines "key=text\n" of all identity options (the
 * experiment among them; scale and variant are not, only what they set). */
uint64_t config_hash(const Config *config);

/* Local. The same of the options that decide what a step and the evaluation cost: runs with equal
 * hashes differ in their number of steps at most, as far as time and memory go. */
uint64_t config_cost_hash(const Config *config);

#endif
