/* "Did you mean": the closest of a list of words. */
#include <ctype.h>
#include <string.h>

#include "io/config_parts.h"

static int min(int a, int b) {
  return a < b ? a : b;
}

static bool same(char a, char b) {
  return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Insertions, deletions, substitutions and swaps of neighbours that make one word the other. */
static int distance(const char *a, int n, const char *b, int m) {
  int row[3][CONFIG_MAX_KEY] = {{0}}; /* rows i - 2, i - 1 and i of the table, by i % 3 */
  for (int j = 0; j <= m; j++) row[0][j] = j;
  for (int i = 1; i <= n; i++) {
    int *here = row[i % 3], *above = row[(i + 2) % 3], *second = row[(i + 1) % 3];
    here[0] = i;
    for (int j = 1; j <= m; j++) {
      int change = above[j - 1] + !same(a[i - 1], b[j - 1]);
      here[j] = min(change, min(above[j], here[j - 1]) + 1);
      bool swapped = i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]);
      if (swapped) here[j] = min(here[j], second[j - 2] + 1);
    }
  }
  return row[n % 3][m];
}

const char *config_suggest(const char *word, const char *const *words) {
  size_t n = strlen(word);
  if (n >= CONFIG_MAX_KEY) return NULL;
  const char *closest = NULL;
  int best = min((int)(n + 1) / 3, 3) + 1; /* more than that is another word, not a slip */
  for (; *words; words++) {
    size_t m = strlen(*words);
    int d = m < CONFIG_MAX_KEY ? distance(word, (int)n, *words, (int)m) : best;
    if (d < best) {
      best = d;
      closest = *words;
    }
  }
  return closest;
}
