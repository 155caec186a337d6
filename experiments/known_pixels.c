#include "experiments/known_pixels.h"

#include <string.h>

void known_count(RandomStream stream, int pixels, int n, uint8_t *known) {
  memset(known, 0, (size_t)pixels);
  for (int i = 0; i < n; i++) {
    known[random_permute(stream, (uint64_t)i, (uint64_t)pixels)] = 1;
  }
}

void known_chance(RandomStream stream, int pixels, double chance, uint8_t *known) {
  for (int i = 0; i < pixels; i++) {
    known[i] = random_uniform(stream, (uint64_t)i, 0) < chance;
  }
}

void known_first(int pixels, int n, uint8_t *known) {
  memset(known, 0, (size_t)pixels);
  memset(known, 1, (size_t)(n < pixels ? n : pixels));
}
