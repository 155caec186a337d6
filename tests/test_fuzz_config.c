/* The fuzz target of configurations on a fixed number of random mutations of valid files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/random.h"
#include "tests/fuzz_config.c"

enum { MUTATIONS = 20000, CAPACITY = 2048 };

static const char image_seed[] =
    "experiment: image\nscale: desk\nnetwork: {activation: sine, width: 256}\n"
    "train:\n  lr: 1e-4\n  steps: 10000\n  samples: all\n"
    "scales:\n  paper: {}\n  desk: {train.steps: 500, data: {size: 128}}\n"
    "variants:\n  relu: {network: {activation: relu}}\n  none:\n";
static const char text_seed[] =
    "# a comment\nexperiment: 'image'\noutput: \"a \\\"b\\\"\\t\"\nimage: {crop: yes}\n"
    "data:\n  file: >-\n    folded\n    text\n  colour: grey\n";
static const char *const seeds[] = {
    image_seed,
    text_seed,
    "{experiment: audio, seed: 17, eval: {lower: -2.5, upper: .5e1, pictures: off}}\n",
    "experiment: image\ntrain: {clip: 1}\n---\nexperiment: two\n",
    "experiment: image\ntrain: &a {clip: 3}\nnetwork: *a\n? [complex]\n: !!str x\n",
};

/* Pieces that matter to YAML, to numbers or to keys. */
static const char *const pieces[] = {
    "\n",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "*a",
    "&a ",
    "!!int ",
    "---\n",
    "...\n",
    "'",
    "\"",
    "\\",
    "|\n",
    "> ",
    "? ",
    "- ",
    "#",
    "%YAML 1.1\n",
    "\t",
    "  ",
    ".",
    ",",
    "1e5",
    "-0",
    "1e-400",
    "nan",
    ".inf",
    "0x1p3",
    "9007199254740993",
    "all",
    "nyquist",
    "~",
    "null",
    "\xff",
    "\xc3\xa9",
    "\xef\xbb\xbf",
    "\x01",
    "\\0",
    "experiment",
    "scales",
    "variants",
    "network",
    "image.crop",
    "train.lr=",
    "=",
    "<<: ",
    "scale: smoke\n",
    "\xf0\x9f\x98\x80",
    "\r\n",
    "\x85",
};

typedef struct {
  uint64_t index;
  int lane;
} Dice;

static size_t roll(Dice *dice, size_t bound) {
  const RandomStream stream = {.seed = 20, .purpose = RANDOM_CHECK};
  return (size_t)random_below(stream, dice->index, dice->lane++, bound);
}

/* Puts n bytes in place of `removed` bytes at `at`. */
static void splice(char *text, size_t *size, size_t at, size_t removed, const char *bytes,
                   size_t n) {
  if (removed > *size - at) removed = *size - at;
  if (*size - removed + n > CAPACITY) return;
  memmove(text + at + n, text + at + removed, *size - at - removed);
  memcpy(text + at, bytes, n);
  *size += n - removed;
}

static void mutate(Dice *dice, char *text, size_t *size) {
  char bytes[64];
  size_t at = roll(dice, *size + 1), n = roll(dice, sizeof bytes);
  const char *piece = pieces[roll(dice, sizeof pieces / sizeof *pieces)];
  switch (roll(dice, 5)) {
    case 0: /* a piece goes in, perhaps over what was there */
      splice(text, size, at, roll(dice, 2) * roll(dice, 8), piece, strlen(piece));
      break;
    case 1: /* a stretch goes */
      splice(text, size, at, n, "", 0);
      break;
    case 2: /* a stretch is doubled elsewhere */
      if (n > *size - at) n = *size - at;
      memcpy(bytes, text + at, n);
      splice(text, size, roll(dice, *size + 1), 0, bytes, n);
      break;
    case 3: /* any byte, NUL included: what follows is an override */
      bytes[0] = (char)roll(dice, 256);
      splice(text, size, at, 1, bytes, 1);
      break;
    default: /* many of one piece: nesting, long words */
      for (size_t i = 0; i < n; i++) splice(text, size, at, 0, piece, strlen(piece));
  }
}

static void test_mutations(void **state) {
  (void)state;
  for (uint64_t i = 0; i < MUTATIONS; i++) {
    Dice dice = {.index = i};
    char text[CAPACITY];
    const char *seed = seeds[i % (sizeof seeds / sizeof *seeds)];
    size_t size = strlen(seed), rounds = 1 + roll(&dice, 4);
    memcpy(text, seed, size);
    for (size_t k = 0; k < rounds; k++) mutate(&dice, text, &size);
    LLVMFuzzerTestOneInput((const uint8_t *)text, size);
  }
}

/* Depth and length that a reader with recursion or quadratic search would not survive. */
static void test_extremes(void **state) {
  (void)state;
  enum { LONG = 200000 };
  static const char *const repeated[] = {"{a: ", "[", "{", "a.", "? ", "- ", "x", "'", "&a ", "!"};
  char *text = malloc(LONG + 64);
  assert_non_null(text);
  for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
    size_t size = (size_t)sprintf(text, "experiment: image\nnetwork: "), n = strlen(repeated[i]);
    for (; size + n < LONG; size += n) memcpy(text + size, repeated[i], n);
    LLVMFuzzerTestOneInput((const uint8_t *)text, size);
  }
  LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_mutations),
      cmocka_unit_test(test_extremes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
