#include "hyper/generator.h"

#include <string.h>

static const GeneratorKind *const table[] = {&generator_hypernetwork, &generator_cnp};
enum { N_KINDS = sizeof table / sizeof *table };

const GeneratorKind *const *generator_table(int *count) {
  *count = N_KINDS;
  return table;
}

const GeneratorKind *generator_find(const char *name) {
  for (int i = 0; i < N_KINDS; i++) {
    if (!strcmp(table[i]->name, name)) return table[i];
  }
  return NULL;
}
