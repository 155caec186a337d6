/* Any bytes as a configuration: no crash, and either a configuration that reads back as itself or
 * one line that says why not. Input: a YAML text, and after a NUL byte one override. Runs for as
 * long as wanted under libFuzzer:
 *   clang -std=gnu17 -g -O1 -fopenmp -fsanitize=fuzzer,address,undefined -I. tests/fuzz_config.c
 *     io/config*.c io/file.c core/[a-z]*.c -lyaml -lxxhash -lopenblas -lm
 * and, bounded, inside test_fuzz_config.c. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                               \
  do {                                                                   \
    if (!(condition)) {                                                  \
      fprintf(stderr, "broken: %s\n%s\n", #condition, status_message()); \
      abort();                                                           \
    }                                                                    \
  } while (0)

static void require_one_line(Status status) {
  REQUIRE(status == STATUS_USAGE);
  const char *message = status_message();
  REQUIRE(strlen(message) > 10);
  for (const char *c = message; *c; c++) REQUIRE(!iscntrl((unsigned char)*c));
}

/* The canonical text of all options, as overrides of nothing, gives the same configuration. */
static void require_same_again(const Config *config) {
  enum { MAX_OPTIONS = 256 };
  char *overrides[MAX_OPTIONS];
  int n = config_count(config);
  REQUIRE(n <= MAX_OPTIONS);
  for (int i = 0; i < n; i++) {
    const char *key, *text;
    bool identity;
    config_item(config, i, &key, &text, &identity);
    size_t size = strlen(key) + strlen(text) + 2;
    REQUIRE((overrides[i] = malloc(size)));
    snprintf(overrides[i], size, "%s=%s", key, text);
  }
  Config *again = NULL;
  REQUIRE(config_parse("again", "{}", 2, n, (const char *const *)overrides, &again) == STATUS_OK);
  REQUIRE(config_hash(again) == config_hash(config));
  for (int i = 0; i < n; i++) {
    const char *key, *text;
    bool identity;
    config_item(again, i, &key, &text, &identity);
    REQUIRE(!strncmp(overrides[i], key, strlen(key)));
    REQUIRE(!strcmp(overrides[i] + strlen(key) + 1, text));
    free(overrides[i]);
  }
  config_destroy(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* a copy, so that reading past the end is seen, with the override as a string */
  char *copy = malloc(size + 1);
  REQUIRE(copy);
  if (size > 0) memcpy(copy, data, size);
  copy[size] = '\0';
  size_t length = strlen(copy);
  const char *override = length < size ? copy + length + 1 : NULL;
  char *text = malloc(length ? length : 1);
  REQUIRE(text);
  memcpy(text, copy, length);
  Config *config = NULL;
  Status status = config_parse("fuzz.yaml", text, length, override != NULL, &override, &config);
  if (status == STATUS_OK) {
    require_same_again(config);
  } else {
    REQUIRE(config == NULL);
    require_one_line(status);
  }
  config_destroy(config);
  free(text);
  free(copy);
  return 0;
}
