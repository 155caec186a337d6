/* Configuration: one option table (config.def), YAML files, key=value overrides. Resolution, later
 * wins: the table's default, the file's top level, the file's scales.SCALE block, its
 * variants.VARIANT block, the overrides. Which keys exist for a run: the shared ones and those
 * under the experiment's own name. */
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
  const char *initial; /* default as text */
  double lower, upper; /* range of numbers, both included */
  const char *choices; /* OPTION_CHOICE: "a|b|c", for help and check */
  bool identity;       /* part of what the run computes: must be equal to resume it */
  const char *help;    /* one line, with unit or range where there is one */
} Option;

/* Local. The table. */
const Option *config_options(int *count);

typedef struct Config Config;

/* Local. Reads and checks a file and overrides ("key=value"). Errors (STATUS_USAGE; STATUS_FAILED
 * if the file cannot be read) are one line: file, line and column, what is wrong, what is allowed
 * or a close key ("did you mean"). Keys `scale` and `variant` choose the blocks; relative
 * `data.file`-like paths are left as they are. Owned by the caller. */
Status config_load(const char *path, int n_overrides, const char *const *overrides,
                   Config **config);

/* The same from text in memory; `name` is used in messages. */
Status config_parse(const char *name, const char *text, size_t length, int n_overrides,
                    const char *const *overrides, Config **config);
void config_destroy(Config *config);

/* Local. Values by key; the key must be in the table with that type (assert). Text is owned by the
 * config. */
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
 */
int config_count(const Config *config);
void config_item(const Config *config, int i, const char **key, const char **text, bool *identity);

/* Local. Names of the scales / variants the file declares, i-th or NULL. */
const char *config_scale(const Config *config, int i);
const char *config_variant(const Config *config, int i);

/* Local. The run's identity: hash of experiment and all identity options' canonical text. */
uint64_t config_hash(const Config *config);

#endif
