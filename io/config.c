/* A run's configuration: layers of settings on top of each other. A setting is kept as canonical
 * text, which holds the value exactly; accessors read it. */
#include "io/config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_STATIC_LINKING_ONLY /* a state on the stack: nothing to allocate */
#include <xxhash.h>

#include "core/memory.h"
#include "io/config_parts.h"
#include "io/file.h"

typedef struct {
  const Option *option;
  char *text, *where; /* owned */
} Setting;

struct Config {
  int n_settings, n_blocks;
  Setting *settings;
  ConfigBlock *blocks;
};

typedef struct {
  int n;
  const char *const *list; /* "key=value" */
} Overrides;

static const char command_line[] = "command line";

/* ---- One setting ---- */

static Setting *find(const Config *config, const char *key) {
  for (int i = 0; i < config->n_settings; i++) {
    if (!strcmp(config->settings[i].option->key, key)) return &config->settings[i];
  }
  return NULL;
}

/* Takes both strings. */
static void replace(Setting *setting, char *text, char *where) {
  free(setting->text);
  free(setting->where);
  setting->text = text;
  setting->where = where;
}

static Status set(Setting *setting, const char *text, size_t length, const char *where) {
  char *canonical = NULL, *place = NULL;
  TRY(config_value(setting->option, text, length, &canonical));
  Status status = config_copy(where, strlen(where), &place);
  if (status != STATUS_OK) {
    free(canonical);
    return status;
  }
  replace(setting, canonical, place);
  return STATUS_OK;
}

static Status below_section(const char *key) {
  return status_fail(STATUS_USAGE, "`%s` is a section: its keys go below it, not a value", key);
}

/* The setting that `key` names, or an error that says why there is none. */
static Status look_up(const Config *config, const char *key, Setting **setting) {
  const char *experiment = config_text(config, "experiment");
  *setting = find(config, key);
  if (*setting) return STATUS_OK;
  return config_is_section(experiment, key) ? below_section(key)
                                            : config_unknown_key(experiment, key);
}

/* ---- The file ---- */

static const char *place(const ConfigDocument *document, ConfigMark mark, char buffer[512]) {
  snprintf(buffer, 512, "%.450s:%zu:%zu", document->name, mark.line, mark.column);
  return buffer;
}

/* Keys that belong to the file's top level or the command line. */
static bool is_global(const char *key) {
  static const char *const keys[] = {"experiment", "scale", "variant", "scales", "variants"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    if (!strcmp(key, keys[i])) return true;
  }
  return false;
}

static Status check_key(const Config *config, const ConfigEntry *entry) {
  const char *experiment = config_text(config, "experiment");
  Setting *setting;
  if (entry->block > 0 && is_global(entry->key)) {
    return status_fail(STATUS_USAGE, "`%s` cannot be set by a scale or a variant", entry->key);
  }
  if (entry->value) return look_up(config, entry->key, &setting);
  if (find(config, entry->key)) {
    return status_fail(STATUS_USAGE, "%s: needs a value, not keys below it", entry->key);
  }
  if (config_is_section(experiment, entry->key)) return STATUS_OK;
  return config_unknown_key(experiment, entry->key);
}

/* Every key and value of the file, chosen or not. */
static Status check_document(const Config *config, const ConfigDocument *document) {
  char where[512];
  for (int i = 0; i < document->n_entries; i++) {
    const ConfigEntry *entry = &document->entries[i];
    Status status = check_key(config, entry);
    if (status != STATUS_OK) {
      return status_prefix(status, "%s", place(document, entry->key_mark, where));
    }
    if (!entry->value) continue;
    char *canonical = NULL;
    const Option *option = find(config, entry->key)->option;
    status = config_value(option, entry->value, entry->length, &canonical);
    free(canonical);
    if (status != STATUS_OK) {
      return status_prefix(status, "%s", place(document, entry->value_mark, where));
    }
  }
  return STATUS_OK;
}

static Status apply_block(Config *config, const ConfigDocument *document, int block) {
  char where[512];
  for (int i = 0; i < document->n_entries; i++) {
    const ConfigEntry *entry = &document->entries[i];
    if (entry->block != block || !entry->value) continue;
    TRY(set(find(config, entry->key), entry->value, entry->length,
            place(document, entry->value_mark, where)));
  }
  return STATUS_OK;
}

/* ---- Overrides ---- */

static Status apply_override(Config *config, const char *override) {
  char key[CONFIG_MAX_KEY], excerpt[CONFIG_EXCERPT];
  const char *equals = strchr(override, '=');
  config_excerpt(excerpt, override, strlen(override));
  size_t length = equals ? (size_t)(equals - override) : 0;
  if (length >= sizeof key || !config_is_key(override, length)) {
    return status_fail(STATUS_USAGE, "`%s` is not of the form key=value", excerpt);
  }
  snprintf(key, sizeof key, "%.*s", (int)length, override);
  Setting *setting;
  TRY(look_up(config, key, &setting));
  return set(setting, equals + 1, strlen(equals + 1), command_line);
}

static Status apply_overrides(Config *config, Overrides overrides) {
  for (int i = 0; i < overrides.n; i++) {
    Status status = apply_override(config, overrides.list[i]);
    if (status != STATUS_OK) return status_prefix(status, command_line);
  }
  return STATUS_OK;
}

/* ---- Selection: experiment, scale, variant ---- */

/* The experiment decides which keys exist, so it is read before everything else. */
static Status read_experiment(const ConfigDocument *document, Overrides overrides,
                              Setting *experiment) {
  static const char key[] = "experiment", assignment[] = "experiment=";
  char where[512];
  for (int i = 0; i < document->n_entries; i++) {
    const ConfigEntry *entry = &document->entries[i];
    if (entry->block != 0 || !entry->value || strcmp(entry->key, key)) continue;
    place(document, entry->value_mark, where);
    Status status = set(experiment, entry->value, entry->length, where);
    if (status != STATUS_OK) return status_prefix(status, "%s", where);
  }
  for (int i = 0; i < overrides.n; i++) {
    if (strncmp(overrides.list[i], assignment, strlen(assignment))) continue;
    const char *value = overrides.list[i] + strlen(assignment);
    Status status = set(experiment, value, strlen(value), command_line);
    if (status != STATUS_OK) return status_prefix(status, command_line);
  }
  if (*experiment->text) return STATUS_OK;
  return status_fail(STATUS_USAGE, "%s: `experiment` is missing; write `experiment: NAME`",
                     document->name);
}

static const ConfigBlock *nth_block(const Config *config, bool variant, int i) {
  for (int k = 0; k < config->n_blocks; k++) {
    if (config->blocks[k].variant == variant && i-- == 0) return &config->blocks[k];
  }
  return NULL;
}

static Status undeclared(const Config *config, bool variant, const Setting *setting) {
  const char *words[64] = {NULL};
  char list[512] = "";
  size_t used = 0;
  for (int i = 0; i < 63 && nth_block(config, variant, i); i++) {
    words[i] = nth_block(config, variant, i)->name;
    if (used >= sizeof list) continue;
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", words[i]);
  }
  const char *close = config_suggest(setting->text, words);
  return config_reject(config, setting->option->key, "the file declares %s%s%s%s", list,
                       close ? "; did you mean `" : "", close ? close : "", close ? "`?" : "");
}

/* The chosen block's number in *block, 0 if there is none to apply. */
static Status select_block(const Config *config, bool variant, int *block) {
  const Setting *setting = find(config, variant ? "variant" : "scale");
  *block = 0;
  if (!nth_block(config, variant, 0) || (variant && !*setting->text)) return STATUS_OK;
  for (int i = 0; i < config->n_blocks; i++) {
    bool chosen = config->blocks[i].variant == variant;
    if (chosen && !strcmp(config->blocks[i].name, setting->text)) *block = i + 1;
  }
  return *block ? STATUS_OK : undeclared(config, variant, setting);
}

/* ---- A whole configuration ---- */

/* Settings at their defaults, for all options of the experiment. */
static Status create_settings(Config *config, const char *experiment) {
  int count;
  const Option *options = config_options(&count);
  TRY(memory_allocate(&config->settings, (size_t)count, sizeof *config->settings, "configuration"));
  for (int i = 0; i < count; i++) {
    if (!config_option_applies(&options[i], experiment)) continue;
    Setting *setting = &config->settings[config->n_settings++];
    setting->option = &options[i];
    TRY(set(setting, options[i].initial, strlen(options[i].initial), "default"));
  }
  return STATUS_OK;
}

static Status resolve(Config *config, const ConfigDocument *document, Overrides overrides) {
  TRY(check_document(config, document));
  TRY(apply_block(config, document, 0));
  TRY(apply_overrides(config, overrides)); /* for scale and variant; the rest is done again below */
  int scale, variant;
  TRY(select_block(config, false, &scale));
  TRY(select_block(config, true, &variant));
  if (scale) TRY(apply_block(config, document, scale));
  if (variant) TRY(apply_block(config, document, variant));
  return apply_overrides(config, overrides);
}

static Status build(ConfigDocument *document, Overrides overrides, Config *config) {
  Setting experiment = {.option = config_option_find(NULL, "experiment")};
  TRY(set(&experiment, "", 0, "default"));
  Status status = read_experiment(document, overrides, &experiment);
  if (status == STATUS_OK) status = create_settings(config, experiment.text);
  if (status == STATUS_OK) {
    replace(find(config, "experiment"), experiment.text, experiment.where);
    config->blocks = document->blocks;
    config->n_blocks = document->n_blocks;
    document->blocks = NULL;
    return resolve(config, document, overrides);
  }
  replace(&experiment, NULL, NULL);
  return status;
}

Status config_parse(const char *name, const char *text, size_t length, int n_overrides,
                    const char *const *overrides, Config **config) {
  Config *made = NULL;
  ConfigDocument document = {.name = name};
  TRY(memory_allocate(&made, 1, sizeof *made, "configuration"));
  Status status = config_document_read(text, length, &document);
  Overrides list = {.n = n_overrides, .list = overrides};
  if (status == STATUS_OK) status = build(&document, list, made);
  config_document_destroy(&document);
  if (status == STATUS_OK) {
    *config = made;
  } else {
    config_destroy(made);
  }
  return status;
}

Status config_load(const char *path, int n_overrides, const char *const *overrides,
                   Config **config) {
  unsigned char *data = NULL;
  size_t length;
  TRY(file_read(path, &data, &length));
  Status status = config_parse(path, (const char *)data, length, n_overrides, overrides, config);
  free(data);
  return status;
}

void config_destroy(Config *config) {
  if (!config) return;
  for (int i = 0; i < config->n_settings; i++) replace(&config->settings[i], NULL, NULL);
  free(config->settings);
  free(config->blocks);
  free(config);
}

/* ---- Values ---- */

static const Setting *get(const Config *config, const char *key, OptionType type, OptionType or) {
  const Setting *setting = find(config, key);
  assert(setting && "no such key for this experiment");
  assert((setting->option->type == type || setting->option->type == or) && "key of another type");
  return setting;
}

const char *config_key(char text[CONFIG_KEY], const char *section, const char *name) {
  snprintf(text, CONFIG_KEY, "%s.%s", section, name);
  return text;
}

int64_t config_int(const Config *config, const char *key) {
  const Setting *setting = get(config, key, OPTION_INT, OPTION_INT);
  const char *word = setting->option->word;
  if (word && !strcmp(setting->text, word)) return (int64_t)setting->option->lower;
  return strtoll(setting->text, NULL, 10);
}

double config_real(const Config *config, const char *key) {
  return strtod(get(config, key, OPTION_REAL, OPTION_REAL)->text, NULL);
}

bool config_bool(const Config *config, const char *key) {
  return !strcmp(get(config, key, OPTION_BOOL, OPTION_BOOL)->text, "true");
}

const char *config_text(const Config *config, const char *key) {
  return get(config, key, OPTION_TEXT, OPTION_CHOICE)->text;
}

const char *config_where(const Config *config, const char *key) {
  const Setting *setting = find(config, key);
  assert(setting && "no such key for this experiment");
  return setting->where;
}

Status config_reject(const Config *config, const char *key, const char *format, ...) {
  char reason[1024], excerpt[CONFIG_EXCERPT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  const Setting *setting = find(config, key);
  assert(setting && "no such key for this experiment");
  return status_fail(STATUS_USAGE, "%s: %s=%s: %s", setting->where, key,
                     config_excerpt(excerpt, setting->text, strlen(setting->text)), reason);
}

int config_count(const Config *config) {
  return config->n_settings;
}

void config_item(const Config *config, int i, const char **key, const char **text, bool *identity) {
  assert(i >= 0 && i < config->n_settings);
  *key = config->settings[i].option->key;
  *text = config->settings[i].text;
  *identity = config->settings[i].option->identity;
}

const char *config_scale(const Config *config, int i) {
  const ConfigBlock *block = nth_block(config, false, i);
  return block ? block->name : NULL;
}

const char *config_variant(const Config *config, int i) {
  const ConfigBlock *block = nth_block(config, true, i);
  return block ? block->name : NULL;
}

static uint64_t hash_of(const Config *config, bool (*counts)(const Option *)) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (int i = 0; i < config->n_settings; i++) {
    const Setting *setting = &config->settings[i];
    if (!counts(setting->option)) continue;
    XXH3_64bits_update(&state, setting->option->key, strlen(setting->option->key));
    XXH3_64bits_update(&state, "=", 1);
    XXH3_64bits_update(&state, setting->text, strlen(setting->text));
    XXH3_64bits_update(&state, "\n", 1);
  }
  return XXH3_64bits_digest(&state);
}

static bool is_identity(const Option *option) {
  return option->identity;
}

static bool is_cost(const Option *option) {
  return option->cost;
}

uint64_t config_hash(const Config *config) {
  return hash_of(config, is_identity);
}

uint64_t config_cost_hash(const Config *config) {
  return hash_of(config, is_cost);
}

Status config_check(const char *experiment, const char *key, const char *text, char **canonical) {
  const Option *option = config_option_find(experiment, key);
  if (option) return config_value(option, text, strlen(text), canonical);
  if (config_is_section(experiment, key)) return below_section(key);
  return config_unknown_key(experiment, key);
}
