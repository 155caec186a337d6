/* Configuration: layers and their order, values, messages, identity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/config.h"

/* Parses text as "f.yaml" with overrides up to NULL. */
static Status parse(Config **config, const char *text, const char *const *overrides) {
  int n = 0;
  while (overrides && overrides[n]) n++;
  return config_parse("f.yaml", text, strlen(text), n, overrides, config);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static Config *good(const char *text, const char *const *overrides) {
  Config *config = NULL;
  if (parse(&config, text, overrides) != STATUS_OK) fail_msg("%s", status_message());
  assert_non_null(config);
  return config;
}

static uint64_t hash_of(const char *text, const char *const *overrides) {
  Config *config = good(text, overrides);
  uint64_t hash = config_hash(config);
  config_destroy(config);
  return hash;
}

static void test_defaults(void **state) {
  (void)state;
  Config *config = good("experiment: image", NULL);
  assert_string_equal(config_text(config, "experiment"), "image");
  assert_string_equal(config_text(config, "network.activation"), "sine");
  assert_int_equal(config_int(config, "network.width"), 256);
  assert_int_equal(config_int(config, "network.layers"), 3);
  assert_int_equal(config_int(config, "network.frequencies"), -1);
  assert_int_equal(config_int(config, "train.samples"), 0);
  assert_true(config_real(config, "network.omega_first") == 30);
  assert_true(config_real(config, "train.lr") == 1e-4);
  assert_true(config_real(config, "train.beta2") == 0.999);
  assert_true(config_real(config, "train.eps") == 1e-8);
  assert_true(config_real(config, "eval.lower") == -1);
  assert_true(config_bool(config, "eval.pictures"));
  assert_string_equal(config_text(config, "output"), "");
  assert_string_equal(config_where(config, "train.lr"), "default");
  assert_string_equal(config_where(config, "experiment"), "f.yaml:1:13");
  config_destroy(config);
}

/* train.steps is set by ever more layers; the last of them counts. */
static void test_precedence(void **state) {
  (void)state;
  static const char file[] =
      "experiment: image\n"
      "scale: desk\n"
      "train:\n"
      "  steps: 2\n"
      "  lr: 0.5\n"
      "network.width: 8\n"
      "scales:\n"
      "  paper:\n"
      "  desk: {train: {steps: 3}}\n"
      "  smoke: {train.steps: 4, network: {layers: 7}}\n"
      "variants:\n"
      "  relu: {network: {activation: relu}, train: {steps: 5}}\n"
      "  tanh: {network: {activation: tanh}}\n";
  const struct {
    const char *overrides[4];
    int64_t steps, layers;
    const char *activation, *where;
  } rows[] = {
      {{"scale=paper"}, 2, 3, "sine", "f.yaml:4:10"},
      {{NULL}, 3, 3, "sine", "f.yaml:9:25"},
      {{"scale=smoke"}, 4, 7, "sine", "f.yaml:10:24"},
      {{"variant=relu"}, 5, 3, "relu", "f.yaml:12:54"},
      {{"variant=tanh", "scale=smoke"}, 4, 7, "tanh", "f.yaml:10:24"},
      {{"train.steps=6", "variant=relu"}, 6, 3, "relu", "command line"},
      {{"train.steps=6", "train.steps=7", "variant=relu", "variant="},
       7,
       3,
       "sine",
       "command line"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *overrides[5] = {NULL};
    memcpy(overrides, rows[i].overrides, sizeof rows[i].overrides);
    Config *config = good(file, overrides);
    assert_int_equal(config_int(config, "train.steps"), rows[i].steps);
    assert_int_equal(config_int(config, "network.layers"), rows[i].layers);
    assert_string_equal(config_text(config, "network.activation"), rows[i].activation);
    assert_string_equal(config_where(config, "train.steps"), rows[i].where);
    assert_true(config_real(config, "train.lr") == 0.5);
    assert_int_equal(config_int(config, "network.width"), 8);
    assert_string_equal(config_scale(config, 0), "paper");
    assert_string_equal(config_scale(config, 2), "smoke");
    assert_null(config_scale(config, 3));
    assert_string_equal(config_variant(config, 1), "tanh");
    assert_null(config_variant(config, 2));
    config_destroy(config);
  }
  Config *config = good("experiment: image", LIST("train.steps=2"));
  assert_int_equal(config_int(config, "train.steps"), 2); /* over the default */
  config_destroy(config);
}

/* The canonical text of `text` given for a key. */
static void assert_canonical(const char *key, const char *text, const char *expected) {
  char override[256];
  snprintf(override, sizeof override, "%s=%s", key, text);
  Config *config = good("experiment: image", LIST(override));
  for (int i = 0; i < config_count(config); i++) {
    const char *name, *canonical;
    bool identity;
    config_item(config, i, &name, &canonical, &identity);
    if (!strcmp(name, key)) assert_string_equal(canonical, expected);
  }
  config_destroy(config);
}

static void test_canonical_text(void **state) {
  (void)state;
  const char *const rows[][3] = {
      {"train.steps", "1e5", "100000"},
      {"train.steps", "+2.50e1", "25"},
      {"train.steps", "0100", "100"},
      {"train.steps", "1000000000", "1000000000"},
      {"train.steps", "1000e-3", "1"},
      {"seed", "9007199254740992", "9007199254740992"},
      {"seed", "0e99", "0"},
      {"train.samples", "all", "all"},
      {"train.samples", "ALL", "all"},
      {"train.samples", "0", "all"},
      {"train.samples", "5", "5"},
      {"network.frequencies", "-1", "nyquist"},
      {"network.frequencies", "0", "0"},
      {"train.lr", "1E-4", "0.0001"},
      {"train.lr", "0.00002", "2e-5"},
      {"train.lr", ".1", "0.1"},
      {"train.lr", "-0", "0"},
      {"train.lr", "1e-400", "0"},
      {"train.lr", "0.1000000000000000055511151231257827", "0.1"},
      {"train.lr", "0.30000000000000004", "0.30000000000000004"},
      {"network.omega_first", "3000", "3000"},
      {"network.omega_first", "30.5", "30.5"},
      {"network.omega_first", "1e9", "1e9"},
      {"eval.lower", "-12.25", "-12.25"},
      {"data.crop", "yes", "true"},
      {"data.crop", "On", "true"},
      {"data.crop", "no", "false"},
      {"data.crop", "off", "false"},
      {"output", "a \"b\" 'c' #d: é", "a \"b\" 'c' #d: é"},
      {"data.file", "a=b", "a=b"},
      {"network.activation", "gaussian", "gaussian"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_canonical(rows[i][0], rows[i][1], rows[i][2]);
  }
}

static void test_yaml_forms(void **state) {
  (void)state;
  Config *config = good(
      "\xef\xbb\xbf# comment\nexperiment: \"image\"\neval:\n  pictures: 'no'\n"
      "data: {file: 'it''s', size: \"64\"}\ntrain:\n  optimizer: >-\n    adam\n"
      "init: ~\noutput:\nvariant: ''\nnetwork: {}\nscales:\n",
      NULL);
  assert_false(config_bool(config, "eval.pictures"));
  assert_string_equal(config_text(config, "data.file"), "it's");
  assert_int_equal(config_int(config, "data.size"), 64);
  assert_string_equal(config_text(config, "train.optimizer"), "adam");
  assert_string_equal(config_text(config, "init"), "");
  assert_string_equal(config_text(config, "output"), "");
  assert_null(config_scale(config, 0));
  config_destroy(config);
  /* a name is free where none is declared; everything may come from the overrides */
  config = good("{}", LIST("scale=desk", "variant=relu", "experiment=audio"));
  assert_string_equal(config_text(config, "scale"), "desk");
  assert_string_equal(config_where(config, "experiment"), "command line");
  config_destroy(config);
}

/* Every way to be wrong, and the message, word for word. */
static const char blocks[] = "experiment: image\nscales: {paper: {}, desk: {}}\nvariants: {relu: }";
static const struct {
  const char *text, *override, *message;
} mistakes[] = {
    /* keys */
    {"experiment: image\nnetwork: {widht: 3}", NULL,
     "f.yaml:2:11: unknown key `network.widht`; did you mean `network.width`?"},
    {"experiment: image\nnetwrok:\n  width: 3", NULL,
     "f.yaml:2:1: unknown key `netwrok`; did you mean `network`?"},
    {"experiment: image\nwidth: 3", NULL,
     "f.yaml:2:1: unknown key `width`; did you mean `network.width`?"},
    {"experiment: image\ndata.corp: 3", NULL,
     "f.yaml:2:1: unknown key `data.corp`; did you mean `data.crop`?"},
    {"experiment: audio\npoisson: {scale: 1}", NULL,
     "f.yaml:2:1: `poisson` is for experiment `poisson` only, and this is `audio`"},
    {"experiment: audio\ninpaint.share: 0.2", NULL,
     "f.yaml:2:1: `inpaint.share` is for experiment `inpaint` only, and this is `audio`"},
    {"experiment: image\ndata.quality: 3", NULL,
     "f.yaml:2:1: unknown key `data.quality`; section data has file, size, colour, crop, brick, "
     "resident, window"},
    {"experiment: image\nscales: {desk: {train: {stesp: 3}}}", NULL,
     "f.yaml:2:25: unknown key `train.stesp`; did you mean `train.steps`?"},
    {"experiment: image\nvariants: {a: {train.steps: 0}}", NULL,
     "f.yaml:2:29: train.steps: 0 is out of range [1, 1e9]"},
    {"experiment: image\nscales: {desk: {variant: a}}", NULL,
     "f.yaml:2:17: `variant` cannot be set by a scale or a variant"},
    {"experiment: image\nnetwork: 5", NULL,
     "f.yaml:2:1: `network` is a section: its keys go below it, not a value"},
    {"experiment: image\nseed: {a: 1}", NULL, "f.yaml:2:1: seed: needs a value, not keys below it"},
    {"experiment: image\ngröße: 1", NULL,
     "f.yaml:2:1: key `größe` must consist of letters, digits, _, - and ."},
    {"experiment: image\nnetwork: {width: 1}\nnetwork.width: 2", NULL,
     "f.yaml:3:1: `network.width` is given twice; the first is in line 2"},
    {"experiment: image\ntrain: {}\nseed: 1\ntrain: {}", NULL,
     "f.yaml:4:1: `train` is given twice; the first is in line 2"},
    {"experiment: image\nscales:\n  a: {}\n  a: {}", NULL,
     "f.yaml:4:3: scale `a` is given twice; the first is in line 3"},
    {"experiment: image\nvariants: {a.b: {}}", NULL,
     "f.yaml:2:12: the name `a.b` must not hold a dot"},
    {"experiment: image\nvariants: {a: 5}", NULL, "f.yaml:2:15: variants.a: needs a block of keys"},
    {"experiment: image\nscales: desk", NULL,
     "f.yaml:2:9: scales: needs names with blocks of keys below it"},
    {"experiment: image", "scales=desk",
     "command line: `scales` is a section: its keys go below it, not a value"},
    {"seed: 3", NULL, "f.yaml: `experiment` is missing; write `experiment: NAME`"},
    {"experiment:", NULL, "f.yaml: `experiment` is missing; write `experiment: NAME`"},
    /* values */
    {"experiment: image\ntrain:\n  steps: abc", NULL,
     "f.yaml:3:10: train.steps: `abc` is not a whole number"},
    {"experiment: image\ntrain: {steps: 2.5}", NULL,
     "f.yaml:2:16: train.steps: `2.5` is not a whole number"},
    {"experiment: image\ntrain: {steps: 10_000}", NULL,
     "f.yaml:2:16: train.steps: `10_000` is not a whole number"},
    {"experiment: image\ntrain: {steps: 0x10}", NULL,
     "f.yaml:2:16: train.steps: `0x10` is not a whole number"},
    {"experiment: image", "train.steps=0.99999999999999999999",
     "command line: train.steps: `0.99999999999999999999` is not a whole number"},
    {"experiment: image\ntrain.steps:", NULL, "f.yaml:2:13: train.steps: the value is missing"},
    {"experiment: image\ntrain: {steps: 0}", NULL,
     "f.yaml:2:16: train.steps: 0 is out of range [1, 1e9]"},
    {"experiment: image", "seed=9007199254740993",
     "command line: seed: 9007199254740993 is out of range [0, 9007199254740992]"},
    {"experiment: image", "train.steps=1e300",
     "command line: train.steps: 1e300 is out of range [1, 1e9]"},
    {"experiment: image\ntrain: {lr: fast}", NULL,
     "f.yaml:2:13: train.lr: `fast` is not a finite number"},
    {"experiment: image\ntrain: {lr: .nan}", NULL,
     "f.yaml:2:13: train.lr: `.nan` is not a finite number"},
    {"experiment: image", "train.lr=inf", "command line: train.lr: `inf` is not a finite number"},
    {"experiment: image", "train.lr=1e999",
     "command line: train.lr: 1e999 is out of range [0, 1000]"},
    {"experiment: image\ndata: {crop: maybe}", NULL,
     "f.yaml:2:14: data.crop: `maybe` is not true or false"},
    {"experiment: image\nprecision: duoble", NULL,
     "f.yaml:2:12: precision: `duoble` is not one of float, double; did you mean `double`?"},
    {"experiment: image\ndata: {colour: 16}", NULL,
     "f.yaml:2:16: data.colour: `16` is not one of auto, grey, rgb"},
    {"experiment: image\noutput: \"a\\nb\"", NULL,
     "f.yaml:2:9: output: `a?b` holds a line break or another control character"},
    {"experiment: image\noutput: \"a\\0b\"", NULL,
     "f.yaml:2:9: output: `a` is followed by a NUL character"},
    {blocks, "scale=dsek",
     "command line: scale=dsek: the file declares paper, desk; did you mean `desk`?"},
    {blocks, "variant=quadratic", "command line: variant=quadratic: the file declares relu"},
    {"experiment: image\nscales: {desk: {}}", NULL, "default: scale=paper: the file declares desk"},
    {"experiment: image\nscale: smoke\nscales: {desk: {}}", NULL,
     "f.yaml:2:8: scale=smoke: the file declares desk"},
    /* overrides */
    {"experiment: image", "train.stpes=3",
     "command line: unknown key `train.stpes`; did you mean `train.steps`?"},
    {"experiment: image", "steps", "command line: `steps` is not of the form key=value"},
    {"experiment: image", "=3", "command line: `=3` is not of the form key=value"},
    {"experiment: image", "a\nb=3", "command line: `a?b=3` is not of the form key=value"},
    /* YAML */
    {"", NULL, "f.yaml: is empty; it needs at least `experiment: NAME`"},
    {"# nothing\n", NULL, "f.yaml: is empty; it needs at least `experiment: NAME`"},
    {"image", NULL, "f.yaml:1:1: the file must hold keys and values, `key: value`"},
    {"- image", NULL, "f.yaml:1:1: a list is not allowed here; a key has one value"},
    {"experiment: image\nseed: [1, 2]", NULL,
     "f.yaml:2:7: a list is not allowed here; a key has one value"},
    {"experiment: &a image\noutput: *a", NULL,
     "f.yaml:2:9: aliases (*name) are not supported; repeat the value"},
    {"experiment: image\nseed: !!int 3", NULL,
     "f.yaml:2:7: tags (!name) are not supported; write the value alone"},
    {"experiment: image\n? {a: b}\n: c", NULL, "f.yaml:2:3: a key must be a word"},
    {"experiment: image\n---\nexperiment: audio", NULL,
     "f.yaml:2:1: a second document starts here; a file holds only one"},
    {"experiment: image\ntrain: {steps: 3", NULL,
     "f.yaml:3:1: is not valid YAML: did not find expected ',' or '}' while parsing a flow "
     "mapping"},
    {"experiment: image\nseed: \xff", NULL,
     "f.yaml: is not a text file in UTF-8: invalid leading UTF-8 octet at byte 24"},
    {"\x7f"
     "ELF\x02\x01\x01",
     NULL, "f.yaml: is not a text file in UTF-8: control characters are not allowed at byte 0"},
};

static void test_messages(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    Config *config = NULL;
    Status status = parse(&config, mistakes[i].text, LIST(mistakes[i].override));
    if (status != STATUS_USAGE) fail_msg("accepted, but should give: %s", mistakes[i].message);
    assert_null(config);
    assert_string_equal(status_message(), mistakes[i].message);
  }
}

/* Lists of keys and words that grow with the tables: the start of the message only. */
static void test_messages_with_lists(void **state) {
  (void)state;
  const char *const rows[][2] = {
      {"network.activation=sin", "command line: network.activation: `sin` is not one of sine, "},
      {"network.colourfulness=3",
       "command line: unknown key `network.colourfulness`; section "
       "network has activation, encoding, width, "},
      {"zzzzzzzz=3", "command line: unknown key `zzzzzzzz`; the top level has experiment, scale, "},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    Config *config = NULL;
    assert_int_equal(parse(&config, "experiment: image", LIST(rows[i][0])), STATUS_USAGE);
    if (strncmp(status_message(), rows[i][1], strlen(rows[i][1]))) fail_msg("%s", status_message());
  }
  Config *config = NULL;
  parse(&config, "experiment: image", LIST("network.activation=sin"));
  assert_non_null(strstr(status_message(), "; did you mean `sine`?"));
  parse(&config, "experiment: image", LIST("zzzzzzzz=3"));
  assert_non_null(strstr(status_message(), ", network, train, data, eval"));
}

static void test_reject(void **state) {
  (void)state;
  Config *config = good("experiment: image\ndata: {size: 3}", NULL);
  Status status = config_reject(config, "data.size", "the smallest image has %d", 7);
  assert_int_equal(status, STATUS_USAGE);
  assert_string_equal(status_message(), "f.yaml:2:14: data.size=3: the smallest image has 7");
  config_destroy(config);
}

static void test_file(void **state) {
  (void)state;
  char directory[] = "/tmp/test_config_XXXXXX", path[64];
  assert_non_null(mkdtemp(directory));
  snprintf(path, sizeof path, "%s/run.yaml", directory);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs("experiment: image\nseed: 5\n", file);
  fclose(file);
  Config *config = NULL;
  assert_int_equal(config_load(path, 0, NULL, &config), STATUS_OK);
  assert_int_equal(config_int(config, "seed"), 5);
  assert_non_null(strstr(config_where(config, "seed"), "run.yaml:2:7"));
  config_destroy(config);
  config = NULL;
  unlink(path);
  assert_int_equal(config_load(path, 0, NULL, &config), STATUS_FAILED);
  assert_non_null(strstr(status_message(), path));
  assert_null(config);
  rmdir(directory);
}

/* A name for the settings is not a setting; what is computed is. */
static void test_identity(void **state) {
  (void)state;
  static const char file[] =
      "experiment: image\nscale: paper\nscales: {paper: {}, desk: {train: {steps: 500}}}\n";
  uint64_t paper = hash_of(file, NULL), desk = hash_of(file, LIST("scale=desk"));
  assert_true(paper != desk);
  assert_true(desk == hash_of("experiment: image\ntrain: {steps: 5e2}", NULL));
  assert_true(paper == hash_of("experiment: image", NULL));
  assert_true(paper != hash_of("experiment: audio", NULL));
  const char *const free[] = {"output=x",
                              "threads=2",
                              "train.checkpoint_every=7",
                              "train.checkpoint_seconds=1",
                              "train.time_limit=60",
                              "eval.size=9",
                              "eval.fields=value",
                              "eval.pictures=no",
                              "variant=x"};
  for (size_t i = 0; i < sizeof free / sizeof *free; i++) {
    assert_true(paper == hash_of("experiment: image", LIST(free[i])));
  }
  const char *const identity[] = {"seed=1",
                                  "init=x.h5",
                                  "precision=double",
                                  "network.width=255",
                                  "train.log_every=3",
                                  "train.tile=1024",
                                  "data.size=9",
                                  "data.crop=yes",
                                  "train.samples=9"};
  for (size_t i = 0; i < sizeof identity / sizeof *identity; i++) {
    assert_true(paper != hash_of("experiment: image", LIST(identity[i])));
  }
}

/* All canonical texts, as overrides of nothing, give the same configuration. */
static void test_round_trip(void **state) {
  (void)state;
  Config *config = good(
      "experiment: image\nscale: desk\nscales: {desk: {train.lr: 0.30000000000000004}}\n"
      "output: \"'quoted' \\\\ #=: é\"\ndata: {crop: on}\ntrain: {samples: 0, eps: 1e-15}",
      NULL);
  int n = config_count(config);
  char(*text)[128] = calloc((size_t)n, sizeof *text);
  const char **overrides = calloc((size_t)n, sizeof *overrides);
  for (int i = 0; i < n; i++) {
    const char *key, *value;
    bool identity;
    config_item(config, i, &key, &value, &identity);
    snprintf(text[i], sizeof text[i], "%s=%s", key, value);
    overrides[i] = text[i];
  }
  Config *again = NULL;
  assert_int_equal(config_parse("none", "{}", 2, n, overrides, &again), STATUS_OK);
  assert_true(config_hash(again) == config_hash(config));
  assert_true(config_real(again, "train.lr") == 0.30000000000000004);
  assert_string_equal(config_text(again, "output"), config_text(config, "output"));
  config_destroy(again);
  config_destroy(config);
  free(overrides);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_defaults),       cmocka_unit_test(test_precedence),
      cmocka_unit_test(test_canonical_text), cmocka_unit_test(test_yaml_forms),
      cmocka_unit_test(test_messages),       cmocka_unit_test(test_messages_with_lists),
      cmocka_unit_test(test_reject),         cmocka_unit_test(test_file),
      cmocka_unit_test(test_identity),       cmocka_unit_test(test_round_trip),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
