/* A YAML file as a tree of mappings, lists and scalars, each with its place: for files that hold
 * more than a configuration (io/config.h) does. */
#ifndef IO_TREE_H
#define IO_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef enum { TREE_SCALAR, TREE_LIST, TREE_MAP } TreeKind;

enum { TREE_KEY = 255 };

typedef struct Tree Tree;
struct Tree {
  TreeKind kind;
  const char *file;    /* for messages; borrowed */
  size_t line, column; /* of the value, from 1 */
  char *key;           /* below a mapping: its key, no other's; else NULL */
  char *text;          /* scalar: as written, without quotes; "" for `key:`, `~` and `null` */
  int n;               /* below a mapping or list */
  Tree *items;
};

/* Local. Errors (STATUS_USAGE) name file, line and column. A key is one line of at most
 * TREE_KEY bytes (values may be keys, "" too) and stands once in its mapping; at most 2^18 bytes,
 * 16 levels and 10^5 values, those of aliases counted again. `name` is borrowed by the tree.
 * Release with tree_destroy. */
Status tree_parse(const char *name, const char *text, size_t length, Tree **root);
void tree_destroy(Tree *root); /* NULL is allowed */

/* Local. What a mapping has below this key, or NULL. */
const Tree *tree_get(const Tree *map, const char *key);

/* Local. STATUS_USAGE with "FILE:LINE:COLUMN: " before the message. */
Status tree_fail(const Tree *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Local. Puts "FILE:LINE:COLUMN: " before the last message. */
Status tree_prefix(const Tree *at, Status status);

/* Local. Fails unless it is of that kind; `what` it is for is in the message. */
Status tree_expect(const Tree *at, TreeKind kind, const char *what);

/* Local. Fails unless it is a mapping whose keys are all among `known` (NULL after the last). */
Status tree_check_keys(const Tree *map, const char *what, const char *const *known);

/* Local. A scalar as a finite number, a whole number, true or false. */
Status tree_number(const Tree *at, const char *what, double *value);
Status tree_integer(const Tree *at, const char *what, int64_t lower, int64_t upper, int64_t *value);
Status tree_bool(const Tree *at, const char *what, bool *value);

#endif
