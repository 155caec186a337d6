/* What the sources io/config*.c share among themselves: keys, values, the file as a flat list. */
#ifndef IO_CONFIG_PARTS_H
#define IO_CONFIG_PARTS_H

#include "io/config.h"

enum { CONFIG_MAX_KEY = 64 /* characters of a dotted key with its NUL */ };

/* ---- config_table.c: keys ---- */

/* Local. Whether the option exists for runs of this experiment (NULL: for all). */
bool config_option_applies(const Option *option, const char *experiment);

/* Local. The option of this key where it exists for this experiment, or NULL. */
const Option *config_option_find(const char *experiment, const char *key);

/* Local. Whether keys go below this one: "key.…" exists for this experiment, or key is `scales` or
 * `variants`. */
bool config_is_section(const char *experiment, const char *key);

/* Local. STATUS_USAGE with "unknown key `…`" and the best advice there is. */
Status config_unknown_key(const char *experiment, const char *key);

/* ---- config_value.c: values ---- */

/* Local. Whether text [length] is not empty and has only letters, digits, `_`, `-` and `.`. */
bool config_is_key(const char *text, size_t length);

enum { CONFIG_EXCERPT = 100 };

/* Local. Text for a message: one line, printable, shortened. Returns buffer. */
const char *config_excerpt(char buffer[CONFIG_EXCERPT], const char *text, size_t length);

/* Local. Shortest text that reads back as `value`, e.g. "256", "0.0001", "1e-8". Returns buffer. */
const char *config_number(char buffer[40], double value);

/* Local. Checks a value against its option and stores its canonical text (free). Fails with
 * STATUS_USAGE, "KEY: what is wrong". */
Status config_value(const Option *option, const char *text, size_t length, char **canonical);

/* Local. Copy of a string, NUL added (free). */
Status config_copy(const char *text, size_t length, char **copy);

/* ---- config_document.c: the file ---- */

typedef struct {
  size_t line, column; /* from 1 */
} ConfigMark;

typedef struct {
  int block;                /* 0: top level; else 1 + index in blocks */
  char key[CONFIG_MAX_KEY]; /* dotted path inside the block */
  char *value;              /* NULL: a mapping, whose keys follow */
  size_t length;
  ConfigMark key_mark, value_mark;
} ConfigEntry;

typedef struct {
  bool variant; /* of `variants`, otherwise of `scales` */
  char name[CONFIG_MAX_KEY];
  ConfigMark mark;
} ConfigBlock;

typedef struct {
  const char *name; /* of the file, for messages; borrowed */
  int n_entries, entry_capacity, n_blocks, block_capacity;
  ConfigEntry *entries;
  ConfigBlock *blocks;
} ConfigDocument;

/* Local. Reads YAML into a zeroed document with its name set. Refuses whatever is no tree of
 * mappings and scalars, and keys given twice; knows no options. Release with
 * config_document_destroy, also on failure. */
Status config_document_read(const char *text, size_t length, ConfigDocument *document);
void config_document_destroy(ConfigDocument *document);

#endif
