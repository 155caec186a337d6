/* The option table: its rows, the words it takes, help, and "did you mean". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/config.h"

/* The hash of a run of this experiment with one override; NULL: none. */
static uint64_t hash_by(uint64_t (*hash)(const Config *), const char *experiment,
                        const char *override) {
  char text[96];
  snprintf(text, sizeof text, "experiment: %s", experiment);
  Config *config = NULL;
  Status status = config_parse("f.yaml", text, strlen(text), override != NULL, &override, &config);
  if (status != STATUS_OK) fail_msg("%s", status_message());
  uint64_t made = hash(config);
  config_destroy(config);
  return made;
}

static uint64_t hash_of(const char *experiment, const char *override) {
  return hash_by(config_hash, experiment, override);
}

/* Every row: unique key, help, a default that reads back as itself. */
static void test_table(void **state) {
  (void)state;
  int count;
  const Option *options = config_options(&count);
  for (int i = 0; i < count; i++) {
    const Option *option = &options[i];
    for (int k = 0; k < i; k++) assert_string_not_equal(option->key, options[k].key);
    assert_true(strlen(option->help) > 5 && !strchr(option->help, '\n'));
    assert_true(strspn(option->key, "abcdefghijklmnopqrstuvwxyz0123456789_.") ==
                strlen(option->key));
    if (option->type == OPTION_INT || option->type == OPTION_REAL) {
      assert_true(option->lower < option->upper);
    }
    if (option->type == OPTION_CHOICE) assert_non_null(config_choice(option, 1));
    if (!strcmp(option->key, "experiment")) continue;
    char experiment[64], override[128];
    const char *dot = strchr(option->key, '.');
    snprintf(experiment, sizeof experiment, "%.*s", dot ? (int)(dot - option->key) : 1,
             dot ? option->key : "x");
    snprintf(override, sizeof override, "%s=%s", option->key, option->initial);
    assert_true(hash_of(experiment, override) == hash_of(experiment, NULL));
  }
}

/* What makes another run, and what makes one that takes another time. */
static void test_hashes(void **state) {
  (void)state;
  static const struct {
    const char *override;
    bool identity, cost;
  } cases[] = {
      {"seed=1", true, false},
      {"train.lr=0.5", true, false},
      {"train.steps=3", true, false},
      {"network.omega_first=10", true, false},
      {"network.width=7", true, true},
      {"network.activation=relu", true, true},
      {"data.file=x.png", true, true},
      {"eval.pictures=false", false, true},
      {"eval.size=7", false, true},
      {"output=x", false, false},
      {"threads=2", false, false},
      {"train.checkpoint_every=7", false, false},
      {"network.width=256", false, false} /* the default */,
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bool other = hash_of("image", cases[i].override) != hash_of("image", NULL);
    bool costs = hash_by(config_cost_hash, "image", cases[i].override) !=
                 hash_by(config_cost_hash, "image", NULL);
    if (other != cases[i].identity || costs != cases[i].cost) fail_msg("%s", cases[i].override);
  }
}

/* One value, without a file. */
static void test_check(void **state) {
  (void)state;
  char *canonical = NULL;
  assert_int_equal(config_check("image", "train.lr", "1e-3", &canonical), STATUS_OK);
  assert_string_equal(canonical, "0.001");
  free(canonical);
  assert_int_equal(config_check("image", "network.width", "0", &canonical), STATUS_USAGE);
  assert_int_equal(config_check("image", "network.widht", "1", &canonical), STATUS_USAGE);
  assert_non_null(strstr(status_message(), "network.width"));
  assert_int_equal(config_check("image", "sdf.fill", "1", &canonical), STATUS_USAGE);
  assert_int_equal(config_check("image", "train", "1", &canonical), STATUS_USAGE);
  assert_non_null(strstr(status_message(), "section"));
}

/* The words that the paper's experiments need. */
static void test_choices(void **state) {
  (void)state;
  const char *const words[] = {
      "network.activation=sine",    "network.activation=relu",      "network.activation=tanh",
      "network.activation=sigmoid", "network.activation=softplus",  "network.activation=elu",
      "network.activation=selu",    "network.activation=gaussian",  "network.activation=linear",
      "network.encoding=none",      "network.encoding=positional",  "network.encoding=rbf",
      "network.weight_init=paper",  "network.weight_init=official", "network.bias_init=torch",
      "network.bias_init=zero",     "network.bias_init=weight",     "train.optimizer=adam",
      "train.optimizer=lbfgs",      "train.schedule=constant",      "train.schedule=cosine",
      "train.schedule=warmup",      "train.schedule=warmup_cosine"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    hash_of("image", words[i]); /* fails if the word is refused */
  }
}

static void test_help(void **state) {
  (void)state;
  char *poisson = config_help("poisson"), *shared = config_help(NULL);
  assert_non_null(poisson);
  assert_non_null(shared);
  assert_non_null(strstr(poisson, "poisson.supervision = gradient"));
  assert_null(strstr(shared, "poisson.supervision"));
  assert_non_null(strstr(shared, "train.steps = 10000"));
  assert_non_null(strstr(shared, "whole number from 1 to 1e9"));
  assert_non_null(strstr(shared, "one of float, double"));
  int count;
  const Option *options = config_options(&count);
  for (int i = 0; i < count; i++) {
    if (strchr(options[i].key, '.')) continue;
    assert_non_null(strstr(shared, options[i].help));
  }
  free(poisson);
  free(shared);
}

static void test_suggest(void **state) {
  (void)state;
  const char *const words[] = {"run", "check", "eval", "plan", "sweep", "table", "report", NULL};
  const char *const rows[][2] = {
      {"chekc", "check"}, {"sweeep", "sweep"}, {"tabel", "table"}, {"RUN", "run"},
      {"rnu", "run"},     {"repot", "report"}, {"train", NULL},    {"", NULL},
      {"x", NULL},        {"evaluate", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *found = config_suggest(rows[i][0], words);
    if (rows[i][1]) {
      assert_non_null(found);
      assert_string_equal(found, rows[i][1]);
    } else {
      assert_null(found);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_table),   cmocka_unit_test(test_hashes), cmocka_unit_test(test_check),
      cmocka_unit_test(test_choices), cmocka_unit_test(test_help),   cmocka_unit_test(test_suggest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
