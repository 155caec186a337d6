#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "hyper/hyper_parts.h"

enum { MAX_ROWS = 512 }; /* pixels of a block */

/* ---- Scratch memory ---- */

static size_t encoder_reals(const Hyper *hyper, int images) {
  return hyper->spec.encoder->scratch(hyper->encoder, images);
}

static size_t generator_reals(const Hyper *hyper, int images) {
  return hyper->spec.generator->scratch(hyper->generator, images);
}

static size_t channels_of(const Hyper *hyper) {
  return (size_t)hyper->spec.encoding.channels;
}

static Status allocate_use(const Hyper *hyper, int images, bool reverse, HyperUse *use) {
  const char *what = "a group of images";
  TRY(render_create(hyper->spec.hypo, hyper->pixels, MAX_ROWS, reverse, &use->render));
  TRY(memory_allocate_sparse(&use->encoder, encoder_reals(hyper, images), sizeof(real), what));
  return memory_allocate(&use->generator, generator_reals(hyper, images), sizeof(real), what);
}

static size_t search_codes(const Hyper *hyper, int images) {
  return real_aligned((size_t)images * (size_t)hyper->spec.encoding.code);
}

static Status allocate_search(const Hyper *hyper, int images, HyperUse *use) {
  const char *what = "a search of codes";
  size_t codes = search_codes(hyper, images), pixels = (size_t)hyper->pixels;
  TRY(memory_allocate(&use->thetas, (size_t)images * hyper->stride, sizeof(real), what));
  TRY(memory_allocate(&use->thetas_bar, (size_t)images * hyper->stride, sizeof(real), what));
  TRY(memory_allocate(&use->code_bar, codes, sizeof(real), what));
  TRY(memory_allocate(&use->mean, codes, sizeof(real), what));
  TRY(memory_allocate(&use->square, codes, sizeof(real), what));
  TRY(memory_allocate(&use->places, 2 * pixels, sizeof(real), what));
  return memory_allocate(&use->values, pixels * channels_of(hyper), sizeof(real), what);
}

Status hyper_use_make(const Hyper *hyper, int images, bool reverse, HyperUse **result) {
  HyperUse *use;
  TRY(memory_allocate(&use, 1, sizeof *use, "a group of images"));
  use->hyper = hyper;
  Status status = allocate_use(hyper, images, reverse, use);
  if (status == STATUS_OK) {
    *result = use;
  } else {
    hyper_use_destroy(use);
  }
  return status;
}

Status hyper_use_create(const Hyper *hyper, int images, HyperUse **use) {
  bool search = hyper->spec.encoder->table;
  TRY(hyper_use_make(hyper, images, search, use));
  Status status = search ? allocate_search(hyper, images, *use) : STATUS_OK;
  if (status != STATUS_OK) {
    hyper_use_destroy(*use);
    *use = NULL;
  }
  return status;
}

void hyper_use_destroy(HyperUse *use) {
  if (!use) return;
  render_destroy(use->render);
  real *owned[] = {use->encoder, use->generator, use->thetas, use->thetas_bar, use->code_bar,
                   use->mean,    use->square,    use->places, use->values};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
  free(use);
}

size_t hyper_use_size(const Hyper *hyper, int images, bool reverse) {
  size_t reals = encoder_reals(hyper, images) + generator_reals(hyper, images);
  return render_bytes(hyper->spec.hypo, hyper->pixels, MAX_ROWS, reverse) +
         memory_footprint(reals * sizeof(real));
}

size_t hyper_use_bytes(const Hyper *hyper, int images) {
  if (!hyper->spec.encoder->table) return hyper_use_size(hyper, images, false);
  size_t reals = 2 * (size_t)images * hyper->stride + 3 * search_codes(hyper, images) +
                 (size_t)hyper->pixels * (2 + channels_of(hyper));
  return hyper_use_size(hyper, images, true) + memory_footprint(reals * sizeof(real));
}

double hyper_square(size_t n, const real *values, double factor, real *bar) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)values[i] * (double)values[i];
  if (bar) {
    const real f = (real)factor;
#pragma omp simd
    for (size_t i = 0; i < n; i++) bar[i] = fused(f, values[i], bar[i]);
  }
  return sum;
}

/* ---- The search of codes ---- */

/* Places and values of an image's known pixels; returns how many there are. */
static int64_t gather(HyperUse *use, const Context *context, int image) {
  const Hyper *hyper = use->hyper;
  size_t pixels = (size_t)hyper->pixels, channels = channels_of(hyper), n = 0;
  const uint8_t *known = context->known + (size_t)image * pixels;
  const real *values = context->pixels + (size_t)image * pixels * channels;
  hyper_grid(context->rows, context->columns, 1, use->places);
  for (size_t i = 0; i < pixels; i++) {
    if (!known[i]) continue;
    memmove(use->places + 2 * n, use->places + 2 * i, 2 * sizeof *use->places);
    memcpy(use->values + n * channels, values + i * channels, channels * sizeof *values);
    n++;
  }
  return (int64_t)n;
}

/* The derivative by the networks' weights; none where nothing is known. */
static void compare_known(HyperUse *use, const Context *context) {
  size_t stride = use->hyper->stride, channels = channels_of(use->hyper);
  for (int i = 0; i < context->images; i++) {
    int64_t known = gather(use, context, i);
    real *bar = use->thetas_bar + (size_t)i * stride;
    double count = (double)known * (double)channels;
    if (known == 0) memset(bar, 0, stride * sizeof *bar);
    render_compare(use->render, use->thetas + (size_t)i * stride, known, use->places, use->values,
                   2 / count, bar);
  }
}

/* Step `number`, from 1 on. */
static void adam(HyperUse *use, size_t n, int number, double rate, real *code) {
  const double keep1 = 0.9, keep2 = 0.999, eps = 1e-8;
  double left1 = 1 - pow(keep1, number), left2 = 1 - pow(keep2, number);
  for (size_t i = 0; i < n; i++) {
    double g = (double)use->code_bar[i];
    double m = keep1 * (double)use->mean[i] + (1 - keep1) * g;
    double v = keep2 * (double)use->square[i] + (1 - keep2) * g * g;
    use->mean[i] = (real)m;
    use->square[i] = (real)v;
    code[i] -= (real)(rate * m / left1 / (sqrt(v / left2) + eps));
  }
}

static void search_code(HyperUse *use, const real *theta, const Context *context,
                        const HyperSearch *search, real *code) {
  const Hyper *hyper = use->hyper;
  const GeneratorKind *generator = hyper->spec.generator;
  size_t n = (size_t)context->images * (size_t)hyper->spec.encoding.code;
  memset(code, 0, n * sizeof *code);
  memset(use->mean, 0, n * sizeof *use->mean);
  memset(use->square, 0, n * sizeof *use->square);
  for (int step = 1; step <= search->steps; step++) {
    hyper_generate(use, theta, context->images, code, use->thetas);
    compare_known(use, context);
    generator->backward(hyper->generator, theta, context->images, code, hyper->stride,
                        use->thetas_bar, use->generator, use->code_bar, NULL, NULL);
    hyper_square(n, code, 2 * hyper->spec.code_weight / hyper->spec.encoding.code, use->code_bar);
    adam(use, n, step, search->rate, code);
  }
}

/* ---- Using it ---- */

void hyper_encode(HyperUse *use, const real *theta, const Context *context,
                  const HyperSearch *search, real *code) {
  const Hyper *hyper = use->hyper;
  if (hyper->spec.encoder->table) {
    search_code(use, theta, context, search, code);
  } else {
    hyper->spec.encoder->forward(hyper->encoder, theta, context, code, use->encoder);
  }
}

void hyper_generate(HyperUse *use, const real *theta, int images, const real *code, real *weights) {
  const Hyper *hyper = use->hyper;
  hyper->spec.generator->forward(hyper->generator, theta, images, code, hyper->stride, weights,
                                 use->generator);
}

void hyper_render(HyperUse *use, const real *weights, int64_t n, const real *x, real *values) {
  render_values(use->render, weights, n, x, values);
}

void hyper_grid(int rows, int columns, double extent, real *x) {
  for (int i = 0; i < rows * columns; i++) {
    int row = i / columns, column = i % columns;
    x[2 * i] = (real)(rows > 1 ? extent * (2. * row / (rows - 1) - 1) : 0);
    x[2 * i + 1] = (real)(columns > 1 ? extent * (2. * column / (columns - 1) - 1) : 0);
  }
}
