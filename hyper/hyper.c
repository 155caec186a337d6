#include "hyper/hyper.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "hyper/hyper_parts.h"

enum { PIXELS = 0, CODE = 1, WEIGHTS = 2 };

/* ---- What it costs ---- */

static double image_flops(const Hyper *hyper) {
  return hyper->spec.encoder->flops(hyper->encoder, hyper->spec.known) +
         hyper->spec.generator->flops(hyper->generator) +
         hyper->pixels * render_flops(hyper->spec.hypo);
}

/* Images of a tile: reading the outer tensors twice takes at most a tenth of the time, at 5
 * operations a byte. */
static int default_tile(const Hyper *hyper) {
  size_t outer = hyper->parameters.size - outer_begin(&hyper->outer, hyper->parameters.size);
  double reading = 2. * (double)outer * sizeof(real) * 5;
  return (int)fmin(64, 1 + floor(10 * reading / image_flops(hyper)));
}

/* ---- Creation ---- */

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
  hyper->tile = spec->tile ? spec->tile : default_tile(hyper);
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

double hyper_flops(const Hyper *hyper) {
  return (double)hyper->spec.images * image_flops(hyper);
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

/* ---- A tile ---- */

typedef struct {
  const Hyper *hyper;
  HyperUse *use;
  real *grid;                /* [pixels][2] */
  real *image;               /* [images][pixels][channels] */
  uint8_t *known;            /* [images][pixels] */
  int64_t *item;             /* [images] */
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
  TRY(hyper_use_make(hyper, (int)images, true, &w->use));
  TRY(memory_allocate(&w->grid, 2 * pixels, sizeof(real), what));
  TRY(memory_allocate(&w->image, images * pixels * (size_t)hyper->spec.encoding.channels,
                      sizeof(real), what));
  TRY(memory_allocate(&w->known, images * pixels, 1, what));
  TRY(memory_allocate(&w->item, images, sizeof *w->item, what));
  TRY(memory_allocate(&w->code, codes, sizeof(real), what));
  TRY(memory_allocate(&w->code_bar, codes, sizeof(real), what));
  TRY(memory_allocate(&w->thetas, images * hyper->stride, sizeof(real), what));
  return memory_allocate(&w->thetas_bar, bar_reals(hyper, images), sizeof(real), what);
}

static void workspace_destroy(void *workspace) {
  Workspace *w = workspace;
  if (!w) return;
  hyper_use_destroy(w->use);
  void *owned[] = {w->grid, w->image,    w->known,  w->item,
                   w->code, w->code_bar, w->thetas, w->thetas_bar};
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
         reals = pixels * (2 + images * (size_t)hyper->spec.encoding.channels) +
                 2 * images * (size_t)hyper->spec.encoding.code + images * hyper->stride +
                 bar_reals(hyper, images);
  return hyper_use_size(hyper, (int)images, true) + memory_footprint(reals * sizeof(real));
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
         image_size = (size_t)hyper->pixels * (size_t)hyper->spec.encoding.channels;
  double pixels = pixel_count(hyper), weights = weight_count(hyper);
  for (size_t i = 0; i < (size_t)images; i++) {
    const real *theta = w->thetas + i * hyper->stride;
    real *bar = bars ? bars + i * hyper->stride : NULL;
    terms[PIXELS] += render_compare(w->use->render, theta, hyper->pixels, w->grid,
                                    w->image + i * image_size, 2 / pixels, bar) /
                     pixels;
    terms[WEIGHTS] += hyper_square(n, theta, 2 * hyper->spec.theta_weight / weights, bar) / weights;
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
  spec->draw(spec->source, step, first, images, w->image, w->known, w->item);
  const Context context = {.images = images,
                           .rows = spec->encoding.rows,
                           .columns = spec->encoding.columns,
                           .channels = spec->encoding.channels,
                           .pixels = w->image,
                           .known = w->known,
                           .item = w->item};
  spec->encoder->forward(hyper->encoder, theta, &context, w->code, w->use->encoder);
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
    terms[CODE] = hyper_square(codes, w->code, 0, NULL) / code_count(hyper);
    return;
  }
  memset(gradient, 0, objective_dense(self) * sizeof *gradient);
  spec->generator->backward(hyper->generator, theta, images, w->code, hyper->stride, bars,
                            w->use->generator, w->code_bar, gradient, v);
  terms[CODE] =
      hyper_square(codes, w->code, 2 * spec->code_weight / code_count(hyper), w->code_bar) /
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
