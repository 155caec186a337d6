#include "hyper/encoder.h"

#include <string.h>

static const EncoderKind *const table[] = {&encoder_set_sine,
                                           &encoder_set_relu,
                                           &encoder_conv,
                                           &encoder_partial_conv,
                                           &encoder_partial_conv_official,
                                           &encoder_table_of_codes};
enum { N_KINDS = sizeof table / sizeof *table };

const EncoderKind *const *encoder_table(int *count) {
  *count = N_KINDS;
  return table;
}

const EncoderKind *encoder_find(const char *name) {
  for (int i = 0; i < N_KINDS; i++) {
    if (!strcmp(table[i]->name, name)) return table[i];
  }
  return NULL;
}
