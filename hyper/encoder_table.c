/* No encoder: a table of trained codes, one for each image of the training (an auto-decoder;
 * Bojanowski et al. 2018, Park et al. 2019). Codes of other images are searched for (hyper_search).
 */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "hyper/encoder.h"

static const double deviation = 0.01; /* of the codes to begin with */

typedef struct {
  size_t codes; /* offset in theta: [items][code] */
  int64_t items;
  int code;
} Table;

static Status create(const EncoderSpec *spec, Parameters *parameters, void **self) {
  Table *table;
  if (spec->items < 1 || spec->items > INT32_MAX) {
    return status_fail(STATUS_USAGE, "a table of codes needs 1 to %d images of training, not %lld",
                       INT32_MAX, (long long)spec->items);
  }
  TRY(memory_allocate(&table, 1, sizeof *table, "an encoder"));
  *table = (Table){.items = spec->items, .code = spec->code};
  table->codes = parameters_add(parameters, (int)spec->items, spec->code, "encoder/codes/weight");
  *self = table;
  return STATUS_OK;
}

static void init(const void *self, uint64_t seed, real *theta) {
  const Table *table = self;
  parameters_normal(seed, table->codes, (size_t)table->items * (size_t)table->code, deviation,
                    theta + table->codes);
}

static size_t scratch(const void *self, int images) {
  (void)self, (void)images;
  return 1;
}

/* Where the code of an image is; only images of the training have one. */
static size_t place_of(const Table *table, const Context *context, int image) {
  return table->codes + (size_t)context->item[image] * (size_t)table->code;
}

static void forward(const void *self, const real *theta, const Context *context, real *code,
                    real *unused) {
  const Table *table = self;
  (void)unused;
  for (int i = 0; i < context->images; i++, code += table->code) {
    memcpy(code, theta + place_of(table, context, i), (size_t)table->code * sizeof *code);
  }
}

static void backward(const void *self, const real *theta, const Context *context,
                     const real *code_bar, real *unused, real *gradient) {
  const Table *table = self;
  (void)theta, (void)unused;
  for (int i = 0; i < context->images; i++, code_bar += table->code) {
    real *sum = gradient + place_of(table, context, i);
    for (int j = 0; j < table->code; j++) sum[j] += code_bar[j];
  }
}

static double flops(const void *self, int known) {
  (void)self, (void)known;
  return 0;
}

const EncoderKind encoder_table_of_codes = {
    .name = "table",
    .description = "none: a trained code for each image of the training",
    .create = create,
    .destroy = free,
    .init = init,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .table = true,
};
