#include "core/random.h"

#include <Random123/philox.h>
#include <assert.h>
#include <math.h>

/* The last word of the counter keeps different kinds of use apart. */
enum { COUNTER_NUMBERS = 0, COUNTER_PERMUTATION = 1 };

static void philox(RandomStream stream, uint64_t index, uint64_t block, uint64_t use,
                   uint64_t words[4]) {
  philox4x64_ctr_t counter = {{index, stream.step, block, use}};
  philox4x64_key_t key = {{stream.seed, (uint64_t)stream.purpose}};
  philox4x64_ctr_t result = philox4x64(counter, key);
  for (int i = 0; i < 4; i++) words[i] = result.v[i];
}

void random_words(RandomStream stream, uint64_t index, uint64_t block, uint64_t words[4]) {
  philox(stream, index, block, COUNTER_NUMBERS, words);
}

static uint64_t word_of_lane(RandomStream stream, uint64_t index, int lane) {
  assert(lane >= 0);
  uint64_t words[4];
  random_words(stream, index, (uint64_t)lane / 4, words);
  return words[lane % 4];
}

double random_uniform(RandomStream stream, uint64_t index, int lane) {
  return (double)(word_of_lane(stream, index, lane) >> 11) * 0x1p-53;
}

double random_normal(RandomStream stream, uint64_t index, int lane) {
  assert(lane >= 0);
  const double two_pi = 6.283185307179586;
  uint64_t words[4];
  random_words(stream, index, (uint64_t)lane / 4, words);
  const uint64_t *pair = words + (lane % 4 & ~1);
  double u = (double)((pair[0] >> 11) + 1) * 0x1p-53; /* in (0, 1]: the logarithm is finite */
  double angle = two_pi * (double)(pair[1] >> 11) * 0x1p-53;
  return sqrt(-2 * log(u)) * (lane % 2 ? sin(angle) : cos(angle));
}

uint64_t random_below(RandomStream stream, uint64_t index, int lane, uint64_t bound) {
  assert(bound >= 1);
  return (uint64_t)(((unsigned __int128)word_of_lane(stream, index, lane) * bound) >> 64);
}

/* MurmurHash3's finaliser: every bit of the result depends on every bit of x. Philox gives the
 * round keys, so that a permutation costs two calls of it and not two per round. */
static uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53u;
  return x ^ (x >> 33);
}

/* Halves of fewer than four bits mix badly: some orders of five or six elements come too often. */
enum { FEISTEL_ROUNDS = 8, FEISTEL_MIN_BITS = 8 };

/* A bijection of [0, 2^(low + high)): each round changes one half by a function of the other. */
static uint64_t feistel(const uint64_t keys[FEISTEL_ROUNDS], int low, int high, uint64_t x) {
  uint64_t low_mask = ((uint64_t)1 << low) - 1, high_mask = ((uint64_t)1 << high) - 1;
  uint64_t a = x & low_mask, b = x >> low;
  for (int round = 0; round < FEISTEL_ROUNDS; round += 2) {
    a ^= mix(b + keys[round]) & low_mask;
    b ^= mix(a + keys[round + 1]) & high_mask;
  }
  return b << low | a;
}

uint64_t random_permute(RandomStream stream, uint64_t index, uint64_t n) {
  assert(index < n);
  if (n == 1) return 0;
  int bits = 64 - __builtin_clzll(n - 1);
  if (bits < FEISTEL_MIN_BITS) bits = FEISTEL_MIN_BITS;
  uint64_t keys[FEISTEL_ROUNDS];
  philox(stream, 0, 0, COUNTER_PERMUTATION, keys);
  philox(stream, 0, 1, COUNTER_PERMUTATION, keys + 4);
  /* The cycle through index returns to it, so the walk meets [0, n) again. */
  do {
    index = feistel(keys, bits / 2, bits - bits / 2, index);
  } while (index >= n);
  return index;
}
