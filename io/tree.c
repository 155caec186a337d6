/* Over libyaml's documents, which resolve aliases; what may be shared there is copied here, up to a
 * limit, so that the tree is one. */
#include "io/tree.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "core/memory.h"
#include "io/config_parts.h"

enum { MAX_BYTES = 1 << 18, MAX_DEPTH = 16, MAX_VALUES = 100000 };

typedef struct {
  yaml_document_t *document;
  const char *file;
  int values;
} Reader;

/* ---- Messages ---- */

Status tree_fail(const Tree *at, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return status_fail(STATUS_USAGE, "%s:%zu:%zu: %s", at->file, at->line, at->column, text);
}

Status tree_prefix(const Tree *at, Status status) {
  return status_prefix(status, "%s:%zu:%zu", at->file, at->line, at->column);
}

static Status syntax_error(const yaml_parser_t *parser, const char *name) {
  const char *problem = parser->problem ? parser->problem : "cannot be read";
  if (parser->error == YAML_MEMORY_ERROR) {
    return status_fail(STATUS_FAILED, "%s: out of memory", name);
  }
  if (parser->error == YAML_READER_ERROR) {
    return status_fail(STATUS_USAGE, "%s: is not a text file in UTF-8: %s at byte %zu", name,
                       problem, parser->problem_offset);
  }
  return status_fail(STATUS_USAGE, "%s:%zu:%zu: is not valid YAML: %s%s%s", name,
                     parser->problem_mark.line + 1, parser->problem_mark.column + 1, problem,
                     parser->context ? " " : "", parser->context ? parser->context : "");
}

/* ---- From libyaml's document ---- */

static bool is_null(const yaml_node_t *node) {
  static const char *const words[] = {"", "~", "null", "Null", "NULL"};
  if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (!strcmp((const char *)node->data.scalar.value, words[i])) return true;
  }
  return false;
}

static Status convert(Reader *reader, int id, int depth, Tree *tree);

static Status convert_scalar(const yaml_node_t *node, Tree *tree) {
  const char *text = (const char *)node->data.scalar.value;
  size_t length = is_null(node) ? 0 : node->data.scalar.length;
  if (strlen(text) < length) return tree_fail(tree, "holds a NUL character");
  return config_copy(text, length, &tree->text);
}

static Status convert_list(Reader *reader, const yaml_node_t *node, int depth, Tree *tree) {
  const yaml_node_item_t *start = node->data.sequence.items.start;
  int n = (int)(node->data.sequence.items.top - start);
  TRY(memory_allocate(&tree->items, (size_t)n, sizeof *tree->items, "a list"));
  for (int i = 0; i < n; i++) {
    tree->n++; /* also of what fails there is something to release */
    TRY(convert(reader, start[i], depth, &tree->items[i]));
  }
  return STATUS_OK;
}

static Status convert_key(const Reader *reader, int id, Tree *parent, char **key) {
  const yaml_node_t *node = yaml_document_get_node(reader->document, id);
  Tree place = {.file = reader->file,
                .line = node->start_mark.line + 1,
                .column = node->start_mark.column + 1};
  if (node->type != YAML_SCALAR_NODE) return tree_fail(&place, "a key must be a word");
  const char *word = (const char *)node->data.scalar.value;
  size_t length = node->data.scalar.length;
  char excerpt[CONFIG_EXCERPT];
  config_excerpt(excerpt, word, length);
  bool printable = true;
  for (size_t i = 0; i < length; i++) printable = printable && (unsigned char)word[i] >= ' ';
  if (length > TREE_KEY || !printable) {
    return tree_fail(&place, "key `%s` must be one line of at most %d bytes", excerpt, TREE_KEY);
  }
  if (tree_get(parent, word)) {
    return tree_fail(&place, "`%s` is given twice; the first is in line %zu", excerpt,
                     tree_get(parent, word)->line);
  }
  return config_copy(word, length, key);
}

static Status convert_map(Reader *reader, const yaml_node_t *node, int depth, Tree *tree) {
  const yaml_node_pair_t *start = node->data.mapping.pairs.start;
  int n = (int)(node->data.mapping.pairs.top - start);
  TRY(memory_allocate(&tree->items, (size_t)n, sizeof *tree->items, "a mapping"));
  for (int i = 0; i < n; i++) {
    char *key = NULL;
    TRY(convert_key(reader, start[i].key, tree, &key));
    tree->items[tree->n++].key = key;
    TRY(convert(reader, start[i].value, depth, &tree->items[i]));
  }
  return STATUS_OK;
}

/* Fills a tree that is zero but for its key. What it holds after a failure can be destroyed. */
static Status convert(Reader *reader, int id, int depth, Tree *tree) {
  const yaml_node_t *node = yaml_document_get_node(reader->document, id);
  tree->file = reader->file;
  tree->line = node->start_mark.line + 1;
  tree->column = node->start_mark.column + 1;
  if (depth > MAX_DEPTH) return tree_fail(tree, "is nested deeper than %d levels", MAX_DEPTH);
  if (++reader->values > MAX_VALUES) return tree_fail(tree, "over %d values", MAX_VALUES);
  if (node->type == YAML_SCALAR_NODE) return convert_scalar(node, tree);
  bool list = node->type == YAML_SEQUENCE_NODE;
  tree->kind = list ? TREE_LIST : TREE_MAP;
  return list ? convert_list(reader, node, depth + 1, tree)
              : convert_map(reader, node, depth + 1, tree);
}

static void clear(Tree *tree) {
  for (int i = 0; i < tree->n; i++) clear(&tree->items[i]);
  free(tree->items);
  free(tree->text);
  free(tree->key);
}

void tree_destroy(Tree *root) {
  if (root) clear(root);
  free(root);
}

static Status read_document(yaml_parser_t *parser, const char *name, Tree *root) {
  yaml_document_t document;
  if (!yaml_parser_load(parser, &document)) return syntax_error(parser, name);
  Reader reader = {.document = &document, .file = name};
  Status status = status_fail(STATUS_USAGE, "%s: is empty", name);
  if (yaml_document_get_root_node(&document)) status = convert(&reader, 1, 0, root);
  yaml_document_delete(&document);
  TRY(status);
  if (!yaml_parser_load(parser, &document)) return syntax_error(parser, name);
  bool more = yaml_document_get_root_node(&document) != NULL;
  yaml_document_delete(&document);
  return more ? tree_fail(root, "a second document follows; a file holds only one") : STATUS_OK;
}

Status tree_parse(const char *name, const char *text, size_t length, Tree **root) {
  if (length > MAX_BYTES) {
    return status_fail(STATUS_USAGE, "%s: has %zu bytes, at most %d are read", name, length,
                       MAX_BYTES);
  }
  Tree *made;
  TRY(memory_allocate(&made, 1, sizeof *made, "a file's tree"));
  yaml_parser_t parser;
  Status status = STATUS_OK;
  if (!yaml_parser_initialize(&parser)) {
    status = status_fail(STATUS_FAILED, "%s: out of memory", name);
  } else {
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    status = read_document(&parser, name, made);
    yaml_parser_delete(&parser);
  }
  if (status == STATUS_OK) {
    *root = made;
  } else {
    tree_destroy(made);
  }
  return status;
}

/* ---- Reading it ---- */

const Tree *tree_get(const Tree *map, const char *key) {
  for (int i = 0; map->kind == TREE_MAP && i < map->n; i++) {
    if (!strcmp(map->items[i].key, key)) return &map->items[i];
  }
  return NULL;
}

Status tree_expect(const Tree *at, TreeKind kind, const char *what) {
  static const char *const names[] = {"one value", "a list, [a, b, ...]", "keys, {key: value}"};
  if (at->kind == kind) return STATUS_OK;
  return tree_fail(at, "%s: expected %s", what, names[kind]);
}

Status tree_check_keys(const Tree *map, const char *what, const char *const *known) {
  TRY(tree_expect(map, TREE_MAP, what));
  for (int i = 0; i < map->n; i++) {
    const char *key = map->items[i].key;
    int k = 0;
    while (known[k] && strcmp(known[k], key) != 0) k++;
    if (known[k]) continue;
    const char *close = config_suggest(key, known);
    char excerpt[CONFIG_EXCERPT];
    config_excerpt(excerpt, key, strlen(key));
    return tree_fail(&map->items[i], "%s: unknown key `%s`%s%s%s", what, excerpt,
                     close ? "; did you mean `" : "", close ? close : "", close ? "`?" : "");
  }
  return STATUS_OK;
}

static Status not_a(const Tree *at, const char *what, const char *kind) {
  char excerpt[CONFIG_EXCERPT];
  config_excerpt(excerpt, at->text, strlen(at->text));
  return tree_fail(at, "%s: `%s` is not %s", what, excerpt, kind);
}

Status tree_number(const Tree *at, const char *what, double *value) {
  TRY(tree_expect(at, TREE_SCALAR, what));
  char *end;
  *value = strtod(at->text, &end);
  bool good = *at->text && !*end && isfinite(*value);
  return good ? STATUS_OK : not_a(at, what, "a finite number");
}

Status tree_integer(const Tree *at, const char *what, int64_t lower, int64_t upper,
                    int64_t *value) {
  double number;
  TRY(tree_number(at, what, &number));
  if (number != floor(number)) return not_a(at, what, "a whole number");
  if (number < (double)lower || number > (double)upper) {
    return tree_fail(at, "%s: %s is not from %lld to %lld", what, at->text, (long long)lower,
                     (long long)upper);
  }
  *value = (int64_t)number;
  return STATUS_OK;
}

Status tree_bool(const Tree *at, const char *what, bool *value) {
  TRY(tree_expect(at, TREE_SCALAR, what));
  *value = !strcasecmp(at->text, "true");
  bool good = *value || !strcasecmp(at->text, "false");
  return good ? STATUS_OK : not_a(at, what, "true or false");
}
