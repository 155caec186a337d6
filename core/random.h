/* Counter-based random numbers (Philox4x64-10 of Random123; Salmon et al., SC 2011): every number
 * is a pure function of (seed, purpose, step, index), never of rank, thread or time. Key = (seed,
 * purpose), counter = (index, step, block, 0), so two different uses can never collide;
 * permutations have the counters (0, step, block, 1) to themselves. */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include <stdint.h>

/* One row per use of random numbers; the numbers are part of the reproducibility contract: append
 * only. */
#define RANDOM_PURPOSES(X) \
  X(RANDOM_WEIGHT, 1)      \
  X(RANDOM_BIAS, 2)        \
  X(RANDOM_CENTRE, 3)      \
  X(RANDOM_SAMPLE, 4)      \
  X(RANDOM_JITTER, 5)      \
  X(RANDOM_MASK, 6)        \
  X(RANDOM_CHECK, 7)       \
  X(RANDOM_SPACE, 8)       \
  X(RANDOM_BRICK, 9)       \
  X(RANDOM_CONTEXT, 10)    \
  X(RANDOM_MEMBER, 11)

typedef enum {
#define X(name, number) name = number,
  RANDOM_PURPOSES(X)
#undef X
} RandomPurpose;

typedef struct {
  uint64_t seed;
  RandomPurpose purpose;
  uint64_t
      step; /* training step, or another stream number such as the tensor that is initialised */
} RandomStream;

/* Local. Four words for (stream, index, block). */
void random_words(RandomStream stream, uint64_t index, uint64_t block, uint64_t words[4]);

/* The functions below take `lane` >= 0: lanes 0, 1, ... of one index are independent numbers. Lane
 * k of random_uniform and random_below is made of word k % 4 of block k / 4; lanes 2k and 2k + 1 of
 * random_normal are made of those two words. One stream should serve one of the three only. */

/* Local. Uniform in [0, 1), 53 bits. */
double random_uniform(RandomStream stream, uint64_t index, int lane);

/* Local. Standard normal by Box-Muller in double. */
double random_normal(RandomStream stream, uint64_t index, int lane);

/* Local. Uniform integer in [0, bound), bound >= 1 (multiply-shift of 64 bits: bias below bound /
 * 2^64). */
uint64_t random_below(RandomStream stream, uint64_t index, int lane, uint64_t bound);

/* Local. A keyed bijection of [0, n), n > index: the place of `index` in a random permutation, in
 * O(1) memory and expected time (Feistel network with cycle walking). Draws without replacement on
 * every rank without communication. */
uint64_t random_permute(RandomStream stream, uint64_t index, uint64_t n);

#endif
