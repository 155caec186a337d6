/* Trees of YAML: what they hold, where it stands, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/tree.h"

static Tree *parse(const char *text) {
  Tree *root = NULL;
  if (tree_parse("f.yaml", text, strlen(text), &root) != STATUS_OK) {
    fail_msg("%s", status_message());
  }
  return root;
}

static void refuse(const char *text, const char *reason) {
  Tree *root = NULL;
  assert_int_equal(tree_parse("f.yaml", text, strlen(text), &root), STATUS_USAGE);
  assert_null(root);
  if (!strstr(status_message(), reason)) fail_msg("%s, not %s", status_message(), reason);
}

static void test_kinds(void **state) {
  (void)state;
  Tree *root = parse("a: 1\nb: [x, \"y z\", ~]\nc:\n  d: {e: null}\n");
  assert_int_equal(root->kind, TREE_MAP);
  assert_int_equal(root->n, 3);
  assert_string_equal(tree_get(root, "a")->text, "1");
  const Tree *list = tree_get(root, "b");
  assert_int_equal(list->kind, TREE_LIST);
  assert_int_equal(list->n, 3);
  assert_string_equal(list->items[1].text, "y z");
  assert_string_equal(list->items[2].text, "");
  assert_null(list->items[0].key);
  assert_int_equal(list->items[1].line, 2);
  assert_int_equal(list->items[1].column, 8);
  assert_string_equal(tree_get(tree_get(tree_get(root, "c"), "d"), "e")->text, "");
  assert_null(tree_get(root, "d"));
  assert_null(tree_get(list, "x"));
  tree_destroy(root);
}

static void test_aliases_are_copies(void **state) {
  (void)state;
  Tree *root = parse("a: &x [1, 2]\nb: *x\n");
  assert_int_equal(tree_get(root, "b")->n, 2);
  assert_ptr_not_equal(tree_get(root, "a")->items, tree_get(root, "b")->items);
  tree_destroy(root);
}

static void test_refused(void **state) {
  (void)state;
  refuse("", "f.yaml: is empty");
  refuse("a: [1", "is not valid YAML");
  refuse("a: 1\na: 2\n", "f.yaml:2:1: `a` is given twice; the first is in line 1");
  refuse("\"a\\tb\": 1\n", "must be one line");
  refuse("[1, 2]: 3\n", "a key must be a word");
  refuse("a: 1\n---\nb: 2\n", "a second document");
  refuse("a: \xff\n", "is not a text file in UTF-8");
  refuse("a: \"x\\0y\"\n", "NUL");
  refuse("a: &x [*x]\n", "deeper than");
  refuse("a: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n", "deeper than");
  /* Ten of ten of ten ... */
  refuse(
      "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
      "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
      "e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
      "values");
}

static void test_long_text(void **state) {
  (void)state;
  size_t length = 300000;
  char *text = malloc(length);
  Tree *root = NULL;
  memset(text, 'a', length);
  assert_int_equal(tree_parse("f.yaml", text, length, &root), STATUS_USAGE);
  assert_non_null(strstr(status_message(), "300000 bytes"));
  free(text);
}

static void test_numbers(void **state) {
  (void)state;
  Tree *root = parse("a: 1.5e-3\nb: 12\nc: inf\nd: 3x\ne: [1]\nf: TRUE\ng: \"\"\n");
  double number = 0;
  int64_t whole = 0;
  bool flag = false;
  assert_int_equal(tree_number(tree_get(root, "a"), "a", &number), STATUS_OK);
  assert_true(number == 1.5e-3);
  assert_int_equal(tree_integer(tree_get(root, "b"), "b", 1, 12, &whole), STATUS_OK);
  assert_int_equal(whole, 12);
  assert_int_equal(tree_bool(tree_get(root, "f"), "f", &flag), STATUS_OK);
  assert_true(flag);
  assert_int_equal(tree_integer(tree_get(root, "b"), "b", 1, 11, &whole), STATUS_USAGE);
  assert_int_equal(tree_integer(tree_get(root, "a"), "a", 0, 11, &whole), STATUS_USAGE);
  assert_int_equal(tree_bool(tree_get(root, "b"), "b", &flag), STATUS_USAGE);
  const char *const bad[] = {"c", "d", "e", "g"};
  for (int i = 0; i < 4; i++) {
    assert_int_equal(tree_number(tree_get(root, bad[i]), "it", &number), STATUS_USAGE);
  }
  tree_destroy(root);
}

static void test_known_keys(void **state) {
  (void)state;
  static const char *const known[] = {"first", "second", NULL};
  Tree *root = parse("first: 1\nsecnod: 2\n");
  assert_int_equal(tree_check_keys(root, "it", known), STATUS_USAGE);
  assert_string_equal(status_message(),
                      "f.yaml:2:9: it: unknown key `secnod`; did you mean `second`?");
  assert_int_equal(tree_check_keys(&root->items[0], "it", known), STATUS_USAGE);
  assert_int_equal(tree_expect(root, TREE_LIST, "it"), STATUS_USAGE);
  tree_destroy(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kinds),   cmocka_unit_test(test_aliases_are_copies),
      cmocka_unit_test(test_refused), cmocka_unit_test(test_long_text),
      cmocka_unit_test(test_numbers), cmocka_unit_test(test_known_keys),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
