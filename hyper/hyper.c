#include "hyper/hyper.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/jet.h"
#include "core/memory.h"

enum { MAX_ROWS = 512, PIXELS = 0, CODE = 1, WEIGHTS = 2 };

struct Hyper {
  HyperSpec spec;
  void *encoder, *generator;
  Parameters parameters;
  Outer outer;
  int dense_tensors;
  int tile;      /* images of a tile, about */
  int rows;      /* pixels of a block */
  int pixels;    /* of an image */
  size_t stride; /* between the thetas of two images */
};

static const JetSpec values_only = {.scheme = JET_STREAMS};

/* ---- Creation ---- */

static int ceil_divide(int a, int b) {
  return (a + b - 1) / b;
}

static Status check(const HyperSpec *spec) {
  const NetworkSpec *hypo = &spec->hypo->spec;
  if (hypo->in == 2 && hypo->out == spec->encoding.channels) return STATUS_OK;
  return status_fail(STATUS_USAGE, "a network of %d coordinates and %d channels renders no image",
                     hypo->in, hypo->out);
}

static Status create(Hyper *hyper) {
  const HyperSpec *spec = &hyper->spec;
  GeneratorSpec generator = {.hypo = spec->hypo,
                             .code = spec->encoding.code,
                             .width = spec->generator_width,
                             .layers = spec->generator_layers};
  TRY(check(spec));
  TRY(spec->encoder->create(&spec->encoding, &hyper->parameters, &hyper->encoder));
  TRY(spec->generator->create(&generator, &hyper->parameters, &hyper->generator));
  hyper->dense_tensors = hyper->parameters.n;
  hyper->stride = real_aligned(spec->hypo->n_parameters);
  hyper->outer.items = spec->images;
  if (spec->generator->outer) {
    spec->generator->outer(hyper->generator, hyper->stride, &hyper->parameters, &hyper->outer);
  }
  hyper->pixels = spec->encoding.rows * spec->encoding.columns;
  hyper->rows = ceil_divide(hyper->pixels, ceil_divide(hyper->pixels, MAX_ROWS));
  hyper->tile = spec->tile ? spec->tile : hyper_tile(hyper);
  return STATUS_OK;
}

Status hyper_create(const HyperSpec *spec, Hyper **result) {
  Hyper *hyper;
  TRY(memory_allocate(&hyper, 1, sizeof *hyper, "a hypernetwork"));
  hyper->spec = *spec;
  Status status = create(hyper);
  if (status == STATUS_OK) {
    *result = hyper;
  } else {
    hyper_destroy(hyper);
  }
  return status;
}

void hyper_destroy(Hyper *hyper) {
  if (!hyper) return;
  if (hyper->generator) hyper->spec.generator->destroy(hyper->generator);
  if (hyper->encoder) hyper->spec.encoder->destroy(hyper->encoder);
  free(hyper);
}

const Parameters *hyper_parameters(const Hyper *hyper) {
  return &hyper->parameters;
}

size_t hyper_stride(const Hyper *hyper) {
  return hyper->stride;
}

void hyper_init(const Hyper *hyper, uint64_t seed, real *theta) {
  hyper->spec.encoder->init(hyper->encoder, seed, theta);
  hyper->spec.generator->init(hyper->generator, seed, theta);
}

/* ---- What it costs ---- */

static double image_flops(const Hyper *hyper) {
  return hyper->spec.encoder->flops(hyper->encoder, hyper->spec.known) +
         hyper->spec.generator->flops(hyper->generator) +
         hyper->pixels * jet_flops(hyper->spec.hypo, &values_only);
}

double hyper_flops(const Hyper *hyper) {
  return (double)hyper->spec.images * image_flops(hyper);
}

/* Reading the outer tensors twice takes at most a tenth of the time, at 5 operations a byte. */
int hyper_tile(const Hyper *hyper) {
  size_t outer = hyper->parameters.size - outer_begin(&hyper->outer, hyper->parameters.size);
  double reading = 2. * (double)outer * sizeof(real) * 5;
  return (int)fmin(64, 1 + floor(10 * reading / image_flops(hyper)));
}

static int64_t count_tiles(const Hyper *hyper) {
  int64_t tiles = (hyper->spec.images + hyper->tile / 2) / hyper->tile;
  return tiles ? tiles : 1;
}

static int64_t tiles_of(const Objective *self, uint64_t step) {
  (void)step;
  return count_tiles(self->context);
}

/* Images first ... first + the return value - 1 are a tile's. */
static int tile_images(const Hyper *hyper, int64_t tile, int64_t *first) {
  int64_t tiles = count_tiles(hyper), images = hyper->spec.images;
  *first = images * tile / tiles;
  return (int)(images * (tile + 1) / tiles - *first);
}

static int most_images(const Hyper *hyper) {
  return (int)((hyper->spec.images + count_tiles(hyper) - 1) / count_tiles(hyper));
}

/* ---- Scratch memory ---- */

struct HyperUse {
  const Hyper *hyper;
  Jet *jet;
  real *encoder, *generator; /* scratch */
  real *x, *bar;             /* [rows][2], [rows][channels] of a block of pixels */
};

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
  size_t rows = (size_t)hyper->rows;
  TRY(jet_create(hyper->spec.hypo, &values_only, hyper->rows, reverse, &use->jet));
  TRY(memory_allocate_sparse(&use->encoder, encoder_reals(hyper, images), sizeof(real), what));
  TRY(memory_allocate(&use->generator, generator_reals(hyper, images), sizeof(real), what));
  TRY(memory_allocate(&use->x, 2 * rows, sizeof(real), what));
  return memory_allocate(&use->bar, rows * channels_of(hyper), sizeof(real), what);
}

static Status use_create(const Hyper *hyper, int images, bool reverse, HyperUse **result) {
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
  return use_create(hyper, images, false, use);
}

void hyper_use_destroy(HyperUse *use) {
  if (!use) return;
  jet_destroy(use->jet);
  real *owned[] = {use->encoder, use->generator, use->x, use->bar};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
  free(use);
}

static size_t use_bytes(const Hyper *hyper, int images, bool reverse) {
  size_t rows = (size_t)hyper->rows, reals = encoder_reals(hyper, images) +
                                             generator_reals(hyper, images) +
                                             rows * (2 + channels_of(hyper));
  return jet_bytes(hyper->spec.hypo, &values_only, hyper->rows, reverse) +
         memory_footprint(reals * sizeof(real));
}

size_t hyper_use_bytes(const Hyper *hyper, int images) {
  return use_bytes(hyper, images, false);
}

/* ---- Using it ---- */

void hyper_encode(HyperUse *use, const real *theta, const Context *context, real *code) {
  const Hyper *hyper = use->hyper;
  hyper->spec.encoder->forward(hyper->encoder, theta, context, code, use->encoder);
}

void hyper_generate(HyperUse *use, const real *theta, int images, const real *code, real *weights) {
  const Hyper *hyper = use->hyper;
  hyper->spec.generator->forward(hyper->generator, theta, images, code, hyper->stride, weights,
                                 use->generator);
}

/* The block's rows, and no more than are left; the others are 0. */
static int fill_block(HyperUse *use, int64_t n, const real *x, int64_t first) {
  int64_t left = n - first;
  int count = left < use->hyper->rows ? (int)left : use->hyper->rows;
  memset(use->x, 0, 2 * (size_t)use->hyper->rows * sizeof *use->x);
  memcpy(use->x, x + 2 * first, 2 * (size_t)count * sizeof *use->x);
  return count;
}

void hyper_render(HyperUse *use, const real *weights, int64_t n, const real *x, real *values) {
  size_t channels = channels_of(use->hyper);
  for (int64_t first = 0; first < n; first += use->hyper->rows) {
    int count = fill_block(use, n, x, first);
    const real *y = jet_forward(use->jet, weights, use->x, NULL);
    memcpy(values + (size_t)first * channels, y, (size_t)count * channels * sizeof *values);
  }
}

void hyper_grid(int rows, int columns, double extent, real *x) {
  for (int i = 0; i < rows * columns; i++) {
    int row = i / columns, column = i % columns;
    x[2 * i] = (real)(rows > 1 ? extent * (2. * row / (rows - 1) - 1) : 0);
    x[2 * i + 1] = (real)(columns > 1 ? extent * (2. * column / (columns - 1) - 1) : 0);
  }
}

/* ---- A tile ---- */

typedef struct {
  const Hyper *hyper;
  HyperUse *use;
  real *grid;                /* [pixels][2] */
  real *image;               /* [images][pixels][channels] */
  uint8_t *known;            /* [images][pixels] */
  real *code, *code_bar;     /* [images][code] */
  real *thetas, *thetas_bar; /* [images][stride]; the second only without outer tensors */
} Workspace;

static size_t bar_reals(const Hyper *hyper, size_t images) {
  return hyper->outer.n_tensors ? 1 : images * hyper->stride;
}

static Status allocate_workspace(const Hyper *hyper, Workspace *w) {
  const char *what = "a group of images";
  size_t images = (size_t)most_images(hyper), pixels = (size_t)hyper->pixels,
         codes = images * (size_t)hyper->spec.encoding.code;
  TRY(use_create(hyper, (int)images, true, &w->use));
  TRY(memory_allocate(&w->grid, 2 * pixels, sizeof(real), what));
  TRY(memory_allocate(&w->image, images * pixels * channels_of(hyper), sizeof(real), what));
  TRY(memory_allocate(&w->known, images * pixels, 1, what));
  TRY(memory_allocate(&w->code, codes, sizeof(real), what));
  TRY(memory_allocate(&w->code_bar, codes, sizeof(real), what));
  TRY(memory_allocate(&w->thetas, images * hyper->stride, sizeof(real), what));
  return memory_allocate(&w->thetas_bar, bar_reals(hyper, images), sizeof(real), what);
}

static void workspace_destroy(void *workspace) {
  Workspace *w = workspace;
  if (!w) return;
  hyper_use_destroy(w->use);
  void *owned[] = {w->grid, w->image, w->known, w->code, w->code_bar, w->thetas, w->thetas_bar};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
  free(w);
}

static Status workspace_create(const Objective *self, void **workspace) {
  const Hyper *hyper = self->context;
  Workspace *w;
  TRY(memory_allocate(&w, 1, sizeof *w, "a group of images"));
  w->hyper = hyper;
  Status status = allocate_workspace(hyper, w);
  if (status != STATUS_OK) {
    workspace_destroy(w);
    return status;
  }
  hyper_grid(hyper->spec.encoding.rows, hyper->spec.encoding.columns, 1, w->grid);
  *workspace = w;
  return STATUS_OK;
}

static size_t workspace_bytes(const Objective *self) {
  const Hyper *hyper = self->context;
  size_t images = (size_t)most_images(hyper), pixels = (size_t)hyper->pixels,
         reals = pixels * (2 + images * channels_of(hyper)) +
                 2 * images * (size_t)hyper->spec.encoding.code + images * hyper->stride +
                 bar_reals(hyper, images);
  return use_bytes(hyper, (int)images, true) + memory_footprint(reals * sizeof(real));
}

/* Squares of a block's differences, and their derivative. */
static double compare_block(Workspace *w, int count, const real *y, const real *target,
                            double factor) {
  size_t channels = channels_of(w->hyper), n = (size_t)count * channels,
         all = (size_t)w->hyper->rows * channels;
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double difference = (double)y[i] - (double)target[i];
    sum += difference * difference;
    w->use->bar[i] = (real)(factor * difference);
  }
  memset(w->use->bar + n, 0, (all - n) * sizeof *w->use->bar);
  return sum;
}

/* The sum of squares over an image's pixels; theta_bar (NULL: not wanted) gets factor times half
 * its derivative. */
static double render_image(Workspace *w, const real *theta, const real *target, double factor,
                           real *theta_bar) {
  const Hyper *hyper = w->hyper;
  double sum = 0;
  for (int first = 0; first < hyper->pixels; first += hyper->rows) {
    int count = fill_block(w->use, hyper->pixels, w->grid, first);
    const real *y = jet_forward(w->use->jet, theta, w->use->x, NULL);
    sum += compare_block(w, count, y, target + (size_t)first * channels_of(hyper), factor);
    if (theta_bar) {
      jet_reverse(w->use->jet, theta, w->use->x, NULL, w->use->bar, theta_bar, first > 0);
    }
  }
  return sum;
}

/* The sum of squares; adds factor times the values to bar (NULL: not wanted). */
static double add_square(size_t n, const real *values, double factor, real *bar) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)values[i] * (double)values[i];
  if (bar) {
    const real f = (real)factor;
#pragma omp simd
    for (size_t i = 0; i < n; i++) bar[i] = fused(f, values[i], bar[i]);
  }
  return sum;
}

/* What a sum over a step's images is divided by to become a mean. */
static double pixel_count(const Hyper *hyper) {
  return (double)hyper->spec.images * hyper->pixels * hyper->spec.encoding.channels;
}

static double code_count(const Hyper *hyper) {
  return (double)hyper->spec.images * hyper->spec.encoding.code;
}

static double weight_count(const Hyper *hyper) {
  return (double)hyper->spec.images * (double)hyper->spec.hypo->n_parameters;
}

/* Terms of all images of the tile; their derivative by each network's theta in bars (NULL: not
 * wanted). */
static void render_all(Workspace *w, int images, real *bars, double *terms) {
  const Hyper *hyper = w->hyper;
  size_t n = hyper->spec.hypo->n_parameters,
         image_size = (size_t)hyper->pixels * channels_of(hyper);
  double pixels = pixel_count(hyper), weights = weight_count(hyper);
  for (size_t i = 0; i < (size_t)images; i++) {
    const real *theta = w->thetas + i * hyper->stride;
    real *bar = bars ? bars + i * hyper->stride : NULL;
    terms[PIXELS] += render_image(w, theta, w->image + i * image_size, 2 / pixels, bar) / pixels;
    terms[WEIGHTS] += add_square(n, theta, 2 * hyper->spec.theta_weight / weights, bar) / weights;
  }
}

static void run_tile(const Objective *self, uint64_t step, int64_t tile, const real *theta,
                     real *gradient, double *terms, const OuterFactors *outer, void *workspace) {
  const Hyper *hyper = self->context;
  const HyperSpec *spec = &hyper->spec;
  Workspace *w = workspace;
  assert(!gradient || !hyper->outer.n_tensors == !outer);
  int64_t first;
  int images = tile_images(hyper, tile, &first);
  spec->draw(spec->source, step, first, images, w->image, w->known);
  const Context context = {.images = images,
                           .rows = spec->encoding.rows,
                           .columns = spec->encoding.columns,
                           .channels = spec->encoding.channels,
                           .pixels = w->image,
                           .known = w->known};
  hyper_encode(w->use, theta, &context, w->code);
  hyper_generate(w->use, theta, images, w->code, w->thetas);
  real *bars = NULL, *v = NULL;
  if (gradient) {
    bars = outer ? outer->u + (size_t)first * hyper->outer.u_size : w->thetas_bar;
    v = outer ? outer->v + (size_t)first * hyper->outer.v_size : NULL;
  }
  for (int i = 0; i < 3; i++) terms[i] = 0;
  render_all(w, images, bars, terms);
  size_t codes = (size_t)images * (size_t)spec->encoding.code;
  if (!gradient) {
    terms[CODE] = add_square(codes, w->code, 0, NULL) / code_count(hyper);
    return;
  }
  memset(gradient, 0, objective_dense(self) * sizeof *gradient);
  spec->generator->backward(hyper->generator, theta, images, w->code, hyper->stride, bars,
                            w->use->generator, w->code_bar, gradient, v);
  terms[CODE] = add_square(codes, w->code, 2 * spec->code_weight / code_count(hyper), w->code_bar) /
                code_count(hyper);
  spec->encoder->backward(hyper->encoder, theta, &context, w->code_bar, w->use->encoder, gradient);
}

void hyper_objective(const Hyper *hyper, Objective *objective) {
  *objective = (Objective){
      .n_parameters = hyper->parameters.size,
      .n_tensors = hyper->dense_tensors,
      .tensors = hyper->parameters.tensors,
      .outer = hyper->outer,
      .n_terms = 3,
      .terms = {[PIXELS] = {"pixels", 1},
                [CODE] = {"code", hyper->spec.code_weight},
                [WEIGHTS] = {"weights", hyper->spec.theta_weight}},
      .context = hyper,
      .tiles = tiles_of,
      .workspace_create = workspace_create,
      .workspace_destroy = workspace_destroy,
      .workspace_bytes = workspace_bytes,
      .tile = run_tile,
  };
}
