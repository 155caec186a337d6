/* YAML to a flat list of keys and values with their places, over libyaml's events: nothing is
 * built in memory that this list does not hold, and nesting ends where keys get too long. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "io/config_parts.h"

enum { MAX_DOCUMENT = 262144 /* bytes; a configuration has hundreds */ };

typedef struct {
  yaml_parser_t parser;
  yaml_event_t event; /* the current one */
  ConfigDocument *document;
} Reader;

static ConfigMark mark_of(yaml_mark_t mark) {
  return (ConfigMark){.line = mark.line + 1, .column = mark.column + 1};
}

/* STATUS_USAGE, "FILE:LINE:COLUMN: …". */
__attribute__((format(printf, 3, 4))) static Status fail_at(const Reader *reader, ConfigMark mark,
                                                            const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return status_fail(STATUS_USAGE, "%s:%zu:%zu: %s", reader->document->name, mark.line, mark.column,
                     text);
}

static Status syntax_error(const Reader *reader) {
  const yaml_parser_t *parser = &reader->parser;
  const char *problem = parser->problem ? parser->problem : "cannot be read";
  switch (parser->error) {
    case YAML_MEMORY_ERROR:
      return status_fail(STATUS_FAILED, "%s: out of memory", reader->document->name);
    case YAML_READER_ERROR: /* has no line: it happens ahead of the scanner */
      return status_fail(STATUS_USAGE, "%s: is not a text file in UTF-8: %s at byte %zu",
                         reader->document->name, problem, parser->problem_offset);
    default:
      return fail_at(reader, mark_of(parser->problem_mark), "is not valid YAML: %s%s%s", problem,
                     parser->context ? " " : "", parser->context ? parser->context : "");
  }
}

static Status next(Reader *reader) {
  yaml_event_delete(&reader->event);
  return yaml_parser_parse(&reader->parser, &reader->event) ? STATUS_OK : syntax_error(reader);
}

static bool is(const Reader *reader, yaml_event_type_t type) {
  return reader->event.type == type;
}

static ConfigMark here(const Reader *reader) {
  return mark_of(reader->event.start_mark);
}

/* A plain scalar that YAML reads as nothing: `key:`, `key: ~`, `key: null`. */
static bool is_null(const Reader *reader) {
  static const char *const words[] = {"", "~", "null", "Null", "NULL"};
  if (!is(reader, YAML_SCALAR_EVENT)) return false;
  if (reader->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (!strcmp((const char *)reader->event.data.scalar.value, words[i])) return true;
  }
  return false;
}

/* Whatever is no mapping and no scalar, or carries a tag. */
static Status refuse_exotic(const Reader *reader) {
  const yaml_event_t *event = &reader->event;
  if (event->type == YAML_ALIAS_EVENT) {
    return fail_at(reader, here(reader), "aliases (*name) are not supported; repeat the value");
  }
  if (event->type == YAML_SEQUENCE_START_EVENT) {
    return fail_at(reader, here(reader), "a list is not allowed here; a key has one value");
  }
  bool scalar = event->type == YAML_SCALAR_EVENT;
  if (scalar ? event->data.scalar.tag != NULL : event->data.mapping_start.tag != NULL) {
    return fail_at(reader, here(reader), "tags (!name) are not supported; write the value alone");
  }
  return STATUS_OK;
}

/* One more element at the end of a growing array; *capacity doubles. */
static Status grow(void *array, int n, int *capacity, size_t size) {
  if (n < *capacity) return STATUS_OK;
  int wanted = *capacity ? 2 * *capacity : 32;
  void *old, *grown;
  memcpy(&old, array, sizeof old);
  grown = realloc(old, (size_t)wanted * size);
  if (!grown) return status_fail(STATUS_FAILED, "out of memory: configuration");
  memcpy(array, &grown, sizeof grown);
  *capacity = wanted;
  return STATUS_OK;
}

/* The key of the current scalar below `path`, checked. */
static Status read_key(const Reader *reader, const char *path, char key[CONFIG_MAX_KEY]) {
  char excerpt[CONFIG_EXCERPT];
  if (!is(reader, YAML_SCALAR_EVENT)) {
    TRY(refuse_exotic(reader));
    return fail_at(reader, here(reader), "a key must be a word");
  }
  const char *word = (const char *)reader->event.data.scalar.value;
  size_t length = reader->event.data.scalar.length;
  config_excerpt(excerpt, word, length);
  TRY(refuse_exotic(reader));
  if (!config_is_key(word, length)) {
    return fail_at(reader, here(reader), "key `%s` must consist of letters, digits, _, - and .",
                   excerpt);
  }
  size_t prefix = strlen(path);
  if (prefix + (prefix > 0) + length >= CONFIG_MAX_KEY) {
    return fail_at(reader, here(reader), "key `%s` is too long or nested too deep", excerpt);
  }
  snprintf(key, CONFIG_MAX_KEY, "%s%s%s", path, prefix ? "." : "", word);
  return STATUS_OK;
}

static Status add_entry(const Reader *reader, const ConfigEntry *entry) {
  ConfigDocument *document = reader->document;
  for (int i = 0; i < document->n_entries; i++) {
    const ConfigEntry *other = &document->entries[i];
    if (other->block != entry->block || strcmp(other->key, entry->key)) continue;
    return fail_at(reader, entry->key_mark, "`%s` is given twice; the first is in line %zu",
                   entry->key, other->key_mark.line);
  }
  TRY(grow(&document->entries, document->n_entries, &document->entry_capacity, sizeof *entry));
  document->entries[document->n_entries++] = *entry;
  return STATUS_OK;
}

static Status add_block(const Reader *reader, const ConfigBlock *block) {
  ConfigDocument *document = reader->document;
  if (strchr(block->name, '.')) {
    return fail_at(reader, block->mark, "the name `%s` must not hold a dot", block->name);
  }
  for (int i = 0; i < document->n_blocks; i++) {
    const ConfigBlock *other = &document->blocks[i];
    if (other->variant != block->variant || strcmp(other->name, block->name)) continue;
    return fail_at(reader, block->mark, "%s `%s` is given twice; the first is in line %zu",
                   block->variant ? "variant" : "scale", block->name, other->mark.line);
  }
  TRY(grow(&document->blocks, document->n_blocks, &document->block_capacity, sizeof *block));
  document->blocks[document->n_blocks++] = *block;
  return STATUS_OK;
}

static Status read_mapping(Reader *reader, const char *path, int block);

/* Names and their blocks, below `scales` or `variants`; the current event is what follows the key.
 * A name with nothing below it is an empty block. */
static Status read_blocks(Reader *reader, bool variant) {
  const char *kind = variant ? "variants" : "scales";
  if (is_null(reader)) return STATUS_OK;
  TRY(refuse_exotic(reader));
  if (!is(reader, YAML_MAPPING_START_EVENT)) {
    return fail_at(reader, here(reader), "%s: needs names with blocks of keys below it", kind);
  }
  for (;;) {
    TRY(next(reader));
    if (is(reader, YAML_MAPPING_END_EVENT)) return STATUS_OK;
    ConfigBlock block = {.variant = variant, .mark = here(reader)};
    TRY(read_key(reader, "", block.name));
    TRY(add_block(reader, &block));
    TRY(next(reader));
    if (is_null(reader)) continue;
    TRY(refuse_exotic(reader));
    if (!is(reader, YAML_MAPPING_START_EVENT)) {
      return fail_at(reader, here(reader), "%s.%s: needs a block of keys", kind, block.name);
    }
    TRY(read_mapping(reader, "", reader->document->n_blocks));
  }
}

/* A key's value: the current event is the one after the key. */
static Status read_entry(Reader *reader, ConfigEntry *entry) {
  entry->value_mark = here(reader);
  TRY(refuse_exotic(reader));
  if (is(reader, YAML_MAPPING_START_EVENT)) {
    TRY(add_entry(reader, entry));
    return read_mapping(reader, entry->key, entry->block);
  }
  entry->length = is_null(reader) ? 0 : reader->event.data.scalar.length;
  TRY(config_copy((const char *)reader->event.data.scalar.value, entry->length, &entry->value));
  Status status = add_entry(reader, entry);
  if (status != STATUS_OK) free(entry->value);
  return status;
}

/* From the event after a mapping's start to its end. */
static Status read_mapping(Reader *reader, const char *path, int block) {
  for (;;) {
    TRY(next(reader));
    if (is(reader, YAML_MAPPING_END_EVENT)) return STATUS_OK;
    ConfigEntry entry = {.block = block, .key_mark = here(reader)};
    TRY(read_key(reader, path, entry.key));
    TRY(next(reader));
    bool variant = !strcmp(entry.key, "variants");
    if (block == 0 && (variant || !strcmp(entry.key, "scales"))) {
      TRY(add_entry(reader, &entry));
      TRY(read_blocks(reader, variant));
    } else {
      TRY(read_entry(reader, &entry));
    }
  }
}

static Status read_stream(Reader *reader) {
  const char *name = reader->document->name;
  TRY(next(reader)); /* start of the stream */
  TRY(next(reader)); /* start of a document */
  if (is(reader, YAML_STREAM_END_EVENT)) {
    return status_fail(STATUS_USAGE, "%s: is empty; it needs at least `experiment: NAME`", name);
  }
  TRY(next(reader));
  TRY(refuse_exotic(reader));
  if (!is(reader, YAML_MAPPING_START_EVENT)) {
    return fail_at(reader, here(reader), "the file must hold keys and values, `key: value`");
  }
  TRY(read_mapping(reader, "", 0));
  TRY(next(reader)); /* end of the document */
  TRY(next(reader));
  if (is(reader, YAML_STREAM_END_EVENT)) return STATUS_OK;
  return fail_at(reader, here(reader), "a second document starts here; a file holds only one");
}

Status config_document_read(const char *text, size_t length, ConfigDocument *document) {
  if (length > MAX_DOCUMENT) {
    return status_fail(STATUS_USAGE, "%s: has %zu bytes, which is no configuration (at most %d)",
                       document->name, length, MAX_DOCUMENT);
  }
  Reader reader = {.document = document};
  if (!yaml_parser_initialize(&reader.parser)) {
    return status_fail(STATUS_FAILED, "%s: out of memory", document->name);
  }
  yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
  Status status = read_stream(&reader);
  yaml_event_delete(&reader.event);
  yaml_parser_delete(&reader.parser);
  return status;
}

void config_document_destroy(ConfigDocument *document) {
  for (int i = 0; i < document->n_entries; i++) free(document->entries[i].value);
  free(document->entries);
  free(document->blocks);
}
